"""The data report: what a data folder holds and what was left out, as tables."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from preprocess.captions import hangul_share
from preprocess.leaks import Twins
from preprocess.morphemes import Sentences
from preprocess.records import Sample
from preprocess.tally import Tally

CUTS = (1, 2, 5, 10, 20)  # least counts whose coverage is told
PARTS = {"median": 50, "95%": 95, "max": 100}  # percentiles of lengths


@dataclass(frozen=True, eq=False)
class Prepared:
    """What the report tells of.

    Attributes:
        samples: as they are written to the data folder.
        sentences: their morphemes, in the same order.
        tallies: what was dropped, by set.
        losses: captions that did not come back from their morphemes, by set.
        twins: samples that look nearly like another's picture.
    """

    samples: Sequence[Sample]
    sentences: Sequence[Sentences]
    tallies: Mapping[str, Tally]
    losses: Mapping[str, Sequence[str]]
    twins: Twins

    @property
    def captions(self) -> dict[str, list[str]]:
        """All captions by set."""
        found: dict[str, list[str]] = {}
        for sample in self.samples:
            found.setdefault(sample.source, []).extend(sample.captions)
        return found


def tables(prepared: Prepared) -> dict[str, pd.DataFrame]:
    """Every table of the report by its name."""
    samples, sentences = prepared.samples, prepared.sentences
    return {
        "contents": contents(samples, sentences),
        "lengths": lengths(prepared),
        "coverage": coverage(samples, sentences),
        "topics": topics(samples),
        "near_duplicates": near_duplicates(samples, prepared.twins),
        "losses": losses(prepared),
        "drops": drops(prepared.tallies),
    }


def contents(samples: Sequence[Sample], sentences: Sequence[Sentences]) -> pd.DataFrame:
    """Groups, samples, pictures, captions, morphemes a caption: a row for each set and split."""
    rows = [
        (s.source, s.split, s.group, len(s.shown), len(found), sum(map(len, found)))
        for s, found in zip(samples, sentences, strict=True)
    ]
    columns = ["set", "split", "group", "pictures", "captions", "morphemes"]
    frame = pd.DataFrame(rows, columns=columns)
    groups = frame.groupby(["set", "split"], sort=True)
    table = groups.agg(
        groups=("group", "nunique"), samples=("captions", "size"), pictures=("pictures", "sum"),
        captions=("captions", "sum"),
    )  # fmt: skip
    table["morphemes_a_caption"] = (groups["morphemes"].sum() / table["captions"]).round(1)
    return table.reset_index()


def lengths(prepared: Prepared) -> pd.DataFrame:
    """Words and letters of a caption, and the share of Hangul among its letters, a row a set."""
    rows = []
    for name, captions in sorted(prepared.captions.items()):
        words = [len(caption.split()) for caption in captions]
        spread = {f"words_{p}": int(np.percentile(words, at)) for p, at in PARTS.items()}
        shares = [hangul_share(caption) for caption in captions]
        rows.append(
            {
                "set": name,
                "captions": len(captions),
                "distinct": len(set(captions)),
                "words_mean": round(float(np.mean(words)), 1),
                **spread,
                "letters_mean": round(float(np.mean([len(c) for c in captions])), 1),
                "hangul_mean": round(float(np.mean(shares)), 3),
                "all_hangul": round(float(np.mean([share == 1 for share in shares])), 3),
            }
        )
    return pd.DataFrame(rows)


def coverage(samples: Sequence[Sample], sentences: Sequence[Sentences]) -> pd.DataFrame:
    """Vocabulary size and share of the training morphemes it covers, for several least counts."""
    counts = Counter(
        m for s, found in zip(samples, sentences, strict=True) if s.split == "train"
        for sentence in found for m in sentence
    )  # fmt: skip
    total = sum(counts.values()) or 1
    kept = [[n for n in counts.values() if n >= cut] for cut in CUTS]
    return pd.DataFrame(
        {
            "min_count": CUTS,
            "vocabulary": [len(k) for k in kept],
            "covered": [round(sum(k) / total, 4) for k in kept],
        }
    )


def topics(samples: Sequence[Sample]) -> pd.DataFrame:
    """Samples and captions of each place, genre or category, where sets tell one."""
    rows = [(s.source, s.topic, len(s.captions)) for s in samples if s.topic]
    frame = pd.DataFrame(rows, columns=["set", "topic", "captions"])
    table = frame.groupby(["set", "topic"], sort=True).agg(
        samples=("captions", "size"), captions=("captions", "sum")
    )
    whole = frame.groupby("set")["captions"].size()
    table["share"] = (table["samples"] / whole.reindex(table.index, level="set")).round(3)
    return table.reset_index().sort_values(
        ["set", "samples", "topic"], ascending=[True, False, True], ignore_index=True
    )


def near_duplicates(samples: Sequence[Sample], twins: Twins) -> pd.DataFrame:
    """Samples nearly equal to one of another film, clip or picture, and to one of another split.

    The latter leak: a test picture that was trained on flatters the score.
    """
    frame = pd.DataFrame(
        {
            "set": [s.source for s in samples],
            "near_duplicates": twins.anywhere,
            "across_splits": twins.leaking,
        }
    )
    groups = frame.groupby("set", sort=True)
    table = groups.sum()
    table.insert(0, "samples", groups.size())
    return table.reset_index()


def losses(prepared: Prepared) -> pd.DataFrame:
    """Captions that the tagger's morphemes do not spell, by set."""
    captions = prepared.captions
    rows = [
        (name, len(lost), round(len(lost) / (len(lost) + len(captions.get(name, []))), 4), lost[0])
        for name, lost in sorted(prepared.losses.items())
        if lost
    ]
    return pd.DataFrame(rows, columns=["set", "captions", "share", "example"])


def drops(tallies: Mapping[str, Tally]) -> pd.DataFrame:
    """What was left out of each set, why, how often, and an example."""
    rows = [
        (name, reason, count, tally.examples[reason][0])
        for name, tally in tallies.items()
        for reason, count in tally.dropped.most_common()
    ]
    return pd.DataFrame(rows, columns=["set", "reason", "count", "example"])
