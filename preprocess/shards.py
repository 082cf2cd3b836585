"""Features in shards: float16 .npy files of like size, each written once, memory-mapped.

`keys.json` names the rows and tells their shape. `shards.jsonl` has a line for each finished
shard: its size, its SHA-256, and a hash of what it was made of; a shard without one is not there.
A folder of earlier versions holds all rows in one `features.npy`, which is read as one shard.
"""

import functools
import hashlib
import json
import math
import mmap
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from preprocess.files import append_line, make_folder, read_lines, whole_file

SHARD_BYTES = 2**26
OPEN = 8  # shards that are mapped at a time: what is read counts as memory until it is let go
_LINES, _SINGLE = "shards.jsonl", "features.npy"
Array = npt.NDArray[np.float16]


class Features:
    """All rows, float16 (N, V, R, D), on the disk: what is asked for is read.

    Attributes:
        shape: (N, V, R, D).
        rows: of each shard but the last.
    """

    def __init__(self, files: Sequence[Path], shape: tuple[int, ...], rows: int) -> None:
        self.shape, self.rows = shape, rows
        self._files = list(files)
        self._shard = functools.lru_cache(OPEN)(self._opened)

    @classmethod
    def of(cls, folder: Path, plan: "Plan") -> "Features":
        """Those of a folder whose shards are all there."""
        files = [_file(folder, number) for number in range(len(plan.shards))]
        return cls(files, (len(plan.keys), *plan.shape), plan.rows)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> Array:
        """As of an array, a copy: rows, or rows and views, as numbers, lists or slices of rows."""
        rows, *rest = index if isinstance(index, tuple) else (index,)
        if isinstance(rows, slice):
            rows = range(*rows.indices(len(self)))
        if not isinstance(rows, Sequence | np.ndarray):
            shard, place = divmod(self._within(rows), self.rows)
            row: Array = self._shard(shard)[(place, *rest)].copy()
            return row
        if len(rows) == 0:
            return np.empty((0, *self.shape[1 + len(rest) :]), np.float16)
        if rest and isinstance(rest[0], Sequence | np.ndarray):
            pairs = zip(rows, rest[0], strict=True)
            return np.stack([self[(row, view, *rest[1:])] for row, view in pairs])
        return np.stack([self[(row, *rest)] for row in rows])

    def _within(self, row: Any) -> int:
        number = operator.index(row)
        if not -len(self) <= number < len(self):
            raise IndexError(f"row {number} of {len(self)}")
        return number % len(self)

    def _opened(self, shard: int) -> Array:
        """The rows of a shard, mapped; numpy would read the header too and take thrice as long."""
        count = min(self.rows, len(self) - shard * self.rows)
        shape = (count, *self.shape[1:])
        with self._files[shard].open("rb", buffering=0) as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        size = math.prod(shape)
        return np.frombuffer(mapped, np.float16, size, len(mapped) - 2 * size).reshape(shape)


@dataclass(frozen=True)
class Plan:
    """What the shards of a folder shall hold.

    Attributes:
        keys: of the rows, in order.
        origins: what each row is made of; equal ones make equal rows.
        shape: of one row, (V, R, D).
        about: told in keys.json beside these: who made them.
        stamps: of each row's file as it is now, "" for one that is gone; nothing tells nothing.
    """

    keys: Sequence[str]
    origins: Sequence[str]
    shape: tuple[int, ...]
    about: dict[str, Any]
    stamps: Sequence[str] = ()

    @property
    def row_bytes(self) -> int:
        """Of one row."""
        return 2 * math.prod(self.shape)

    @property
    def rows(self) -> int:
        """Of a shard; the last one may have fewer."""
        return max(1, SHARD_BYTES // self.row_bytes)

    @property
    def shards(self) -> list[range]:
        """The rows of each."""
        starts = range(0, len(self.keys), self.rows)
        return [range(start, min(start + self.rows, len(self.keys))) for start in starts]

    def origin(self, rows: range) -> str:
        """The hash of what a shard is made of."""
        told = json.dumps([self.about, self.shape, [self.keys[row] for row in rows],
                           [self.origins[row] for row in rows]])  # fmt: skip
        return hashlib.sha256(told.encode()).hexdigest()

    def seen(self, rows: range) -> list[str]:
        """The stamps of a shard's files."""
        return [self.stamps[row] for row in rows] if self.stamps else []

    def told(self) -> dict[str, Any]:
        """What keys.json says."""
        return {"keys": list(self.keys), **self.about, "shape": self.shape, "rows": self.rows}


def missing(folder: Path, plan: Plan, verify: bool = False) -> list[int]:
    """The shards that are not there, of another size than they were written, or of other rows.

    Args:
        folder: of the shards; need not be there.
        plan: what is wanted.
        verify: reads every shard and compares its SHA-256 too.
    """
    lines = _lines(folder)
    return [
        number
        for number, rows in enumerate(plan.shards)
        if not _is_whole(_file(folder, number), lines.get(number, {}), verify)
        or lines[number].get("of") != plan.origin(rows)
        or _replaced(lines[number].get("seen", []), plan.seen(rows))
    ]


def _replaced(before: Sequence[str], now: Sequence[str]) -> bool:
    """Whether one of a shard's files is another one now; one that is gone was what it was."""
    return any(b != n and b and n for b, n in zip(before, now, strict=False))


def begin(folder: Path, plan: Plan) -> None:
    """Makes the folder ready for the plan's shards; what is of no use to it goes."""
    make_folder(folder)
    with whole_file(folder / "keys.json") as temporary:
        temporary.write_text(json.dumps(plan.told(), ensure_ascii=False), encoding="utf-8")
    for path in useless(folder, plan):
        path.unlink()


def useless(folder: Path, plan: Plan) -> list[Path]:
    """Files that the plan's shards will not need: those beyond its last, and earlier forms."""
    kept = {_file(folder, number) for number in range(len(plan.shards))}
    shards = set(folder.glob("[0-9]" * 5 + ".npy"))
    older = {folder / _SINGLE, folder / "done.json"}
    return sorted((shards | {path for path in older if path.exists()}) - kept)


def write_shard(folder: Path, plan: Plan, number: int, pieces: Iterator[Array]) -> None:
    """Writes one shard and then its line; the pieces together are its rows in order.

    Raises:
        OutputError: it cannot be written.
    """
    rows, path = plan.shards[number], _file(folder, number)
    told = {"descr": "<f2", "fortran_order": False, "shape": (len(rows), *plan.shape)}
    done = 0
    with whole_file(path) as temporary:
        with temporary.open("wb") as file:  # not a map: a full disk would be a fatal signal
            np.lib.format.write_array_header_1_0(file, told)
            for piece in pieces:
                file.write(np.ascontiguousarray(piece, "<f2").data)
                done += len(piece)
        if done != len(rows):
            raise ValueError(f"{done} rows for a shard of {len(rows)}")
        size, digest = temporary.stat().st_size, _digest(temporary)
    made = {"of": plan.origin(rows), "seen": plan.seen(rows)}
    append_line(folder / _LINES, {"shard": number, "bytes": size, "sha256": digest, **made})


def open_features(folder: Path) -> tuple[list[str], Features]:
    """The keys of a folder's rows, and the rows.

    Raises:
        OSError: a file is missing.
        ValueError: a shard is missing or damaged, with what to do.
        KeyError: keys.json lacks something.
    """
    told = json.loads((folder / "keys.json").read_text(encoding="utf-8"))
    keys = [str(key) for key in told["keys"]]
    if (folder / _SINGLE).exists():
        return keys, _single(folder)
    shape, rows = (len(keys), *map(int, told["shape"])), int(told["rows"])
    files = [_file(folder, number) for number in range(-(-len(keys) // rows))]
    lines = _lines(folder)
    for number, path in enumerate(files):
        if not _is_whole(path, lines.get(number, {})):
            raise ValueError(f"{path.name}: missing or damaged; it is made again, alone")
    return keys, Features(files, shape, rows)


def old_features(folder: Path, plan: Plan, pictures: Sequence[str]) -> Features | None:
    """A whole `features.npy` of an earlier version, if it holds what the plan wants."""
    wanted = {"keys": list(plan.keys), "pictures": list(pictures), **plan.about}
    try:
        names = ("keys.json", "done.json")
        told = [json.loads((folder / name).read_text("utf-8")) for name in names]
        found = _single(folder)
    except (OSError, ValueError):
        return None
    whole = told == [wanted, len(plan.keys)] and found.shape == (len(plan.keys), *plan.shape)
    return found if whole else None


def _single(folder: Path) -> Features:
    path = folder / _SINGLE
    shape = np.load(path, mmap_mode="r").shape
    return Features([path], shape, max(1, shape[0]))


def _lines(folder: Path) -> dict[Any, dict[str, Any]]:
    """The last line of each shard."""
    told = (line for line in read_lines(folder / _LINES) if isinstance(line, dict))
    return {line.get("shard"): line for line in told}


def _file(folder: Path, number: int) -> Path:
    return folder / f"{number:05d}.npy"


def _is_whole(path: Path, line: dict[str, Any], verify: bool = False) -> bool:
    if not path.is_file() or path.stat().st_size != line.get("bytes"):
        return False
    return not verify or _digest(path) == line.get("sha256")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
