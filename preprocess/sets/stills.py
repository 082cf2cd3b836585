"""Sets of pictures with captions: MSCOCO in Korean, 71454, 71357, NIKL, plain tables."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from preprocess.sets.labels import Document, Label, Split, listed, named, records, text
from preprocess.tally import Tally

PICTURE = ("image", "image_path", "file_path", "file_name", "filename", "picture", "path",
           "video", "이미지", "사진", "영상", "파일명")  # fmt: skip
CAPTION = ("caption_ko", "caption", "captions", "korean", "sentence", "text",
           "캡션", "문장", "설명")  # fmt: skip
SPLITS: dict[str, Split] = {
    "train": "train", "training": "train", "restval": "train", "train2014": "train",
    "val": "val", "valid": "val", "validation": "val", "val2014": "val", "dev": "val",
    "test": "test", "학습": "train", "훈련": "train", "검증": "val", "시험": "test", "평가": "test",
    "테스트": "test",
}  # fmt: skip


def mscoco(document: Document, tally: Tally) -> Iterator[Label]:
    """한국어 이미지 설명 (261): a list of {file_path, id, captions, caption_ko}."""
    for record in listed(document):
        path = record.get("file_path") if isinstance(record, dict) else None
        if not isinstance(path, str) or not path.strip():
            tally.drop("record without file_path", str(record))
            continue
        identity = named(record.get("id", path))
        split = SPLITS.get(path.split("/")[0].lower(), "")
        captions = tuple(listed(record.get("caption_ko")))
        yield Label(identity, captions, identity, (path,), split=split)


def vision(document: Document, tally: Tally) -> Iterator[Label]:
    """한국형 비전 이미지 설명 (71454): {info, images, annotations: [{korean, english}]}."""
    images = records(document["images"], tally)
    if len(images) != 1 or not text(images[0].get("file_name")):
        tally.drop("label without one picture", str(document["images"]))
        return
    file = text(images[0]["file_name"])
    captions = tuple(a.get("korean") for a in records(document["annotations"], tally))
    info = document.get("info")
    topic = text(info.get("main_category")) if isinstance(info, dict) else ""
    categories = [text(c.get("supercategory")) for c in records(document.get("categories"))]
    identity = named(PurePosixPath(file).stem)
    yield Label(identity, captions, identity, (file,), topic=topic or next(iter(categories), ""))


def questions(document: Document, tally: Tally) -> Iterator[Label]:
    """외부 지식 기반 멀티모달 질의응답 (71357): {annotations: [{IMAGE_NAME, CAPTION, ...}]}."""
    for record in records(document["annotations"], tally):
        file = text(record.get("IMAGE_NAME"))
        if not file:
            tally.drop("record without IMAGE_NAME", str(record))
            continue
        identity = named(PurePosixPath(file).stem)
        captions = tuple(listed(record.get("CAPTION")))
        yield Label(identity, captions, identity, (file,), topic=text(record.get("SCENE")))


def nikl(document: Document, tally: Tally) -> Iterator[Label]:
    """국립국어원 그림 설명: JSON lines {id, input: the picture's stem, output: [sentence]}."""
    for record in records(document, tally):
        file = text(record.get("input"))
        if not file or "output" not in record:
            tally.drop("record without input or output", str(record))
            continue
        identity = named(file)
        yield Label(identity, tuple(listed(record["output"])), identity, (file,))


def plain(document: Document, tally: Tally) -> Iterator[Label]:
    """A table or JSON lines of image, or video, and caption; captions of one come together.

    Further columns are read where they are there: split, group, topic.
    """
    pictures: dict[str, list[dict[str, Any]]] = {}
    for record in records(document, tally):
        file = text(_first(record, PICTURE))
        if file:
            pictures.setdefault(file, []).append(record)
        else:
            tally.drop("record without a picture", str(record))
    for file, rows in pictures.items():
        captions = tuple(c for row in rows for c in listed(_first(row, CAPTION)))
        said = dict.fromkeys(filter(None, (text(row.get("split")).lower() for row in rows)))
        if unknown := [name for name in said if name not in SPLITS]:
            tally.drop("split of an unknown name", f"{file}: {unknown[0]}")
            continue
        splits = {SPLITS[name] for name in said}
        split: Split = "train" if len(splits) > 1 else next(iter(splits), "")
        group, topic = (text(rows[0].get(key)) for key in ("group", "topic"))
        identity = named(file)
        yield Label(
            identity, captions, group or identity, (file,), films=(file,), split=split, topic=topic
        )


def is_plain(record: dict[str, Any]) -> bool:
    """A row that has a picture and a caption column."""
    return any(k in record for k in PICTURE) and any(k in record for k in CAPTION)


def names_a_picture(record: dict[str, Any]) -> bool:
    """Whether its picture column is a name; in unknown forms it may be an object."""
    return bool(text(_first(record, PICTURE)))


def _first(record: dict[str, Any], keys: tuple[str, ...]) -> Any:
    there = [record[key] for key in keys if key in record]
    return next((value for value in there if value not in ("", None)), next(iter(there), None))
