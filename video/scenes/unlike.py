"""`python -m video.scenes unlike FILM`: the moments that are unlike those just before them."""

import argparse
import csv
import io
import json
from dataclasses import asdict
from pathlib import Path

from preprocess.errors import MissingExtra, OutputError
from preprocess.files import check_result, is_folder, path_of, whole_file
from video.scenes.changes import BY, METRICS, Unlike, UnlikeOptions, unlike
from video.values import limits, seconds, whole

__all__ = ["ABOUT", "FORMATS", "Unlike", "UnlikeOptions", "add", "run", "unlike", "write"]

ABOUT = "앞과 달라지는 순간을 찾습니다. (Finds moments unlike those before them.)"
FORMATS = (".json", ".csv", ".png", ".html")


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
    more("film", type=path_of, metavar="FILM")
    more("--every", dest="every_ms", type=seconds, default=defaults.every_ms, metavar="1s",
         help="얼마마다 볼지 (how often to look)")  # fmt: skip
    more("--metric", choices=METRICS, default=defaults.metric, help="거리 (%(default)s)")
    more("--window", type=whole(1, 10_000), default=defaults.window, metavar="N",
         help="앞의 몇 순간과 견줄지 (%(default)s)")  # fmt: skip
    more("--out", type=path_of, metavar="FOLDER", help="결과를 쓸 폴더 (영상 옆)")
    more("--overwrite", action="store_true", help="이미 있는 결과를 덮어씁니다")


def run(arguments: argparse.Namespace) -> int:
    """Writes FILM.unlike.json, .csv, .png (with matplotlib) and .html, and prints the peaks."""
    from model.captioner import Captioner
    from model.words import Words
    from preprocess.frames import probe
    from video.console import bar
    from video.subtitles import clock

    options = UnlikeOptions(arguments.every_ms, arguments.window, arguments.metric)
    media = probe(arguments.film, limits(arguments))
    targets = _targets(arguments)
    captioner, words = Captioner.load(arguments.model), Words.load(arguments.model)
    with bar(media.path.name, media, quiet=False) as (reach, say):
        found = unlike(media, captioner, words, options, reach)
        for target in targets:
            try:
                write(found, target)
                say(str(target))
            except MissingExtra as missing:  # the rest is worth having
                say(missing.text(arguments.lang))
        for peak in found.peaks:
            by = _CURVES[arguments.lang][peak.by]
            say(f"{clock(peak.time_ms)}  {by}  {peak.score:.2f}  {peak.caption}")
        if not found.peaks:
            say(_EVEN[arguments.lang])
    return 0


_CURVES = {
    "ko": {"caption": "문장", "features": "화면"},
    "en": {"caption": "caption ", "features": "features"},
}
_EVEN = {"ko": "두드러지게 달라지는 순간이 없습니다.", "en": "No moment stands out."}


def _targets(arguments: argparse.Namespace) -> list[Path]:
    folder = arguments.out or arguments.film.parent
    if not is_folder(folder):
        raise OutputError(
            f"폴더 '{folder}'이(가) 없습니다. 먼저 만드세요.",
            f"there is no folder '{folder}'. Make it first.",
        )
    targets = [folder / f"{arguments.film.stem}.unlike{suffix}" for suffix in FORMATS]
    for target in targets:
        check_result(target, [arguments.film], arguments.overwrite)
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
    # Korean Excel takes a CSV for UTF-8 by its mark alone
    encoding = "utf-8-sig" if target.suffix == ".csv" else "utf-8"
    data = maker(found).encode(encoding) if maker else to_png(found)
    with whole_file(target) as part:
        part.write_bytes(data)
