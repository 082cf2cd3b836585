"""What systems scored as a table for a terminal."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean, stdev

from model.report import COLUMNS, Row, ScoreReport

COSTS = ("million", "MB", "CPU ms")
SEED = re.compile(r"(.+)-\d+(, tilted .+)?")


def table(report: ScoreReport) -> str:
    """The figures, one row a system, what seeds come to in the mean, and rows of p-values."""
    names = [row.system.name for row in report.rows]
    means = [line for name, group in _seeds(report.rows).items() for line in _over(name, group)]
    width = max(map(_columns_wide, [*names, *(name for name, _ in means), "system"]))
    lines = [_line("system", (*COLUMNS, *COSTS), width)]
    lines += [_line(r.system.name, _figures(r.values()) + _costs(r), width) for r in report.rows]
    lines += [_line(name, _figures(values), width) for name, values in means]
    if report.p_values:
        lines += ["", f"p-value of '{names[-1]}' being ahead (paired bootstrap over pictures):"]
        for name, found in report.p_values.items():
            lines.append(_line(name, [f"{p:.3f}" for p in found.values()], width))
    return "\n".join([*lines, "", *(f"{c}: {text}" for c, text in report.signatures.items())])


def _figures(values: Mapping[str, float]) -> list[str]:
    places = {"CIDEr-D": 3, "distinct": 3}
    return [f"{value:.{places.get(column, 1)}f}" for column, value in values.items()]


def _seeds(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Systems whose names differ in a number at their end alone: NAME-0, NAME-1, ..."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if named := SEED.fullmatch(row.system.name):
            groups.setdefault(named[1] + (named[2] or ""), []).append(row)
    return {name: group for name, group in groups.items() if len(group) > 1}


def _over(name: str, group: Sequence[Row]) -> Iterator[tuple[str, dict[str, float]]]:
    """Mean and standard deviation (of a sample) of each column."""
    columns = {c: [row.values()[c] for row in group] for c in COLUMNS}
    yield f"{name}, mean of {len(group)}", {c: fmean(found) for c, found in columns.items()}
    yield f"{name}, sd", {c: stdev(found) for c, found in columns.items()}


def _costs(row: Row) -> list[str]:
    cost = row.system.cost
    if cost is None:  # a table of captions, not a network
        return ["-"] * len(COSTS)
    return [f"{cost.parameters / 1e6:.1f}", f"{cost.file_mb:.1f}", f"{cost.cpu_ms:.0f}"]


def _line(name: str, cells: Sequence[str], width: int) -> str:
    padding = " " * (width - _columns_wide(name))
    return "  ".join([name + padding, *(f"{cell:>8}" for cell in cells)])


def _columns_wide(text: str) -> int:
    """Width on a terminal: Hangul takes two columns."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
