"""Files that came in parts, X.zip.part0 .. X.zip.part10, read as the one that they were."""

import io
import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import IO

from preprocess.errors import DataError

PART = re.compile(r"(?P<whole>.+)\.part(?P<number>\d{1,18})", re.IGNORECASE | re.DOTALL)
Opened = Callable[[], IO[bytes]]


def part_of(name: str) -> tuple[str, int] | None:
    """The whole's name and the part's number: "X.zip.part10" -> ("X.zip", 10)."""
    match = PART.fullmatch(name)
    return (match["whole"], int(match["number"])) if match else None


def in_order(name: str, sizes: Mapping[int, int]) -> list[int]:
    """The numbers of a whole's parts as they follow each other: part2 before part10.

    Args:
        name: of the whole, for the error.
        sizes: bytes of each part by its number.

    Raises:
        DataError: a part is missing, or one but the last is shorter than the first.
    """
    numbers = sorted(sizes)
    starts = [0, *accumulate(sizes[n] for n in numbers)][:-1]
    if numbers != starts:  # some tools number parts by where they begin
        wanted = range(min(numbers[0], 1), max(numbers) + 1)
        missing = next((n for n in wanted if n not in sizes), None)
        if missing is not None:
            raise _incomplete(name, f"part{missing} is missing")
    whole = sizes[numbers[0]]
    for number in numbers[:-1]:
        if sizes[number] != whole:
            raise _incomplete(name, f"part{number} has {sizes[number]:,} bytes, not {whole:,}")
    if sizes[numbers[-1]] > whole:
        raise _incomplete(name, f"part{numbers[-1]} is longer than the others")
    return numbers


def _incomplete(name: str, reason: str) -> DataError:
    return DataError(
        f"'{name}'의 조각이 온전하지 않습니다 ({reason}). 빠진 조각을 다시 받으세요.",
        f"the parts of '{name}' are not complete ({reason}). Fetch them again.",
    )


class Joined(io.RawIOBase):
    """Files one after the other as one that can be searched, without a copy on disk.

    One of them is open at a time: there may be more than a process can hold open.

    Args:
        files: open them, in their order.
        sizes: their bytes.
    """

    def __init__(self, files: Sequence[Opened], sizes: Sequence[int]) -> None:
        super().__init__()
        self._files = list(files)
        self._ends = list(accumulate(sizes))
        self._at = 0
        self._present: tuple[int, IO[bytes]] | None = None

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """The position in the whole, in bytes."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """See io.IOBase."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._ends[-1]}[whence]
        if base + offset < 0:
            raise ValueError(f"negative position {base + offset}")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        """Fills the buffer up to the end of the present part at most."""
        number = bisect_right(self._ends, self._at)
        if number == len(self._files):
            return 0
        start = self._ends[number - 1] if number else 0
        file = self._part(number)
        file.seek(self._at - start)
        data = file.read(min(len(buffer), self._ends[number] - self._at))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _part(self, number: int) -> IO[bytes]:
        if self._present is None or self._present[0] != number:
            self._leave()
            self._present = (number, self._files[number]())
        return self._present[1]

    def _leave(self) -> None:
        if self._present:
            self._present[1].close()
        self._present = None

    def close(self) -> None:
        """Closes the part that is open, too."""
        self._leave()
        super().close()
