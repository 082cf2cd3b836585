"""Burning: what is drawn, when, and what must stay as it was."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from preprocess.errors import OutputError, SettingError, VideoError
from preprocess.frames import probe
from tests.clips import (
    BLUE,
    GREEN,
    GREY,
    RED,
    colour_clip,
    ffmpeg,
    flat,
    turned,
    with_sound,
    write_frames,
)
from video.burn import burn
from video.draw import BurnOptions
from video.fonts import hangul_font, packaged_font
from video.track import CaptionedShot, Track

TWO = ((GREY, 1000), (GREY, 1000))
LATE = Track("x", 2000, "c", (CaptionedShot(1000, 2000, "회색 화면이다", -1),))
WHOLE = Track("x", 60_000, "c", (CaptionedShot(0, 60_000, "회색 화면이다", -1),))


def frames_of(path: Path) -> list[tuple[int, np.ndarray]]:
    with av.open(f"file:{path}") as container:
        return [
            (round(frame.time * 1000), frame.to_ndarray(format="rgb24"))
            for frame in container.decode(video=0)
        ]


def has_text(picture: np.ndarray) -> bool:
    """White letters on a grey picture, in its lower half."""
    lower = picture[picture.shape[0] // 2 :]
    return bool((lower.min(axis=2) > 215).sum() > 12)


def burned(clip: Path, target: Path, track: Track = LATE, **options) -> Path:
    burn(probe(clip), track, target, BurnOptions(**options))
    assert [p for p in target.parent.iterdir() if p.name.startswith(".")] == []
    return target


@pytest.fixture(scope="module")
def grey(tmp_path_factory) -> Path:
    return colour_clip(tmp_path_factory.mktemp("grey") / "grey.mkv", TWO)


@pytest.fixture(scope="module")
def sounding(grey) -> Path:
    return with_sound(grey, grey.with_name("sounding.mp4"), 2.0)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".webm"])
def test_text_is_there_while_its_shot_is_and_sound_stays(sounding, tmp_path, suffix):
    result = burned(sounding, tmp_path / f"이름 [1],':;{suffix}")
    frames = frames_of(result)
    assert len(frames) == 50
    assert [has_text(picture) for _, picture in frames] == [ms >= 1000 for ms, _ in frames]
    media = probe(result)
    assert (media.width, media.height, media.has_audio) == (160, 90, True)
    assert abs(media.duration_ms - 2000) <= 60
    with av.open(str(result)) as container:
        codec = container.streams.audio[0].codec_context.name
        assert codec == {".webm": "opus"}.get(suffix, "aac")


def test_every_sound_track_is_copied_bit_for_bit(sounding, tmp_path):
    double = tmp_path / "double.mp4"
    ffmpeg("-i", sounding, "-map", "0:v", "-map", "0:a", "-map", "0:a", "-c", "copy", double)
    result = burned(double, tmp_path / "out.mp4")
    with av.open(str(double)) as a, av.open(str(result)) as b:
        assert len(a.streams.audio) == len(b.streams.audio) == 2
        sound = [[bytes(p) for p in c.demux(audio=0) if p.size] for c in (a, b)]
    assert sound[0] == sound[1]


def test_sound_that_mp4_players_do_not_know_is_encoded(sounding, tmp_path):
    raw = tmp_path / "raw.mkv"
    ffmpeg("-i", sounding, "-c:v", "copy", "-c:a", "pcm_s16le", raw)
    with av.open(str(burned(raw, tmp_path / "out.mp4"))) as container:
        assert container.streams.audio[0].codec_context.name == "aac"


def test_real_times_hold_at_a_variable_frame_rate(tmp_path):
    times = [0, 40, 110, 500, 1003, 1037, 1400, 1960]
    clip = write_frames(tmp_path / "vfr.mkv", [(t, flat(GREY)) for t in times])
    frames = frames_of(burned(clip, tmp_path / "out.mp4"))
    assert [ms for ms, _ in frames] == pytest.approx(times, abs=1)
    assert [has_text(picture) for _, picture in frames] == [ms >= 1000 for ms in times]


def test_a_picture_that_starts_late_keeps_its_delay(sounding, tmp_path):
    late = tmp_path / "late.mkv"
    ffmpeg("-itsoffset", "0.5", "-i", sounding, "-i", sounding, "-map", "0:v", "-map", "1:a",
           "-c", "copy", late)  # fmt: skip
    media = probe(late)
    assert media.start_ms == pytest.approx(500, abs=30)
    frames = frames_of(burned(late, tmp_path / "out.mp4"))
    assert frames[0][0] == pytest.approx(500, abs=30)
    assert [has_text(p) for _, p in frames] == [1000 <= ms < 2000 for ms, _ in frames]


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_the_result_is_upright(tmp_path, degrees):
    clip = turned(colour_clip(tmp_path / "a.mp4", ((GREEN, 400),)), tmp_path / "t.mp4", degrees)
    result = burned(clip, tmp_path / "out.mp4", Track("x", 400, "c", ()))
    media = probe(result)
    assert (media.width, media.height) == ((160, 90) if degrees == 180 else (90, 160))
    assert media.rotation == 0
    picture = frames_of(result)[0][1].astype(int)
    h, w = picture.shape[0] // 4, picture.shape[1] // 4
    corners = {
        "tl": picture[h, w],
        "tr": picture[h, -w],
        "bl": picture[-h, w],
        "br": picture[-h, -w],
    }
    darkest = min(corners, key=lambda name: corners[name].sum())
    assert darkest == {90: "tr", 180: "tl", 270: "bl"}[degrees]


def test_stretched_pixels_come_out_square(tmp_path):
    clip = colour_clip(tmp_path / "a.mkv", ((GREY, 400),), size=(120, 90), sar=Fraction(4, 3))
    media = probe(burned(clip, tmp_path / "out.mp4"))
    assert (media.width, media.height) == (160, 90)


def test_odd_sizes_grow_by_one_pixel(tmp_path):
    clip = colour_clip(tmp_path / "a.mkv", ((GREY, 400),), size=(161, 91))
    media = probe(burned(clip, tmp_path / "out.mp4", WHOLE))
    assert (media.width, media.height) == (162, 92)


def test_colour_tags_are_kept(grey, tmp_path):
    tagged = tmp_path / "tagged.mp4"
    hdr = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=tv"
    ffmpeg("-i", grey, "-vf", hdr, "-c:v", "libx264", "-preset", "ultrafast", tagged)
    with av.open(str(burned(tagged, tmp_path / "out.mp4"))) as container:
        context = container.streams.video[0].codec_context
        tags = (context.color_primaries, context.color_trc, context.colorspace)
    assert tuple(int(tag) for tag in tags) == (9, 16, 9)


def test_a_cover_picture_is_not_the_film(sounding, tmp_path):
    cover = tmp_path / "cover.png"
    Image.new("RGB", (64, 64), RED).save(cover)
    clip = tmp_path / "covered.mp4"
    ffmpeg("-i", cover, "-i", sounding, "-map", "0", "-map", "1", "-c", "copy",
           "-disposition:v:0", "attached_pic", clip)  # fmt: skip
    media = probe(burned(clip, tmp_path / "out.mp4"))
    assert (media.width, media.height) == (160, 90)


def test_a_film_becomes_a_gif(grey, tmp_path):
    result = burned(grey, tmp_path / "out.gif", gif_rate=5, gif_width=120)
    frames = frames_of(result)
    assert frames[0][1].shape == (68, 120, 3)
    assert [bool(p.max() > 190) for ms, p in frames] == [ms >= 1000 for ms, _ in frames]
    assert probe(result).duration_ms == pytest.approx(2000, abs=250)


def test_a_gif_gets_smaller_until_it_fits(tmp_path):
    noise = tmp_path / "noise.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=d=2:s=480x270:r=10", noise)
    whole = burned(noise, tmp_path / "whole.gif").stat().st_size
    fitting = burned(noise, tmp_path / "out.gif", gif_max_mb=0.3 * whole / 1e6)
    assert 0.05 * whole < fitting.stat().st_size <= 0.3 * whole
    found = probe(fitting)
    assert found.width < 480 and found.width / found.height == pytest.approx(16 / 9, abs=0.03)
    with pytest.raises(SettingError, match="MB even at"):
        burned(noise, tmp_path / "tiny.gif", gif_max_mb=0.001)
    assert not (tmp_path / "tiny.gif").exists()


def test_a_still_has_its_caption_whenever_it_begins(tmp_path):
    Image.new("RGB", (320, 180), RED).save(tmp_path / "a.png")
    late = Track("a", 9000, "c", (CaptionedShot(1000, 9000, "글자", 0),))
    result = burned(tmp_path / "a.png", tmp_path / "o.png", late)
    assert has_text(np.asarray(Image.open(result).convert("RGB")))


def test_a_film_of_one_frame_becomes_a_gif(tmp_path):
    clip = colour_clip(tmp_path / "a.mp4", ((RED, 40),))
    with Image.open(burned(clip, tmp_path / "o.gif")) as result:
        assert result.convert("RGB").getpixel((5, 5))[0] > 150


def test_a_long_gif_takes_two_passes(grey, tmp_path, monkeypatch):
    monkeypatch.setattr("video.draw._ONE_PASS_BYTES", 0)
    frames = frames_of(burned(grey, tmp_path / "out.gif"))
    assert [has_text(p) for ms, p in frames] == [ms >= 1000 for ms, _ in frames]


@pytest.fixture
def animation(tmp_path) -> Path:
    pictures = [Image.new("RGB", (160, 90), colour) for colour in (GREY, RED, BLUE)]
    path = tmp_path / "a.gif"
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=[300, 700, 500])
    return path


def test_a_gif_keeps_its_delays(animation, tmp_path):
    with Image.open(burned(animation, tmp_path / "out.gif", WHOLE)) as result:
        delays = []
        for number in range(result.n_frames):
            result.seek(number)
            delays.append(result.info["duration"])
    assert delays[:2] == [300, 700] and len(delays) == 3


def test_a_gif_becomes_a_film(animation, tmp_path):
    frames = frames_of(burned(animation, tmp_path / "out.mp4", WHOLE))
    assert [ms for ms, _ in frames] == [0, 300, 1000]
    assert np.abs(frames[1][1][10, 10].astype(int) - RED).max() <= 6


@pytest.mark.parametrize(("kind", "suffix"), [("png", ".png"), ("jpg", ".jpg"), ("bmp", ".png")])
def test_a_picture_stays_a_picture(tmp_path, kind, suffix):
    Image.new("RGB", (161, 91), GREY).save(tmp_path / f"a.{kind}")
    result = burned(tmp_path / f"a.{kind}", tmp_path / f"out{suffix}", WHOLE)
    with Image.open(result) as picture:
        assert picture.size == (161, 91) and picture.format == ("JPEG" if kind == "jpg" else "PNG")
        assert has_text(np.asarray(picture.convert("RGB")))
        assert np.abs(np.asarray(picture.convert("RGB"))[5, 5].astype(int) - 128).max() <= 3


def test_a_photo_is_turned_by_its_exif(tmp_path):
    photo = Image.fromarray(flat(GREEN))
    exif = photo.getexif()
    exif[0x0112] = 6  # turn clockwise to see it upright
    photo.save(tmp_path / "a.jpg", exif=exif, quality=95)
    result = burned(tmp_path / "a.jpg", tmp_path / "out.jpg", Track("x", 1, "c", ()))
    with Image.open(result) as picture:
        assert picture.size == (90, 160)
        assert picture.getexif().get(0x0112, 1) == 1
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    assert pixels[120, 22].sum() < pixels[40, 22].sum()  # the dark quarter: lower left now


def test_a_picture_becomes_a_film_that_stands_still(tmp_path):
    Image.new("RGB", (160, 90), GREY).save(tmp_path / "a.png")
    media = probe(tmp_path / "a.png")
    result = probe(burned(tmp_path / "a.png", tmp_path / "out.mp4", WHOLE))
    assert result.duration_ms == pytest.approx(media.duration_ms, abs=100)


# MoviePy leaves its finished ffmpeg's pipes to the garbage collector.
untidy = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@untidy
@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif"])
def test_moviepy_draws_too(sounding, tmp_path, suffix):
    pytest.importorskip("moviepy")
    result = burned(sounding, tmp_path / f"out{suffix}", engine="moviepy")
    frames = frames_of(result)
    assert [has_text(p) for _, p in frames] == [ms >= 990 for ms, _ in frames]
    assert probe(result).has_audio == (suffix != ".gif")
    assert probe(result).duration_ms == pytest.approx(2000, abs=150)


@untidy
def test_moviepy_that_fails_is_one_line(sounding, tmp_path, monkeypatch):
    pytest.importorskip("moviepy")

    def fail(*arguments):
        raise OSError("MoviePy error:\n\nFFMPEG encountered\nmany lines")

    monkeypatch.setattr("video.burn._write_composed", fail)
    with pytest.raises(OutputError, match="--engine ffmpeg") as caught:
        burned(sounding, tmp_path / "out.mp4", engine="moviepy")
    assert "\n" not in caught.value.text("ko") and list(tmp_path.iterdir()) == []


@untidy
def test_moviepy_gets_turned_film_upright(sounding, tmp_path):
    pytest.importorskip("moviepy")
    clip = turned(sounding, tmp_path / "t.mp4", 90)
    media = probe(burned(clip, tmp_path / "out.mp4", engine="moviepy"))
    assert (media.width, media.height, media.has_audio) == (90, 160, True)


def test_a_truncated_film_leaves_nothing_or_a_whole_result(sounding, tmp_path):
    media = probe(sounding)
    cut = tmp_path / "in" / "cut.mp4"
    cut.parent.mkdir()
    cut.write_bytes(sounding.read_bytes()[:-4000])
    out = tmp_path / "out.mp4"
    broken = type(media)(**{**media.__dict__, "path": cut})
    with pytest.raises((VideoError, OutputError)):
        burn(broken, LATE, out)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in"]


def test_refusals(sounding, tmp_path):
    for suffix, options in ((".png", {}), (".mp4", {"quality": 52}), (".mp4", {"quality": -1})):
        with pytest.raises(SettingError):
            burned(sounding, tmp_path / f"out{suffix}", **options)
    with pytest.raises(OutputError):
        burned(sounding, tmp_path / "none" / "out.mp4")
    assert list(tmp_path.iterdir()) == []


def test_fonts(tmp_path):
    font = hangul_font()
    assert font.family == "Noto Sans KR" and font.line_to_em == pytest.approx(1.448)
    assert packaged_font().is_file()
    (tmp_path / "x.ttf").write_bytes(b"no font")
    for path in (tmp_path / "x.ttf", tmp_path / "none.ttf"):
        with pytest.raises(SettingError):
            hangul_font(path)


def test_a_font_without_hangul_is_refused():
    latin = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
    if not latin.is_file():
        pytest.skip("no Latin font here")
    with pytest.raises(SettingError, match="'가'"):
        hangul_font(latin)


def test_a_temporary_folder_with_an_odd_name(sounding, tmp_path, monkeypatch):
    odd = tmp_path / "임시 [a],b;c:d'e%f\\g"
    odd.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(odd))
    assert has_text(frames_of(burned(sounding, tmp_path / "out.mp4"))[-1][1])
    assert list(odd.iterdir()) == []
