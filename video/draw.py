"""Captions drawn by ffmpeg's libass inside the one encode: films, GIFs and still pictures."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from preprocess.errors import VideoError
from preprocess.ffmpeg import input_arguments, media_arguments, run
from preprocess.frames import MediaInfo
from video.fonts import Font
from video.style import Look, StyleOptions
from video.subtitles import Cue, to_ass

Progress = Callable[[int], None]
FILMS = (".mp4", ".mkv", ".mov", ".webm")
PICTURES = (".jpg", ".jpeg", ".png")
_MUXERS = {".mp4": "mp4", ".mkv": "matroska", ".mov": "mov", ".webm": "webm", ".gif": "gif"}
# Sound is copied where one of these muxers takes it. Those of MP4 stand for what every player
# knows inside MP4 (AAC, ALAC, AC-3; MP3): its own muxer takes raw PCM too, which browsers do not.
_COPYABLE = {".mp4": ("ipod", "mp3"), ".mkv": ("matroska",), ".mov": ("mov",), ".webm": ("webm",)}
_ONE_PASS_BYTES = 150_000_000


@dataclass(frozen=True)
class BurnOptions:
    """How captions are drawn and encoded; the only place where these defaults are written.

    Attributes:
        quality: x264's constant rate factor, 0 (lossless) to 51; 23 is its own default.
        font: a font file with Hangul; None is the one that comes with the project.
        engine: "ffmpeg" draws with libass; "moviepy" composes in Python, slower.
        preset: x264's speed.
        gif_rate: frames a second of a GIF made from a film.
        gif_width: pixels; a wider film is scaled down to it.
        gif_max_mb: megabytes (10**6 bytes) that a GIF may have; it gets smaller until it fits.
            0: any.
        look: how the text looks.
        show_confidence: True writes after every sentence how sure it is, in percent.
        show_attention: True lays over every shot where the captioner looked.
        soft: True draws nothing: films get a track that a player can switch off.
    """

    quality: int = 23
    font: Path | None = None
    engine: Literal["ffmpeg", "moviepy"] = "ffmpeg"
    preset: str = "veryfast"
    gif_rate: float = 10.0
    gif_width: int = 480
    gif_max_mb: float = 0.0
    look: StyleOptions = field(default_factory=StyleOptions)
    show_confidence: bool = False
    show_attention: bool = False
    soft: bool = False


@dataclass(frozen=True)
class Job:
    """All that drawing one result needs; files in folder have plain ASCII names."""

    media: MediaInfo
    found: Sequence[Cue]
    look: Look
    font: Font
    options: BurnOptions
    folder: Path
    on_progress: Progress | None
    heat: Sequence[Cue] = ()

    def run(self, *arguments: str) -> None:
        """Runs ffmpeg, bounded in time by the film's length."""
        limit_s = self.media.limits.seconds(self.media.duration_ms)
        run(arguments, on_progress=self.on_progress, timeout_s=limit_s)


def draw(job: Job, temporary: Path) -> None:
    """Writes temporary; its suffix says the format."""
    suffix = temporary.suffix.lower()
    source = media_arguments(job.media)
    if suffix == ".gif":
        _draw_gif(job, source, temporary)
    elif suffix in PICTURES:
        pixels = "rgba|rgb24" if suffix == ".png" else "yuvj444p"
        flat = _flat(job.media) if suffix != ".png" else ""
        filters = f"{flat}{scaled(job)},format={pixels},{_captions(job)}"
        once = ["-frames:v", "1", "-update", "1", "-q:v", "2"]
        still = ["-map", job.media.film, "-vf", filters, *once]
        codec = ["-c:v", "png" if suffix == ".png" else "mjpeg", "-f", "image2"]
        job.run(*source, *still, *codec, str(temporary.absolute()))
    else:
        filters = f"{_flat(job.media)}{scaled(job)},format=yuv420p,{_captions(job)}"
        picture = ["-map", job.media.film, "-vf", filters, *_picture_codec(suffix, job)]
        times = ["-fps_mode", "vfr", "-enc_time_base", "demux"]
        sound = _sound_arguments(job, suffix) if job.media.has_audio else []
        job.run(*source, *picture, *times, *sound, "-dn", "-sn", *output_arguments(temporary))


def scaled(job: Job) -> str:
    """The filters that bring every frame to the result's size; nothing where it has it."""
    scale = f"scale={job.look.width}:{job.look.height}:flags=bicubic"
    if job.media.kind == "video":
        paced = f",fps={job.media.pace:g}" if job.media.pace else ""
        return f"{_steady(job.media)}{plain(job.media)}{scale},setsar=1{paced}"
    if job.media.kind == "picture":  # a still becomes a film by standing still
        stands = f"fps=25,tpad=stop_mode=clone:stop_duration={job.media.duration_ms}ms,"
        scale = stands + scale
    # Pictures are RGB: say which matrix their colours are coded with, or players guess.
    return f"{scale}:out_color_matrix=bt709:out_range=tv,setsar=1"


def _steady(media: MediaInfo) -> str:
    """The filter that leaves out frames with a wrong time: after them nothing would be drawn."""
    times = [(media.start_ms + stray) / 1000 for stray in sorted(media.strays)]
    wrong = "+".join(f"between(t,{time - 0.001:.4f},{time + 0.001:.4f})" for time in times)
    return f"select='not({wrong})'," if wrong else ""


def plain(media: MediaInfo) -> str:
    """The filter that makes whole moments of woven ones; those that are whole pass as they are."""
    return "bwdif=mode=send_frame:deint=interlaced," if media.interlaced else ""


def _flat(media: MediaInfo) -> str:
    """The filters that lay what can be seen through on white, as it was looked at."""
    if not media.has_alpha:
        return ""
    white = "drawbox=w=iw:h=ih:color=white:t=fill:replace=1"
    return f"format=rgba,split[top][base];[base]{white}[white];[white][top]overlay=format=auto,"


def _captions(job: Job) -> str:
    """The filter that draws the cues with the font and nothing from the system's folders."""
    fonts = job.folder / "fonts"
    if not fonts.exists():
        fonts.mkdir()
        shutil.copyfile(job.font.path, fonts / f"font{job.font.path.suffix}")
    subtitles = job.folder / "captions.ass"
    subtitles.write_text(to_ass(job.found, job.look, job.heat), encoding="utf-8")
    return f"ass=filename={_quoted(subtitles)}:fontsdir={_quoted(fonts)}:alpha=1"


def _quoted(path: Path) -> str:
    r"""A path inside a filter graph: escaped as an option's value, then as the graph's text."""
    value = str(path.absolute())
    for special in ("\\':", "\\'[],;"):
        value = "".join(f"\\{c}" if c in special else c for c in value)
    return value


def _picture_codec(suffix: str, job: Job) -> list[str]:
    options = job.options
    if suffix == ".webm":  # VP9's scale goes to 63; 31 looks like x264's 23
        crf = str(min(63, options.quality + 8))
        speed = ["-deadline", "realtime", "-cpu-used", "7", "-row-mt", "1"]
        return ["-c:v", "libvpx-vp9", "-crf", crf, "-b:v", "0", *speed]
    # MP4 counts the times of decoding: with B frames a pause near the end is not part of the film
    ordered = ["-bf", "0"] if job.media.kind == "animation" else []
    return ["-c:v", "libx264", "-preset", options.preset, "-crf", str(options.quality), *ordered]


def _sound_arguments(job: Job, suffix: str) -> list[str]:
    """All sound tracks: copied where the container takes them, encoded otherwise.

    Damaged ones are encoded, with silence for what is lost; those without any sound are left out.
    """
    encoder = ["libopus", "-b:a", "128k"] if suffix == ".webm" else ["aac", "-b:a", "160k"]
    if _plays(job, "0:a", "-xerror"):
        kept = any(_takes(job, muxer) for muxer in _COPYABLE[suffix])
        return ["-map", "0:a", "-c:a", *(["copy"] if kept else encoder)]
    heard = [f"0:a:{i}" for i in range(job.media.sounds) if _plays(job, f"0:a:{i}")]
    maps = [part for track in heard for part in ("-map", track)]
    return [*maps, "-c:a", *encoder, "-af", "aresample=async=1:first_pts=0"] if heard else []


def _plays(job: Job, tracks: str, *options: str) -> bool:
    """Whether the sound tracks can be decoded; with -xerror: to their end without an error."""
    something = ["-abort_on", "empty_output_stream", "-f", "null", "-"]
    source = media_arguments(job.media)
    try:
        limit_s = job.media.limits.seconds(job.media.duration_ms)
        run([*options, *source, "-map", tracks, *something], timeout_s=limit_s)
    except VideoError:
        return False
    return True


def _takes(job: Job, muxer: str) -> bool:
    """Whether a muxer accepts the sound tracks as they are."""
    source = media_arguments(job.media)
    return takes(source, ["-map", "0:a"], ["-f", muxer, str(job.folder / "sound")])


def takes(source: Sequence[str], maps: Sequence[str], ending: Sequence[str]) -> bool:
    """Whether a muxer accepts these streams as they are: asked of the muxer itself.

    Args:
        source: the arguments that open the film.
        maps: which of its streams.
        ending: the arguments that name the muxer and where it may write.

    Raises:
        OutputError: there is no room to try.
    """
    try:
        trial = ["-c", "copy", "-t", "0.5", *ending]
        run([*source, *maps, *trial], timeout_s=60)
    except VideoError:
        return False
    return True


def _draw_gif(job: Job, source: list[str], temporary: Path) -> None:
    """One palette for all frames; found in a pass of its own where frames would fill memory."""
    keeps_times = job.media.kind != "video"
    rate = min(job.options.gif_rate, job.media.pace or job.media.frame_rate)
    is_short = job.media.duration_ms * rate < 1000  # of which fps would leave nothing
    paced = "" if keeps_times or is_short else f"fps={rate:g},"
    scale = f"scale={job.look.width}:{job.look.height}:flags=lanczos"
    media = job.media
    drawn = f"[{media.film}]{_steady(media)}{plain(media)}{paced}{scale},setsar=1,{_captions(job)}"
    apply = "paletteuse=dither=bayer:bayer_scale=3:diff_mode=rectangle"
    ending = ["-fps_mode", "passthrough" if keeps_times else "cfr", "-loop", "0"]
    frame_count = job.media.duration_ms / 1000 * (job.media.frame_rate if keeps_times else rate)
    if 4 * job.look.width * job.look.height * frame_count <= _ONE_PASS_BYTES:
        graph = f"{drawn},split[a][b];[a]palettegen[p];[b][p]{apply}"
        job.run(*source, "-lavfi", graph, *ending, *output_arguments(temporary))
        return
    palette = job.folder / "palette.png"
    once = ["-frames:v", "1", "-update", "1", "-f", "image2", str(palette)]
    job.run(*source, "-lavfi", f"{drawn},palettegen", *once)
    both = [*source, *input_arguments(palette)]
    job.run(*both, "-lavfi", f"{drawn}[b];[b][1:v]{apply}", *ending, *output_arguments(temporary))


def output_arguments(temporary: Path) -> list[str]:
    """The end of a command line that writes temporary in the format of its suffix."""
    muxer = _MUXERS[temporary.suffix.lower()]
    front = ["-movflags", "+faststart"] if muxer in ("mp4", "mov") else []
    return [*front, "-f", muxer, f"file:{temporary.absolute()}"]
