"""A film's curves as a page to look around in; it loads nothing from anywhere."""

import html
import json
from pathlib import Path
from string import Template

from video.scenes.changes import Unlike
from video.subtitles import clock

_TEMPLATE = Path(__file__).with_name("chart.html")


def to_chart(found: Unlike) -> str:
    """The page as HTML text."""
    told = {
        "times": [time_ms / 1000 for time_ms in found.times_ms],
        "clocks": [clock(time_ms) for time_ms in found.times_ms],
        "captions": [" ".join(caption.split()) for caption in found.captions],
        "curves": {"caption": found.by_caption, "features": found.by_features},
        "peaks": [
            {"at": found.times_ms.index(peak.time_ms), "by": peak.by, "score": peak.score}
            for peak in found.peaks
        ],
    }
    options = found.options
    about = f"{options.every_ms / 1000:g} s · N = {options.window} · {options.metric}"
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=html.escape(found.video),
        about=html.escape(about),
        data=json.dumps(told, ensure_ascii=False).replace("<", "\\u003c"),
    )
