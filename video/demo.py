"""A sample film made on the spot: `python -m video.demo OUT.mp4`.

Five photos that scikit-image carries, free of copyright (THIRD_PARTY.md names them), each under
a slow pan and zoom, with hard cuts between them and a soft tone as sound.
"""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from preprocess.errors import CaptioningError, MissingExtra, OutputError
from preprocess.ffmpeg import input_arguments, run
from preprocess.files import whole_file
from preprocess.pictures import Picture, read_picture

WIDTH, HEIGHT, FPS = 1280, 720, 24
SHOT_MS = 3500


@dataclass(frozen=True)
class Move:
    """A camera move over one photo.

    Attributes:
        photo: file name inside scikit-image's data folder.
        start: where the window's centre begins, as fractions (x, y) of the room it has.
        end: where it ends.
        zoom: (first, last) magnification; 1 is the widest 16:9 window the photo holds.
    """

    photo: str
    start: tuple[float, float]
    end: tuple[float, float]
    zoom: tuple[float, float]


MOVES = (
    Move("chelsea.png", (0.4, 0.5), (0.5, 0.5), (1.0, 1.12)),
    Move("coffee.png", (0.5, 0.8), (0.5, 0.4), (1.1, 1.0)),
    Move("astronaut.png", (0.5, 0.35), (0.5, 0.0), (1.0, 1.0)),
    Move("rocket.jpg", (0.5, 0.9), (0.5, 0.4), (1.0, 1.0)),
    Move("camera.png", (0.5, 0.1), (0.5, 0.35), (1.0, 1.08)),
)


def compose(target: Path, moves: Sequence[Move] = MOVES) -> None:
    """Writes the film: 1280x720, 24 frames a second, H.264 with AAC sound.

    Raises:
        MissingExtra: scikit-image is not installed.
        OutputError: the target cannot be written.
    """
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "draft.avi"
        _draft(draft, moves)
        tone = "sine=frequency=220:sample_rate=48000,volume=0.15"
        with whole_file(target) as temporary:
            run(
                [
                    *input_arguments(draft),
                    *("-f", "lavfi", "-i", tone, "-shortest"),
                    *("-c:v", "libx264", "-preset", "veryfast", "-crf", "20"),
                    *("-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "96k"),
                    *("-movflags", "+faststart", f"file:{temporary.absolute()}"),
                ],
                timeout_s=600,
            )


def _draft(path: Path, moves: Sequence[Move]) -> None:
    """The silent film as motion JPEG, which OpenCV can write without help."""
    code = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), cv2.CAP_OPENCV_MJPEG, code, FPS, (WIDTH, HEIGHT))
    writer.set(cv2.VIDEOWRITER_PROP_QUALITY, 95)
    try:
        for move in moves:
            photo = read_picture(_photos() / move.photo)
            for frame in frames(photo, move, SHOT_MS * FPS // 1000):
                writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    finally:
        writer.release()


def frames(photo: Picture, move: Move, count: int) -> Iterator[Picture]:
    """The move as count frames, uint8 (720, 1280, 3) RGB; photo: uint8 (H, W, 3) RGB."""
    height, width = photo.shape[:2]
    widest = min(width, height * WIDTH / HEIGHT)
    for index in range(count):
        along = index / max(count - 1, 1)
        along = along * along * (3 - 2 * along)  # smoothstep: the camera starts and stops gently
        window = widest / (move.zoom[0] + (move.zoom[1] - move.zoom[0]) * along)
        scale = window / WIDTH  # photo pixels a film pixel
        left = (width - window) * _between(move.start[0], move.end[0], along)
        top = (height - window * HEIGHT / WIDTH) * _between(move.start[1], move.end[1], along)
        film_to_photo = np.array([[scale, 0, left], [0, scale, top]])  # sub-pixel: no jitter
        frame = cv2.warpAffine(
            photo,
            film_to_photo,
            (WIDTH, HEIGHT),
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        yield np.asarray(frame, dtype=np.uint8)


def _between(start: float, end: float, along: float) -> float:
    return start + (end - start) * along


def _photos() -> Path:
    """The folder of scikit-image's photos; only files inside the wheel, nothing is fetched."""
    found = find_spec("skimage")  # looked up, not imported: that would need SciPy
    if found is None or found.origin is None:
        raise MissingExtra(
            "견본 영상에는 scikit-image가 필요합니다. 설치하세요: pip install scikit-image",
            "the sample film needs scikit-image. Install it: pip install scikit-image",
        )
    return Path(found.origin).parent / "data"


def main(arguments: Sequence[str]) -> int:
    """Writes the sample film; the exit status."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("사용법 (usage): python -m video.demo OUT.mp4", file=sys.stderr)
        return 2
    try:
        target = Path(arguments[0])
        if target.suffix.lower() not in {".mp4", ".mov", ".mkv"}:
            raise OutputError(
                f"견본 영상의 이름은 .mp4로 끝나야 합니다: '{target}'.",
                f"the sample film's name must end in .mp4: '{target}'.",
            )
        compose(target)
    except CaptioningError as error:
        print(f"{error.text('ko')} ({error.text('en')})", file=sys.stderr)
        return 1
    print(f"견본 영상 (sample film): {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
