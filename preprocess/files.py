"""Output files: whole or not at all, and never over one that is there unasked."""

import argparse
import errno
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Any

from preprocess.errors import OutputError

_MARK: ContextVar[str] = ContextVar("_MARK", default="")  # in the names of temporary files
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}


def path_of(text: str) -> Path:
    """A path; nothing at all would be the folder one is in."""
    if not text:
        raise argparse.ArgumentTypeError(f"{text!r}")
    return Path(text)


def is_folder(path: Path | str) -> bool:
    """Whether a folder is there; a name that no file can have is none."""
    try:
        return Path(path).is_dir()
    except OSError:
        return False


def is_file(path: Path) -> bool:
    """Whether a plain file is there: no folder, device or pipe, which may have no end."""
    try:
        return path.is_file()
    except OSError:
        return False


def check_free(target: Path, overwrite: bool) -> None:
    """Refuses a path that is taken, before any work is done for it.

    Raises:
        OutputError: target exists (a broken link does too) and overwrite is off.
    """
    if not overwrite and os.path.lexists(target):
        raise OutputError(
            f"'{target}'이(가) 이미 있습니다. 덮어쓰려면 --overwrite를 붙이세요.",
            f"'{target}' exists already. Add --overwrite to replace it.",
        )


def check_result(
    target: Path, inputs: Iterable[Path], overwrite: bool, option: str = "--out"
) -> None:
    """Refuses a path that no result can go to, before hours of work are done for it.

    Args:
        target: the file that an option names.
        inputs: files that must stay as they are.
        overwrite: whether a file that is there may go.
        option: its name, for what is told.

    Raises:
        OutputError: target is an input, is there already, or lies where nothing can be written.
    """
    # not Path.resolve, which ends with a traceback where a link leads to itself
    if os.path.realpath(target) in {os.path.realpath(path) for path in inputs}:
        raise OutputError(
            f"'{target}'은(는) 입력 파일입니다. {option}에 다른 이름을 주세요.",
            f"'{target}' is an input. Give {option} another name.",
        )
    check_free(target, overwrite)
    try:
        os.lstat(target)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise _unwritable(target, error.errno) from None
    if is_folder(target):
        raise _unwritable(target, errno.EISDIR)
    if not is_folder(target.parent):
        raise _unwritable(target, errno.ENOENT)
    if not os.access(target.parent, os.W_OK):
        raise _unwritable(target, errno.EACCES)


def make_folder(folder: Path, option: str = "--out") -> None:
    """Makes the folder that an option names, if it is not there.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"폴더 '{folder}'을(를) 만들 수 없습니다 ({error.strerror}). "
            f"{option}에 다른 곳을 주세요.",
            f"the folder '{folder}' cannot be made ({error.strerror}). Give another {option}.",
        ) from None


def check_room(folder: Path, size: int) -> None:
    """Refuses to begin what cannot end.

    Raises:
        OutputError: less than `size` bytes are free where the folder is or will be.
    """
    real = Path(os.path.realpath(folder))
    there = next(p for p in (real, *real.parents) if p.exists())
    free = shutil.disk_usage(there).free
    if size > free:
        raise OutputError(
            f"'{folder}'에 {size / 1e9:.1f} GB가 필요한데 {free / 1e9:.1f} GB가 남았습니다. "
            "자리를 비우거나 다른 디스크의 폴더를 주세요.",
            f"'{folder}' needs {size / 1e9:.1f} GB and {free / 1e9:.1f} GB are free. "
            "Free some space, or give a folder on another disk.",
        )


def open_many() -> None:
    """Lets the process open as many files as the system allows at most; 256 is often the start."""
    with suppress(ImportError, OSError, ValueError):  # Windows has no such limit
        import resource

        now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 2**16 if most == resource.RLIM_INFINITY else min(most, 2**16)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(now, wanted), most))


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """A hidden path beside target to write to; it becomes target on success and goes on failure.

    Raises:
        OutputError: the folder is missing or cannot be written, nothing was written, or a target
            that was not there has come meanwhile.
    """
    is_there = os.path.lexists(target)
    if is_folder(target):
        raise OutputError(
            f"'{target}'은(는) 폴더입니다. 파일 이름을 주세요.",
            f"'{target}' is a folder. Give a file name.",
        )
    # A short ASCII name: target's own may fill all of the 255 bytes that a name can have.
    name = f".captioning-{_MARK.get()}{secrets.token_hex(6)}{target.suffix}"
    temporary = target.parent / name
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield temporary
        if temporary.stat().st_size == 0:
            raise OSError(errno.ENOSPC, "nothing was written")
        _settle(temporary)
        check_free(target, overwrite=is_there)
        temporary.replace(target)
    except OSError as error:
        if not _concerns(error, temporary):
            raise
        raise _unwritable(target, error.errno) from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def marked(mark: str) -> Iterator[None]:
    """Inside, temporary files have the mark: what a kill leaves of them, `sweep` finds."""
    before = _MARK.set(f"{mark}-")
    try:
        yield
    finally:
        _MARK.reset(before)


def sweep(folder: Path, mark: str) -> None:
    """Removes what work with this mark left half-written; nobody may be at it any more."""
    for left in folder.glob(f".captioning-{mark}-*"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        with suppress(OSError):
            left.unlink()


@contextmanager
def only_one(folder: Path, name: str) -> Iterator[None]:
    """Inside, no other run works on the folder that --out names.

    Args:
        folder: is there already.
        name: of the file in it that is locked, made if it is not there.

    Raises:
        OutputError: another run works on it, or it cannot be written.
    """
    path = folder / name
    try:
        file = path.open("ab")
    except OSError as error:
        raise OutputError(
            f"'{path}'에 쓸 수 없습니다 ({error.strerror}). --out을 바꾸세요.",
            f"cannot write '{path}' ({error.strerror}). Give another --out.",
        ) from None
    with file:
        if not _locked(file):
            raise OutputError(
                f"'{folder}'에서 다른 실행이 일하고 있습니다. 기다리거나 --out을 바꾸세요.",
                f"another run works on '{folder}'. Wait for it, or give another --out.",
            )
        yield


def _locked(file: IO[bytes]) -> bool:
    """Whether nobody else had it locked; where there are no locks, nobody can be known."""
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (ImportError, OSError):  # on Windows; on some shared disks
        return True
    return True


def append_line(path: Path, record: Any) -> None:
    """Adds one JSON line, and comes back when it is on the disk.

    Raises:
        OutputError: it cannot be written.
    """
    line = json.dumps(record, ensure_ascii=False)
    if not line.isprintable():  # names of any bytes: as escapes, or it were no UTF-8
        line = json.dumps(record)
    data = line.encode() + b"\n"
    try:
        with path.open("ab+") as file:
            if file.tell() and file.seek(-1, os.SEEK_END) and file.read(1) != b"\n":
                data = b"\n" + data  # a kill broke the last line off
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise _unwritable(path, error.errno) from None


def read_lines(path: Path) -> Iterator[Any]:
    """The records of append_line; none if the file is not there. Broken lines are passed over."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            with suppress(ValueError):
                yield json.loads(line)


def _settle(path: Path) -> None:
    """Waits until the file is on the disk: only then is it known that it fits."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder for work that goes with its contents.

    Raises:
        OutputError: no place for temporary files can be written.
    """
    try:
        name = f".captioning-{_MARK.get()}" if _MARK.get() else "captioning-"
        folder = tempfile.TemporaryDirectory(prefix=name, ignore_cleanup_errors=True)
    except OSError as error:
        raise OutputError(
            f"임시 파일을 쓸 곳이 없습니다 ({error.strerror}). TMPDIR에 쓸 수 있는 폴더를 주세요.",
            f"temporary files cannot be written ({error.strerror}). Set TMPDIR to a folder that "
            "can be written.",
        ) from None
    with folder as name:
        yield Path(name)


def _concerns(error: OSError, temporary: Path) -> bool:
    return error.errno in _NO_ROOM or str(error.filename) == str(temporary)


def _unwritable(target: Path, number: int | None) -> OutputError:
    reason = os.strerror(number or errno.EIO)
    return OutputError(
        f"'{target}'에 쓸 수 없습니다 ({reason}). 폴더, 권한, 남은 공간을 확인하세요.",
        f"cannot write '{target}' ({reason}). Check the folder, its rights and free space.",
    )
