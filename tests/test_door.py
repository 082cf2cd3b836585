"""The door: its words, its exit status, and that nothing is left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import pytest
from PIL import Image

import caption_video
from model.beam import BeamOptions
from model.gist import HedgeOptions
from preprocess.frames import probe
from tests.clips import RED, ffmpeg
from video.command import build_parser
from video.draw import BurnOptions
from video.pipeline import PipelineOptions
from video.shots import ShotOptions
from video.style import StyleOptions
from video.track import from_json

ROOT = Path(__file__).resolve().parents[1]
SRT = (
    "1\n00:00:00,000 --> 00:00:02,000\n빨간 화면이다\n\n"
    "2\n00:00:02,000 --> 00:00:04,000\n초록 화면이다\n\n"
    "3\n00:00:04,000 --> 00:00:06,000\n파란 화면이다\n\n"
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_defaults_are_those_of_the_options():
    args = vars(build_parser().parse_args(["x"]))
    unasked = {"preset", "length_power", "max_tokens", "no_repeat", "guesses", "temperature"}
    unasked |= {"look", "shots", "batch", "alike", "attention"}  # --show-attention asks for it
    asked = (ShotOptions(), BurnOptions(), StyleOptions(), PipelineOptions())
    for options in (*asked, BeamOptions(), HedgeOptions()):
        for field in fields(options):
            if field.name not in unasked:
                assert args[field.name] == getattr(options, field.name), field.name


@pytest.mark.parametrize("language", ["ko", "en"])
def test_help(language, capsys):
    assert caption_video.main(["--lang", language, "--help"]) == 0
    shown = capsys.readouterr().out
    assert ("장면 나누기" in shown) == (language == "ko")
    assert all(len(line) <= 100 for line in shown.splitlines())


def test_every_option_has_help():
    for language in ("ko", "en"):
        assert all(action.help for action in build_parser(language)._actions)


def test_a_film_gets_its_captions_and_keeps_its_sound(film, door):
    before = film.read_bytes()
    status, out, err = door(film)
    result = film.with_name("film.captioned.mp4")
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "[00:00.0-00:02.0] 빨간 화면이다",
        "[00:02.0-00:04.0] 초록 화면이다",
        "[00:04.0-00:06.0] 파란 화면이다",
        f"결과: {result}",
    ]
    assert probe(result).has_audio
    assert film.read_bytes() == before and names(film.parent) == ["film.captioned.mp4", "film.mp4"]


def test_quiet_prints_only_the_path(film, door):
    assert door(film, "-q", "-o", ".srt") == (0, f"{film.with_suffix('.srt')}\n", "")
    assert film.with_suffix(".srt").read_text("utf-8") == SRT


@pytest.mark.parametrize("suffix", [".srt", ".vtt", ".ass", ".json", ".txt", ".webm", ".gif"])
def test_the_suffix_decides(film, door, suffix):
    target = film.with_name(f"결과{suffix}")
    assert door(film, "-q", "-o", target)[0] == 0
    if suffix in (".webm", ".gif"):
        assert probe(target).kind == ("video" if suffix == ".webm" else "animation")
        return
    text = target.read_text("utf-8")
    starts = {".srt": "1\n", ".vtt": "WEBVTT", ".ass": "[Script", ".json": "{", ".txt": "[00:"}
    assert text.startswith(starts[suffix])
    if suffix != ".json":
        assert text.count("화면이다") == 3
    else:
        assert [shot.caption.split()[1] for shot in from_json(text).shots] == ["화면이다"] * 3
        assert (from_json(text).video, from_json(text).captioner) == ("film.mp4", "default.kcap")
        assert json.loads(text)["duration_ms"] == 6000


def test_pictures_and_gifs_keep_their_kind(tmp_path, door):
    Image.new("RGB", (160, 90), RED).save(tmp_path / "x.jpg")
    frames = [Image.new("RGB", (160, 90), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "y.gif", save_all=True, append_images=frames[1:], duration=1500)
    assert door(tmp_path / "x.jpg", tmp_path / "y.gif", "-q")[0] == 0
    assert names(tmp_path) == ["x.captioned.jpg", "x.jpg", "y.captioned.gif", "y.gif"]


def test_several_inputs_into_a_folder(film, door, tmp_path):
    other = tmp_path / "other.mp4"
    other.write_bytes(film.read_bytes())
    results = tmp_path / "results"
    results.mkdir()
    assert door(film, other, "-o", results)[0] == 0
    assert names(results) == ["film.captioned.mp4", "other.captioned.mp4"]
    assert door(film, other, "-o", f"{results}/.srt")[0] == 0
    assert {"film.srt", "other.srt"} <= set(names(results))


def bad_inputs(folder: Path, film: Path) -> dict[str, Path]:
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "text.mp4").write_text("이것은 영상이 아니다\n" * 50)
    (folder / "cut.mp4").write_bytes(film.read_bytes()[:400])
    ffmpeg("-f", "lavfi", "-t", "1", "-i", "sine=440", "-c:a", "aac", folder / "sound.m4a")
    (folder / "list.mp4").write_text(f"#EXTM3U\n#EXTINF:1,\n{film}\n#EXT-X-ENDLIST\n")
    (folder / "folder.mp4").mkdir()
    plain = ("empty.mp4", "text.mp4", "cut.mp4", "sound.m4a", "list.mp4", "folder.mp4", "none.mp4")
    return {name: folder / name for name in plain}


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_bad_input_is_one_line_and_nothing_else(film, door, tmp_path_factory, language):
    folder = tmp_path_factory.mktemp("bad")
    for name, path in bad_inputs(folder, film).items():
        before = names(folder)
        status, out, err = door(path, "--lang", language)
        assert (status, out) == (1, ""), name
        assert err.startswith("caption_video: ") and err.count("\n") == 1, name
        assert name in err and names(folder) == before


def test_one_bad_input_does_not_stop_the_others(film, door):
    status, out, err = door("none.mp4", film, "also-none.mp4", "-q", "-o", ".txt")
    assert (status, out) == (1, f"{film.with_suffix('.txt')}\n")
    assert len(err.splitlines()) == 2


def test_an_existing_output_is_refused_before_any_work(film, door, captioner):
    target = film.with_name("film.captioned.mp4")
    target.write_bytes(b"mine")
    status, out, err = door(film)
    assert (status, out) == (1, "") and "--overwrite" in err and captioner.batches == []
    assert target.read_bytes() == b"mine"
    assert door(film, "--overwrite", "-q")[0] == 0 and probe(target).duration_ms > 5000


@pytest.mark.parametrize("make", ["same", "symlink", "hardlink", "other input"])
def test_an_input_is_never_overwritten(film, door, captioner, make):
    target, before = film.with_name("other.mp4"), film.read_bytes()
    inputs = [film]
    if make == "same":
        target = film
    elif make == "symlink":
        target.symlink_to(film)
    elif make == "hardlink":
        os.link(film, target)
    else:
        target = film.with_name("film.captioned.mp4")
        target.write_bytes(before)
        inputs.append(target)
    option = () if make == "other input" else ("-o", target)
    status, _, err = door(*inputs, *option, "--overwrite", "-q")
    assert status == 1 and err.count("\n") == 1
    assert film.read_bytes() == target.read_bytes() == before
    assert captioner.batches == [] or make == "other input"


@pytest.mark.parametrize(
    ("arguments", "status", "word"),
    [
        ((), 2, "INPUT"),
        (("film.mp4", "--nonsense"), 2, "--nonsense"),
        (("film.mp4", "--quality", "52"), 2, "--quality"),
        (("film.mp4", "--quality", "좋게"), 2, "--quality"),
        (("film.mp4", "--sensitivity", "nan"), 2, "--sensitivity"),
        (("film.mp4", "--frames", "0"), 2, "--frames"),
        (("film.mp4", "--min-shot", "9", "--max-shot", "1s"), 2, "--min-shot"),
        (("film.mp4", "--engine", "paint"), 2, "--engine"),
        (("film.mp4", "-o", "film.avi"), 2, ".webm"),
        (("film.mp4", "-o", "film"), 2, ".webm"),
        (("film.mp4", "film.mp4", "-o", "one.mp4"), 2, "one.mp4"),
        (("film.mp4", "--font", "none.ttf"), 2, "none.ttf"),
        (("film.mp4", "-o", "none/out.mp4"), 1, "none"),
        (("film.mp4", "-o", "none/"), 1, "none"),
        (("film.mp4", "-o", "out.png"), 1, ".png"),
        (("film.mp4", "film.mp4"), 1, "film.captioned.mp4"),
        (("--alert", "사람", "차", "film.mp4"), 2, "--alert"),
        (("",), 2, ""),
        (("film.mp4", "-o", ""), 2, "-o"),
        (("film.mp4", "--beam", "2", "--alternatives", "5"), 2, "--beam 2"),
        (("film.mp4", "--alternatives", "7"), 2, "--beam 6"),
        (("film.mp4", "--\x1b[31m"), 2, "--?[31m"),
    ],
)
def test_wrong_usage_is_one_line(film, door, monkeypatch, arguments, status, word):
    monkeypatch.chdir(film.parent)
    for language in ("ko", "en"):
        found, out, err = door(*arguments, "--overwrite", "-q", "--lang", language)
        assert found == status and word in err and err.count("\n") == 1
        assert out == "" or status == 1
    if arguments != ("film.mp4", "film.mp4"):
        assert names(film.parent) == ["film.mp4"]


def test_no_input_is_told_in_words(door):
    assert "there is no INPUT. Give videos" in door("--lang", "en")[2]
    swallowed = door("--alert", "사람", "film.mp4", "--lang", "en")[2]
    assert "there is no INPUT. --alert takes all words that follow" in swallowed


def test_inputs_stand_anywhere(film, door):
    other = film.with_name("-other.mp4")
    other.write_bytes(film.read_bytes())
    third = film.with_name("third.mp4")
    third.write_bytes(film.read_bytes())
    door(film, "-o", ".txt", "-q")
    status, out, err = door(film, "--overwrite", third, "-q", "-o", ".txt", "--", other)
    assert (status, err) == (0, "")
    assert out.splitlines() == [str(path.with_suffix(".txt")) for path in (film, third, other)]


def test_as_many_other_sentences_as_the_beam_finds_may_be_asked_for(film, door):
    assert door(film, "-q", "-o", ".json", "--alternatives", "6")[0] == 0


def test_a_missing_captioner_says_what_to_do(film, capsys):
    assert caption_video.main([str(film), "--model", "none.kcap"]) == 1
    err = capsys.readouterr().err
    assert "none.kcap" in err and "--model" in err and err.count("\n") == 1
    assert names(film.parent) == ["film.mp4"]


def test_a_damaged_captioner_is_told_once_for_all_films(film, tmp_path, capsys):
    damaged = tmp_path / "a.kcap"
    damaged.write_bytes(b"PK" + bytes(100))
    other = tmp_path / "other.mp4"
    other.write_bytes(film.read_bytes())
    status = caption_video.main([str(film), str(other), "--model", str(damaged), "-o", ".srt"])
    out, err = capsys.readouterr()
    assert (status, err.count("\n")) == (1, 1) and "a.kcap" in err and "결과" not in out
    assert not list(tmp_path.glob("*.srt"))


def test_about(door):
    assert door("--about") == (0, '{\n  "terms": "색깔을 말하는 대역"\n}\n', "")


def test_a_name_too_long_for_its_result_is_said_before_any_work(film, door, captioner):
    long = film.rename(film.with_name("가" * 82 + ".mp4"))
    status, _, err = door(long)
    assert status == 1 and "-o" in err and err.count("\n") == 1 and captioner.batches == []
    assert door(long, "-q", "-o", film.with_name("short.srt"))[0] == 0


def test_a_name_that_looks_like_an_option_or_an_address(film, door, monkeypatch):
    monkeypatch.chdir(film.parent)
    odd = film.rename(film.with_name("-concat:a|b [1].mp4"))
    assert door("-q", "-o", ".srt", "--", odd.name)[0] == 0
    assert Path("-concat:a|b [1].srt").read_text("utf-8") == SRT


PROGRAM = """
import sys
sys.path.insert(0, {root!r})
import caption_video
from tests.conftest import ColourCaptioner
caption_video.load_captioner = lambda path, options, hedge: ColourCaptioner()
sys.exit(caption_video.main(sys.argv[1:]))
"""


def start(*arguments: object, **options) -> "subprocess.Popen[str]":
    program = [sys.executable, "-c", PROGRAM.format(root=str(ROOT)), *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen(program, text=True, **pipes)


@pytest.fixture
def hang_up_counts():
    """Under nohup the program would rightly go on."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hang_up_counts")
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_everything_and_leaves_nothing(tmp_path, number, status):
    film = tmp_path / "long.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=1280x720:r=25:d=20", "-preset", "ultrafast", film)
    with start(film, "--quality", "0") as process:
        deadline = time.monotonic() + 20
        while len(names(tmp_path)) == 1 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(names(tmp_path)) == 2  # the hidden half-written result
        process.send_signal(number)
        assert process.wait(timeout=10) == status
        assert process.stderr.read() == ""
    assert names(tmp_path) == ["long.mp4"]
    assert not ffmpegs_on(tmp_path)


def ffmpegs_on(folder: Path) -> list[str]:
    """Command lines of running programs that name the folder, from /proc."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().decode("utf-8", "replace")
        except OSError:
            continue
        if str(folder) in line and "ffmpeg" in line:
            found.append(line)
    return found


def test_a_reader_that_leaves_does_not_stop_the_work(film):
    read, write = os.pipe()
    os.close(read)
    with start(film, "-o", ".srt", stdout=write) as process:
        os.close(write)
        assert process.wait(timeout=20) == 0
        assert process.stderr.read() == ""
    assert film.with_suffix(".srt").read_text("utf-8") == SRT


def test_help_is_instant_and_loads_no_network():
    code = (
        "import sys, caption_video; caption_video.main(['--help']);"
        "heavy = {'tensorflow', 'keras', 'konlpy', 'onnxruntime', 'moviepy', 'torch', 'tqdm'};"
        "sys.exit(len(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=20)
    assert done.returncode == 0


def test_edited_captions_are_burned_without_a_captioner(film, monkeypatch, capsys):
    monkeypatch.setattr(caption_video, "load_captioner", None)  # must not be asked for
    edited = film.with_name("고친.srt")
    edited.write_text(SRT.replace("초록", "연두"), "utf-8")
    assert (
        caption_video.main([str(film), "--captions", str(edited), "-o", ".vtt", "-o", ".mp4"]) == 0
    )
    assert "연두 화면이다" in film.with_suffix(".vtt").read_text("utf-8")
    assert probe(film.with_name("film.captioned.mp4")).has_audio
    assert capsys.readouterr().out.splitlines() == [
        f"결과: {film.with_suffix('.vtt')}",
        f"결과: {film.with_name('film.captioned.mp4')}",
    ]


def test_edited_captions_are_an_input_too(film, door):
    edited = film.with_name("a.srt")
    edited.write_text(SRT, "utf-8")
    status, _, err = door(film, "--captions", edited, "-o", edited, "--overwrite")
    assert status == 1 and "입력 파일" in err and edited.read_text("utf-8") == SRT
    assert door(film, film, "--captions", edited)[0] == 2
    status, _, err = door(film, "--captions", film.with_name("none.srt"), "-o", ".vtt")
    assert (status, err.count("\n")) == (1, 1)
    assert names(film.parent) == ["a.srt", "film.mp4"]


@pytest.mark.parametrize("more", [("-o", ".mp4"), ("--soft",), ("-o", ".vtt")])
def test_captions_past_the_films_end_are_refused(film, door, more):
    edited = film.with_name("a.srt")
    edited.write_text("1\n00:00:20,000 --> 00:00:22,000\n말\n", "utf-8")
    status, out, err = door(film, "--captions", edited, *more)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "00:20.0" in err and "00:06.0" in err and names(film.parent) == ["a.srt", "film.mp4"]


def test_several_outputs_are_looked_at_once(film, door, captioner):
    assert door(film, "-q", "-o", ".srt", "-o", film.with_name("b.json"), "-o", ".txt")[0] == 0
    assert names(film.parent) == ["b.json", "film.mp4", "film.srt", "film.txt"]
    assert sum(captioner.batches) == 3


def test_one_output_twice_is_refused(film, door):
    status, _, err = door(film, "-o", ".srt", "-o", film.with_suffix(".srt"))
    assert status == 1 and "film.srt" in err and names(film.parent) == ["film.mp4"]


def test_a_bad_output_does_not_stop_the_others(film, door):
    noise = "testsrc2=s=160x90:r=10:d=6,noise=alls=100:allf=t"
    ffmpeg("-f", "lavfi", "-i", noise, "-pix_fmt", "yuv420p", film)
    status, out, err = door(film, "-q", "--gif-max-mb", "0.01", "-o", ".gif", "-o", ".srt")
    assert status == 1 and "GIF" in err and err.count("\n") == 1
    assert out == f"{film.with_suffix('.srt')}\n" and names(film.parent) == ["film.mp4", "film.srt"]


def test_a_container_that_cannot_hold_the_film_is_refused_before_any_work(film, door, captioner):
    status, out, err = door(film, "--soft", "-o", ".webm", "-o", ".srt")
    assert (status, out, err.count("\n")) == (1, "", 1) and ".webm" in err
    assert captioner.batches == [] and names(film.parent) == ["film.mp4"]


def test_subtitles_that_a_result_will_not_have_are_told(film, door):
    own, edited = film.with_name("own.mkv"), film.with_name("a.srt")
    edited.write_text(SRT, "utf-8")
    ffmpeg("-i", film, "-i", edited, "-map", "0", "-map", "1", "-c", "copy", own)
    status, out, err = door(own, "-q", "-o", ".mp4", "-o", ".gif", "-o", ".srt", "--lang", "en")
    assert status == 0 and len(out.splitlines()) == 3
    assert err.count("\n") == 1 and "own.mkv' has subtitles of its own (1), which the bur" in err
    assert door(own, "-q", "--soft", "-o", ".mp4", "--overwrite")[::2] == (0, "")


def test_soft_keeps_the_container(film, door):
    status, out, _ = door(film, "-q", "--soft")
    assert (status, out) == (0, f"{film.with_name('film.captioned.mp4')}\n")
    avi = film.with_suffix(".avi")
    ffmpeg("-i", film, "-c:v", "mpeg4", "-c:a", "mp3", avi)
    status, out, _ = door(avi, "-q", "--soft")
    assert (status, out) == (0, f"{film.with_name('film.captioned.mkv')}\n")
    status, _, err = door(film, "--soft", "-o", ".gif")
    assert status == 1 and "--soft" in err


def test_every_two_seconds_is_a_look_at_least_so_often():
    for flags in (["--every", "2s"], ["--max-shot", "2"]):
        assert build_parser().parse_args(["x", *flags]).max_shot_ms == 2000


def test_confidence_is_shown_on_demand(film, door):
    outputs = ["-o", ".srt", "-o", ".json"]
    assert door(film, "-q", "--show-confidence", *outputs)[0] == 0
    assert film.with_suffix(".srt").read_text("utf-8").count("화면이다 (100%)\n") == 3
    told = from_json(film.with_suffix(".json").read_text("utf-8"))
    assert told.shots[0].caption == "빨간 화면이다"
