"""`python -m video.scenes unlike FILM`: the moments that are unlike those just before them."""

import argparse
import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from preprocess.errors import MissingExtra, OutputError, SettingError
from preprocess.files import check_free, is_folder, whole_file
from video.values import seconds, whole

if TYPE_CHECKING:
    from model.words import Words
    from preprocess.media import MediaInfo
    from video.scenes.moments import SeesMoments

ABOUT = "앞과 달라지는 순간을 찾습니다. (Finds moments unlike those before them.)"
METRICS = ("cosine", "euclidean")
BY = ("caption", "features")
FORMATS = (".json", ".csv", ".png", ".html")


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
    peaks = _peaks(times, captions, dict(zip(BY, (by_caption, by_features), strict=True)), options)
    name = printable(media.path.name)
    return Unlike(name, options, times, captions, by_caption, by_features, peaks)


def _peaks(
    times: Sequence[int],
    captions: Sequence[str],
    curves: dict[str, tuple[float, ...]],
    options: UnlikeOptions,
) -> tuple[Peak, ...]:
    from video.scenes.curve import peaks

    found = [
        Peak(times[i], by, curve[i], captions[i], captions[max(0, i - 1)])
        for by, curve in curves.items()
        for i in peaks(curve, options.window)
    ]
    return tuple(sorted(found, key=lambda peak: (peak.time_ms, peak.by)))


def to_json(found: Unlike) -> str:
    """Everything, as JSON text."""
    return json.dumps(asdict(found), ensure_ascii=False, indent=1) + "\n"


def to_csv(found: Unlike) -> str:
    """One line a moment: seconds, both heights, peak on which curves, sentence."""
    marked: dict[int, list[str]] = {}
    for one in found.peaks:
        marked.setdefault(one.time_ms, []).append(one.by)
    held = io.StringIO()
    writer = csv.writer(held, lineterminator="\n")
    writer.writerow(("time_s", "by_caption", "by_features", "peak", "caption"))
    columns = (found.times_ms, found.by_caption, found.by_features, found.captions)
    for time_ms, said, seen, caption in zip(*columns, strict=True):
        peak = "+".join(marked.get(time_ms, ()))
        writer.writerow((f"{time_ms / 1000:.3f}", said, seen, peak, _cell(caption)))
    return held.getvalue()


def _cell(text: str) -> str:
    """The text as a table program takes it for a text, not for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def to_png(found: Unlike) -> bytes:
    """Both curves with their peaks, as a picture.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    try:
        from preprocess.plots import timeline
    except ModuleNotFoundError:
        raise MissingExtra(
            "PNG를 그리려면 matplotlib이 필요합니다: pip install -r requirements.txt",
            "drawing PNG needs matplotlib: pip install -r requirements.txt",
        ) from None
    curves = dict(zip(BY, (found.by_caption, found.by_features), strict=True))
    names = {"caption": "문장 (captions)", "features": "화면 (CNN features)"}
    lines = {
        names[by]: (curve, [(p.time_ms / 1000, p.score) for p in found.peaks if p.by == by])
        for by, curve in curves.items()
    }
    return timeline(lines, [t / 1000 for t in found.times_ms], found.video, found.options.metric)


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    more, defaults = parser.add_argument, UnlikeOptions()
    more("film", type=Path, metavar="FILM")
    more("--every", dest="every_ms", type=seconds, default=defaults.every_ms, metavar="1s",
         help="얼마마다 볼지 (how often to look)")  # fmt: skip
    more("--metric", choices=METRICS, default=defaults.metric, help="거리 (%(default)s)")
    more("--window", type=whole(1, 10_000), default=defaults.window, metavar="N",
         help="앞의 몇 순간과 견줄지 (%(default)s)")  # fmt: skip
    more("--out", type=Path, metavar="FOLDER", help="결과를 쓸 폴더 (영상 옆)")
    more("--overwrite", action="store_true", help="이미 있는 결과를 덮어씁니다")


def run(arguments: argparse.Namespace) -> int:
    """Writes FILM.unlike.json, .csv, .png and .html, and prints the peaks."""
    from model.captioner import Captioner
    from model.words import Words
    from preprocess.frames import probe
    from video.console import bar
    from video.subtitles import clock

    options = UnlikeOptions(arguments.every_ms, arguments.window, arguments.metric)
    media = probe(arguments.film)
    targets = _targets(arguments)
    captioner, words = Captioner.load(arguments.model), Words.load(arguments.model)
    with bar(media.path.name, media, quiet=False) as (reach, say):
        found = unlike(media, captioner, words, options, reach)
        for target in targets:
            write(found, target)
            say(str(target))
        for peak in found.peaks:
            say(f"{clock(peak.time_ms)}  {peak.by:8}  {peak.score:.2f}  {peak.caption}")
    return 0


def _targets(arguments: argparse.Namespace) -> list[Path]:
    folder = arguments.out or arguments.film.parent
    if not is_folder(folder):
        raise OutputError(
            f"폴더 '{folder}'이(가) 없습니다. 먼저 만드세요.",
            f"there is no folder '{folder}'. Make it first.",
        )
    targets = [folder / f"{arguments.film.stem}.unlike{suffix}" for suffix in FORMATS]
    for target in targets:
        check_free(target, arguments.overwrite)
    return targets


def write(found: Unlike, target: Path) -> None:
    """Writes one of FORMATS, by the target's suffix.

    Raises:
        OutputError: it cannot be written.
        MissingExtra: a PNG without matplotlib.
    """
    from video.scenes.chart import to_chart

    makers = {".json": to_json, ".csv": to_csv, ".html": to_chart}
    maker = makers.get(target.suffix)
    data = maker(found).encode() if maker else to_png(found)
    with whole_file(target) as part:
        part.write_bytes(data)


def _check(options: UnlikeOptions) -> None:
    usable = options.every_ms >= 1 and options.window >= 1 and options.metric in METRICS
    if not usable:
        raise SettingError(
            f"쓸 수 없는 설정입니다: {options}. every와 window는 1 이상, metric은 "
            f"{', '.join(METRICS)} 가운데 하나입니다.",
            f"unusable options: {options}. every and window are at least 1, metric is one of "
            f"{', '.join(METRICS)}.",
        )
