"""The stages of train.py, one after the other, each resumed in its own folder of the run."""

import argparse
import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
from tqdm import tqdm

from model import calibrate, letters, quantize
from model.cross_validation import cross_validate
from model.export import at_side, fingerprint, packed, restore, restore_encoder, signature_of
from model.growing import grown
from model.network import Decoder
from model.options import BUILT, Options, check
from model.reward import fit_reward
from model.runs import claim, describe
from model.storage import CaptionerFile, read_captioner, write_captioner
from model.training import fit
from model.tuning import fit_tuned
from preprocess.dataset import Dataset, load
from preprocess.encoder import build_encoder, halves
from preprocess.errors import DataError, SettingError
from preprocess.features import EncoderOptions, cache_features
from preprocess.files import check_result
from preprocess.graph import seeing
from preprocess.records import stills
from preprocess.vocabulary import Vocabulary

Networks = tuple[keras.Model, Decoder, Vocabulary]
Begun = tuple[Decoder, Vocabulary]


@dataclass(frozen=True)
class Start:
    """What training begins with.

    Attributes:
        encoder: what looks at the pictures.
        begun: a trained decoder and its vocabulary, to go on from.
        best: what its file tells of its best epoch.
        folder: of the plain stage.
    """

    encoder: keras.Model
    begun: Begun | None
    best: dict[str, Any]
    folder: Path


def run(arguments: argparse.Namespace, options: Options) -> None:
    """Does what the command line says.

    Raises:
        CaptioningError: told in one line.
    """
    if not arguments.folds:  # which write no captioner
        inputs = [arguments.init, arguments.terms, *arguments.data.glob("*")]
        check_result(arguments.out, filter(None, inputs), arguments.overwrite)
    data, terms = load(arguments.data), _terms(arguments.terms, arguments.init)
    folder: Path = arguments.run or Path("runs") / arguments.out.stem
    if (folder / "dataset.json").exists():
        raise SettingError(
            f"--run '{folder}'은(는) 데이터 폴더입니다. 다른 이름을 주세요.",
            f"--run '{folder}' is a data folder. Give another name.",
        )
    train, held = data.rows("train"), data.rows("val")
    check(arguments, options, [data.samples[row].group for row in train + held], len(held))
    encoder, begun, best = _beginning(arguments.init, data)
    prints = [fingerprint(encoder), fingerprint(begun[0])] if begun else []
    if options.tune.tune_epochs:
        halves(encoder, options.tune.tune_after)  # its layer is missed now, not after a stage
    if arguments.anew:
        begun, best = None, {}
    learned = train + held if options.plain.everything else train
    built = _built(arguments, begun)
    if prints:
        claim(folder, {"init": prints})
    about: dict[str, Any] = {"training": options.told() | built}
    about |= {"init": arguments.init.name} if arguments.init else {}
    about |= {"data": signature_of(data, train + held if arguments.folds else learned)}
    dataset = {"folder": str(arguments.data.absolute()), "dataset": _digest(data)}
    describe(folder, {**dataset, **about})
    if arguments.init and options.teach:
        data = _seen_anew(data, encoder, folder / "features", options.reward.nearer)
    if arguments.folds:
        found = cross_validate(data, train + held, arguments.folds, options.plain, folder, begun)
        epochs = max(1, round(found["epoch"][0]))
        print(f"다음 (next): 같은 명령에 --folds 대신 --everything --epochs {epochs}")
        return
    first = folder / ("anew" if arguments.anew else "on") if arguments.init else folder
    started = Start(encoder, begun, best, first)
    watched = held or learned  # nothing is chosen by them where everything is learned
    networks, best = _trained(data, (learned, watched), options, folder, started)
    about |= {"terms": terms, "best_epoch": best, "side": arguments.side or data.settings["side"]}
    print("마무리: 8비트, 글자 화면, 확신 (eight bits, screens of letters, confidence) ...")
    out: Path = arguments.out
    contents = _packed(data, networks, about)
    if arguments.bits == 8:
        contents = quantize.quantize(contents, data, quantize.some(learned))
        print(quantize.report(contents))
    changes = [letters.change]
    if not options.plain.everything:  # a captioner is too sure of pictures that it has learned
        changes.append(calibrate.change)
    for change in changes:
        contents, told = change(out, contents, data)
        print(told)
    write_captioner(out, contents)  # whole, or not at all
    size = out.stat().st_size / 1e6
    print(f"{out} ({size:.1f} MB): python caption_video.py film.mp4 --model {out}")


def _built(arguments: argparse.Namespace, begun: Begun | None) -> dict[str, Any]:
    """How a decoder that is gone on from was built, whatever the options' defaults say.

    Raises:
        SettingError: it was asked for otherwise.
    """
    built = {name: getattr(begun[0].config, name) for name in BUILT} if begun else {}
    for name, value in built.items():
        if vars(arguments).get(name, value) != value:
            flag = "--no-attend" if name == "attend" else f"--{name}"
            raise SettingError(
                f"{flag}: --init의 디코더는 {name}={value}(으)로 지어졌습니다. --anew를 더하거나 "
                f"{flag}를 빼세요.",
                f"{flag}: the decoder of --init was built with {name}={value}. Add --anew, or "
                f"leave {flag} out.",
            )
    return built


def _digest(data: Dataset) -> str:
    """Tells data folders apart that would be learned from differently."""
    seen = [data.settings.get(name) for name in ("encoder", "side", "tagger")]
    together = hashlib.sha256(repr(seen).encode())
    for sample in data.samples:
        told = (sample.key, sample.split, sample.captions)
        together.update(repr(told).encode("utf-8", "surrogatepass"))
    return together.hexdigest()[:16]


def _trained(
    data: Dataset, rows: tuple[list[int], list[int]], options: Options, run: Path, start: Start
) -> tuple[Networks, dict[str, Any]]:
    """The stages that were asked for, and the last one's best line."""
    plain, tune, reward = options.plain, options.tune, options.reward
    encoder, begun, best = start.encoder, start.begun, start.best
    if begun is None or options.teach:
        decoder, vocabulary, best = fit(data, *rows, plain, start.folder, begun)
    else:
        sentences = [s for row in rows[0] for s in data.sentences[row]]
        decoder, vocabulary = grown(*begun, sentences, plain.min_count, plain.motion)
    if tune.tune_epochs:
        taught = (encoder, decoder, vocabulary)
        decoder, vocabulary, best = fit_tuned(data, *rows, taught, (plain, tune), run / "tuned")
    if reward.reward_epochs:
        if begun or tune.tune_epochs or reward.nearer:
            data = _seen_anew(data, encoder, run / "features", reward.nearer)
        decoder, vocabulary, best = fit_reward(
            data, *rows, (decoder, vocabulary), (plain, reward), run / "reward"
        )
    return (encoder, decoder, vocabulary), best


def _beginning(path: Path | None, data: Dataset) -> tuple[keras.Model, Begun | None, Any]:
    """The encoder, and of a captioner file its decoder, vocabulary and best line.

    Raises:
        CaptionerFileError: the file cannot be used.
        SettingError: it has another encoder or tagger than the data.
    """
    name, side = data.settings["encoder"], data.settings["side"]
    if path is None:
        return build_encoder(name, side), None, {}
    decoder, contents = restore(path)
    for what in ("encoder", "tagger"):
        theirs, ours = contents.about.get(what), data.settings[what]
        if theirs != ours:
            raise SettingError(
                f"--init '{path}'의 {what}은(는) {theirs}인데 데이터는 {ours}입니다. "
                f"python -m preprocess를 {theirs}(으)로 다시 하세요.",
                f"--init '{path}' has {what} {theirs}, the data {ours}. "
                f"Run python -m preprocess with {theirs}.",
            )
    networks = (restore_encoder(contents), decoder)
    encoder, decoder = at_side(networks, name, side)
    return encoder, (decoder, contents.vocabulary), dict(contents.about.get("best_epoch", {}))


def _seen_anew(data: Dataset, encoder: keras.Model, folder: Path, nearer: bool) -> Dataset:
    """The same data with what the captioner's own encoder sees in the pictures."""
    name = f"{data.settings['encoder']}+{fingerprint(encoder)}"
    options, pictures = EncoderOptions(name, data.settings["side"], nearer), stills(data.samples)
    with tqdm(total=len(pictures), desc="CNN", unit="장", disable=None) as bar:
        features = cache_features(
            folder, pictures, options, seeing(encoder), bar.update, say=bar.write
        )
    return replace(data, features=features)


def _terms(path: Path | None, init: Path | None) -> str:
    """The terms that are given, or those of the captioner that is gone on from."""
    if path is None:
        return str(read_captioner(init).about.get("terms", "")) if init else ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"이용 조건 '{path}'을(를) 읽을 수 없습니다 ({error}). 경로를 확인하세요.",
            f"cannot read the terms '{path}' ({error}). Check the path.",
        ) from None


def _packed(data: Dataset, networks: Networks, about: dict[str, Any]) -> CaptionerFile:
    encoder, decoder, vocabulary = networks
    name, side = data.settings["encoder"], about["side"]
    version = data.settings.get("tagger_version", "unknown")  # older data folders tell none
    made = {"encoder": name, "tagger": data.settings["tagger"], "tagger_version": version}
    about = {**made, **about}
    about |= {"trained_side": data.settings["side"]}
    print(json.dumps(about["best_epoch"], ensure_ascii=False))
    return packed(at_side((encoder, decoder), name, side), vocabulary, about)
