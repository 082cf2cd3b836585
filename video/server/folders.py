"""The folder of a service: made, held by one service at a time, and written to for good."""

import fcntl
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from fastapi import UploadFile

from preprocess.errors import OutputError
from video.server.jobs import TABLE

CHUNK = 1 << 20
_OWN = {"jobs", "incoming", "lock", "lost+found"}  # there before the tables are


def copied(upload: UploadFile, path: Path) -> int:
    """Writes what was sent to a new file on the disk; its size."""
    with path.open("xb") as file:
        shutil.copyfileobj(upload.file, file, CHUNK)
        file.flush()
        os.fsync(file.fileno())
        return file.tell()


def made(data: Path) -> Path:
    """Makes the folders; the one for what is being received.

    Raises:
        OutputError: it cannot be written to, or has files of somebody else's in it.
    """
    incoming = data / "incoming"
    try:
        if not (data / TABLE).exists() and (foreign := _foreign(data)):
            raise OutputError(
                f"'{data}'에 서버의 것이 아닌 '{foreign}'이(가) 있습니다. --data로 빈 폴더를 "
                "주세요.",
                f"'{data}' holds '{foreign}', which is not a server's. Give an empty folder with "
                "--data.",
            )
        (data / "jobs").mkdir(parents=True, exist_ok=True)
        incoming.mkdir(exist_ok=True)
    except OSError as error:
        raise _unwritable(data, error) from None
    return incoming


def _foreign(data: Path) -> str:
    """What a service that never came to its table cannot have made; "" if there is nothing."""
    folders = [folder for folder in (data, data / "jobs", data / "incoming") if folder.exists()]
    found = (path for folder in folders for path in folder.iterdir())
    return next(
        (str(p.relative_to(data)) for p in found if p.parent != data or p.name not in _OWN), ""
    )


def emptied(incoming: Path) -> None:
    """Removes what was being received when an earlier service ended."""
    for stale in incoming.iterdir():
        with suppress(OSError):  # a folder is nobody's upload
            stale.unlink()


def claimed(data: Path) -> Any:
    """A lock on the folder, held as long as the answer lives and no longer than the process.

    Raises:
        OutputError: another service holds it, or it cannot be written.
    """
    try:
        file = (data / "lock").open("w")
    except OSError as error:
        raise _unwritable(data, error) from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise OutputError(
            f"'{data}'은(는) 다른 서버가 쓰고 있습니다. --data로 다른 폴더를 주세요.",
            f"another server is using '{data}'. Give another folder with --data.",
        ) from None
    return file


def _unwritable(data: Path, error: OSError) -> OutputError:
    return OutputError(
        f"'{data}'에 쓸 수 없습니다 ({error.strerror}). --data로 다른 폴더를 주세요.",
        f"cannot write to '{data}' ({error.strerror}). Give another folder with --data.",
    )
