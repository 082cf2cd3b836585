"""`python -m model.join A.kcap B.kcap --out C.kcap`: decoders of one encoder become an ensemble.

Their weights stay apart (model/ensemble.py), so they may have been trained from different
beginnings, as long as the encoder stayed as it was: by `train.py --init` with new decoders, say.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from model.config import CaptionerConfig
from model.soup import OWN, history, terms_of
from model.storage import CaptionerFile, read_whole, write_captioner
from preprocess.errors import SettingError, exit_status
from preprocess.files import check_result


def join(files: Sequence[Path], out: Path) -> CaptionerFile:
    """Writes one captioner file with the decoders of all; what it holds.

    Raises:
        CaptionerFileError: a file cannot be used.
        SettingError: they differ in encoder, vocabulary or widths, or are ensembles already.
    """
    from model.ensemble import ensemble_of
    from model.export import packed, restore_decoder, restore_encoder

    parts = [read_whole(path, "encoder") for path in files]
    for path, part in zip(files, parts, strict=True):
        if not _fits(part, parts[0]):
            raise SettingError(
                f"'{path}'은(는) '{files[0]}'와(과) 인코더나 형태소 목록이 다르거나 묶음입니다."
                " 같은 인코더로 학습한 캡셔너를 주세요.",
                f"'{path}' has another encoder or vocabulary than '{files[0]}', or is an ensemble. "
                "Give captioners that were trained with one encoder.",
            )
    joined = ensemble_of([restore_decoder(part) for part in parts])
    named = zip(files, parts, strict=True)
    told = [{"file": path.name, **history(part)} for path, part in named]
    about = {k: v for k, v in parts[0].about.items() if k not in OWN}
    about |= {"voices_of": told, "terms": terms_of(parts)}
    contents = packed((restore_encoder(parts[0]), joined), parts[0].vocabulary, about)
    write_captioner(out, contents)
    return contents


def _config(contents: CaptionerFile) -> CaptionerConfig:
    return CaptionerConfig.read(contents.about["config"])


def _fits(one: CaptionerFile, other: CaptionerFile) -> bool:
    """Whether the two decoders can look through the same encoder and say the same words."""
    config = _config(one)
    same = (config, one.vocabulary, one.about["side"]) == (
        _config(other), other.vocabulary, other.about["side"]
    )  # fmt: skip
    return same and config.voices == 1 and _alike(_encoder(one), _encoder(other))


def _encoder(contents: CaptionerFile) -> Mapping[str, Any]:
    from model.export import ENCODER

    return {n: array for n, array in contents.weights.items() if n.startswith(ENCODER)}


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[n], other[n]) for n in one)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the exit status."""
    p = argparse.ArgumentParser(
        prog="python -m model.join",
        description="같은 인코더로 학습한 여러 캡셔너를 한 묶음으로 만듭니다. "
        "(Makes an ensemble of captioners with one encoder.)",
    )
    p.add_argument("captioners", nargs="+", type=Path, metavar="CAPTIONER.kcap")
    p.add_argument("--out", type=Path, required=True, help="새 캡셔너 파일")
    p.add_argument("--overwrite", action="store_true", help="이미 있는 파일을 덮어씁니다")
    p.add_argument("--lang", choices=("ko", "en"), default="ko", help="메시지의 언어")
    arguments = p.parse_args(argv)
    return exit_status(lambda: _run(arguments), "join", arguments.lang)


def _run(arguments: argparse.Namespace) -> None:
    _check(arguments)
    join(arguments.captioners, arguments.out)
    print(arguments.out)


def _check(arguments: argparse.Namespace) -> None:
    if len(arguments.captioners) < 2:
        raise SettingError(
            f"캡셔너가 {len(arguments.captioners)}개입니다. 둘 이상 주세요.",
            f"{len(arguments.captioners)} captioner given. Give two or more.",
        )
    check_result(arguments.out, arguments.captioners, arguments.overwrite)


if __name__ == "__main__":
    sys.exit(main())
