"""A trained decoder and its encoder become the contents of a captioner file.

Keras exports graphs through TensorFlow. Where it trains on another backend, a process of its own
does that: `python -m model.export FOLDER FILE.kcap`.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from model.config import CaptionerConfig
from model.decoding import looks
from model.ensemble import decoder_of
from model.network import Decoder, start_network, step_network
from model.storage import Array, CaptionerFile, read_captioner, read_whole, rounded, write_captioner
from preprocess.dataset import Dataset
from preprocess.encoder import build_classifier, build_encoder, halves, parting
from preprocess.graph import Graph, export_graph, picture_graph
from preprocess.vocabulary import Vocabulary

ENCODER, THINGS = "encoder/", "things/"  # begin the names of these networks' arrays


def packed(
    networks: tuple[keras.Model, Decoder], vocabulary: Vocabulary, about: Mapping[str, Any]
) -> CaptionerFile:
    """What a captioner file of these networks holds.

    Args:
        networks: the encoder, build_encoder's or one tuned from it, and the decoder; their
            weights are rounded to float16 first, so that graphs and file agree.
        vocabulary: the decoder's morphemes.
        about: what captioner.json tells besides; needs "encoder" and "side".
    """
    if keras.backend.backend() != "tensorflow":
        return _packed_elsewhere(networks, vocabulary, about)
    encoder, decoder = networks
    classifier = build_classifier(about["encoder"], about["side"])
    parts = {"": decoder, ENCODER: encoder} | ({THINGS: classifier} if classifier else {})
    weights: dict[str, Array] = {}
    for prefix, network in parts.items():
        plain = {n: rounded(a) for n, a in named_weights(network).items()}
        set_weights(network, plain)
        weights |= {prefix + name: array for name, array in plain.items()}
    graphs = decoder_graphs(decoder) | looking_graphs(encoder, classifier)
    return CaptionerFile({"config": asdict(decoder.config), **about}, vocabulary, weights, graphs)


def _packed_elsewhere(
    networks: tuple[keras.Model, Decoder], vocabulary: Vocabulary, about: Mapping[str, Any]
) -> CaptionerFile:
    """As packed, by a process that runs Keras on TensorFlow."""
    encoder, decoder = networks
    told = {"config": asdict(decoder.config), **about}
    arrays = named_weights(decoder)
    arrays |= {ENCODER + name: array for name, array in named_weights(encoder).items()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(folder / "weights.npz", **arrays)  # type: ignore[arg-type]
        (folder / "about.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
        (folder / "vocabulary.tsv").write_text(vocabulary.to_tsv(), encoding="utf-8")
        subprocess.run(
            [sys.executable, "-m", "model.export", str(folder), str(folder / "made.kcap")],
            env={**os.environ, "KERAS_BACKEND": "tensorflow"},
            cwd=Path(__file__).resolve().parents[1],
            check=True,
        )
        return read_captioner(folder / "made.kcap")


def main(folder: Path, path: Path) -> None:
    """Writes the captioner file of what another process left in the folder."""
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    vocabulary = Vocabulary.from_tsv((folder / "vocabulary.tsv").read_text(encoding="utf-8"))
    with np.load(folder / "weights.npz") as file:
        contents = CaptionerFile(about, vocabulary, dict(file), {})
    networks = restore_encoder(contents), restore_decoder(contents)
    write_captioner(path, packed(networks, vocabulary, about))


def at_side(
    networks: tuple[keras.Model, Decoder], name: str, side: int
) -> tuple[keras.Model, Decoder]:
    """The same weights for pictures of another side: more regions, none of them a weight's axis.

    Crops in training show things larger than they are in a whole picture, so a captioner may do
    better on larger pictures than it was trained on (Touvron et al. 2019, arXiv:1906.06423).
    """
    encoder, decoder = networks
    larger = build_encoder(name, side, weights=False)
    set_weights(larger, named_weights(encoder))
    wider = decoder_of(replace(decoder.config, regions=larger.output_shape[1]))
    set_weights(wider, named_weights(decoder))
    return larger, wider


def restore(path: Path) -> tuple[Decoder, CaptionerFile]:
    """The Keras decoder of a captioner file, to go on training from or to compare with."""
    contents = read_whole(path)
    return restore_decoder(contents), contents


def restore_decoder(contents: CaptionerFile) -> Decoder:
    """The Keras decoder of a captioner file's contents."""
    decoder = decoder_of(CaptionerConfig.read(contents.about["config"]))
    set_weights(decoder, contents.weights)
    return decoder


def restore_encoder(contents: CaptionerFile) -> keras.Model:
    """The Keras encoder of a captioner file's contents."""
    about = contents.about
    encoder = build_encoder(about["encoder"], about["side"], weights=False)
    set_weights(
        encoder,
        {n.removeprefix(ENCODER): a for n, a in contents.weights.items() if n.startswith(ENCODER)},
    )
    return encoder


def named_weights(network: keras.Model) -> dict[str, Array]:
    """The network's arrays by path, e.g. "decoder/see/kernel"; not the seeds of its dropouts."""
    return {v.path: keras.ops.convert_to_numpy(v) for v in network.weights}


def set_weights(network: keras.Model, weights: Mapping[str, Array]) -> None:
    """Gives the network its arrays by path."""
    for variable in network.weights:
        variable.assign(weights[variable.path])


def fingerprint(network: keras.Model) -> str:
    """Tells networks of other weights apart: 16 hexadecimal digits."""
    together = hashlib.sha256()
    for array in named_weights(network).values():
        together.update(np.ascontiguousarray(array).tobytes())
    return together.hexdigest()[:16]


def decoder_graphs(decoder: Decoder) -> dict[str, Graph]:
    """The decoder's two halves, as start_network and step_network define them."""
    c = decoder.config
    regions = np.zeros((1, 1, c.regions, c.features), np.float32)
    given = looks(regions, np.ones(1, int), c.motion)
    token = np.zeros((1, 2), np.int32)
    state = [np.zeros((1, n or 2, width), np.float32) for n, width in decoder.state_shapes()]
    return {
        "start": export_graph(start_network(decoder), given),
        "step": export_graph(step_network(decoder), [token, *state]),
    }


def looking_graphs(encoder: keras.Model, classifier: keras.Model | None) -> dict[str, Graph]:
    """The encoder's graph and, if there is one, the classifier's.

    The classifier begins where it parts from the encoder, whose second output it is given.
    """
    if classifier is None:
        return {"encoder": picture_graph(encoder)}
    layer = parting(encoder, classifier)
    below, rest = encoder.get_layer(layer).output, halves(classifier, layer)[1]
    both = keras.Model(encoder.input, [encoder.output, below])
    return {"encoder": picture_graph(both), "things": picture_graph(rest)}


def signature_of(data: Dataset, rows: Sequence[int]) -> dict[str, Any]:
    """What a captioner file tells of its training data: counts, and a hash of the sorted keys."""
    train = [data.samples[row] for row in rows]
    keys = "\n".join(sorted(sample.key for sample in train))
    sets = sorted({sample.source for sample in train})
    return {
        "sets": sets,
        "pictures": len(train),
        "captions": sum(len(sample.captions) for sample in train),
        "keys_sha256": hashlib.sha256(keys.encode()).hexdigest(),
    }


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
