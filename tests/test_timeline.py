"""The times of a film: joined where they jump, and kept where single packets tell wrong ones."""

from fractions import Fraction
from itertools import pairwise

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocess.frames import frames, probe
from preprocess.timeline import Clock, Unbroken
from tests.clips import ffmpeg
from tests.test_burn import untidy
from video.burn import burn
from video.draw import BurnOptions
from video.track import CaptionedShot, Track

STEP_MS = 40


class Packet:
    """One of a stream in ms."""

    time_base, size, is_discard = Fraction(1, 1000), 1, False

    def __init__(self, pts: int | None, dts: int | None = None) -> None:
        self.pts, self.dts, self.duration = pts, pts if dts is None else dts, STEP_MS


def clocked(times: list[int]) -> Clock:
    clock = Clock(Packet.time_base, 0)
    for time in times:
        clock.see(Packet(time))
    return clock


def test_times_are_joined_as_ffmpeg_does():
    joined = Unbroken()
    told = (0, 40, 9000, 90_000, 90_040, None, 500, 540)
    packets = [Packet(None if t is None else t + 80, t) for t in told]
    for packet in packets:
        joined.join(packet)
    assert [p.dts for p in packets] == [0, 40, 9000, 9040, 9080, None, 9120, 9160]
    assert [p.pts for p in packets if p.dts is not None] == [80, 120, 9080, 9120, 9160, 9200, 9240]


@given(
    st.lists(st.sampled_from([1, 40, 1000, 20_000, 3_600_000]), min_size=1, max_size=80),
    st.integers(1, 16),
)
def test_pauses_are_no_strays_however_a_codec_orders_frames(steps, group):
    """In each group the last shown frame is decoded first, as before up to 16 B frames."""
    shown = [sum(steps[:i]) for i in range(len(steps))]
    decoded = [t for i in range(0, len(shown), group) for t in sorted(shown[i : i + group])[::-1]]
    clock = clocked(decoded)
    assert not clock.strays and clock.span(STEP_MS)[0] == shown[-1] + STEP_MS


@given(
    st.integers(30, 300),
    st.sampled_from([20_000, 3_600_000, 10**9]),
    st.integers(1, 12),
    st.data(),
)
def test_packets_that_leap_ahead_alone_are_strays(count, ahead_ms, run, data):
    right = [STEP_MS * i for i in range(count)]
    begin = data.draw(st.integers(1, count - run - 17))
    told = [t + ahead_ms * (begin <= i < begin + run) for i, t in enumerate(right)]
    clock = clocked(told)
    assert clock.strays == {t + ahead_ms for t in right[begin : begin + run]}
    assert clock.span(STEP_MS)[0] == right[-1] + STEP_MS


@pytest.mark.parametrize("ahead_s", [3600, 12])
def test_a_packet_with_a_wrong_time_costs_its_own_frame(tmp_path, ahead_s):
    film, far = tmp_path / "a.mp4", tmp_path / "far.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=20", "-c:v", "libx264", "-g", "25", film)
    wrong = f"setts=pts='if(eq(N,60),PTS+{ahead_s}/TB,PTS)':dts=DTS"
    ffmpeg("-i", film, "-c", "copy", "-bsf:v", wrong, far)
    media = probe(far)
    assert (media.duration_ms, len(media.strays)) == (20_000, 1)
    times = [frame.time_ms for frame in frames(media)]
    assert times[-1] == 19_960 and max(b - a for a, b in pairwise(times)) < 300
    track = Track("x", 20_000, "c", (CaptionedShot(0, 20_000, "무늬이다", -1),))
    for target in (tmp_path / "o.mp4", tmp_path / "o.gif"):
        burn(media, track, target)
        with av.open(str(target)) as container:
            drawn = [frame.time for frame in container.decode(video=0)]
        assert drawn[-1] == pytest.approx(19.95, abs=0.1)
        # ffmpeg's own guesses of times may cost two frames more, and one has the wrong one's time
        assert len(drawn) >= (496 if target.suffix == ".mp4" else 195)


@given(
    st.lists(st.integers(1, 1000), min_size=2, max_size=80),
    st.sampled_from([1, 2, 4]),
    st.integers(1001, 5000),
    st.data(),
)
def test_a_film_that_stands_still_is_paced(steps, group, pause, data):
    def paced(lengths: list[int]) -> float:
        shown = [sum(lengths[:i]) for i in range(len(lengths))]
        blocks = [sorted(shown[i : i + group])[::-1] for i in range(0, len(shown), group)]
        clock = clocked([t for block in blocks for t in block])
        clock.span(lengths[-1])
        return clock.pace

    steps[-1] = STEP_MS
    assert paced(steps) == 0
    still = [*steps]
    still[data.draw(st.integers(0, len(steps) - 2))] = pause
    usual = sorted(still)[(len(still) - 1) // 2]
    assert paced(still) == pytest.approx(min(60, max(10, 1000 / usual)))


@untidy
@pytest.mark.parametrize("form", ["slides.mkv", "recording.mp4"])
@pytest.mark.parametrize("engine", ["ffmpeg", "moviepy"])
def test_captions_come_on_time_where_a_film_stands_still(tmp_path, form, engine):
    film = tmp_path / form
    source = ["-f", "lavfi", "-i", "color=gray:s=320x180:r=10:d=3", "-c:v", "libx264"]
    if form == "slides.mkv":
        ffmpeg(*source, "-vf", "setpts=5*N/TB", "-frames:v", 3, "-r", "1/5", film)
    else:  # its last frame is shown for twelve seconds
        ffmpeg(*source, "-bf", 0, tmp_path / "a.mkv")
        last = "setts=duration='if(eq(N,29),12.1/TB,DURATION)'"
        ffmpeg("-i", tmp_path / "a.mkv", "-c", "copy", "-bsf:v", last, film)
    media = probe(film)
    assert media.duration_ms == pytest.approx(15_000, abs=20)
    shots = (CaptionedShot(6200, 8600, "하나", -1), CaptionedShot(12_300, 14_000, "둘", -1))
    for suffix in (".mp4", ".mov", ".gif") if engine == "ffmpeg" else (".mp4",):
        out = tmp_path / f"o{suffix}"
        burn(media, Track("x", 15_000, "c", shots), out, BurnOptions(engine=engine))
        with av.open(str(out)) as container:
            assert container.duration / 1e6 == pytest.approx(15, abs=0.15)
            drawn = [
                (frame.time, bool(frame.to_ndarray(format="gray").max() > 230))
                for frame in container.decode(video=0)
            ]
        changes = [time for (_, was), (time, now) in pairwise(drawn) if was != now]
        assert changes == pytest.approx([6.2, 8.6, 12.3, 14.0], abs=0.11)
