"""Shared by the tests: a captioner that names the colour it sees, a film, and the door."""

import signal
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

import caption_video
from model.caption import Caption
from tests.clips import colour_clip, with_sound

settings.register_profile("house", deadline=None)  # a busy machine is no fault
settings.load_profile("house")

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # by a shell's &; what tests start inherits
    signal.signal(signal.SIGINT, signal.default_int_handler)


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


@pytest.fixture(scope="session")
def original(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    return with_sound(colour_clip(folder / "a.mp4"), folder / "film.mp4")


@pytest.fixture
def film(original, tmp_path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(original.read_bytes())
    return path


@pytest.fixture
def door(captioner, monkeypatch, capsys):
    """Runs the door with a stand-in captioner: (status, stdout, stderr)."""
    monkeypatch.setattr(caption_video, "load_captioner", lambda path, options, hedge: captioner)

    def run(*arguments: object) -> tuple[int, str, str]:
        status = caption_video.main([str(a) for a in arguments])
        return status, *capsys.readouterr()

    return run
