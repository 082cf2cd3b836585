"""Pictures and pixels that few programs write: seen and drawn alike."""

import zlib

import av
import cv2
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from preprocess.errors import VideoError
from preprocess.frames import frames, probe
from preprocess.stills import read_still
from tests.clips import ffmpeg
from video.burn import burn
from video.draw import BurnOptions
from video.track import CaptionedShot, Track

WHOLE = Track("x", 3000, "c", (CaptionedShot(0, 3000, "회색 화면이다", -1),))
BARS = ("-f", "lavfi", "-i", "testsrc2=s=160x96:r=25:d=0.4")


@pytest.mark.parametrize("kind", ["jpeg", "tiff_lzw", "packbits", "sixteen", "lab", "turned"])
def test_tiffs_are_drawn_as_they_are_seen(tmp_path, kind):
    """Some of them are black to ffmpeg's own reader."""
    coarse = np.random.default_rng(0).integers(0, 256, (3, 4, 3), np.uint8)
    pixels = cv2.resize(coarse, (192, 128), interpolation=cv2.INTER_CUBIC)
    path, picture = tmp_path / "a.tif", Image.fromarray(pixels)
    if kind == "sixteen":
        cv2.imwrite(str(path), pixels[:, :, ::-1].astype(np.uint16) * 257)
    elif kind == "lab":
        picture.convert("LAB").save(path)
    elif kind == "turned":
        exif = Image.Exif()
        exif[0x0112] = 6
        picture.save(path, exif=exif)
    else:
        picture.save(path, compression=kind)
    media = probe(path)
    burn(media, WHOLE, tmp_path / "o.png", BurnOptions())
    seen, drawn = read_still(path), np.asarray(Image.open(tmp_path / "o.png").convert("RGB"))
    top = slice(0, drawn.shape[0] // 3)  # without the sentence
    assert drawn.shape == (media.height, media.width, 3) == seen.shape
    assert abs(drawn[top].astype(int) - seen[top]).mean() < 4 < seen.std()


@pytest.mark.parametrize("matrix", [8, 10, 11, 12, 14])
def test_films_of_rare_colour_matrices_are_looked_at(tmp_path, matrix):
    layout = {8: "yuv444p", 14: "yuv420p10"}.get(matrix, "yuv420p")
    told = ("-bsf:v", f"h264_metadata=matrix_coefficients={matrix}")
    ffmpeg(*BARS, "-c:v", "libx264", "-pix_fmt", layout, *told, tmp_path / "a.mkv")
    found = list(frames(probe(tmp_path / "a.mkv")))
    assert len(found) > 3  # not those that no other needs
    assert all(frame.picture().std() > 20 and frame.thumb().std() > 20 for frame in found)


def test_films_whose_rows_lie_upside_down_are_looked_at(tmp_path):
    sound = ("-f", "lavfi", "-i", "sine=d=0.4", "-ar", "22050", "-ac", "1", "-block_size", "882")
    ffmpeg(*BARS, *sound, "-c:v", "amv", tmp_path / "a.amv")
    ffmpeg("-i", tmp_path / "a.amv", "-frames:v", "1", tmp_path / "a.png")
    first = next(iter(frames(probe(tmp_path / "a.amv")))).picture()
    drawn = np.asarray(Image.open(tmp_path / "a.png").convert("RGB"))
    assert abs(first.astype(int) - drawn).mean() < 8


@pytest.mark.parametrize("kind", ["png", "gif"])
def test_a_picture_past_every_limit_is_told_with_its_size(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    Image.new("RGB", (8, 8)).save(path)
    data = bytearray(path.read_bytes())
    if kind == "png":
        data[16:24] = (30000).to_bytes(4, "big") * 2
        data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    else:
        data[6:10] = (30000).to_bytes(2, "little") * 2
    path.write_bytes(bytes(data))
    with pytest.raises(VideoError, match="30000x30000"):
        probe(path)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_an_animation_that_pauses_near_its_end_is_as_long_as_it_is_shown(tmp_path, suffix):
    pictures = [Image.new("RGB", (64, 48), (40 * k, 90, 200 - 30 * k)) for k in range(6)]
    delays, path = [100, 100, 100, 3000, 3000, 100], tmp_path / f"o{suffix}"
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:], duration=delays)
    burn(probe(tmp_path / "a.gif"), WHOLE, path, BurnOptions())
    with av.open(str(path)) as container:
        assert container.duration == pytest.approx(6_400_000, abs=50_000)
        stream = container.streams.video[0]
        if suffix != ".mkv":  # which tells no length of its streams
            assert float(stream.duration * stream.time_base) == pytest.approx(6.4, abs=0.05)


def test_a_png_with_a_long_text_is_a_picture(tmp_path):
    about = PngImagePlugin.PngInfo()
    about.add_text("Title", "x" * 2_000_000, zip=True)
    Image.new("RGB", (64, 48), (200, 30, 30)).save(tmp_path / "a.png", pnginfo=about)
    assert probe(tmp_path / "a.png").kind == "picture"
