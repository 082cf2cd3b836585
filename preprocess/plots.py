"""The only file that imports matplotlib: panels of curves and bars, as pictures and as SVG."""

import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOUR = "#3b6ea5"
SIZE = (6, 3.2)  # inches of a panel
MOST = 24  # bars of one figure


def panels(count: int, size: tuple[float, float] = SIZE) -> tuple[Figure, list[Axes]]:
    """A figure of `count` panels side by side, each of a size in inches."""
    figure = Figure(figsize=(size[0] * count, size[1]), layout="constrained")
    return figure, list(figure.subplots(1, count, squeeze=False)[0])


def bars(heights: Mapping[str, float], title: str, label: str) -> str:
    """Named bars, the first at the top, as SVG; past MOST the rest is left out."""
    shown = list(heights.items())[:MOST]
    names = [name if len(name) <= 40 else name[:39] + "…" for name, _ in shown]
    with _styled():
        figure, (axes,) = panels(1, (6, 0.9 + 0.28 * len(shown)))
        drawn = axes.barh(range(len(shown)), [height for _, height in shown], color=COLOUR)
        axes.bar_label(drawn, fmt="{:,.10g}", padding=3, fontsize=8)
        axes.set_yticks(range(len(shown)), names)
        axes.set(title=title, xlabel=label)
        axes.margins(x=0.15)
        axes.invert_yaxis()
        return _svg(figure, axes)


def histogram(values: Mapping[str, Sequence[int]], title: str, label: str) -> str:
    """How often each number occurs, a line for each name, as SVG; shares, so that sets compare."""
    with _styled():
        figure, (axes,) = panels(1)
        for name, numbers in values.items():
            counts = np.bincount(np.asarray(numbers, int))
            axes.plot(range(len(counts)), 100 * counts / max(1, len(numbers)), label=name)
        axes.set(title=title, xlabel=label, ylabel="%", ylim=(0, None))
        axes.locator_params(axis="x", integer=True)
        if len(values) > 1:
            axes.legend(fontsize=8)
        return _svg(figure, axes)


def curve(points: Sequence[tuple[float, float]], title: str, labels: tuple[str, str]) -> str:
    """One line through points (x, y), each of them marked, as SVG."""
    with _styled():
        figure, (axes,) = panels(1)
        axes.plot([x for x, _ in points], [y for _, y in points], marker="o", color=COLOUR)
        axes.set(title=title, xlabel=labels[0], ylabel=labels[1])
        return _svg(figure, axes)


def timeline(
    lines: Mapping[str, tuple[Sequence[float], Sequence[tuple[float, float]]]],
    times: Sequence[float],
    title: str,
    label: str,
) -> bytes:
    """Curves over time, one under another, as PNG.

    Args:
        lines: by name, the curve's heights and the points (s, height) marked on it.
        times: of the heights, in seconds.
        title: of the whole.
        label: of the heights.
    """
    with _styled():
        figure = Figure(figsize=(2 * SIZE[0], SIZE[1] * len(lines)), layout="constrained")
        figure.suptitle(title)
        rows = figure.subplots(len(lines), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (name, (heights, marks)) in zip(rows, lines.items(), strict=True):
            axes.plot(times, heights, color=COLOUR)
            axes.plot([x for x, _ in marks], [y for _, y in marks], "v", color="#b00020")
            axes.set(title=name, xlabel="s", ylabel=label, ylim=(0, None))
            axes.grid(alpha=0.3)
            axes.spines[["top", "right"]].set_visible(False)
        held = io.BytesIO()
        figure.savefig(held, format="png", dpi=100, metadata={"Software": None})
        return held.getvalue()


@contextmanager
def _styled() -> Iterator[None]:
    """Text stays text, for the browser to write; names are names, not formulas."""
    style: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": "report",
        "text.parse_math": False,
        "font.family": _families(),
    }
    with mpl.rc_context(style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # the browser has fonts of its own
        yield


def _svg(figure: Figure, axes: Axes) -> str:
    """The figure as SVG, letter for letter the same for the same figure."""
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    held = io.StringIO()
    figure.savefig(held, format="svg", metadata={"Date": None, "Creator": None})
    return held.getvalue()[held.getvalue().index("<svg") :]


def _families() -> list[str]:
    """Noto Sans KR first, where it is installed: it knows how wide Hangul is."""
    spec = find_spec("pylopdf_fonts_ko")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(folder).rglob("NotoSansKR-Regular.otf")):
            if not any(font.fname == str(path) for font in font_manager.fontManager.ttflist):
                font_manager.fontManager.addfont(str(path))
            return ["Noto Sans KR", "DejaVu Sans"]
    return ["DejaVu Sans"]
