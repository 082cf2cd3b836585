"""One frame in place of its film: to choose how captions look before the film is burned."""

from dataclasses import replace
from pathlib import Path

from preprocess.errors import SettingError
from preprocess.ffmpeg import media_arguments, run
from preprocess.files import is_folder
from preprocess.frames import MediaInfo, probe
from video.draw import plain
from video.outputs import folder_of, is_bare_suffix
from video.subtitles import Cue, SubtitleOptions, clock, cues
from video.track import CaptionedShot, Track

_UNBROKEN = 10**6  # letters a line: lines are broken where they are drawn


def still_at(media: MediaInfo, time_ms: int, folder: Path) -> MediaInfo:
    """The frame shown at a moment, upright, with square pixels, as a picture in folder.

    Args:
        media: the film; a picture stands for itself.
        time_ms: the moment, on the clock a player shows.
        folder: where it may be written.

    Raises:
        SettingError: the film is over by then.
        VideoError: nothing could be decoded there.
    """
    if media.kind == "picture":
        return media
    end_ms = media.start_ms + media.duration_ms
    if time_ms >= end_ms:
        raise SettingError(
            f"{clock(time_ms)}: '{media.path.name}'은(는) {clock(end_ms)}에 끝납니다. 더 이른 때를 "
            "주세요.",
            f"{clock(time_ms)}: '{media.path.name}' ends at {clock(end_ms)}. "
            "Give an earlier moment.",
        )
    path = folder / f"frame{len(list(folder.iterdir()))}.png"
    upright = (
        f"{plain(media)}scale={media.width}:{media.height}:flags=bicubic,setsar=1,format=rgb24"
    )
    # the first frame that ends after the moment; where rates vary it can be the next one
    from_ms = max(0.0, time_ms - 1000 / media.frame_rate + 1)
    once = ["-map", media.film, "-frames:v", "1", "-update", "1", "-f", "image2", str(path)]
    seek = media_arguments(media, "-ss", f"{from_ms / 1000:.3f}")
    run([*seek, "-vf", upright, *once], timeout_s=600)
    if not path.exists():  # without an index, the seek can end past the last frame
        waited = f"trim=start={(from_ms - media.start_ms) / 1000:.3f},{upright}"
        source = media_arguments(media)
        run([*source, "-vf", waited, *once], timeout_s=media.limits.seconds(media.duration_ms))
    return probe(path, media.limits)


def preview_target(media: MediaInfo, output: str | None) -> Path:
    """Where a preview goes: 'film.preview.png' beside the film, in a folder, or where -o says."""
    name = f"{media.path.stem}.preview.png"
    if output is None:
        return media.path.with_name(name)
    if is_folder(output):
        return Path(output) / name
    path = Path(output)
    if not is_bare_suffix(path):
        return path
    folder = folder_of(output, media.path)
    return folder / f"{media.path.stem}.preview{path.name.lower()}"


def moment(track: Track, time_ms: int, still: MediaInfo) -> Track:
    """What a film's track says at a moment, as the track of the still that shows it."""
    shown = cues(track, SubtitleOptions(line_width=_UNBROKEN))
    now = [cue for cue in shown if cue.start_ms <= time_ms < cue.end_ms]
    shots = tuple(
        replace(_said(track, cue), start_ms=0, end_ms=still.duration_ms, caption=cue.text)
        for cue in now
    )
    return replace(track, duration_ms=still.duration_ms, shots=shots)


def _said(track: Track, cue: Cue) -> CaptionedShot:
    """The shot that a cue came from, the latest if it came from several."""
    begun = (shot for shot in track.shots if shot.caption and shot.start_ms <= cue.start_ms)
    return max(begun, key=lambda shot: shot.start_ms)
