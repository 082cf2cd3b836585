"""The decoder: an LSTM with soft attention over the CNN's grid, in pure Keras 3.

Show, Attend and Tell (Xu et al. 2015): at every step the last hidden state weighs the regions
(eq. 4-6), a gate says how much of what was seen counts (section 4.2.1), and a deep output layer
names the next morpheme (eq. 7). The output shares its weights with the embedding (Press & Wolf
2017). B pictures, k sentences a picture, R regions, D feature width, T tokens, V vocabulary,
A attention width, C context width, H hidden width, E embedding width.
"""

import math
from dataclasses import asdict
from typing import Any

import keras
import numpy as np
from keras import ops

from model.config import CaptionerConfig

MOMENTS = 4  # of changes over a picture


class Bias(keras.layers.Layer):  # type: ignore[misc]
    """Adds a trained number to each of the last axis, e.g. how common a word is."""

    def __init__(self, width: int, name: str) -> None:
        super().__init__(name=name)
        self.width = width

    def build(self, input_shape: Any = None) -> None:
        """Makes the one weight, zeros (width,)."""
        self.bias = self.add_weight(shape=(self.width,), initializer="zeros", name="bias")
        self.built = True

    def call(self, inputs: Any) -> Any:
        """(..., width) -> (..., width)."""
        return inputs + self.bias


def grid(regions: int) -> Any:
    """Weights of the MOMENTS over a square grid: mean, x, y, r^2; float32 (4, R)."""
    side = math.isqrt(regions)
    rows, columns = (side, side) if side * side == regions else (1, regions)
    y, x = np.meshgrid(np.linspace(-1, 1, rows), np.linspace(-1, 1, columns), indexing="ij")
    moments = np.stack([np.ones_like(x), x, y, x**2 + y**2 - 1]).reshape(4, regions)
    return (8 * moments / regions).astype(np.float32)  # 8: a thing is small in its picture


class Moments(keras.layers.Layer):  # type: ignore[misc]
    """Moments over a square grid of what changed, and the place: (B, 4 D + 1)."""

    def __init__(self, regions: int, name: str) -> None:
        super().__init__(name=name)
        self.grid = grid(regions)

    def call(self, inputs: tuple[Any, Any]) -> Any:
        """(B, R, D), (B, 1) -> (B, 4 D + 1)."""
        changes, place = inputs
        moments = ops.einsum("mr,brd->bmd", ops.cast(self.grid, changes.dtype), changes)
        flat = ops.reshape(moments, (-1, moments.shape[1] * moments.shape[2]))
        return ops.concatenate([flat, ops.cast(place, flat.dtype)], -1)


class Decoder(keras.Model):  # type: ignore[misc]
    """Regions and the tokens so far -> logits of the next token.

    `mark` ends the names of its layers, so that several decoders can be in one graph.
    """

    def __init__(self, config: CaptionerConfig, mark: str = "") -> None:
        super().__init__(name=f"decoder{mark}")
        c = self.config = config
        dense, dropout = keras.layers.Dense, keras.layers.Dropout
        self.embed = keras.layers.ReversibleEmbedding(
            c.vocabulary, c.embedding, name=f"embed{mark}"
        )
        self.prior = Bias(c.vocabulary, name=f"prior{mark}")
        self.see = dense(c.context, activation="relu", name=f"see{mark}")  # regions -> values
        self.key = dense(c.attention, name=f"key{mark}")
        self.begin = dense(2 * c.hidden, activation="tanh", name=f"begin{mark}")  # mean -> h, c
        self.ask = dense(c.attention + c.context, name=f"ask{mark}")  # h -> query, gate
        self.weigh = dense(1, use_bias=False, name=f"weigh{mark}")
        self.gates_word = dense(4 * c.hidden, name=f"gates_word{mark}")
        self.gates_seen = dense(4 * c.hidden, use_bias=False, name=f"gates_seen{mark}")
        self.gates_self = dense(
            4 * c.hidden, use_bias=False, kernel_initializer="orthogonal", name=f"gates_self{mark}"
        )
        self.say = dense(c.embedding, name=f"say{mark}")  # h, context -> embedding space
        self.sums = Moments(c.regions, name=f"sums{mark}")
        # zeros: a captioner that starts to learn of motion says what it said before
        self.move = dense(c.context, kernel_initializer="zeros", name=f"move{mark}")
        self.drop_features = dropout(c.feature_dropout, seed=1)
        self.drop_words = dropout(c.embedding_dropout, seed=2)
        self.drop_output = dropout(c.output_dropout, seed=3)

    def build(self, input_shape: Any = None) -> None:
        """Makes every weight from the config's numbers alone."""
        c = self.config
        self.embed.build((None, None))
        self.see.build((None, None, c.features))
        for layer, width in (
            (self.key, c.context), (self.begin, c.context), (self.ask, c.hidden),
            (self.weigh, c.attention), (self.gates_word, c.embedding),
            (self.gates_seen, c.context), (self.gates_self, c.hidden),
            (self.say, c.hidden + c.context),
        ):  # fmt: skip
            layer.build((None, width))
        self.prior.build()
        if c.motion:
            self.move.build((None, MOMENTS * c.features + 1))
        self.built = True

    def state_shapes(self) -> list[tuple[int | None, int]]:
        """Of h, c, values and keys of one picture; None is the number of sentences."""
        c = self.config
        seen = c.regions if c.attend else 1
        return [(None, c.hidden), (None, c.hidden), (seen, c.context), (seen, c.attention)]

    def get_config(self) -> dict[str, Any]:
        """The numbers the network is built from."""
        return asdict(self.config)

    def start(
        self, regions: Any, changes: Any = None, place: Any = None, training: bool = False
    ) -> tuple[Any, Any, Any, Any]:
        """(B, R, D) -> values (B, R, C), keys (B, R, A), h and c (B, 1, H).

        With motion also changes (B, R, D), how the frame differs from those beside it, and place
        (B, 1), from -1 for a shot's first frame to 1 for its last; see model/decoding.py.
        """
        if not self.config.attend:
            regions = ops.mean(regions, axis=1, keepdims=True)
        values = self.see(self.drop_features(regions, training=training))
        if self.config.motion:
            values = values + ops.expand_dims(self.moved(changes, place), 1)
        first = self.begin(ops.mean(values, axis=1, keepdims=True))  # (B, 1, 2H)
        return values, self.key(values), *ops.split(first, 2, axis=-1)

    def moved(self, changes: Any, place: Any) -> Any:
        """Where over the picture what was seen grew and shrank: (B, R, D), (B, 1) -> (B, C).

        A feature that leaves the left half for the right one has a positive first moment of its
        change along x, whatever the feature; one that spreads has a positive second moment.
        """
        return self.move(self.sums([changes, place]))

    def attend(self, h: Any, values: Any, keys: Any) -> tuple[Any, Any]:
        """H (B, k, H) -> gated context (B, k, C), attention (B, k, R); Xu et al. eq. 4-6."""
        query, gate = ops.split(self.ask(h), [self.config.attention], axis=-1)
        mixed = ops.tanh(ops.expand_dims(query, 2) + ops.expand_dims(keys, 1))  # (B, k, R, A)
        scores = ops.squeeze(self.weigh(mixed), -1)
        one = scores - scores + 1.0  # Keras warns of a softmax over one region
        weights = ops.softmax(scores, axis=-1) if self.config.attend else one
        return ops.sigmoid(gate) * ops.matmul(weights, values), weights

    def recur(self, word_gates: Any, context: Any, h: Any, c: Any) -> tuple[Any, Any]:
        """One LSTM step (Hochreiter & Schmidhuber 1997), forget bias 1; all (B, k, .)."""
        return self.remember(word_gates + self.gates_seen(context) + self.gates_self(h), c)

    def remember(self, gates: Any, c: Any) -> tuple[Any, Any]:
        """What the gates (B, k, 4H) make of the memory c: the new h and c, (B, k, H)."""
        admit, forget, update, show = ops.split(gates, 4, axis=-1)
        c = ops.sigmoid(forget + 1.0) * c + ops.sigmoid(admit) * ops.tanh(update)
        return ops.sigmoid(show) * ops.tanh(c), c

    def logits(self, h: Any, context: Any, word: Any, training: bool = False) -> Any:
        """Deep output (eq. 7): (B, k, ., H), (B, k, ., C), (B, k, ., E) -> (B, k, ., V)."""
        spoken = self.say(self.drop_output(ops.concatenate([h, context], -1), training=training))
        spoken = self.drop_output(ops.tanh(spoken + word), training=training)
        return self.prior(self.embed(spoken, reverse=True))

    def call(self, inputs: tuple[Any, ...], training: bool = False) -> Any:
        """Teacher forcing: regions (B, R, D), tokens int32 (B, k, T) -> logits (B, k, T, V).

        With motion its inputs stand between the two.
        """
        regions, *told, tokens = inputs
        changes, place = told or (None, None)
        values, keys, h, c = self.start(regions, changes, place, training)
        words = self.drop_words(self.embed(tokens), training=training)  # (B, k, T, E)
        gates = self.gates_word(words)
        h, c = (ops.repeat(state, tokens.shape[1], axis=1) for state in (h, c))
        hidden, contexts = [], []
        for t in range(tokens.shape[2]):
            context, _ = self.attend(h, values, keys)
            h, c = self.recur(gates[:, :, t], context, h, c)
            hidden.append(h)
            contexts.append(context)
        return self.logits(ops.stack(hidden, 2), ops.stack(contexts, 2), words, training)

    def step(self, token: Any, h: Any, c: Any, values: Any, keys: Any) -> tuple[Any, ...]:
        """One step of decoding: token (B, k) -> log-probabilities (B, k, V), h, c, attention."""
        word = self.embed(token)
        context, weights = self.attend(h, values, keys)
        h, c = self.recur(self.gates_word(word), context, h, c)
        return ops.log_softmax(self.logits(h, context, word)), h, c, weights


def start_network(decoder: Decoder) -> keras.Model:
    """The inference graph's first half: regions (with motion changes and place) -> values, ..."""
    config = decoder.config
    shape = (config.regions, config.features)
    looks = [keras.Input(shape, name="regions")]
    if config.motion:
        looks += [keras.Input(shape, name="changes"), keras.Input((1,), name="place")]
    given = looks if config.motion else looks[0]
    return keras.Model(given, list(decoder.start(*looks)), name="start")


def step_network(decoder: Decoder) -> keras.Model:
    """The inference graph's second half: token, h, c, values, keys -> log-probabilities, ..."""
    names = ["h", "c", "values", "keys"]
    token = keras.Input((None,), dtype="int32", name="token")
    shapes = zip(decoder.state_shapes(), names, strict=True)
    inputs = [token, *(keras.Input(shape, name=name) for shape, name in shapes)]
    return keras.Model(inputs, list(decoder.step(*inputs)), name="step")
