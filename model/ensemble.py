"""Several decoders that look through one encoder and speak with one voice.

The next morpheme's probability is the mean of theirs: decoders that began differently make
different mistakes, so the mean makes fewer (Hansen & Salamon 1990; Vinyals et al. 2015, 4.3.3).
From outside it is one decoder whose states lie side by side. n decoders; shapes as in Decoder.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from keras import ops

from model.config import CaptionerConfig
from model.merge import MergeDecoder
from model.network import Decoder


class Ensemble(Decoder):
    """As Decoder; h, c, values and keys are n times as wide."""

    def __init__(self, config: CaptionerConfig) -> None:
        super(Decoder, self).__init__(name="ensemble")  # without layers of its own
        self.config = config
        one = replace(config, voices=1)
        self.voices = [_one(one, str(i)) for i in range(1, config.voices + 1)]

    def build(self, input_shape: Any = None) -> None:
        """Makes every decoder's weights; none of its own."""
        for voice in self.voices:
            voice.build()
        self.built = True

    def state_shapes(self) -> list[tuple[int | None, int]]:
        """Of h, c, values and keys of one picture; None is the number of sentences."""
        n = len(self.voices)
        return [(rows, n * width) for rows, width in self.voices[0].state_shapes()]

    def start(
        self, regions: Any, changes: Any = None, place: Any = None, training: bool = False
    ) -> tuple[Any, Any, Any, Any]:
        """(B, R, D) -> values (B, R, n C), keys (B, R, n A), h and c (B, 1, n H)."""
        started = [voice.start(regions, changes, place, training) for voice in self.voices]
        values, keys, h, c = (ops.concatenate(parts, -1) for parts in zip(*started, strict=True))
        return values, keys, h, c

    def call(self, inputs: tuple[Any, ...], training: bool = False) -> Any:
        """Teacher forcing: as Decoder.call, but log-probabilities, which are logits too."""
        logits = [voice(inputs, training=training) for voice in self.voices]
        return _mean_log([ops.log_softmax(one) for one in logits])

    def step(self, token: Any, h: Any, c: Any, values: Any, keys: Any) -> tuple[Any, ...]:
        """One step of decoding; the attention is the mean of theirs."""
        split = [ops.split(state, len(self.voices), -1) for state in (h, c, values, keys)]
        told = [
            voice.step(token, *states) for voice, *states in zip(self.voices, *split, strict=True)
        ]
        scores, hs, cs, attention = zip(*told, strict=True)
        looked = ops.mean(ops.stack(attention), axis=0)
        return _mean_log(scores), ops.concatenate(hs, -1), ops.concatenate(cs, -1), looked


def _mean_log(scores: Sequence[Any]) -> Any:
    """The log of the mean of what these are logs of."""
    return ops.logsumexp(ops.stack(list(scores)), axis=0) - math.log(len(scores))


def decoder_of(config: CaptionerConfig) -> Decoder:
    """The decoder or ensemble that a config asks for, its weights made."""
    if config.merge:  # one global feature as wide as the state
        config = replace(config, attend=False, context=config.hidden)
    decoder = Ensemble(config) if config.voices > 1 else _one(config)
    decoder.build()
    return decoder


def ensemble_of(decoders: Sequence[Decoder]) -> Ensemble:
    """An ensemble with the weights of decoders of one config."""
    ensemble = Ensemble(replace(decoders[0].config, voices=len(decoders)))
    ensemble.build()
    for voice, decoder in zip(ensemble.voices, decoders, strict=True):
        voice.set_weights(decoder.get_weights())
    return ensemble


def _one(config: CaptionerConfig, mark: str = "") -> Decoder:
    return MergeDecoder(config, mark) if config.merge else Decoder(config, mark)
