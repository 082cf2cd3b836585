"""Edited captions come back: what is written can be read, and bad files are told in one line."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocess.errors import DataError
from preprocess.frames import MediaInfo
from video.reading import READABLE, read_captions, read_track
from video.style import Look
from video.subtitles import Cue, cues, to_ass, to_srt, to_vtt
from video.track import CaptionedShot, Track, to_json

MEDIA = MediaInfo(Path("film.mp4"), "video", 640, 360, 90_000, 25.0, 0, False, 0)
LINES = st.text("가나다 a<>&-{}\\", min_size=1, max_size=9).filter(str.strip)


@st.composite
def cue_lists(draw):
    times = sorted(draw(st.lists(st.integers(0, 9_000), min_size=2, max_size=12, unique=True)))
    pairs = list(zip(times[::2], times[1::2], strict=False))
    return [Cue(10 * a, 10 * b, "\n".join(draw(st.lists(LINES, min_size=1)))) for a, b in pairs]


def read(folder, name, data):
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_captions(path, MEDIA)


def shown(found):
    return [(c.start_ms, c.end_ms, c.text) for c in found]


@pytest.mark.parametrize("suffix", [".srt", ".vtt", ".ass"])
@given(found=cue_lists())
def test_what_is_written_is_read(found, suffix, tmp_path_factory):
    """Through a file and back: the same cues, their commands made harmless."""
    clean = cues(Track("v", 1, "c", tuple(CaptionedShot(*shown([c])[0], -1) for c in found)))
    harmless = (
        str.maketrans("{}\\<>", "｛｝＼＜＞")
        if suffix == ".srt"
        else str.maketrans("{}\\", "｛｝＼")
    )
    write = {".srt": to_srt, ".vtt": to_vtt, ".ass": lambda c: to_ass(c, Look(640, 360))}[suffix]
    track = read(tmp_path_factory.mktemp("c"), f"a{suffix}", write(clean))
    wanted = [(a, b, text.translate(harmless)) for a, b, text in shown(clean)]
    assert [(s.start_ms, s.end_ms, s.caption) for s in track.shots] == wanted
    assert (track.video, track.captioner) == ("film.mp4", f"a{suffix}")


def test_json_comes_back_with_its_scores(tmp_path):
    shots = (CaptionedShot(0, 900, "개가 달리고 있다", -0.4, 0.7),)
    track = read(tmp_path, "a.JSON", to_json(Track("other.mp4", 9, "my.kcap", shots)))
    assert track == Track("film.mp4", 90_000, "my.kcap", shots)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_what_editors_write_is_read(tmp_path, encoding):
    text = "1\r\n00:00:01,000 --> 00:00:02,500\r\n<i>빨간</i> 새가\r\n날고 있다\r\n\r\n"
    (shot,) = read(tmp_path, "a.srt", text.encode(encoding)).shots
    assert (shot.start_ms, shot.end_ms, shot.caption) == (1000, 2500, "빨간 새가\n날고 있다")


def test_styles_positions_and_comments_of_ass_are_left_out(tmp_path):
    lines = (
        "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text",
        "Comment: 0,0:00:00.00,0:00:09.00,Default,,0,0,0,,보이지 않는다",
        "Dialogue: 0,0:00:02.00,0:00:03.00,Default,,0,0,0,,{\\p1}m 0 0 l 9 9{\\p0}",
        "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\pos(1,2)}개가\\N{\\b1}있다",
    )
    (shot,) = read(tmp_path, "a.ass", "\n".join(lines)).shots
    assert (shot.start_ms, shot.caption) == (1000, "개가\n있다")


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.sub", b"x", "unknown format"),
        ("a.srt", b"", "no captions"),
        ("a.srt", b"\x00\xff\xfe\x80\x81", "UTF-8? CP949?"),
        ("a.srt", b"1\n00:00:05,000 --> 00:00:02,000\nx\n", "caption 1 ends before it starts"),
        ("a.vtt", b"WEBVTT\n\n00:01.000 --> 00:02.000\n \n", "no captions"),
        ("a.ass", b"[Events]\nDialogue: 1", "read captions|no captions"),
        ("a.json", b"{}", "cannot read this caption track"),
        ("a.srt", b"1" * 10_000_001, "> 10 MB"),
    ],
)
def test_bad_files_are_told_in_one_line(tmp_path, name, data, said):
    with pytest.raises(DataError) as caught:
        read(tmp_path, name, data)
    assert any(part in caught.value.text("en") for part in said.split("|"))
    assert "\n" not in caught.value.text("ko")


def test_a_caption_of_no_length_is_passed_over(tmp_path):
    path = tmp_path / "a.srt"
    cue = "{}\n00:00:0{},000 --> 00:00:0{},000\n말\n\n"
    path.write_text(cue.format(1, 1, 1) + cue.format(2, 2, 3), "utf-8")
    assert [shot.start_ms for shot in read_captions(path, MEDIA).shots] == [2000]


@pytest.mark.parametrize("kind", ["video", "animation"])
def test_captions_of_another_film_are_refused(tmp_path, kind):
    path, media = tmp_path / "a.srt", replace(MEDIA, kind=kind, start_ms=500, duration_ms=3500)
    path.write_text("1\n00:00:04,000 --> 00:00:22,000\n말\n", "utf-8")
    with pytest.raises(DataError, match=r"begins at 00:04\.0, but 'film\.mp4' ends at 00:04\.0"):
        read_captions(path, media)
    path.write_text("1\n00:00:03,999 --> 00:00:22,000\n말\n", "utf-8")
    assert read_captions(path, media).shots[0].start_ms == 3999


def test_line_separators_in_json_are_text(tmp_path):
    path, said = tmp_path / "a.json", "하나\u2028둘\x85셋"
    path.write_text(to_json(Track("v", 5000, "c", (CaptionedShot(0, 900, said, -1),))), "utf-8")
    assert read_captions(path, MEDIA).shots[0].caption == said


def test_json_that_is_no_track_is_named(tmp_path):
    (tmp_path / "other.json").write_text("{}", "utf-8")
    with pytest.raises(DataError, match=r"other\.json"):
        read_track(tmp_path / "other.json")


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(DataError, match="cannot read captions"):
        read_captions(tmp_path / "none.srt", MEDIA)


@given(data=st.binary(max_size=400), suffix=st.sampled_from(READABLE))
def test_no_bytes_bring_it_down(data, suffix, tmp_path_factory):
    try:
        track = read(tmp_path_factory.mktemp("c"), f"a{suffix}", data)
    except DataError:
        return
    assert all(0 <= s.start_ms < s.end_ms for s in track.shots)
