"""The feature cache: every picture through the frozen CNN once, ever.

`features.npy` is float16 (N, V, R, D): row i is the picture and its mirror image, and if asked for
both again from nearer, in the order of `keys.json`: the odd views are mirrored. `done.json` counts
the finished rows, so an interrupted run goes on there.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from preprocess.graph import seeing
from preprocess.pictures import Picture, nearer, read_picture, to_square
from preprocess.records import Sample

BATCH = 16  # pictures at a time
SYNC = 16  # batches between two notes of progress


@dataclass(frozen=True)
class EncoderOptions:
    """Which CNN looks at the pictures, how large they are made, and from where.

    Attributes:
        encoder: its name.
        side: of the squares that it sees, in pixels.
        nearer: True adds the middle of each picture and its mirror image, as captioning looks at
            it too; the cache is then twice as large.
    """

    encoder: str = "lite2"
    side: int = 224
    nearer: bool = False

    @property
    def views(self) -> int:
        """How often each picture is in the cache."""
        return 4 if self.nearer else 2


def load_encoder(options: EncoderOptions) -> Callable[[npt.NDArray[Any]], npt.NDArray[Any]]:
    """The frozen encoder as a function: float32 (B, S, S, 3) 0-255 -> float32 (B, R, D)."""
    from preprocess.encoder import build_encoder

    return seeing(build_encoder(options.encoder, options.side))


def cache_features(
    folder: Path,
    samples: Sequence[Sample],
    options: EncoderOptions,
    encode: Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]],
    on_progress: Callable[[int], None] = lambda done: None,
) -> npt.NDArray[np.float16]:
    """The cache for these samples, made or completed; a memory-mapped float16 (N, V, R, D)."""
    folder.mkdir(parents=True, exist_ok=True)
    probe = encode(np.zeros((1, options.side, options.side, 3), np.float32))
    shape = (len(samples), options.views, *probe.shape[1:])
    done = _start(folder, samples, options, shape)
    store = np.lib.format.open_memmap(folder / "features.npy", "r+")
    for number, start in enumerate(range(done, len(samples), BATCH)):
        chunk = samples[start : start + BATCH]
        store[start : start + len(chunk)] = _encoded(chunk, options, encode)
        on_progress(len(chunk))
        if number % SYNC == SYNC - 1 or start + BATCH >= len(samples):
            store.flush()
            _note(folder, start + len(chunk))
    return store


def open_features(folder: Path) -> tuple[list[str], npt.NDArray[np.float16]]:
    """The cache's keys and its rows, memory-mapped read-only."""
    keys = json.loads((folder / "keys.json").read_text(encoding="utf-8"))["keys"]
    return list(keys), np.load(folder / "features.npy", mmap_mode="r")


def _encoded(
    chunk: Sequence[Sample],
    options: EncoderOptions,
    encode: Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]],
) -> npt.NDArray[np.float16]:
    """All views of the first picture of each sample: float16 (B, V, R, D)."""
    squares = [_views(read_picture(Path(sample.pictures[0])), options) for sample in chunk]
    flat = np.concatenate(squares).astype(np.float32)
    features = encode(flat)
    return features.reshape(len(chunk), -1, *features.shape[1:]).astype(np.float16)


def _views(picture: Picture, options: EncoderOptions) -> Picture:
    """The picture, its mirror image, perhaps both from nearer: uint8 (V, S, S, 3)."""
    looks = (picture, nearer(picture)) if options.nearer else (picture,)
    squares = [to_square(look, options.side) for look in looks]
    return np.stack([view for square in squares for view in (square, square[:, ::-1])])


def _start(
    folder: Path, samples: Sequence[Sample], options: EncoderOptions, shape: tuple[int, ...]
) -> int:
    """The number of rows already there; a cache of other pictures is begun anew."""
    wanted = {
        "keys": [s.key for s in samples],
        "pictures": [s.pictures[0] for s in samples],
        "encoder": options.encoder,
        "side": options.side,
        **({"nearer": True} if options.nearer else {}),
    }
    keys, store = folder / "keys.json", folder / "features.npy"
    if keys.exists() and store.exists() and json.loads(keys.read_text("utf-8")) == wanted:
        return int(json.loads((folder / "done.json").read_text("utf-8")))
    _note(folder, 0)
    np.lib.format.open_memmap(store, "w+", np.float16, shape).flush()
    keys.write_text(json.dumps(wanted, ensure_ascii=False), encoding="utf-8")
    return 0


def _note(folder: Path, done: int) -> None:
    """Replaces done.json in one step, so a kill leaves the old count or the new one."""
    new = folder / "done.new"
    new.write_text(json.dumps(done), encoding="utf-8")
    new.replace(folder / "done.json")
