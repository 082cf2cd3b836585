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
    real = shares(counts, n)

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


def shares(counts: Array, n: int) -> Array:
    """What each frame of a shot has to say in its sentence: float64 (B, n), rows sum to 1."""
    shared: Array = (np.arange(n) < counts[:, None]) / counts[:, None]
    return shared


def moves(counts: Array, n: int) -> Array:
    """What makes changes of frames: float32 (B, n, n), +1 at the frame after, -1 at that before.

    A shot's first and last frame stand for those that are not there; a lone one does not change.
    """
    frame, eye = np.arange(n), np.eye(n, dtype=np.float32)
    after = np.minimum(frame + 1, counts[:, None] - 1)
    before = np.minimum(np.maximum(frame - 1, 0), counts[:, None] - 1)
    return np.asarray(eye[after] - eye[before])


def places(counts: Array, n: int) -> Array:
    """Where in its shot each frame is: float32 (B, n), -1 first to 1 last, 0 a lone one."""
    last = np.maximum(counts[:, None] - 1, 1)
    at = 2 * np.minimum(np.arange(n), last) / last - 1
    return np.where(counts[:, None] > 1, at, 0).astype(np.float32)


def looks(regions: Array, counts: Array, motion: bool) -> list[Array]:
    """What the first half of a decoder is given of shots.

    Args:
        regions: float32 (B, n, ..., R, D), frames in order of time.
        counts: int (B,), how many of a shot's n frames are real.
        motion: of the decoder's config.

    Returns:
        regions (B * n * ..., R, D); with motion also changes, of the same shape, and places
        (B * n * ..., 1).
    """
    shape = (-1, *regions.shape[-2:])
    flat = regions.reshape(shape)
    if not motion:
        return [flat]
    n = regions.shape[1]
    changes = np.einsum("bij,bj...->bi...", moves(counts, n), regions).reshape(shape)
    place = places(counts, n).reshape(-1, 1).repeat(len(flat) // (len(regions) * n), 0)
    return [flat, np.asarray(changes, np.float32), place]


def by_keras(
    networks: tuple[Any, Any], regions: Array, counts: Array, beam: int
) -> tuple[Step, State]:
    """As together, for shots float32 (B, n, R, D) and the two halves as Keras networks."""
    start, step = networks
    given = looks(regions, counts, motion=len(start.inputs) > 1)
    return together(
        lambda *inputs: list(map(np.array, step.predict_on_batch(list(inputs)))),
        list(map(np.array, start.predict_on_batch(given if len(given) > 1 else given[0]))),
        counts,
        beam,
        [],
    )


def decode(
    shots: tuple[Array, Array], vocabulary: Vocabulary, networks: tuple[Any, Any],
    options: BeamOptions, size: int = 64,
) -> list[list[str]]:  # fmt: skip
    """The morphemes' forms that Keras says of each shot, without any exported graph.

    Args:
        shots: float (N, n, R, D), frames in order of time, and int (N,), how many are real.
        vocabulary: the decoder's morphemes.
        networks: start_network and step_network of the decoder.
        options: of the beam search.
        size: shots decoded at a time.
    """
    said = []
    regions, counts = shots
    for begin in range(0, len(regions), size):
        chunk = regions[begin : begin + size].astype(np.float32)
        advance, state = by_keras(networks, chunk, counts[begin : begin + size], options.beam)
        for found in beam_search(advance, state, options):
            said.append([m.form for m in vocabulary.decode(found[0].tokens)])
    return said
