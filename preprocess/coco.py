"""The Korean COCO form: a list of {file_path, id, captions, caption_ko} -> Sample."""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from preprocess.errors import DataError
from preprocess.records import Sample

HANGUL = re.compile("[가-힣]")
LETTER = re.compile(r"[^\W\d_]")
MAX_LETTERS = 120
EXAMPLES = 3


@dataclass
class Report:
    """What was read and what was dropped, with a few examples a reason."""

    pictures: int = 0
    captions: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def drop(self, reason: str, example: str) -> None:
        """Counts one drop."""
        self.dropped[reason] += 1
        shown = self.examples.setdefault(reason, [])
        if len(shown) < EXAMPLES:
            shown.append(example[:80])


def read_json(path: Path) -> Any:
    """The file's JSON, UTF-8 with or without BOM, else CP949.

    Raises:
        DataError: missing, not text, or not JSON.
    """
    try:
        data = path.read_bytes()
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp949")
        return json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(
            f"'{path}'을(를) JSON으로 읽을 수 없습니다 ({reason}). 파일을 확인하세요.",
            f"cannot read '{path}' as JSON ({reason}). Check the file.",
        ) from None


def clean(caption: str) -> str:
    """The caption in NFC with single spaces, without control marks and closing punctuation."""
    text = unicodedata.normalize("NFC", caption)
    text = "".join(" " if unicodedata.category(c) in ("Cc", "Zs") else c for c in text)
    text = "".join(c for c in text if unicodedata.category(c) != "Cf")
    return " ".join(text.split()).rstrip(" .!。")


def usable(caption: Any) -> str | None:
    """None if the caption can be used, else the reason to drop it."""
    if not isinstance(caption, str):
        return "caption is not text"
    text = clean(caption)
    if not text:
        return "empty caption"
    if len(HANGUL.findall(text)) * 2 < len(LETTER.findall(text)) or not HANGUL.search(text):
        return "caption is not Korean"
    return "caption too long" if len(text) > MAX_LETTERS else None


def read_coco(captions: Path, pictures: Path, splits: Path | None, report: Report) -> list[Sample]:
    """The set's samples; what cannot be used is counted in the report.

    Without a splits file everything is training data.

    Raises:
        DataError: a file is not of this form, or nothing usable remains.
    """
    records = read_json(captions)
    if not isinstance(records, list):
        raise _unlike(captions)
    split_of = _splits(splits)
    samples = list(_samples(records, captions, pictures, split_of, report))
    if not samples:
        raise DataError(
            f"'{captions}'에서 쓸 것이 없습니다. --pictures '{pictures}'를 확인하세요.",
            f"nothing usable in '{captions}'. Check --pictures '{pictures}'.",
        )
    return samples


def _samples(
    records: list[Any],
    source: Path,
    pictures: Path,
    split_of: dict[str, str] | None,
    report: Report,
) -> Iterator[Sample]:
    root, seen = pictures.resolve(), set()
    for record in records:
        if not isinstance(record, dict) or not isinstance(record.get("file_path"), str):
            report.drop("record without file_path", str(record))
            continue
        path, identity = record["file_path"], str(record.get("id", record["file_path"]))
        file = (root / path).resolve()
        split = "train" if split_of is None else split_of.get(identity)
        texts = _captions(record.get("caption_ko"), path, report)
        reason = _reason(file, root, split, identity in seen, texts)
        if reason:
            report.drop(reason, path)
            continue
        seen.add(identity)
        report.pictures += 1
        report.captions += len(texts)
        key = f"{source.resolve().parent.name}/{identity}"
        yield Sample(key, (str(file),), texts, str(split), key)


def _reason(file: Path, root: Path, split: str | None, twice: bool, texts: tuple[str, ...]) -> str:
    if not file.is_relative_to(root):
        return "picture outside the picture folder"
    if not file.is_file():
        return "picture missing"
    if split is None:
        return "in no split"
    if twice:
        return "id occurs twice"
    return "" if texts else "no usable caption"


def _captions(captions: Any, path: str, report: Report) -> tuple[str, ...]:
    """The cleaned captions without repetitions, in order."""
    kept: dict[str, None] = {}
    for caption in [captions] if isinstance(captions, str) else captions or []:
        reason = usable(caption)
        if reason:
            report.drop(reason, f"{path}: {caption}")
        elif clean(caption) in kept:
            report.drop("caption occurs twice", f"{path}: {caption}")
        else:
            kept[clean(caption)] = None
    return tuple(kept)


def _splits(path: Path | None) -> dict[str, str] | None:
    if path is None:
        return None
    table = read_json(path)
    if not isinstance(table, dict) or not all(isinstance(ids, list) for ids in table.values()):
        raise DataError(
            f'\'{path}\'은(는) {{"train": [id], "val": [id], "test": [id]}} 꼴이어야 합니다.',
            f'\'{path}\' must have the form {{"train": [id], "val": [id], "test": [id]}}.',
        )
    return {str(identity): split for split, ids in table.items() for identity in ids}


def _unlike(path: Path) -> DataError:
    return DataError(
        f"'{path}'은(는) 한국어 COCO 형식(file_path, caption_ko의 목록)이 아닙니다.",
        f"'{path}' is not in the Korean COCO form (a list of file_path, caption_ko).",
    )
