"""Plain records that pass between the rooms; JSON lines in and out."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeVar

from preprocess.files import whole_file

T = TypeVar("T")
FRAMES = 3  # most pictures of a sample that are looked at; captioning takes as many of a shot


@dataclass(frozen=True)
class Shot:
    """A half-open span [start_ms, end_ms) of a video, in ms from its first frame."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class Sample:
    """One picture (or one shot's pictures) with the captions people wrote for it.

    Attributes:
        key: unique name of the sample over all merged sets, e.g. "flickr8k-ko/1000268201".
        pictures: absolute picture files, one or more frames of the same thing: the middle one
            first, for who looks at one alone, then the others in order of time.
        captions: Korean sentences, at least one, NFC, single spaces.
        split: "train", "val" or "test".
        group: samples of one group (film, clip, picture) are never split between folds.
        topic: place, genre or category where the set tells one.
    """

    key: str
    pictures: tuple[str, ...]
    captions: tuple[str, ...]
    split: str
    group: str
    topic: str = ""

    @property
    def source(self) -> str:
        """The set the sample came from: its key without the last part."""
        return self.key.rsplit("/", 1)[0]

    @property
    def shown(self) -> tuple[str, ...]:
        """The pictures that are looked at together, at most FRAMES, in order of time."""
        return in_time(self.pictures[:FRAMES])


def stills(samples: Iterable[Sample]) -> list[Sample]:
    """One sample a picture, for what looks at pictures one by one; the first keeps its key."""
    return [
        replace(sample, key=f"{sample.key}#{number}" if number else sample.key, pictures=(picture,))
        for sample in samples
        for number, picture in enumerate(sample.pictures[:FRAMES])
    ]


def in_time(pictures: Sequence[T]) -> tuple[T, ...]:
    """What was written middle first (Sample.pictures), in order of time."""
    first, *others = pictures
    before = len(pictures) // 2
    return (*others[:before], first, *others[before:])


def middle_first(pictures: Sequence[T]) -> tuple[T, ...]:
    """The inverse of in_time; nothing of nothing."""
    middle = len(pictures) // 2
    return (*pictures[middle : middle + 1], *pictures[:middle], *pictures[middle + 1 :])


def write_samples(path: Path, samples: Iterable[Sample]) -> None:
    """Writes one JSON object a line, UTF-8.

    Raises:
        OutputError: the file cannot be written.
    """
    lines = [json.dumps(asdict(sample), ensure_ascii=False) + "\n" for sample in samples]
    if not lines:
        path.write_bytes(b"")  # which whole_file would take for a full disk
        return
    with whole_file(path) as new, new.open("w", encoding="utf-8") as file:
        file.writelines(lines)


def read_samples(path: Path) -> Iterator[Sample]:
    """Yields the samples of a JSON-lines file in order."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            fields = json.loads(line)
            fields["pictures"] = tuple(fields["pictures"])
            fields["captions"] = tuple(fields["captions"])
            yield Sample(**fields)
