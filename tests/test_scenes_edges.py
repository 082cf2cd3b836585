"""The scene tools' doors: what is odd, missing, too large or already there is one clear line."""

import os
import signal
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.words import Words
from preprocess.errors import SettingError
from tests.clips import colour_clip
from tests.test_group import Seer
from tests.test_search import track
from video.outputs import check_attention
from video.scenes.__main__ import main
from video.scenes.attention import Look, Looks, sheet, steps
from video.scenes.grouping import Item, group
from video.scenes.moments import weighed
from video.scenes.regions import Region, drawn
from video.scenes.tags import of_track
from video.track import OtherCaption, to_json

ROOT = Path(__file__).resolve().parents[1]
RED = np.full((60, 80, 3), (220, 20, 20), np.uint8)


@pytest.fixture(scope="module")
def words() -> Words:
    return Words.load(ROOT / "model" / "default.kcap")


@pytest.fixture
def tool(monkeypatch, capsys, words):
    """A command of a captioner that knows three colours: its status, stdout and stderr."""
    monkeypatch.setattr("model.captioner.Captioner.load", lambda path: Seer())
    monkeypatch.setattr("model.words.Words.load", lambda path: words)

    def run(*command: object) -> tuple[int, str, str]:
        return main([*map(str, command), "--lang", "en"]), *capsys.readouterr()

    return run


@pytest.fixture
def photo(tmp_path) -> Path:
    Image.fromarray(RED).save(tmp_path / "red.png")
    return tmp_path / "red.png"


def test_a_giant_is_refused_by_its_size_and_the_rest_is_grouped(tmp_path, tool, photo):
    giant = tmp_path / "giant.png"
    header = struct.pack(">2I5B", 16_000, 16_000, 1, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    end = b"IDAT" + zlib.compress(bytes(2001))
    parts = ((chunk, header), (end, end[4:]))
    giant.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(d)) + c + struct.pack(">I", zlib.crc32(c)) for c, d in parts
        )
    )
    status, out, err = tool("group", tmp_path)
    assert status == 1 and len(out.splitlines()) == 1
    assert len(err.splitlines()) == 1 and "16000x16000" in err and "--max-megapixels" in err
    assert "80x60" in tool("group", photo, "--max-megapixels", 0.001)[2]
    assert tool("group", photo, "--max-megapixels", 0.01)[0] == 0


def test_why_a_file_cannot_be_read_is_told(tmp_path, tool, photo):
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "note.txt").write_text("글")
    err = tool("group", photo, tmp_path / "empty.jpg", tmp_path / "note.txt")[2]
    assert "is empty (0 bytes)" in err and "is not a video or picture" in err
    assert "is a film" in tool("group", colour_clip(tmp_path / "a.mp4"))[2]


def test_names_do_not_command_the_terminal(tmp_path, tool):
    name = tmp_path / "m\x1b]0;x\x07.jpg"
    name.write_bytes(b"no picture")
    for command in (("group", name), ("regions", name, "-o", tmp_path / "o.png")):
        status, _, err = tool(*command)
        assert status == 1 and "\x1b" not in err and "\x07" not in err and "m?]0;x?.jpg" in err


@pytest.mark.parametrize(
    "command", [("search", "새", ""), ("index", "l.sqlite", ""), ("group", "")]
)
def test_no_path_is_not_the_folder_one_is_in(command, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(list(command))
    assert ended.value.code == 2 and len(capsys.readouterr().err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_nothing_to_search_is_an_error_and_no_index_is_made(tmp_path, tool, photo):
    (tmp_path / "junk.json").write_text("[1]")
    index = tmp_path / "l.sqlite"
    for command in (("search", "새", tmp_path), ("index", index, tmp_path)):
        status, out, err = tool(*command)
        assert (status, out) == (1, "") and "no track" in err and len(err.splitlines()) == 1
    status, out, err = tool("index", index, tmp_path / "junk.json")
    assert (status, out) == (1, "") and "junk.json" in err
    assert not index.exists()


def test_a_film_where_a_track_is_wanted_is_told(tmp_path, tool):
    film = colour_clip(tmp_path / "a.mp4")
    for command in (("search", "새", film), ("index", tmp_path / "l.sqlite", film)):
        status, _, err = tool(*command)
        assert status == 1 and "is no track" in err and "-o .json" in err


def test_one_track_by_two_names_is_found_once(tmp_path, tool, monkeypatch):
    (tmp_path / "f.json").write_text(to_json(track("개가 달리고 있다")), "utf-8")
    monkeypatch.chdir(tmp_path)
    assert len(tool("search", "개", "f.json", "./f.json", tmp_path)[1].splitlines()) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device")
def test_results_that_nobody_gets_are_an_error(tmp_path):
    (tmp_path / "f.json").write_text(to_json(track("개가 달리고 있다")), "utf-8")
    command = [sys.executable, "-m", "video.scenes", "search", "개", str(tmp_path / "f.json")]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, cwd=ROOT)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    first = subprocess.run([*command, "--json"], capture_output=True, cwd=ROOT)
    assert first.returncode == 0 and first.stdout.startswith(b"[")


_INTERRUPTED = """
import os, signal, sys
class Finder:
    def find_spec(self, name, *_):
        if name == "video.command":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
"""


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_during_the_imports_is_no_traceback(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(_INTERRUPTED)
    command = [sys.executable, "-m", "video.scenes", "group", str(tmp_path)]
    known = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, env=known)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, b"")


def test_what_is_there_or_not_there_does_not_name_a_group(words):
    said = ["털이 없는 고양이가 앉아 있다", "털이 없는 고양이가 누워 있다"]
    said += ["빨간 사과가 있다", "빨간 사과가 놓여 있다"]
    items = [
        Item(f"{i}.jpg", text, weighed([(text, 1.0)], words), np.eye(2, dtype=np.float32)[i // 2])
        for i, text in enumerate(said)
    ]
    names = [one.name for one in group(items, words, 2)]
    assert any("고양이" in name for name in names) and not any("없는" in name for name in names)


def test_copies_do_not_go_where_pictures_are_taken_from(tmp_path, tool, photo):
    status, _, err = tool("group", tmp_path, "--sort-into", tmp_path / "sorted", "--copy")
    assert status == 1 and "lies in the pictures' folder" in err
    assert [path.name for path in tmp_path.iterdir()] == ["red.png"]


def test_a_loop_of_links_is_no_place(tmp_path, tool, photo):
    (tmp_path / "l").symlink_to("l")
    status, _, err = tool("group", photo, "--out", tmp_path / "l", "--json", tmp_path / "b.json")
    assert status == 1 and len(err.splitlines()) == 1


def test_a_pipe_of_blocked_words_is_not_waited_for(tmp_path, tool, photo):
    os.mkfifo(tmp_path / "pipe")
    status, _, err = tool("hashtags", photo, "--block", tmp_path / "pipe")
    assert status == 1 and "pipe" in err
    assert "Check the path" in tool("hashtags", photo, "--block", tmp_path / "none.txt")[2]
    tracks = [tmp_path / "a.json", tmp_path / "b.json"]
    assert "one track alone" in tool("hashtags", *tracks)[2]


def test_the_noun_that_is_shown_is_a_keyword(words):
    doubts = ("새가 보인다", "동물이 보인다", "새가 앉아 있다", "동물이 서 있다")
    seen = track("앵무새가 보인다", others=doubts)
    shots = tuple(
        shot.__class__(
            shot.start_ms, shot.end_ms, shot.caption, shot.score, 0.6,
            tuple(OtherCaption(other.caption, other.score, 0.5) for other in shot.alternatives),
        )
        for shot in seen.shots
    )  # fmt: skip
    assert "앵무새" in of_track(seen.__class__("a", 1000, "c", shots), words).keywords


def test_attention_that_has_no_place_is_refused():
    for suffixes in ((".srt",), (".vtt", ".txt"), (".html",)):
        with pytest.raises(SettingError, match="--show-attention"):
            check_attention([Path(f"o{suffix}") for suffix in suffixes])
    for suffixes in ((".srt", ".json"), (".ass",), (".mp4", ".txt"), (".GIF",)):
        check_attention([Path(f"o{suffix}") for suffix in suffixes])


def test_a_name_too_long_is_refused_before_the_work(tmp_path, tool):
    film = colour_clip(tmp_path / f"{'가' * 82}.mp4")
    status, out, err = tool("unlike", film)
    assert (status, out) == (1, "") and len(err.splitlines()) == 1


def test_letters_can_be_read_on_pictures_of_any_size():
    for size in ((30, 40), (3000, 4000)):
        page = drawn(np.zeros((*size, 3), np.uint8), [Region((0, 0, 20, 20), "개가 있다", 0.5)])
        assert 640 <= max(page.size) <= 1400
    heat = np.full((8, 8), 1 / 64, np.float32)
    said = "사람들이 야외에 앉아 있다"
    seen = Looks(said, 0.5, tuple(Look(word, heat) for word in said.split()))
    tall = np.full((3000, 100, 3), 128, np.uint8)
    assert sheet(tall, seen).width > 300
    assert all(page.width >= 160 for page in steps(tall, seen))
