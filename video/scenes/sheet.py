"""Groups as a page of thumbnails; it loads nothing from anywhere."""

import base64
import html
import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from preprocess.errors import CaptioningError
from preprocess.stills import read_still
from video.scenes.grouping import Group, Item
from video.track import printable

HIGH, SHOWN = 140, 60  # pixels of a thumbnail; members of a group that are shown
_HEAD = """<!doctype html>
<html lang="ko">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
style-src 'unsafe-inline'">
<title>묶음 (groups)</title>
<style>
body { margin: 0 auto; max-width: 72rem; padding: 1rem; font: 1rem/1.5 sans-serif; color: #111; \
background: #fff }
ul { display: flex; flex-wrap: wrap; gap: .6rem; padding: 0; list-style: none }
li { max-width: 14rem; font-size: .85rem }
img { display: block; max-width: 100% }
h2 { border-bottom: 1px solid #ddd }
small { color: #444; overflow-wrap: anywhere }
</style>
</head>
<body>
<main>
"""


def to_sheet(items: Sequence[Item], groups: Sequence[Group]) -> str:
    """The page as HTML text; an item that is a picture's path gets a thumbnail."""
    links = "".join(
        f'<li><a href="#g{number}">{html.escape(one.name)}</a> {len(one.members)}</li>'
        for number, one in enumerate(groups, 1)
    )
    sections = "".join(_section(number, one, items) for number, one in enumerate(groups, 1))
    title = f"<h1>묶음 {len(groups)} · {len(items):,}</h1>\n"
    return f"{_HEAD}{title}<nav><ul>{links}</ul></nav>\n{sections}</main>\n</body>\n</html>\n"


def _section(number: int, group: Group, items: Sequence[Item]) -> str:
    shown = "\n".join(_cell(items[member]) for member in group.members[:SHOWN])
    more = len(group.members) - SHOWN
    rest = f"<p>… {more:,}</p>\n" if more > 0 else ""
    name = f"{html.escape(group.name)} ({len(group.members):,})"
    return f'<section>\n<h2 id="g{number}">{name}</h2>\n<ul>\n{shown}\n</ul>\n{rest}</section>\n'


def _cell(item: Item) -> str:
    caption, name = html.escape(item.caption), html.escape(printable(Path(item.name).name))
    return f"<li>{_thumbnail(item)}{caption}<br><small>{name}</small></li>"


def _thumbnail(item: Item) -> str:
    if item.features is None:  # a shot of a track: no picture is at hand
        return ""
    try:
        image = Image.fromarray(read_still(Path(item.name)))
    except CaptioningError:  # gone since it was captioned
        return ""
    image.thumbnail((3 * HIGH, HIGH))
    held = io.BytesIO()
    image.save(held, "JPEG", quality=80)
    data = base64.b64encode(held.getvalue()).decode()
    return f'<img alt="{html.escape(item.caption)}" src="data:image/jpeg;base64,{data}">'
