"""What captioning a film costs beside a plain transcode: `python -m bench.captioning`.

Makes a 60 s 720p clip with sound, cuts and texture, then runs the program and a plain ffmpeg
transcode at the same x264 settings in turn and prints medians of CPU seconds (user + system,
children included). CPU seconds, because wall time is noisy on shared machines.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg

from model.captioner import Captioner
from preprocess.frames import probe
from video.shots import ShotOptions, find_shots
from video.values import whole

COUNT = whole(1, 100_000)
ROOT = Path(__file__).resolve().parent.parent
X264 = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "23")
# Five sources of different motion and texture, cut every 5 s; noise keeps x264 honest.
_SOURCES = (
    "testsrc2=s=1280x720:r=30",
    "mandelbrot=s=1280x720:r=30",
    "gradients=s=1280x720:r=30:n=6:speed=0.05",
    "cellauto=s=1280x720:r=30:rule=110",
    "testsrc=s=1280x720:r=30",
)


@dataclass(frozen=True)
class Cost:
    """One run: CPU and wall seconds, and the largest resident process in MB."""

    cpu_s: float
    wall_s: float
    peak_mb: float


def make_clip(path: Path, seconds: int) -> None:
    """A clip that is as hard to encode as everyday film is."""
    shots = max(1, seconds // 5)
    length = seconds / shots
    inputs: list[str] = []
    chains = ""
    for shot in range(shots):
        source = _SOURCES[shot % len(_SOURCES)]
        inputs += ["-f", "lavfi", "-t", f"{length}", "-i", source]
        hue = 40 * shot
        chains += f"[{shot}:v]hue=h={hue},noise=alls=6:allf=t,format=yuv420p,setsar=1[v{shot}];"
    joined = "".join(f"[v{shot}]" for shot in range(shots))
    sound = ["-f", "lavfi", "-t", f"{seconds}", "-i", "sine=330:beep_factor=4"]
    graph = f"{chains}{joined}concat=n={shots}:v=1:a=0[v]"
    maps = ["-filter_complex", graph, "-map", "[v]", "-map", f"{shots}:a", "-c:a", "aac"]
    ffmpeg([*inputs, *sound, *maps, *X264, str(path)])


def measure(command: Sequence[str | Path]) -> Cost:
    """Runs a command to its end; its cost with its children's.

    Raises:
        SystemExit: the command failed.
    """
    started, before = time.monotonic(), os.times()
    process = subprocess.Popen([str(part) for part in command], cwd=ROOT)
    own = _OwnPeak(process.pid)
    status = process.wait()
    peak_mb = own.stop()
    after = os.times()
    if status != 0:
        raise SystemExit(f"{command[0]} ended with status {status}")
    used = after.children_user + after.children_system
    used -= before.children_user + before.children_system
    return Cost(used, time.monotonic() - started, peak_mb)


class _OwnPeak:
    """Watches VmHWM of one process (not of the ffmpeg it starts) until it ends; Linux only."""

    def __init__(self, pid: int) -> None:
        self._status, self._peak_mb = Path(f"/proc/{pid}/status"), 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        self._ended.set()
        self._thread.join()
        return self._peak_mb

    def _watch(self) -> None:
        while not self._ended.wait(0.1):
            try:
                found = re.search(r"VmHWM:\s+(\d+) kB", self._status.read_text())
            except OSError:
                return
            if found:
                self._peak_mb = max(self._peak_mb, int(found[1]) / 1024)


def ffmpeg(arguments: Sequence[str]) -> None:
    binary = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([binary, "-nostdin", "-v", "error", "-y", *arguments], check=True)


def transcode(clip: Path, output: Path) -> list[str | Path]:
    binary = imageio_ffmpeg.get_ffmpeg_exe()
    return [binary, "-nostdin", "-v", "error", "-y", "-i", clip, *X264, "-c:a", "copy", output]


def program(*arguments: str | Path) -> list[str | Path]:
    return [sys.executable, ROOT / "caption_video.py", *arguments, "-q", "--overwrite"]


def _first_caption(folder: Path) -> Cost:
    """Start-up: a film of one second, as text, costs little more than its first caption."""
    clip = folder / "second.mp4"
    make_clip(clip, 1)
    return measure(program(clip, "-o", folder / "second.txt"))


def main() -> int:
    """Prints the table; returns 0 when all bounds hold, else 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=COUNT, default=60, help="length of the clip (60)")
    parser.add_argument("--rounds", type=COUNT, default=3, help="runs of each (3)")
    parser.add_argument("--clip", type=Path, help="measure on this film instead")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = args.clip or folder / "clip.mp4"
        if args.clip:
            probe(clip)  # whatever is wrong with it is told now
        else:
            make_clip(clip, args.seconds)
        start = _first_caption(folder)
        shot_ms = 1000 * statistics.median(shot_costs(clip, args.rounds))
        pairs = [_pair(clip.absolute(), folder) for _ in range(args.rounds)]
        length_s = probe(clip).duration_ms / 1000
    return _report(start, shot_ms, pairs, length_s)


def _pair(clip: Path, folder: Path) -> tuple[Cost, Cost, Cost]:
    """Costs of the transcode, the burned film, and the subtitles alone, one after another."""
    plain = measure(transcode(clip, folder / "plain.mp4"))
    burned = measure(program(clip, "-o", folder / "out.mp4"))
    return plain, burned, measure(program(clip, "-o", folder / "out.srt"))


def shot_costs(clip: Path, rounds: int) -> list[float]:
    """CPU seconds of a shot of three frames, as films get its sentence, in each round."""
    captioner = Captioner.load(ROOT / "model" / "default.kcap")
    shots = [found.frames for found in find_shots(probe(clip), ShotOptions(frames_per_shot=3))]
    costs = []
    for _ in range(rounds + 1):
        before = time.process_time()
        captioner.caption_many(shots)
        costs.append((time.process_time() - before) / len(shots))
    return costs[1:]  # the first loads what is loaded when needed


def _report(
    start: Cost, shot_ms: float, pairs: Sequence[tuple[Cost, Cost, Cost]], length_s: float
) -> int:
    plain, burned, text = (
        statistics.median(c.cpu_s for c in column) for column in zip(*pairs, strict=True)
    )
    ratio = statistics.median(b.cpu_s / p.cpu_s for p, b, _ in pairs)
    most = 1.2 if length_s >= 300 else 1.25
    speed = length_s / statistics.median(t.wall_s for _, _, t in pairs)
    peak = max(cost.peak_mb for _, *ours in pairs for cost in ours)
    print(f"plain transcode        {plain:8.2f} CPU s")
    print(f"captioned and burned   {burned:8.2f} CPU s   ratio {ratio:.2f} (bound {most:.2f})")
    print(f"subtitles only         {text:8.2f} CPU s   ratio {text / plain:.2f}")
    print(f"                       {speed:8.1f} times real time (bound 15)")
    print(f"start to first caption {start.cpu_s:8.2f} CPU s   (bound 1.50)")
    print(f"a shot of three frames {shot_ms:8.0f} CPU ms  (bound 250)")
    print(f"peak memory            {peak:8.0f} MB      (bound 700, without ffmpeg's own)")
    bounds = (ratio <= most, speed >= 15, start.cpu_s <= 1.5, shot_ms <= 250, peak <= 700)
    return 0 if all(bounds) else 1


if __name__ == "__main__":
    sys.exit(main())
