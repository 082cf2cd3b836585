"""Reading the Korean COCO form: what is kept, what is dropped and why."""

import json

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocess.coco import Report, clean, read_coco, read_json
from preprocess.errors import DataError
from preprocess.records import Sample, read_samples, write_samples


def write_set(folder, records, splits=None, encoding="utf-8"):
    (folder / "images").mkdir(parents=True)
    for record in records:
        name = record.get("file_path") if isinstance(record, dict) else None
        if name and not name.startswith(("..", "missing")):
            cv2.imwrite(str(folder / name), np.zeros((8, 8, 3), np.uint8))
    path = folder / "captions_ko.json"
    path.write_bytes(json.dumps(records, ensure_ascii=False).encode(encoding))
    if splits:
        (folder / "splits.json").write_text(json.dumps(splits), encoding="utf-8")
    return path


def record(number, *captions, path=None):
    return {"file_path": path or f"images/{number}.png", "id": number, "caption_ko": list(captions)}


def test_good_records_are_read_in_order(tmp_path):
    splits = {"train": [1], "test": [2]}
    path = write_set(tmp_path / "set", [record(1, "개가 뛴다."), record(2, "꽃", "흰 꽃")], splits)
    report = Report()
    samples = read_coco(path, path.parent, path.parent / "splits.json", report)
    assert [(s.key, s.split, s.captions) for s in samples] == [
        ("set/1", "train", ("개가 뛴다",)),
        ("set/2", "test", ("꽃", "흰 꽃")),
    ]
    assert (report.pictures, report.captions, dict(report.dropped)) == (2, 3, {})


def test_every_drop_is_counted_with_its_reason(tmp_path):
    records = [
        record(1, "", "개", "개", 7, "a dog runs", "가" * 200),
        record(2, "고양이", path="missing.png"),
        record(3, "말", path="../../etc/passwd"),
        record(1, "또 개"),
        record(5, ""),
        record(6, "소"),
        "not a record",
    ]
    path = write_set(tmp_path / "set", records, {"train": [1, 2, 3, 5]})
    report = Report()
    samples = read_coco(path, path.parent, path.parent / "splits.json", report)
    assert [s.captions for s in samples] == [("개",)]
    assert dict(report.dropped) == {
        "empty caption": 2,
        "caption occurs twice": 1,
        "caption is not text": 1,
        "caption is not Korean": 1,
        "caption too long": 1,
        "picture missing": 1,
        "picture outside the picture folder": 1,
        "id occurs twice": 1,
        "no usable caption": 1,
        "in no split": 1,
        "record without file_path": 1,
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_the_encodings_of_korean_files_are_read(tmp_path, encoding):
    path = write_set(tmp_path / "set", [record(1, "개가 뛴다")], encoding=encoding)
    assert read_json(path)[0]["caption_ko"] == ["개가 뛴다"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000])
def test_unreadable_json_is_one_clear_error(tmp_path, content):
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match="as JSON"):
        read_json(path)


def test_other_json_is_refused(tmp_path):
    path = tmp_path / "other.json"
    path.write_text('{"images": []}', encoding="utf-8")
    with pytest.raises(DataError, match="not in the Korean COCO form"):
        read_coco(path, tmp_path, None, Report())


def test_nothing_usable_is_an_error(tmp_path):
    path = write_set(tmp_path / "set", [record(1, "")])
    with pytest.raises(DataError, match="nothing usable"):
        read_coco(path, path.parent, None, Report())


@given(st.text(max_size=40))
def test_cleaning_twice_changes_nothing(text):
    assert clean(clean(text)) == clean(text)


def test_decomposed_hangul_is_composed():
    assert clean("\u1100\u1162\u1100\u1161  \u200b뛴다. ") == "개가 뛴다"


@given(st.lists(st.builds(
    Sample, st.text(), st.tuples(st.text()), st.tuples(st.text()), st.just("train"), st.text()
)))  # fmt: skip
def test_samples_come_back_from_their_file(tmp_path_factory, samples):
    path = tmp_path_factory.mktemp("samples") / "samples.jsonl"
    write_samples(path, samples)
    assert list(read_samples(path)) == samples
