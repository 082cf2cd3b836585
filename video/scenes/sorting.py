"""Copies of pictures into folders named after their groups; nothing is moved, nothing replaced."""

import errno
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from preprocess.errors import OutputError
from preprocess.files import check_free, check_room, is_folder, whole_file
from video.scenes.grouping import Group, Item

_UNSAFE = re.compile(r"[^\w ,-]+")  # also what Windows refuses
_LONGEST = 60  # characters of a folder's name; three bytes each in Hangul


@dataclass(frozen=True)
class Copy:
    """One file and where its copy goes."""

    source: Path
    target: Path


def check_folder(folder: Path) -> None:
    """Refuses, before anything is looked at, a folder that copies cannot go to.

    Raises:
        OutputError: it, or the first above it that is there, is no folder or cannot be written.
    """
    there = next(p for p in (folder, *folder.absolute().parents) if os.path.lexists(p))
    if not is_folder(there) or not os.access(there, os.W_OK):
        reason = os.strerror(errno.EACCES if is_folder(there) else errno.ENOTDIR)
        raise OutputError(
            f"'{there}'에 복사할 수 없습니다 ({reason}). --sort-into에 다른 폴더를 주세요.",
            f"nothing can be copied into '{there}' ({reason}). Give --sort-into another folder.",
        )


def plan(items: Sequence[Item], groups: Sequence[Group], folder: Path) -> list[Copy]:
    """Where each picture would go: FOLDER/01 name/file; files of one name are numbered.

    Raises:
        OutputError: a picture's copy would lie where something is already.
    """
    copies: list[Copy] = []
    taken: set[Path] = set()
    for number, group in enumerate(groups, 1):
        own = folder / f"{number:02} {safe(group.name)}"
        for member in group.members:
            source = Path(items[member].name)
            target = next(t for t in _names(own, source) if t not in taken)
            taken.add(target)
            copies.append(Copy(source, target))
    for copy in copies:
        if os.path.lexists(copy.target):
            raise OutputError(
                f"'{copy.target}'이(가) 이미 있습니다. 비어 있는 폴더를 --sort-into에 주세요.",
                f"'{copy.target}' exists already. Give --sort-into an empty folder.",
            )
    return copies


def _names(folder: Path, source: Path) -> Iterator[Path]:
    """a.jpg, a (2).jpg, a (3).jpg, ..."""
    yield folder / source.name
    number = 1
    while True:
        number += 1
        yield folder / f"{source.stem} ({number}){source.suffix}"


def safe(name: str) -> str:
    """A name that is a plain folder on any system: no separators, no dots, not too long."""
    return " ".join(_UNSAFE.sub(" ", name).split())[:_LONGEST].strip() or "_"


def copy_all(copies: Sequence[Copy], folder: Path) -> None:
    """Makes the copies, each whole or not at all.

    Raises:
        OutputError: there is no room, or a file cannot be written or has come meanwhile.
    """
    check_room(folder, sum(copy.source.stat().st_size for copy in copies))
    for copy in copies:
        try:
            copy.target.parent.mkdir(parents=True, exist_ok=True)
            check_free(copy.target, overwrite=False)
            with whole_file(copy.target) as part:
                shutil.copy2(copy.source, part)
        except OSError as error:
            raise OutputError(
                f"'{copy.source}'을(를) '{copy.target}'(으)로 복사할 수 없습니다 "
                f"({error.strerror}). 권한과 남은 공간을 확인하세요.",
                f"'{copy.source}' cannot be copied to '{copy.target}' ({error.strerror}). "
                "Check rights and free space.",
            ) from None
