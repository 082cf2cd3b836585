"""The command line of caption_video.py: its options and its help, in Korean and English."""

import argparse
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

from model.beam import BeamOptions
from model.gist import HedgeOptions
from video.draw import BurnOptions
from video.pipeline import PipelineOptions
from video.shots import ShotOptions

DEFAULT_MODEL = Path(__file__).resolve().parents[1] / "model" / "default.kcap"

_DESCRIPTION = {
    "ko": """영상, GIF, 사진에 보이는 것을 장면마다 한국어 한 문장으로 적어 넣습니다.

예:
  python caption_video.py film.mp4                  film.captioned.mp4 (소리 그대로)
  python caption_video.py film.mp4 -o film.srt      자막 파일만 (훨씬 빠름)
  python caption_video.py film.mp4 --captions film.srt    고친 자막을 다시 그려 넣기
  python caption_video.py film.mp4 --soft -o a.mkv -o .srt   끌 수 있는 자막과 파일, 한 번에
  python caption_video.py *.mp4 -o .srt             영상마다 옆에 자막 파일
  python caption_video.py a.mp4 b.gif -o results/   있는 폴더에 모으기
  python caption_video.py cat.jpg                   cat.captioned.jpg""",
    "en": """Writes what is seen in a video, GIF or picture: one Korean sentence a shot.

Examples:
  python caption_video.py film.mp4                  film.captioned.mp4, with its sound
  python caption_video.py film.mp4 -o film.srt      only subtitles (much faster)
  python caption_video.py film.mp4 --captions film.srt    burn subtitles that you edited
  python caption_video.py film.mp4 --soft -o a.mkv -o .srt   a track to switch off, and a file
  python caption_video.py *.mp4 -o .srt             subtitles beside each video
  python caption_video.py a.mp4 b.gif -o results/   into an existing folder
  python caption_video.py cat.jpg                   cat.captioned.jpg""",
}
_EPILOG = {
    "ko": "끝난 상태: 0 모두 됨, 1 하나라도 안 됨, 2 명령이 잘못됨, 130 Ctrl-C, 143 SIGTERM.",
    "en": "Exit status: 0 all done, 1 one or more failed, 2 wrong usage, 130 Ctrl-C, 143 SIGTERM.",
}


class _Parser(argparse.ArgumentParser):
    """Says usage errors on one line."""

    language = "ko"

    def error(self, message: str) -> NoReturn:
        said = {
            "ko": f"명령이 잘못되었습니다: {message} (도움말: --help)",
            "en": f"wrong usage: {message} (see --help)",
        }
        self.exit(2, f"caption_video: {' '.join(said[self.language].split())}\n")


def build_parser(language: str = "ko") -> argparse.ArgumentParser:
    """The command line, its help in Korean or English; defaults come from the option classes."""
    ko = language == "ko"
    parser = _Parser(
        prog="caption_video.py",
        usage="python caption_video.py INPUT... [-o OUTPUT] [--model FILE.kcap]",
        description=_DESCRIPTION[language],
        epilog=_EPILOG[language],
        formatter_class=partial(argparse.RawTextHelpFormatter, max_help_position=26, width=100),
        add_help=False,
        allow_abbrev=False,
    )
    parser.language = language
    _add_main(parser.add_argument_group("입력과 출력" if ko else "input and output"), ko)
    _add_shots(parser.add_argument_group("장면 나누기" if ko else "shots"), ko)
    _add_sentences(parser.add_argument_group("문장" if ko else "sentences"), ko)
    _add_burning(parser.add_argument_group("그려 넣기" if ko else "drawing"), ko)
    _add_rest(parser.add_argument_group("그 밖" if ko else "other"), ko)
    return parser


def _add_main(group: Any, ko: bool) -> None:
    add = group.add_argument
    add(
        "inputs",
        nargs="*",
        metavar="INPUT",
        help="영상, GIF, 사진" if ko else "videos, GIFs, pictures",
    )
    add(
        *("-o", "--output"),
        action="append",
        metavar="OUTPUT",
        help="결과 파일. 끝이 형식을 정합니다:\n"
        "  그려 넣기  .mp4 .mkv .mov .webm .gif\n"
        "  글로만     .srt .vtt .ass .json .txt\n"
        "입력이 여럿이면 있는 폴더, 또는 형식만 (.srt, 폴더/.srt)\n"
        "여러 번 주면 한 번 보고 모두 만듦\n"
        "(없으면 입력 옆에: film.captioned.mp4 .gif .jpg)"
        if ko
        else "result file; its ending decides:\n"
        "  drawn into the picture  .mp4 .mkv .mov .webm .gif\n"
        "  text only               .srt .vtt .ass .json .txt\n"
        "for several inputs an existing folder or only a format (.srt, folder/.srt)\n"
        "may be given several times: looked at once, written in every form\n"
        "(default: beside the input: film.captioned.mp4 .gif .jpg)",
    )
    add(
        "--captions",
        type=Path,
        metavar="FILE",
        help="영상을 보는 대신 이 자막을 씀 (.srt .vtt .ass .json)"
        if ko
        else "these captions instead of looking (.srt .vtt .ass .json)",
    )
    add(
        "--overwrite",
        action="store_true",
        help="이미 있는 결과를 덮어쓰기 (입력은 결코 덮어쓰지 않음)"
        if ko
        else "replace an existing result (never the input)",
    )
    add(
        "--model",
        type=Path,
        default=DEFAULT_MODEL,
        metavar="FILE.kcap",
        help="캡션 모델 파일 (기본: model/default.kcap)"
        if ko
        else "captioner file (default: model/default.kcap)",
    )


def _add_shots(group: Any, ko: bool) -> None:
    default = ShotOptions()
    rows = {
        "--min-shot": ("min_shot_ms", _milliseconds, "SECONDS", "가장 짧은 장면", "shortest shot"),
        "--max-shot": (
            *("max_shot_ms", _milliseconds, "SECONDS"),
            *("가장 긴 장면; 더 길면 바뀌는 데서 나눔", "longest shot; split where it changes"),
        ),
        "--frames": (
            *("frames_per_shot", partial(_whole, low=1, high=64), "N"),
            *("장면마다 함께 볼 그림의 수", "pictures of a shot looked at together"),
        ),
        "--sensitivity": (
            *("sensitivity", _share, "0..1"),
            *("클수록 장면을 더 잘게 나눔", "higher finds more cuts"),
        ),
    }
    for flag, (name, kind, metavar, korean, english) in rows.items():
        value = getattr(default, name)
        shown = f"{value / 1000:g}" if name.endswith("_ms") else f"{value:g}"
        told = f"{korean} (기본: {shown})" if ko else f"{english} (default: {shown})"
        group.add_argument(flag, dest=name, type=kind, default=value, metavar=metavar, help=told)


def _add_sentences(group: Any, ko: bool) -> None:
    default = BeamOptions()
    group.add_argument(
        "--beam",
        type=partial(_whole, low=1, high=64),
        default=default.beam,
        metavar="N",
        help=f"함께 견주는 문장의 수; 1이 가장 빠름 (기본: {default.beam})"
        if ko
        else f"sentences weighed side by side; 1 is fastest (default: {default.beam})",
    )
    group.add_argument(
        "--alternatives",
        type=partial(_whole, low=0, high=63),
        default=PipelineOptions().alternatives,
        metavar="N",
        help="JSON에 함께 적을 다른 문장의 수; --beam보다 적음 (기본: 0)"
        if ko
        else "other sentences to tell in JSON; fewer than --beam (default: 0)",
    )
    least = HedgeOptions().min_confidence
    group.add_argument(
        "--min-confidence",
        type=_share,
        default=least,
        metavar="0..1",
        help=f'확신이 이보다 낮으면 넓은 말로 ("동물이 보인다"); 0이면 늘 자세히 (기본: {least})'
        if ko
        else f"when less sure, say it in general words; 0: never (default: {least})",
    )


def _add_burning(group: Any, ko: bool) -> None:
    default = BurnOptions()
    add = group.add_argument
    add(
        "--soft",
        action="store_true",
        default=default.soft,
        help="그려 넣지 않고 끌 수 있는 자막으로 (다시 인코딩하지 않아 빠름)"
        if ko
        else "a track to switch off instead of drawing (fast: nothing is encoded again)",
    )
    add(
        "--quality",
        type=partial(_whole, low=0, high=51),
        default=default.quality,
        metavar="CRF",
        help=f"x264 {default.preset}의 CRF: 작을수록 좋고 큼 (기본: {default.quality})"
        if ko
        else f"CRF of x264 {default.preset}: lower is better, bigger (default: {default.quality})",
    )
    add(
        "--font",
        type=Path,
        default=default.font,
        metavar="FILE",
        help="한글 글꼴 파일 (기본: Noto Sans KR)" if ko else "Hangul font (default: Noto Sans KR)",
    )
    add(
        "--engine",
        choices=("ffmpeg", "moviepy"),
        default=default.engine,
        help=f"그리는 도구; moviepy는 2-4배 느림 (기본: {default.engine})"
        if ko
        else f"what draws; moviepy is 2-4 times slower (default: {default.engine})",
    )
    for name, kind, korean, english in (
        (
            "gif_rate",
            partial(_number, low=0.1, high=50),
            "GIF의 초당 그림 수",
            "pictures a second of a GIF",
        ),
        (
            "gif_width",
            partial(_whole, low=16, high=4096),
            "GIF의 최대 너비",
            "greatest width of a GIF",
        ),
    ):
        value = getattr(default, name)
        told = f"{korean} (기본: {value:g})" if ko else f"{english} (default: {value:g})"
        flag = "--" + name.replace("_", "-")
        add(flag, dest=name, type=kind, default=value, metavar="N", help=told)


def _add_rest(group: Any, ko: bool) -> None:
    add = group.add_argument
    add(
        "-q",
        "--quiet",
        action="store_true",
        help="결과 경로만 출력" if ko else "print only result paths",
    )
    add(
        "--lang",
        choices=("ko", "en"),
        default="ko",
        help="안내 말 (기본: ko)" if ko else "language of messages (default: ko)",
    )
    add(
        "--about",
        action="store_true",
        help="캡션 모델의 출처와 이용 조건" if ko else "the captioner's sources and terms",
    )
    add("-h", "--help", action="help", help="이 도움말" if ko else "this help")


def _milliseconds(text: str) -> int:
    return round(1000 * _number(text.removesuffix("s"), low=0.1, high=3600))


def _share(text: str) -> float:
    return _number(text, low=0, high=1)


def _whole(text: str, low: int, high: int) -> int:
    number = _number(text, low, high)
    if number != int(number):
        raise argparse.ArgumentTypeError(f"{text!r}: {low}, {low + 1}, ... {high}")
    return int(number)


def _number(text: str, low: float, high: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not low <= number <= high:
        raise argparse.ArgumentTypeError(f"{text!r}: {low:g} ... {high:g}")
    return number


def language_of(arguments: Sequence[str]) -> str:
    """The language asked for, known before the command line is read: its errors need it."""
    asked = [b for a, b in pairwise(arguments) if a == "--lang"]
    return "en" if "--lang=en" in arguments or "en" in asked else "ko"
