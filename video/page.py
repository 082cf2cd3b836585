"""A web page that plays a film, shows its captions as descriptions and speaks them aloud.

It is one file that loads nothing but the film beside it. The voice is the browser's own.
"""

import base64
import html
import json
import os
from collections.abc import Sequence
from pathlib import Path
from string import Template
from urllib.parse import quote

from video.subtitles import Cue, clock, to_vtt
from video.track import printable

_TEMPLATE = Path(__file__).with_name("page.html")


def to_page(found: Sequence[Cue], film: Path, folder: Path) -> str:
    """The page as HTML text.

    Args:
        found: what is said when, in order.
        film: the film that is played; a browser must know its format.
        folder: where the page will be: it names the film relative to this.
    """
    told = [
        {
            "start": cue.start_ms / 1000,
            "end": cue.end_ms / 1000,
            "clock": clock(cue.start_ms),
            "text": " ".join(cue.text.split()),
        }
        for cue in found
    ]
    track = base64.b64encode(to_vtt(found).encode()).decode()
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=html.escape(printable(film.name)),
        film=html.escape(_reference(film, folder)),
        track=f"data:text/vtt;charset=utf-8;base64,{track}",
        cues=json.dumps(told, ensure_ascii=False).replace("<", "\\u003c"),
    )


def _reference(film: Path, folder: Path) -> str:
    """The film's relative URL, every byte of its name escaped that is no plain letter."""
    relative = os.path.relpath(film.absolute(), folder.absolute())
    return quote(os.fsencode(Path(relative).as_posix()))
