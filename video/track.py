"""What was seen in one film: the interface to everything that comes after captioning."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from preprocess.errors import DataError

FORMAT = "korean-video-track"
VERSION = 1
MOST_REGIONS = 64  # a side
LATEST_MS = 100 * 3600 * 1000 - 1  # the last time that SRT can write


@dataclass(frozen=True)
class OtherCaption:
    """Another sentence for the same shot; score and confidence as in CaptionedShot."""

    caption: str
    score: float
    confidence: float


@dataclass(frozen=True)
class CaptionedShot:
    """One sentence for a half-open span of the film.

    Attributes:
        start_ms: on the clock a player shows, in milliseconds.
        end_ms: after start_ms.
        caption: one Korean sentence, without a full stop.
        score: mean natural log-probability a token, < 0; higher is surer. 0: somebody wrote it.
        confidence: 0-1, how likely the likeliest sentence is right; where it is low, `caption`
            is one in general words.
        alternatives: other sentences that were asked for, likeliest first.
        attention: rows of regions with the share that was looked at each, for the likeliest
            sentence as a whole; () unless asked for.
    """

    start_ms: int
    end_ms: int
    caption: str
    score: float
    confidence: float = 1.0
    alternatives: tuple[OtherCaption, ...] = ()
    attention: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True)
class Track:
    """The captioned shots of one film, in order.

    Attributes:
        video: the film's file name, without its folder.
        duration_ms: end of the last frame on the clock a player shows.
        captioner: who captioned it.
        shots: in order, not overlapping.
    """

    video: str
    duration_ms: int
    captioner: str
    shots: tuple[CaptionedShot, ...]


def with_confidence(track: Track) -> Track:
    """The track with every sentence followed by its confidence: "개가 달리고 있다 (72%)".

    What no captioner said has none.
    """
    shots = (
        replace(s, caption=f"{s.caption} ({s.confidence:.0%})") if s.caption and s.score else s
        for s in track.shots
    )
    return replace(track, shots=tuple(shots))


def printable(text: str) -> str:
    """The text as valid Unicode: file names can be any bytes, and JSON halves of characters."""
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)


def to_json(track: Track, more: Mapping[str, Any] = {}) -> str:
    """The track, and more for other readers, as JSON text: Hangul readable, ending in a newline."""
    fields: dict[str, Any] = {"format": FORMAT, "version": VERSION, **asdict(track), **more}
    for shot in fields["shots"]:
        if not shot["attention"]:
            del shot["attention"]
    return json.dumps(fields, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def from_json(text: str) -> Track:
    """The track that to_json wrote; unknown keys are passed over.

    Raises:
        DataError: no JSON, no track, of a newer version, or with a value of the wrong kind.
    """
    try:
        fields = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise _unreadable(f"JSON: {error}") from None
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise _unreadable(f"format != {FORMAT}")
    if fields.get("version") != VERSION:
        raise _unreadable(f"version {fields.get('version')!r} != {VERSION}")
    shots = _field(fields, "shots", list)
    return Track(
        video=_field(fields, "video", str),
        duration_ms=_bounded(fields, "duration_ms", int, 0, LATEST_MS),
        captioner=_field(fields, "captioner", str),
        shots=tuple(_shot(shot, number) for number, shot in enumerate(shots, 1)),
    )


def _shot(fields: Any, number: int) -> CaptionedShot:
    if not isinstance(fields, dict):
        raise _unreadable(f"shots[{number}]")
    others = _field({"alternatives": [], **fields}, "alternatives", list)
    shot = CaptionedShot(
        start_ms=_field(fields, "start_ms", int),
        end_ms=_field(fields, "end_ms", int),
        **_sentence(fields),
        alternatives=tuple(OtherCaption(**_sentence(other)) for other in others),
        attention=_regions(_field({"attention": [], **fields}, "attention", list)),
    )
    if not 0 <= shot.start_ms < shot.end_ms <= LATEST_MS:
        raise _unreadable(f"shots[{number}]: {shot.start_ms}-{shot.end_ms} ms")
    return shot


def _regions(rows: list[Any]) -> tuple[tuple[float, ...], ...]:
    """Rows of shares, all of one length."""
    found = tuple(
        tuple(_number({"attention": share}, "attention", 0, 1) for share in row)
        for row in rows
        if isinstance(row, list)
    )
    widths = {len(row) for row in found}
    if len(found) < len(rows) or len(widths) > 1 or widths & {0} or len(rows) > MOST_REGIONS:
        raise _unreadable(f"attention: {str(rows)[:40]!r}")
    if found and len(found[0]) > MOST_REGIONS:
        raise _unreadable(f"attention: {len(found[0])} > {MOST_REGIONS}")
    return found


def _sentence(fields: Any) -> dict[str, Any]:
    if not isinstance(fields, dict):
        raise _unreadable(f"alternatives: {str(fields)[:40]!r}")
    return {
        "caption": _field(fields, "caption", str),
        "score": _number(fields, "score", -1e9, 0),
        "confidence": _number({"confidence": 1.0, **fields}, "confidence", 0, 1),
    }


def _number(fields: dict[str, Any], name: str, low: float, high: float) -> float:
    return float(_bounded(fields, name, (int, float), low, high))


def _bounded(
    fields: dict[str, Any], name: str, kind: type | tuple[type, ...], low: float, high: float
) -> Any:
    value = _field(fields, name, kind)
    if not low <= value <= high:
        raise _unreadable(f"{name}: {str(value)[:40]}")
    return value


def _field(fields: dict[str, Any], name: str, kind: type | tuple[type, ...]) -> Any:
    value = fields.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise _unreadable(f"{name}: {str(value)[:40]!r}")
    return printable(value) if isinstance(value, str) else value


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _unreadable(what: str) -> DataError:
    return DataError(
        f"자막 기록을 읽을 수 없습니다 ({what}). 영상에서 다시 만드세요: -o 이름.json",
        f"cannot read this caption track ({what}). Make it again from the video: -o NAME.json",
    )
