"""Subtitles as people and tools write them: what is said is drawn, nothing else is."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_subtitles import lists_of_cues
from video.repair import repaired
from video.subtitles import parsed, to_srt, to_vtt

TEAMS = """WEBVTT

STYLE
::cue { color: red }

NOTE 이것은 주석
여러 줄

cue-one
00:00:00.500 --> 00:00:01.000 align:start position:10%
하나

6a1f-77/9
00:01.500 --> 00:02.000
안녕<00:00:01.700>하<00:00:01.800>세요
"""


def read(text: str, suffix: str = ".srt") -> list[tuple[int, int, str]]:
    return [(c.start_ms, c.end_ms, c.text) for c in parsed(repaired(text, suffix), suffix)]


def srt(times: str, text: str = "하나") -> str:
    return f"1\n{times}\n{text}\n\n2\n00:00:08,000 --> 00:00:09,000\n둘\n"


def test_webvtt_without_names_comments_styles_and_karaoke():
    assert read(TEAMS, ".vtt") == [(500, 1000, "하나"), (1500, 2000, "안녕하세요")]


@pytest.mark.parametrize(
    "times",
    [
        "00:00:01,500 --> 00:00:02,000",
        "00:00:01.5 --> 00:00:02",
        "0:01,500 --> 0:02",
        "00:00:01,500 -> 00:00:02,000",
        "  00:00:01,500-->00:00:02,000  X1:10 X2:20",
        "00:00:01,5004 --> 00:00:02,0001",
    ],
)
def test_times_that_lack_a_part_are_meant(times):
    assert read(srt(times)) == [(1500, 2000, "하나"), (8000, 9000, "둘")]


@pytest.mark.parametrize(
    "times",
    ["00:00:01,000 -->", "-00:00:01,000 --> 00:00:02,000", "100:00:00,000 --> 100:00:01,000"],
)
def test_times_that_mean_nothing_are_told_with_their_line(times):
    with pytest.raises(ValueError, match="line 2"):
        read(srt(times))


def test_braces_and_backslashes_of_srt_are_text_but_for_positions():
    said = read(srt("00:00:01,000 --> 00:00:02,000", r"{\an8}{웃음} C:\new"))
    assert said[0][2] == "｛웃음｝ C:＼new"


@pytest.mark.parametrize(
    "line", ["지금 12:30:45 --> 에서", "가 -> 나", "10:30에 만나", "10:30 -> 11:00 회의", "-> 12"]
)
def test_text_with_times_and_arrows_is_text(line):
    assert read(srt("00:00:01,000 --> 00:00:02,000", line))[0][2] == line


@pytest.mark.parametrize(
    "line", [":" * 4000, " " * 4000, "{\\\\" * 1300, "1:" * 2000, "<1:" * 1300]
)
def test_no_line_takes_long(line):
    started = time.process_time()
    for suffix in (".srt", ".vtt"):
        repaired(f"{line}\n" * 500, suffix)
    assert time.process_time() - started < 3


@given(lists_of_cues)
def test_what_we_write_needs_no_repair(found):
    assert repaired(to_srt(found), ".srt") == to_srt(found)
    vtt = to_vtt(found)
    assert parsed(repaired(vtt, ".vtt"), ".vtt") == parsed(vtt, ".vtt")


@given(st.text(st.sampled_from("0123:,.-> \n{}\\<>가a"), max_size=80))
def test_any_text_is_read_or_refused(text):
    for suffix in (".srt", ".vtt"):
        try:
            repaired(text, suffix)
        except ValueError as error:
            assert "line" in str(error)


@pytest.mark.parametrize(
    "times",
    [
        "00：00：01，500 --> 00:00:02,000",
        "00: 00: 01,500 --> 00: 00: 02,000",
        "00:00:01;500 --> 00:00:02 ,000",
        "00:00:01,500 --＞ 00:00:02,000",
    ],
)
def test_times_of_other_keyboards_and_translators_are_meant(times):
    later = f"1\n00:00:00,100 --> 00:00:00,900\n처음\n\n2\n{times}\n하나\n"
    assert read(srt(times))[0] == (1500, 2000, "하나")
    assert read(later) == [(100, 900, "처음"), (1500, 2000, "하나")]
    assert read(f"WEBVTT\n\n{times}\n하나\n", ".vtt") == [(1500, 2000, "하나")]


@pytest.mark.parametrize("times", ["00:00:-5,000 --> 00:00:02,000", "one --> two"])
def test_times_that_cannot_be_meant_are_told_and_not_drawn(times):
    with pytest.raises(ValueError, match="line 6"):
        repaired(f"1\n00:00:00,100 --> 00:00:00,900\n처음\n\n2\n{times}\n하나\n", ".srt")


def test_what_is_said_of_times_is_text():
    said = "1\n00:00:01,500 --> 00:00:02,000\n기차\n10:30 --> 11:00\n"
    assert read(said) == [(1500, 2000, "기차\n10:30 --> 11:00")]
    assert read(srt("00:00:01,500 --> 00:00:02,000", "위<br>아래<BR/>끝"))[0][2] == "위\n아래\n끝"
