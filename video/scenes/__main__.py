"""`python -m video.scenes COMMAND ...`: each command is a module of this package.

A module has ABOUT (one line, Korean and English), `add(parser)` for its options and
`run(arguments)` for its exit status; what is heavy it imports inside `run`.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # out, and no traceback

from preprocess.errors import exit_status, language_of
from preprocess.files import path_of
from video.command import Parser, add_row
from video.console import Ended, any_bytes, ended_by_signals
from video.options import BOUNDS
from video.scenes import attention, group, hashtags, index, regions, search, unlike

MODULES: tuple[ModuleType, ...] = (unlike, group, search, index, hashtags, attention, regions)
LOOKING = (unlike, group, hashtags, attention, regions)  # at films and pictures themselves
MODEL = Path(__file__).parents[2] / "model" / "default.kcap"


def parser(language: str = "ko") -> Parser:
    """The command line, its errors in Korean or English."""
    p = Parser(
        prog="python -m video.scenes",
        description="장면과 사진으로 하는 일. (What can be done with scenes and pictures.)",
        allow_abbrev=False,
    )
    commands = p.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in MODULES:
        name = module.__name__.rpartition(".")[2]
        own = commands.add_parser(
            name, help=module.ABOUT, description=module.ABOUT, allow_abbrev=False
        )
        p.language = own.language = language
        p.name = own.name = "scenes"
        module.add(own)
        own.add_argument("--model", type=path_of, default=MODEL, metavar="FILE.kcap", help="캡셔너")
        if module in LOOKING:
            for row in BOUNDS:
                add_row(own, row, language)
        own.add_argument("--lang", choices=("ko", "en"), default="ko", help="메시지의 언어")
        own.set_defaults(run=module.run, tool=own)
    return p


def parsed(argv: Sequence[str]) -> argparse.Namespace:
    """What a command line says; options may stand between a command's files."""
    arguments, rest = parser(language_of(argv)).parse_known_args(argv)
    if rest:  # argparse takes the files in one piece, and a sub-parser is never asked for more
        tool: argparse.ArgumentParser = arguments.tool
        arguments = tool.parse_intermixed_args(argv[1:])
    return arguments


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; the exit status."""
    any_bytes()
    arguments = parsed(sys.argv[1:] if argv is None else argv)
    try:
        with ended_by_signals():
            return exit_status(lambda: arguments.run(arguments), "scenes", arguments.lang)
    except Ended as signal:
        return 128 + int(signal.args[0])


if __name__ == "__main__":
    sys.exit(main())
