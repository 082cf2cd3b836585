"""Which set a label file belongs to, told by its own keys, never by names of files or folders."""

from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Literal

from preprocess.sets.drama import drama
from preprocess.sets.films import background, situation, timed
from preprocess.sets.labels import Document, Label, records
from preprocess.sets.stills import (
    is_plain,
    mscoco,
    names_a_picture,
    nikl,
    plain,
    questions,
    vision,
)
from preprocess.tally import Tally

Form = Literal[
    "mscoco", "drama", "situation", "timed", "background", "vision", "questions", "nikl", "plain",
    "timelines", "splits",
]  # fmt: skip
TITLES: dict[str, str] = {
    "mscoco": "한국어 이미지 설명, MSCOCO (261)",
    "drama": "멀티모달, KETI",
    "situation": "멀티모달 영상 (58)",
    "timed": "비디오 장면 설명문 생성",
    "background": "대한민국 배경영상 상세묘사 (71849)",
    "vision": "한국형 비전 이미지 설명 (71454)",
    "questions": "외부 지식 기반 멀티모달 질의응답 (71357)",
    "nikl": "국립국어원 그림 설명 (NIKL)",
    "plain": "image, caption",
    "keyed": "--caption-key",
}
READERS: dict[str, Callable[[Document, Tally], Iterator[Label]]] = {
    "mscoco": mscoco, "drama": drama, "timed": timed, "vision": vision, "questions": questions,
    "nikl": nikl, "plain": plain,
}  # fmt: skip
BY_NAME: dict[str, Callable[[Document, Tally, str], Iterator[Label]]] = {
    "situation": situation,
    "background": background,
}


def recognised(document: Document) -> Form | None:
    """The form of a document; None if it is none of those known here."""
    return _of_list(document) if isinstance(document, list) else _of_object(document)


def labels(form: Form, document: Document, name: str, tally: Tally) -> Iterator[Label]:
    """The labels of a recognised document; name is its file's, of which some sets make use.

    Raises:
        TypeError, ValueError, KeyError, AttributeError: the document has the keys of the form but
            not its shape; what was yielded before stands.
    """
    if form in BY_NAME:
        yield from BY_NAME[form](document, tally, PurePosixPath(name).stem)
    else:
        yield from READERS[form](document, tally)


def _of_list(document: list[Document]) -> Form | None:
    """By the first record that tells; one broken record does not hide a set."""
    for record in records(document)[:100]:
        if "caption_ko" in record and "file_path" in record:
            return "mscoco"
        if "output" in record and "input" in record:
            return "nikl"
        if is_plain(record):
            return "plain"
    return None


def _of_object(document: Document) -> Form | None:
    if not isinstance(document, dict):
        return None
    if _is_split_table(document):
        return "splits"
    pairs: tuple[tuple[Form, tuple[str, ...]], ...] = (
        ("drama", ("common_info", "shot_infos")),
        ("situation", ("clip_id", "data")),
        ("timed", ("video_name", "sentences")),
        ("timelines", ("metadata", "timelines")),
    )
    for form, keys in pairs:
        if all(key in document for key in keys):
            return form
    return _of_annotations(document)


def _of_annotations(document: dict[str, Document]) -> Form | None:
    inner = document.get("annotation")
    for part in (inner, document):
        if isinstance(part, dict) and ("description_kr" in part or "description_ko" in part):
            return "background"
    some = records(document.get("annotations"))[:100]
    if "images" in document and any("korean" in record for record in some):
        return "vision"
    if any("CAPTION" in record and "IMAGE_NAME" in record for record in some):
        return "questions"
    form = _of_list([document])  # a file for each picture
    return form if form != "plain" or names_a_picture(document) else None


def _is_split_table(document: dict[str, Document]) -> bool:
    """Karpathy's dataset_coco.json, or {"train": [id], "val": [id], "test": [id]}."""
    first = next(iter(records(document.get("images"))), {})
    if "split" in first and ("cocoid" in first or "filename" in first):
        return True
    if not document or not set(document) <= {"train", "val", "test", "restval"}:
        return False
    ids = [
        identity for listed in document.values() if isinstance(listed, list) for identity in listed
    ]
    lists = all(isinstance(listed, list) for listed in document.values())
    return lists and all(isinstance(identity, str | int) for identity in ids)
