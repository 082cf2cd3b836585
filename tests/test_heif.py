"""Photos in HEIC and AVIF: whole and upright, not one of their tiles. Every photo is made here."""

import random

import av
import numpy as np
import pytest

from preprocess.errors import CaptioningError, VideoError
from preprocess.frames import frames, probe
from preprocess.stills import read_still
from tests.clips import ffmpeg
from tests.heif import SIDE, tiled
from tests.test_robust import burned, letters, shown
from video.preview import still_at

COLOURS = [["red", "lime"], ["blue", "white"], ["red", "white"]]
RGB = {"red": (255, 0, 0), "lime": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}
kinds = pytest.mark.parametrize("suffix", ["heic", "avif"])


def tiles_of(picture: np.ndarray) -> list[list[str]]:
    """The colours' names, read from the middle of every tile."""
    middles = picture[SIDE // 2 :: SIDE, SIDE // 2 :: SIDE, :3].astype(int)
    return [
        [min(RGB, key=lambda name: abs(pixel - RGB[name]).sum()) for pixel in row]
        for row in middles
    ]


def turned(colours: list[list[str]], quarters: int) -> list[list[str]]:
    return np.rot90(np.array(colours), quarters).tolist()


@kinds
@pytest.mark.parametrize("quarters", range(4))
def test_a_photo_of_tiles_is_whole_and_upright(tmp_path, suffix, quarters):
    media = probe(tiled(tmp_path / f"a.{suffix}", COLOURS, quarters))
    wanted = turned(COLOURS, quarters)
    size = (len(wanted[0]) * SIDE, len(wanted) * SIDE)
    assert (media.kind, media.width, media.height) == ("picture", *size)
    assert tiles_of(next(iter(frames(media))).picture()) == wanted


@kinds
@pytest.mark.parametrize("form", [".mp4", ".png", ".gif"])
def test_captions_are_drawn_on_the_whole_photo(tmp_path, suffix, form):
    photo = tiled(tmp_path / f"a.{suffix}", [["red", "lime"], ["blue", "red"]], 1)
    plain = probe(photo)
    result = shown(burned(photo, tmp_path / f"o{form}"))
    assert result.shape[:2] == (plain.height, plain.width)
    assert tiles_of(result)[0] == ["lime", "red"] and letters(result) > 20


@kinds
def test_a_photo_that_says_it_is_huge_is_refused_by_its_size(tmp_path, suffix):
    with pytest.raises(VideoError, match=r"too large|can be read"):
        probe(tiled(tmp_path / f"a.{suffix}", COLOURS[:1], large=60_000))


@kinds
def test_damage_is_one_line(tmp_path, suffix):
    whole = tiled(tmp_path / f"a.{suffix}", COLOURS).read_bytes()
    damaged, random_ = tmp_path / f"b.{suffix}", random.Random(0)
    for _ in range(60):
        data = bytearray(whole[: random_.randrange(12, len(whole))])
        for _ in range(random_.randrange(4)):
            data[random_.randrange(12, len(data) + 1) - 1] = random_.randrange(256)
        damaged.write_bytes(data)
        try:
            media = probe(damaged)
        except CaptioningError as error:
            assert "\n" not in str(error)
        else:
            assert media.kind == "picture"


def test_only_the_head_of_a_giant_is_read(tmp_path):
    giant = tiled(tmp_path / "a.heic", COLOURS)
    with giant.open("r+b") as file:
        file.truncate(50_000_000_000)  # a hole: it takes no room
    with pytest.raises(VideoError):
        probe(giant)


def test_an_avif_that_moves_is_a_film(tmp_path):
    path = tmp_path / "a.avif"
    ffmpeg(
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=64x64:r=5:d=1",
        "-c:v",
        "libaom-av1",
        "-cpu-used",
        "8",
        path,
    )
    media = probe(path)
    assert media.kind == "video" and media.duration_ms == pytest.approx(1000, abs=50)
    seen = {frame.time_ms for frame in frames(media)}  # those that others need
    assert {0, 200, 400} < seen <= {0, 200, 400, 600, 800}
    with av.open(str(burned(path, tmp_path / "o.mp4"))) as container:
        assert sum(1 for _ in container.decode(video=0)) == 5
    first, later = (read_still(still_at(media, ms, tmp_path).path) for ms in (0, 500))
    assert (first != later).mean() > 0.1
