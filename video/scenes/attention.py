"""Where the captioner looked for each morpheme of a sentence, drawn: Show, Attend and Tell.

Xu et al. 2015, arXiv:1502.03044: the attention of a decoding step is a share, summing to 1, of
each region of the picture. It is drawn as it is; the regions are few (8 x 8 in the shipped
captioner) and only the blending between them is ours.
"""

import argparse
import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from model.gist import PLAIN
from preprocess.files import path_of, whole_file
from preprocess.pictures import Picture
from video.console import say
from video.fonts import hangul_font
from video.values import limits, moment

ACROSS, SIDE = 4, 320  # pictures a row of a sheet; pixels of a picture's longer side
LINE = 24  # pixels of a line of text
NARROWEST = 160  # pixels that words are written in
OPACITY = 0.6  # of the heat where most was looked
EVEN = 4.0  # times the mean: where no region has more, the whole is hardly warm
STEP_MS = 900  # of a word in a GIF
if TYPE_CHECKING:
    from model.captioner import Captioner

ABOUT = "낱말마다 어디를 보았는지 그립니다. (Where was looked for each word.)"
FORMATS = (".png", ".gif")


@dataclass(frozen=True, eq=False)
class Look:
    """A morpheme and where the captioner looked for it.

    Attributes:
        word: as it is written in the sentence.
        heat: float32 (rows, columns), >= 0, sum 1: the share of each region.
    """

    word: str
    heat: npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Looks:
    """The likeliest sentence about a picture with its looks, in order.

    Attributes:
        text: the sentence.
        confidence: 0-1, as in Caption.
        looks: one for each of its morphemes.
    """

    text: str
    confidence: float
    looks: tuple[Look, ...]


def looks(picture: Picture, captioner: "Captioner") -> Looks:
    """Where was looked for the likeliest sentence, not for one reworded in doubt.

    A reworded sentence was not decoded: nobody looked anywhere for its words.

    Args:
        picture: uint8 (H, W, 3) RGB.
        captioner: a loaded one, whatever its doubts.
    """
    caption = captioner.doubting(PLAIN).caption(picture[None])
    heats = caption.attention.mean(1)
    pairs = zip(caption.morphemes, heats, strict=True)
    return Looks(caption.text, caption.confidence, tuple(Look(*pair) for pair in pairs))


def warmed(picture: Picture, heat: npt.NDArray[np.float32]) -> Picture:
    """The picture under its heat, hottest where most was looked: uint8 (H, W, 3).

    Args:
        picture: uint8 (H, W, 3) RGB.
        heat: (rows, columns), sum 1. One that is nearly even stays dark: it says nothing.
    """
    height, width = picture.shape[:2]
    smooth = cv2.resize(heat, (width, height), interpolation=cv2.INTER_CUBIC)
    most = max(float(heat.max()), EVEN / heat.size)
    share = np.clip(smooth / most, 0, 1).astype(np.float32)
    coloured = cv2.applyColorMap((255 * share).astype(np.uint8), cv2.COLORMAP_INFERNO)[:, :, ::-1]
    opacity = OPACITY * share[:, :, None]
    dimmed = 0.75 * picture  # so that heat stands out on bright pictures too
    return np.asarray(dimmed * (1 - opacity) + coloured * opacity, np.uint8)


def sheet(picture: Picture, seen: Looks) -> Image.Image:
    """The picture and, for each morpheme, the picture under its heat; the words beneath."""
    small = _shrunk(picture)
    cells = [(small, f"{seen.confidence:.0%}")]
    cells += [(warmed(small, look.heat), _told(look)) for look in seen.looks]
    font, height = _font(), small.shape[0]
    width = max(small.shape[1], *(16 + math.ceil(font.getlength(word)) for _, word in cells))
    across = max(ACROSS * width, 16 + math.ceil(font.getlength(seen.text)))
    rows, head = -(-len(cells) // ACROSS), 2 * LINE
    page = Image.new("RGB", (across, head + rows * (height + 2 * LINE)), "white")
    draw = ImageDraw.Draw(page)
    draw.text((8, LINE // 2), seen.text, "black", font)
    for number, (cell, word) in enumerate(cells):
        left, up = number % ACROSS * width, head + number // ACROSS * (height + 2 * LINE)
        page.paste(Image.fromarray(cell), (left, up))
        draw.text((left + 8, up + height + 4), word, "black", font)
    return page


def steps(picture: Picture, seen: Looks) -> list[Image.Image]:
    """The sentence growing morpheme by morpheme, the picture under the newest one's heat."""
    small, font = _shrunk(picture), _font()
    height, width = small.shape[0], max(small.shape[1], NARROWEST)
    lines = _lines(seen, width - 16, font)
    pages = []
    for number, look in enumerate(seen.looks):
        page = Image.new("RGB", (width, height + LINE * (1 + len(lines)) + LINE // 2), "white")
        page.paste(Image.fromarray(warmed(small, look.heat)), (0, 0))
        draw = ImageDraw.Draw(page)
        for row, line in enumerate(lines):
            left = 8.0
            for place, word in line:
                colour = "#c00000" if place == number else "black" if place < number else "#a0a0a0"
                draw.text((left, height + LINE // 2 + row * LINE), word, colour, font)
                left += font.getlength(word)
        pages.append(page)
    return pages


def encoded(picture: Picture, seen: Looks, form: str) -> bytes:
    """The sheet as a PNG ("png"), or the steps as an endless GIF ("gif")."""
    held = io.BytesIO()
    if form == "png":
        sheet(picture, seen).save(held, "PNG")
        return held.getvalue()
    first, *others = steps(picture, seen)
    times = [*[STEP_MS] * len(others), 2 * STEP_MS]
    first.save(held, "GIF", save_all=True, append_images=others, duration=times, loop=0)
    return held.getvalue()


def _told(look: Look) -> str:
    """The word, and the share of the region that was looked at most: 소녀 12%."""
    return f"{look.word}  {look.heat.max():.0%}"


def _lines(seen: Looks, width: int, font: ImageFont.FreeTypeFont) -> list[list[tuple[int, str]]]:
    """The morphemes with their places and the spaces before them, on lines that fit."""
    lines: list[list[tuple[int, str]]] = [[]]
    used, rest = 0.0, seen.text
    for place, look in enumerate(seen.looks):
        spaced = rest.startswith(" ")
        rest = rest[spaced + len(look.word) :]
        word = " " * spaced + look.word
        if used + font.getlength(word) > width and lines[-1]:
            lines.append([])
            used, word = 0.0, look.word
        lines[-1].append((place, word))
        used += font.getlength(word)
    return lines


def _shrunk(picture: Picture) -> Picture:
    """The picture with a longer side of SIDE pixels."""
    height, width = picture.shape[:2]
    scale = SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _font() -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(hangul_font().path), LINE * 3 // 4)


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("--overwrite", action="store_true", help="있는 결과를 덮어씁니다")
    parser.add_argument("picture", type=path_of, help="사진, 또는 영상의 한 순간 (picture or film)")
    parser.add_argument("-o", "--output", type=path_of, required=True, help="NAME.png, NAME.gif")
    parser.add_argument("--at", type=moment, default=0, help="영상의 순간: 12s (moment of a film)")


def run(arguments: argparse.Namespace) -> int:
    """Writes the sheet, or the GIF that steps through the words."""
    from model.captioner import Captioner
    from video.scenes.stills import check_result, still

    target: Path = arguments.output
    check_result(target, arguments.picture, FORMATS, arguments.overwrite)
    picture = still(arguments.picture, arguments.at, limits(arguments))
    seen = looks(picture, Captioner.load(arguments.model))
    with whole_file(target) as part:
        part.write_bytes(encoded(picture, seen, target.suffix.lower()[1:]))
    say(seen.text)
    say(str(target))
    return 0
