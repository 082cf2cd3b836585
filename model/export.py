"""A trained decoder and its frozen encoder become the contents of a captioner file."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np

from model.network import CaptionerConfig, Decoder, start_network, step_network
from model.storage import Array, CaptionerFile, read_captioner, rounded, write_captioner
from preprocess.encoder import build_encoder
from preprocess.graph import Graph, export_graph
from preprocess.vocabulary import Vocabulary


def save(
    path: Path, decoder: Decoder, vocabulary: Vocabulary, about: Mapping[str, Any]
) -> CaptionerFile:
    """Writes the captioner file and returns what it holds.

    Args:
        path: the .kcap file.
        decoder: its weights are rounded to float16 first, so graphs and file agree.
        vocabulary: the decoder's morphemes.
        about: what captioner.json tells besides; needs "encoder" and "side".
    """
    set_weights(decoder, {n: rounded(a) for n, a in named_weights(decoder).items()})
    graphs = decoder_graphs(decoder) | {"encoder": encoder_graph(about["encoder"], about["side"])}
    contents = CaptionerFile(
        {"config": asdict(decoder.config), **about}, vocabulary, named_weights(decoder), graphs
    )
    write_captioner(path, contents)
    return contents


def restore(path: Path) -> tuple[Decoder, CaptionerFile]:
    """The Keras decoder of a captioner file, to go on training from or to compare with."""
    contents = read_captioner(path)
    decoder = Decoder(CaptionerConfig(**contents.about["config"]))
    decoder.build()
    set_weights(decoder, contents.weights)
    return decoder, contents


def named_weights(decoder: Decoder) -> dict[str, Array]:
    """The decoder's trainable arrays by path, e.g. "decoder/see/kernel"."""
    return {v.path: keras.ops.convert_to_numpy(v) for v in decoder.trainable_variables}


def set_weights(decoder: Decoder, weights: Mapping[str, Array]) -> None:
    """Gives the decoder its arrays by path."""
    for variable in decoder.trainable_variables:
        variable.assign(weights[variable.path])


def encoder_graph(name: str, side: int) -> Graph:
    """The frozen CNN: float32 RGB (B, S, S, 3) 0-255 -> float32 (B, R, D)."""
    return export_graph(build_encoder(name, side), [np.zeros((1, side, side, 3), np.float32)])


def decoder_graphs(decoder: Decoder) -> dict[str, Graph]:
    """The decoder's two halves, as start_network and step_network define them."""
    c = decoder.config
    seen = c.regions if c.attend else 1
    regions = np.zeros((1, c.regions, c.features), np.float32)
    token, state = np.zeros((1, 2), np.int32), np.zeros((1, 2, c.hidden), np.float32)
    values = np.zeros((1, seen, c.context), np.float32)
    keys = np.zeros((1, seen, c.attention), np.float32)
    return {
        "start": export_graph(start_network(decoder), [regions]),
        "step": export_graph(step_network(decoder), [token, state, state, values, keys]),
    }
