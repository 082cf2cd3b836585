"""Captions drawn into the picture: films, GIFs and still pictures."""

import math
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from preprocess.errors import MissingExtra, OutputError, SettingError, VideoError
from preprocess.ffmpeg import media_arguments
from preprocess.files import temporary_folder, whole_file
from preprocess.frames import MediaInfo, probe
from preprocess.stills import drawable
from video.draw import FILMS, PICTURES, BurnOptions, Job, Progress, draw, scaled
from video.fonts import hangul_font
from video.heat import drawings
from video.style import Look, look_for
from video.subtitles import SubtitleOptions, cues
from video.track import Track

_GIF_LIMIT_MS = 10 * 60 * 1000
_LEAST_GIF = 32  # pixels a side


def burn(
    media: MediaInfo,
    track: Track,
    target: Path,
    options: BurnOptions = BurnOptions(),  # noqa: B008 - frozen
    on_progress: Progress | None = None,
) -> None:
    """Draws the track's captions into media and writes target; its suffix says the format.

    The result is upright with square pixels, keeps the frames' own times (of a film that stands
    still between them, at a steady rate, so that captions come on time), the colour tags, and
    every sound track. It appears whole or not at all; an existing target is replaced.

    Raises:
        VideoError: the film cannot be decoded to its end.
        OutputError: target cannot be written.
        SettingError: a format, font or quality that cannot be used, or a GIF that cannot be as
            small as asked for.
        MissingExtra: the engine or the font is not installed.
    """
    check_settings(media, target.suffix.lower(), options)
    with whole_file(target) as temporary:
        size = _size(media, target.suffix.lower(), options)
        _burned(media, track, temporary, size, options, on_progress)
        while (smaller := _smaller(size, temporary, options)) != size:
            size = smaller
            _burned(media, track, temporary, size, options, on_progress)
        _check_whole(temporary, target)


def _burned(
    media: MediaInfo,
    track: Track,
    temporary: Path,
    size: tuple[int, int],
    options: BurnOptions,
    on_progress: Progress | None,
) -> None:
    font = hangul_font(options.font)
    look = look_for(*size, font, options.look)
    found = cues(track, SubtitleOptions(line_width=look.line_width))
    if temporary.suffix.lower() in PICTURES:  # which has one moment: the first caption is its own
        found = [replace(cue, start_ms=0) for cue in found[:1]]
    with temporary_folder() as folder:
        heat = drawings(track, look) if options.show_attention else ()
        job = Job(drawable(media, folder), found, look, font, options, folder, on_progress, heat)
        (_compose if options.engine == "moviepy" else draw)(job, temporary)


def _smaller(size: tuple[int, int], temporary: Path, options: BurnOptions) -> tuple[int, int]:
    """The size at which a GIF that is too large should fit; the same where it fits.

    Raises:
        SettingError: it does not fit at any size that shows something.
    """
    most, found = 1e6 * options.gif_max_mb, temporary.stat().st_size
    if temporary.suffix.lower() != ".gif" or not most or found <= most:
        return size
    share = max(0.4, min(0.95, 0.95 * math.sqrt(most / found)))  # bytes grow with the area
    width, height = (round(side * share) for side in size)
    if min(width, height) < _LEAST_GIF:
        raise SettingError(
            f"GIF가 {size[0]}x{size[1]}에서도 {found / 1e6:.2f} MB입니다 (한도 "
            f"{options.gif_max_mb:g} MB). --gif-rate를 낮추거나 영상을 나누세요.",
            f"the GIF has {found / 1e6:.2f} MB even at {size[0]}x{size[1]} (limit "
            f"{options.gif_max_mb:g} MB). Lower --gif-rate, or split the film.",
        )
    return width, height


def check_settings(media: MediaInfo, suffix: str, options: BurnOptions) -> None:
    """Refuses before any work what would fail after it.

    Raises:
        SettingError: a format or quality that cannot be used for this medium.
        MissingExtra: the engine is not installed.
    """
    if not 0 <= options.quality <= 51:
        raise SettingError(
            f"화질(CRF)은 0에서 51까지입니다: {options.quality}. 18-28이 알맞습니다.",
            f"quality (CRF) goes from 0 to 51: {options.quality}. 18 to 28 is sensible.",
        )
    if options.engine == "moviepy" and find_spec("moviepy") is None:
        raise _no_moviepy()
    if options.engine == "moviepy" and options.show_attention:
        raise SettingError(
            "--show-attention는 --engine ffmpeg로만 그립니다. --engine을 빼세요.",
            "--show-attention is drawn by --engine ffmpeg only. Leave --engine out.",
        )
    if suffix in PICTURES and media.kind != "picture":
        raise SettingError(
            f"'{media.path.name}'은(는) 움직이는 영상이라 {suffix} 사진으로 만들 수 없습니다. "
            "-o 이름.mp4나 -o 이름.gif를 쓰세요.",
            f"'{media.path.name}' moves and cannot become a {suffix} picture. "
            "Use -o NAME.mp4 or -o NAME.gif.",
        )
    if suffix == ".gif" and media.duration_ms > _GIF_LIMIT_MS and media.kind == "video":
        raise SettingError(
            f"'{media.path.name}'은(는) GIF로 만들기에 너무 깁니다 "
            f"({media.duration_ms // 60000}분, 최대 10분). -o 이름.mp4를 쓰세요.",
            f"'{media.path.name}' is too long for a GIF "
            f"({media.duration_ms // 60000} min, at most 10). Use -o NAME.mp4.",
        )


def _size(media: MediaInfo, suffix: str, options: BurnOptions) -> tuple[int, int]:
    """Width and height of the result in pixels; films get even ones, as 4:2:0 colour needs."""
    width, height = media.width, media.height
    if suffix == ".gif" and media.kind == "video" and width > options.gif_width:
        return options.gif_width, max(1, round(height * options.gif_width / width))
    if suffix in FILMS:
        return max(2, width + width % 2), max(2, height + height % 2)
    return width, height


def _check_whole(temporary: Path, target: Path) -> None:
    """Exit codes lie on full disks: the result must open and its first frame decode."""
    try:
        probe(temporary)
    except VideoError:
        raise OutputError(
            f"'{target}'이(가) 온전히 쓰이지 않았습니다. 디스크 공간을 확인하세요.",
            f"'{target}' was not written whole. Check the free disk space.",
        ) from None


def _compose(job: Job, temporary: Path) -> None:
    """MoviePy lays text clips over the film.

    It reads a plain copy (upright, square pixels, constant rate), because on anything else it
    drifts, loses the sound's delay or takes the wrong size.
    """
    try:
        from moviepy import CompositeVideoClip, TextClip, VideoFileClip
    except ImportError:
        raise _no_moviepy() from None
    plain = _plain_copy(job)
    look = job.look
    style = {"font_size": look.em, "color": look.colour, "stroke_color": look.edge}
    style |= {"bg_color": (*look.edge, 191)} if look.box else {}
    with VideoFileClip(str(plain)) as film:
        texts = []
        for cue in job.found:
            stroke = 0 if look.box else max(1, round(0.08 * look.em))
            text = TextClip(
                font=str(job.font.path),
                text=cue.text,
                stroke_width=stroke,
                text_align="center",
                margin=_margin(look, stroke),
                **style,
            )
            end_s = min(cue.end_ms / 1000, film.duration)
            placed = text.with_start(cue.start_ms / 1000).with_end(end_s)
            texts.append(placed.with_position(("center", _top(look, text.h))))
        composed = CompositeVideoClip([film, *texts], size=film.size)
        try:
            _write_composed(job, composed, temporary)
        except OSError as error:  # what MoviePy says of its ffmpeg, over many lines
            raise _not_composed(job.media.path.name, str(error)) from None


def _margin(look: Look, stroke: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom; MoviePy forgets what hangs below the last line."""
    if not look.box:
        return (stroke,) * 4
    around = round(0.25 * look.em)
    return around, around, around, 2 * around


def _top(look: Look, height: int) -> int:
    """Where text of a height begins."""
    margin, room = round(0.05 * look.height), look.height - height
    return {"top": margin, "middle": room // 2, "bottom": room - margin}[look.position]


def _not_composed(name: str, said: str) -> OutputError:
    reason = " ".join(said.split())[-200:]
    return OutputError(
        f"moviepy가 '{name}'의 결과를 쓰지 못했습니다 ({reason}). --engine ffmpeg로 해 보세요.",
        f"moviepy could not write the result of '{name}' ({reason}). Try --engine ffmpeg.",
    )


def _no_moviepy() -> MissingExtra:
    return MissingExtra(
        "--engine moviepy에는 moviepy가 필요합니다. 설치하세요: pip install moviepy",
        "--engine moviepy needs moviepy. Install it: pip install moviepy",
    )


def _plain_copy(job: Job) -> Path:
    """A nearly lossless copy that MoviePy reads rightly."""
    plain = job.folder / "plain.mkv"
    even = f"{scaled(job)},scale=ceil(iw/2)*2:ceil(ih/2)*2,format=yuv420p"
    picture = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "8"]
    often = max(1.0, min(60.0, job.media.pace or job.media.frame_rate))
    rate = ["-fps_mode", "cfr", "-r", f"{often:g}"]
    sound = ["-map", "0:a:0?", "-c:a", "pcm_s16le", "-af", "aresample=async=1:first_pts=0"]
    tracks = ["-map", job.media.film, *(sound if job.media.has_audio else [])]
    source = media_arguments(job.media)
    job.run(*source, *tracks, "-vf", even, *picture, *rate, "-dn", "-sn", str(plain))
    return plain


def _write_composed(job: Job, film: Any, temporary: Path) -> None:
    suffix = temporary.suffix.lower()
    if suffix in PICTURES:
        film.save_frame(str(temporary), t=0)
    elif suffix == ".gif":
        film.write_gif(str(temporary), fps=job.options.gif_rate, logger=None)
    else:
        webm = suffix == ".webm"
        quality = ["-crf", str(job.options.quality), "-pix_fmt", "yuv420p"]
        film.write_videofile(
            str(temporary),
            codec="libvpx-vp9" if webm else "libx264",
            audio_codec="libopus" if webm else "aac",
            preset=job.options.preset,
            audio_fps=48000,  # Opus knows no 44,100
            temp_audiofile=str(job.folder / ("sound.webm" if webm else "sound.m4a")),
            ffmpeg_params=[*quality, *(["-b:v", "0", "-deadline", "realtime"] if webm else [])],
            logger=None,
        )
