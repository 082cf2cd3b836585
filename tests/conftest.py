"""Stand-ins shared by the tests: a captioner that names the colour it sees."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import settings

from model.captioner import Caption

settings.register_profile("house", deadline=None)  # a busy machine is no fault
settings.load_profile("house")


class ColourCaptioner:
    """Says '빨간 화면이다' for red; keeps the sizes of the batches it was asked for."""

    name = "colours"

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.about = {"terms": "색깔을 말하는 대역", "sha256": {"x": "0"}}

    def caption_many(self, shots: Sequence[np.ndarray]) -> list[Caption]:
        self.batches.append(len(shots))
        return [self._caption(frames) for frames in shots]

    def _caption(self, frames: np.ndarray) -> Caption:
        assert frames.dtype == np.uint8 and frames.ndim == 4 and frames.shape[0] >= 1
        red, green, blue = frames.reshape(-1, 3).mean(axis=0)
        colour = "어두운"
        if max(red, green, blue) > 40:
            colour = ("빨간", "초록", "파란")[int(np.argmax([red, green, blue]))]
        text = f"{colour} 화면이다"
        return Caption(text, tuple(text.split()), -0.5, np.zeros((2, 1, 1, 1), np.float32))


@pytest.fixture
def captioner() -> ColourCaptioner:
    return ColourCaptioner()
