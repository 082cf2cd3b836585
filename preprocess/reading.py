"""Downloads as they came -> labels: every label file found, recognised and read."""

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from preprocess.archives import Archives
from preprocess.errors import DataError
from preprocess.files import is_folder
from preprocess.members import BROKEN, Member, decoded_name
from preprocess.sets.documents import KINDS, parsed
from preprocess.sets.forms import TITLES, Form, labels, recognised
from preprocess.sets.labels import Document, Label
from preprocess.sets.unknown import keyed, korean_keys, reaches
from preprocess.shelf import Shelf
from preprocess.splits import official_split, table_of
from preprocess.tally import Tally

LARGEST = 2**30  # bytes of a label file
SHOWN = 8  # key paths of an unknown form
UNREADABLE = (*BROKEN, RecursionError, MemoryError)
SHAPELESS = (TypeError, ValueError, KeyError, AttributeError, RecursionError)
CORRECTED = re.compile(r"[-_ ]*\(?수정본\)?\.")
BESIDE = ("sample", "new_sample", "other")
NO_SENTENCES = "set without sentences"


@dataclass(frozen=True)
class Found:
    """A label, the form it came in, and what its file's place says of its split."""

    label: Label
    form: str
    official: str


@dataclass
class Source:
    """What one PATH holds.

    Attributes:
        name: of the PATH: of its folder, or of the folder that a label file lies in.
        found: its labels.
        shelf: its pictures and films.
        tallies: what was dropped, by form; "" for what belongs to none.
        table: split by id, where a split file lies among the labels.
        unknown: Korean text fields of label files of no known form, with an example.
        files: label files read, by form.
    """

    name: str
    found: list[Found] = field(default_factory=list)
    shelf: Shelf = field(default_factory=Shelf)
    tallies: dict[str, Tally] = field(default_factory=dict)
    table: dict[str, str] | None = None
    unknown: dict[str, str] = field(default_factory=dict)
    files: Counter[str] = field(default_factory=Counter)

    def tally(self, form: str) -> Tally:
        """The form's tally, begun when first asked for."""
        return self.tallies.setdefault(form, Tally())

    def set_name(self, form: str) -> str:
        """The PATH's name, and the form's too where there are several."""
        forms = {found.form for found in self.found}
        return f"{self.name}.{form}" if len(forms) > 1 and form else self.name


def read_source(path: Path, archives: Archives, caption_key: str = "") -> Source:
    """Everything that a PATH holds; what cannot be read is counted.

    Raises:
        DataError: nothing is there, an archive is damaged, or no label file can be used.
    """
    source = Source(_name(path))
    members = _useful(list(archives.members(path, source.tally(""))), source.tally(""))
    corrected = {_uncorrected(m.name) for m in members} - {""}
    for member in tqdm(members, desc=source.name, unit="개", disable=None):
        if source.shelf.put(member) or not member.name.lower().endswith(KINDS):
            continue
        if PurePosixPath(member.name).name in corrected:
            source.tally("").drop("label file that was corrected", member.name)
        else:
            _read(member, source, caption_key)
    return source


def _uncorrected(name: str) -> str:
    """The label file that this one takes the place of: clip_13-수정본.json -> clip_13.json."""
    own = PurePosixPath(name).name
    return CORRECTED.sub(".", own) if CORRECTED.search(own) else ""


def read_shelf(path: Path, archives: Archives, tally: Tally) -> Shelf:
    """The pictures and films of a PATH alone.

    Raises:
        DataError: nothing is there, or an archive is damaged.
    """
    return Shelf(archives.members(path, tally))


def check_found(sources: Sequence[Source], paths: Sequence[Path]) -> None:
    """Refuses a PATH that gives nothing, saying what is there instead.

    Raises:
        DataError: a PATH has neither labels nor pictures nor splits, has labels of an unknown form
            or without sentences alone, or no PATH has labels.
    """
    for source, path in zip(sources, paths, strict=True):
        if not source.found:
            _check(source, f"'{path}'")
    if not any(source.found for source in sources):
        raise _nothing(", ".join(f"'{path}'" for path in paths), _dropped(sources))


def _dropped(sources: Sequence[Source]) -> Tally:
    """What was dropped of all of them, whatever form it had."""
    dropped = Tally()
    for source in sources:
        for tally in source.tallies.values():
            dropped.add(tally)
    return dropped


def _check(source: Source, where: str) -> None:
    dropped = _dropped([source])
    if dropped.dropped[NO_SENTENCES]:
        raise DataError(
            f"{where}: 하이라이트 편집(616) 자료에는 번호로 된 분류만 있고 문장이 없어 캡션을 "
            "배울 수 없습니다. 문장이 있는 자료를 주세요.",
            f"{where} holds highlight labels (616): class numbers and no sentences, so no captions "
            "can be learned from it. Give a set with sentences.",
        )
    if source.unknown:
        raise _unknown(where, source.unknown)
    if source.table is None and not len(source.shelf):
        raise _nothing(where, dropped)


def told(source: Source) -> list[str]:
    """A line for each form that was recognised: what it is and how much of it there is."""
    labelled = Counter(found.form for found in source.found)
    if not labelled:
        return [f"{source.name}: 사진과 영상 {len(source.shelf):,}개 (pictures and films)"]
    return [
        f"{source.set_name(form)}: {TITLES[form]}, 파일 {source.files[form]:,}개 (files), "
        f"레이블 {labelled[form]:,}개 (labels)"
        for form in labelled
    ]


def _read(member: Member, source: Source, caption_key: str) -> None:
    if member.size > LARGEST:
        source.tally("").drop("label file too large", member.name)
        return
    try:
        with member.open() as file:
            document = parsed(file.read(LARGEST), member.name, source.tally(""))
    except UNREADABLE as error:
        source.tally("").drop("label file cannot be read", f"{member.name}: {error}")
        return
    form = None if caption_key and reaches(document, caption_key) else recognised(document)
    if form == "splits":
        source.table = {**(source.table or {}), **table_of(document)}
    elif form == "timelines":
        source.tally("").drop(NO_SENTENCES, member.name)
    elif form or caption_key:
        _labels(form, document, member, source, caption_key)
    else:
        source.unknown = {**korean_keys(document), **source.unknown}
        source.tally("").drop("label file of unknown form", member.name)


def _labels(
    form: Form | None, document: Document, member: Member, source: Source, caption_key: str
) -> None:
    name, official = form or "keyed", official_split(member.name)
    tally, stem = source.tally(name), PurePosixPath(member.name).stem
    source.files[name] += 1
    found = (
        labels(form, document, member.name, tally)
        if form
        else keyed(document, tally, stem, caption_key)
    )
    before = len(source.found), tally.dropped.total()
    try:
        for label in found:
            source.found.append(Found(label, name, label.split or official))
        if before == (len(source.found), tally.dropped.total()):
            tally.drop("label file without labels", member.name)
    except SHAPELESS as error:
        tally.drop("label file of another shape", f"{member.name}: {error}")


def _useful(members: list[Member], tally: Tally) -> list[Member]:
    """Without the samples and odds and ends that lie beside a set's own Training, Validation."""
    if not any(official_split(member.name) for member in members):
        return members
    useful: list[Member] = []
    for member in members:
        if _beside(member.name):
            tally.drop("file of a sample folder", member.name)
        else:
            useful.append(member)
    return useful


def _beside(name: str) -> bool:
    """Whether a folder or archive is called Sample, New_Sample, 3.Other ..."""
    folders = (part.lower().removesuffix(".zip") for part in PurePosixPath(name).parts[1:-1])
    return any(folder.lstrip("0123456789._- ") in BESIDE for folder in folders)


def _name(path: Path) -> str:
    real = Path(os.path.realpath(path))
    label = real.name.lower().endswith(KINDS) and not is_folder(real)
    name = decoded_name(os.fsencode((real.parent if label else real).name))
    return name if label or is_folder(real) else PurePosixPath(name.split(".part")[0]).stem


def _unknown(where: str, fields: Mapping[str, str]) -> DataError:
    shown = list(fields.items())[:SHOWN]
    keys = "; ".join(f'{key} ("{value[:30]}")' for key, value in shown)
    return DataError(
        f"{where}: 모르는 형식입니다. 한국어가 든 곳: {keys}. 캡션을 골라 주세요: "
        f"--caption-key '{shown[0][0]}'",
        f"{where} is of no known form. Korean text is at these keys: '{keys}'. Choose the "
        f"captions: --caption-key '{shown[0][0]}'",
    )


def _nothing(where: str, dropped: Tally) -> DataError:
    examples = next(iter(dropped.examples.values()), [""])
    reason = f"{dropped.worst()}: {examples[0]}" if dropped.dropped else "no .json, .csv, .tsv"
    return DataError(
        f"{where}에 읽을 수 있는 캡션 파일이 없습니다 ({reason}). 라벨 파일도 함께 주세요.",
        f"{where} holds no caption file that can be read ({reason}). Give the label files too.",
    )
