"""Every caption as morphemes: `tokens.jsonl`, a line a sample."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from preprocess.files import whole_file
from preprocess.korean import Morpheme
from preprocess.morpheme_cache import MorphemeCache
from preprocess.records import Sample
from preprocess.tagger import Tagger
from preprocess.tagging import cut_all

Sentences = tuple[tuple[Morpheme, ...], ...]


def analyse_all(
    out: Path, samples: Sequence[Sample], tagger: Tagger, jobs: int = 1
) -> tuple[list[Sample], list[str]]:
    """Writes tokens.jsonl; the samples with only captions that come back, and those that do not.

    A caption whose morphemes do not spell it (compose(analyse(s)) != s) is left out. Every
    sentence is cut once, ever: `morphemes.sqlite` keeps what an earlier run has done.

    Args:
        out: the data folder.
        samples: whose captions are cut.
        tagger: what cuts them.
        jobs: in how many processes; the result does not depend on it.

    Raises:
        OutputError: the folder cannot be written.
        SettingError: a process died.
    """
    with MorphemeCache(out / "morphemes.sqlite", tagger) as cache:
        missing = cache.missing(c for sample in samples for c in sample.captions)
        bar = tqdm(total=len(missing), desc=tagger.name, unit="문장", disable=None)
        with bar, closing(cut_all(missing, tagger, jobs)) as cuts:
            cache.add(zip(missing, cuts, strict=True), bar.update)
        return _write(out / "tokens.jsonl", samples, cache, tagger.name)


def _write(
    path: Path, samples: Sequence[Sample], cache: MorphemeCache, name: str
) -> tuple[list[Sample], list[str]]:
    kept, losses = [], []
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write(json.dumps({"tagger": name}) + "\n")
        for sample in samples:
            found = {caption: cache.get(caption) for caption in sample.captions}
            good = {caption: cut for caption, cut in found.items() if cut is not None}
            losses += [caption for caption in found if caption not in good]
            if good:
                same = len(good) == len(sample.captions)
                kept.append(sample if same else replace(sample, captions=tuple(good)))
                key = json.dumps(sample.key, ensure_ascii=False)
                file.write(f'{{"key": {key}, "tokens": [{", ".join(good.values())}]}}\n')
    return kept, losses


def read_morphemes(path: Path) -> Iterator[tuple[str, Sentences]]:
    """Key and analysed captions of each sample, in order; equal morphemes are one in memory."""
    known: dict[tuple[str, str, bool], Morpheme] = {}
    with path.open(encoding="utf-8") as file:
        next(file)
        for line in file:
            row = json.loads(line)
            yield row["key"], tuple(tuple(_once(m, known) for m in s) for s in row["tokens"])


def _once(row: list[str | bool], known: dict[tuple[str, str, bool], Morpheme]) -> Morpheme:
    form, tag, spaced = row
    key = (str(form), str(tag), bool(spaced))
    if key not in known:
        known[key] = Morpheme(*key)
    return known[key]
