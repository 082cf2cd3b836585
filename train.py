"""`python train.py DATA`: a data folder becomes a captioner file."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from preprocess.errors import CaptioningError, DataError, SettingError
from preprocess.files import check_free

if TYPE_CHECKING:
    import keras

    from model.network import Decoder
    from model.reward import RewardOptions
    from model.storage import CaptionerFile
    from model.training import TrainOptions
    from model.tuning import TuneOptions
    from preprocess.dataset import Dataset
    from preprocess.vocabulary import Vocabulary

    Options = tuple[TrainOptions, TuneOptions, RewardOptions]
    Trained = tuple[keras.Model, Decoder, Vocabulary, dict[str, Any]]
    Begun = tuple[keras.Model, Decoder | None, Vocabulary | None, dict[str, Any]]

HELP = {
    "epochs": "최대 에폭 수",
    "batch": "한 번에 보는 사진 수",
    "sentences": "사진 하나에서 에폭마다 뽑는 캡션 수",
    "learning_rate": "가장 높을 때의 학습률",
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


def parser() -> argparse.ArgumentParser:
    """The command line; defaults are those of TrainOptions, TuneOptions and RewardOptions."""
    p = argparse.ArgumentParser(
        prog="train.py",
        description="python -m preprocess가 만든 폴더로 캡셔너를 학습합니다. 멈추면 같은 명령으로 "
        "이어집니다. (Trains a captioner; the same command goes on after an interruption.)",
    )
    p.add_argument("data", type=Path, metavar="DATA", help="데이터 폴더")
    p.add_argument("--out", type=Path, default=Path("my.kcap"), help="캡셔너 파일 (%(default)s)")
    p.add_argument("--overwrite", action="store_true", help="이미 있는 캡셔너 파일을 덮어씁니다")
    p.add_argument("--run", type=Path, help="학습 기록 폴더 (runs/OUT)")
    p.add_argument("--folds", type=int, default=0, help="k겹 교차 검증; 0이면 train/val로 학습")
    p.add_argument("--terms", type=Path, metavar="FILE", help="캡셔너에 넣을 이용 조건 글")
    p.add_argument("--lang", choices=("ko", "en"), default="ko", help="메시지의 언어")
    p.add_argument(
        "--init", type=Path, metavar="FILE.kcap",
        help="처음부터가 아니라 이 캡셔너에서 이어서 (--tune-epochs, --reward-epochs와 함께)",
    )  # fmt: skip
    p.add_argument("--anew", action="store_true", help="--init의 인코더로 디코더를 처음부터")
    p.add_argument(
        "--side", type=int, metavar="S", help="캡션을 만들 때 사진의 크기 (학습 때의 크기)"
    )
    for kind in _kinds():
        for option in fields(kind):
            _add(p, option.name, option.default)
    return p


def _kinds() -> "tuple[type[TrainOptions], type[TuneOptions], type[RewardOptions]]":
    from model.reward import RewardOptions
    from model.training import TrainOptions
    from model.tuning import TuneOptions

    return TrainOptions, TuneOptions, RewardOptions


def _add(p: argparse.ArgumentParser, name: str, default: Any) -> None:
    flag, text = name.replace("_", "-"), HELP[name]
    if default is True:
        p.add_argument(f"--no-{flag}", dest=name, action="store_false", default=default, help=text)
    elif default is False:
        p.add_argument(f"--{flag}", action="store_true", default=default, help=text)
    else:
        p.add_argument(
            f"--{flag}", type=type(default), default=default, help=f"{text} (%(default)s)"
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the exit status."""
    arguments = parser().parse_args(argv)
    try:
        _run(arguments, _options(arguments))
    except CaptioningError as error:
        print(f"train.py: {error.text(arguments.lang)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("train.py: 멈췄습니다. 같은 명령으로 이어서 학습합니다.", file=sys.stderr)
        return 130
    return 0


def _options(arguments: argparse.Namespace) -> "Options":
    def read(kind: Any) -> Any:
        return kind(**{f.name: getattr(arguments, f.name) for f in fields(kind)})

    plain, tune, reward = map(read, _kinds())
    return plain, tune, reward


def _run(arguments: argparse.Namespace, options: "Options") -> None:
    from model.cross_validation import cross_validate
    from model.export import signature_of
    from preprocess.dataset import load

    if not arguments.folds:  # which write no captioner
        check_free(arguments.out, arguments.overwrite)
    data, terms = load(arguments.data), _terms(arguments.terms)
    run: Path = arguments.run or Path("runs") / arguments.out.stem
    train, held = data.rows("train"), data.rows("val")
    _usable(arguments, train, held)
    if arguments.folds:
        cross_validate(data, train + held, arguments.folds, options[0], run)
        return
    begun: Begun | None = _begun(arguments.init, data, run) if arguments.init else None
    if begun and arguments.anew:
        begun = (begun[0], None, None, {})
    learned = train + held if arguments.everything else train
    encoder, decoder, vocabulary, best = _trained(data, (learned, held), options, run, begun)
    training = {name: value for part in options for name, value in asdict(part).items()}
    about = {"terms": terms, "training": training, "best_epoch": best}
    about |= {"init": arguments.init.name} if arguments.init else {}
    side = arguments.side or data.settings["side"]
    about |= {"side": side, "data": signature_of(data, learned)}
    contents = _save(arguments.out, data, (encoder, decoder, vocabulary), about)
    if not arguments.everything:  # a captioner is too sure of pictures that it has learned
        _calibrate(arguments.out, contents, data)
    size = arguments.out.stat().st_size / 1e6
    out = arguments.out
    print(f"{out} ({size:.1f} MB): python caption_video.py film.mp4 --model {out}")


def _trained(
    data: "Dataset", rows: tuple[list[int], list[int]], options: "Options", run: Path,
    begun: "Begun | None",
) -> "Trained":  # fmt: skip
    """The stages that were asked for, one after the other, each resumed in its own folder."""
    from model.reward import fit_reward
    from model.training import fit
    from model.tuning import fit_tuned
    from preprocess.encoder import build_encoder

    plain, tune, reward = options
    shape = (data.settings["encoder"], data.settings["side"])
    encoder, decoder, vocabulary, best = begun or (build_encoder(*shape), None, None, {})
    if decoder is None or vocabulary is None:
        if begun:
            data = _seen_anew(data, encoder, run / "features", reward.nearer)
        decoder, vocabulary, best = fit(data, *rows, plain, run / "anew" if begun else run)
    if tune.tune_epochs:
        start = (encoder, decoder, vocabulary)
        decoder, vocabulary, best = fit_tuned(data, *rows, start, (plain, tune), run / "tuned")
    if (begun or tune.tune_epochs or reward.nearer) and reward.reward_epochs:
        data = _seen_anew(data, encoder, run / "features", reward.nearer)
    if reward.reward_epochs:
        decoder, vocabulary, best = fit_reward(
            data, *rows, (decoder, vocabulary), (plain, reward), run / "reward"
        )
    return encoder, decoder, vocabulary, best


def _begun(path: Path, data: "Dataset", run: Path) -> "Trained":
    """The networks of a captioner file at the data's picture side.

    Raises:
        CaptionerFileError: the file cannot be used.
        SettingError: it has another encoder or tagger than the data, or the run another beginning.
    """
    from model.export import at_side, fingerprint, restore, restore_encoder
    from model.runs import claim

    decoder, contents = restore(path)
    for name in ("encoder", "tagger"):
        theirs, ours = contents.about.get(name), data.settings[name]
        if theirs != ours:
            raise SettingError(
                f"--init '{path}'의 {name}은(는) {theirs}인데 데이터는 {ours}입니다. "
                f"python -m preprocess를 {theirs}(으)로 다시 하세요.",
                f"--init '{path}' has {name} {theirs}, the data {ours}. "
                f"Run python -m preprocess with {theirs}.",
            )
    networks = (restore_encoder(contents), decoder)
    claim(run, {"init": [fingerprint(network) for network in networks]})
    encoder, decoder = at_side(networks, data.settings["encoder"], data.settings["side"])
    return encoder, decoder, contents.vocabulary, dict(contents.about.get("best_epoch", {}))


def _seen_anew(data: "Dataset", encoder: "keras.Model", folder: Path, nearer: bool) -> "Dataset":
    """The same data with what the tuned encoder sees in the pictures."""
    from model.export import fingerprint
    from preprocess.features import EncoderOptions, cache_features
    from preprocess.graph import Session, picture_graph

    session = Session(picture_graph(encoder))
    name = f"{data.settings['encoder']}+{fingerprint(encoder)}"
    options = EncoderOptions(name, data.settings["side"], nearer)
    with tqdm(total=len(data.samples), desc="CNN", unit="장", disable=None) as bar:
        features = cache_features(
            folder, data.samples, options, lambda x: session(x)[0], bar.update
        )
    return replace(data, features=features)


def _usable(arguments: argparse.Namespace, train: list[int], held: list[int]) -> None:
    if arguments.side is not None and not 16 <= arguments.side <= 1024:
        raise SettingError(
            f"--side {arguments.side}: 16부터 1024까지의 픽셀 수입니다.",
            f"--side {arguments.side}: give 16 to 1024 pixels.",
        )
    later = (arguments.tune_epochs, arguments.reward_epochs)
    alone = arguments.init and (arguments.folds or not (arguments.anew or any(later)))
    if alone or (arguments.anew and not arguments.init):
        raise SettingError(
            "--init은 --tune-epochs, --reward-epochs나 --anew와 함께, --folds 없이 씁니다.",
            "--init goes with --tune-epochs, --reward-epochs or --anew, and without --folds.",
        )
    if arguments.folds == 1 or arguments.folds > len(train + held):
        raise DataError(
            f"--folds {arguments.folds}: 2부터 사진 수({len(train + held)})까지입니다.",
            f"--folds {arguments.folds}: give 2 to {len(train + held)}, the number of pictures.",
        )
    if not train or not (held or arguments.folds):
        raise DataError(
            f"'{arguments.data}': train {len(train)}장, val {len(held)}장. 둘 다 필요합니다: "
            "python -m preprocess --splits로 나누거나 --folds를 쓰세요.",
            f"'{arguments.data}' has {len(train)} train and {len(held)} val pictures. Both are "
            "needed: split with python -m preprocess --splits, or use --folds.",
        )


def _terms(path: Path | None) -> str:
    try:
        return path.read_text(encoding="utf-8") if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"이용 조건 '{path}'을(를) 읽을 수 없습니다 ({error}). 경로를 확인하세요.",
            f"cannot read the terms '{path}' ({error}). Check the path.",
        ) from None


def _save(
    path: Path, data: "Dataset", networks: "tuple[keras.Model, Decoder, Vocabulary]",
    about: dict[str, Any],
) -> "CaptionerFile":  # fmt: skip
    from model.export import at_side, save

    encoder, decoder, vocabulary = networks
    name, side = data.settings["encoder"], about["side"]
    version = data.settings.get("tagger_version", "unknown")  # older data folders tell none
    made = {"encoder": name, "tagger": data.settings["tagger"], "tagger_version": version}
    about = {**made, **about}
    about |= {"trained_side": data.settings["side"]}
    print(json.dumps(about["best_epoch"], ensure_ascii=False))
    return save(path, at_side((encoder, decoder), name, side), vocabulary, about)


def _calibrate(path: Path, contents: "CaptionerFile", data: "Dataset") -> None:
    from model.calibrate import calibrate, calibrated, report, some
    from model.storage import write_captioner

    found = calibrate(contents, data, some(data.rows("val")))
    write_captioner(path, calibrated(contents, found))
    print(report(found))


if __name__ == "__main__":
    sys.exit(main())
