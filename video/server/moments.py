"""A film looked at every few seconds: what is said then, and how unlike it is to just before."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from preprocess.frames import MediaInfo, frames
from preprocess.pictures import Picture
from video.server.worker import Held

Metric = Literal["euclidian", "euclidean", "cosine"]
Vectors = npt.NDArray[np.float32]
_AT_A_TIME = 8


@dataclass
class _Seen:
    """Moment by moment: times in seconds, sentences, what they mean and what the CNN saw."""

    times: list[float] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)
    meanings: list[Vectors] = field(default_factory=list)
    looks: list[Vectors] = field(default_factory=list)


def moments(
    media: MediaInfo,
    held: Held,
    wishes: Mapping[str, Any],
    on_progress: Callable[[int], None],
) -> dict[str, Any]:
    """What is seen every `every_n_second`, each with its dissimilarity to what was just before.

    Args:
        media: the film.
        held: captioner and words.
        wishes: every_n_second, metric, rolling_window_size.
        on_progress: gets the time reached, in milliseconds.
    """
    every_ms = round(1000 * float(wishes["every_n_second"]))
    metric, window = wishes["metric"], int(wishes["rolling_window_size"])
    seen = _Seen()
    for group in _grouped(_sampled(media, every_ms)):
        _look(held, group, seen)
        on_progress(group[-1][0])
    said = dissimilarity(np.stack(seen.meanings), metric, window)
    shown = dissimilarity(np.stack(seen.looks), metric, window)
    rows = zip(seen.times, seen.captions, said, shown, strict=True)
    names = ("time", "caption", "dissimilarity", "visual_dissimilarity")
    asked = {"metric": metric, "rolling_window_size": window, "every_n_second": every_ms / 1000}
    told = [dict(zip(names, (t, c, _short(a), _short(b)), strict=True)) for t, c, a, b in rows]
    return {**asked, "captions": told}


def dissimilarity(vectors: Vectors, metric: Metric, window: int) -> npt.NDArray[np.float64]:
    """Of each row to the mean of the `window` rows before it; the first has none and gets 0.

    Args:
        vectors: float32 (n, D).
        metric: "cosine" (1 - cosine of the angle, 0..2) or Euclid's distance.
        window: rows, at least 1.
    """
    rows = vectors.astype(np.float64)
    found = np.zeros(len(rows))
    for i in range(1, len(rows)):
        before = rows[max(0, i - window) : i].mean(0)
        if metric == "cosine":
            length = float(np.linalg.norm(before) * np.linalg.norm(rows[i]))
            found[i] = 1 - float(before @ rows[i]) / length if length > 0 else 0.0
        else:
            found[i] = float(np.linalg.norm(rows[i] - before))
    return np.maximum(found, 0.0)


def _sampled(media: MediaInfo, every_ms: int) -> Iterator[tuple[int, Picture]]:
    """The first frame at or after each multiple of every_ms, with its time."""
    due = 0
    for frame in frames(media):
        if frame.time_ms >= due:
            yield frame.time_ms, frame.picture()
            due = (frame.time_ms // every_ms + 1) * every_ms


def _grouped(found: Iterator[tuple[int, Picture]]) -> Iterator[list[tuple[int, Picture]]]:
    group: list[tuple[int, Picture]] = []
    for one in found:
        group.append(one)
        if len(group) == _AT_A_TIME:
            yield group
            group = []
    if group:
        yield group


def _look(held: Held, group: Sequence[tuple[int, Picture]], seen: _Seen) -> None:
    pictures = [picture for _, picture in group]
    captions = held.captioner.caption_many([picture[None] for picture in pictures])
    features = held.captioner.features(pictures).mean(1)  # over the regions
    for (time_ms, _), caption, look in zip(group, captions, features, strict=True):
        seen.times.append(time_ms / 1000)
        seen.captions.append(caption.text)
        seen.meanings.append(held.words.vector(caption.text))
        seen.looks.append(look)


def _short(value: float) -> float:
    return round(float(value), 6)
