"""The usable whole: frames of a shot in, one Korean sentence out, without TensorFlow."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Frames = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Caption:
    """One sentence for one shot.

    Attributes:
        text: the Korean sentence, spaces put back, without a full stop.
        morphemes: the surface forms the sentence was made of.
        score: mean natural log-probability a token, <= 0; higher is surer.
        attention: float32 (T, n, rows, columns), where the network looked for each morpheme.
    """

    text: str
    morphemes: tuple[str, ...]
    score: float
    attention: npt.NDArray[np.float32]


class Captioner:
    """A loaded captioner file."""

    @classmethod
    def load(cls, path: Path | str) -> "Captioner":
        """Reads a .kcap file.

        Raises:
            CaptionerFileError: damaged, of a newer format, or not a captioner file.
        """
        raise NotImplementedError

    def caption(self, frames: Frames) -> Caption:
        """The sentence for one shot; frames: uint8 (n, H, W, 3) RGB, n >= 1."""
        return self.caption_many([frames])[0]

    def caption_many(self, shots: Sequence[Frames]) -> list[Caption]:
        """One sentence a shot, decoded as one batch."""
        raise NotImplementedError
