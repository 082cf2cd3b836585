"""Captions that somebody edited: SRT, VTT, ASS and JSON files become a track again."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from preprocess.errors import DataError
from preprocess.files import is_file
from preprocess.frames import MediaInfo
from video.repair import repaired
from video.subtitles import clock, parsed
from video.track import LATEST_MS, CaptionedShot, Track, from_json, printable

READABLE = (".srt", ".vtt", ".ass", ".ssa", ".json")
_LARGEST = 10_000_000  # bytes; two hours of subtitles are a hundredth of it
_TRACK = 512_000_000  # bytes of a track's JSON; half a million shots with their alternatives
_LONGEST = 4000  # characters of one caption with its tags; they are searched in square time
_TIMES = re.compile(r"^(?=.*\d:\d\d)", re.MULTILINE)
_MOST = 50_000  # captions; twelve hours with one a second have fewer
_ENCODINGS = ("utf-8-sig", "cp949")  # the second is what old Korean editors write


def read_captions(path: Path, media: MediaInfo) -> Track:
    """The captions in a file as a track of the given medium.

    Styles, positions and comments are left out; line breaks stay, but the reader takes a last
    line of digits alone for the next cue's number. What no captioner said has score 0 and
    confidence 1.

    Raises:
        DataError: the file cannot be read, has no captions, one is too long or ends before it
            starts, or all begin when the film is over.
    """
    suffix = path.suffix.lower()
    if suffix not in READABLE:
        known = " ".join(READABLE)
        raise DataError(
            f"자막 '{path}'의 형식을 모릅니다. 다음 가운데 하나를 주세요: {known}",
            f"unknown format of captions '{path}'. Give one of: {known}",
        )
    text = _text(path, _TRACK if suffix == ".json" else _LARGEST)
    if suffix == ".json":
        told = _told(path, text)
        shots, captioner = told.shots, told.captioner
    else:
        _check_lengths(path, text.split("\n") if suffix in (".ass", ".ssa") else _TIMES.split(text))
        shots, captioner = tuple(_shots(path, text, suffix)), printable(path.name)
    _check_lengths(path, [shot.caption for shot in shots])
    if len(shots) > _MOST:
        raise _unreadable(path, f"{len(shots):,} > {_MOST:,}")
    starts = [shot.start_ms for shot in shots if shot.caption.strip()]
    if not starts:
        raise DataError(
            f"'{path}'에 자막이 하나도 없습니다. 파일을 확인하세요.",
            f"there are no captions in '{path}'. Check the file.",
        )
    name, end_ms = printable(media.path.name), media.start_ms + media.duration_ms
    if media.kind != "picture" and min(starts) >= end_ms:  # a picture has no times
        raise _too_late(path, name, min(starts), end_ms)
    return Track(name, end_ms, captioner, shots)


def read_track(path: Path) -> Track:
    """The track in a JSON file that `-o NAME.json` wrote, whole.

    Raises:
        DataError: the file cannot be read or is no track.
    """
    text = _decoded(_bytes(path, _TRACK))
    if text is None:
        raise DataError(
            f"'{path}'은(는) 자막 기록이 아닙니다. 먼저 만드세요: python caption_video.py 영상 "
            "-o .json",
            f"'{path}' is no track. Make one first: python caption_video.py FILM -o .json",
        )
    return _told(path, text)


def _told(path: Path, text: str) -> Track:
    try:
        return from_json(text)
    except DataError as error:
        raise DataError(*(f"'{path}': {told}" for told in error.args)) from None


def _check_lengths(path: Path, captions: Sequence[str]) -> None:
    longest = max(captions, key=len, default="")
    if len(longest) > _LONGEST:
        about = " ".join(longest[:40].split())
        raise DataError(
            f"'{path}'에 너무 긴 자막이 있습니다 ({len(longest):,}자, 한도 {_LONGEST:,}자: "
            f"{about}...). 나누어 주세요.",
            f"a caption in '{path}' is too long ({len(longest):,} characters, limit {_LONGEST:,}: "
            f"{about}...). Split it.",
        )


def _text(path: Path, largest: int) -> str:
    text = _decoded(_bytes(path, largest))
    if text is None:
        raise _unreadable(path, "UTF-8? CP949?")
    return text


def _bytes(path: Path, largest: int) -> bytes:
    try:
        if path.exists() and not is_file(path):  # a pipe would be waited for
            raise _unreadable(path, "no file")
        with path.open("rb") as file:
            data = file.read(largest + 1)
    except OSError as error:
        raise _unreadable(path, error.strerror or type(error).__name__) from None
    if len(data) > largest:
        raise _unreadable(path, f"> {largest // 1_000_000} MB")
    return data


def _decoded(data: bytes) -> str | None:
    encodings = ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else _ENCODINGS
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return text.replace("\r\n", "\n").replace("\r", "\n")
    return None


def _shots(path: Path, text: str, suffix: str) -> Iterator[CaptionedShot]:
    try:
        found = parsed(repaired(text, suffix), suffix)
    except ValueError as error:
        raise _unreadable(path, str(error)) from None
    for number, cue in enumerate(found, 1):
        start_ms, end_ms = max(0, cue.start_ms), min(cue.end_ms, LATEST_MS)
        if cue.end_ms == cue.start_ms:  # tools leave such behind; nobody sees them
            continue
        if end_ms <= start_ms:
            times = f"{cue.start_ms}-{cue.end_ms} ms"
            raise DataError(
                f"'{path}': {number}번째 자막이 시작 전에 끝납니다 ({times}). 시간을 고치세요.",
                f"'{path}': caption {number} ends before it starts ({times}). Correct its times.",
            )
        yield CaptionedShot(start_ms, end_ms, printable(cue.text), score=0.0)


def _too_late(path: Path, film: str, start_ms: int, end_ms: int) -> DataError:
    start, end = clock(start_ms), clock(end_ms)
    return DataError(
        f"'{path}'의 첫 자막은 {start}에 시작하는데 '{film}'은(는) {end}에 끝납니다. 이 영상의 "
        "자막을 주거나 시각을 고치세요.",
        f"the first caption in '{path}' begins at {start}, but '{film}' ends at {end}. Give this "
        "film's captions, or correct their times.",
    )


def _unreadable(path: Path, reason: str) -> DataError:
    return DataError(
        f"자막 '{path}'을(를) 읽을 수 없습니다 ({reason}). 경로와 형식을 확인하세요.",
        f"cannot read captions '{path}' ({reason}). Check the path and the format.",
    )
