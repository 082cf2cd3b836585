"""Where each result goes and who writes it; every refusal comes before any work."""

import errno
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from preprocess.errors import OutputError, SettingError
from preprocess.files import check_free, is_folder, whole_file
from preprocess.frames import MediaInfo
from video.burn import burn, check_settings
from video.draw import FILMS, PICTURES, BurnOptions, Progress
from video.fonts import hangul_font
from video.heat import drawings
from video.page import to_page
from video.schema import alt_text, schema_org
from video.soft import add_track, check_soft, left_out
from video.style import look_for
from video.subtitles import SubtitleOptions, cues, to_ass, to_srt, to_text, to_vtt
from video.track import Track, to_json, with_confidence

SUBTITLES = (".srt", ".vtt", ".ass", ".json", ".txt", ".html")
BURNED = (*FILMS, ".gif", *PICTURES)
SUFFIXES = (*FILMS, ".gif", *SUBTITLES)


def check_output(output: str | None, inputs: Sequence[Path]) -> None:
    """Refuses an -o that cannot serve the inputs, whatever they hold.

    Raises:
        SettingError: its suffix is unknown, or it names one file for several inputs.
        OutputError: its folder does not exist.
    """
    if output is None or is_folder(output):
        return
    path = Path(output)
    if _is_folder(output):
        raise _no_folder(path)
    bare = is_bare_suffix(path)
    suffix = (path.name if bare else path.suffix).lower()
    if suffix not in SUFFIXES + PICTURES:
        known = " ".join(SUFFIXES)
        raise SettingError(
            f"'{output}'의 형식을 모릅니다. 끝을 다음 가운데 하나로 하세요: {known}",
            f"unknown output format in '{output}'. End it in one of: {known}",
        )
    if len(inputs) > 1 and not bare:
        raise SettingError(
            f"입력이 {len(inputs)}개인데 -o '{output}'은(는) 파일 하나입니다. "
            f"있는 폴더나 '-o {suffix}'처럼 형식만 주세요.",
            f"{len(inputs)} inputs but -o '{output}' is one file. "
            f"Give an existing folder, or only a format: -o {suffix}",
        )
    if not is_folder(path.parent):
        raise _no_folder(path.parent)


def target_for(media: MediaInfo, output: str | None, soft: bool = False) -> Path:
    """The file that a medium's result goes to.

    Without output: beside the input, 'film.captioned.mp4'. A folder: in it, by the same name.
    A bare suffix ('.srt', 'folder/.srt'): 'film.srt' (burned ones: 'film.captioned.webm').
    A film that is not burned but gets a soft track stays in its own container where it can.
    """
    stem, own = media.path.stem, media.path.suffix.lower()
    if output is not None and not _is_folder(output):
        path = Path(output)
        if not is_bare_suffix(path):
            return path
        return in_folder(media.path, folder_of(output, media.path), path.name)
    suffix = ".mp4" if media.kind == "video" else ".gif"
    if soft and media.kind == "video":
        suffix = own if own in FILMS else ".mkv"
    if media.kind == "picture" and own != ".gif":
        suffix = own if own in PICTURES else ".png"
    folder = media.path.parent if output is None else Path(output)
    return folder / f"{stem}.captioned{suffix}"


def in_folder(film: Path, folder: Path, suffix: str) -> Path:
    """A film's result of this form in a folder: 'film.srt', 'film.captioned.webm'."""
    suffix = suffix.lower()
    return folder / f"{film.stem}{'' if suffix in SUBTITLES else '.captioned'}{suffix}"


def shows_attention(suffixes: Iterable[str]) -> bool:
    """Whether one of these forms has a place for where the captioner looked."""
    return any(suffix in (*BURNED, ".ass", ".json") for suffix in suffixes)


def taken(target: Path, first: Path) -> OutputError:
    """What is said of a result that two films have."""
    return OutputError(
        f"'{first}'의 결과도 '{target}'입니다. 다른 이름을 주거나 따로 실행하세요.",
        f"the result '{target}' is that of '{first}' too. Give another name, or run them apart.",
    )


def check_attention(targets: Sequence[Path]) -> None:
    """Raises SettingError unless one of the results can show where the captioner looked."""
    if not shows_attention(target.suffix.lower() for target in targets):
        raise SettingError(
            f"{targets[0].suffix}에는 --show-attention이 보일 자리가 없습니다. -o .mp4나 "
            "-o .json을 더하세요.",
            f"{targets[0].suffix} has no place for --show-attention. Add -o .mp4 or -o .json.",
        )


def check_target(
    media: MediaInfo,
    target: Path,
    inputs: Sequence[Path],
    overwrite: bool,
    options: BurnOptions,
) -> None:
    """Refuses before any work what must not be written.

    Raises:
        OutputError: target is one of the inputs, or exists and overwrite is off.
        SettingError: the format or a setting does not suit the medium.
    """
    try:
        is_input = target.exists() and any(p.exists() and target.samefile(p) for p in inputs)
    except OSError as error:  # too long a name, a folder that may not be entered
        raise _unusable(target, error.strerror) from None
    if is_input:
        raise OutputError(
            f"출력 '{target}'이(가) 입력 파일입니다. -o로 다른 이름을 주세요.",
            f"output '{target}' is an input. Give another name with -o.",
        )
    check_free(target, overwrite)
    if is_folder(target):
        raise _unusable(target, "folder")
    if not os.access(target.parent, os.W_OK):
        raise _unusable(target, os.strerror(errno.EACCES))
    if target.suffix.lower() == ".html" and media.kind != "video":
        raise SettingError(
            f"'{media.path.name}'은(는) 영상이 아니어서 .html로 만들 수 없습니다. .txt를 쓰세요.",
            f"'{media.path.name}' is no film that a page could play. Use .txt instead of .html.",
        )
    if options.soft and target.suffix.lower() in BURNED:
        if options.show_attention:
            raise SettingError(
                "--soft는 아무것도 그려 넣지 않습니다. --show-attention이나 --soft를 빼세요.",
                "--soft draws nothing. Leave --show-attention or --soft out.",
            )
        check_soft(media, target.suffix.lower())
    elif target.suffix.lower() in BURNED:
        check_settings(media, target.suffix.lower(), options)


def lost(media: MediaInfo, target: Path, options: BurnOptions) -> OutputError | None:
    """What to tell of the film's own subtitles that its result will not have; None: all stay."""
    suffix = target.suffix.lower()
    if not media.subtitles or suffix not in FILMS:
        return None
    if not options.soft:
        return OutputError(
            f"'{media.path.name}'에 든 자막 {media.subtitles}개는 그려 넣은 '{target}'에 옮기지 "
            "않습니다. 남기려면 --soft로 하세요.",
            f"'{media.path.name}' has subtitles of its own ({media.subtitles}), which the burned "
            f"'{target}' will not have. Keep them with --soft.",
        )
    count = left_out(media, suffix)
    return _left_out(media, target, count) if count else None


def write(
    media: MediaInfo,
    track: Track,
    target: Path,
    options: BurnOptions,
    on_progress: Progress | None = None,
) -> None:
    """Writes the track in the format of target's suffix, whole or not at all.

    Raises:
        CaptioningError: target cannot be written.
    """
    if options.show_confidence and target.suffix.lower() != ".json":  # which tells it anyway
        track = with_confidence(track)
    if options.soft and target.suffix.lower() in BURNED:
        add_track(media, track, target, on_progress)
        return
    if target.suffix.lower() in BURNED:
        burn(media, track, target, options, on_progress)
        return
    text = _text(media, track, target, options)
    with whole_file(target) as temporary:
        temporary.write_text(text or "\n", encoding="utf-8", newline="\n")


def _text(media: MediaInfo, track: Track, target: Path, options: BurnOptions) -> str:
    suffix = target.suffix.lower()
    if suffix == ".json":
        about = schema_org(track, media.kind == "picture")
        return to_json(track, {"alt_text": alt_text(track), "schema_org": about})
    if suffix == ".html":
        return to_page(cues(track), media.path, target.parent)
    if suffix == ".ass":
        font = hangul_font(options.font)
        look = look_for(media.width, media.height, font, options.look)
        heat = drawings(track, look) if options.show_attention else ()
        return to_ass(cues(track, SubtitleOptions(line_width=look.line_width)), look, heat)
    found = cues(track, SubtitleOptions())
    return {".srt": to_srt, ".vtt": to_vtt, ".txt": to_text}[suffix](found)


def _left_out(media: MediaInfo, target: Path, count: int) -> OutputError:
    is_mkv = target.suffix.lower() == ".mkv"
    return OutputError(
        f"'{media.path.name}'에 든 자막 {count}개는 '{target}'에 담을 수 없어 뺍니다. "
        f"{'남기려면 원본도 두세요.' if is_mkv else '남기려면 -o 이름.mkv로 하세요.'}",
        f"'{target}' cannot hold {count} of the subtitle tracks of '{media.path.name}'. "
        f"{'Keep the film too.' if is_mkv else 'To keep them use -o NAME.mkv.'}",
    )


def _no_folder(path: Path) -> OutputError:
    return OutputError(
        f"출력 폴더 '{path}'이(가) 없습니다. 먼저 만드세요.",
        f"output folder '{path}' does not exist. Create it first.",
    )


def _unusable(target: Path, reason: str | None) -> OutputError:
    return OutputError(
        f"'{target}'에 쓸 수 없습니다 ({reason}). -o로 다른 이름이나 폴더를 주세요.",
        f"cannot write '{target}' ({reason}). Give another name or folder with -o.",
    )


def _is_folder(output: str) -> bool:
    return is_folder(output) or output.endswith(("/", "\\"))


def folder_of(output: str, film: Path) -> Path:
    """Where a bare suffix puts a film's result: beside the film, but for one that has a folder."""
    return Path(output).parent if "/" in output or "\\" in output else film.parent


def is_bare_suffix(path: Path) -> bool:
    """Whether a path is a folder's, if any, and a suffix alone: '.srt', 'folder/.srt'."""
    return path.name.startswith(".") and not path.suffix
