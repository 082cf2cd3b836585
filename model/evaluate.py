"""`python -m model.evaluate CAPTIONER.kcap DATA`: how good the sentences are, and next to what."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from model import peers
from model.beam import BeamOptions
from model.captioner import DEFAULT, Captioner, Frames
from model.gist import HEDGE, PLAIN, HedgeOptions
from model.report import (
    ALARM,
    Cost,
    MecabBleu,
    References,
    ScoreReport,
    System,
    compare,
    names_of,
    write_json,
)
from model.storage import check_tagger
from model.table import table
from preprocess.augment import tilted
from preprocess.dataset import load
from preprocess.errors import DataError, exit_status
from preprocess.files import check_result
from preprocess.korean import forms
from preprocess.pictures import read_picture, shot
from preprocess.records import Sample
from preprocess.shards import open_features

CHUNK = 32  # samples captioned at once
BEAMS = 64  # at most
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Item:
    """A sample with the surfaces of its captions' morphemes, one tuple a caption."""

    sample: Sample
    tokens: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class DataSet:
    """A data folder written by `python -m preprocess`.

    Attributes:
        folder: where it lies.
        items: all samples with captions, in order.
        tagger: what made the morphemes.
        side: pictures were squeezed to side x side pixels.
    """

    folder: Path
    items: tuple[Item, ...]
    tagger: str
    side: int

    def select(self, split: str, name: str | None) -> list[Item]:
        """The samples of a split, of one merged set or of all.

        Raises:
            DataError: there are none.
        """
        chosen = [i for i in self.items if i.sample.split == split]
        chosen = [i for i in chosen if not name or i.sample.source == name]
        if not chosen:
            sets = ", ".join(sorted({i.sample.source for i in self.items}))
            raise DataError(
                f"'{self.folder}'에 세트 '{name or '전체'}'의 '{split}' 사진이 없습니다. "
                f"있는 세트: {sets}.",
                f"'{self.folder}' has no '{split}' pictures of set '{name or 'all'}'. "
                f"There are: {sets}.",
            )
        return chosen


def load_data(folder: Path) -> DataSet:
    """Reads a data folder, without its features.

    Raises:
        DataError: it is not whole.
    """
    data = load(folder, features=False)
    items = (Item(s, forms(found)) for s, found in zip(data.samples, data.sentences, strict=True))
    settings = data.settings
    return DataSet(folder, tuple(items), str(settings["tagger"]), int(settings["side"]))


def load_features(data: DataSet, items: Sequence[Item]) -> npt.NDArray[np.float32]:
    """The samples' CNN features, mean-pooled: float32 (len(items), D) of length 1.

    Raises:
        DataError: the cache is not whole, or not of these samples.
    """
    try:
        keys, features = open_features(data.folder / "features")
        rows = {key: row for row, key in enumerate(keys)}
        wanted = [rows[item.sample.key] for item in items]
        chunks = (
            wanted[i : i + peers.ROWS_AT_ONCE] for i in range(0, len(items), peers.ROWS_AT_ONCE)
        )
        # view 0 is the upright one
        return np.concatenate([peers.pool(features[chunk, 0]) for chunk in chunks])
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise DataError(
            f"'{data.folder}'의 CNN 특징을 읽을 수 없습니다 ({reason}). "
            "`python -m preprocess`로 다시 만드세요.",
            f"the features of '{data.folder}' cannot be read ({reason}). "
            "Make them again with `python -m preprocess`.",
        ) from None


def captioned(
    name: str,
    captioner: Captioner,
    items: Sequence[Item],
    side: int,
    on_progress: Progress = lambda done, total: None,
    tilt: float = 0.0,
) -> System:
    """What a captioner says of the pictures themselves, a chunk at a time; tilt in degrees.

    Raises:
        DataError: a picture cannot be read; fewer pictures would be another test.
    """
    texts: list[str] = []
    tokens: list[tuple[str, ...]] = []
    for start in range(0, len(items), CHUNK):
        chunk = items[start : start + CHUNK]
        for caption in captioner.caption_many([_frames(i.sample, side, tilt) for i in chunk]):
            texts.append(caption.text)
            tokens.append(tuple(caption.morphemes))
        on_progress(len(texts), len(items))
    return System(name, tuple(texts), tuple(tokens))


def _frames(sample: Sample, side: int, tilt: float = 0.0) -> Frames:
    pictures = [read_picture(Path(path)) for path in sample.shown]
    return shot([tilted(picture, tilt) if tilt else picture for picture in pictures], side)


def peer_systems(data: DataSet, train: Sequence[Item], test: Sequence[Item]) -> Iterator[System]:
    """Most frequent caption, nearest neighbour and consensus of 60 neighbours."""
    captions = [item.tokens for item in train]
    features, queries = load_features(data, train), load_features(data, test)
    often = peers.most_frequent(captions)
    yield _chosen("most frequent", train, [often] * len(test))
    yield _chosen("nearest neighbour", train, peers.nearest_neighbour(features, queries))
    yield _chosen("consensus kNN k=60", train, peers.consensus(features, captions, queries, k=60))


def _chosen(name: str, train: Sequence[Item], choices: Sequence[peers.Choice]) -> System:
    texts = tuple(train[c.picture].sample.captions[c.caption] for c in choices)
    return System(name, texts, tuple(train[c.picture].tokens[c.caption] for c in choices))


def open_captioner(path: Path, beam: int | None, hedge: HedgeOptions = PLAIN) -> Captioner:
    """The captioner, searching with another beam width where one is given.

    Raises:
        CaptionerFileError: the file cannot be used.
        SettingError: the beam width cannot be used.
    """
    return Captioner.load(path, BeamOptions(beam=beam) if beam is not None else DEFAULT, hedge)


def evaluate(arguments: argparse.Namespace) -> ScoreReport:
    """Captions the chosen pictures with every system asked for and scores them side by side.

    Raises:
        SettingError: a captioner learned the morphemes of another tagger.
    """
    models = list(_models(arguments))
    data = load_data(arguments.data)
    for _, path, model in models:
        check_tagger(path, model.about, data.tagger)
    test = data.select(arguments.split, arguments.set)
    systems: list[System] = []
    if arguments.peers:
        systems += peer_systems(data, data.select("train", arguments.set), test)
    for name, path, model in models:
        began = time.process_time()
        system = captioned(name, model, test, data.side, _progress, arguments.tilt)
        cpu_ms = 1000 * (time.process_time() - began) / len(test)
        cost = Cost(model.parameters, path.stat().st_size / 1e6, cpu_ms)
        systems.append(replace(system, cost=cost))
    references = References(
        tuple(i.sample.key for i in test),
        tuple(i.sample.captions for i in test),
        tuple(i.tokens for i in test),
    )
    return compare(systems, references, data.tagger, arguments.split)


def _models(arguments: argparse.Namespace) -> Iterator[tuple[str, Path, Captioner]]:
    """Name, file and captioner of all that are asked for, the one in question last."""
    asked = [(name, path, PLAIN) for name, path in names_of(arguments.beside).items()]
    if arguments.show_and_tell:
        asked.append(("Show-and-Tell", arguments.show_and_tell, PLAIN))
    if arguments.hedged:
        asked.append(("as films get it", arguments.captioner, HEDGE))
    asked.append(("this captioner", arguments.captioner, PLAIN))
    tilted = f", tilted {arguments.tilt:g}°" if arguments.tilt else ""
    for name, path, hedge in asked:
        yield name + tilted, path, open_captioner(path, arguments.beam, hedge)


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done}/{total}", end="\n" if done == total else "", file=sys.stderr, flush=True)


def degrees(text: str) -> float:
    """An angle as argparse reads it.

    Raises:
        ValueError: it is no number from -180 to 180.
    """
    found = float(text)
    if not -180 <= found <= 180:
        raise ValueError(text)
    return found


def beams(text: str) -> int:
    """A beam width as argparse reads it; what is wider fills memory and says nothing better.

    Raises:
        ArgumentTypeError: it is no whole number from 1 to 64.
    """
    if not text.isdecimal() or not 1 <= int(text) <= BEAMS:
        raise argparse.ArgumentTypeError(f"{text!r}: 1 ... {BEAMS}")
    return int(text)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(
        prog="python -m model.evaluate",
        description="캡션 모델을 사람이 쓴 문장과 견주어 점수를 매깁니다. "
        "(Scores a captioner against what people wrote.)",
    )
    add = p.add_argument
    add("captioner", type=Path, metavar="CAPTIONER.kcap")
    add("data", type=Path, metavar="DATA", help="python -m preprocess가 만든 폴더 (data folder)")
    add("--split", choices=("test", "val", "train"), default="test", help="기본 %(default)s")
    add("--set", metavar="NAME", help="합친 세트 중 하나만, 예: flickr8k-ko (one merged set only)")
    add("--peers", action="store_true", help="학습 없는 방법과 비교 (baselines without a decoder)")
    add("--show-and-tell", type=Path, metavar="OTHER.kcap", help="어텐션 없는 모델과 비교")
    add("--beside", type=Path, nargs="+", default=[], metavar="KCAP", help="다른 모델들과도 비교")
    add("--hedged", action="store_true", help="자신 없을 때 넓게 말하는 것도 (hedged ones too)")
    add("--tilt", type=degrees, default=0.0, metavar="DEG", help="기울인 사진 (tilted pictures)")
    add("--beam", type=beams, metavar="N", help="빔 폭 (beam width)")
    add("--json", type=Path, metavar="FILE", help="점수와 모든 문장을 저장 (scores and sentences)")
    add("--overwrite", action="store_true", help="이미 있는 --json 파일을 덮어씁니다")
    add("--lang", choices=("ko", "en"), default="ko", help="메시지의 언어 (language of messages)")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the exit status."""
    arguments = parser().parse_args(argv)
    return exit_status(lambda: _run(arguments), "evaluate", arguments.lang)


def _run(arguments: argparse.Namespace) -> None:
    if arguments.json:
        models = [arguments.captioner, arguments.show_and_tell, *arguments.beside]
        inputs = [*filter(None, models), *arguments.data.rglob("*")]
        check_result(arguments.json, inputs, arguments.overwrite, "--json")
    names_of(arguments.beside)
    MecabBleu([[""]])  # its packages are missed now, not after hours
    report = evaluate(arguments)
    if arguments.json:  # whoever reads the table may leave
        write_json(arguments.json, report)
    print(table(report))
    for name in report.alarms():
        print(f"경고 (alarm): '{name}' 거의 같은 문장만 말합니다; distinct < {ALARM}")


if __name__ == "__main__":
    sys.exit(main())
