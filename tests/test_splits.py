"""Splits: a film, clip or picture is never in two; what is official is respected."""

import shutil
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocess.errors import DataError
from preprocess.splits import Unit, assigned, official_split, read_table, table_of
from tests import downloads
from tests.test_sets import dropped, gather

SPLITS = st.sampled_from(["", "train", "val", "test"])
UNITS = st.lists(
    st.builds(
        lambda name, group, official: Unit(
            (f"i{name}", f"g{group}"), f"s/g{group}", f"g{group}", official),
        st.integers(0, 300), st.integers(0, 40), SPLITS,
    ),
    max_size=120,
)  # fmt: skip
TABLES = st.none() | st.dictionaries(
    st.integers(0, 300).map("i{}".format) | st.integers(0, 40).map("g{}".format),
    st.sampled_from(["train", "val", "test"]),
)


@given(UNITS, TABLES)
def test_no_group_is_ever_in_two_splits(units, table):
    splits = assigned(units, table)
    assert len(splits) == len(units)
    of_group: dict[str, set[str]] = {}
    for unit, split in zip(units, splits, strict=True):
        of_group.setdefault(unit.group, set()).add(split)
    assert all(len(found) == 1 for found in of_group.values())
    if table is None:
        assert set(splits) <= {"train", "val", "test"}


@given(UNITS, st.randoms())
def test_splits_depend_neither_on_order_nor_on_the_folders_name(units, random):
    units = [Unit(u.names, u.group, u.drawn_by, "") for u in units]
    first = {u.group: split for u, split in zip(units, assigned(units, None), strict=True)}
    other = [Unit(u.names, u.group.replace("s/", "t/"), u.drawn_by, "") for u in units]
    random.shuffle(other)
    again = {u.drawn_by: split for u, split in zip(other, assigned(other, None), strict=True)}
    assert {group.removeprefix("s/"): split for group, split in first.items()} == again


@given(UNITS)
def test_what_is_official_is_respected(units):
    whole = [
        Unit(u.names, u.group, u.drawn_by, ("train", "val")[int(u.drawn_by[1:]) % 2]) for u in units
    ]
    splits = assigned(whole, None)
    if len({u.official for u in whole}) == 2:
        for unit, split in zip(whole, splits, strict=True):
            assert (split == "train") == (unit.official == "train")


@pytest.mark.parametrize(("groups", "sizes"), [
    (1, {"train": 1}),
    (2, {"train": 1, "val": 1}),
    (3, {"train": 1, "val": 1, "test": 1}),
    (200, {"train": 181, "val": 9, "test": 10}),
])  # fmt: skip
def test_a_draw_leaves_something_for_every_split(groups, sizes):
    units = [Unit((), f"{n}", f"{n}", "") for n in range(groups)]
    assert dict(Counter(assigned(units, None))) == sizes


def test_half_a_download_is_shared_out():
    units = [Unit((), f"{n}", f"{n}", "val") for n in range(40)]
    assert set(assigned(units, None)) == {"train", "val", "test"}


def test_a_group_that_is_said_to_be_in_two_splits_teaches():
    units = [Unit((), "g", "g", "train"), Unit((), "g", "g", "val"), Unit((), "h", "h", "val")]
    assert assigned(units, None) == ["train", "train", "val"]


def test_what_a_table_says_twice_teaches():
    told = {"val": ["a", "b"], "test": ["b", "c"], "restval": ["d"]}
    assert table_of(told) == {"a": "val", "b": "train", "c": "test", "d": "train"}


@pytest.mark.parametrize(("name", "split"), [
    ("NNN.세트/01.데이터/1.Training/원천데이터/TS_1.zip/a.jpg", "train"),
    ("NNN.세트/01.데이터/2.Validation/라벨링데이터_240326_add/VL_1.zip/a.json", "val"),
    ("003.x/01-1.정식개방데이터/Validation/02.라벨링데이터/VL_D3_드라마/a.json", "val"),
    ("x/01.Training/[라벨]train.zip/a.json", "train"),
    ("x/[원천]valid.zip/a.jpg", "val"),
    ("x/TL_a/a.json", "train"),
    ("x/TL02.zip/a.json", "train"),
    ("x/[원천]TS.zip/a.jpg", "train"),
    ("x/02.VL/a.json", "val"),
    ("x/VS1.zip/a.jpg", "val"),
    ("x/cat vs dog/tlc/a.jpg", ""),
    ("ai_test/1.Training/a.jpg", "train"),
    ("train_2023/2.Validation/a.jpg", "val"),
    ("ai_test/원천데이터/a.jpg", "test"),
    ("a.jpg", ""),
    ("x/VS_a.zip/a.jpg", "val"),
    ("coco/train2014/COCO_train2014_1.jpg", "train"),
    ("x/3.Test/a.jpg", "test"),
    ("x/라벨데이터/train_1.json", ""),
    ("x/trainer/valley/contest/a.jpg", ""),
    ("x/cartl_a/a.jpg", ""),
    ("x/MSCOCO_train_val_Korean.zip/a.json", ""),
])  # fmt: skip
def test_folders_and_archives_tell_the_official_split(name, split):
    assert official_split(name) == split


def test_official_training_and_validation_of_a_download(tmp_path):
    found = gather(tmp_path / "out", downloads.timed(tmp_path / "d"))
    for sample in found.samples:
        assert (sample.split == "train") == (int(sample.group[-3:]) < 100)
    assert {s.split for s in found.samples} == {"train", "val", "test"}
    assert len({s.group for s in found.samples}) == 4


def test_the_downloads_own_name_does_not_hide_its_training_and_validation(tmp_path):
    found = gather(tmp_path / "out", downloads.timed(tmp_path / "ai_test"))
    assert {s.group[-6:]: s.split == "train" for s in found.samples} == {
        "000001": True, "000002": True, "000101": False, "000102": False,
    }  # fmt: skip


def test_a_sample_folder_beside_a_whole_set_is_left_out_and_counted(tmp_path):
    root = downloads.timed(tmp_path / "d")
    inner = next(root.rglob("Training")).parent
    shutil.copytree(inner / "Validation", root / "New_Sample")
    found = gather(tmp_path / "out", root)
    assert sum(s.split != "train" for s in found.samples) == 4
    assert dropped(found)["file of a sample folder"] == 4
    alone = gather(tmp_path / "alone", root / "New_Sample")
    assert len(alone.samples) == 4 and "file of a sample folder" not in dropped(alone)


def test_training_and_validation_may_be_paths_of_their_own(tmp_path):
    top = next(downloads.timed(tmp_path / "d").rglob("Training")).parent
    found = gather(tmp_path / "out", top / "Training", top / "Validation")
    assert {s.source: s.split == "train" for s in found.samples} == {
        "Training": True, "Validation": False,
    }  # fmt: skip


def test_a_karpathy_table_wins_wherever_it_lies(tmp_path):
    split_of = {1: "train", 2: "restval", 3: "val", 4: "test", 5: "train", 6: "restval", 7: "test"}
    wanted = {f"coco/{n}": "train" if s == "restval" else s for n, s in split_of.items()}
    root = downloads.mscoco(tmp_path / "coco")
    table = downloads.karpathy(tmp_path / "dataset_coco.json", split_of)
    found = gather(tmp_path / "a", root, splits=[table])
    assert {s.key: s.split for s in found.samples} == wanted
    assert dropped(found)["in no split"] == 1
    found = gather(tmp_path / "b", root, table)
    assert {s.key: s.split for s in found.samples} == wanted
    table.rename(root / "dataset_coco.json")
    found = gather(tmp_path / "c", root)
    assert {s.key: s.split for s in found.samples} == wanted


def test_without_a_table_train2014_teaches_and_val2014_is_halved(tmp_path):
    found = gather(tmp_path / "out", downloads.mscoco(tmp_path / "coco"))
    splits = [s.split for s in found.samples]
    assert splits[:4] == ["train"] * 4 and sorted(splits[4:]) == ["test", "test", "val", "val"]


def test_a_table_may_name_clips(tmp_path):
    for number in (1, 2):
        downloads.drama(tmp_path / "d", number)
    clips = [f"KETI_MULTIMODAL_{n:010d}" for n in (1, 2)]
    table = downloads.written(tmp_path / "s.json", {"train": clips[:1], "test": clips[1:]})
    found = gather(tmp_path / "out", tmp_path / "d", splits=[table])
    assert {(s.group, s.split) for s in found.samples} == {
        (f"d/{clips[0]}", "train"), (f"d/{clips[1]}", "test")
    }  # fmt: skip


def test_no_frame_of_a_clip_leaks(tmp_path):
    """Fifteen clips with frames that are copies of each other: groups in one split each."""
    for number in range(15):
        downloads.drama(tmp_path / "d", number)
    found = gather(tmp_path / "out", tmp_path / "d")
    groups = {(s.group, s.split) for s in found.samples}
    assert len(groups) == 15
    assert Counter(split for _, split in groups) == {"train": 13, "val": 1, "test": 1}


@pytest.mark.parametrize(
    "value", [{"images": []}, [1], {"train": 3}, {"trains": [3]}, {"train": [{}]}, {}]
)
def test_another_table_is_refused(tmp_path, value):
    with pytest.raises(DataError, match="must have the form"):
        read_table(downloads.written(tmp_path / "s.json", value))
