"""The data report: what a data folder holds, as tables."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from preprocess.coco import Report
from preprocess.morphemes import Sentences
from preprocess.records import Sample

CUTS = (1, 2, 5, 10, 20)  # least counts whose coverage is told


def contents(samples: Sequence[Sample], sentences: Sequence[Sentences]) -> pd.DataFrame:
    """Pictures, captions and morphemes a caption, a row for each set and split."""
    rows = [
        (s.source, s.split, len(found), sum(map(len, found)))
        for s, found in zip(samples, sentences, strict=True)
    ]
    frame = pd.DataFrame(rows, columns=["set", "split", "captions", "morphemes"])
    groups = frame.groupby(["set", "split"], sort=True)
    table = groups.agg(pictures=("captions", "size"), captions=("captions", "sum"))
    table["morphemes_a_caption"] = (groups["morphemes"].sum() / table["captions"]).round(1)
    return table.reset_index()


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


def drops(reports: Mapping[str, Report]) -> pd.DataFrame:
    """What was left out of each caption file, why, how often, and an example."""
    rows = [
        (Path(source).parent.name, reason, count, report.examples[reason][0])
        for source, report in reports.items()
        for reason, count in report.dropped.most_common()
    ]
    return pd.DataFrame(rows, columns=["set", "reason", "count", "example"])
