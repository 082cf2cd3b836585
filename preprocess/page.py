"""The data report as one HTML page: tables and drawings, nothing from anywhere else."""

from collections.abc import Mapping
from html import escape

import pandas as pd

from preprocess.plots import bars, curve, histogram
from preprocess.report import Prepared

STYLE = """
body { font: 15px/1.5 system-ui, "Noto Sans KR", "Malgun Gothic", sans-serif; color: #222;
       max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #ddd; }
table { border-collapse: collapse; margin: 1rem 0; font-size: 13px; }
td, th { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #eee; }
td:first-child, th:first-child, td.text { text-align: left; }
svg { max-width: 100%; height: auto; }
.bad { color: #b00020; }
"""
TITLES = {
    "contents": "담긴 것 (contents)",
    "lengths": "문장의 길이와 한글 (lengths, Hangul)",
    "coverage": "어휘 (vocabulary coverage)",
    "topics": "장소와 갈래 (places, genres)",
    "near_duplicates": "거의 같은 사진 (near-duplicates)",
    "losses": "형태소에서 되돌아오지 않은 문장 (round-trip losses)",
    "drops": "버린 것 (drops)",
}


def page(prepared: Prepared, tables: Mapping[str, pd.DataFrame]) -> str:
    """The whole page."""
    drawn = _drawings(prepared, tables)
    sections = [
        f"<h2>{escape(TITLES[name])}</h2>\n{_table(table)}\n{drawn.get(name, '')}"
        for name, table in tables.items()
    ]
    examples = _examples(prepared)
    return (
        '<!DOCTYPE html>\n<html lang="ko">\n<head><meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>자료 보고서 (data report)</title>\n<style>{STYLE}</style></head>\n"
        f"<body>\n<h1>자료 보고서 (data report)</h1>\n{_summary(prepared)}\n"
        + "\n".join(sections)
        + f"\n{examples}\n</body>\n</html>\n"
    )


def _summary(prepared: Prepared) -> str:
    captions = sum(map(len, prepared.captions.values()))
    dropped = sum(tally.dropped.total() for tally in prepared.tallies.values())
    leaking = int(prepared.twins.leaking.sum())
    pictures = sum(len(sample.shown) for sample in prepared.samples)
    line = f"사진 {pictures:,}, 문장 {captions:,}, 버린 것 {dropped:,}."
    if not leaking:
        return f"<p>{line}</p>"
    warning = f"{leaking:,}장이 다른 split의 사진과 거의 같습니다 (leaks between splits)."
    return f'<p>{line} <strong class="bad">{warning}</strong></p>'


def _table(table: pd.DataFrame) -> str:
    if table.empty:
        return "<p>없음 (none)</p>"
    head = "".join(f"<th>{escape(str(name))}</th>" for name in table.columns)
    rows = (
        "".join(_cell(value) for value in row) for row in table.itertuples(index=False, name=None)
    )
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table>\n<tr>{head}</tr>\n{body}\n</table>"


def _cell(value: object) -> str:
    if isinstance(value, str):
        return f'<td class="text">{escape(value)}</td>'
    return f"<td>{value:,}</td>"


def _drawings(prepared: Prepared, tables: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    contents, coverage, drops = (tables[name] for name in ("contents", "coverage", "drops"))
    words = {
        name: [len(caption.split()) for caption in captions]
        for name, captions in sorted(prepared.captions.items())
    }
    sizes = _heights(contents, ("set", "split"), "pictures")
    points = list(zip(coverage["vocabulary"], 100 * coverage["covered"], strict=True))
    return {
        "contents": bars(sizes, "사진 (pictures)", "pictures"),
        "lengths": histogram(words, "문장의 길이 (caption lengths)", "words"),
        "coverage": curve(points, "어휘와 덮는 비율 (coverage)", ("vocabulary", "%")),
        "topics": _bars(tables["topics"], ("set", "topic"), "samples"),
        "drops": _bars(drops, ("set", "reason"), "count"),
    }


def _bars(table: pd.DataFrame, names: tuple[str, str], column: str) -> str:
    if table.empty:
        return ""
    ordered = table.sort_values(column, ascending=False, kind="stable")
    return bars(_heights(ordered, names, column), column, column)


def _heights(table: pd.DataFrame, names: tuple[str, str], column: str) -> dict[str, float]:
    rows = table[[*names, column]].itertuples(index=False, name=None)
    return {f"{one} · {other}": float(height) for one, other, height in rows}


def _examples(prepared: Prepared) -> str:
    """What was dropped, with every example that was kept."""
    items = [
        f"<li><b>{escape(name)}</b>: {escape(reason)} ({tally.dropped[reason]:,})<br>"
        + "<br>".join(escape(example) for example in examples)
        for name, tally in prepared.tallies.items()
        for reason, examples in tally.examples.items()
    ]
    pairs = [f"<li>{escape(a)} ~ {escape(b)}" for a, b in prepared.twins.examples]
    return "".join(
        f"<h2>{title}</h2>\n<ul>\n" + "\n".join(found) + "\n</ul>"
        for title, found in (("버린 보기 (examples of drops)", items),
                             ("split 사이의 거의 같은 사진 (leaking pairs)", pairs))
        if found
    )  # fmt: skip
