"""The command line of caption_video.py: its help, in Korean and English, and its errors."""

import argparse
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any, NoReturn

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
    """The command line, its help in Korean or English; its options are in video/options.py."""
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


def language_of(arguments: Sequence[str]) -> str:
    """The language asked for, known before the command line is read: its errors need it."""
    asked = [b for a, b in pairwise(arguments) if a == "--lang"]
    return "en" if "--lang=en" in arguments or "en" in asked else "ko"
