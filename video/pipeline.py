"""The one-call door: a film in, its captioned shots out."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from preprocess.frames import MediaInfo, probe
from video.shots import ShotFrames, ShotOptions, find_shots
from video.track import CaptionedShot, OtherCaption, Track

if TYPE_CHECKING:  # its network library would slow --help and the readers of tracks
    from model.captioner import Caption

OnShot = Callable[[CaptionedShot], None]
Progress = Callable[[int], None]


class SeesShots(Protocol):
    """What the pipeline needs of a captioner."""

    def caption_many(self, shots: Sequence[npt.NDArray[np.uint8]]) -> "list[Caption]":
        """One sentence a shot; each shot is uint8 (n, H, W, 3) RGB."""


@dataclass(frozen=True)
class PipelineOptions:
    """How a film is captioned; the only place where these defaults are written.

    Attributes:
        shots: how shots are found.
        batch: shots captioned together; bounds the memory, whatever the film's length.
        alternatives: other sentences kept of each shot; the beam finds at most its width in all.
    """

    shots: ShotOptions = field(default_factory=ShotOptions)
    batch: int = 16
    alternatives: int = 0


def caption_video(
    path: Path,
    captioner: SeesShots,
    options: PipelineOptions = PipelineOptions(),
    on_shot: OnShot | None = None,
    on_progress: Progress | None = None,
) -> Track:
    """Finds the shots of a video, GIF or picture and says one Korean sentence about each.

    Args:
        path: the file.
        captioner: a loaded Captioner.
        options: how.
        on_shot: gets each finished shot as soon as it is known.
        on_progress: gets the time reached, in milliseconds.

    Raises:
        VideoError: path cannot be read or nothing in it decodes.
    """
    return caption_media(probe(path), captioner, options, on_shot, on_progress)


def caption_media(
    media: MediaInfo,
    captioner: SeesShots,
    options: PipelineOptions = PipelineOptions(),
    on_shot: OnShot | None = None,
    on_progress: Progress | None = None,
) -> Track:
    """As caption_video, of a medium that is probed already."""
    found = find_shots(media, options.shots, on_progress)
    shots = []
    for shot in merged(_captioned(found, captioner, options, media.start_ms)):
        shots.append(shot)
        if on_shot:
            on_shot(shot)
    return Track(
        video=_printable(media.path.name),
        duration_ms=media.start_ms + media.duration_ms,
        captioner=str(getattr(captioner, "name", type(captioner).__name__)),
        shots=tuple(shots),
    )


def merged(shots: Iterable[CaptionedShot]) -> Iterator[CaptionedShot]:
    """Neighbours that say the same become one shot; its scores are their mean, weighted by time."""
    last: CaptionedShot | None = None
    for shot in shots:
        if last and last.caption == shot.caption and last.end_ms == shot.start_ms:
            share = (shot.end_ms - shot.start_ms) / (shot.end_ms - last.start_ms)
            last = replace(
                last,
                end_ms=shot.end_ms,
                score=last.score + share * (shot.score - last.score),
                confidence=last.confidence + share * (shot.confidence - last.confidence),
            )
            continue
        if last:
            yield last
        last = shot
    if last:
        yield last


def _captioned(
    found: Iterable[ShotFrames], captioner: SeesShots, options: PipelineOptions, start_ms: int
) -> Iterator[CaptionedShot]:
    """The shots with their sentences, on the player's clock: the picture may start late on it."""
    for group in _batches(found, options.batch):
        captions = captioner.caption_many([shot.frames for shot in group])
        for shot, caption in zip(group, captions, strict=True):
            yield CaptionedShot(
                start_ms=start_ms + shot.shot.start_ms,
                end_ms=start_ms + shot.shot.end_ms,
                caption=caption.text,
                score=float(caption.score),
                confidence=float(caption.confidence),
                alternatives=tuple(
                    OtherCaption(other.text, float(other.score), float(other.confidence))
                    for other in caption.alternatives[: options.alternatives]
                ),
            )


def _batches(found: Iterable[ShotFrames], largest: int) -> Iterator[list[ShotFrames]]:
    """Groups of 1, 2, 4, ... largest shots: the first sentence comes early, the many cheaply."""
    size, group = 1, []
    for shot in found:
        group.append(shot)
        if len(group) == size:
            yield group
            size, group = min(2 * size, max(1, largest)), []
    if group:
        yield group


def _printable(name: str) -> str:
    """A file name as valid Unicode: on disk it can be any bytes."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
