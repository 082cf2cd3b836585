"""Frames of a shot decoded together: how graph steps become beam-search steps. numpy only.

B shots, n frames a shot (padded), k beams, R regions, H hidden width, V vocabulary.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from model.beam import BeamOptions, State, Step, beam_search
from preprocess.vocabulary import Vocabulary

Array = npt.NDArray[Any]
# (token, h, c, values, keys) -> [log-probabilities, h, c, attention], all over B * n rows
RunStep = Callable[..., list[Array]]


def together(
    run: RunStep, started: list[Array], counts: Array, beam: int, seen: list[Array]
) -> tuple[Step, State]:
    """A beam-search step over shots, and the state before it.

    Args:
        run: one decoding step of single frames.
        started: values, keys, h, c of all frames: (B * n, ...).
        counts: int (B,), how many of a shot's n frames are real.
        beam: k.
        seen: gets each step's attention, float32 (B, k, n, R).
    """
    values, keys, h, c = started
    shots, n = len(counts), len(values) // len(counts)
    real = (np.arange(n) < counts[:, None]) / counts[:, None]  # (B, n), sums to 1

    def step(tokens: npt.NDArray[np.int32], state: State) -> tuple[npt.NDArray[np.float32], State]:
        token = np.repeat(tokens, n, axis=0)  # (B * n, k)
        scores, *after, attention = run(token, *(_by_frame(s) for s in state), values, keys)
        seen.append(_by_beam(attention, shots))
        joint = np.einsum("bn,bknv->bkv", real, _by_beam(scores, shots)).astype(np.float32)
        return joint, tuple(_by_beam(s, shots) for s in after)

    first = tuple(np.repeat(_by_beam(s, shots), beam, axis=1) for s in (h, c))
    return step, first


def merged(started: list[Array], views: int) -> list[Array]:
    """What several views of one frame started, as the mean: (N * views, ...) -> (N, ...) each."""
    return [a.reshape(-1, views, *a.shape[1:]).mean(1) for a in started]


def _by_frame(state: Array) -> Array:
    """(B, k, n, ...) -> (B * n, k, ...)."""
    swapped = np.swapaxes(state, 1, 2)
    return np.ascontiguousarray(swapped).reshape(-1, *swapped.shape[2:])


def _by_beam(state: Array, shots: int) -> Array:
    """(B * n, k, ...) -> (B, k, n, ...)."""
    return np.swapaxes(state.reshape(shots, -1, *state.shape[1:]), 1, 2)


def by_keras(networks: tuple[Any, Any], regions: Array, beam: int) -> tuple[Step, State]:
    """As together, for single pictures float32 (B, R, D) and the two halves as Keras networks."""
    start, step = networks
    return together(
        lambda *inputs: list(map(np.array, step.predict_on_batch(list(inputs)))),
        list(map(np.array, start.predict_on_batch(regions))),
        np.ones(len(regions), int),
        beam,
        [],
    )


def decode(
    regions: Array, vocabulary: Vocabulary, networks: tuple[Any, Any], options: BeamOptions,
    size: int = 64,
) -> list[list[str]]:  # fmt: skip
    """The morphemes' forms that Keras says of each picture, without any exported graph.

    Args:
        regions: float (N, R, D).
        vocabulary: the decoder's morphemes.
        networks: start_network and step_network of the decoder.
        options: of the beam search.
        size: pictures decoded at a time.
    """
    said = []
    for begin in range(0, len(regions), size):
        chunk = regions[begin : begin + size].astype(np.float32)
        advance, state = by_keras(networks, chunk, options.beam)
        for found in beam_search(advance, state, options):
            said.append([m.form for m in vocabulary.decode(found[0].tokens)])
    return said
