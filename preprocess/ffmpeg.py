"""The one place where ffmpeg's command line is built and run: white-lists, limits, kill."""

import os
import re
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import imageio_ffmpeg
import numpy as np
import numpy.typing as npt

from preprocess.errors import MissingExtra, OutputError, VideoError
from preprocess.media import Limits, MediaInfo

# Containers that hold their own pictures. Playlists (hls, dash, concat, sdp, ...) and the
# numbered sequences of image2 are not among them: they make ffmpeg open other files.
PROTOCOLS = "file"
FORMATS = ",".join(
    (
        "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,mxf,rm,dv,nut",
        "ivf,obu,h264,hevc,m4v,mjpeg,yuv4mpegpipe,gif,apng,webp,webp_anim,avif",
        "png_pipe,jpeg_pipe,webp_pipe,bmp_pipe,tiff_pipe,gif_pipe",
        "mp3,wav,flac,aac",  # met by name, so that 'sound only' can be said
    )
)
_OUTPUT_TROUBLE = re.compile(
    r"no space left|quota exceeded|file too large|read-only file system", re.IGNORECASE
)
_EMPTY_PHRASE = re.compile(
    r"^(conversion failed|error opening (input|output) files?( |$)|nothing was written|"
    r"task finished with error|terminating thread|error while (filtering|decoding))",
    re.IGNORECASE,
)


def input_arguments(path: Path, *options: str) -> list[str]:
    """The arguments that open one media file and nothing else; options come before its -i.

    The name goes in as file: and an absolute path: 'a:b.mp4', '-x.mp4', 'concat:x' stay names.
    """
    lists = ["-protocol_whitelist", PROTOCOLS, "-format_whitelist", FORMATS]
    return [*options, *lists, "-i", f"file:{path.absolute()}"]


def media_arguments(media: MediaInfo, *options: str) -> list[str]:
    """The same of what was probed already: in its own format, within its limits."""
    known = ["-f", media.demuxer] if media.demuxer else []
    bounds = ["-max_pixels", str(media.limits.pixels)]  # sizes can change in mid-stream
    return input_arguments(media.path, *options, *known, *bounds)


def run(
    arguments: Sequence[str],
    *,
    on_progress: Callable[[int], None] | None = None,
    timeout_s: float = 24 * 3600.0,
) -> None:
    """Runs ffmpeg to its end; on_progress gets the output time reached, in milliseconds.

    Outputs are overwritten (-y): give it a path from whole_file. Whatever ends this call early,
    an interrupt too, ends ffmpeg with it.

    Raises:
        VideoError: ffmpeg failed or ran past timeout_s.
        OutputError: there is no space to write.
    """
    head = ["-nostdin", "-nostats", "-y", "-progress", "pipe:1"]
    late = threading.Event()
    with _started([*head, *arguments], subprocess.DEVNULL) as (process, _, tail):
        timer = threading.Timer(timeout_s, _stop, args=(process, late))
        try:
            timer.start()
            _follow(process, on_progress)
        finally:
            timer.cancel()
    if late.is_set():
        raise _too_slow(timeout_s)
    if process.returncode != 0:
        raise _failure(process.returncode, tuple(tail))


@contextmanager
def piped_pictures(side: int, rate: int) -> Iterator[Iterator[npt.NDArray[np.uint8]]]:
    """The film that standard input brings: uint8 RGB (side, side, 3), `rate` a second.

    They may be read in another thread; leaving ends ffmpeg and with it the reading.

    Raises:
        VideoError: while reading: it is no film, has no picture, or ffmpeg died in the middle.
    """
    lists = ["-protocol_whitelist", "pipe", "-format_whitelist", FORMATS]
    lists += ["-max_pixels", str(Limits().pixels)]
    wanted = ["-map", "0:V:0", "-vf", f"fps={rate},scale={side}:{side}:flags=area"]
    coded = ["-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"]
    arguments = [*lists, "-i", "pipe:0", *wanted, *coded]
    with _started(arguments, None) as (process, reader, tail):
        yield _pictures(process, side, reader, tail)


@contextmanager
def _started(
    arguments: Sequence[str], stdin: int | None
) -> Iterator[tuple["subprocess.Popen[bytes]", threading.Thread, deque[str]]]:
    """A running ffmpeg, the thread that reads its stderr, and the last lines of that.

    However this is left, ffmpeg ends.
    """
    process = subprocess.Popen(
        [_binary(), "-hide_banner", "-loglevel", "error", *arguments],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # its own group: a terminal's Ctrl-C reaches only us
    )
    tail: deque[str] = deque(maxlen=20)
    reader = threading.Thread(target=_gather, args=(process.stderr, tail), daemon=True)
    try:
        reader.start()
        yield process, reader, tail
    finally:
        _kill(process)
        reader.join(timeout=5)
        _close(process)


def _pictures(
    process: "subprocess.Popen[bytes]", side: int, reader: threading.Thread, tail: deque[str]
) -> Iterator[npt.NDArray[np.uint8]]:
    size, count = side * side * 3, 0
    while process.stdout and len(data := process.stdout.read(size)) == size:
        count += 1
        yield np.frombuffer(data, np.uint8).reshape(side, side, 3)
    if process.wait() != 0:  # a film that only breaks off, ffmpeg takes for whole
        reader.join(timeout=5)
        raise _broken_pipe(process.returncode, tuple(tail), count)


def _broken_pipe(status: int, lines: Sequence[str], count: int) -> VideoError:
    if any("matches no streams" in line for line in lines):
        return VideoError(
            "파이프로 온 것에 그림이 없습니다 (소리뿐). 그림이 있는 영상을 보내세요.",
            "there is no picture in what the pipe brings, only sound. Send a film with pictures.",
        )
    if count:
        reason = _reason(status, lines)
        return VideoError(
            f"파이프의 영상이 그림 {count}개 뒤에 끊겼습니다 ({reason}). 다시 시작하세요.",
            f"the film of the pipe broke off after {count} pictures ({reason}). Start it again.",
        )
    korean, english = _failure(status, lines).args
    return VideoError(
        f"{korean} MP4는 -movflags +faststart로 만든 것만 파이프로 읽습니다.",
        f"{english} An MP4 can be piped only if it was made with -movflags +faststart.",
    )


def _follow(process: "subprocess.Popen[bytes]", on_progress: Callable[[int], None] | None) -> None:
    """Reports the output time until ffmpeg has ended by itself."""
    for line in process.stdout or ():
        key, _, value = line.strip().partition(b"=")
        if on_progress and key == b"out_time_us" and value.isdigit():
            on_progress(int(value) // 1000)
    process.wait()


def _gather(stderr: IO[bytes], tail: deque[str]) -> None:
    """Reads stderr to its end, so that ffmpeg never waits for a reader."""
    tail.extend(line[:500].decode("utf-8", "replace").strip() for line in stderr)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """Ends the process with its children and waits for it; harmless when it has ended."""
    if process.poll() is None:
        with suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:  # Windows has no groups
                process.kill()
        process.wait()


def _stop(process: "subprocess.Popen[bytes]", late: threading.Event) -> None:
    late.set()
    _kill(process)


def _close(process: "subprocess.Popen[bytes]") -> None:
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _binary() -> str:
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:
        raise MissingExtra(
            "ffmpeg을(를) 찾을 수 없습니다. 설치하세요: pip install imageio-ffmpeg",
            "ffmpeg was not found. Install it: pip install imageio-ffmpeg",
        ) from None


def _too_slow(timeout_s: float) -> VideoError:
    return VideoError(
        f"ffmpeg이 {timeout_s:g}초 안에 끝나지 않아 멈췄습니다. 더 짧은 영상으로 나누세요.",
        f"ffmpeg did not finish within {timeout_s:g} s and was stopped. Split the video.",
    )


def _reason(status: int, lines: Sequence[str]) -> str:
    """Ffmpeg's last line that says something."""
    said = [re.sub(r"^(\[[^\]]*\]\s*)+", "", line) for line in lines]
    telling = [line for line in said if line and not _EMPTY_PHRASE.match(line)]
    return (telling or said or [f"exit status {status}"])[-1]


def _failure(status: int, lines: Sequence[str]) -> VideoError | OutputError:
    """The error for a non-zero exit."""
    reason = _reason(status, lines)
    if any(_OUTPUT_TROUBLE.search(line) for line in lines):
        return OutputError(
            f"결과를 쓸 자리가 없습니다 ({reason}). 디스크 공간을 비우세요.",
            f"there is no room to write the result ({reason}). Free some disk space.",
        )
    return VideoError(
        f"ffmpeg이 실패했습니다: {reason}. 입력 파일이 재생되는지 확인하세요.",
        f"ffmpeg failed: {reason}. Check that the input plays.",
    )
