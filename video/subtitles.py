"""Tracks as subtitles: cues that fit the picture, and SRT, VTT, ASS and plain text."""

import html
import math
import unicodedata
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pysubs2

from video.lines import wrap
from video.style import Look
from video.track import CaptionedShot, Track

_SAFE = str.maketrans("{}\\", "｛｝＼")  # in no player can these begin a command
_SAFE_SRT = str.maketrans("<>", "＜＞")  # SRT knows tags and has no way to escape them
_ALIGNMENTS = {
    "bottom": pysubs2.Alignment.BOTTOM_CENTER,
    "middle": pysubs2.Alignment.MIDDLE_CENTER,
    "top": pysubs2.Alignment.TOP_CENTER,
}
_TOGETHER = 4  # captions that are on screen at once, at most: the newest ones


@dataclass(frozen=True)
class SubtitleOptions:
    """How sentences become cues; the only place where these defaults are written.

    Attributes:
        line_width: Hangul syllables a line; a space or a Latin letter counts half.
        reading_speed: syllables and letters a second that can be read; Korean subtitles are made
            for 12 to 15.
        shortest_ms: no text is on screen for less, if there is room.
        linger_ms: longest time that text may stay after its shot to be read.
    """

    line_width: int = 20
    reading_speed: float = 14.0
    shortest_ms: int = 1000
    linger_ms: int = 1500


@dataclass(frozen=True)
class Cue:
    """Text on screen during the half-open span [start_ms, end_ms); lines are split by newlines."""

    start_ms: int
    end_ms: int
    text: str


def cues(track: Track, options: SubtitleOptions = SubtitleOptions()) -> list[Cue]:
    """One cue a shot, in order, never overlapping; a shot without a sentence has none.

    Line breaks that somebody put into a caption stay; lines that are too long get more. Shots at
    the same time are lines of one cue. Text that is too short on screen to be read lingers, while
    the next one can still be read; not where somebody set the times.
    """
    found = []
    for start_ms, end_ms, captions in _at_once(track.shots):
        lines = (_clean(line) for line in "\n".join(captions).split("\n"))
        text = "\n".join(wrap(line, options.line_width) for line in lines if line)
        if text:
            found.append(Cue(start_ms, end_ms, text))
    by_hand = not any(shot.score for shot in track.shots)
    return found if by_hand else _readable(found, track.duration_ms, options)


def _at_once(shots: Sequence[CaptionedShot]) -> Iterator[tuple[int, int, list[str]]]:
    """Spans in which the same captions are on screen, and these, the first that came first."""
    coming = deque(sorted(shots, key=lambda shot: shot.start_ms))
    times = sorted({time for shot in shots for time in (shot.start_ms, shot.end_ms)})
    shown: list[CaptionedShot] = []
    for start_ms, end_ms in pairwise(times):
        shown = [shot for shot in shown if shot.end_ms > start_ms]
        while coming and coming[0].start_ms == start_ms:
            shown = [*shown, coming.popleft()][-_TOGETHER:]
        if shown:
            yield start_ms, end_ms, [shot.caption for shot in shown]


def _readable(found: Sequence[Cue], end_ms: int, options: SubtitleOptions) -> list[Cue]:
    """The cues, those too short to be read ending later and the next ones beginning then."""
    calm: list[Cue] = []
    for i, cue in enumerate(found):
        start_ms = max(cue.start_ms, calm[-1].end_ms) if calm else cue.start_ms
        latest = max(end_ms, cue.end_ms)
        if i + 1 < len(found):
            after = found[i + 1]
            latest = max(cue.end_ms, after.start_ms, after.end_ms - _needed_ms(after, options))
        wanted = min(start_ms + _needed_ms(cue, options), cue.end_ms + options.linger_ms, latest)
        calm.append(Cue(start_ms, max(cue.end_ms, wanted), cue.text))
    return calm


def _needed_ms(cue: Cue, options: SubtitleOptions) -> int:
    letters = sum(not character.isspace() for character in cue.text)
    return max(options.shortest_ms, 10 * math.ceil(100 * letters / options.reading_speed))


def to_srt(found: Sequence[Cue]) -> str:
    """SubRip text."""
    safe = [Cue(c.start_ms, c.end_ms, c.text.translate(_SAFE_SRT)) for c in found]
    return _subtitle_file(safe).to_string("srt")


def to_vtt(found: Sequence[Cue]) -> str:
    """WebVTT text."""
    safe = [Cue(c.start_ms, c.end_ms, html.escape(c.text, quote=False)) for c in found]
    return _subtitle_file(safe).to_string("vtt")


def to_ass(found: Sequence[Cue], look: Look, under: Sequence[Cue] = ()) -> str:
    """Advanced SubStation text, to be drawn on a picture of look's size.

    Times are floored to ASS's centiseconds: a cue then starts on its frame, not one later.

    Args:
        found: the cues.
        look: how they look.
        under: ASS drawings beneath them, with their times; they are written as they are.
    """
    early = [Cue(*_floored(c), c.text) for c in found]
    subtitles = _subtitle_file(early)
    for event in subtitles:
        event.layer = int(bool(under))
    for c in under:
        start, end = _floored(c)
        subtitles.append(pysubs2.SSAEvent(start=start, end=end, text=c.text))
    subtitles.info = {
        "ScriptType": "v4.00+",
        "PlayResX": str(look.width),
        "PlayResY": str(look.height),
        "WrapStyle": "0",
        "ScaledBorderAndShadow": "yes",
    }
    subtitles.styles = {"Default": _style(look)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of times past ten hours
        return _past_ten_hours(subtitles.to_string("ass"), subtitles)


def _past_ten_hours(text: str, subtitles: pysubs2.SSAFile) -> str:
    """The same with the times that pysubs2 cuts off at 9:59:59.99; libass reads later ones."""
    lines, events = text.split("\n"), iter(subtitles)
    for number, line in enumerate(lines):
        if line.startswith("Dialogue:"):
            layer, _, _, rest = line.split(",", 3)
            event = next(events)
            lines[number] = f"{layer},{_stamp(event.start)},{_stamp(event.end)},{rest}"
    return "\n".join(lines)


def _stamp(ms: int) -> str:
    seconds, hundredths = divmod(ms // 10, 100)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}.{hundredths:02}"


def to_text(found: Sequence[Cue]) -> str:
    """A line a cue: '[00:01.0-00:03.5] sentence', in minutes and seconds."""
    lines = (
        f"[{clock(c.start_ms)}-{clock(c.end_ms)}] {c.text.replace(chr(10), ' ')}\n" for c in found
    )
    return "".join(lines)


def parsed(text: str, suffix: str) -> list[Cue]:
    """The cues of subtitle text in order of their starts, without styles, positions, comments.

    Times are as they stand there, so a cue can end before it starts.

    Args:
        text: the whole file, lines split by newlines.
        suffix: its format: ".srt", ".vtt", ".ass" or ".ssa".

    Raises:
        ValueError: it cannot be understood.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles, which are left out anyway
            found = pysubs2.SSAFile.from_string(text, format_=suffix.removeprefix("."))
    except (pysubs2.Pysubs2Error, IndexError, OverflowError) as error:
        raise ValueError(" ".join(str(error).split()) or type(error).__name__) from None
    said = [event for event in found if not (event.is_comment or event.is_drawing)]
    plain = html.unescape if suffix == ".vtt" else str
    said.sort(key=lambda event: event.start)
    return [Cue(event.start, event.end, plain(event.plaintext.strip())) for event in said]


def clock(ms: int) -> str:
    """A time as 'mm:ss.t', or 'h:mm:ss.t' from one hour on."""
    minutes, tenths = divmod(ms // 100, 600)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{minutes:02}:{tenths // 10:02}.{tenths % 10}"
    return f"{hours}:{seconds}" if hours else seconds


def _floored(cue: Cue) -> tuple[int, int]:
    """Its times in hundredths of a second, as ASS has them; it is never gone."""
    start_ms = cue.start_ms // 10 * 10
    return start_ms, max(cue.end_ms // 10 * 10, start_ms + 10)


def _style(look: Look) -> pysubs2.SSAStyle:
    return pysubs2.SSAStyle(
        fontname=look.family,
        fontsize=round(look.em * look.em_to_size, 1),
        primarycolor=pysubs2.Color(*look.colour, 0),
        outlinecolor=pysubs2.Color(*(look.colour if look.box else look.edge), 0),
        backcolor=pysubs2.Color(*look.edge, 64),  # the box's; without one nothing has it
        borderstyle=4 if look.box else 1,  # 4: libass' one box behind all lines
        outline=_outline(look),
        # the box's padding; letters have none, for drawing one costs as much as the letters do
        shadow=round(look.em * 0.25, 1) if look.box else 0.0,
        alignment=_ALIGNMENTS[look.position],
        marginl=round(look.width * 0.05),
        marginr=round(look.width * 0.05),
        marginv=round(look.height * 0.05),
    )


def _outline(look: Look) -> float:
    """Its width; letters in a box need none, but one of their own colour makes them bold."""
    if look.box:
        return round(0.03 * look.em, 1) if look.bold else 0.0
    return round(max(1.0, look.em * 0.08), 1)


def _subtitle_file(found: Sequence[Cue]) -> pysubs2.SSAFile:
    subtitles = pysubs2.SSAFile()
    for cue in found:
        text = cue.text.translate(_SAFE).replace("\n", r"\N")
        subtitles.append(pysubs2.SSAEvent(start=cue.start_ms, end=cue.end_ms, text=text))
    return subtitles


def _clean(text: str) -> str:
    """On one line, NFC, without the control characters that end lines or cues in some player."""
    kept = (" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in text)
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())
