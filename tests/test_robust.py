"""Odd films: each comes out right, as docs/robustness.md says. Every clip is made here."""

import os
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image, ImageDraw

from preprocess.errors import VideoError
from preprocess.frames import Limits, frames, probe
from tests.clips import GREY, RED, colour_clip, ffmpeg, turned, with_sound
from video.burn import burn
from video.draw import BurnOptions
from video.pipeline import PipelineOptions, caption_video
from video.preview import still_at
from video.track import CaptionedShot, Track

WHOLE = Track("x", 60_000, "c", (CaptionedShot(0, 60_000, "회색 화면이다", -1),))


def burned(clip: Path, target: Path, track: Track = WHOLE, **options) -> Path:
    burn(probe(clip), track, target, BurnOptions(**options))
    return decodes(target)


def decodes(path: Path) -> Path:
    """The path, after an independent reading of all its pictures and sound without one error."""
    binary = imageio_ffmpeg.get_ffmpeg_exe()
    reading = ["-i", f"file:{path}", "-map", "0:v?", "-map", "0:a?", "-f", "null", "-"]
    done = subprocess.run(
        [binary, "-nostdin", "-v", "error", "-xerror", *reading], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return path


def shown(path: Path, number: int = 0) -> np.ndarray:
    with av.open(f"file:{path}") as container:
        for count, frame in enumerate(container.decode(video=0)):
            if count == number:
                return frame.to_ndarray(format="rgba").astype(int)
    raise AssertionError(f"{path} has no frame {number}")


def letters(picture: np.ndarray) -> int:
    """White opaque pixels in the lower third."""
    lower = picture[2 * picture.shape[0] // 3 :]
    return int((lower.min(axis=2) > 200).sum())


@pytest.mark.parametrize("suffix", [".ts", ".mpg"])
def test_pieces_of_a_broadcast_are_one_film(tmp_path, suffix):
    """Their times start anew; what is drawn must be where it was seen."""
    codec = ["-c:v", "libx264"] if suffix == ".ts" else ["-c:v", "mpeg2video", "-g", "10"]
    parts = []
    for colour in ("red", "gray"):
        clip = tmp_path / f"{colour}{suffix}"
        plain = f"color={colour}:s=320x180:d=3:r=25"
        tone = ["-f", "lavfi", "-i", "sine=d=3"]
        ffmpeg("-f", "lavfi", "-i", plain, *tone, *codec, "-pix_fmt", "yuv420p", clip)
        parts.append(clip.read_bytes())
    film = tmp_path / f"film{suffix}"
    film.write_bytes(b"".join(parts))
    media = probe(film)
    assert media.duration_ms == pytest.approx(6000, abs=150)
    times = [frame.time_ms for frame in frames(media)]
    assert times == sorted(times) and times[-1] > 5700
    second = Track("x", 6000, "c", (CaptionedShot(3000, 6000, "회색 화면이다", -1),))
    result = burned(film, tmp_path / "out.mp4", second)
    with av.open(str(result)) as container:
        seen = [(f.time, f.to_ndarray(format="rgb24")) for f in container.decode(video=0)]
    assert seen[-1][0] == pytest.approx(5.96, abs=0.2)
    for time_s, picture in seen:
        if not 2.8 < time_s < 3.2:
            is_grey = picture[5, 5].min() > 90
            assert is_grey == (time_s > 3) == (letters(np.dstack([picture])) > 20), time_s


@pytest.mark.parametrize("sar", ["100000/1", "1/60000"])
def test_an_impossible_pixel_aspect_is_damage(tmp_path, sar):
    film = colour_clip(tmp_path / "a.mkv", ((GREY, 400),), sar=Fraction(sar))
    media = probe(film)
    assert (media.width, media.height) == (160, 90)
    assert shown(burned(film, tmp_path / "o.mp4")).shape == (90, 160, 4)


@pytest.mark.parametrize("degrees", [17, 45])
def test_an_odd_angle_keeps_the_size(tmp_path, degrees):
    film = turned(colour_clip(tmp_path / "a.mp4", ((GREY, 400),)), tmp_path / "t.mp4", degrees)
    assert (probe(film).width, probe(film).height) == (160, 90)
    assert shown(burned(film, tmp_path / "o.mp4")).shape == (90, 160, 4)


def test_interlaced_frames_are_separated(tmp_path):
    film = tmp_path / "a.mp4"
    woven = "testsrc2=s=320x240:r=50:d=1,tinterlace=interleave_top,fieldorder=tff"
    ffmpeg("-f", "lavfi", "-i", woven, "-c:v", "libx264", "-flags", "+ildct+ilme", film)
    assert probe(film).interlaced
    result = burned(film, tmp_path / "o.mp4", Track("x", 1000, "c", ()))
    with av.open(str(result)) as container:
        out = [(f.interlaced_frame, f.to_ndarray(format="gray")) for f in container.decode(video=0)]
    with av.open(str(film)) as container:
        woven_rows = [f.to_ndarray(format="gray") for f in container.decode(video=0)]
    assert len(out) == len(woven_rows) and not any(flag for flag, _ in out)

    def combs(picture):  # how much every second line differs from both its neighbours
        lines = picture.astype(int)
        return np.abs(2 * lines[1:-1] - lines[:-2] - lines[2:]).mean()

    assert combs(out[12][1]) < 0.6 * combs(woven_rows[12])


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm", ".mov"])
@pytest.mark.parametrize(
    ("tags", "numbers"),
    [
        ("bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=tv", (9, 16, 9, 1)),
        ("bt2020:color_trc=arib-std-b67:colorspace=bt2020nc:range=tv", (9, 18, 9, 1)),
        ("bt709:color_trc=bt709:colorspace=bt709:range=pc", (1, 1, 1, 2)),
    ],
)
def test_ten_bits_and_colour_tags(tmp_path, suffix, tags, numbers):
    film = tmp_path / "a.mkv"
    source = f"testsrc2=s=160x90:d=0.4:r=5,format=yuv420p10le,setparams=color_primaries={tags}"
    ffmpeg("-f", "lavfi", "-i", source, "-c:v", "libx264", "-pix_fmt", "yuv420p10le", film)
    with av.open(str(burned(film, tmp_path / f"o{suffix}"))) as container:
        c = container.streams.video[0].codec_context
        found = (c.color_primaries, c.color_trc, c.colorspace, c.color_range)
    assert tuple(int(tag) for tag in found) == numbers


def see_through(path: Path) -> Path:
    """A red disc that moves on nothing; a still where the format is not one of animations."""
    pictures = [Image.new("RGBA", (160, 90), (0, 0, 0, 0)) for _ in range(3)]
    for number, picture in enumerate(pictures):
        place = (20 + 20 * number, 10, 60 + 20 * number, 40)
        ImageDraw.Draw(picture).ellipse(place, fill=(255, 0, 0, 255))
    more = {"append_images": pictures[1:], "duration": 700, "save_all": True}
    kinds = {".gif": "GIF", ".apng": "PNG", ".webp": "WEBP", ".png": "PNG"}
    more = {} if path.suffix == ".png" else more
    if path.suffix == ".gif":
        more["disposal"] = 2
    pictures[0].save(path, format=kinds[path.suffix], **more)
    return path


@pytest.mark.parametrize("suffix", [".gif", ".apng", ".webp", ".png"])
def test_see_through_pictures_are_drawn_on_white_and_captions_are_seen(tmp_path, suffix):
    source = see_through(tmp_path / f"a{suffix}")
    film = shown(burned(source, tmp_path / "o.mp4"))
    assert film[2, 2].min() > 240 and (film[60:, :, :3].max(axis=2) < 90).sum() > 20
    moving = shown(burned(source, tmp_path / "o.gif"))
    assert moving[2, 2, 3] == 0 and letters(moving) > 20
    if suffix == ".png":
        still = shown(burned(source, tmp_path / "o.png"))
        assert still[2, 2, 3] == 0 and letters(still) > 20
        assert shown(burned(source, tmp_path / "o.jpg"))[2, 2].min() > 240


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm", ".gif"])
def test_the_last_picture_of_an_animation_stays_as_long_as_it_should(tmp_path, suffix):
    pictures = [Image.new("RGB", (80, 46), (i * 40, 100, 50)) for i in range(3)]
    pictures[0].save(
        tmp_path / "a.gif", save_all=True, append_images=pictures[1:], duration=[300, 700, 5000]
    )
    result = burned(tmp_path / "a.gif", tmp_path / f"o{suffix}")
    assert probe(result).duration_ms == pytest.approx(6000, abs=60)


def test_a_photo_is_known_by_its_bytes_whatever_they_begin_with(tmp_path):
    """By its name alone ffmpeg would take it for a numbered sequence, which is not allowed."""
    photo = tmp_path / "a.jpg"
    source = "testsrc2=s=160x90:d=1"
    ffmpeg("-f", "lavfi", "-i", source, "-frames:v", "1", "-update", "1", "-pix_fmt", "yuvj420p",
           photo)  # fmt: skip
    assert shown(burned(photo, tmp_path / "o.jpg")).shape == (90, 160, 4)
    assert shown(burned(photo, tmp_path / "o.gif")).shape == (90, 160, 4)


def damaged(film: Path, path: Path, kind: str) -> Path:
    """The film with its sound damaged here and there, or all of it overwritten."""
    data = bytearray(film.read_bytes())
    with av.open(str(film)) as container:
        places = [(p.pos, p.size) for p in container.demux(audio=0) if p.size]
    for number, (position, size) in enumerate(places):
        if kind == "dead" or number % 9 == 4:
            data[position : position + size] = b"\xff" * size
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("kind", ["damaged", "dead"])
def test_damaged_sound_does_not_spoil_the_result(tmp_path, kind):
    film = with_sound(colour_clip(tmp_path / "a.mp4", ((GREY, 3000),)), tmp_path / "s.mp4", 3.0)
    result = burned(damaged(film, tmp_path / "d.mp4", kind), tmp_path / "o.mp4")
    with av.open(str(result)) as container:
        assert len(container.streams.audio) == (0 if kind == "dead" else 1)
    assert probe(result).duration_ms == pytest.approx(3000, abs=100)


def test_a_size_that_changes_on_the_way(tmp_path):
    parts = []
    for size in ("160x90", "320x180", "90x160"):
        part = tmp_path / "part.ts"
        ffmpeg("-f", "lavfi", "-i", f"testsrc2=s={size}:d=1:r=10", "-c:v", "libx264", part)
        parts.append(part.read_bytes())
    film = tmp_path / "a.ts"
    film.write_bytes(b"".join(parts))
    result = burned(film, tmp_path / "o.mp4")
    assert shown(result, 25).shape == (90, 160, 4) and probe(result).duration_ms > 2500


@pytest.mark.parametrize("suffix", [".ts", ".h264", ".mpg"])
def test_a_preview_of_what_cannot_be_sought(tmp_path, suffix):
    film = tmp_path / f"a{suffix}"
    source = "color=red:s=160x90:d=2:r=25[a];color=blue:s=160x90:d=2:r=25[b];[a][b]concat"
    ffmpeg("-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p", film)
    folder = tmp_path / "stills"
    folder.mkdir()
    still = still_at(probe(film), 3000, folder)
    assert shown(still.path)[20, 20, :3].argmax() == 2


def test_a_small_file_with_thousands_of_large_pictures_is_refused(tmp_path):
    small = tmp_path / "a.gif"
    first, *others = [Image.new("RGB", (64, 64), (20 * i, 255 - 20 * i, 90)) for i in range(12)]
    first.save(small, save_all=True, append_images=others, duration=100)
    assert probe(small).kind == "animation"
    with pytest.raises(VideoError, match="12 pictures of 64x64"):
        probe(small, Limits(animation_pixels=64 * 64 * 11))
    webp = tmp_path / "a.webp"
    first.save(webp, save_all=True, append_images=others, duration=100)
    with pytest.raises(VideoError, match="12 pictures of 64x64"):
        probe(webp, Limits(animation_pixels=64 * 64 * 11))


def test_reading_ends_when_its_time_is_over(tmp_path, monkeypatch):
    media = probe(colour_clip(tmp_path / "a.mp4"))
    monkeypatch.setattr(Limits, "seconds", lambda self, duration_ms: -1.0)
    with pytest.raises(VideoError, match="could not be read within"):
        list(frames(media))


def test_a_hole_of_fifty_gigabytes_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr("preprocess.frames._READING_S", 0.5)
    film = tmp_path / "a.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:d=1", film)
    with film.open("r+b") as file:
        file.truncate(50 << 30)
    try:
        assert probe(film).duration_ms == pytest.approx(1000, abs=100)
    except VideoError as error:
        assert "could not be read within" in str(error)
    finally:
        os.truncate(film, 0)


def test_a_film_that_stands_still_for_hours_is_looked_at_once(tmp_path, captioner):
    pictures = [Image.new("RGB", (80, 46), colour) for colour in (RED, GREY, (20, 20, 220))]
    gif = tmp_path / "a.gif"
    pictures[0].save(gif, save_all=True, append_images=pictures[1:], duration=655_350)
    track = caption_video(gif, captioner, PipelineOptions())
    assert next(shot.caption.split()[0] for shot in track.shots) == "빨간"
    assert track.duration_ms > 1_900_000 and sum(captioner.batches) <= 6
