"""`python -m model.soup A.kcap B.kcap --out C.kcap`: the mean of captioners trained on from one.

Weights that share their beginning can be averaged; the mean often does better than each (model
soups, Wortsman et al. 2022, arXiv:2203.05482) and costs nothing when captioning.
"""

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from model.config import CaptionerConfig
from model.storage import LETTERS, Array, CaptionerFile, read_captioner, read_whole, write_captioner
from preprocess.errors import SettingError, exit_status
from preprocess.files import check_result

HISTORY = ("init", "training", "best_epoch", "data")  # of each file by itself
OWN = ("config", "confidence", "quantized", *HISTORY)  # what does not pass to a new captioner


def mean_weights(
    files: Sequence[Path], shares: Sequence[float] = ()
) -> tuple[CaptionerFile, dict[str, Array]]:
    """The first file's contents, and the mean of all files' arrays by name, float32.

    Args:
        files: captioner files.
        shares: how much each counts, above 0; equal without.

    Raises:
        CaptionerFileError: a file cannot be used.
        SettingError: the files are no relatives: other vocabulary, encoder or widths; or shares
            do not fit them.
    """
    _check(shares, len(files))
    first, *others = (read_whole(path, "encoder") for path in files)
    for path, other in zip(files[1:], others, strict=True):
        if _built(other) != _built(first):
            raise SettingError(
                f"'{path}'은(는) '{files[0]}'와(과) 같은 데서 나온 캡셔너가 아닙니다. "
                "한 캡셔너에서 이어 학습한 파일들을 주세요.",
                f"'{path}' does not come from where '{files[0]}' does. Give files that were "
                "trained on from one captioner.",
            )
    pots = [_networks(f) for f in (first, *others)]
    counts = np.array(shares or [1.0] * len(pots), np.float64)
    counts /= counts.max()
    means = {
        name: np.average([pot[name] for pot in pots], axis=0, weights=counts) for name in pots[0]
    }
    return first, {name: mean.astype(np.float32) for name, mean in means.items()}


def _check(shares: Sequence[float], files: int) -> None:
    if shares and (len(shares) != files or not all(0 < share < math.inf for share in shares)):
        told = " ".join(f"{share:g}" for share in shares)
        raise SettingError(
            f"--shares {told}: 파일 {files}개에 하나씩, 0보다 큰 수를 주세요.",
            f"--shares {told}: give one number above 0 for each of the {files} files.",
        )


def _built(contents: CaptionerFile) -> tuple[object, ...]:
    about: Mapping[str, Any] = contents.about
    shapes = {name: array.shape for name, array in _networks(contents).items()}
    config = CaptionerConfig.read(about["config"])
    return contents.vocabulary, config, about["encoder"], about["side"], shapes


def _networks(contents: CaptionerFile) -> dict[str, Array]:
    """Their arrays; what tells letters is learned anew for another encoder."""
    return {name: array for name, array in contents.weights.items() if name != LETTERS}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the exit status."""
    p = argparse.ArgumentParser(
        prog="python -m model.soup",
        description="한 캡셔너에서 이어 학습한 여러 캡셔너의 가중치를 평균합니다. "
        "(Averages the weights of captioners trained on from one.)",
    )
    p.add_argument("captioners", nargs="+", type=Path, metavar="CAPTIONER.kcap")
    p.add_argument("--out", type=Path, required=True, help="새 캡셔너 파일")
    p.add_argument(
        "--shares",
        nargs="+",
        type=float,
        default=(),
        metavar="W",
        help="파일마다의 무게 (모두 같게)",
    )
    p.add_argument("--overwrite", action="store_true", help="이미 있는 파일을 덮어씁니다")
    p.add_argument("--lang", choices=("ko", "en"), default="ko", help="메시지의 언어")
    arguments = p.parse_args(argv)
    return exit_status(lambda: _run(arguments), "soup", arguments.lang)


def _run(arguments: argparse.Namespace) -> None:
    check_result(arguments.out, arguments.captioners, arguments.overwrite)
    first, weights = mean_weights(arguments.captioners, arguments.shares)
    shares = arguments.shares or [1.0] * len(arguments.captioners)
    pairs = zip(arguments.captioners, shares, strict=True)
    parts = [read_captioner(path) for path in arguments.captioners]
    told = [
        {"file": path.name, "share": share, **history(part)}
        for (path, share), part in zip(pairs, parts, strict=True)
    ]
    _write(arguments.out, {"mean_of": told, "terms": terms_of(parts)}, first, weights)
    print(arguments.out)


def history(contents: CaptionerFile) -> dict[str, Any]:
    """How a captioner came to be, as its file tells."""
    return {key: contents.about[key] for key in HISTORY if key in contents.about}


def terms_of(parts: Sequence[CaptionerFile]) -> str:
    """Who uses something of all keeps the terms of all."""
    terms = dict.fromkeys(str(part.about.get("terms", "")).strip() for part in parts)
    return "\n\n".join(text for text in terms if text)


def _write(
    out: Path, told: Mapping[str, Any], first: CaptionerFile, weights: Mapping[str, Array]
) -> None:
    from model.export import packed, restore_decoder, restore_encoder

    mean = CaptionerFile(first.about, first.vocabulary, weights, {})
    about = {k: v for k, v in first.about.items() if k not in OWN} | dict(told)
    networks = restore_encoder(mean), restore_decoder(mean)
    write_captioner(out, packed(networks, first.vocabulary, about))


if __name__ == "__main__":
    sys.exit(main())
