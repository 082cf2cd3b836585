"""`python -m model.judge`: people judge sentences without knowing whose they are.

`draw` writes a page of pictures with shuffled sentences and a table to fill in; `count` reads the
filled table, tells whose each sentence was, and prints shares. The rubric is RUBRIC. In the table
that it writes only the first system's sentences stand: the others' may be people's.
"""

import argparse
import base64
import csv
import html
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from string import ascii_uppercase

import cv2
import numpy as np

from model.report import PEOPLE, Scored, read_scores
from preprocess.dataset import load
from preprocess.errors import DataError, exit_status
from preprocess.files import check_free, check_result, make_folder, whole_file
from preprocess.pictures import read_picture

RUBRIC = {
    "right": "모두 사진에 보이고, 가장 중요한 것을 말한다 (all of it is seen, and what matters is)",
    "generic": "모두 맞지만 중요한 것이 빠졌다 (true, but what matters most is left out)",
    "partly": "중심은 맞고 수, 색, 성별, 동작, 장소 가운데 하나쯤 틀리다 (one detail is wrong)",
    "wrong": "중심이 되는 것이나 일이 틀리다, 또는 말이 안 된다 (the main thing is wrong)",
}
WIDE = 360  # pixels of a picture on the page
Verdicts = Mapping[tuple[str, str], tuple[str, str]]  # (verdict, reason) by (picture, letter)
COLUMNS = ("picture", "letter", "sentence", "verdict", "reason")


@dataclass(frozen=True)
class Card:
    """One sentence to judge: of which picture, under which letter, and whose it is."""

    picture: str
    letter: str
    sentence: str
    system: str


def cards(scored: Scored, systems: Sequence[str], count: int, seed: int) -> list[Card]:
    """The same cards every time: `count` pictures, the systems' sentences and one of people's.

    Which pictures depends on their names and the seed alone, so they can be fixed before there
    is anything to judge.

    Raises:
        DataError: a system is not in the scores, or nobody wrote of a picture.
    """
    unknown = [name for name in systems if name not in scored.sentences]
    if unknown:
        known = ", ".join(scored.sentences)
        raise DataError(
            f"'{unknown[0]}'의 문장이 없습니다. 있는 것: {known}.",
            f"there are no sentences of '{unknown[0]}'. There are: {known}.",
        )
    random = np.random.default_rng(seed)
    chosen = random.permutation(sorted(scored.references))[:count]
    found = []
    for picture in map(str, chosen):
        said = [(name, scored.sentences[name][picture]) for name in systems]
        written = scored.references[picture]
        if not written:
            raise DataError(
                f"'{picture}'에는 사람이 쓴 문장이 없습니다. 있는 사진으로 점수를 매기세요.",
                f"nobody wrote a sentence for '{picture}'. Score pictures that have some.",
            )
        said.append((PEOPLE, written[int(random.integers(len(written)))]))
        order = random.permutation(len(said))
        for letter, place in zip(ascii_uppercase, order, strict=False):
            found.append(Card(picture, letter, said[place][1], said[place][0]))
    return found


def write_sheet(folder: Path, drawn: Sequence[Card], files: Mapping[str, Path]) -> None:
    """sheet.html to look at, sheet.tsv to fill in; neither says whose a sentence is."""
    by_picture: dict[str, list[Card]] = {}
    for card in drawn:
        by_picture.setdefault(card.picture, []).append(card)
    rules = "".join(f"<li><b>{name}</b>: {html.escape(text)}</li>" for name, text in RUBRIC.items())
    if lost := [name for name in by_picture if name not in files]:
        raise DataError(
            f"--data에 '{lost[0]}'의 사진이 없습니다. 점수를 낸 데이터 폴더를 주세요.",
            f"--data has no picture '{lost[0]}'. Give the data folder that was scored.",
        )
    make_folder(folder)
    bodies = "".join(_figure(name, of, files[name]) for name, of in by_picture.items())
    page = f"<!doctype html><meta charset=utf-8><title>judge</title><ul>{rules}</ul>{bodies}\n"
    with whole_file(folder / "sheet.tsv") as part:
        write_table(part, [(c.picture, c.letter, c.sentence, "", "") for c in drawn], COLUMNS)
    with whole_file(folder / "sheet.html") as part:
        part.write_text(page, encoding="utf-8")


def _figure(name: str, of: Sequence[Card], file: Path) -> str:
    picture = read_picture(file)
    size = (WIDE, max(1, round(WIDE * picture.shape[0] / picture.shape[1])))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    coded = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR))[1].tobytes()
    data = base64.b64encode(coded).decode()
    lines = "".join(f"<li>{c.letter}. {html.escape(c.sentence)}</li>" for c in of)
    return (
        f'<figure><img alt="{html.escape(name)}" src="data:image/jpeg;base64,{data}">'
        f"<figcaption>{html.escape(name)}<ul>{lines}</ul></figcaption></figure>"
    )


def write_table(path: Path, rows: Sequence[Sequence[str]], columns: Sequence[str]) -> None:
    """A tab-separated table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerows([columns, *rows])


def read_verdicts(path: Path, drawn: Sequence[Card]) -> Verdicts:
    """What a filled table says of the cards.

    Raises:
        DataError: the table is not the one of these cards, or a verdict is none of the rubric.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", restval=""))
        if any("\n" in field or "\t" in field for row in rows for field in row.values()):
            raise ValueError("a field goes over lines: is a quotation mark left open?")
        found = {(r["picture"], r["letter"]): r for r in rows}
        sentences = {key: row["sentence"] for key, row in found.items()}
        judged = {key: (row["verdict"] or "", row["reason"] or "") for key, row in found.items()}
    except UnicodeError:
        raise DataError(
            f"판정표 '{path}'이(가) UTF-8이 아닙니다. UTF-8(탭으로 나눈 텍스트)로 저장하세요.",
            f"the table '{path}' is not UTF-8. Save it as UTF-8, separated by tabs.",
        ) from None
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise _unusable(path, f"{type(error).__name__}: {error}") from None
    if not found:
        raise _unusable(path, "0")
    if len(found) < len(rows):
        twice, _ = Counter((r["picture"], r["letter"]) for r in rows).most_common(1)[0]
        raise _unusable(path, f"2 x {' '.join(twice)}")
    known = {(c.picture, c.letter): c.sentence for c in drawn}
    for key, sentence in sentences.items():
        if known.get(key) != sentence:
            raise _unusable(path, f"{' '.join(key)}: {sentence}")
        if judged[key][0] not in RUBRIC:
            raise _unusable(path, f"{' '.join(key)}: '{judged[key][0]}'")
    return judged


def _unusable(path: Path, what: str) -> DataError:
    return DataError(
        f"판정표 '{path}'을(를) 쓸 수 없습니다 ({what}). 같은 점수와 씨앗으로 만든 sheet.tsv에 "
        f"{', '.join(RUBRIC)} 가운데 하나를 적으세요.",
        f"the table '{path}' cannot be used ({what}). Fill the sheet.tsv of the same scores and "
        f"seed with one of {', '.join(RUBRIC)}.",
    )


def shares(drawn: Sequence[Card], judged: Verdicts) -> str:
    """A line a system: how many of its judged sentences got which verdict, in percent."""
    votes: dict[str, Counter[str]] = {}
    for card in drawn:
        if verdict := judged.get((card.picture, card.letter)):
            votes.setdefault(card.system, Counter())[verdict[0]] += 1
    lines = []
    for system, counted in sorted(votes.items()):
        total = counted.total()
        parts = ", ".join(f"{name} {100 * counted[name] / total:.1f} %" for name in RUBRIC)
        lines.append(f"{system} ({total}): {parts}")
    return "\n".join(lines)


def agreement(one: Verdicts, two: Verdicts) -> str:
    """How often two passes agree, and Cohen's kappa (Cohen 1960), over what both judged."""
    both = [(one[key][0], two[key][0]) for key in two if key in one]
    same = sum(a == b for a, b in both) / len(both)
    firsts, seconds = Counter(a for a, _ in both), Counter(b for _, b in both)
    chance = sum(firsts[name] * seconds[name] for name in RUBRIC) / len(both) ** 2
    kappa = (same - chance) / (1 - chance) if chance < 1 else 1.0
    return f"agreement over {len(both)} sentences: {100 * same:.1f} %, kappa {kappa:.2f}"


def _from(text: str, least: int) -> int:
    """A whole number from `least` on, as argparse reads it."""
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r}: {least}, {least + 1}, ...")
    return int(text)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(
        prog="python -m model.judge",
        description="누구의 문장인지 모르고 판정하게 합니다. (A blind reading of sentences.)",
    )
    add = p.add_argument
    add("scores", type=Path, metavar="SCORES.json", help="model.evaluate --json의 결과")
    add("--data", type=Path, help="그리기: 사진이 든 데이터 폴더 (draw: the data folder)")
    add("--out", type=Path, required=True, help="그리기: 폴더, 세기: 판정표 (folder, or table)")
    add("--sheet", type=Path, help="세기: 채운 sheet.tsv (count: the filled table)")
    add("--again", type=Path, help="세기: 두 번째로 채운 표 (a second pass)")
    add("--systems", nargs="+", default=["this captioner", "consensus kNN k=60"], metavar="NAME")
    add("--count", type=partial(_from, least=1), default=200, help="사진 수 (%(default)s)")
    add("--seed", type=partial(_from, least=0), default=20261121,
        help="사진과 순서를 정하는 씨앗 (%(default)s)")  # fmt: skip
    add("--overwrite", action="store_true", help="이미 있는 판정표를 덮어씁니다")
    add("--lang", choices=("ko", "en"), default="ko", help="메시지의 언어")
    return p


def _draw(arguments: argparse.Namespace, drawn: Sequence[Card]) -> None:
    samples = load(arguments.data, features=False).samples
    files = {sample.key: Path(sample.pictures[0]) for sample in samples}
    for name in ("sheet.tsv", "sheet.html"):  # the first may be half filled in
        check_free(arguments.out / name, arguments.overwrite)
    write_sheet(arguments.out, drawn, files)
    pictures = len({card.picture for card in drawn})
    if pictures < arguments.count:
        print(_ALL[arguments.lang].format(pictures))
    print(arguments.out / "sheet.html")


_ALL = {"ko": "점수에 있는 사진은 {}장이 모두입니다.", "en": "{} pictures are all there are."}


def _count(arguments: argparse.Namespace, drawn: Sequence[Card]) -> None:
    inputs = [arguments.scores, arguments.sheet, *filter(None, [arguments.again])]
    check_result(arguments.out, inputs, arguments.overwrite)
    judged = read_verdicts(arguments.sheet, drawn)
    again = read_verdicts(arguments.again, drawn) if arguments.again else {}
    if arguments.again and not again.keys() & judged.keys():
        raise _unusable(arguments.again, f"!= {arguments.sheet}")
    own = arguments.systems[0]  # what people wrote is theirs: only ids and verdicts are passed on
    rows = [
        (c.picture, c.system, c.sentence * (c.system == own), *judged[c.picture, c.letter])
        for c in drawn
        if (c.picture, c.letter) in judged
    ]
    with whole_file(arguments.out) as part:
        write_table(part, rows, ("picture", "system", "sentence", "verdict", "reason"))
    print(shares(drawn, judged))
    if again:
        print(agreement(judged, again))


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the exit status."""
    p = parser()
    arguments = p.parse_args(argv)
    if bool(arguments.data) == bool(arguments.sheet):
        p.error("--data (to draw) or --sheet (to count), one of them")
    if arguments.again and not arguments.sheet:
        p.error("--again goes with --sheet (to count)")
    return exit_status(lambda: _run(arguments), "judge", arguments.lang)


def _run(arguments: argparse.Namespace) -> None:
    scored = read_scores(arguments.scores)
    drawn = cards(scored, arguments.systems, arguments.count, arguments.seed)
    (_draw if arguments.data else _count)(arguments, drawn)


if __name__ == "__main__":
    sys.exit(main())
