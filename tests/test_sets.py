"""Sets as they are published: recognised by their keys, read whole, every drop counted."""

import json
import os
import struct
import unicodedata
import zlib
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocess import reading, unpacking
from preprocess.errors import DataError, OutputError
from preprocess.gathering import Gathered, Wanted, gathered
from preprocess.pictures import read_picture
from preprocess.records import Sample, in_time, write_samples
from preprocess.sets import stills
from preprocess.sets import unknown as unknown_form
from preprocess.sets.documents import parsed
from preprocess.sets.drama import drama
from preprocess.sets.films import timed
from preprocess.sets.forms import TITLES, labels, recognised
from preprocess.sets.labels import milliseconds
from preprocess.tally import Tally
from tests import downloads


def gather(out: Path, *paths: Path, **wanted) -> Gathered:
    said: list[str] = []
    found = gathered(Wanted(paths, **wanted), out, said.append)
    assert said  # what was recognised is told
    return found


def by_name(found: Gathered) -> dict[str, tuple[str, ...]]:
    return {sample.key.rsplit("/", 1)[1]: sample.captions for sample in found.samples}


def dropped(found: Gathered) -> dict[str, int]:
    return {reason: n for tally in found.tallies.values() for reason, n in tally.dropped.items()}


def colour(path: str) -> str:
    blue, green, red = cv2.imread(path).reshape(-1, 3).mean(0)
    return "rgb"[int(np.argmax([red, green, blue]))]


def test_mscoco_is_read_with_its_pictures(tmp_path):
    found = gather(tmp_path / "out", downloads.mscoco(tmp_path / "coco"))
    assert len(found.samples) == 8
    assert found.samples[0].key == "coco/1"
    assert found.samples[0].captions == (
        "개 1마리가 신발장 위에서 잔다",
        "작은 개 1마리가 누워 있다",
    )
    assert found.samples[0].pictures[0].endswith("train2014/COCO_train2014_000000000001.jpg")
    assert dropped(found) == {"empty caption": 8}


def shots_of(found: Gathered) -> list[Sample]:
    return [sample for sample in found.samples if ":" in sample.key]


def shown(sample: Sample) -> list[str]:
    """The names of a sample's pictures in order of time."""
    return [Path(picture).name for picture in in_time(sample.pictures)]


def test_of_a_drama_shot_three_described_frames_are_one_sample(tmp_path):
    found = gather(tmp_path / "out", downloads.drama(tmp_path / "멀티모달"))
    clip = "KETI_MULTIMODAL_0000000012"
    shots = shots_of(found)
    assert [shown(s) for s in shots] == [  # the first, the middle, the last
        [f"KM_{n:010d}.jpg" for n in numbers] for numbers in ((9, 15, 20), (22, 28, 33))
    ]
    assert Path(shots[0].pictures[0]).name == "KM_0000000015.jpg"  # for who looks at one alone
    assert shots[0].captions[:5] == tuple(
        t.replace("여자", "여자 12 0") for t in downloads.DESCRIPTIONS[0]
    )
    assert len(shots[0].captions) == len({t for five in downloads.DESCRIPTIONS for t in five})
    assert {s.group for s in found.samples} == {f"멀티모달/{clip}"}
    assert {s.topic for s in shots} == {"office"}
    (whole,) = (s for s in found.samples if ":" not in s.key)
    assert whole.captions == ("여자가 컵을 놓고 일어선다", "여자가 문으로 간다")
    assert shown(whole) == [f"KM_{n:010d}.jpg" for n in (15, 22, 33)]  # of six described frames
    assert dropped(found) == {
        "interpolated frame": 18, "sentence with a person's name": 1, "caption occurs twice": 6,
    }  # fmt: skip


def test_a_clips_sentences_get_its_beginning_middle_and_end(tmp_path):
    found = gather(tmp_path / "out", downloads.drama(tmp_path / "d", shots=7))
    (whole,) = (s for s in found.samples if ":" not in s.key)
    assert shown(whole) == [f"KM_{n:010d}.jpg" for n in (22, 54, 85)]  # of the shots 1, 3 and 5


def test_more_than_three_descriptions_of_a_shot_become_three(tmp_path):
    root = downloads.drama(tmp_path / "d", shots=1)
    label = next(root.rglob("*.json"))
    value = json.loads(label.read_text("utf-8"))
    frames = value["shot_infos"][0]["visual_infos"]
    for number, frame in enumerate(frames):
        frame["image_descs"] = [f"여자 {number}명이 있다"]
    label.write_text(json.dumps(value), "utf-8")
    found = gather(tmp_path / "out", root)
    (shot,) = shots_of(found)
    assert shot.captions == ("여자 0명이 있다", "여자 6명이 있다", "여자 11명이 있다")
    assert dropped(found)["interpolated frame"] == 9


def test_a_missing_frame_is_stood_in_for_by_one_of_the_same_description(tmp_path):
    found = gather(tmp_path / "out", downloads.drama(tmp_path / "d", shots=1, missing=(9, 10, 15)))
    (shot,) = shots_of(found)
    assert shown(shot) == [f"KM_{n:010d}.jpg" for n in (11, 14, 20)]


def test_a_description_none_of_whose_frames_is_there_is_a_counted_picture_less(tmp_path):
    found = gather(
        tmp_path / "out", downloads.drama(tmp_path / "d", shots=1, missing=(13, 14, 15, 16))
    )
    (shot,) = shots_of(found)
    assert shown(shot) == ["KM_0000000009.jpg", "KM_0000000020.jpg"]
    assert dropped(found)["picture missing"] == 2  # of the shot and of the clip


def test_a_frame_that_does_not_decode_leaves_the_others(tmp_path):
    root = downloads.drama(tmp_path / "d", shots=1)
    next(root.rglob("KM_0000000015.jpg")).write_bytes(b"no picture")
    found = gather(tmp_path / "out", root)
    (shot,) = shots_of(found)
    assert shown(shot) == ["KM_0000000009.jpg", "KM_0000000020.jpg"]
    assert dropped(found)["picture cannot be decoded"] == 2  # of the shot and of the clip


def test_frames_that_are_missing_come_out_of_the_film(tmp_path):
    root = downloads.drama(tmp_path / "d", shots=1, missing=tuple(range(9, 21)))
    clip = next(root.rglob("*.json")).parent
    downloads.film(clip / f"{clip.name}.mp4", (400, 400, 400))  # ten frames a second
    found = gather(tmp_path / "out", root)
    (shot,) = shots_of(found)
    assert [colour(p) for p in in_time(shot.pictures)] == ["r", "g", "b"]  # frames 0, 6 and 11
    assert dropped(found)["interpolated frame"] == 9


def test_stills_are_preferred_to_the_film_wherever_they_lie(tmp_path):
    root = downloads.drama(tmp_path / "d", shots=1)
    clip = next(root.rglob("*.json")).parent
    downloads.film(clip / f"{clip.name}.mp4", (400, 400, 400))
    (clip / clip.name).rename(clip / "frames")  # the shot's folder is all that agrees
    found = gather(tmp_path / "out", root)
    assert all(Path(s.pictures[0]).is_relative_to(clip / "frames") for s in found.samples)


def test_a_table_may_name_films(tmp_path):
    downloads.film(tmp_path / "set/a.mp4")
    downloads.lines(tmp_path / "set/a.jsonl", [{"video": "a.mp4", "caption": "색이 바뀐다"}])
    (sample,) = gather(tmp_path / "out", tmp_path / "set").samples
    assert [colour(p) for p in sample.pictures] == ["g", "r", "b"]


def test_drama_labels_of_any_damage_are_counted(tmp_path):
    root = downloads.drama(tmp_path / "d", shots=2)
    label = next(root.rglob("*.json"))
    value = json.loads(label.read_text("utf-8"))
    value["shot_infos"][0]["visual_infos"] = None
    del value["dialogue_infos"]
    for frame in value["shot_infos"][1]["visual_infos"][:4]:
        frame["image_descs"] = []
    label.write_text(json.dumps(value), "utf-8")
    found = gather(tmp_path / "out", root)
    counts = dropped(found)
    assert (counts["shot without frames"], counts["frame without descriptions"]) == (1, 4)
    assert counts["interpolated frame"] == 12 - 4 - 2
    (shot,) = shots_of(found)
    assert len(shot.pictures) == 2


def test_timed_sentences_get_the_frames_of_their_time(tmp_path):
    found = gather(tmp_path / "out", downloads.timed(tmp_path / "d", ("Training",), 1))
    assert [(s.captions, [colour(p) for p in s.pictures]) for s in found.samples] == [
        (("빨간 화면이 보인다",), ["r", "r", "r"]),
        (("파란 화면이 보인다", "화면이 파랗게 바뀐다"), ["b", "b", "b"]),
    ]
    assert {s.topic for s in found.samples} == {"DR"}
    assert dropped(found) == {"impossible times": 2}


def test_situations_are_cut_into_sentences_and_find_films_by_number(tmp_path):
    found = gather(tmp_path / "out", downloads.situations(tmp_path / "2019-01-005"))
    told = ("두 사람이 이야기한다", "한 사람이 웃는다")
    assert by_name(found) == {"clip_13": told, "clip_226": told}
    assert [colour(p) for p in found.samples[0].pictures] == ["g", "r", "b"]  # the middle first


def test_a_situation_finds_its_film_if_its_number_is_a_float(tmp_path):
    root = downloads.situations(tmp_path / "58")
    label = root / "라벨데이터/clip_13.json"
    value = json.loads(label.read_text("utf-8")) | {"clip_id": 13.0}
    label.unlink()
    downloads.written(root / "라벨데이터/clip_13-수정본.json", value)
    assert set(by_name(gather(tmp_path / "out", root))) == {"clip_13", "clip_226"}


@pytest.mark.parametrize("mark", ["-수정본", "_수정본", " (수정본)"])
def test_a_corrected_label_takes_the_place_of_the_one_before(tmp_path, mark):
    root = downloads.situations(tmp_path / "58")
    value = json.loads((root / "라벨데이터/clip_13.json").read_text("utf-8"))
    corrected = root / f"라벨데이터/{unicodedata.normalize('NFD', f'clip_13{mark}.json')}"
    downloads.written(corrected, value | {"situation": "고친 문장이다."})
    found = gather(tmp_path / "out", root)
    assert by_name(found)["clip_13"] == ("고친 문장이다",)
    assert dropped(found) == {"label file that was corrected": 1}


@pytest.mark.parametrize("make", [downloads.vision, downloads.questions])
def test_one_broken_record_does_not_hide_a_set(tmp_path, make):
    root = make(tmp_path / "d")
    label = next(p for p in sorted(root.rglob("*.json")) if p.stem in ("0", "all"))
    value = json.loads(label.read_text("utf-8"))
    value["annotations"] = [{"english": "A cup."}, None, *value["annotations"]]
    downloads.written(label, value)
    assert len(gather(tmp_path / "out", root).samples) == 2


def test_backgrounds_lose_what_was_made_anonymous(tmp_path):
    found = gather(tmp_path / "out", downloads.background(tmp_path / "d"))
    told = ("강변의 산책로를 따라 사람들이 걷고 있다", "뒤로 고층 건물이 보인다")
    assert by_name(found) == {"bg_0": told, "bg_1": told}
    assert dropped(found) == {"caption with an anonymous mark": 2}


def test_vision_labels_are_told_from_boxes(tmp_path):
    found = gather(tmp_path / "out", downloads.vision(tmp_path / "d"))
    assert by_name(found)["IMG_0000001_cup(cup)"] == ("탁자 위에 컵 1개가 있다", "컵이 놓여 있다")
    assert found.samples[0].topic == "주방"
    assert dropped(found) == {"label file of unknown form": 1}


def test_questions_and_nikl_are_read(tmp_path):
    asked = gather(tmp_path / "a", downloads.questions(tmp_path / "q"))
    assert by_name(asked)["000002"] == ("아이가 탁자 2개 앞에 앉아 있다",)
    told = gather(tmp_path / "b", downloads.nikl(tmp_path / "n"))
    assert by_name(told)["K0A0000"] == ("나무 0그루가 서 있다", "길이 보인다")


@pytest.mark.parametrize("kind", [".csv", ".tsv", ".jsonl"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp949"])
def test_a_plain_table_of_image_and_caption(tmp_path, kind, encoding):
    for number in range(3):
        downloads.picture(tmp_path / f"set/사진/{number}.png", number)
    rows = [
        ("사진/0.png", "개가 뛴다"),
        ("사진/0.png", "개, 그리고 공"),
        ("사진/1.png", "꽃이 핀다"),
    ]
    rows += [("사진/9.png", "없는 사진이다")]
    if kind == ".jsonl":
        objects = ({"image": i, "caption": c} for i, c in rows)
        text = "".join(json.dumps(o, ensure_ascii=False) + "\n" for o in objects)
    else:
        comma = "\t" if kind == ".tsv" else ","
        text = f"image{comma}caption\r\n" + "".join(f'{i}{comma}"{c}"\r\n' for i, c in rows)
    (tmp_path / f"set/captions{kind}").write_bytes(text.encode(encoding))
    found = gather(tmp_path / "out", tmp_path / "set")
    assert by_name(found) == {
        "사진:0.png": ("개가 뛴다", "개, 그리고 공"),
        "사진:1.png": ("꽃이 핀다",),
    }
    assert dropped(found) == {"picture missing": 1, "file that no label names": 1}


def test_broken_lines_and_rows_cost_themselves_alone(tmp_path):
    for number in range(8):
        downloads.picture(tmp_path / f"set/{number}.png", number)
    rows = [json.dumps({"image": f"{n}.png", "caption": f"개 {n}마리"}) for n in range(4)]
    text = "\n".join([rows[0], rows[1][:20], *rows[1:]])
    (tmp_path / "set/a.jsonl").write_text(text, "utf-8")
    table = "image,caption\n4.png,개가 뛴다\n5.png,개, 그리고 공이 있다\n6.png\n"
    (tmp_path / "set/b.csv").write_text(table, "utf-8")
    (tmp_path / "set/c.tsv").write_bytes("image\tcaption\r\n7.png\t새가 난다\r\n".encode("utf-16"))
    found = gather(tmp_path / "out", tmp_path / "set")
    assert sorted(by_name(found)) == [f"{n}.png" for n in (0, 1, 2, 3, 4, 7)]
    assert dropped(found) == {
        "line cannot be read": 1, "row with more cells than columns": 1, "no usable caption": 1,
        "file that no label names": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    "value",
    [
        {"video_name": "a.mp4", "sentences": None},
        {"common_info": {"file_id": "c"}, "shot_infos": None},
        {"annotations": [{"IMAGE_NAME": "1.jpg", "CAPTION": "x"}]},
    ],
)
def test_no_label_file_vanishes_silently(tmp_path, value):
    root = downloads.nikl(tmp_path / "nikl")
    downloads.written(root / "odd.json", value)
    assert sum(dropped(gather(tmp_path / "out", root)).values()) >= 1


def test_a_clip_without_its_id_has_its_folders(tmp_path):
    root = downloads.drama(tmp_path / "d", shots=1)
    label = next(root.rglob("*.json"))
    value = json.loads(label.read_text("utf-8"))
    del value["common_info"]["file_id"]
    downloads.written(label, value)
    found = gather(tmp_path / "out", root)
    assert {s.group for s in found.samples} == {"d/KETI_MULTIMODAL_0000000012"}


@pytest.mark.parametrize(
    "record",
    [
        {"image": "{}.png", "caption": "개 {}마리가 뛴다"},
        {"input": "{}", "output": ["개 {}마리가 뛴다"], "id": "x"},
        {"id": 3, "file_path": "{}.png", "caption_ko": ["개 {}마리가 뛴다"]},
    ],
)
def test_a_form_of_records_may_be_a_file_for_each_picture(tmp_path, record):
    for n in range(3):
        downloads.picture(tmp_path / f"set/원천/{n}.png", n)
        text = json.dumps(record, ensure_ascii=False).replace("{}", str(n))
        downloads.written(tmp_path / f"set/라벨/{n}.json", json.loads(text))
    found = gather(tmp_path / "out", tmp_path / "set")
    assert [s.captions for s in found.samples] == [(f"개 {n}마리가 뛴다",) for n in range(3)]


def test_a_table_may_tell_splits_groups_and_topics(tmp_path):
    rows = [
        f"{n}.png,개 {n}마리,{'train' if n < 3 else 'validation'},g{n // 3},공원" for n in range(6)
    ]
    for number in range(6):
        downloads.picture(tmp_path / f"set/{number}.png", number)
    (tmp_path / "set/a.csv").write_text(
        "\n".join(["image,caption,split,group,topic", *rows]), "utf-8"
    )
    found = gather(tmp_path / "out", tmp_path / "set")
    assert [(s.split, s.group, s.topic) for s in found.samples] == [
        ("train" if n < 3 else "val", f"set/g{n // 3}", "공원") for n in range(6)
    ]


UNKNOWN = {"data": {"items": [
    {"src": "a.jpg", "note": {"text_ko": "고양이가 존다. 창가가 밝다."}, "tags": ["x"]},
    {"src": "b.jpg", "note": {"text_ko": "새가 난다"}, "tags": []},
]}}  # fmt: skip


def unknown(root: Path) -> Path:
    for number, name in enumerate(("a.jpg", "b.jpg")):
        downloads.picture(root / name, number)
    downloads.written(root / "labels.json", UNKNOWN)
    return root


def test_an_unknown_form_is_refused_with_the_keys_that_hold_korean(tmp_path):
    with pytest.raises(DataError) as caught:
        gather(tmp_path / "out", unknown(tmp_path / "set"))
    assert "--caption-key 'data.items[].note.text_ko'" in str(caught.value)
    assert "고양이가 존다" in caught.value.text("ko")
    assert not (tmp_path / "out").exists()


def test_a_caption_key_reads_an_unknown_form(tmp_path):
    root = unknown(tmp_path / "set")
    found = gather(tmp_path / "out", root, caption_key="data.items[].note.text_ko")
    assert by_name(found) == {"a": ("고양이가 존다", "창가가 밝다"), "b": ("새가 난다",)}


def test_a_caption_key_takes_the_label_files_own_name_where_none_is_named(tmp_path):
    downloads.picture(tmp_path / "set/원천/한국 1.png")
    downloads.written(
        tmp_path / "set/라벨/한국 1.json", {"image": {"설명": ["절이 있다", "산이 높다"]}}
    )
    found = gather(tmp_path / "out", tmp_path / "set", caption_key="image.설명")
    assert by_name(found) == {"한국 1": ("절이 있다", "산이 높다")}


COCO = {
    "images": [
        {"id": n, "file_name": f"{n:012d}.jpg", "coco_url": f"http://x/{n:012d}.jpg"}
        for n in (7, 8)
    ],
    "annotations": [
        {"id": 70 + n, "image_id": n, "caption": f"개 {n}마리가 {does}"}
        for does in ("달린다", "잔다")
        for n in (7, 8)
    ],
}
SCHEMES = {
    "coco's own": ("annotations[].caption", COCO, "{:012d}"),
    "numbers": ("a[].t", {"a": [{"image_id": n, "t": f"개 {n}마리"} for n in (7, 8)]}, "{:06d}"),
    "coco's files": (
        "a[].t",
        {"a": [{"imageId": n, "t": f"개 {n}마리"} for n in (7, 8)]},
        "COCO_val2014_{:012d}",
    ),
    "names as keys": ("*[]", {f"{n}.jpg": [f"개 {n}마리"] for n in (7, 8)}, "{}"),
    "numbers as keys": ("d.*.t", {"d": {str(n): {"t": f"개 {n}마리"} for n in (7, 8)}}, "{:05d}"),
    "stems": ("[].t", [{"파일명": f"K{n}", "id": 3, "t": f"개 {n}마리"} for n in (7, 8)], "K{}"),
}


@pytest.mark.parametrize("kind", SCHEMES)
def test_the_key_that_is_told_finds_captions_and_pictures_of_common_forms(tmp_path, kind):
    key, value, file = SCHEMES[kind]
    for n in (7, 8):
        downloads.picture(tmp_path / f"set/images/{file.format(n)}.jpg", n)
    downloads.written(tmp_path / "set/labels.json", value)
    with pytest.raises(DataError) as caught:
        gather(tmp_path / "out", tmp_path / "set")
    assert f"--caption-key '{key}'" in str(caught.value)
    found = gather(tmp_path / "out", tmp_path / "set", caption_key=key)
    assert {Path(s.pictures[0]).name: s.captions[0][:5] for s in found.samples} == {
        f"{file.format(n)}.jpg": f"개 {n}마리" for n in (7, 8)
    }
    assert dropped(found) == {}


def test_an_unknown_form_of_many_captions_is_read_in_one_go(monkeypatch):
    """Its pictures are looked for once, not once a caption."""
    value = {"images": [], "notes": [{"text": f"개 {n}마리"} for n in range(300)]}
    looked = []
    real = unknown_form._texts
    monkeypatch.setattr(
        unknown_form, "_texts", lambda v, path, depth: looked.append(v) or real(v, path, depth)
    )
    (label,) = unknown_form.keyed(value, Tally(), "stem", "notes[].text")
    assert len(label.captions) == 300 and sum(v is value for v in looked) == 1


def test_a_set_without_sentences_is_refused_with_the_reason(tmp_path):
    with pytest.raises(DataError, match=r"616.*no sentences"):
        gather(tmp_path / "out", downloads.timelines(tmp_path / "042"))
    assert not (tmp_path / "out").exists()


def test_beside_a_set_with_sentences_it_is_a_drop(tmp_path):
    root = downloads.timelines(downloads.nikl(tmp_path / "both"))
    assert dropped(gather(tmp_path / "out", root)) == {"set without sentences": 1}


def nothing(root: Path) -> Path:
    root.mkdir()
    return root


@pytest.mark.parametrize(
    ("make", "said"),
    [(downloads.timelines, "616"), (unknown, "--caption-key"), (nothing, "no caption file")],
)
def test_one_path_that_gives_nothing_is_told_of(tmp_path, make, said):
    bad = make(tmp_path / "bad")
    with pytest.raises(DataError, match=rf"bad'.*{said}"):
        gather(tmp_path / "out", downloads.nikl(tmp_path / "nikl"), bad)


def test_several_sets_become_one(tmp_path):
    paths = [downloads.mscoco(tmp_path / "coco"), downloads.nikl(tmp_path / "nikl"),
             downloads.drama(tmp_path / "keti")]  # fmt: skip
    found = gather(tmp_path / "out", *paths)
    assert {s.source for s in found.samples} == {"coco", "nikl", "keti"}
    assert len({s.key for s in found.samples}) == len(found.samples) == 8 + 2 + 3


def test_several_sets_in_one_folder_keep_apart(tmp_path):
    root = downloads.nikl(downloads.mscoco(tmp_path / "all"))
    found = gather(tmp_path / "out", root)
    assert {s.source for s in found.samples} == {"all.mscoco", "all.nikl"}


def test_the_same_download_twice_is_read_once(tmp_path):
    root, again = (downloads.nikl(tmp_path / name) for name in ("nikl", "again"))
    found = gather(tmp_path / "out", root, again, root)
    assert [s.source for s in found.samples] == ["nikl", "nikl"]
    assert dropped(found) == {"id occurs twice": 2}


def test_records_of_one_id_and_picture_are_merged(tmp_path):
    name = "val2014/COCO_val2014_000000000001.jpg"
    downloads.picture(tmp_path / "coco" / name)
    records = [
        {"file_path": name, "id": 1, "caption_ko": said}
        for said in (["개가 잔다", "개가 쉰다"], ["개가 쉰다.", "개가 눕는다"], ["개가 쉰다"])
    ]
    downloads.written(tmp_path / "coco/MSCOCO_train_val_Korean.json", records)
    found = gather(tmp_path / "out", tmp_path / "coco")
    assert by_name(found) == {"1": ("개가 잔다", "개가 쉰다", "개가 눕는다")}
    assert dropped(found) == {"id occurs twice": 1}


def test_names_that_training_and_validation_share_are_different_pictures(tmp_path):
    """Both may count from 1: neither hides the other, and nothing leaks."""
    for first, split in ((0, "1.Training"), (50, "2.Validation")):
        rows = [
            {"IMAGE_NAME": f"{n:06d}.jpg", "CAPTION": f"아이 {first + n}명이 앉아 있다."}
            for n in range(1, 5)
        ]
        root = tmp_path / "set" / split
        downloads.written(root / "라벨링데이터/VQA/all.json", {"annotations": rows})
        for n in range(1, 5):
            downloads.picture(root / f"원천데이터/{n:06d}.jpg", first + n)
    found = gather(tmp_path / "out", tmp_path / "set")
    assert dropped(found) == {} and len({s.group for s in found.samples}) == 8
    assert {s.split for s in found.samples if "Training" in s.pictures[0]} == {"train"}
    assert {s.split for s in found.samples if "Validation" in s.pictures[0]} == {"val", "test"}
    for sample in found.samples:
        number = int(Path(sample.pictures[0]).stem) + 50 * ("Validation" in sample.pictures[0])
        assert sample.captions == (f"아이 {number}명이 앉아 있다",)


def test_equal_labels_of_two_sets_with_different_pictures_are_both_kept(tmp_path):
    for number, name in enumerate("ab"):
        path = downloads.picture(tmp_path / name / "1.png", number)
        path.write_bytes(path.read_bytes() + b"x" * number)
        downloads.lines(tmp_path / name / "a.jsonl", [{"image": "1.png", "caption": "개가 뛴다"}])
    found = gather(tmp_path / "out", tmp_path / "a", tmp_path / "b")
    assert [s.key for s in found.samples] == ["a/1.png", "b/1.png"]


def test_labels_and_pictures_may_be_paths_of_their_own(tmp_path):
    root = downloads.mscoco(tmp_path / "coco")
    labels = root / "MSCOCO_train_val_Korean.json"
    apart = tmp_path / "labels" / labels.name
    apart.parent.mkdir()
    labels.rename(apart)
    assert len(gather(tmp_path / "a", apart, root / "train2014", root / "val2014").samples) == 8
    assert len(gather(tmp_path / "b", apart, pictures=[root]).samples) == 8


def test_names_through_macos_and_other_cases_are_found(tmp_path):
    name = unicodedata.normalize("NFD", "드라마 사진.JPG")
    downloads.picture(tmp_path / "set" / name)
    downloads.lines(
        tmp_path / "set/a.jsonl", [{"image": "드라마 사진.jpg", "caption": "개가 뛴다"}]
    )
    assert len(gather(tmp_path / "out", tmp_path / "set").samples) == 1


@pytest.mark.parametrize("size", [None, 9000])
def test_one_name_of_two_pictures_is_no_guess(tmp_path, size):
    for number, folder in enumerate(("a", "b")):
        path = downloads.picture(tmp_path / f"set/{folder}/1.png", number)
        path.write_bytes(path.read_bytes().ljust(size or 9000 + number, b"x"))
    rows = [{"image": "1.png", "caption": "어느 것"}, {"image": "b/1.png", "caption": "둘째"}]
    downloads.lines(tmp_path / "set/a.jsonl", rows)
    found = gather(tmp_path / "out", tmp_path / "set")
    assert by_name(found) == {"b:1.png": ("둘째",)}
    assert dropped(found) == {"several files have this name": 1, "file that no label names": 1}


def test_a_frame_of_another_clip_never_stands_in(tmp_path):
    """Frames are numbered alike in every clip: what is missing stays missing."""
    downloads.drama(tmp_path / "d", 1, shots=1, missing=tuple(range(9, 21)))
    found = gather(tmp_path / "out", downloads.drama(tmp_path / "d", 2, shots=1))
    assert len(found.samples) == 2 and {s.group[-1] for s in found.samples} == {"2"}
    assert dropped(found)["picture missing"] == 2


def test_a_picture_of_another_folder_never_stands_in_but_one_folder_for_all_may(tmp_path):
    rows = [{"image": f"{folder}/1.png", "caption": "개가 뛴다"} for folder in "ab"]
    downloads.lines(tmp_path / "set/a.jsonl", rows)
    downloads.picture(tmp_path / "set/a/1.png")
    assert list(by_name(gather(tmp_path / "x", tmp_path / "set"))) == ["a:1.png"]
    root = downloads.mscoco(tmp_path / "coco")
    for picture in list(root.rglob("*.jpg")):
        (root / "flat").mkdir(exist_ok=True)
        picture.rename(root / "flat" / picture.name)
    assert len(gather(tmp_path / "y", root).samples) == 8


def test_a_label_leads_nowhere_outside(tmp_path):
    downloads.picture(tmp_path / "secret.png")
    downloads.picture(tmp_path / "set/1.png")
    rows = [
        {"image": "../secret.png", "caption": "밖이다"},
        {"image": "1.png", "caption": "안이다"},
    ]
    downloads.lines(tmp_path / "set/a.jsonl", rows)
    (tmp_path / "set/link.png").symlink_to(tmp_path / "secret.png")
    found = gather(tmp_path / "out", tmp_path / "set")
    assert by_name(found) == {"1.png": ("안이다",)}
    assert dropped(found) == {
        "picture outside the picture folder": 1, "link out of the folder": 1,
    }  # fmt: skip


def test_pictures_and_films_that_do_not_decode_are_drops(tmp_path):
    root = downloads.nikl(tmp_path / "nikl", 3)
    (root / "img/K0A0001.png").write_bytes(b"no picture")
    (root / "img/K0A0002.png").write_bytes(b"")
    assert dropped(gather(tmp_path / "a", root)) == {"picture cannot be decoded": 2}
    root = downloads.timed(tmp_path / "t", ("Training",), 2)
    next(root.rglob("*_000002.mp4")).write_bytes(b"no film")
    found = gather(tmp_path / "b", root)
    assert dropped(found)["film cannot be decoded"] == 2 and len(found.samples) == 2


def giant(width: int, height: int) -> bytes:
    """A PNG of some dozen bytes whose header promises so many pixels."""
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(999))),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def test_pictures_that_would_fill_the_memory_are_drops_and_never_decoded(tmp_path, monkeypatch):
    root = downloads.nikl(tmp_path / "nikl", 5)
    for number, size in enumerate(((100_000, 100_000), (30_000, 30_000), (9000, 8000), (0, 9))):
        (root / f"img/K0A000{number}.png").write_bytes(giant(*size))
    decoded = []
    real = unpacking.read_picture
    monkeypatch.setattr(
        unpacking, "read_picture", lambda path: decoded.append(path.name) or real(path)
    )
    found = gather(tmp_path / "out", root)
    assert dropped(found) == {"picture too large": 3, "picture cannot be decoded": 1}
    assert decoded == ["K0A0004.png"] and len(found.samples) == 1


def test_a_picture_of_more_pixels_than_opencv_takes_is_one_line(tmp_path):
    (tmp_path / "a.png").write_bytes(giant(100_000, 100_000))
    with pytest.raises(DataError, match="not a readable picture"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize("rows", [[], [{"image": "0.png", "caption": ""}]])
def test_nothing_usable_is_an_error_with_the_reasons(tmp_path, rows):
    downloads.picture(tmp_path / "set/0.png")
    downloads.lines(tmp_path / "set/a.jsonl", rows)
    with pytest.raises(DataError, match=r"no caption file|1 empty caption"):
        gather(tmp_path / "out", tmp_path / "set")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000])
def test_an_unreadable_label_file_is_one_clear_error(tmp_path, content):
    (tmp_path / "bad.json").write_bytes(content)
    with pytest.raises(DataError, match=r"1 label file cannot be read: bad.json"):
        gather(tmp_path / "out", tmp_path / "bad.json")


def test_why_labels_beside_pictures_cannot_be_read_is_told(tmp_path):
    downloads.picture(tmp_path / "set/0.png")
    (tmp_path / "set/bad.json").write_bytes(b"[" * 100_000)
    with pytest.raises(DataError, match=r"label file cannot be read: .*bad\.json"):
        gather(tmp_path / "out", tmp_path / "set")


def test_a_table_with_tabs_is_read_whatever_its_name(tmp_path):
    downloads.picture(tmp_path / "set/0.png")
    (tmp_path / "set/a.csv").write_bytes("image\tcaption\r\n0.png\t새가 난다\r\n".encode("utf-16"))
    assert sorted(by_name(gather(tmp_path / "out", tmp_path / "set"))) == ["0.png"]


def test_an_out_that_cannot_be_is_told(tmp_path):
    downloads.picture(tmp_path / "set/0.png")
    downloads.lines(tmp_path / "set/a.jsonl", [{"image": "0.png", "caption": "새가 난다"}])
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match=r"the folder .* cannot be made"):
        gather(tmp_path / "file", tmp_path / "set")


SHAPELESS = [
    {"common_info": None, "shot_infos": 3},
    {"common_info": {"file_id": "x"}, "shot_infos": [{"visual_infos": [{"image_id": 3}]}]},
    {"clip_id": None, "data": {}, "situation": 5},
    {"video_name": 3, "sentences": [{"timestamps": 5}, {"timestamps": ["a", "b"]}, None]},
    {"annotation": {"description_kr": None}},
    {"images": 3, "annotations": [{"korean": 3}]},
    {"annotations": [{"IMAGE_NAME": None, "CAPTION": []}]},
    [{"file_path": 3, "caption_ko": "개"}],
    [{"input": None, "output": 3}],
    [{"image": None, "caption": {}}],
]


@pytest.mark.parametrize("value", SHAPELESS)
def test_labels_with_the_keys_but_not_the_shape_are_drops(tmp_path, value):
    root = downloads.nikl(tmp_path / "set")
    downloads.written(root / "odd.json", value)
    assert recognised(value) is not None
    found = gather(tmp_path / "out", root)
    assert len(found.samples) == 2
    assert sum(dropped(found).values()) >= 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["common_info", "shot_infos", "visual_infos", "image_id", "image_descs",
                         "video_name", "sentences", "timestamps", "annotations", "korean",
                         "images", "file_name", "clip_id", "data", "input", "output", "image",
                         "caption", "train", "caption_ko", "file_path", "CAPTION", "IMAGE_NAME"]),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_no_document_is_a_traceback(value):
    form = recognised(parsed(json.dumps(value).encode(), "x.json"))
    if form in TITLES:
        with suppress(*reading.SHAPELESS):
            list(labels(form, value, "x.json", Tally()))


NO_RECORDS = [None, "조각"]


@pytest.mark.parametrize(
    ("read", "document"),
    [
        (stills.plain, [{"image": "a.jpg", "caption": "개"}, *NO_RECORDS]),
        (stills.nikl, [{"input": "a", "output": ["개"]}, *NO_RECORDS]),
        (
            stills.questions,
            {"annotations": [*NO_RECORDS, {"IMAGE_NAME": "a.jpg", "CAPTION": "개"}]},
        ),
        (stills.vision, {"images": [{"file_name": "a.jpg"}, *NO_RECORDS], "annotations": []}),
        (timed, {"video_name": "a.mp4", "sentences": NO_RECORDS}),
        (drama, {"common_info": {"file_id": "a"}, "shot_infos": NO_RECORDS}),
    ],
)
def test_items_that_are_no_records_are_counted(read, document):
    tally = Tally()
    list(read(document, tally))
    assert tally.dropped["record that is no object"] == len(NO_RECORDS)


def test_half_a_character_and_numbers_without_bound_are_no_traceback(tmp_path):
    root = downloads.drama(tmp_path / "d", shots=1)
    label = next(root.rglob("*.json"))
    value = json.loads(label.read_text("utf-8"))
    value["shot_infos"][0]["visual_infos"][0] |= {
        "frame_id": 1e308, "place": "\ud83d", "image_descs": ["개가 \udc00 뛴다"],
    }  # fmt: skip
    label.write_text(json.dumps(value), "utf-8")
    assert "\\ud83d" in label.read_text("utf-8")
    found = gather(tmp_path / "out", root)
    write_samples(tmp_path / "samples.jsonl", found.samples)
    assert any("개가 ? 뛴다" in captions for captions in by_name(found).values())


def test_names_that_windows_wrote_on_a_linux_disk_are_found(tmp_path):
    picture = downloads.picture(tmp_path / "set/x.jpg")
    picture.rename(os.fsdecode(os.fsencode(picture.parent) + b"/" + "사진.jpg".encode("cp949")))
    downloads.lines(tmp_path / "set/a.jsonl", [{"image": "사진.jpg", "caption": "개가 뛴다"}])
    (sample,) = gather(tmp_path / "out", tmp_path / "set").samples
    write_samples(tmp_path / "samples.jsonl", [sample])
    assert Path(sample.pictures[0]).is_relative_to(tmp_path / "out/pictures")


@given(st.integers(0, 10**7))
def test_times_are_read_in_all_their_forms(time_ms):
    minutes, rest = divmod(time_ms, 60_000)
    hours, left = divmod(minutes, 60)
    assert milliseconds(f"{minutes:02d}:{rest / 1000:08.5f}") == time_ms
    assert milliseconds(f"{hours:02d}:{left:02d}:{rest / 1000:06.3f}") == time_ms
    assert milliseconds(time_ms / 1000) == milliseconds(f"{time_ms / 1000:.3f}") == time_ms


@pytest.mark.parametrize("value", ["", "a", "1:2:3:4", "-1", None, True, [], "nan", "inf", "1e999"])
def test_what_is_no_time_is_none(value):
    assert milliseconds(value) is None
