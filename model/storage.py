"""The captioner file: one plain zip of JSON, a vocabulary, graph structures and raw numbers.

captioner.json    format number, config, settings, scores, terms, SHA-256 of each other member
vocabulary.tsv    form, tag, spaced
weights.bin       every array once, float16 or float32, little endian, back to back
NAME.onnx         the structure of a graph; captioner.json says which array each of its names reads

No pickle, no code. `unzip -p x.kcap captioner.json` reads what is inside.
"""

import hashlib
import itertools
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from preprocess.errors import CaptionerFileError, SettingError
from preprocess.files import whole_file
from preprocess.graph import Graph
from preprocess.vocabulary import Vocabulary

FORMAT = 2
LETTERS = "letters/kernel"  # the array that tells screens of letters (model/letters.py)
MAX_BYTES = 512 * 2**20  # of all members together; a zip bomb ends here
MAX_ABOUT = 8 * 2**20  # of captioner.json: parsed, it takes twenty times its size
DTYPES: dict[str, np.dtype[Any]] = {"float16": np.dtype("<f2"), "float32": np.dtype("<f4")}
STORED = {
    "weights.bin": zipfile.ZIP_STORED
}  # deflate saves 8 % of it, and 0.3 CPU s go at each start
Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class CaptionerFile:
    """The contents of a captioner file.

    Attributes:
        about: plain values: config, tagger, encoder, side, training, scores, terms.
        vocabulary: the morphemes.
        weights: both networks' arrays by Keras name, to go on training from; and LETTERS, once
            it is learned.
        graphs: encoder, start and step; things, if what the CNN was taught first goes along: it
            goes on from the encoder's second output (in format 1 it looks at pictures).
    """

    about: Mapping[str, Any]
    vocabulary: Vocabulary
    weights: Mapping[str, Array]
    graphs: Mapping[str, Graph]


def check_tagger(path: Path, about: Mapping[str, Any], tagger: str) -> None:
    """Refuses to compare morphemes of different taggers.

    Raises:
        SettingError: the captioner file tells of another tagger than `tagger`, the data's.
    """
    theirs = about.get("tagger", tagger)
    if theirs != tagger:
        raise SettingError(
            f"'{path}'은(는) {theirs}의 형태소로 배웠는데 데이터는 {tagger}의 것입니다. "
            f"python -m preprocess --tagger {theirs}로 다시 하세요.",
            f"'{path}' learned morphemes of {theirs}, the data has those of {tagger}. "
            f"Run python -m preprocess --tagger {theirs}.",
        )


def read_whole(path: Path, *more: str) -> CaptionerFile:
    """As read_captioner, for who builds on what it tells: what every captioner has is there.

    Args:
        path: of the file.
        more: what else captioner.json has to tell.

    Raises:
        CaptionerFileError: the file cannot be used.
    """
    contents = read_captioner(path)
    wanted = {"config": dict, "side": int} | dict.fromkeys(more, str)
    lost = [name for name, kind in wanted.items() if not isinstance(contents.about.get(name), kind)]
    lost += [name for name in ("encoder", "start", "step") if name not in contents.graphs]
    if lost or not contents.weights:
        raise damaged(path, " ".join(lost) or "weights")
    return contents


@dataclass
class _Store:
    """Arrays back to back; one that is already there, in any order of axes, is not repeated."""

    table: dict[str, Any] = field(default_factory=dict)
    chunks: list[bytes] = field(default_factory=list)
    size: int = 0
    _known: dict[bytes, str] = field(default_factory=dict)

    def add(self, name: str, array: Array, dtype: str) -> list[Any]:
        """Where to find the array: [name in the table, the axes that turn that one into it]."""
        order = list(range(array.ndim))
        for axes in itertools.permutations(order):
            same = self._known.get(_digest(array.transpose(axes)))
            if same:
                return [same, np.argsort(axes).tolist()]
        data = np.ascontiguousarray(array, DTYPES[dtype]).tobytes()
        self.table[name] = [dtype, list(array.shape), self.size]
        self._known[_digest(array)] = name
        self.chunks.append(data)
        self.size += len(data)
        return [name, order]


def _digest(array: Array) -> bytes:
    plain = np.ascontiguousarray(array, np.float32)
    return hashlib.sha256(repr(array.shape).encode() + plain.tobytes()).digest()


def rounded(array: Array) -> npt.NDArray[np.float32]:
    """The float32 array as it comes back from a file that stores float16."""
    return array.astype(np.float16).astype(np.float32)


def write_captioner(path: Path, contents: CaptionerFile) -> None:
    """Writes the file whole or not at all. Weights become float16; what only graphs hold, float32.

    Raises:
        OutputError: the folder is missing, cannot be written, or is full.
    """
    store = _Store()
    weights = {n: store.add(n, rounded(a), "float16") for n, a in contents.weights.items()}
    graphs = {
        name: {n: store.add(f"{name}/{n}", a, "float32") for n, a in graph.weights.items()}
        for name, graph in contents.graphs.items()
    }
    members = {f"{name}.onnx": graph.structure for name, graph in contents.graphs.items()}
    members["vocabulary.tsv"] = contents.vocabulary.to_tsv().encode()
    members["weights.bin"] = b"".join(store.chunks)
    about = {
        "format": FORMAT,
        **contents.about,
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in members.items()},
        "arrays": store.table,
        "weights": weights,
        "graphs": graphs,
    }
    text = json.dumps(about, ensure_ascii=False, indent=1).encode()
    with whole_file(path) as new, zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in {"captioner.json": text, **members}.items():
            # a fixed date: the same captioner gives the same bytes
            member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            file.writestr(member, data, STORED.get(name, zipfile.ZIP_DEFLATED))


def read_captioner(path: Path) -> CaptionerFile:
    """Reads and checks a captioner file; nothing in it is executed.

    Raises:
        CaptionerFileError: missing, not ours, of a newer format, or damaged.
    """
    try:
        with zipfile.ZipFile(path) as file:
            about = json.loads(_member(file, "captioner.json", path))
            _check_format(about, path)
            if sum(file.getinfo(name).file_size for name in about["sha256"]) > MAX_BYTES:
                raise damaged(path, f"> {MAX_BYTES:,} bytes")
            members = {name: _member(file, name, path) for name in about["sha256"]}
        _check_hashes(members, about["sha256"], path)
        return _parse(about, members)
    except FileNotFoundError:
        raise CaptionerFileError(
            f"캡셔너 파일 '{path}'이(가) 없습니다. 경로를 확인하세요.",
            f"no captioner file '{path}'. Check the path.",
        ) from None
    except PermissionError as error:
        raise CaptionerFileError(
            f"캡셔너 파일 '{path}'을(를) 읽을 수 없습니다 ({error.strerror}). 권한을 확인하세요.",
            f"cannot read the captioner file '{path}' ({error.strerror}). Check its rights.",
        ) from None
    except (OSError, zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError):
        raise _foreign(path) from None
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, EOFError) as error:
        raise damaged(path, str(error)) from None
    except Exception as error:
        if type(error).__module__ == "zlib":
            raise damaged(path, str(error)) from None
        raise


def _member(file: zipfile.ZipFile, name: str, path: Path) -> bytes:
    try:
        size = file.getinfo(name).file_size
    except KeyError:
        raise _foreign(path) if name == "captioner.json" else damaged(path, name) from None
    if size > (MAX_ABOUT if name == "captioner.json" else MAX_BYTES):
        raise damaged(path, f"{name}: {size:,} bytes")
    return file.read(name)


def _check_format(about: Any, path: Path) -> None:
    number = about.get("format") if isinstance(about, dict) else None
    if not isinstance(number, int) or number < 1:
        raise _foreign(path)
    if number > FORMAT:
        raise CaptionerFileError(
            f"'{path}'은(는) 형식 {number}이고 이 프로그램은 {FORMAT}까지 읽습니다. "
            "프로그램을 새로 받으세요.",
            f"'{path}' is format {number} and this version reads up to {FORMAT}. Update the code.",
        )


def _check_hashes(members: Mapping[str, bytes], hashes: Mapping[str, str], path: Path) -> None:
    for name, data in members.items():
        if hashlib.sha256(data).hexdigest() != hashes[name]:
            raise damaged(path, name)


def _parse(about: Mapping[str, Any], members: Mapping[str, bytes]) -> CaptionerFile:
    arrays = {
        name: _array(members["weights.bin"], dtype, shape, offset)
        for name, (dtype, shape, offset) in about["arrays"].items()
    }

    def read(place: tuple[str, list[int]]) -> Array:
        return arrays[place[0]].transpose(place[1])

    graphs = {
        name: Graph(members[f"{name}.onnx"], {n: read(p) for n, p in places.items()})
        for name, places in about["graphs"].items()
    }
    weights = {name: read(place) for name, place in about["weights"].items()}
    inner = ("format", "sha256", "arrays", "weights", "graphs")
    plain = {key: value for key, value in about.items() if key not in inner}
    vocabulary = Vocabulary.from_tsv(members["vocabulary.tsv"].decode())
    return CaptionerFile(plain, vocabulary, weights, graphs)


def _array(data: bytes, dtype: str, shape: list[int], offset: int) -> npt.NDArray[np.float32]:
    count = int(np.prod(shape))
    flat = np.frombuffer(data, DTYPES[dtype], count, offset)
    array: npt.NDArray[np.float32] = flat.reshape(shape).astype(np.float32)
    return array


def _foreign(path: Path) -> CaptionerFileError:
    return CaptionerFileError(
        f"'{path}'은(는) 캡셔너 파일(.kcap)이 아닙니다. 경로를 확인하세요.",
        f"'{path}' is not a captioner file (.kcap). Check the path.",
    )


def damaged(path: Path, what: str) -> CaptionerFileError:
    """The error for a file whose parts are not what they were, or do not fit each other."""
    return CaptionerFileError(
        f"캡셔너 파일 '{path}'이(가) 손상되었습니다 ({what}). 파일을 다시 받으세요.",
        f"captioner file '{path}' is damaged ({what}). Fetch it again.",
    )
