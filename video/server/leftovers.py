"""What a process that was killed outright can leave: an ffmpeg that writes on, half a file."""

import os
import signal
from contextlib import suppress
from pathlib import Path

_PROCESSES = Path("/proc")  # of Linux; elsewhere nothing is found and nothing ended


def end_leftovers(folder: Path) -> None:
    """Ends every ffmpeg that works on a file in folder and removes half-written results."""
    for number in ffmpegs_on(folder):
        with suppress(OSError):
            os.kill(number, signal.SIGKILL)
    for half in folder.rglob(".captioning-*"):
        with suppress(OSError):
            half.unlink()


def ffmpegs_on(folder: Path) -> list[int]:
    """Ids of the ffmpeg processes whose command line names a file in folder."""
    inside = f"{folder.absolute()}{os.sep}".encode()
    found = []
    for process in _PROCESSES.glob("[0-9]*"):
        with suppress(OSError):
            program, *words = (process / "cmdline").read_bytes().split(b"\0")
            ours = "ffmpeg" in Path(os.fsdecode(program)).name
            if ours and any(inside in word for word in words):
                found.append(int(process.name))
    return found
