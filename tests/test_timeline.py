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
from video.burn import burn
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
