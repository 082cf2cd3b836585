"""The command line of train.py: options filled from their dataclasses, and recipes of them."""

import argparse
import inspect
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from model.lesson import strategy_of
from model.reward import RewardOptions
from model.train_options import TrainOptions
from model.tuning import TuneOptions
from preprocess.errors import DataError, SettingError
from preprocess.features import check_side

KINDS: tuple[Any, ...] = (TrainOptions, TuneOptions, RewardOptions)
HELP = {
    "epochs": "최대 에폭 수; --init으로 뒤 단계만 하려면 주지 마세요",
    "batch": "한 번에 보는 사진 수",
    "sentences": "사진 하나에서 에폭마다 뽑는 캡션 수",
    "learning_rate": "가장 높을 때의 학습률; --init이면 4e-4",
    "min_count": "이보다 드문 형태소는 모르는 말이 됩니다",
    "smoothing": "label smoothing",
    "average": "가중치 이동 평균의 관성",
    "patience": "CIDEr-D가 나아지지 않아도 기다리는 에폭 수",
    "check": "에폭마다 캡션을 만들어 보는 검증 사진 수",
    "longest": "가장 긴 문장 (형태소)",
    "hidden": "LSTM의 너비",
    "embedding": "형태소 벡터의 너비",
    "attend": "attention 없이 (Show and Tell) 비교용으로 학습",
    "merge": "LSTM이 사진을 보지 않는 merge 구조로 비교용으로 학습",
    "vectors": "캡션이 많아도 word2vec의 형태소 벡터로 시작하지 않음 (비교용)",
    "motion": "장면의 프레임 차례와 차이도 배움 (영상 자료에서)",
    "precision": "float32, mixed_bfloat16, mixed_float16",
    "devices": "함께 학습할 GPU의 수 (TensorFlow)",
    "everything": "검증 사진으로도 학습하고 마지막 에폭을 남김 (--folds가 고른 에폭 수로)",
    "seed": "난수 씨앗",
    "tune_epochs": "학습 뒤 인코더의 끝부분까지 함께 더 학습할 에폭 수",
    "tune_rate": "그때 디코더의 학습률",
    "encoder_rate": "그때 인코더의 학습률",
    "tune_after": "그때 이 층까지는 그대로 둡니다",
    "reward_epochs": "학습 뒤 CIDEr-D를 보상으로 더 학습할 에폭 수",
    "reward_rate": "그때의 학습률",
    "samples": "그때 사진마다 뽑는 문장 수",
    "temperature": "그때 뽑는 온도; 1보다 작으면 흔한 말",
    "likelihood": "그때 참조 문장의 무게",
    "nearer": "그때 사진을 가까이에서도 봄 (자막을 달 때처럼)",
    "blend": "그때 처음 가중치에서 배운 가중치 쪽으로 얼마나 가서 남길지 (0-1)",
}
# what a recipe sets of the options; what is given beside it wins
RECIPES: dict[str, dict[str, Any]] = {
    "quick": {"epochs": 6, "sentences": 2, "hidden": 256, "embedding": 192, "check": 256},
    "standard": {"epochs": 18},
    "best": {"epochs": 18, "tune_epochs": 7, "reward_epochs": 4, "nearer": True},
}
BUILT = ("hidden", "embedding", "attend", "merge")  # how a decoder is built
ON = {"learning_rate": 4e-4}  # of what goes on from a captioner: it has learned already


@dataclass(frozen=True)
class Options:
    """What the command line asks of each stage.

    Attributes:
        plain: of the decoder's training from features.
        tune: of the encoder's and decoder's together.
        reward: of the training on the reward.
        recipe: the name, or "".
        teach: whether the plain stage is run.
    """

    plain: TrainOptions
    tune: TuneOptions
    reward: RewardOptions
    recipe: str
    teach: bool

    def told(self) -> dict[str, Any]:
        """Every option by name."""
        parts = (asdict(part) for part in (self.plain, self.tune, self.reward))
        told = {name: value for part in parts for name, value in part.items()}
        return told | ({"recipe": self.recipe} if self.recipe else {})


def parser(language: str = "ko") -> argparse.ArgumentParser:
    """The command line; defaults are those of TrainOptions, TuneOptions and RewardOptions."""
    ours = ["ko", "en"].index(language)
    p = argparse.ArgumentParser(
        prog="train.py",
        description="python -m preprocess가 만든 폴더로 캡셔너를 학습합니다. 멈추면 같은 명령으로 "
        "이어집니다. (Trains a captioner; the same command goes on after an interruption.)",
    )
    for flag, *told, more in _FIXED:
        p.add_argument(flag, help=told[ours], **more)
    p.add_argument("--recipe", choices=tuple(RECIPES), default="", help=_recipes())
    for kind in KINDS:
        texts = HELP if language == "ko" else _described(kind)
        for option in fields(kind):
            _add(p, option.name, option.default, texts[option.name])
    return p


_FIXED: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("data", "데이터 폴더", "data folder", {"type": Path, "metavar": "DATA"}),
    ("--out", "캡셔너 파일 (%(default)s)", "captioner file (%(default)s)",
     {"type": Path, "default": Path("my.kcap")}),
    ("--overwrite", "이미 있는 캡셔너 파일을 덮어씁니다", "replace a captioner file that is there",
     {"action": "store_true"}),
    ("--run", "학습 기록 폴더 (runs/OUT)", "folder of the run's files (runs/OUT)", {"type": Path}),
    ("--folds", "k겹 교차 검증; 0이면 train/val로 학습",
     "k-fold cross-validation; 0: train and val", {"type": int, "default": 0}),
    ("--terms", "캡셔너에 넣을 이용 조건 글", "text of the terms that go into the captioner",
     {"type": Path, "metavar": "FILE"}),
    ("--lang", "메시지의 언어", "language of messages", {"choices": ("ko", "en"), "default": "ko"}),
    ("--init", "처음부터가 아니라 이 캡셔너에서 이어서; 새 말은 어휘에 더합니다",
     "go on from this captioner; new words are added", {"type": Path, "metavar": "FILE.kcap"}),
    ("--anew", "--init의 인코더로 디코더를 처음부터", "a new decoder on the encoder of --init",
     {"action": "store_true"}),
    ("--side", "캡션을 만들 때 사진의 크기 (학습 때의 크기)",
     "side of pictures when captioning (as in training)", {"type": int, "metavar": "S"}),
    ("--bits", "캡션을 만들 때의 계산: 정수 8비트 (CPU를 절반만 씀) 또는 float32 (%(default)s)",
     "how captions are worked out: 8-bit integers (half the CPU) or float32 (%(default)s)",
     {"type": int, "choices": (8, 32), "default": 8}),
)  # fmt: skip


def _recipes() -> str:
    return "다음 설정을 한꺼번에 (these together): " + "; ".join(
        f"{name} ({' '.join(f'{n}={v}' for n, v in values.items())})"
        for name, values in RECIPES.items()
    )


def _described(kind: Any) -> dict[str, str]:
    """What an option class tells of each of its fields."""
    told = (inspect.getdoc(kind) or "").partition("Attributes:\n")[2]
    found = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", told, re.MULTILINE)
    return {name: " ".join(text.split()).rstrip(".").replace("%", "%%") for name, text in found}


def _add(p: argparse.ArgumentParser, name: str, default: Any, text: str) -> None:
    """An option that is not there unless it is given: a recipe may say otherwise."""
    flag, none = name.replace("_", "-"), argparse.SUPPRESS
    if default is True:
        p.add_argument(f"--no-{flag}", dest=name, action="store_false", default=none, help=text)
    elif default is False:
        p.add_argument(f"--{flag}", action="store_true", default=none, help=text)
    else:
        p.add_argument(f"--{flag}", type=type(default), default=none, help=f"{text} ({default})")


def options(arguments: argparse.Namespace) -> Options:
    """The options of every stage: what was given, else the recipe's, else the defaults.

    Raises:
        SettingError: an option has a value that cannot be used.
    """
    given = RECIPES.get(arguments.recipe, {}) | vars(arguments)
    on = bool(arguments.init) and not arguments.anew
    chosen = (ON if on else {}) | given

    def read(kind: Any) -> Any:
        return kind(**{f.name: chosen[f.name] for f in fields(kind) if f.name in chosen})

    plain, tune, reward = map(read, KINDS)
    later = tune.tune_epochs or reward.reward_epochs
    return Options(
        plain, tune, reward, arguments.recipe, teach=not on or not later or "epochs" in given
    )


def check(arguments: argparse.Namespace, chosen: Options, groups: Sequence[str], held: int) -> None:
    """Refuses what cannot be done with these groups of pictures, the last `held` held out.

    Raises:
        SettingError: options that do not go together, a side nobody can see, devices that are not
            there.
        DataError: too few pictures.
    """
    if arguments.side is not None:
        check_side(arguments.side)
    strategy_of(chosen.plain.devices)
    if arguments.anew and not arguments.init:
        raise SettingError(
            "--anew는 --init과 함께 씁니다: 그 캡셔너의 인코더로 처음부터 배웁니다.",
            "--anew goes with --init: it learns anew with that captioner's encoder.",
        )
    if arguments.folds and (chosen.tune.tune_epochs or chosen.reward.reward_epochs):
        raise SettingError(
            "--folds는 첫 단계만 검증합니다. --tune-epochs 0 --reward-epochs 0으로 하세요.",
            "--folds is for the first stage alone. Use --tune-epochs 0 --reward-epochs 0.",
        )
    train, most = len(groups) - held, len(set(groups))
    if arguments.folds and not 2 <= arguments.folds <= most:
        raise DataError(
            f"--folds {arguments.folds}: 2부터 사진(영상이면 영상) 수({most})까지입니다.",
            f"--folds {arguments.folds}: give 2 to {most}, the number of pictures (or films).",
        )
    if not train or not (held or arguments.folds or chosen.plain.everything):
        raise DataError(
            f"'{arguments.data}': train {train}장, val {held}장. 둘 다 필요합니다: "
            "python -m preprocess --splits로 나누거나 --folds, --everything을 쓰세요.",
            f"'{arguments.data}' has {train} train and {held} val pictures. Both are "
            "needed: split with python -m preprocess --splits, or use --folds or --everything.",
        )
