"""`python -m video.gallery FILM...`: every shot of many films beside its sentence, to look at.

Writes one contact sheet a film. With a data folder, films are composed first from test photos
that people described with the given words, with pans, zooms and cuts, so that a captioner can
be seen on things that the films at hand do not show.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from model.captioner import Captioner
from preprocess.dataset import Dataset, load
from preprocess.errors import DataError, SettingError, exit_status
from preprocess.files import check_free, make_folder, whole_file
from preprocess.frames import probe
from preprocess.pictures import Picture
from preprocess.records import Sample
from video.demo import Move, compose
from video.fonts import hangul_font
from video.lines import wrap
from video.pipeline import PipelineOptions
from video.shots import find_shots
from video.subtitles import clock

TOPICS = ("컴퓨터", "책상", "고양이", "밤", "도로", "부엌", "군중", "음식")
PHOTOS = 6  # of a composed film
ACROSS, CELL, LINES = 4, (320, 180), 3  # cells a row, pixels of a frame, lines of text under it
LINE = 22  # pixels


@dataclass(frozen=True, eq=False)
class Cell:
    """A shot in a sheet: its middle frame, and what is said of it."""

    frame: Picture
    text: str


def seen(film: Path, captioner: Captioner) -> Iterator[Cell]:
    """Every shot of a film with its sentence; equal neighbours are not merged.

    Raises:
        VideoError: the film cannot be read.
    """
    for shot in find_shots(probe(film), PipelineOptions().shots):
        caption = captioner.caption(shot.frames)
        unsure = "~" if caption.general else ""
        head = f"{clock(shot.shot.start_ms)}  {unsure}{caption.confidence:.2f}"
        middle = shot.frames[len(shot.frames) // 2]
        yield Cell(middle, f"{head}\n{wrap(caption.text)}")


def sheet(cells: Sequence[Cell]) -> Image.Image:
    """The cells as one picture, row by row."""
    width, height = CELL[0], CELL[1] + LINES * LINE
    rows = -(-len(cells) // ACROSS)
    page = Image.new("RGB", (width * min(ACROSS, len(cells)), height * rows), "white")
    draw = ImageDraw.Draw(page)
    font = ImageFont.truetype(str(hangul_font().path), LINE * 3 // 4)
    for number, cell in enumerate(cells):
        left, top = number % ACROSS * width, number // ACROSS * height
        small = Image.fromarray(np.ascontiguousarray(cell.frame))
        small.thumbnail(CELL)
        page.paste(small, (left, top))
        draw.multiline_text((left + 4, top + CELL[1]), cell.text, "black", font, spacing=2)
    return page


def photo_films(data: Dataset, topics: Iterable[str], folder: Path) -> Iterator[Path]:
    """Composes a film a topic of test photos, none of them twice.

    Raises:
        DataError: no test photo was described with a topic.
    """
    for topic, found in list(_chosen(data, topics)):  # all of them, before the first is composed
        film = folder / f"photos-{topic}.mp4"
        compose(film, [_move(i, Path(s.pictures[0])) for i, s in enumerate(found)])
        yield film


def _chosen(data: Dataset, topics: Iterable[str]) -> Iterator[tuple[str, list[Sample]]]:
    used: set[str] = set()
    for topic in topics:
        found = [
            s for s in data.samples
            if s.split == "test" and s.key not in used and _about(s.captions, topic)
        ][:PHOTOS]  # fmt: skip
        if not found:
            raise DataError(
                f"'{topic}'(이)라고 적힌 test 사진이 없습니다. --topics를 바꾸세요.",
                f"no test photo is described with '{topic}'. Give other --topics.",
            )
        used |= {sample.key for sample in found}
        yield topic, found


def _about(captions: Sequence[str], topic: str) -> bool:
    """Most of the sentences have a word that begins with the topic: 밤 in 밤에, not in 알밤."""
    hits = sum(any(word.startswith(topic) for word in c.split()) for c in captions)
    return 2 * hits > len(captions)


def _move(number: int, photo: Path) -> Move:
    """Left to right, right to left, nearer, farther, in turn."""
    across = ((0.1, 0.4), (0.9, 0.4)) if number % 2 else ((0.9, 0.5), (0.1, 0.5))
    zoom = ((1.0, 1.15), (1.15, 1.0), (1.1, 1.1))[number % 3]
    return Move(str(photo.absolute()), *across, zoom)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(
        prog="python -m video.gallery",
        description="여러 영상의 장면과 문장을 한눈에 봅니다. (Contact sheets of captioned films.)",
    )
    add = p.add_argument
    add("films", nargs="*", type=Path, metavar="FILM")
    add("--out", type=Path, default=Path("build/gallery"), help="폴더 (%(default)s)")
    add("--model", type=Path, default=Path(__file__).parents[1] / "model" / "default.kcap")
    add("--data", type=Path, help="test 사진으로 영상을 만들 데이터 폴더 (data folder)")
    add("--overwrite", action="store_true", help="이미 있는 결과를 덮어씁니다")
    add("--topics", nargs="+", default=TOPICS, metavar="WORD", help="그 사진들의 주제")
    add("--lang", choices=("ko", "en"), default="ko", help="메시지의 언어")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the exit status."""
    arguments = parser().parse_args(argv)
    return exit_status(lambda: _run(arguments), "gallery", arguments.lang)


def _run(arguments: argparse.Namespace) -> int:
    """The work; a film that cannot be read does not stop the others."""
    films: list[Path] = list(arguments.films)
    _check(arguments)
    captioner = Captioner.load(arguments.model)
    data = load(arguments.data, features=False) if arguments.data else None
    make_folder(arguments.out)
    if data:
        for topic in arguments.topics:
            check_free(arguments.out / f"photos-{topic}.mp4", arguments.overwrite)
        films += photo_films(data, arguments.topics, arguments.out)
    statuses = []
    for film in films:
        work = partial(_write, film, captioner, arguments)
        statuses.append(exit_status(work, "gallery", arguments.lang))
        if statuses[-1] > 1:  # Ctrl-C
            break
    return max(statuses, default=0)


def _check(arguments: argparse.Namespace) -> None:
    """Refuses before any work what would come to nothing."""
    if not (arguments.films or arguments.data):
        raise SettingError(
            "영상이나 --data를 주세요: make gallery FILMS=영상.mp4",
            "give films or --data: make gallery FILMS=film.mp4",
        )
    stems = Counter(film.stem for film in arguments.films)
    stem, times = max(stems.items(), key=lambda one: one[1], default=("", 0))
    if times > 1:
        raise SettingError(
            f"'{stem}'이라는 영상이 {times}개입니다. 따로 만들거나 이름을 바꾸세요.",
            f"{times} films are called '{stem}'. Make their sheets apart, or rename them.",
        )


def _write(film: Path, captioner: Captioner, arguments: argparse.Namespace) -> None:
    target = arguments.out / f"{film.stem}.gallery.png"
    check_free(target, arguments.overwrite)
    page = sheet(list(seen(film, captioner)))
    with whole_file(target) as part:
        page.save(part, "PNG")
    print(target)


if __name__ == "__main__":
    sys.exit(main())
