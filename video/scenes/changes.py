"""How a film changes: two curves over its moments, and where they stand out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from preprocess.errors import SettingError

if TYPE_CHECKING:
    from model.words import Words
    from preprocess.media import MediaInfo
    from video.scenes.moments import SeesMoments

METRICS = ("cosine", "euclidean")
BY = ("caption", "features")


@dataclass(frozen=True)
class UnlikeOptions:
    """How a film is looked at; the only place where these defaults are written.

    Attributes:
        every_ms: how far apart its moments are.
        window: how many moments before each one it is compared with, by their mean.
        metric: "cosine" or "euclidean", of vectors of length 1.
    """

    every_ms: int = 1000
    window: int = 5
    metric: str = "cosine"


@dataclass(frozen=True)
class Peak:
    """A moment that stands out.

    Attributes:
        time_ms: on the clock a player shows.
        by: on which curve, "caption" or "features".
        score: how unlike it is.
        caption: what is seen.
        before: what was seen one moment earlier.
    """

    time_ms: int
    by: str
    score: float
    caption: str
    before: str


@dataclass(frozen=True)
class Unlike:
    """A film's curves; all sequences have one value a moment.

    Attributes:
        video: the film's file name.
        options: how it was looked at.
        times_ms: of the moments, on the clock a player shows.
        captions: their sentences.
        by_caption: how unlike each is to those before it, by what is said; the first is 0.
        by_features: the same, by what the CNN sees.
        peaks: of both curves, by time.
    """

    video: str
    options: UnlikeOptions
    times_ms: tuple[int, ...]
    captions: tuple[str, ...]
    by_caption: tuple[float, ...]
    by_features: tuple[float, ...]
    peaks: tuple[Peak, ...]


def unlike(
    media: "MediaInfo",
    captioner: "SeesMoments",
    words: "Words",
    options: UnlikeOptions = UnlikeOptions(),
    on_progress: Callable[[int], None] | None = None,
) -> Unlike:
    """Both curves of a film and their peaks.

    Args:
        media: the probed film.
        captioner: a loaded Captioner.
        words: of the same captioner file.
        options: how.
        on_progress: gets the time reached, in milliseconds.

    Raises:
        SettingError: an option cannot be used.
        VideoError: not one frame could be decoded.
    """
    import numpy as np

    from video.scenes.curve import dissimilarity, steadied
    from video.scenes.moments import moments
    from video.track import printable

    _check(options)
    found = list(moments(media, captioner, words, options.every_ms, on_progress))
    features = np.stack([m.features for m in found])
    meanings = steadied(np.stack([m.meaning for m in found]), features)
    curves = [
        dissimilarity(vectors, options.window, options.metric) for vectors in (meanings, features)
    ]
    by_caption, by_features = (tuple(round(float(h), 4) for h in curve) for curve in curves)
    times, captions = tuple(m.time_ms for m in found), tuple(m.caption for m in found)
    peaks = _peaks(times, captions, dict(zip(BY, (by_caption, by_features), strict=True)))
    name = printable(media.path.name)
    return Unlike(name, options, times, captions, by_caption, by_features, peaks)


def _peaks(
    times: Sequence[int],
    captions: Sequence[str],
    curves: dict[str, tuple[float, ...]],
) -> tuple[Peak, ...]:
    from video.scenes.curve import peaks

    found = [
        Peak(times[i], by, curve[i], captions[i], captions[max(0, i - 1)])
        for by, curve in curves.items()
        for i in peaks(curve)
    ]
    return tuple(sorted(found, key=lambda peak: (peak.time_ms, peak.by)))


def _check(options: UnlikeOptions) -> None:
    usable = options.every_ms >= 1 and options.window >= 1 and options.metric in METRICS
    if not usable:
        raise SettingError(
            f"쓸 수 없는 설정입니다: {options}. every와 window는 1 이상, metric은 "
            f"{', '.join(METRICS)} 가운데 하나입니다.",
            f"unusable options: {options}. every and window are at least 1, metric is one of "
            f"{', '.join(METRICS)}.",
        )
