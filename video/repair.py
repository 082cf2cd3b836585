"""Subtitle text as people and tools write it, made what a parser reads as it was meant.

What a parser takes for text though it is none would be drawn: cue names and comments of WebVTT,
times that lack a part. What it takes for a command though it is text would be lost.
"""

import re

_ARROW = re.compile(r"\s*--?>\s*")
_TIME = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3})\d*)?")
# of trains: 10:30 --> 11:00
_SHORT = re.compile(r"\d{1,2}:\d{2}\s*--?>\s*\d{1,2}:\d{2}(?:\s.*)?")
_LIKE_TIMES = re.compile(r"(-?[\d:.,]*)[ \t]*(--?>)[ \t]*(\d?)")
# as a Korean keyboard or a machine translator leaves them: 00：00：03，000, 00: 00: 03 ,000
_PART = r"\d+(?:\s*[:：]\s*\d+){1,2}(?:\s*[.,，;；]\s*\d+)?"
_ODD_TIMES = re.compile(rf"\s*({_PART})\s*(--?)[>＞]\s*({_PART})(.*)", re.DOTALL)
_PLAIN = str.maketrans("：，；;", ":,,,", " \t\u3000\xa0")
_STAMP = re.compile(r"<[\d:.]+>")  # of karaoke, inside a line
_COMMAND = re.compile(r"\{\\[^}]{0,200}\}")  # of ASS, which some put into SRT: {\an8}
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_MOST_HOURS = 99


def repaired(text: str, suffix: str) -> str:
    """The text of a subtitle file, lines split by newlines, as its parser wants it.

    Raises:
        ValueError: a line of times cannot be understood.
    """
    if suffix not in (".srt", ".vtt"):
        return text
    point = "." if suffix == ".vtt" else ","
    lines, found, before = text.split("\n"), [], ""
    for number, line in enumerate(map(_tidy, lines), 1):
        if _is_times(line, before):
            found.append(_times(number, line, point))
        elif suffix == ".srt" and before.strip().isdecimal() and "-->" in line:
            raise ValueError(f"line {number}: {line.strip()[:60]!r}")
        else:
            found.append(_text(line))
        before = line
    whole = "\n".join(found)
    return _STAMP.sub("", _cues_alone(whole)) if suffix == ".vtt" else whole


def _tidy(line: str) -> str:
    """A line of times with nothing between the parts of each but what stands there in English."""
    odd = _ODD_TIMES.fullmatch(line)
    if not odd:
        return line
    start, end = odd[1].translate(_PLAIN), odd[3].translate(_PLAIN)
    return f"{start} {odd[2]}> {end}{odd[4]}"


def _cues_alone(text: str) -> str:
    """WebVTT without what is no cue: names, comments, styles, regions."""
    kept = ["WEBVTT"]
    for block in re.split(r"\n[ \t]*\n", text):
        lines = block.split("\n")
        times = next((i for i, line in enumerate(lines) if "-->" in line), None)
        if times is not None:
            kept.append("\n".join(lines[times:]))
    return "\n\n".join(kept) + "\n"


def _is_times(line: str, before: str) -> bool:
    """Whether a line should say when; a short arrow or short times do where a cue begins."""
    like = _LIKE_TIMES.match(line.lstrip())
    if not like:
        return False
    inside = before.strip() and not before.strip().isdecimal()
    if inside and _SHORT.fullmatch(line.strip()):
        return False
    if like[2] == "->":
        return ":" in like[1] and (not before.strip() or before.strip().isdecimal())
    return ":" in like[1] or bool(like[3])


def _text(line: str) -> str:
    """What is said; a parser of SRT takes braces and backslashes for ASS."""
    return (
        _BREAK.sub("\n", _COMMAND.sub("", line))
        .replace("{", "｛")
        .replace("}", "｝")
        .replace("\\", "＼")
    )


def _times(number: int, line: str, point: str) -> str:
    """Both times in full; what stands behind them, as positions of WebVTT do, is left out."""
    start, *rest = _ARROW.split(line.strip(), maxsplit=1)
    end = rest[0].split()[0] if rest and rest[0] else ""
    found = [_TIME.fullmatch(part) for part in (start, end)]
    if not (found[0] and found[1]):
        raise ValueError(f"line {number}: {line.strip()[:60]!r}")
    return " --> ".join(_full(number, point, *match.groups()) for match in found if match)


def _full(
    number: int, point: str, hours: str | None, minutes: str, seconds: str, part: str | None
) -> str:
    if int(hours or 0) > _MOST_HOURS:
        raise ValueError(f"line {number}: {hours} h > {_MOST_HOURS} h")
    thousandths = (part or "0").ljust(3, "0")
    return f"{int(hours or 0):02}:{int(minutes):02}:{int(seconds):02}{point}{thousandths}"
