"""What is where: boxes with sentences of their own, in the manner of DenseCap.

Johnson, Karpathy and Fei-Fei 2016, arXiv:1511.07571, train boxes and sentences together on marked
regions. Nobody marked regions for us: boxes come from the picture's own edges, and the captioner
says of each what it says of a picture.
"""

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from preprocess.errors import SettingError
from preprocess.files import path_of, whole_file
from preprocess.pictures import Picture
from video.console import say
from video.fonts import hangul_font
from video.scenes.boxes import Box, Candidate, area, candidates, common
from video.track import printable
from video.values import limits, moment, whole

if TYPE_CHECKING:
    from model.caption import Caption

ABOUT = "어디에 무엇이 있는지 칸마다 적습니다. (Boxes with their own sentences.)"
FORMATS = (".png", ".json")
COLOURS = ("#e6194b", "#3cb44b", "#4363d8", "#f58231", "#911eb4", "#008080", "#9a6324", "#808000")
LINE = 24  # pixels of a line of text
SAME_PLACE = 0.8  # of the smaller box's area
DRAWN = 640  # pixels of the longer side from which letters can be read; up to twice as many
FORMAT, VERSION = "korean-region-captions", 1


@dataclass(frozen=True)
class RegionOptions:
    """Which regions are told; the only place where these defaults are written.

    Attributes:
        most: regions told.
        looked: boxes captioned, of which the most confident are told.
        overlap: intersection over union from which the worse of two boxes goes.
        min_area: share of the picture that a box has at least.
    """

    most: int = 10
    looked: int = 15
    overlap: float = 0.6
    min_area: float = 0.02

    @classmethod
    def of(cls, most: int) -> "RegionOptions":
        """To tell `most`; more boxes are captioned than are told."""
        return cls(most, max(cls.looked, most * 3 // 2))

    def __post_init__(self) -> None:
        shares = 0 < self.overlap <= 1 and 0 < self.min_area < 1
        if not shares or min(self.most, self.looked) < 1:
            raise SettingError(
                f"쓸 수 없는 설정: {self}. 개수는 1 이상, 비율은 0과 1 사이여야 합니다.",
                f"unusable: {self}. Numbers need at least 1, shares lie between 0 and 1.",
            )


@dataclass(frozen=True)
class Region:
    """A box with its own sentence.

    Attributes:
        box: left, top, right, bottom in pixels; right and bottom lie outside.
        caption: one Korean sentence about what is inside.
        confidence: 0-1, the sentence's own times the box's objectness.
    """

    box: Box
    caption: str
    confidence: float


class Captions(Protocol):
    """What regions need of a captioner."""

    def caption_many(self, shots: Sequence[npt.NDArray[np.uint8]]) -> "list[Caption]":
        """One sentence a shot; each shot is uint8 (n, H, W, 3) RGB."""


DEFAULT = RegionOptions()


def regions(
    picture: Picture, captioner: Captions, options: RegionOptions = DEFAULT
) -> list[Region]:
    """What is where in a picture uint8 (H, W, 3) RGB, surest first; [] in one without edges."""
    count = max(options.looked, options.most)
    boxes = candidates(picture, count, options.min_area, options.overlap)
    crops = [picture[top:bottom, left:right][None] for left, top, right, bottom in map(_box, boxes)]
    said = captioner.caption_many(crops) if crops else []
    told = [Told(c, s, c.objectness * s.confidence) for c, s in zip(boxes, said, strict=True)]
    kept: list[Told] = []
    for one in sorted(told, key=lambda t: (-t.confidence, t.candidate.box)):
        if not any(_repeats(one, other) for other in kept):
            kept.append(one)
    found = [Region(t.candidate.box, t.caption.text, t.confidence) for t in kept]
    return found[: options.most]


@dataclass(frozen=True, eq=False)
class Told:
    """A box with what is said of it."""

    candidate: Candidate
    caption: "Caption"
    confidence: float


def _box(candidate: Candidate) -> Box:
    return candidate.box


def _repeats(one: Told, other: Told) -> bool:
    """Whether one says of the same place what a surer one says already."""
    shared = common(one.candidate.box, other.candidate.box)
    smaller = min(area(one.candidate.box), area(other.candidate.box))
    return one.caption.content == other.caption.content and shared > SAME_PLACE * smaller


def drawn(picture: Picture, found: Sequence[Region]) -> Image.Image:
    """The picture with numbered boxes, and the sentences beneath in their boxes' colours."""
    height, width = picture.shape[:2]
    scale = min(max(1.0, DRAWN / max(height, width)), 2 * DRAWN / max(height, width))
    photo = Image.fromarray(picture).resize((round(width * scale), round(height * scale)))
    font = ImageFont.truetype(str(hangul_font().path), LINE * 3 // 4)
    lines = [f"{n}. {one.caption} ({one.confidence:.0%})" for n, one in enumerate(found, 1)]
    across = max(photo.width, *(math.ceil(font.getlength(line)) + 16 for line in lines or [""]))
    page = Image.new("RGB", (across, photo.height + LINE * (len(found) + 1)), "white")
    page.paste(photo, (0, 0))
    draw = ImageDraw.Draw(page)
    for number, region in reversed(list(enumerate(found))):  # surest on top
        colour = COLOURS[number % len(COLOURS)]
        left, top, right, bottom = (round(side * scale) for side in region.box)
        draw.rectangle((left, top, right - 1, bottom - 1), outline=colour, width=3)
        label = f" {number + 1} "
        draw.rectangle((left, top, left + font.getlength(label), top + LINE), fill=colour)
        draw.text((left, top), label, "white", font)
        below = photo.height + LINE * number + LINE // 2
        draw.text((8, below), lines[number], colour, font)
    return page


def to_json(path: Path, picture: Picture, found: Sequence[Region]) -> str:
    """The regions as JSON text: Hangul readable, ending in a newline."""
    height, width = picture.shape[:2]
    about = {"format": FORMAT, "version": VERSION, "picture": printable(path.name)}
    about |= {"width": width, "height": height}
    fields: dict[str, Any] = {**about, "regions": [asdict(region) for region in found]}
    return json.dumps(fields, ensure_ascii=False, indent=2) + "\n"


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("--overwrite", action="store_true", help="있는 결과를 덮어씁니다")
    parser.add_argument("picture", type=path_of, help="사진, 또는 영상의 한 순간 (picture or film)")
    parser.add_argument("-o", "--output", type=path_of, required=True, help="NAME.png, NAME.json")
    parser.add_argument("--at", type=moment, default=0, help="영상의 순간: 12s (moment of a film)")
    parser.add_argument(
        "--most", type=whole(1, 100), default=DEFAULT.most, metavar="N",
        help="많아야 몇 개 (regions at most, 기본: %(default)s)",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Writes the regions, drawn or as JSON, and says them."""
    from model.captioner import Captioner
    from video.scenes.stills import check_result, still

    target: Path = arguments.output
    check_result(target, arguments.picture, FORMATS, arguments.overwrite)
    picture = still(arguments.picture, arguments.at, limits(arguments))
    found = regions(picture, Captioner.load(arguments.model), RegionOptions.of(arguments.most))
    with whole_file(target) as part:
        if target.suffix.lower() == ".json":
            part.write_text(to_json(arguments.picture, picture, found), encoding="utf-8")
        else:
            drawn(picture, found).save(part, "PNG")
    for region in found:
        say(f"{region.confidence:4.0%}  {' '.join(map(str, region.box))}  {region.caption}")
    if not found:
        say(_NOTHING[arguments.lang])
    say(str(target))
    return 0


_NOTHING = {
    "ko": "따로 말할 만한 곳을 찾지 못했습니다.",
    "en": "No part stands out that could be told.",
}
