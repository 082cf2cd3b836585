"""Captions as a track that a player can switch off: picture and sound are copied untouched."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from preprocess.errors import SettingError, VideoError
from preprocess.ffmpeg import media_arguments, run
from preprocess.files import temporary_folder, whole_file
from preprocess.frames import MediaInfo, probe
from video.draw import FILMS, Progress, output_arguments, takes
from video.subtitles import Cue, cues, to_srt
from video.track import Track

# how each container writes text
_CODECS = {".mp4": "mov_text", ".mov": "mov_text", ".mkv": "subrip", ".webm": "webvtt"}


def add_track(
    media: MediaInfo, track: Track, target: Path, on_progress: Progress | None = None
) -> None:
    """Copies a film with the track's captions as its first subtitles; whole or not at all.

    They alone are shown unasked. The film's own subtitles come after them: as they are, or their
    text as the container writes it, or not at all (left_out). MKV gets their fonts too.

    Raises:
        OutputError: target cannot be written.
        SettingError: its container does not take the film's picture or sound.
    """
    suffix = target.suffix.lower()
    check_soft(media, suffix)
    with whole_file(target) as temporary, temporary_folder() as folder:
        captions = folder / "captions.srt"
        captions.write_text(to_srt(_inside(cues(track), media)), encoding="utf-8")
        text = ["-protocol_whitelist", "file", "-f", "srt", "-i", f"file:{captions}"]
        ours = ["-map", "1:s:0", "-c:s:0", _CODECS[suffix], *_ticks(suffix, 0)]
        said = ["-metadata:s:s:0", "language=kor", "-disposition:s:0", "default"]
        streams = [*_film(media), "-c", "copy", *ours, *said, *_own(media, suffix)]
        arguments = [*_source(media), *text, *streams, *output_arguments(temporary)]
        run(arguments, on_progress=on_progress, timeout_s=media.limits.seconds(media.duration_ms))
        try:
            probe(temporary)
        except VideoError:
            raise _not_taken(media, suffix) from None


def _film(media: MediaInfo) -> list[str]:
    return ["-map", media.film, "-map", "0:a?"]


def _source(media: MediaInfo) -> list[str]:
    """Old streams leave out times that containers want."""
    return media_arguments(media, "-fflags", "+genpts")


def _ticks(suffix: str, number: int) -> list[str]:
    """In ticks of a microsecond a gap of 36 minutes is more than MP4 can count."""
    return [f"-time_base:s:{number}", "1/1000"] if suffix in (".mp4", ".mov") else []


def _own(media: MediaInfo, suffix: str) -> list[str]:
    """The arguments that carry over the film's own subtitles and fonts."""
    found: list[str] = []
    kept = [(i, codec) for i, codec in enumerate(_codecs(media, suffix)) if codec]
    for number, (i, codec) in enumerate(kept, 1):
        ticks = _ticks(suffix, number) if codec != "copy" else []
        found += ["-map", f"0:s:{i}", f"-c:s:{number}", codec, *ticks]
        found += [f"-disposition:s:{number}", "-default"]
    fonts = suffix == ".mkv" and _held(media, suffix, "0:t", "copy")
    return [*found, "-map", "0:t"] if fonts else found


def _codecs(media: MediaInfo, suffix: str) -> list[str]:
    """How each of the film's own subtitle tracks goes into a container; "": it cannot."""
    if media.subtitles and _held(media, suffix, "0:s", "copy"):
        return ["copy"] * media.subtitles
    ways = ("copy", _CODECS[suffix])
    return [
        next((codec for codec in ways if _held(media, suffix, f"0:s:{i}", codec)), "")
        for i in range(media.subtitles)
    ]


def _held(media: MediaInfo, suffix: str, tracks: str, codec: str) -> bool:
    """Whether a container takes tracks in this way."""
    at_the_end = media_arguments(media, "-sseof", "-1")  # or a late sentence would be waited for
    with temporary_folder() as folder:
        trial = output_arguments(folder / f"trial{suffix}")
        return takes(at_the_end, ["-map", tracks], ["-c:s", codec, *trial])


def left_out(media: MediaInfo, suffix: str) -> int:
    """How many of the film's own subtitle tracks a container does not take."""
    return _codecs(media, suffix).count("")


def _inside(found: Sequence[Cue], media: MediaInfo) -> list[Cue]:
    """The cues up to the film's end: later ones would make it longer."""
    end_ms = media.start_ms + media.duration_ms
    return [replace(c, end_ms=min(c.end_ms, end_ms)) for c in found if c.start_ms < end_ms]


def check_soft(media: MediaInfo, suffix: str) -> None:
    """Refuses before any work what cannot hold a track.

    Raises:
        OutputError: there is no room to try.
        SettingError: the medium is no film, the format none, or the one does not fit in the other.
    """
    if media.kind != "video" or suffix not in FILMS:
        known = " ".join(FILMS)
        raise SettingError(
            f"--soft는 영상을 {known}(으)로 쓸 때만 됩니다 ('{media.path.name}' -> {suffix}).",
            f"--soft is for films written as {known} ('{media.path.name}' -> {suffix}).",
        )
    if not media.timed and not _is_in_order(media):
        raise SettingError(
            f"'{media.path.name}'에는 프레임이 언제 보이는지 적혀 있지 않아 그대로 복사할 수 "
            "없습니다. --soft 없이 하거나 -o 이름.srt로 하세요.",
            f"'{media.path.name}' does not say when its frames are shown and cannot be copied as "
            "it is. Leave --soft out, or use -o NAME.srt.",
        )
    if media.hidden and suffix in (".mkv", ".webm"):
        raise SettingError(
            f"'{media.path.name}'에는 잘라 낸 앞부분이 숨어 있고, {suffix}에 복사하면 다시 "
            "보입니다. -o 이름.mp4로 하거나 --soft 없이 하세요.",
            f"'{media.path.name}' hides a beginning that was cut away, and a copy in {suffix} "
            "would show it again. Use -o NAME.mp4, or leave --soft out.",
        )
    with temporary_folder() as folder:
        if not takes(_source(media), _film(media), output_arguments(folder / f"trial{suffix}")):
            raise _not_taken(media, suffix)


def _is_in_order(media: MediaInfo) -> bool:
    """Whether frames are shown as they are stored: Matroska asks for the times of others."""
    with temporary_folder() as folder:
        return takes(_source(media), ["-map", media.film], output_arguments(folder / "trial.mkv"))


def _not_taken(media: MediaInfo, suffix: str) -> SettingError:
    return SettingError(
        f"'{media.path.name}'의 영상이나 소리는 {suffix}에 그대로 담을 수 없습니다. "
        f"{'--soft 없이 하거나 -o 이름.srt로' if suffix == '.mkv' else '-o 이름.mkv로'} 하세요.",
        f"{suffix} cannot hold picture or sound of '{media.path.name}' as they are. "
        f"Use {'-o NAME.srt, or leave --soft out' if suffix == '.mkv' else '-o NAME.mkv'}.",
    )
