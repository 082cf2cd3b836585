"""Commands that change a captioner file by what they find in its data folder."""

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from model.storage import CaptionerFile, check_tagger, read_whole, write_captioner
from preprocess.dataset import Dataset, load
from preprocess.errors import exit_status
from preprocess.files import check_result

# the file, what it holds, the data -> what is written, and what is told of it
Change = Callable[[Path, CaptionerFile, Dataset], tuple[CaptionerFile, str]]


def revise(argv: Sequence[str] | None, name: str, description: str, change: Change) -> int:
    """Runs `python -m model.NAME CAPTIONER.kcap DATA`; the exit status."""
    p = argparse.ArgumentParser(prog=f"python -m model.{name}", description=description)
    p.add_argument("captioner", type=Path, metavar="CAPTIONER.kcap")
    p.add_argument("data", type=Path, metavar="DATA", help="python -m preprocess가 만든 폴더")
    p.add_argument("--lang", choices=("ko", "en"), default="ko", help="메시지의 언어")
    arguments = p.parse_args(argv)

    def work() -> None:
        path, contents = arguments.captioner, read_whole(arguments.captioner)
        check_result(Path(os.path.realpath(path)), [], overwrite=True, option="CAPTIONER")
        data = load(arguments.data, features=False)
        check_tagger(path, contents.about, data.settings["tagger"])
        revised(path, contents, data, change)

    return exit_status(work, name, arguments.lang)


def revised(path: Path, contents: CaptionerFile, data: Dataset, change: Change) -> CaptionerFile:
    """Writes what the change makes of a captioner, and tells of it."""
    after, told = change(path, contents, data)
    write_captioner(Path(os.path.realpath(path)), after)  # a link stays one
    print(told)
    return after


def some(rows: Sequence[int], most: int, seed: int) -> list[int]:
    """So many pictures at most: the same ones each time, from all over."""
    order = np.random.default_rng(seed).permutation(len(rows))[:most]
    return [rows[i] for i in order]
