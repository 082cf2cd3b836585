"""Live sources: sentences as they come, late pictures dropped, and nothing left running."""

import argparse
import json
import os
import subprocess
import sys
import threading
import unicodedata
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import caption_video
from preprocess.errors import OutputError, VideoError
from preprocess.live import SIDE, Newest, camera_frames, open_camera
from preprocess.media import ArrayFrame
from tests.clips import BLUE, GREEN, RED, colour_clip, ffmpeg
from video.command import build_parser
from video.live import alert, caption_live
from video.shots import ShotOptions
from video.track import CaptionedShot
from video.values import words

ROOT = Path(__file__).resolve().parents[1]


class Camera:
    """A stand-in for cv2.VideoCapture: a colour a second, ten pictures of each."""

    def __init__(self, colours=(RED, GREEN, BLUE)):
        self.left = [colour for colour in colours for _ in range(10)]
        self.released = 0

    def read(self):
        if not self.left:
            return False, None
        return True, np.full((48, 64, 3), self.left.pop(0)[::-1], np.uint8)

    def release(self):
        self.released += 1


def ticking(step=0.1):
    times = iter(range(10**6))
    return lambda: next(times) * step


def still(colour, count, start_ms=0, step_ms=100):
    picture = np.full((SIDE, SIDE, 3), colour, np.uint8)
    return [ArrayFrame(start_ms + i * step_ms, picture) for i in range(count)]


def test_a_camera_is_told_as_it_comes_and_given_back(captioner):
    camera = Camera()
    frames = camera_frames(camera, ticking())
    found = list(caption_live(frames, captioner, ShotOptions(min_shot_ms=500)))
    assert [(s.start_ms, s.end_ms, s.caption) for s in found] == [
        (0, 1000, "빨간 화면이다"),
        (1000, 2000, "초록 화면이다"),
        (2000, 3000, "파란 화면이다"),
    ]
    assert camera.released == 1


def test_a_long_look_is_told_every_so_often(captioner):
    shots = caption_live(still(RED, 100), captioner, ShotOptions(max_shot_ms=3000))
    assert [(s.start_ms, s.end_ms) for s in shots] == [
        (0, 3000),
        (3000, 6000),
        (6000, 9000),
        (9000, 10_000),
    ]


def test_memory_does_not_grow_with_a_shot(captioner, monkeypatch):
    from video import live

    most = []
    keep = live._Open.keep

    def watched(self, frame):
        keep(self, frame)
        most.append(len(self.kept))

    monkeypatch.setattr(live._Open, "keep", watched)
    (shot,) = caption_live(still(RED, 3000), captioner, ShotOptions(max_shot_ms=3_600_000))
    assert max(most) <= 64 and shot.end_ms == 300_000


def test_cuts_that_are_sure_at_once_are_all_told(captioner, monkeypatch):
    cuts = iter([[], [], [1500, 3000], *[[]] * 100])
    monkeypatch.setattr("video.cuts.CutFinder.push", lambda *_: next(cuts))
    frames = still(RED, 5, step_ms=1000)
    told = list(caption_live(frames, captioner, ShotOptions(min_shot_ms=500)))
    assert [(s.start_ms, s.end_ms) for s in told] == [(0, 1500), (1500, 3000), (3000, 4100)]


def test_no_picture_at_all_is_told(captioner):
    with pytest.raises(VideoError, match="not one picture"):
        list(caption_live([], captioner, ShotOptions()))
    camera = Camera(())
    with pytest.raises(VideoError, match="gives no picture"):
        list(camera_frames(camera))
    assert camera.released == 1


def test_a_camera_that_is_not_there_is_told(capfd):
    with pytest.raises(VideoError, match="cannot open camera 99"):
        open_camera(99)
    assert capfd.readouterr() == ("", "")  # OpenCV has its own way to say so


def test_what_was_seen_before_an_error_is_told_first(captioner):
    def breaking():
        yield from still(RED, 15)
        raise VideoError("끊김", "broken off")

    shots = caption_live(breaking(), captioner, ShotOptions())
    assert next(shots).caption == "빨간 화면이다"
    with pytest.raises(VideoError, match="broken off"):
        next(shots)


@given(st.lists(st.integers(), max_size=30))
def test_a_slow_reader_gets_the_newest_and_always_the_last(items):
    found = list(Newest(items))
    assert found[-1:] == items[-1:]
    places = iter(items)
    assert all(item in places for item in found)  # in order, none twice


def test_a_slow_reader_does_not_hold_up_the_source():
    read, seen = threading.Event(), []

    def source():
        yield from range(1000)
        read.set()

    newest = iter(Newest(source()))
    seen.append(next(newest))
    assert read.wait(timeout=30)  # all were taken while one was looked at
    seen += newest
    assert seen[-1] == 999 and len(seen) <= 3


def test_an_error_of_the_source_arrives():
    def source():
        yield 1
        raise VideoError("끊김", "broken off")

    with pytest.raises(VideoError, match="broken off"):
        list(Newest(source()))


@pytest.mark.parametrize(
    ("words", "hits"),
    [
        (["사람"], ["사람"]),
        (["차", "개"], ["차"]),
        (["도"], ["도"]),
        (["자동"], []),
        (["차가 많"], ["차가 많"]),
        (["많은 차"], []),
        ([], []),
    ],
)
def test_alerts_know_words_by_their_beginning(words, hits):
    shot = CaptionedShot(0, 2000, "사람들이 차가 많은 도로를 건너고 있다", -0.5, 0.61234)
    event = alert(shot, words)
    assert (event["words"] if event else []) == hits
    if event:
        assert json.loads(json.dumps(event))["confidence"] == 0.612


def test_alerts_are_written_as_hangul_is_and_never_empty():
    assert words(unicodedata.normalize("NFD", "사람  둘")) == "사람 둘"
    with pytest.raises(argparse.ArgumentTypeError):
        words(" ")


@pytest.fixture
def door(captioner, monkeypatch, capsys):
    monkeypatch.setattr(caption_video, "load_captioner", lambda *_: captioner)

    def run(*arguments):
        return caption_video.main([*arguments, "--lang", "en"]), *capsys.readouterr()

    return run


def test_the_door_tells_what_a_camera_sees(door, monkeypatch):
    monkeypatch.setattr(caption_video, "open_camera", lambda number: Camera((RED, RED, BLUE)))
    monkeypatch.setattr(caption_video, "camera_frames", lambda c: camera_frames(c, ticking()))
    monkeypatch.setattr(
        caption_video, "Newest", lambda source, idle: list(source)
    )  # every picture, so that it repeats
    status, out, err = door("--camera", "0", "--every", "1s", "-q", "--alert", "파란")
    assert (status, err) == (0, "")
    assert [json.loads(line)["caption"] for line in out.splitlines()] == ["파란 화면이다"]


def test_live_goes_without_files(door):
    for more in (["film.mp4"], ["-o", "x.srt"], ["--stream", "-"]):
        assert door("--camera", "0", *more)[0] == 2


@pytest.mark.parametrize(
    "more",
    [
        ("--preview", "0"),
        ("--soft",),
        ("--overwrite",),
        ("--about",),
        ("--captions", "a.srt"),
        ("--alternatives", "2"),
        ("--show-confidence",),
        ("--show-attention",),
    ],
)
@pytest.mark.parametrize("source", [("--camera", "0"), ("--stream", "-")])
def test_what_a_live_source_would_ignore_is_refused(door, source, more):
    status, out, err = door(*source, *more)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert source[0] in err and more[0] in err


def test_alerts_may_be_given_several_times(tmp_path, door):
    film = str(colour_clip(tmp_path / "film.mp4"))
    for _ in range(2):  # the words of one command are not those of the next
        alerts = ("--alert", "초록", "--alert", "파란", "노란")
        status, out, _ = door(film, "-q", "--overwrite", "-o", ".srt", *alerts)
        told = [json.loads(line)["words"] for line in out.splitlines()[:-1]]
        assert (status, told) == (0, [["초록"], ["파란"]])
    assert build_parser().read([film]).alert == []


def test_alerts_of_a_film(tmp_path, door):
    film = colour_clip(tmp_path / "film.mp4")
    status, out, _ = door(str(film), "-q", "-o", ".srt", "--alert", "초록")
    assert status == 0
    assert json.loads(out.splitlines()[0])["start_ms"] == 2000
    (tmp_path / "a.srt").write_text("1\n00:00:03,000 --> 00:00:04,000\n초록 차\n", "utf-8")
    given = ("-o", ".vtt", "--captions", str(tmp_path / "a.srt"), "--alert", "초록 차")
    status, out, _ = door(str(film), "-q", *given)
    assert status == 0 and json.loads(out.splitlines()[0])["start_ms"] == 3000


SCRIPT = """
import sys, caption_video
from tests.conftest import ColourCaptioner
caption_video.load_captioner = lambda *_: ColourCaptioner()
sys.exit(caption_video.main(sys.argv[1:]))
"""


def piped(data, *more, stdout=subprocess.PIPE):
    command = [sys.executable, "-c", SCRIPT, "--stream", "-", "--lang", "en", *more]
    pipes = {"stdout": stdout, "stderr": subprocess.PIPE}
    return subprocess.run(command, input=data, timeout=120, cwd=ROOT, **pipes)


def endless(film):
    """Plays a film again and again, as fast as it was filmed."""
    again = ("-re", "-stream_loop", "-1", "-i", film, "-c", "copy", "-f", "matroska", "-")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "quiet", *map(str, again)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


@pytest.mark.parametrize("more", [(), ("-q", "--alert", "초록")])
def test_it_ends_when_its_reader_has_gone(tmp_path, more):
    film = colour_clip(tmp_path / "film.mkv")
    command = [sys.executable, "-c", SCRIPT, "--stream", "-", "--lang", "en", *more]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": ROOT}
    with endless(film) as source, subprocess.Popen(command, stdin=source.stdout, **pipes) as live:
        source.stdout.close()
        assert "화면이다" in live.stdout.readline().decode()
        live.stdout.close()  # as head does
        assert live.wait(timeout=120) == 1
        said = live.stderr.read().decode()
    assert said.count("\n") == 1 and "nobody takes the sentences any more (Broken pipe)" in said


def test_it_ends_though_it_has_nothing_to_say(tmp_path):
    film = colour_clip(tmp_path / "film.mkv").read_bytes()
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as nobody:
        done = piped(film, "-q", "--alert", "말", stdout=nobody)
    assert done.returncode == 1 and done.stderr.count(b"\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_it_ends_where_nothing_can_be_written(tmp_path):
    film = colour_clip(tmp_path / "film.mkv").read_bytes()
    with Path("/dev/full").open("wb") as full:
        done = piped(film, stdout=full)
    assert done.returncode == 1 and done.stderr.count(b"\n") == 1
    assert b"(No space left on device)" in done.stderr


def test_a_real_pipe_is_captioned(tmp_path):
    film = colour_clip(tmp_path / "film.mkv").read_bytes()
    done = piped(film)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    assert lines and all(line.endswith("화면이다") for line in lines)
    starts = [line[1:8] for line in lines]
    assert starts == sorted(starts)


@pytest.mark.parametrize("data", [b"", b"#EXTM3U\nfile:///etc/passwd\n", b"no film at all" * 99])
def test_what_is_no_film_is_told_on_one_line(data):
    done = piped(data)
    assert done.returncode == 1 and done.stdout == b""
    assert done.stderr.count(b"\n") == 1 and b"Traceback" not in done.stderr


def test_a_pipe_of_sound_alone_is_told(tmp_path):
    ffmpeg("-f", "lavfi", "-t", "1", "-i", "sine=440", tmp_path / "a.mkv")
    done = piped((tmp_path / "a.mkv").read_bytes())
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    assert b"there is no picture in what the pipe brings, only sound" in done.stderr


def test_a_decoder_that_dies_in_the_middle_is_no_end_of_the_film(tmp_path, monkeypatch, door):
    dying = tmp_path / "ffmpeg"
    dying.write_text(f"#!/bin/sh\nhead -c {12 * SIDE * SIDE * 3} /dev/zero\nkill -9 $$\n")
    dying.chmod(0o755)
    monkeypatch.setattr("preprocess.ffmpeg._binary", lambda: str(dying))
    status, out, err = door("--stream", "-", "-q", "--alert", "어두운")
    assert (status, err.count("\n")) == (1, 1)
    assert "broke off after 12 pictures (exit status -9)" in err
    assert json.loads(out)["words"] == ["어두운"]  # the last sentence, before the error


def test_a_film_that_is_cut_off_ends_where_it_does(tmp_path):
    film = colour_clip(tmp_path / "film.mkv").read_bytes()
    done = piped(film[: len(film) * 2 // 3])
    assert (done.returncode, done.stderr) == (0, b"") and done.stdout


def test_a_source_that_stalls_lets_look_whether_somebody_reads(monkeypatch):
    monkeypatch.setattr("preprocess.live._IDLE_S", 0.01)
    stalled = threading.Event()

    def source():
        yield 1
        stalled.wait(30)

    def gone():
        raise OutputError("아무도", "nobody")

    newest = iter(Newest(source(), gone))
    assert next(newest) == 1
    with pytest.raises(OutputError, match="nobody"):
        next(newest)
    stalled.set()
