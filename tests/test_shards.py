"""The feature cache on the disk: resumed, verified, mended shard by shard, read as an array."""

import json
import shutil
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocess import features, shards
from preprocess.crew import Crew, Lost, in_order
from preprocess.errors import DataError, OutputError
from preprocess.features import EncoderOptions, Looker, cache_features, read_files
from preprocess.records import Sample
from preprocess.shards import Features, open_features
from tests.test_crew import answer

OPTIONS = EncoderOptions("eye", 8)
COUNT = 50


def eye(pictures):
    """A stand-in CNN: the mean colour of each quarter of the picture's rows."""
    return pictures.reshape(len(pictures), 4, -1, 3).mean(2)


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(shards, "SHARD_BYTES", 20 * 2 * 4 * 3 * 2)  # 20 rows


@pytest.fixture
def samples(tmp_path):
    random = np.random.default_rng(0)
    made = []
    for i in range(COUNT):
        cv2.imwrite(str(tmp_path / f"{i}.png"), random.integers(0, 255, (9, 7, 3), np.uint8))
        made.append(Sample(f"s/{i}", (str(tmp_path / f"{i}.png"),), ("개",), "train", f"{i}"))
    return made


class Counting:
    """The stand-in CNN, and how many pictures it saw."""

    def __init__(self):
        self.seen = 0

    def __call__(self, pictures):
        self.seen += len(pictures) // 2
        return eye(pictures)


def test_the_cache_is_shards_that_read_as_one_array(tmp_path, samples):
    found = cache_features(tmp_path / "f", samples, OPTIONS, eye)
    names = sorted(path.name for path in (tmp_path / "f").iterdir())
    assert names == ["00000.npy", "00001.npy", "00002.npy", "keys.json", "shards.jsonl"]
    whole = np.concatenate([np.load(tmp_path / "f" / name) for name in names[:3]])
    assert whole.dtype == np.float16 and whole.shape == found.shape == (COUNT, 2, 4, 3)
    keys, opened = open_features(tmp_path / "f")
    assert keys == [sample.key for sample in samples]
    rows, views = [49, 0, 20, 19, 20], [1, 0, 1, 1, 0]
    for index in (7, -1, rows, slice(15, 45, 7), (3, 1), (rows, 0), (rows, views), [], ([], 0)):
        np.testing.assert_array_equal(opened[index], whole[index])
    np.testing.assert_array_equal(opened[np.array(rows)], whole[rows])
    with pytest.raises(IndexError):
        opened[COUNT]


@given(rows=st.lists(st.integers(-23, 22), max_size=40), size=st.integers(1, 30))
def test_any_rows_are_those_of_the_array(tmp_path_factory, rows, size):
    folder = tmp_path_factory.mktemp("any")
    whole = np.arange(23 * 6, dtype=np.float16).reshape(23, 2, 3)
    files = []
    for start in range(0, 23, size):
        files.append(folder / f"{start}.npy")
        np.save(files[-1], whole[start : start + size])
    found = Features(files, whole.shape, size)
    np.testing.assert_array_equal(found[rows], whole[rows])
    np.testing.assert_array_equal(found[rows, 1], whole[rows, 1])


def test_a_full_disk_a_kill_and_a_broken_line_cost_one_shard(tmp_path, samples, monkeypatch):
    whole = cache_features(tmp_path / "whole", samples, OPTIONS, eye)[:]
    folder, calls = tmp_path / "f", []

    def cut(pictures):
        calls.append(len(pictures))
        if len(calls) == 1 + 20 + 17:  # the probe, the first shard, nearly all of the second
            raise KeyboardInterrupt
        return eye(pictures)

    with pytest.raises(KeyboardInterrupt):
        cache_features(folder, samples, OPTIONS, cut)
    assert sorted(path.name for path in folder.iterdir()) == [
        "00000.npy", "keys.json", "shards.jsonl"]  # fmt: skip
    with pytest.raises(ValueError, match=r"00001\.npy: missing"):
        open_features(folder)
    with (folder / "shards.jsonl").open("a") as lines:
        lines.write('[]\n{"shard": 1}\n{"shard": 1, "byt')  # as a kill would leave it, and worse
    again = Counting()
    np.testing.assert_array_equal(cache_features(folder, samples, OPTIONS, again)[:], whole)
    assert again.seen == COUNT - 20
    np.testing.assert_array_equal(open_features(folder)[1][:], whole)


@pytest.mark.parametrize("how", ["shorter", "gone", "changed"])
def test_a_damaged_shard_is_made_again_alone(tmp_path, samples, how):
    folder = tmp_path / "f"
    whole = cache_features(folder, samples, OPTIONS, eye)[:]
    path = folder / "00001.npy"
    data = path.read_bytes()
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(data[:-2] if how == "shorter" else data[:-2] + b"\0\0")
    if how == "changed":  # of the right size: only reading all of it tells
        untouched = Counting()
        cache_features(folder, samples, OPTIONS, untouched)
        assert untouched.seen == 0
    else:
        with pytest.raises(ValueError, match=r"00001\.npy"):
            open_features(folder)
    others = [(folder / name).stat().st_mtime_ns for name in ("00000.npy", "00002.npy")]
    again = Counting()
    found = cache_features(folder, samples, OPTIONS, again, verify=True)
    np.testing.assert_array_equal(found[:], whole)
    assert again.seen == 20
    assert others == [(folder / name).stat().st_mtime_ns for name in ("00000.npy", "00002.npy")]


def test_more_pictures_leave_full_shards_and_fewer_drop_the_rest(tmp_path, samples):
    folder = tmp_path / "f"
    cache_features(folder, samples[:45], OPTIONS, eye)
    more = Counting()
    cache_features(folder, samples, OPTIONS, more)
    assert more.seen == 10
    fewer = Counting()
    found = cache_features(folder, samples[:20], OPTIONS, fewer)
    assert fewer.seen == 0 and len(found) == 20 and not (folder / "00001.npy").exists()
    other = Counting()
    cache_features(folder, samples[:20], EncoderOptions("other", 8), other)
    assert other.seen == 20


def old_cache(folder, samples, done):
    """A cache as earlier versions wrote it."""
    folder.mkdir()
    looked = Looker(eye, OPTIONS)(read_files([s.pictures[0] for s in samples]))
    looked[done:] = 0
    np.save(folder / "features.npy", looked)
    told = {"keys": [s.key for s in samples], "pictures": [s.pictures[0] for s in samples]}
    (folder / "keys.json").write_text(json.dumps({**told, "encoder": "eye", "side": 8}))
    (folder / "done.json").write_text(json.dumps(done))


def test_a_single_file_of_earlier_versions_stays_in_use(tmp_path, samples):
    folder = tmp_path / "f"
    old_cache(folder, samples, COUNT)
    untouched, said = Counting(), []
    found = cache_features(folder, samples, OPTIONS, untouched, verify=True, say=said.append)
    assert untouched.seen == 0 and "no checksum" in said[0]
    expected = cache_features(tmp_path / "new", samples, OPTIONS, eye)
    np.testing.assert_array_equal(found[:], expected[:])
    np.testing.assert_array_equal(open_features(folder)[1][[3, 49], 1], expected[[3, 49], 1])


def test_an_unfinished_or_other_single_file_gives_way(tmp_path, samples):
    old_cache(tmp_path / "f", samples, 30)
    found = cache_features(tmp_path / "f", samples, OPTIONS, eye)
    assert not (tmp_path / "f" / "features.npy").exists()
    assert not (tmp_path / "f" / "done.json").exists()
    np.testing.assert_array_equal(found[:], open_features(tmp_path / "f")[1][:])


def test_too_little_room_is_said_before_anything_is_touched(tmp_path, samples, monkeypatch):
    old_cache(tmp_path / "f", samples, 30)
    before = sorted(path.name for path in (tmp_path / "f").iterdir())
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(1, 1, 10))
    monkeypatch.setattr(features, "_freed", lambda folder, plan: 0)
    with pytest.raises(OutputError, match=r"needs 0\.0 GB and 0\.0 GB are free"):
        cache_features(tmp_path / "f", samples, OPTIONS, eye)
    assert sorted(path.name for path in (tmp_path / "f").iterdir()) == before


def test_room_and_time_are_told_before_the_start(tmp_path, samples, monkeypatch):
    monkeypatch.setattr(features, "FEW", 10)
    said, progress = [], []
    cache_features(tmp_path / "f", samples, OPTIONS, eye, progress.append, say=said.append)
    assert said[0].startswith("CNN: 사진 50장, 디스크 0.0 GB") and "50 pictures" in said[0]
    assert sum(progress) == COUNT


def test_a_picture_that_is_none_is_one_line(tmp_path, samples):
    (tmp_path / "33.png").write_bytes(b"none")
    with pytest.raises(DataError, match=r"33\.png"):
        cache_features(tmp_path / "f", samples, OPTIONS, eye)


class Machine:
    """A stand-in worker that looks at pictures; the second to come dies at its first task."""

    hired = 0

    def __init__(self):
        Machine.hired += 1
        self.name, self.tasks, self.ready = Machine.hired, 0, answer()

    def do(self, task):
        self.tasks += 1
        if self.name == 2 and self.tasks == 1:
            return answer(error=Lost("its machine is gone"))
        return answer(Looker(eye, OPTIONS)(task))

    def end(self):
        pass


def test_spread_over_machines_of_which_one_dies_the_cache_is_the_same(tmp_path, samples):
    Machine.hired = 0
    alone, seen = tmp_path / "alone", []
    cache_features(alone, samples, OPTIONS, eye)
    with Crew(Machine, lambda: 2) as crew:
        spread = partial(share, crew)
        cache_features(tmp_path / "f", samples, OPTIONS, eye, seen.append, spread=spread)
    assert Machine.hired == 3 and sum(seen) == COUNT
    for path in alone.iterdir():
        assert (tmp_path / "f" / path.name).read_bytes() == path.read_bytes()


def share(crew, pieces):
    return in_order(crew.share(pieces, 4, read_files))


def test_a_picture_that_was_replaced_is_seen_anew_and_one_that_went_is_not_missed(
    tmp_path, samples
):
    encode = Counting()
    cache_features(tmp_path / "f", samples, OPTIONS, encode)
    picture, other = (Path(samples[at].pictures[0]) for at in (25, 3))
    cv2.imwrite(str(picture), np.full((30, 30, 3), 9, np.uint8))
    other.unlink()
    again = Counting()
    found = cache_features(tmp_path / "f", samples, OPTIONS, again)
    assert again.seen == 20  # one shard
    np.testing.assert_allclose(found[25], 9, atol=1)
