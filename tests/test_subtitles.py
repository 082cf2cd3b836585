import html
from itertools import pairwise
from pathlib import Path

import pysubs2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_track import tracks
from video.fonts import Font
from video.lines import wrap
from video.style import Look, look_for
from video.subtitles import (
    Cue,
    SubtitleOptions,
    clock,
    cues,
    to_ass,
    to_srt,
    to_text,
    to_vtt,
)
from video.track import CaptionedShot, Track

CUES = [Cue(0, 2000, "빨간 화면이다"), Cue(2000, 3_661_234, "남자가 길을 걷고\n있다")]
NASTY = "<i>A</i> & {\\pos(0,0)}B --> C\\N"


def test_srt_golden():
    assert to_srt(CUES) == (
        "1\n00:00:00,000 --> 00:00:02,000\n빨간 화면이다\n\n"
        "2\n00:00:02,000 --> 01:01:01,234\n남자가 길을 걷고\n있다\n\n"
    )


def test_vtt_golden():
    assert to_vtt([*CUES[:1], Cue(2000, 3000, "a < b & c --> d")]) == (
        "WEBVTT\n\n1\n00:00:00.000 --> 00:00:02.000\n빨간 화면이다\n\n"
        "2\n00:00:02.000 --> 00:00:03.000\na &lt; b &amp; c --&gt; d\n\n"
    )


def test_text_golden():
    assert to_text(CUES) == (
        "[00:00.0-00:02.0] 빨간 화면이다\n[00:02.0-1:01:01.2] 남자가 길을 걷고 있다\n"
    )


def test_ass_golden():
    text = to_ass([Cue(1037, 2009, "빨간\n화면이다")], Look(1280, 720))
    assert "PlayResX: 1280\nPlayResY: 720\nWrapStyle: 0" in text
    assert "Style: Default,Noto Sans KR,53.6,&H00FFFFFF,&H000000FF,&H00101010" in text
    assert text.endswith("Dialogue: 0,0:00:01.03,0:00:02.00,Default,,0,0,0,,빨간\\N화면이다\n")


def test_no_writer_lets_a_caption_give_commands():
    found = cues(Track("v", 9, "c", (CaptionedShot(0, 9000, NASTY, -1),)))
    assert "{" not in to_ass(found, Look(640, 360)).split("[Events]")[1]
    assert "\\pos" not in to_ass(found, Look(640, 360))
    body = to_srt(found).split("\n", 2)[2]
    assert "<" not in body and "-->" not in body and "{" not in body
    body = to_vtt(found).split("\n", 4)[4]
    assert "<" not in body and "-->" not in body and "&amp;" in body


@given(tracks, st.integers(4, 30))
def test_cues_never_overlap(track, width):
    found = cues(track, SubtitleOptions(line_width=width))
    assert all(cue.start_ms < cue.end_ms and cue.text.strip() for cue in found)
    assert all(a.end_ms <= b.start_ms for a, b in pairwise(found))


def test_captions_at_the_same_time_are_lines_of_one_cue():
    shots = (
        CaptionedShot(0, 4000, "긴 말", 0),
        CaptionedShot(1000, 2000, "가운데", 0),
        CaptionedShot(5000, 6000, "하나", 0),
        CaptionedShot(5000, 6000, "둘", 0),
    )
    assert cues(Track("v", 9000, "c", shots)) == [
        Cue(0, 1000, "긴 말"),
        Cue(1000, 2000, "긴 말\n가운데"),
        Cue(2000, 4000, "긴 말"),
        Cue(5000, 6000, "하나\n둘"),
    ]


def test_however_many_at_once_few_are_shown():
    shots = tuple(CaptionedShot(n, 60_000, f"말{n}", 0) for n in range(5000))
    found = cues(Track("v", 60_000, "c", shots))
    assert max(cue.text.count("\n") for cue in found) == 3 and found[-1].text.endswith("말4999")


def test_times_that_somebody_set_stay():
    text, times = "반 초 안에 읽을 수 없는 긴 자막이다", (0, 500)
    by_hand = Track("v", 9000, "c", (CaptionedShot(*times, text, 0),))
    assert cues(by_hand) == [Cue(0, 500, text)]
    by_captioner = Track("v", 9000, "c", (CaptionedShot(*times, text, -1),))
    assert cues(by_captioner)[0].end_ms > 500


def test_ass_goes_on_after_ten_hours():
    text = to_ass([Cue(37_800_000, 37_801_230, "늦은 말")], Look(640, 360))
    assert "Dialogue: 0,10:30:00.00,10:30:01.23,Default" in text
    (event,) = pysubs2.SSAFile.from_string(text)
    assert (event.start, event.end) == (37_800_000, 37_801_230)


letters = st.text(st.sampled_from("가나다라ab \t<>&{}\\-0"), max_size=60)
lists_of_cues = st.lists(letters, max_size=5).map(
    lambda texts: cues(
        Track(
            *("v", 10**6, "c"),
            tuple(CaptionedShot(n * 1000, n * 1000 + 990, t, -1) for n, t in enumerate(texts)),
        )
    )
)


@pytest.mark.parametrize("kind", ["srt", "vtt", "ass"])
@given(found=lists_of_cues)
def test_pysubs2_reads_the_same_cues_back(kind, found):
    text = {"srt": to_srt, "vtt": to_vtt, "ass": lambda c: to_ass(c, Look(640, 360))}[kind](found)
    parsed = pysubs2.SSAFile.from_string(text, format_=kind)
    read = [Cue(e.start, e.end, plain(e.plaintext, kind)) for e in parsed]
    assert read == [Cue(c.start_ms, c.end_ms, seen(c.text)) for c in found]


def plain(text, kind):
    return seen(html.unescape(text) if kind == "vtt" else text)


def seen(text):
    """As a reader sees it: full-width stand-ins look like what they stand for."""
    return text.translate(str.maketrans("｛｝＼＜＞", "{}\\<>"))


@given(st.text(st.sampled_from("가나다 a"), max_size=80), st.integers(4, 24))
def test_wrapping_keeps_the_words_and_the_width(text, width):
    lines = wrap(text, width).split("\n")
    assert "".join(" ".join(lines).split()) == "".join(text.split())
    widths = [sum(2 if c > "\u1100" else 1 for c in line) for line in lines]
    assert len(lines) == 1 or max(widths) <= 2 * width


def test_wrapping_is_even_and_at_spaces():
    text = "한 남자가 흰색 셔츠를 입고 넓은 길을 천천히 걷고 있다"
    assert wrap(text) == ("한 남자가 흰색 셔츠를 입고\n넓은 길을 천천히 걷고 있다")
    assert wrap("빨간 화면이다") == "빨간 화면이다"


PINK = "분홍색 드레스를 입은 어린 소녀가 걷고 있다"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (PINK, "분홍색 드레스를/입은 어린 소녀가 걷고 있다"),
        ("스키 타는 사람이 눈 덮인 산을 오르고 있다", "스키 타는 사람이/눈 덮인 산을 오르고 있다"),
        ("과일이 큰 상자 안에 담겨 있다", "과일이 큰 상자 안에/담겨 있다"),
        ("개 두 마리가 풀밭을 달리고 있다", "개 두 마리가/풀밭을 달리고 있다"),
    ],
)
def test_lines_end_where_a_reader_would_pause(text, lines):
    assert wrap(text, 13) == lines.replace("/", "\n")


@given(st.lists(st.sampled_from(["소녀가", "입은", "큰", "길에", "있다", "a"]), max_size=24))
def test_lines_are_as_few_as_fit(words):
    filled: list[int] = []  # halves of a syllable, each line filled before the next
    for word in words:
        size = sum(2 if letter > "z" else 1 for letter in word)
        if filled and filled[-1] + 1 + size <= 16:
            filled[-1] += 1 + size
        else:
            filled.append(size)
    assert len(wrap(" ".join(words), 8).split("\n")) == max(1, len(filled))


def test_a_caption_keeps_its_lines_and_no_control_characters():
    shot = CaptionedShot(0, 1000, " 빨간\r\n\n화면\x00이다\u2028 ", -1)
    assert cues(Track("v", 1000, "c", (shot,))) == [Cue(0, 1000, "빨간\n화면 이다")]


def test_shots_without_a_sentence_have_no_cue():
    shots = (CaptionedShot(0, 10, "  ", -1), CaptionedShot(10, 20, "말", -1))
    assert cues(Track("v", 20, "c", shots)) == [Cue(10, 20, "말")]


@pytest.mark.parametrize(
    ("size", "em", "width"),
    [
        ((1280, 720), 37, 24),
        ((1080, 1920), 63, 16),
        ((2560, 1080), 56, 24),
        ((160, 90), 13, 11),
        ((480, 204), 16, 24),
    ],
)
def test_letters_suit_the_picture(size, em, width):
    look = look_for(*size, Font(Path("x.otf"), "Noto Sans KR", 1.448))
    assert (look.em, look.line_width) == (em, width)
    assert look.line_width * look.em <= size[0]


def test_clock():
    assert [clock(ms) for ms in (0, 1049, 59_999, 3_600_000)] == [
        *("00:00.0", "00:01.0", "00:59.9", "1:00:00.0")
    ]


def spoken(*spans):
    return Track("v", spans[-1][1], "c", tuple(CaptionedShot(*span, -1) for span in spans))


def test_text_lingers_until_it_can_be_read():
    long = "남자가 검은 옷을 입고 나무 바닥에 서 있다"  # 17 syllables: 1220 ms
    found = cues(spoken((0, 1000, long), (1000, 5000, "개가 있다"), (5000, 5400, long)))
    assert [(c.start_ms, c.end_ms) for c in found] == [(0, 1220), (1220, 5000), (5000, 5400)]


def test_no_text_takes_the_time_that_the_next_one_needs():
    long = "남자가 검은 옷을 입고 나무 바닥에 서 있다"
    found = cues(spoken((0, 1000, long), (1000, 2100, "개가 있다"), (2100, 9000, long)))
    assert [(c.start_ms, c.end_ms) for c in found] == [(0, 1100), (1100, 2100), (2100, 9000)]


def test_a_gap_is_free_but_text_does_not_linger_for_long():
    long = "가" * 140  # ten seconds
    found = cues(spoken((0, 1000, long), (8000, 30_000, long)))
    assert [(c.start_ms, c.end_ms) for c in found] == [(0, 2500), (8000, 30_000)]


@given(tracks)
def test_lingering_keeps_order_and_moves_no_start_before_its_shot(track):
    plain, calm = cues(track, SubtitleOptions(linger_ms=0)), cues(track)
    assert all(a.end_ms <= b.start_ms for a, b in pairwise(calm))
    for a, b in zip(plain, calm, strict=True):
        assert a.text == b.text and b.end_ms - b.start_ms > 0
        assert a.start_ms <= b.start_ms <= a.start_ms + 1500
        assert a.end_ms <= b.end_ms <= a.end_ms + 1500
