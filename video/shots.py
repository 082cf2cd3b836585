"""A film in one cheap pass: where its shots are, and a few frames of each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from preprocess.frames import MediaInfo
from preprocess.records import Shot


@dataclass(frozen=True)
class ShotOptions:
    """How shots are found; the only place where these defaults are written.

    Attributes:
        frames_per_shot: frames the captioner sees of one shot.
        min_shot_ms: no shot is shorter (but a film may be).
        max_shot_ms: longer shots are split evenly.
        sensitivity: 0..1, higher finds more cuts.
    """

    frames_per_shot: int = 3
    min_shot_ms: int = 1000
    max_shot_ms: int = 8000
    sensitivity: float = 0.5


@dataclass(frozen=True, eq=False)
class ShotFrames:
    """A shot with its representative frames, uint8 (n, H, W, 3) RGB, n >= 1."""

    shot: Shot
    frames: npt.NDArray[np.uint8]


def find_shots(
    media: MediaInfo,
    options: ShotOptions = ShotOptions(),  # noqa: B008 - frozen
    on_progress: Callable[[int], None] | None = None,
) -> Iterator[ShotFrames]:
    """Yields the shots in order, tiling [0, media.duration_ms); on_progress gets the time reached.

    Raises:
        VideoError: not one frame could be decoded.
    """
    raise NotImplementedError
