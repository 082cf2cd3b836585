"""The folder of a service: made, held by one service at a time, and written to for good."""

import fcntl
import os
import shutil
from pathlib import Path
from typing import Any

from fastapi import UploadFile

from preprocess.errors import OutputError

CHUNK = 1 << 20


def copied(upload: UploadFile, path: Path) -> int:
    """Writes what was sent to a new file on the disk; its size."""
    with path.open("xb") as file:
        shutil.copyfileobj(upload.file, file, CHUNK)
        file.flush()
        os.fsync(file.fileno())
        return file.tell()


def made(data: Path) -> Path:
    """Makes the folders; the one for what is being received."""
    incoming = data / "incoming"
    try:
        (data / "jobs").mkdir(parents=True, exist_ok=True)
        incoming.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"'{data}'에 쓸 수 없습니다 ({error.strerror}). --data로 다른 폴더를 주세요.",
            f"cannot write to '{data}' ({error.strerror}). Give another folder with --data.",
        ) from None
    return incoming


def claimed(data: Path) -> Any:
    """A lock on the folder, held as long as the answer lives and no longer than the process."""
    file = (data / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise OutputError(
            f"'{data}'은(는) 다른 서버가 쓰고 있습니다. --data로 다른 폴더를 주세요.",
            f"another server is using '{data}'. Give another folder with --data.",
        ) from None
    return file
