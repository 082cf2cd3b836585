"""Python programs in processes of their own: what they say, and the memory that they need."""

import subprocess
import sys
from pathlib import Path

# ru_maxrss would remember the process that started this one
PEAK = (
    "\nimport re; from pathlib import Path\n"
    "print(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])"
)


def said(code: str, *arguments: str | Path) -> str:
    """What a program prints; it must end well."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def peak_mb(code: str, *arguments: str | Path) -> float:
    """The most resident memory of a program that prints nothing; Linux only."""
    return int(said(code + PEAK, *arguments)) / 1024
