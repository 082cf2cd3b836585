"""What drawing captions costs, beside other ways to do it: `python -m bench.drawing`.

The captions are there already (--captions), so no captioner is in these figures. Beside a plain
transcode at the same x264 settings: libass in ffmpeg (ours), moviepy's TextClip composite, a loop
that draws every frame with Pillow; GIF beside ffmpeg's own palette path; a soft track beside the
film's length. CPU seconds, medians, everything in turn. Needs moviepy (requirements.txt).
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bench.captioning import COUNT, X264, Cost, make_clip, measure, program, transcode
from video.fonts import hangul_font

EVERY_S = 5  # a caption each
SENTENCE = "검은 옷을 입은 남자가 거리를 걷고 있다"
GIF = "fps=10,scale=480:-2:flags=lanczos,split[a][b];[a]palettegen[p];[b][p]paletteuse"


def captions(path: Path, seconds: int) -> Path:
    """An SRT file with a sentence every few seconds."""
    cues = []
    for number, start in enumerate(range(0, seconds, EVERY_S), 1):
        times = [f"00:{t // 60:02}:{t % 60:02},000" for t in (start, start + EVERY_S)]
        cues.append(f"{number}\n{times[0]} --> {times[1]}\n{SENTENCE}\n")
    path.write_text("\n".join(cues), encoding="utf-8")
    return path


def with_pillow(clip: Path, output: Path) -> None:
    """Decodes, draws the same sentence on every frame with Pillow, encodes; sound is copied."""
    reader = imageio_ffmpeg.read_frames(str(clip))
    size = next(reader)["size"]
    binary, raw = imageio_ffmpeg.get_ffmpeg_exe(), ["-f", "rawvideo", "-pix_fmt", "rgb24"]
    command = [binary, "-v", "error", "-y", *raw, "-s", f"{size[0]}x{size[1]}"]
    command += ["-r", "30", "-i", "-", "-i", str(clip), "-map", "0:v", "-map", "1:a?", *X264]
    command += ["-pix_fmt", "yuv420p", "-c:a", "copy", str(output)]
    font = ImageFont.truetype(str(hangul_font().path), size[1] // 18)
    place = (size[0] // 2, size[1] * 9 // 10)
    with subprocess.Popen(command, stdin=subprocess.PIPE) as writer:
        for frame in reader:
            picture = Image.frombuffer("RGB", size, frame).copy()
            ImageDraw.Draw(picture).text(
                place, SENTENCE, "white", font, "ms", stroke_width=3, stroke_fill="black"
            )
            writer.stdin.write(np.asarray(picture).tobytes())  # type: ignore[union-attr]


def ways(clip: Path, srt: Path, folder: Path) -> dict[str, Callable[[], Cost]]:
    """What is measured, by name."""
    ours: list[str | Path] = ["--captions", srt]
    loop = [sys.executable, "-m", "bench.drawing", "--pillow", str(clip), str(folder / "p.mp4")]
    palette = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y", "-i", str(clip)]
    return {
        "plain transcode": lambda: measure(transcode(clip, folder / "plain.mp4")),
        "ours": lambda: measure(program(clip, *ours, "-o", folder / "ours.mp4")),
        "moviepy": lambda: measure(
            program(clip, *ours, "--engine", "moviepy", "-o", folder / "moviepy.mp4")
        ),
        "Pillow, every frame": lambda: measure(loop),
        "GIF by ffmpeg": lambda: measure([*palette, "-lavfi", GIF, folder / "plain.gif"]),
        "GIF, ours": lambda: measure(program(clip, *ours, "-o", folder / "ours.gif")),
        "soft track": lambda: measure(program(clip, *ours, "--soft", "-o", folder / "soft.mp4")),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the table; always 0: these are figures, not bounds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=COUNT, default=60, help="length of the clip (60)")
    parser.add_argument("--rounds", type=COUNT, default=3, help="runs of each (3)")
    parser.add_argument("--pillow", nargs=2, type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.pillow:
        with_pillow(*args.pillow)
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip, srt = folder / "clip.mp4", captions(folder / "c.srt", args.seconds)
        make_clip(clip, args.seconds)
        found = ways(clip, srt, folder)
        costs = [{way: run().cpu_s for way, run in found.items()} for _ in range(args.rounds)]
    for way in found:
        spent = statistics.median(one[way] for one in costs)
        beside = "GIF by ffmpeg" if way.startswith("GIF") else "plain transcode"
        ratio = statistics.median(one[way] / one[beside] for one in costs)
        told = f"{args.seconds / spent:5.0f} times real time" if way == "soft track" else ""
        print(f"{way:20} {spent:8.2f} CPU s   {ratio:5.2f} of {beside} {told}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
