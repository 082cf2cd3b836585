"""A film's moments as the service tells them: `video.scenes.unlike`, in the fields of a route."""

from collections.abc import Callable, Mapping
from typing import Any

from preprocess.frames import MediaInfo
from video.scenes.changes import UnlikeOptions, unlike
from video.server.worker import Held


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
    metric, window = str(wishes["metric"]), int(wishes["rolling_window_size"])
    every_ms = round(1000 * float(wishes["every_n_second"]))
    known = {"euclidian": "euclidean"}.get(metric, metric)
    options = UnlikeOptions(every_ms, window, known)
    found = unlike(media, held.captioner, held.words, options, on_progress)
    rows = zip(found.times_ms, found.captions, found.by_caption, found.by_features, strict=True)
    told = [
        {"time": t / 1000, "caption": c, "dissimilarity": said, "visual_dissimilarity": shown}
        for t, c, said, shown in rows
    ]
    peaks = [
        {"time": p.time_ms / 1000, "by": p.by, "score": p.score, "caption": p.caption,
         "before": p.before}
        for p in found.peaks
    ]  # fmt: skip
    asked = {"metric": metric, "rolling_window_size": window, "every_n_second": every_ms / 1000}
    return {**asked, "captions": told, "peaks": peaks}
