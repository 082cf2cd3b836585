"""Hostile and hopeless inputs at the door: one line, nothing harmed, nothing left behind."""

import ctypes
import hashlib
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import ImageFont

import caption_video
from model.captioner import Captioner
from model.storage import MAX_ABOUT, read_captioner
from preprocess.errors import (
    CaptionerFileError,
    DataError,
    OutputError,
    SettingError,
    VideoError,
    harmless,
)
from preprocess.files import temporary_folder, whole_file
from preprocess.frames import probe
from tests.clips import ffmpeg
from tests.test_door import PROGRAM, SRT, names, start
from video.fonts import hangul_font, packaged_font
from video.reading import read_captions
from video.track import CaptionedShot, Track, to_json

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "model" / "default.kcap"


@pytest.fixture
def captions(tmp_path) -> Path:
    (tmp_path / "c.srt").write_text(SRT, "utf-8")
    return tmp_path / "c.srt"


def one_line(status: int, out: str, err: str) -> bool:
    return 1 <= status <= 2 and out == "" and err.count("\n") == 1 and "Traceback" not in err


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:6,\n{secret}\n#EXT-X-ENDLIST\n",
    "hls of an address": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:6,\n{url}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile '{secret}'\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
    'mediaPresentationDuration="PT3S"><Period><AdaptationSet mimeType="video/mp4"><Representation '
    'id="1" bandwidth="1"><BaseURL>{url}</BaseURL></Representation></AdaptationSet></Period></MPD>',
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
    "m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    "svg": '<svg xmlns="http://www.w3.org/2000/svg"><image href="{url}"/></svg>',
    "asx": '<asx version="3.0"><entry><ref href="{url}"/></entry></asx>',
}


@pytest.mark.parametrize("name", ["a.mp4", "a.m3u8", "a.jpg", "a.gif", "a.svg", "a.mpd"])
@pytest.mark.parametrize("kind", PLAYLISTS)
def test_no_playlist_opens_another_file_or_an_address(tmp_path, original, door, kind, name):
    asked = []
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/x.mp4"
        listener = threading.Thread(target=lambda: asked.append(_heard(server)), daemon=True)
        listener.start()
        (tmp_path / name).write_text(PLAYLISTS[kind].format(secret=original, url=url) * 2)
        assert one_line(*door(tmp_path / name, "-o", tmp_path / "o.mp4"))
        assert one_line(*door(url, "-o", tmp_path / "o.mp4"))
        server.shutdown(socket.SHUT_RDWR)
        listener.join(5)
    assert asked == [False] and names(tmp_path) == [name]


def _heard(server: socket.socket) -> bool:
    try:
        server.accept()
    except OSError:
        return False
    return True


def test_a_reference_to_another_file_inside_a_film_is_not_followed(film, tmp_path, door):
    """QuickTime may say that its data lies elsewhere; the bytes of that file must not come."""
    data = film.read_bytes()
    place = data.index(b"url ")
    (tmp_path / "b.mp4").write_bytes(data[: place + 4] + bytes(4) + data[place + 8 :])
    assert door(tmp_path / "b.mp4", "-q", "-o", tmp_path / "o.srt")[0] == 0


@pytest.mark.parametrize(
    "name", ["-", "/dev/zero", "/dev/stdin", "pipe:0", "concat:a.mp4|b.mp4", "data:,x", "", "."]
)
def test_what_is_no_file_is_refused(tmp_path, door, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    assert one_line(*door("-o", ".srt", "--", name)) and names(tmp_path) == []


# --- captions that somebody else wrote


@pytest.mark.parametrize("fill", ["{", "<", "<a", "\n", "가", "< ", "&amp;"])
@pytest.mark.parametrize("suffix", [".srt", ".vtt", ".ass", ".json"])
def test_an_endless_caption_is_refused_at_once(film, tmp_path, fill, suffix):
    text = fill * (1_000_000 // len(fill))
    heads = {
        ".srt": "1\n00:00:00,500 --> 00:00:02,000\n",
        ".vtt": "WEBVTT\n\n00:00.500 --> 00:02.000\n",
        ".ass": "[Events]\nFormat: Start, End, Text\nDialogue: 0:00:00.50,0:00:02.00,",
    }
    shots = (CaptionedShot(0, 900, text, -1),)
    body = to_json(Track("x", 1, "c", shots)) if suffix == ".json" else heads[suffix] + text
    (tmp_path / f"a{suffix}").write_text(body, "utf-8")
    begin = time.process_time()
    try:
        track = read_captions(tmp_path / f"a{suffix}", probe(film))
        assert all(len(shot.caption) <= 4000 for shot in track.shots)
    except DataError as error:
        assert len(str(error)) < 700
    assert time.process_time() - begin < 10


def test_more_captions_than_a_film_can_have_are_refused(film, tmp_path):
    cue = "1\n00:00:01,000 --> 00:00:02,000\n새\n\n"
    (tmp_path / "a.srt").write_text(cue * 50_001, "utf-8")
    with pytest.raises(DataError, match="50,001"):
        read_captions(tmp_path / "a.srt", probe(film))


SHOT = {"start_ms": 0, "end_ms": 900, "caption": "새가 난다", "score": -1.0, "confidence": 0.5}


@pytest.mark.parametrize(
    "change",
    [
        {"end_ms": 10**400},
        {"end_ms": 10**15},
        {"score": 10**400},
        {"confidence": 1e300},
        {"confidence": -1},
        {"start_ms": 5, "end_ms": 5},
        {"alternatives": [{"caption": "x", "score": 1e999, "confidence": 1}]},
    ],
)
def test_impossible_numbers_in_a_track_are_refused(film, tmp_path, change):
    head = {"format": "korean-video-track", "version": 1, "video": "x", "duration_ms": 1}
    track = {**head, "captioner": "c", "shots": [{**SHOT, **change}]}
    text = json.dumps(track).replace("Infinity", "1e999")
    (tmp_path / "a.json").write_text(text, "utf-8")
    with pytest.raises(DataError):
        read_captions(tmp_path / "a.json", probe(film))


def test_half_characters_and_names_of_any_bytes_come_out_as_text(film, tmp_path, door):
    odd = film.rename(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xb0.mp4"))
    head = {"format": "korean-video-track", "version": 1, "video": "\ud800", "duration_ms": 1}
    track = {**head, "captioner": "\udfff", "shots": [{**SHOT, "caption": "새\ud800가"}]}
    (tmp_path / "a.json").write_text(json.dumps(track), "utf-8")
    outputs = [part for s in ("json", "srt", "html", "ass") for part in ("-o", tmp_path / f"o.{s}")]
    assert door(odd, "-q", "--captions", tmp_path / "a.json", *outputs)[0] == 0
    assert door(odd, "-q", "-o", tmp_path / "p.json")[0] == 0
    for path in (*tmp_path.glob("o.*"), tmp_path / "p.json"):
        path.read_text("utf-8")


@pytest.mark.parametrize("option", ["--captions", "--font"])
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "loop", "long name"])
def test_side_files_that_are_no_files_are_refused(film, tmp_path, door, option, kind):
    suffix = ".srt" if option == "--captions" else ".ttf"
    odd = tmp_path / f"odd{suffix}"
    if kind == "pipe":
        os.mkfifo(odd)
    elif kind == "device":
        odd.symlink_to("/dev/zero")
    elif kind == "folder":
        odd.mkdir()
    elif kind == "loop":
        odd.symlink_to(odd)
    else:
        odd = tmp_path / ("x" * 300 + suffix)
    assert one_line(*door(film, option, odd, "-o", tmp_path / "o.mp4"))
    assert not (tmp_path / "o.mp4").exists()


@pytest.mark.parametrize("cut", [4, 100, 2000, 400_000])
def test_a_cut_off_font_is_refused_or_draws(tmp_path, cut):
    (tmp_path / "f.otf").write_bytes(packaged_font().read_bytes()[:cut])
    with pytest.raises(SettingError):
        hangul_font(tmp_path / "f.otf")


@pytest.mark.parametrize("family", ["A,1,2,&H00", "x\nStyle: y", "{\\b1}", "", "가" * 300])
def test_a_font_whose_name_would_break_the_style_is_refused(tmp_path, monkeypatch, family):
    font = Path(shutil.copy(packaged_font(), tmp_path / "f.otf"))
    monkeypatch.setattr(ImageFont.FreeTypeFont, "getname", lambda self: (family, "Regular"))
    with pytest.raises(SettingError, match="family name"):
        hangul_font(font)


# --- captioner files that somebody else made


def rewritten(path: Path, change) -> Path:
    """The shipped captioner with its JSON changed, and its sums put right."""
    with zipfile.ZipFile(SHIPPED) as old, zipfile.ZipFile(path, "w") as new:
        members = {name: old.read(name) for name in old.namelist()}
        about = json.loads(members.pop("captioner.json"))
        change(about, members)
        for name in set(about.get("sha256", ())) & set(members):
            about["sha256"][name] = hashlib.sha256(members[name]).hexdigest()
        for name, data in {"captioner.json": json.dumps(about).encode(), **members}.items():
            new.writestr(name, data)
    return path


CHANGES = {
    "side of nothing": lambda about, members: about.update(side=0),
    "side of a giant": lambda about, members: about.update(side=100_000),
    "side in words": lambda about, members: about.update(side="x"),
    "no side": lambda about, members: about.pop("side"),
    "no graphs": lambda about, members: about.update(graphs={}),
    "confidence in words": lambda about, members: about.update(confidence="x"),
    "format 0": lambda about, members: about.update(format=0),
    "no words": lambda about, members: members.update({"vocabulary.tsv": b""}),
    "another graph": lambda about, members: members.update({"step.onnx": members["start.onnx"]}),
    "half a graph": lambda about, members: members.update(
        {"encoder.onnx": members["encoder.onnx"][:9000]}
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_captioner_whose_parts_do_not_fit_is_one_line(tmp_path, name):
    with pytest.raises(CaptionerFileError) as caught:
        path = rewritten(tmp_path / "a.kcap", CHANGES[name])
        Captioner.load(path).caption(np.zeros((1, 9, 9, 3), np.uint8))
    assert len(caught.value.text("ko").splitlines()) == 1


def test_a_bug_in_captioning_keeps_its_traceback(monkeypatch):
    captioner = Captioner.load(SHIPPED)
    monkeypatch.setattr("model.captioner.nearer", lambda picture: [][1])
    monkeypatch.setattr(captioner, "_works", lambda: True)
    with pytest.raises(IndexError):
        captioner.caption(np.zeros((1, 9, 9, 3), np.uint8))


@pytest.mark.parametrize("place", ["secret.bin", "../secret.bin", "/etc/hostname"])
def test_a_captioner_reads_no_other_file(tmp_path, monkeypatch, place):
    """ONNX lets a graph name files that hold its weights; such a file is never opened."""
    onnx = pytest.importorskip("onnx")
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    for folder in (tmp_path, tmp_path / "in"):
        (folder / "secret.bin").write_bytes(bytes(4_000_000))

    def outside(about, members):
        model = onnx.load_from_string(members["encoder.onnx"])
        tensor = next(t for t in model.graph.initializer if t.data_location != 1)
        size = len(tensor.raw_data) or 4 * len(tensor.float_data) or 8 * len(tensor.int64_data)
        for field in ("raw_data", "float_data", "int64_data"):
            tensor.ClearField(field)
        tensor.data_location = 1
        for key, value in (("location", place), ("offset", "0"), ("length", str(size))):
            tensor.external_data.add(key=key, value=value)
        members["encoder.onnx"] = model.SerializeToString()

    with pytest.raises(CaptionerFileError, match="cannot be loaded"):
        Captioner.load(rewritten(tmp_path / "a.kcap", outside))


def test_a_captioner_that_unpacks_to_giants_is_refused(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "a.kcap", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("captioner.json", b'{"format": 1, "x": "' + b" " * MAX_ABOUT + b'"}')
    with pytest.raises(CaptionerFileError, match="damaged"):
        read_captioner(tmp_path / "a.kcap")
    monkeypatch.setattr("model.storage.MAX_BYTES", 1_000_000)
    with pytest.raises(CaptionerFileError, match="> 1,000,000 bytes"):
        read_captioner(SHIPPED)


# --- the door, the disk, the terminal


@pytest.mark.parametrize("second", ["./o.srt", "x/../o.srt", "link/o.srt"])
def test_one_output_by_two_names_is_refused(film, tmp_path, door, monkeypatch, second):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").mkdir()
    (tmp_path / "link").symlink_to(tmp_path)
    assert one_line(*door("film.mp4", "-o", "o.srt", "-o", second))
    assert not (tmp_path / "o.srt").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["film.mp4", "-o", "x" * 300 + ".mp4"],
        ["film.mp4", "-o", "/".join(["x" * 200] * 30) + "/o.mp4"],
        ["x" * 300 + ".mp4"],
    ],
)
def test_names_that_no_file_can_have_are_one_short_line(
    film, tmp_path, door, monkeypatch, arguments
):
    monkeypatch.chdir(tmp_path)
    status, out, err = door(*arguments)
    assert one_line(status, out, err) and len(err) < 800
    assert names(tmp_path) == ["film.mp4"]


def test_a_target_that_comes_meanwhile_is_not_overwritten(tmp_path):
    target = tmp_path / "o.srt"
    with pytest.raises(OutputError, match="exists already"), whole_file(target) as temporary:
        temporary.write_text("ours")
        target.write_text("theirs")
    assert target.read_text() == "theirs" and names(tmp_path) == ["o.srt"]


def test_nowhere_to_put_temporary_files_is_one_line(film, door, monkeypatch):
    def fail(*arguments, **options):
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr("tempfile.TemporaryDirectory", fail)
    assert one_line(*door(film))
    with pytest.raises(OutputError, match="TMPDIR"), temporary_folder():
        pass


def run_program(folder: Path, *arguments: object, **options) -> "subprocess.CompletedProcess[str]":
    program = [sys.executable, "-c", PROGRAM.format(root=str(ROOT)), *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.run(program, text=True, cwd=folder, timeout=120, check=False, **pipes)


@pytest.mark.parametrize("name", ["o.mp4", "o.gif", "o.mkv", "o.srt"])
@pytest.mark.parametrize("blocks", [0, 2])
def test_a_full_disk_leaves_nothing(film, captions, name, blocks):
    """A limit on the size of files stands for the disk: writing past it fails."""

    def small():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (blocks * 512, blocks * 512))

    before = names(film.parent)
    more = () if name != "o.srt" or not blocks else ("--show-confidence",)
    edited = film.parent / "long.srt"
    edited.write_text("".join(SRT.replace("00:00", f"00:{m:02}") for m in range(40)), "utf-8")
    plain = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}  # or half a module's code would stay
    words = (film, "--captions", edited, "-o", name, *more)
    done = run_program(film.parent, *words, preexec_fn=small, env=plain)
    edited.unlink()
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert "Traceback" not in done.stderr and names(film.parent) == before


@pytest.mark.parametrize("closed", ["stdout", "stderr", "both", "full stdout"])
def test_closed_and_full_streams_do_not_stop_the_work(film, captions, closed):
    redirect = {"stdout": ">&-", "stderr": "2>&-", "both": ">&- 2>&-", "full stdout": ">/dev/full"}
    door = f'exec "$@" {redirect[closed]}'
    program = [sys.executable, ROOT / "caption_video.py", film, "--captions", captions]
    done = subprocess.run(
        ["/bin/sh", "-c", door, "x", *program, "-o", film.with_name("o.mp4")],
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0 and b"Error" not in done.stderr, done.stderr
    assert probe(film.with_name("o.mp4")).duration_ms == pytest.approx(6000, abs=60)


def _like_others() -> None:
    """Root writes into read-only folders too, unless it gives up CAP_DAC_OVERRIDE (prctl(2))."""
    if os.geteuid() == 0:
        ctypes.CDLL(None, use_errno=True).prctl(24, 1, 0, 0, 0)  # PR_CAPBSET_DROP, for the exec


@pytest.mark.skipif(sys.platform != "linux", reason="capabilities are Linux's")
@pytest.mark.parametrize("suffix", [".mp4", ".srt", ".gif", ".html"])
def test_a_read_only_folder_is_told_and_what_lies_elsewhere_is_written(film, tmp_path, suffix):
    elsewhere, folder = tmp_path / "elsewhere", film.parent
    elsewhere.mkdir()
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    folder.chmod(0o555)
    try:
        with start(film, "-q", "-o", suffix, preexec_fn=_like_others) as process:
            status = process.wait(timeout=60)
            assert one_line(status, process.stdout.read(), process.stderr.read())
        assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
        target = elsewhere / f"film{suffix}"
        with start(film, "-q", "-o", target, preexec_fn=_like_others) as process:
            assert process.wait(timeout=60) == 0, process.stderr.read()
        assert target.stat().st_size and names(folder) == sorted(before)
    finally:
        folder.chmod(0o755)


def test_control_characters_do_not_reach_the_terminal(tmp_path, door):
    status, out, err = door(tmp_path / "\x1b[31mred\r.mp4")
    assert one_line(status, out, err) and "\x1b" not in err and "\r" not in err
    assert harmless("가\x1b[1m\x07") == "가?[1m?"


def test_many_signals_are_one(tmp_path):
    long = tmp_path / "long.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=1280x720:r=25:d=20", "-preset", "ultrafast", long)
    with start(long, "--quality", "0") as process:
        deadline = time.monotonic() + 30
        while len(names(tmp_path)) == 1 and time.monotonic() < deadline:
            time.sleep(0.02)
        for _ in range(5):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            time.sleep(0.005)
        assert process.wait(timeout=20) == 143
        assert process.stderr.read() == ""
    assert names(tmp_path) == ["long.mp4"]


def test_a_signal_that_a_library_turns_into_its_own_error_still_ends(monkeypatch, film):
    def interrupted(*arguments):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        except BaseException:
            raise ImportError("initialization failed") from None

    monkeypatch.setattr(caption_video, "load_captioner", interrupted)
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [(number, signal.getsignal(number)) for number in numbers]
    try:
        assert caption_video.main([str(film), "-o", ".srt"]) == 143
    finally:
        for number, handler in before:
            signal.signal(number, handler)
    assert names(film.parent) == ["film.mp4"]


@pytest.mark.parametrize(
    ("option", "value"), [("--max-hours", "0.001"), ("--max-megapixels", "0.01")]
)
def test_bounds_name_the_option_that_raises_them(film, door, option, value):
    status, out, err = door(film, "-o", ".srt", option, value)
    assert one_line(status, out, err) and option in err
    assert door(film, "-q", "-o", ".srt", option, "2")[0] == 0


def test_a_film_past_the_bound_in_mid_stream_is_not_decoded(tmp_path, original):
    media = probe(original)
    tight = replace(media, limits=replace(media.limits, pixels=100))
    from preprocess.frames import frames

    with pytest.raises(VideoError, match="too large"):
        next(iter(frames(tight)))
