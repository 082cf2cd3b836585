"""The merge architecture, for comparison: the LSTM reads words alone, the picture is added after.

Tanti, Gatt and Camilleri 2017 (arXiv:1708.02043), as many tutorials build it: a global feature and
the state of an LSTM over the words, each as wide as the other, added, then one dense layer.
"""

from typing import Any

from keras import ops

from model.network import Decoder


class MergeDecoder(Decoder):
    """As Decoder, with another use of the picture; shapes are Decoder's with one region."""

    def build(self, input_shape: Any = None) -> None:
        """Makes the weights of the layers that are used."""
        c = self.config
        self.embed.build((None, None))
        self.see.build((None, None, c.features))
        self.gates_word.build((None, c.embedding))
        self.gates_self.build((None, c.hidden))
        self.say.build((None, c.hidden))
        self.prior.build()
        self.built = True

    def start(
        self, regions: Any, changes: Any = None, place: Any = None, training: bool = False
    ) -> tuple[Any, Any, Any, Any]:
        """(B, R, D) -> values (B, 1, C), empty keys (B, 1, A), h and c of zeros (B, 1, H)."""
        mean = ops.mean(regions, axis=1, keepdims=True)
        values = self.see(self.drop_features(mean, training=training))
        nothing = ops.zeros_like(values)
        return values, nothing[..., : self.config.attention], nothing, nothing

    def attend(self, h: Any, values: Any, keys: Any) -> tuple[Any, Any]:
        """The picture as it is, for every sentence: (B, k, C), and ones (B, k, 1)."""
        ones = ops.ones_like(h[..., :1])
        return ones * values, ones

    def recur(self, word_gates: Any, context: Any, h: Any, c: Any) -> tuple[Any, Any]:
        """One LSTM step over the words alone."""
        return self.remember(word_gates + self.gates_self(h), c)

    def logits(self, h: Any, context: Any, word: Any, training: bool = False) -> Any:
        """State and picture added, one dense layer: (..., H) twice, (..., E) -> (..., V)."""
        spoken = ops.relu(self.say(self.drop_output(h + context, training=training)))
        return self.prior(self.embed(self.drop_output(spoken, training=training), reverse=True))
