"""Grouping: k-means and its measures, names of groups, the page, sorting into folders."""

import json
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from model.caption import Caption
from model.words import Words
from preprocess.errors import OutputError, SettingError
from tests.test_search import track
from video.scenes import __main__ as door
from video.scenes import group as tool
from video.scenes.clusters import adjusted_rand, best_count, k_means, silhouette
from video.scenes.grouping import Group, Item, group, named
from video.scenes.sheet import to_sheet
from video.scenes.sorting import copy_all, plan, safe
from video.track import to_json

ROOT = Path(__file__).resolve().parents[1]
COLOURS = {"red": (220, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 220)}
SAID = {
    "red": "빨간 사과가 식탁에 놓여 있다",
    "green": "풀밭에 소가 서 있다",
    "blue": "바다에 배가 떠 있다",
}


@cache
def words() -> Words:
    return Words.load(ROOT / "model" / "default.kcap")


class Seer:
    """Features are the mean colour; each main colour has its sentence."""

    def features(self, pictures):
        return np.stack([p.reshape(1, -1, 3).mean(axis=1) for p in pictures]).astype(np.float32)

    def caption(self, frames):
        text = list(SAID.values())[int(frames.reshape(-1, 3).mean(axis=0).argmax())]
        return Caption(text, tuple(text.split()), -0.5, np.zeros((2, 1, 1, 1), np.float32))


@pytest.fixture
def seer(monkeypatch):
    monkeypatch.setattr("model.captioner.Captioner.load", lambda path: Seer())
    monkeypatch.setattr("model.words.Words.load", lambda path: words())


@pytest.fixture
def photos(tmp_path) -> Path:
    folder = tmp_path / "사진"
    folder.mkdir()
    for name, colour in COLOURS.items():
        for number in range(4):
            shade = tuple(c + 5 * number for c in colour)
            Image.new("RGB", (40, 30), shade).save(folder / f"{name}{number}.png")
    return folder


def blobs(k: int, each: int, seed: int = 0) -> tuple[np.ndarray, list[int]]:
    random = np.random.default_rng(seed)
    rows = np.repeat(np.eye(k, 12), each, axis=0) + 0.1 * random.normal(size=(k * each, 12))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), [
        i // each for i in range(k * each)
    ]


@pytest.mark.parametrize("seed", range(3))
def test_separate_groups_are_found_and_counted(seed):
    vectors, truth = blobs(5, 12, seed)
    assert adjusted_rand(truth, k_means(vectors, 5, seed).tolist()) == 1
    assert best_count(vectors, seed) == 5
    np.testing.assert_array_equal(k_means(vectors, 5, seed), k_means(vectors, 5, seed))


def test_the_largest_group_comes_first():
    vectors, _ = blobs(2, 10)
    labels = k_means(np.vstack([vectors[:3], vectors[10:]]), 2)
    assert np.bincount(labels).tolist() == [10, 3]


def test_what_does_not_differ_is_one_group_whatever_k():
    same = np.tile(np.eye(1, 4, dtype=np.float32), (6, 1))
    assert k_means(same, 3).tolist() == [0] * 6
    assert k_means(0 * same, 2).shape == (6,)
    assert best_count(same[:2]) == 1


LABELS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=30)


@given(LABELS)
def test_the_rand_index_counts_pairs(pairs):
    """Against its definition over all pairs (Hubert & Arabie 1985, eq. 5)."""
    one, other = zip(*pairs, strict=True)
    n = len(pairs)
    both = first = second = 0
    for i in range(n):
        for j in range(i):
            both += one[i] == one[j] and other[i] == other[j]
            first += one[i] == one[j]
            second += other[i] == other[j]
    expected = first * second / (n * (n - 1) / 2)
    most = (first + second) / 2
    wanted = 1.0 if most == expected else (both - expected) / (most - expected)
    assert adjusted_rand(one, other) == pytest.approx(wanted)
    assert adjusted_rand(one, [x + 7 for x in one]) == pytest.approx(1)


def test_the_silhouette_is_that_of_its_definition():
    vectors, _ = blobs(3, 4)
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 1])
    far = 1 - vectors @ vectors.T
    widths = []
    for i, own in enumerate(labels):
        mine = [far[i, j] for j in range(12) if j != i and labels[j] == own]
        others = [far[i, labels == k].mean() for k in range(3) if k != own]
        a, b = np.mean(mine), min(others)
        widths.append((b - a) / max(a, b))
    assert silhouette(vectors, labels) == pytest.approx(np.mean(widths), abs=1e-4)
    assert silhouette(vectors, 0 * labels) == 0


def test_groups_get_korean_names():
    names = named(
        [
            ["거대한 폭포가 쏟아지고 있다", "거대한 폭포가 쏟아지고 있다", "폭포가 보인다"],
            ["코끼리가 풀밭에 서 있다", "코끼리가 풀밭에 서 있다", "풀밭에 코끼리가 있다"],
            ["흰 고양이가 앉아 있다", "흰 고양이가 누워 있다", "고양이가 보인다"],
        ],
        words(),
    )
    assert names == ["거대한 폭포", "풀밭의 코끼리", "흰 고양이"]


def test_where_it_is_names_no_group_that_has_more_to_say():
    shots = [
        ["풍경이 보인다", "야외에 차가 보인다", "차가 보인다", "차가 보인다"],
        ["실내에 병이 놓여 있다", "실내에 병이 놓여 있다", "병이 놓여 있다"],
    ]
    names = named(shots, words())
    assert [name.split()[-1] for name in names] == ["차", "병"]


def test_groups_that_nothing_names_are_numbered_from_the_second():
    assert named([["???"], ["!!!"]], words()) == ["그 밖", "그 밖 2"]


@given(st.lists(st.lists(st.sampled_from([*SAID.values(), "", "???"]), min_size=1, max_size=4),
                min_size=1, max_size=6))  # fmt: skip
def test_every_group_has_a_name_of_its_own(groups):
    names = named(groups, words())
    assert all(names) and len(set(names)) == len(names)


def item(name: str, text: str) -> Item:
    return Item(name, text, words().vector(text))


def test_every_item_is_in_one_group_and_a_wrong_count_is_told():
    items = [item(str(i), text) for i, text in enumerate([*SAID.values()] * 3)]
    found = group(items, words(), 3)
    assert sorted(m for one in found for m in one.members) == list(range(9))
    assert [{items[m].caption for m in one.members} for one in found] == [
        {items[one.members[0]].caption} for one in found
    ]
    for count in (0, 10):
        with pytest.raises(SettingError):
            group(items, words(), count)
    with pytest.raises(SettingError):
        group([], words())
    assert len(group(items[:1], words())) == 1


@pytest.mark.usefixtures("seer")
def test_the_command_groups_shows_and_copies(photos, tmp_path, capsys):
    page, told, out = tmp_path / "p.html", tmp_path / "g.json", tmp_path / "sorted"
    line = ["group", str(photos), "--groups", "3", "--out", str(page), "--json", str(told)]
    assert door.main([*line, "--sort-into", str(out)]) == 0
    assert "--copy" in capsys.readouterr().out and not out.exists()
    groups = json.loads(told.read_text("utf-8"))
    assert sorted(len(one["members"]) for one in groups) == [4, 4, 4]
    text = page.read_text("utf-8")
    assert text.count("data:image/jpeg") == 12 and not re.search(r"https?://", text)
    before = {p.name: p.read_bytes() for p in photos.iterdir()}
    assert door.main([*line, "--overwrite", "--sort-into", str(out), "--copy"]) == 0
    assert {p.name: p.read_bytes() for p in photos.iterdir()} == before
    assert {p.name: p.read_bytes() for p in out.rglob("*.png")} == before
    assert len(list(out.iterdir())) == 3
    capsys.readouterr()
    assert (
        door.main(["group", str(photos), "--groups", "3", "--sort-into", str(out), "--copy"]) == 1
    )
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.usefixtures("seer")
def test_nothing_to_group_is_one_line(tmp_path, capsys):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    (tmp_path / "empty").mkdir()
    for name, word in (
        ("none", "없습니다. 경로"),
        ("empty", "묶을 것이 없"),
        ("bad.png", "bad.png"),
    ):
        assert door.main(["group", str(tmp_path / name)]) == 1
        said = capsys.readouterr().err.splitlines()
        assert len(said) == 1 and word in said[0]


@pytest.mark.usefixtures("seer")
def test_a_damaged_picture_does_not_stop_the_others(photos, capsys):
    (photos / "bad.png").write_bytes(b"no picture")
    assert door.main(["group", str(photos), "--groups", "3"]) == 1
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1 and "bad.png" in captured.err
    assert len(captured.out.splitlines()) == 3


@pytest.mark.usefixtures("seer")
def test_fewer_groups_than_were_asked_for_are_told(tmp_path, capsys):
    for number in range(5):
        Image.new("RGB", (40, 30), COLOURS["red"]).save(tmp_path / f"{number}.png")
    assert door.main(["group", str(tmp_path), "--groups", "3", "--lang", "en"]) == 0
    captured = capsys.readouterr()
    assert captured.out.count("\n") == 1
    assert captured.err == (
        "scenes: too few differ for 3 groups: there are 1. Give --groups less.\n"
    )


@pytest.mark.usefixtures("seer")
@pytest.mark.parametrize("below", ["", "deep/er"])
def test_copies_into_a_file_are_refused_before_anything_is_looked_at(photos, below, capsys):
    into = photos / "red0.png" / below
    assert door.main(["group", str(photos), "--sort-into", str(into), "--lang", "en"]) == 1
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("scenes: nothing can be copied into")


@pytest.mark.usefixtures("seer")
def test_who_gives_a_film_is_told_to_caption_it(photos, film, capsys):
    assert door.main(["group", str(photos), str(film), "--groups", "3", "--lang", "en"]) == 1
    captured = capsys.readouterr()
    assert f"python caption_video.py '{film}' -o .json" in captured.err
    assert captured.out.count("\n") == 3 and captured.err.count("\n") == 1


@pytest.mark.usefixtures("seer")
def test_no_result_is_written_over_a_picture(photos, capsys):
    picture = photos / "red0.png"
    before = picture.read_bytes()
    for flag in ("--out", "--json"):
        assert door.main(["group", str(photos), flag, str(picture), "--overwrite"]) == 1
        assert capsys.readouterr().err.count("\n") == 1
    assert picture.read_bytes() == before


def test_shots_of_tracks_are_grouped_without_a_captioner(tmp_path, capsys):
    path = tmp_path / "a.json"
    path.write_text(to_json(track(*SAID.values(), *SAID.values())), "utf-8")
    assert door.main(["group", str(path), "--groups", "3"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["2"] * 3
    assert door.main(["group", str(path), "--sort-into", str(tmp_path), "--lang", "en"]) == 1
    assert "tracks" in capsys.readouterr().err


def test_a_folder_of_tracks_alone_is_read_and_of_pictures_not(photos, tmp_path, capsys):
    folder = tmp_path / "tracks"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.json").write_text(to_json(track(*SAID.values())), "utf-8")
    (folder / "other.json").write_text("{}", "utf-8")
    assert door.main(["group", str(folder), str(folder / "a.json"), "--groups", "3"]) == 0
    captured = capsys.readouterr()
    assert [line.split()[0] for line in captured.out.splitlines()] == ["2"] * 3
    assert captured.err == ""
    line = ["group", str(folder), "--sort-into", str(tmp_path / "out"), "--lang", "en"]
    assert door.main(line) == 1
    assert f"Leave the tracks out: '{folder / 'a.json'}'" in capsys.readouterr().err
    (photos / "a.json").write_text(to_json(track(*SAID.values())), "utf-8")
    pictures, tracks = tool._inputs([photos, folder])
    assert len(pictures) == 12 and {path.parent for path in tracks} == {folder}


def test_a_damaged_track_does_not_stop_the_others(tmp_path, capsys):
    paths = [tmp_path / f"{name}.json" for name in "abc"]
    for path in paths:
        path.write_text(to_json(track(*SAID.values())), "utf-8")
    paths[1].write_text("{}", "utf-8")
    assert door.main(["group", *map(str, paths), "--groups", "3"]) == 1
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1 and "b.json" in captured.err
    assert [line.split()[0] for line in captured.out.splitlines()] == ["2"] * 3


def test_copies_never_meet_each_other_or_what_is_there(tmp_path):
    sources = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.jpg").write_text(name)
        sources.append(item(str(tmp_path / name / "x.jpg"), SAID["red"]))
    out = tmp_path / "out"
    copies = plan(sources, [Group("사과", (0, 1))], out)
    assert [c.target.name for c in copies] == ["x.jpg", "x (2).jpg"]
    copy_all(copies, tmp_path)
    assert sorted(p.read_text() for p in out.rglob("*.jpg")) == ["a", "b"]
    with pytest.raises(OutputError):
        plan(sources, [Group("사과", (0, 1))], out)
    with pytest.raises(OutputError):
        copy_all(copies, tmp_path)
    assert sorted(p.read_text() for p in out.rglob("*.jpg")) == ["a", "b"]


@given(st.text(max_size=100))
def test_folder_names_are_plain(name):
    made = safe(name)
    assert made and made not in (".", "..") and len(made) <= 60
    assert not set(made) & set('/\\:*?"<>|\0\n.')


def test_a_caption_cannot_become_a_tag():
    hostile = "<script>alert(1)</script>"
    page = to_sheet([item("x", hostile)], [Group(hostile, (0,))])
    assert "<script" not in page and "default-src 'none'" in page


@pytest.mark.usefixtures("seer")
def test_tracks_beside_pictures_are_told_when_they_are_left_out(photos, capsys):
    (photos / "film.json").write_text(to_json(track("개가 달린다")), encoding="utf-8")
    (photos / "other.json").write_text('{"a": 1}', encoding="utf-8")
    assert door.main(["group", str(photos), "--lang", "en"]) == 0
    told = capsys.readouterr().err
    assert "left out 1 tracks" in told and "film.json" in told and "other.json" not in told
    assert door.main(["group", str(photos), str(photos / "film.json")]) == 0
    assert "뺐습니다" not in capsys.readouterr().err


def test_a_track_of_a_folder_is_not_written_over(tmp_path, capsys):
    path = tmp_path / "film.json"
    path.write_text(to_json(track("개가 달린다", "고양이가 잔다")), encoding="utf-8")
    before = path.read_bytes()
    line = ["group", str(tmp_path), "--json", str(path), "--overwrite", "--lang", "en"]
    assert door.main(line) == 1
    assert "is an input" in capsys.readouterr().err and path.read_bytes() == before


@pytest.mark.parametrize("name", ["a" * 300 + ".jpg", "nul\0.jpg", "none.jpg"])
def test_a_path_that_cannot_be_is_one_line(tmp_path, capsys, name):
    assert door.main(["group", str(tmp_path / name), "--lang", "en"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_link_to_itself_is_one_line(tmp_path, capsys):
    loop = tmp_path / "loop.png"
    loop.symlink_to(loop)
    line = ["attention", str(loop), "-o", str(tmp_path / "x.png"), "--lang", "en"]
    assert door.main(line) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "x.png").exists()


@pytest.mark.usefixtures("seer")
def test_nothing_is_written_where_copies_would_meet_others(photos, tmp_path, capsys):
    line = ["group", str(photos), "--sort-into", str(tmp_path / "to"), "--copy"]
    assert door.main(line) == 0
    assert door.main([*line, "--json", str(tmp_path / "new.json")]) == 1
    assert "이미 있습니다" in capsys.readouterr().err and not (tmp_path / "new.json").exists()


@pytest.mark.parametrize(("lang", "told"), [("ko", "명령이 잘못되었습니다"), ("en", "wrong usage")])
@pytest.mark.parametrize("line", ["hashtags a.jpg --most 0", "attention a.jpg", "nothing"])
def test_wrong_use_is_one_line_in_the_language_asked_for(capsys, line, lang, told):
    with pytest.raises(SystemExit) as ended:
        door.main([*line.split(), "--lang", lang])
    error = capsys.readouterr().err
    assert ended.value.code == 2 and error.count("\n") == 1 and told in error
