"""Tensors out of a PyTorch weight file of the first kind (before 1.6), without PyTorch.

The file is five pickles (magic number, protocol, system, state dict, storage keys) followed by
the raw storages. Pickle can run code, so the reader admits the four names a state dict needs.
"""

import pickle
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from preprocess.errors import DataError

MAGIC = 0x1950A86A20F9469CFC6C
DTYPES: dict[str, np.dtype[Any]] = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class _Storage:
    """A block of numbers that is filled in after the pickles have been read."""

    def __init__(self, kind: str, key: str, size: int) -> None:
        self.dtype, self.key, self.size = DTYPES[kind], key, size
        self.values: npt.NDArray[Any] = np.empty(0, self.dtype)


class _Tensor:
    """A view of a storage: offset, shape and strides, counted in elements."""

    def __init__(self, storage: _Storage, offset: int, shape: Any, strides: Any, *_: Any) -> None:
        self.storage, self.offset = storage, offset
        self.shape, self.strides = tuple(shape), tuple(strides)

    def array(self) -> npt.NDArray[Any]:
        steps = [stride * self.storage.dtype.itemsize for stride in self.strides]
        start = self.storage.values[self.offset :]
        return np.lib.stride_tricks.as_strided(start, self.shape, steps).copy()


class _Unpickler(pickle.Unpickler):
    """Admits only what a state dict is made of; anything else is refused unread."""

    def __init__(self, file: IO[bytes], storages: dict[str, _Storage]) -> None:
        super().__init__(file)
        self._storages = storages

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in DTYPES:
            return name
        allowed = {
            ("torch._utils", "_rebuild_tensor_v2"): _Tensor,
            ("torch._utils", "_rebuild_tensor"): _Tensor,
            ("collections", "OrderedDict"): OrderedDict,
        }
        if (module, name) not in allowed:
            raise pickle.UnpicklingError(f"{module}.{name} is not part of a state dict")
        return allowed[module, name]

    def persistent_load(self, identity: Any) -> _Storage:
        _, kind, key, _, size, _ = identity
        return self._storages.setdefault(key, _Storage(kind, key, size))


def read_torch_file(path: Path) -> Mapping[str, npt.NDArray[Any]]:
    """The tensors of a state dict by name.

    Raises:
        DataError: the file is not such a weight file, or is damaged.
    """
    try:
        with path.open("rb") as file:
            return _read(file)
    except (OSError, EOFError, ValueError, KeyError, TypeError, pickle.UnpicklingError) as error:
        raise DataError(
            f"'{path}'은(는) PyTorch 가중치 파일이 아닙니다 ({error}). 다시 설치하세요.",
            f"'{path}' is not a readable PyTorch weight file ({error}). Install it again.",
        ) from None


def _read(file: IO[bytes]) -> Mapping[str, npt.NDArray[Any]]:
    storages: dict[str, _Storage] = {}
    if _Unpickler(file, storages).load() != MAGIC:
        raise ValueError("wrong magic number")
    for _ in range(2):  # protocol number, system information
        _Unpickler(file, storages).load()
    tensors = _Unpickler(file, storages).load()
    for key in _Unpickler(file, storages).load():
        storage = storages[key]
        count = int.from_bytes(file.read(8), "little")
        storage.values = np.frombuffer(file.read(count * storage.dtype.itemsize), storage.dtype)
    return {name: tensor.array() for name, tensor in tensors.items()}
