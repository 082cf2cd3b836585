"""One file of a download: its name as it was meant, what is refused of it, and copying it out."""

import lzma
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from preprocess.errors import DataError
from preprocess.files import whole_file

BLOCK = 2**20  # bytes copied at a time
BEGINNING = 2**16  # bytes by which files of one size are told apart
SWELLS = 200  # times its packed size, and at least:
SWELLS_FROM = 64 * 2**20  # bytes
BROKEN = (OSError, EOFError, ValueError, IndexError, RuntimeError, zlib.error, lzma.LZMAError,
          tarfile.TarError, zipfile.BadZipFile, zipfile.LargeZipFile)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Member:
    """One file of a download.

    Attributes:
        name: its path from the download's own name on, archives as folders; NFC, with "/".
            Downloads of one name have a number before it, so that no two files have one name.
        size: bytes.
        open: opens it for reading.
        path: where it lies as a file of its own, else None.
        seekable: it can be searched cheaply when opened.
        stamp: another one for another content under the same name: a zip's checksum, a time.
    """

    name: str
    size: int
    open: Callable[[], IO[bytes]]
    path: Path | None = None
    seekable: bool = True
    stamp: str = ""

    @property
    def told(self) -> str:
        """Tells it apart from any other file, also from what had its name before."""
        return f"{self.name} {self.size} {self.stamp}"


def copy(member: Member, target: Path) -> None:
    """Writes the member to a file, whole or not at all.

    Raises:
        DataError: it is damaged.
        OutputError: the file cannot be written.
    """
    with whole_file(target) as temporary, temporary.open("wb") as file:
        for block in _blocks(member):
            file.write(block)


def same_file(one: Member, other: Member) -> bool:
    """Whether two members hold the same, by their size and beginning."""
    if one.size != other.size:
        return False
    try:
        return one.name == other.name or _beginning(one) == _beginning(other)
    except BROKEN:
        return False


def _beginning(member: Member) -> bytes:
    with member.open() as file:
        return file.read(BEGINNING)


def _blocks(member: Member) -> Iterator[bytes]:
    """What is in the member, piece by piece; never more than was announced."""
    left = member.size
    try:
        with member.open() as source:
            while block := source.read(BLOCK):
                left -= len(block)
                if left < 0:
                    raise ValueError("longer than its archive says")
                yield block
    except BROKEN as error:
        raise damaged(member.name, error) from None
    if left:
        raise damaged(member.name, EOFError("shorter than its archive says"))


def decoded_name(raw: bytes) -> str:
    """A member's name: UTF-8, else CP949, else as DOS wrote it; NFC."""
    for encoding in ("utf-8", "cp949", "cp437"):
        try:
            return unicodedata.normalize("NFC", raw.decode(encoding))
        except UnicodeDecodeError:
            continue
    return ""  # not reached: every byte is a letter in CP437


def zip_name(info: zipfile.ZipInfo) -> str:
    """The name that was meant; without the UTF-8 flag zipfile takes bytes for CP437."""
    if info.flag_bits & 0x800:
        return unicodedata.normalize("NFC", info.filename)
    return decoded_name(info.orig_filename.encode("cp437", "replace"))


def inside(name: str, archive: str) -> str:
    """The name below its archive's; '' if it leads outside. A leading / is AI Hub's habit."""
    parts = PurePosixPath(name.replace("\\", "/").lstrip("/")).parts
    if not parts or ".." in parts or ":" in parts[0] or "\0" in name:
        return ""
    return "/".join((archive, *parts))


def refused_zip(info: zipfile.ZipInfo) -> str:
    """Why a member is not read, or ''."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        return "link or device in an archive"
    if info.flag_bits & 1:
        return "locked member"
    return "member that swells" if swells(info.file_size, info.compress_size) else ""


def refused_tar(info: tarfile.TarInfo) -> str:
    """Why a member is not read, or ''."""
    return "" if info.isreg() and not info.issparse() else "link or device in an archive"


def swells(size: int, packed: int) -> bool:
    """Whether so much comes out of so little that it is a bomb rather than data; bytes."""
    return size > SWELLS_FROM and size > SWELLS * packed


def ignored(name: str) -> bool:
    """Left behind by macOS, or tools that came with the set."""
    parts = PurePosixPath(name).parts
    folders = [part.lstrip("0123456789._- ") for part in parts[:-1]]
    hidden = bool(parts) and parts[-1].startswith(("._", ".DS_Store", ".captioning-"))
    return hidden or any(part == "__MACOSX" for part in parts) or "저작도구" in folders


def damaged(name: str, error: BaseException) -> DataError:
    """The error for an archive or member that cannot be read."""
    return DataError(
        f"'{name}'이(가) 손상되었습니다 ({error}). 조각을 잘못된 순서로 합쳤거나 덜 받았습니다: "
        "다시 받으세요.",
        f"'{name}' is damaged ({error}): cut short, or its parts were joined in a wrong order. "
        "Fetch it again.",
    )
