"""The morpheme cache: every caption through the tagger once, `tokens.jsonl` a line a sample."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import astuple, replace
from pathlib import Path

from tqdm import tqdm

from preprocess.korean import Morpheme, compose
from preprocess.records import Sample
from preprocess.tagger import Tagger

Sentences = tuple[tuple[Morpheme, ...], ...]


def analyse_all(
    out: Path, samples: Sequence[Sample], tagger: Tagger, name: str
) -> tuple[list[Sample], list[str]]:
    """Writes tokens.jsonl; the samples with only captions that come back, and those that do not.

    A caption whose morphemes do not spell it (compose(analyse(s)) != s) is left out.
    """
    known = _known(out / "tokens.jsonl", name)
    kept, losses = [], []
    with (out / "tokens.new").open("w", encoding="utf-8") as file:
        file.write(json.dumps({"tagger": name}) + "\n")
        for sample in tqdm(samples, desc=name, unit="장", disable=None):
            found = known.get(sample.key, {})
            for caption in sample.captions:
                if caption not in found:
                    found[caption] = tagger.analyse(caption)
            good = [c for c in sample.captions if _returns(c, found[c])]
            losses += [c for c in sample.captions if not _returns(c, found[c])]
            if good:
                kept.append(replace(sample, captions=tuple(good)))
                _write(file, sample.key, [(c, found[c]) for c in good])
    (out / "tokens.new").replace(out / "tokens.jsonl")
    return kept, losses


def read_morphemes(path: Path) -> Iterator[tuple[str, Sentences]]:
    """Key and analysed captions of each sample, in order."""
    with path.open(encoding="utf-8") as file:
        next(file)
        for line in file:
            row = json.loads(line)
            yield row["key"], tuple(tuple(Morpheme(*m) for m in s) for s in row["tokens"])


def _returns(caption: str, found: tuple[Morpheme, ...] | None) -> bool:
    return found is not None and compose(found) == caption


def _write(file: object, key: str, rows: list[tuple[str, tuple[Morpheme, ...] | None]]) -> None:
    tokens = [[astuple(m) for m in sentence or ()] for _, sentence in rows]
    print(json.dumps({"key": key, "tokens": tokens}, ensure_ascii=False), file=file)  # type: ignore[call-overload]


def _known(path: Path, name: str) -> dict[str, dict[str, tuple[Morpheme, ...] | None]]:
    """Captions analysed by an earlier, perhaps interrupted run with the same tagger."""
    for candidate in (path.with_suffix(".new"), path):
        if candidate.exists():
            lines = candidate.read_text(encoding="utf-8").split("\n")
            if lines[0] == json.dumps({"tagger": name}):
                return dict(_parsed(lines[1:-1]))
    return {}


def _parsed(lines: list[str]) -> Iterator[tuple[str, dict[str, tuple[Morpheme, ...] | None]]]:
    for line in lines:  # the last line may be cut: the caller leaves it out
        row = json.loads(line)
        sentences = [tuple(Morpheme(*m) for m in s) for s in row["tokens"]]
        yield row["key"], {compose(s): s for s in sentences}
