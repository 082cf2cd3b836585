"""Which samples teach, which are held out: by film, clip or picture, never by frame.

A table of the user's comes first (Karpathy's, or ids by split), then the set's own Training and
Validation, then a draw. A group is never cut in two, whatever said so.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from preprocess.errors import DataError
from preprocess.sets.documents import parsed
from preprocess.sets.forms import recognised
from preprocess.sets.labels import Document, records
from preprocess.sets.stills import SPLITS

SHARE = 0.05  # of the groups, for val and again for test, where nothing is official
OFFICIAL = (
    ("train", re.compile(r"(?<![a-z])(train(ing)?(?![a-z])|t[ls]_)|^[^a-z]*t[ls](?![a-z])")),
    ("val", re.compile(r"(?<![a-z])(val(id(ation)?)?(?![a-z])|v[ls]_)|^[^a-z]*v[ls](?![a-z])")),
    ("test", re.compile(r"(?<![a-z])test(?![a-z])")),
)


@dataclass(frozen=True)
class Unit:
    """What is needed of a sample to place it.

    Attributes:
        names: under which a table may know it: identity, group, file name.
        group: its film, clip or picture, over all sets.
        drawn_by: the group's name within its set; what the draw goes by, so that a folder by
            another name is split alike.
        official: "train", "val", "test" as the download says, or "".
    """

    names: tuple[str, ...]
    group: str
    drawn_by: str
    official: str


def official_split(name: str) -> str:
    """What the folders and archives of a member's name say: 1.Training, [라벨]Valid.zip, TL_x, VS1.

    The member's own name says nothing: a picture may be called train_1.jpg. The download's is
    asked last: a folder may be called ai_test and hold both.
    """
    root, *folders = PurePosixPath(name.lower()).parts[:-1] or ("",)
    for folder in (*folders, root):
        said = [split for split, pattern in OFFICIAL if pattern.search(folder)]
        if len(said) == 1:  # MSCOCO_train_val.zip says nothing
            return said[0]
    return ""


def assigned(
    units: Sequence[Unit], table: Mapping[str, str] | None, asked: bool = False
) -> list[str]:
    """The split of each unit of one set; "" where a table does not have it.

    Args:
        units: of the set.
        table: split by name, given by the user.
        asked: what is official was written by the user, who may want one split alone.

    Groups lie in one split as a whole: one that is said to be in several goes to train, for what
    was learned must not be scored.
    """
    if table is not None:
        said = [next((table[n] for n in u.names if n in table), "") for u in units]
        return _whole(units, said)
    said = _whole(units, [u.official for u in units])
    half = len(set(said) - {""}) < 2 or "train" not in said
    if half and not (asked and any(said)):
        said = [""] * len(units)  # half a download: what is there is shared out
    return _completed(units, said)


def table_of(document: Document) -> dict[str, str]:
    """Split by id and by file name; Karpathy's restval teaches, and so does what is in several."""
    found: dict[str, str] = {}
    for name, split in _said(document):
        if split := SPLITS.get(split.strip().lower(), ""):
            found[name] = split if found.get(name, split) == split else "train"
    return found


def _said(document: Document) -> Iterator[tuple[str, str]]:
    if "images" in document:
        for image in records(document["images"]):
            for key in ("cocoid", "filename"):
                if key in image:
                    yield str(image[key]), str(image.get("split"))
        return
    for split, ids in document.items():
        for identity in ids:
            yield str(identity), split


def read_table(path: Path) -> dict[str, str]:
    """The table in a file.

    Raises:
        DataError: it cannot be read or has another form.
    """
    try:
        document = parsed(path.read_bytes(), path.name)
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(
            f"'{path}'을(를) JSON으로 읽을 수 없습니다 ({reason}). 파일을 확인하세요.",
            f"cannot read '{path}' as JSON ({reason}). Check the file.",
        ) from None
    if recognised(document) != "splits":
        raise DataError(
            f'\'{path}\'은(는) {{"train": [id], "val": [id], "test": [id]}}나 Karpathy의 '
            "dataset_coco.json 꼴이어야 합니다.",
            f'\'{path}\' must have the form {{"train": [id], "val": [id], "test": [id]}} or be '
            "Karpathy's dataset_coco.json.",
        )
    return table_of(document)


def _whole(units: Sequence[Unit], said: Sequence[str]) -> list[str]:
    """The same with every group in one split; what some of a group is said to be, all of it is."""
    of_group: dict[str, str] = {}
    for unit, split in zip(units, said, strict=True):
        before = of_group.get(unit.group, "")
        of_group[unit.group] = before or split
        if split and before and split != before:
            of_group[unit.group] = "train"
    return [of_group[unit.group] for unit in units]


def _completed(units: Sequence[Unit], said: list[str]) -> list[str]:
    """Groups without a split shared out, and a val and a test set made where one is missing."""
    of_group = {u.group: split for u, split in zip(units, said, strict=True)}
    order = _shuffled({u.group: u.drawn_by for u in units})
    for group in (missing := [g for g, split in of_group.items() if not split]):
        of_group[group] = "train"
    if len(missing) == len(of_group):
        _move(of_group, order, "train", "test", SHARE, spare=2)
        _move(of_group, order, "train", "val", SHARE, spare=1)
    elif "val" not in of_group.values():
        _move(of_group, order, "train", "val", SHARE, spare=1)
    elif "test" not in of_group.values():
        _move(of_group, order, "val", "test", 0.5, spare=1)
    return [of_group[unit.group] for unit in units]


def _move(
    of_group: dict[str, str], order: list[str], source: str, target: str, share: float, spare: int
) -> None:
    """Moves a share of a split's groups, at least one while `spare` remain."""
    groups = [group for group in order if of_group[group] == source]
    count = min(max(1, int(len(groups) * share)), len(groups) - spare)
    for group in groups[: max(0, count)]:
        of_group[group] = target


def _shuffled(groups: Mapping[str, str]) -> list[str]:
    """The groups in an order that has nothing to do with their names' and never changes."""
    digests = {group: hashlib.sha256(name.encode()).digest() for group, name in groups.items()}
    return sorted(groups, key=lambda group: (digests[group], group))
