"""Frames left undecoded are missed by nobody; those that come are what they always were."""

import av
import clips
import numpy as np
import pytest

from preprocess import frames as reader
from preprocess.frames import frames, probe

STATIC = "smptehdbars=s=192x108:r=25:d=12"
CUTS = (
    "testsrc2=s=192x108:r=25:d=5,hue=h=90[a];smptebars=s=192x108:r=25:d=3[b];"
    "mandelbrot=s=192x108:r=25:end_scale=0.9,trim=end=3[c];[a][b][c]concat=n=3:v=1:a=0"
)
X264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "veryfast")


def film(path, graph, *how):
    clips.ffmpeg("-filter_complex", graph, *(how or X264), path)
    return probe(path)


def every(media):
    """The thumbs of all frames that others need, by time in ms."""
    with av.open(str(media.path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.skip_frame = "NONREF"
        converter = reader._Converter(stream)
        start = None
        found = {}
        for frame in container.decode(stream):
            start = frame.pts if start is None else start
            found[round((frame.pts - start) * frame.time_base * 1000)] = converter.thumb(frame)
    return found


def test_of_a_static_film_little_is_decoded(tmp_path):
    media = film(tmp_path / "static.mp4", STATIC, *X264, "-g", "50")
    times = [frame.time_ms for frame in frames(media)]
    assert times == sorted(times)
    assert len(times) < 0.5 * len(every(media))
    assert max(np.diff(times)) <= 2000  # its keyframes are


def test_the_end_of_a_shot_before_a_sure_cut_is_left_out_and_the_cut_is_not(tmp_path):
    media = film(tmp_path / "cuts.mp4", CUTS)
    times = [frame.time_ms for frame in frames(media)]
    assert {5000, 8000} <= set(times)
    assert len(times) < len(every(media))


@pytest.mark.parametrize(
    "how",
    [
        X264,
        (*X264, "-g", "30", "-sc_threshold", "0"),
        (*X264, "-x264-params", "open-gop=1:keyint=40:min-keyint=10"),
        ("-c:v", "mpeg4", "-g", "40", "-q:v", "4"),
        ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p"),
    ],
    ids=["x264", "fixed", "open", "mpeg4", "mjpeg"],
)
@pytest.mark.parametrize("graph", [STATIC, CUTS], ids=["static", "cuts"])
def test_what_comes_is_what_a_whole_decoding_gives(tmp_path, graph, how):
    media = film(tmp_path / "film.mkv", graph, *how)
    whole = every(media)
    last = -1
    for frame in frames(media):
        assert frame.time_ms > last
        last = frame.time_ms
        assert (frame.thumb() == whole[frame.time_ms]).all()


def test_a_visitor_in_a_still_room_is_seen(tmp_path):
    """Who comes and goes within one group makes its changes uneven."""
    box = "drawbox=x=70:y=30:w=40:h=70:t=fill:color=black:enable='between(t,4,5.5)'"
    media = film(tmp_path / "room.mp4", f"{STATIC},{box}", *X264, "-g", "250", "-sc_threshold", "0")
    assert any(4000 <= frame.time_ms <= 5500 for frame in frames(media))


def test_a_film_without_times_or_with_damage_is_read_whole(tmp_path):
    media = film(tmp_path / "whole.mp4", CUTS)
    data = bytearray(media.path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 200] = bytes(200)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(data)
    times = [frame.time_ms for frame in frames(probe(broken))]
    assert times and times == sorted(set(times))
