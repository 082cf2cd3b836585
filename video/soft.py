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
# in ticks of a microsecond a gap of 36 minutes is more than MP4 can count
_TICKS = {suffix: ["-time_base:s:0", "1/1000"] for suffix in (".mp4", ".mov")}


def add_track(
    media: MediaInfo, track: Track, target: Path, on_progress: Progress | None = None
) -> None:
    """Copies a film with the track's captions as its first subtitles; whole or not at all.

    The film's own subtitles are kept where the container takes them as they are.

    Raises:
        OutputError: target cannot be written.
        SettingError: its container does not take the film's picture or sound.
    """
    suffix = target.suffix.lower()
    with whole_file(target) as temporary, temporary_folder() as folder:
        captions = folder / "captions.srt"
        captions.write_text(to_srt(_inside(cues(track), media)), encoding="utf-8")
        # old streams leave out times that containers want
        source = media_arguments(media, "-fflags", "+genpts")
        trial = output_arguments(folder / f"trial{suffix}")
        if not takes(source, ["-map", "0:V:0", "-map", "0:a?"], trial):
            raise _not_taken(media, suffix)
        own = ["-map", "0:s?"] if takes(source, ["-map", "0:s"], trial) else []
        text = ["-protocol_whitelist", "file", "-f", "srt", "-i", f"file:{captions}"]
        maps = ["-map", "0:V:0", "-map", "0:a?", "-map", "1:s:0", *own]
        codecs = ["-c", "copy", "-c:s:0", _CODECS[suffix], *_TICKS.get(suffix, [])]
        said = ["-metadata:s:s:0", "language=kor", "-disposition:s:0", "default"]
        arguments = [*source, *text, *maps, *codecs, *said, *output_arguments(temporary)]
        run(arguments, on_progress=on_progress, timeout_s=media.limits.seconds(media.duration_ms))
        try:
            probe(temporary)
        except VideoError:
            raise _not_taken(media, suffix) from None


def _inside(found: Sequence[Cue], media: MediaInfo) -> list[Cue]:
    """The cues up to the film's end: later ones would make it longer."""
    end_ms = media.start_ms + media.duration_ms
    return [replace(c, end_ms=min(c.end_ms, end_ms)) for c in found if c.start_ms < end_ms]


def check_soft(media: MediaInfo, suffix: str) -> None:
    """Refuses before any work what cannot hold a track.

    Raises:
        SettingError: the medium is no film, or the format none.
    """
    if media.kind != "video" or suffix not in FILMS:
        known = " ".join(FILMS)
        raise SettingError(
            f"--soft는 영상을 {known}(으)로 쓸 때만 됩니다 ('{media.path.name}' -> {suffix}).",
            f"--soft is for films written as {known} ('{media.path.name}' -> {suffix}).",
        )


def _not_taken(media: MediaInfo, suffix: str) -> SettingError:
    return SettingError(
        f"'{media.path.name}'의 영상이나 소리는 {suffix}에 그대로 담을 수 없습니다. "
        f"{'--soft 없이 하거나 -o 이름.srt로' if suffix == '.mkv' else '-o 이름.mkv로'} 하세요.",
        f"{suffix} cannot hold picture or sound of '{media.path.name}' as they are. "
        f"Use {'-o NAME.srt, or leave --soft out' if suffix == '.mkv' else '-o NAME.mkv'}.",
    )
