"""A film looked at every so often: each moment's features, sentence and that sentence's vector.

Moments that show the same, as near as the CNN can tell, are described together. A captioner that
is asked about each alone says now this, now that of one and the same scene.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from model.words import Words, unit
from preprocess.frames import frames
from preprocess.media import MediaInfo, no_frame
from preprocess.pictures import Picture

if TYPE_CHECKING:
    from model.caption import Caption

Vector = npt.NDArray[np.float32]
SAME = 0.05  # cosine distance of CNN features up to which two moments show the same
LOOKS = 3  # moments of a run that the captioner sees, the first ones: the rest look alike


class SeesMoments(Protocol):
    """What looking needs of a captioner."""

    def caption_many(self, shots: Sequence[npt.NDArray[np.uint8]]) -> "list[Caption]":
        """One sentence a shot; each shot is uint8 (n, H, W, 3) RGB."""

    def features(self, pictures: Sequence[Picture]) -> npt.NDArray[np.float32]:
        """What the CNN sees of uint8 (H, W, 3) pictures: float32 (n, R, D)."""


@dataclass(frozen=True, eq=False)
class Moment:
    """One moment of a film.

    Attributes:
        time_ms: on the clock a player shows.
        caption: its sentence, one for all moments that show the same.
        meaning: float32 (E,) of length 1 or 0, from all sentences that were found for it, the
            likelier ones weighing more.
        features: float32 (D,) of length 1, the mean of the CNN's regions.
    """

    time_ms: int
    caption: str
    meaning: Vector
    features: Vector


class _Look(NamedTuple):
    time_ms: int
    features: Vector


@dataclass
class _Run:
    """Moments that show the same as the first of them."""

    looks: list[_Look] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)

    def takes(self, features: Vector) -> bool:
        """Whether a moment shows the same."""
        return not self.looks or float(1 - self.looks[0].features @ features) <= SAME

    def add(self, look: _Look, picture: Picture) -> None:
        """Takes a moment in; its picture only while few are kept."""
        self.looks.append(look)
        same_size = not self.pictures or self.pictures[0].shape == picture.shape
        if len(self.pictures) < LOOKS and same_size:
            self.pictures.append(picture)


def moments(
    media: MediaInfo,
    captioner: SeesMoments,
    words: Words,
    every_ms: int,
    on_progress: Callable[[int], None] | None = None,
) -> Iterator[Moment]:
    """The film's moments in order; memory does not grow with its length.

    Raises:
        VideoError: not one frame could be decoded.
    """
    run = _Run()
    for time_ms, picture in sampled(media, every_ms):
        features = unit(captioner.features([picture])[0].mean(axis=0))
        if not run.takes(features):
            yield from _described(run, captioner, words)
            run = _Run()
        run.add(_Look(media.start_ms + time_ms, features), picture)
        if on_progress:
            on_progress(time_ms)
    if not run.looks:
        raise no_frame(media.path)
    yield from _described(run, captioner, words)


def sampled(media: MediaInfo, every_ms: int) -> Iterator[tuple[int, Picture]]:
    """The first frame at or after each multiple of every_ms, in ms from the film's first frame."""
    due_ms = 0
    for frame in frames(media):
        if frame.time_ms >= due_ms:
            yield frame.time_ms, frame.picture()
            due_ms = (frame.time_ms // every_ms + 1) * every_ms


def meaning(caption: "Caption", words: Words) -> Vector:
    """The vector of a caption and its alternatives, weighed by their probability a token."""
    said = [(other.text, other.score) for other in caption.alternatives]
    if not (caption.general and said):  # in doubt the likeliest sentence begins the alternatives
        said.insert(0, (caption.text, caption.score))
    return weighed(said, words)


def weighed(said: Sequence[tuple[str, float]], words: Words) -> Vector:
    """The vector of sentences, each with its mean natural log-probability a token."""
    weights = np.exp(np.array([score for _, score in said], np.float32))
    mean: Vector = weights @ words.vectors([text for text, _ in said])
    return unit(mean)


def _described(run: _Run, captioner: SeesMoments, words: Words) -> Iterator[Moment]:
    caption = captioner.caption_many([np.stack(run.pictures)])[0]
    about = meaning(caption, words)
    for time_ms, features in run.looks:
        yield Moment(time_ms, caption.text, about, features)
