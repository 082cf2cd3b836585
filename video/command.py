"""The command line of caption_video.py: its help, in Korean and English, and its errors.

`python -m video.batch` reads its own in the same way.
"""

import argparse
from collections.abc import Sequence
from functools import partial
from typing import Any, NoReturn

from preprocess.errors import harmless
from preprocess.files import is_folder
from video.options import GROUPS, Row

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
    "ko": "종료 코드: 0 모두 됨, 1 하나라도 안 됨, 2 명령이 잘못됨, 130 Ctrl-C, 143 SIGTERM.",
    "en": "Exit status: 0 all done, 1 one or more failed, 2 wrong usage, 130 Ctrl-C, 143 SIGTERM.",
}


# what is silently lost where nothing is written: options by their fields
_OF_FILES = {
    "inputs": "INPUT",
    "output": "-o",
    "captions": "--captions",
    "overwrite": "--overwrite",
    "about": "--about",
    "preview": "--preview",
    "soft": "--soft",
    "alternatives": "--alternatives",
    "show_confidence": "--show-confidence",
    "show_attention": "--show-attention",
}


class Parser(argparse.ArgumentParser):
    """Takes inputs wherever they stand, and says usage errors on one line."""

    language, name = "ko", "caption_video"

    def read(self, arguments: Sequence[str]) -> argparse.Namespace:
        """The command line; what follows '--' is an input, whatever it looks like."""
        end = arguments.index("--") if "--" in arguments else len(arguments)
        args = self.parse_intermixed_args(arguments[:end])
        args.inputs += arguments[end + 1 :]
        return args

    def error(self, message: str) -> NoReturn:
        """Ends with status 2 and one line, without what a terminal would obey."""
        said = {
            "ko": f"명령이 잘못되었습니다: {message} (도움말: --help)",
            "en": f"wrong usage: {message} (see --help)",
        }
        self.exit(2, harmless(f"{self.name}: {' '.join(said[self.language].split())}") + "\n")

    def refuse(self, korean: str, english: str) -> NoReturn:
        """Ends as a usage error, told in the language of this command line."""
        self.error(korean if self.language == "ko" else english)


def check_films(parser: Parser, args: argparse.Namespace) -> None:
    """Refuses what no film could be captioned with, whichever command it is."""
    if "" in args.inputs:
        parser.refuse("빈 경로가 있습니다. 영상의 경로를 주세요", "a path is empty. Give a film's")
    if args.min_shot_ms > args.max_shot_ms:
        least, most = args.min_shot_ms / 1000, args.max_shot_ms / 1000
        parser.refuse(
            f"--min-shot {least:g}이(가) --max-shot {most:g}보다 깁니다. 더 짧게 주세요",
            f"--min-shot {least:g} is longer than --max-shot {most:g}. Give a shorter one",
        )
    if args.alternatives > args.beam:
        parser.refuse(
            f"--beam {args.beam}은(는) --alternatives {args.alternatives}만큼 찾지 못합니다. "
            "--beam을 늘리세요",
            f"--beam {args.beam} does not find --alternatives {args.alternatives}. "
            "Give a wider --beam",
        )


def check_door(parser: Parser, args: argparse.Namespace) -> None:
    """Refuses what caption_video.py cannot do."""
    check_films(parser, args)
    if args.camera is not None or args.stream:
        _check_live(parser, args)
    elif not args.inputs and not args.about:
        _no_input(parser, bool(args.alert))
    if args.preview is not None:
        _check_preview(parser, args)
    if "" in (args.output or ()):
        parser.refuse("-o의 경로가 비었습니다. 결과의 이름을 주세요", "-o is empty. Name a result")
    if args.captions and len(args.inputs) != 1:
        count = len(args.inputs)
        parser.refuse(
            f"--captions는 INPUT 하나에 씁니다: {count}개가 있습니다. 하나씩 실행하세요",
            f"--captions is for one INPUT: there are {count}. Run them one by one",
        )


def _check_live(parser: Parser, args: argparse.Namespace) -> None:
    source = "--stream" if args.camera is None else "--camera"
    lost = [flag for name, flag in _OF_FILES.items() if _is_given(parser, args, name)]
    if args.camera is not None and args.stream:
        lost.append("--stream")
    if lost:
        flags = " ".join(lost)
        parser.refuse(
            f"{source}은(는) 문장을 출력만 합니다. 다음을 빼세요: {flags}",
            f"{source} only prints sentences. Leave out: {flags}",
        )


def _check_preview(parser: Parser, args: argparse.Namespace) -> None:
    """Refuses what cannot be made of the one frame that a preview is."""
    pages = [o for o in args.output or () if o.lower().endswith(".html") and not is_folder(o)]
    lost = [*(f"-o {page}" for page in pages), *(["--soft"] if args.soft else [])]
    if lost:
        flags = " ".join(lost)
        parser.refuse(
            f"--preview는 그림 한 장만 만듭니다. --preview를 빼거나 다음을 빼세요: {flags}",
            f"--preview makes one picture of a film. Leave it out, or leave out: {flags}",
        )


def _is_given(parser: Parser, args: argparse.Namespace, name: str) -> bool:
    return getattr(args, name) not in (parser.get_default(name), [])


def _no_input(parser: Parser, alert: bool) -> NoReturn:
    if alert:
        parser.refuse(
            "INPUT이 없습니다. --alert는 뒤따르는 말을 모두 가져가니 INPUT을 그 앞에 두세요",
            "there is no INPUT. --alert takes all words that follow: put INPUT before it",
        )
    parser.refuse(
        "INPUT이 없습니다. 영상, GIF, 사진을 주세요",
        "there is no INPUT. Give videos, GIFs or pictures",
    )


def build_parser(language: str = "ko") -> Parser:
    """The command line, its help in Korean or English; its options are in video/options.py."""
    parser = Parser(
        prog="caption_video.py",
        usage="python caption_video.py INPUT... [-o OUTPUT] [--model FILE.kcap]",
        description=_DESCRIPTION[language],
        epilog=_EPILOG[language],
        formatter_class=partial(argparse.RawTextHelpFormatter, max_help_position=26, width=100),
        add_help=False,
        allow_abbrev=False,
    )
    parser.language = language
    for korean, english, rows in GROUPS:
        group = parser.add_argument_group(korean if language == "ko" else english)
        for row in rows:
            add_row(group, row, language)
    return parser


def add_row(group: Any, row: Row, language: str) -> None:
    """One option; its help tells its default where that says something."""
    text, more = getattr(row, language), dict(row.more)
    default = more.get("default")
    if row.milliseconds:
        default = f"{more['default'] / 1000:g}"
    told = text.endswith(")")  # in words of its own
    if isinstance(default, int | float | str) and not isinstance(default, bool) and not told:
        text += f" (기본: {default})" if language == "ko" else f" (default: {default})"
    group.add_argument(*row.flags, help=text, **more)
