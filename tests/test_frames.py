import os
import pickle
import unicodedata
from fractions import Fraction
from pathlib import Path

import clips
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from preprocess.errors import VideoError
from preprocess.frames import Limits, frames, probe
from preprocess.media import in_time, small_plane

DEFAULTS = Limits()


def test_probe_tells_size_time_and_sound(tmp_path):
    silent = clips.colour_clip(tmp_path / "a.mp4")
    media = probe(clips.with_sound(silent, tmp_path / "s.mp4"))
    assert (media.kind, media.width, media.height) == ("video", 160, 90)
    assert (media.duration_ms, media.frame_rate) == (6000, 25.0)
    assert media.has_audio and not probe(silent).has_audio
    assert (media.rotation, media.start_ms) == (0, 0)


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_turned_films_come_upright(tmp_path, turn):
    clip = clips.colour_clip(tmp_path / "a.mp4", ((clips.WHITE, 400),))
    media = probe(clips.turned(clip, tmp_path / "t.mp4", turn))
    assert media.rotation == (-turn) % 360
    assert (media.width, media.height) == ((90, 160) if turn % 180 else (160, 90))
    seen = next(iter(frames(media))).picture()
    expected = np.rot90(clips.flat(clips.WHITE), turn // 90)
    assert np.abs(seen.astype(int) - expected).mean() < 6


def test_odd_sizes_and_wide_pixels(tmp_path):
    path = clips.colour_clip(tmp_path / "o.mp4", size=(161, 91), sar=Fraction(4, 3))
    media = probe(path)
    assert (media.width, media.height) == (215, 91)
    assert next(iter(frames(media))).picture().shape == (91, 215, 3)


@pytest.mark.parametrize(
    "name",
    ["a:b.mp4", "-x.mp4", "concat:x.mp4", "a'b [1];$.mp4", "50%d.mp4", "새\n줄.mp4",
     unicodedata.normalize("NFD", "한글 이름.mp4")],
)  # fmt: skip
def test_any_name_is_only_a_name(tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    clips.colour_clip(tmp_path / "plain.mp4").rename(tmp_path / name)
    assert probe(Path(name)).duration_ms == 6000


def test_large_frames_are_scaled_down(tmp_path):
    path = clips.colour_clip(tmp_path / "a.mp4", ((clips.RED, 200),), size=(1280, 720))
    frame = next(iter(frames(probe(path))))
    assert frame.picture().shape == (256, 455, 3) and frame.thumb().shape == (36, 64, 3)
    assert np.abs(frame.picture()[20, 20].astype(int) - clips.RED).max() < 12


def test_large_turned_frames_are_scaled_down_and_upright(tmp_path):
    clip = clips.colour_clip(tmp_path / "a.mp4", ((clips.WHITE, 400),), size=(1280, 720))
    seen = next(iter(frames(probe(clips.turned(clip, tmp_path / "t.mp4", 90))))).picture()
    assert seen.shape == (455, 256, 3)
    expected = np.rot90(clips.flat(clips.WHITE))
    small = np.asarray(Image.fromarray(seen).resize((90, 160)), int)
    assert np.abs(small - expected).mean() < 6


@pytest.mark.parametrize("matrix", ["bt709", "smpte170m"])
@pytest.mark.parametrize("colour_range", ["tv", "pc"])
@pytest.mark.parametrize("pixels", ["yuv420p", "yuv444p", "yuv420p10le"])
def test_scaled_pictures_are_those_of_ffmpeg(tmp_path, matrix, colour_range, pixels):
    tags = f"out_color_matrix={matrix}:out_range={colour_range}"
    path, raw = tmp_path / "a.mp4", tmp_path / "a.raw"
    clips.ffmpeg("-f", "lavfi", "-i", "testsrc2=s=960x540:d=0.1:r=10",
                 "-vf", f"scale={tags},format={pixels}", "-colorspace", matrix,
                 "-color_range", colour_range, "-c:v", "libx264", "-crf", "1", path)  # fmt: skip
    clips.ffmpeg("-i", path, "-vf", "scale=455:256:flags=area", "-frames:v", "1",
                 "-pix_fmt", "rgb24", "-f", "rawvideo", raw)  # fmt: skip
    expected = np.fromfile(raw, np.uint8).reshape(256, 455, 3).astype(int)
    assert np.abs(next(iter(frames(probe(path)))).picture() - expected).mean() < 2


@given(st.sampled_from([1, 2, 3, 4, 8, 12, 16, 20]), st.integers(0, 2**32 - 1))
def test_a_plane_of_blocks_becomes_its_blocks(times, seed):
    small = np.random.default_rng(seed).integers(0, 256, (36, 64), np.uint8)
    plane = small.repeat(times, 0).repeat(times, 1)
    assert np.array_equal(small_plane(plane), small)


def test_a_film_that_may_not_be_read_is_told(tmp_path, monkeypatch):
    path = clips.colour_clip(tmp_path / "a.mp4")

    def refused(self, *_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(VideoError, match="Permission denied"):
        probe(path)


def test_one_picture_for_an_hour(tmp_path):
    path = tmp_path / "a.mp4"
    source = ("-f", "lavfi", "-i", "testsrc=s=64x48:r=1/3600:d=3600", "-frames:v", "1")
    clips.ffmpeg(*source, "-pix_fmt", "yuv420p", path)
    media = probe(path)
    assert media.frame_rate > 0 and media.duration_ms == 3_600_000
    assert [frame.time_ms for frame in frames(media)] == [0]


def test_raw_motion_jpeg_is_a_film(tmp_path):
    path = tmp_path / "a.mjpeg"
    clips.ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:r=25:d=2", "-c:v", "mjpeg", path)
    media = probe(path)
    assert media.kind == "video" and len(list(frames(media))) == 50


def test_what_gives_no_frame_takes_time_too_and_waiting_does_not(tmp_path, monkeypatch):
    media = probe(clips.colour_clip(tmp_path / "a.mp4"))
    now = [0.0]
    monkeypatch.setattr("preprocess.media.time.monotonic", lambda: now[0])

    def read(found):
        for frame in found:
            now[0] += 500.0
            yield frame

    with pytest.raises(VideoError, match="could not be read"):
        list(in_time(media, read([None] * 10)))
    frame = next(frames(media))
    for _ in in_time(media, iter([frame] * 10)):
        now[0] += 500.0  # somebody else's time


@pytest.mark.parametrize("form", ["gif", "apng", "webp"])
def test_animations(tmp_path, form):
    clip = clips.colour_clip(tmp_path / "a.mp4")
    path = tmp_path / f"a.{form}"
    codec = "libwebp_anim" if form == "webp" else form
    clips.ffmpeg("-i", clip, "-r", "10", "-c:v", codec, "-f", form, path)
    media = probe(path)
    assert media.kind == "animation" and media.duration_ms == pytest.approx(6000, abs=250)
    assert next(iter(frames(media))).picture()[5, 5].argmax() == 0


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp", "gif"])
def test_still_pictures(tmp_path, suffix):
    path = tmp_path / f"p.{suffix}"
    clips.ffmpeg("-f", "lavfi", "-i", "testsrc=s=322x201", "-frames:v", "1", path)
    media = probe(path)
    assert (media.kind, media.width, media.height, media.duration_ms) == ("picture", 322, 201, 3000)
    assert next(iter(frames(media))).picture().shape == (201, 322, 3)


@pytest.mark.parametrize("layout", ["yuv420p", "yuv444p", "gbrp", "yuv420p10le"])
@pytest.mark.parametrize("size", ["640x360", "320x180"])
def test_what_is_kept_is_the_picture_even_when_the_film_is_closed(tmp_path, layout, size):
    path = tmp_path / "a.mkv"
    source = ("-f", "lavfi", "-t", "1", "-i", f"testsrc2=s={size}:r=10")
    clips.ffmpeg(*source, "-c:v", "ffv1", "-pix_fmt", layout, path)
    shown, kept = zip(*((f.picture(), f.kept()) for f in frames(probe(path))), strict=True)
    assert len(shown) == 10
    for picture, later in zip(shown, kept, strict=True):
        np.testing.assert_array_equal(later(), picture)


def test_see_through_pictures_lie_on_white(tmp_path):
    path = tmp_path / "p.png"
    clear = "color=c=red@0.0:s=64x64,format=rgba"
    clips.ffmpeg("-f", "lavfi", "-i", clear, "-frames:v", "1", path)
    assert (next(iter(frames(probe(path)))).picture() == 255).all()


def test_one_damaged_stretch_does_not_end_the_film(tmp_path):
    path = clips.colour_clip(tmp_path / "a.mp4")
    clips.ffmpeg("-i", path, "-c:v", "mpeg4", "-g", "10", tmp_path / "b.avi")
    data = bytearray((tmp_path / "b.avi").read_bytes())
    middle = len(data) // 2
    data[middle : middle + 400] = os.urandom(400)
    (tmp_path / "b.avi").write_bytes(data)
    times = [frame.time_ms for frame in frames(probe(tmp_path / "b.avi"))]
    assert times[-1] > 5500 and len(times) > 50 and times == sorted(set(times))


def test_cut_off_film_ends_where_its_data_ends(tmp_path):
    noise = ("-f", "lavfi", "-i", "testsrc2=s=320x180:d=6")
    clips.ffmpeg(*noise, "-c:v", "libx264", "-movflags", "+faststart", tmp_path / "a.mp4")
    data = (tmp_path / "a.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) // 2])
    assert 1000 < probe(tmp_path / "cut.mp4").duration_ms < 4500


def refused(path, limits=DEFAULTS):
    with pytest.raises(VideoError) as caught:
        probe(path, limits)
    assert pickle.loads(pickle.dumps(caught.value)).args == caught.value.args
    assert caught.value.text("ko") != caught.value.text("en")
    return caught.value.text("en")


def test_refusals_say_what_is_wrong(tmp_path):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("안녕하세요 " * 100)
    os.mkfifo(tmp_path / "pipe.mp4")
    clips.ffmpeg("-f", "lavfi", "-i", "sine=d=1", tmp_path / "a.m4a")
    clip = clips.colour_clip(tmp_path / "a.mp4")
    (tmp_path / "cut.mp4").write_bytes(clip.read_bytes()[:700])
    assert "No such file" in refused(tmp_path / "gone.mp4")
    assert "not a file" in refused(tmp_path)
    assert "empty" in refused(tmp_path / "empty.mp4")
    assert refused(tmp_path / "pipe.mp4")
    assert "not a video" in refused(tmp_path / "text.mp4")
    assert "sound but no video" in refused(tmp_path / "a.m4a")
    assert refused(tmp_path / "cut.mp4")
    assert "too large" in refused(clip, Limits(pixels=1000))
    assert "too long" in refused(clip, Limits(duration_ms=5000))


@pytest.mark.parametrize(
    "text",
    ["#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:6,\n{clip}\n#EXT-X-ENDLIST\n",
     "ffconcat version 1.0\nfile '{clip}'\n"],
)  # fmt: skip
def test_playlist_in_disguise_opens_no_other_file(tmp_path, text):
    clip = clips.colour_clip(tmp_path / "secret.mp4")
    clips.ffmpeg("-i", clip, "-c", "copy", tmp_path / "secret.ts")
    (tmp_path / "film.mp4").write_text(text.format(clip=tmp_path / "secret.ts"))
    assert "not a video" in refused(tmp_path / "film.mp4")


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif"])
def test_pictures_cut_off_in_the_header_are_refused(tmp_path, suffix):
    path = tmp_path / f"p.{suffix}"
    clips.ffmpeg("-f", "lavfi", "-i", "testsrc=s=322x201", "-frames:v", "1", path)
    path.write_bytes(path.read_bytes()[:40])
    assert refused(path)


def test_a_frame_outlives_its_film(tmp_path):
    path = clips.colour_clip(tmp_path / "a.mp4", sar=Fraction(4, 3))
    for _ in range(20):
        film = frames(probe(path))
        frame = next(film)
        film.close()
        del film
        assert frame.picture().shape == (90, 213, 3) and frame.thumb().shape == (36, 64, 3)
