"""How captions look: presets, and what can be changed of them."""

from dataclasses import dataclass
from typing import Literal

from preprocess.errors import SettingError
from video.fonts import Font

Colour = tuple[int, int, int]
Position = Literal["bottom", "middle", "top"]
DARK, LIGHT = (16, 16, 16), (255, 255, 255)


@dataclass(frozen=True)
class Preset:
    """A look that was made to fit together; size in percent of the picture's height."""

    size: float
    position: Position
    box: bool
    bold: bool


PRESETS = {
    "film": Preset(5.2, "bottom", box=False, bold=False),
    "box": Preset(5.8, "bottom", box=True, bold=True),
    "top": Preset(4.6, "top", box=True, bold=False),
}


@dataclass(frozen=True)
class StyleOptions:
    """What was asked for; the only place where these defaults are written.

    Attributes:
        style: name of a preset.
        size: of a syllable, in percent of the picture's height; None: the preset's.
        colour: of the letters, "#rrggbb" or an English name.
        position: where the text stands; None: the preset's.
        box: whether a dark box lies under the text; None: the preset's.
    """

    style: str = "film"
    size: float | None = None
    colour: str = "white"
    position: Position | None = None
    box: bool | None = None


@dataclass(frozen=True)
class Look:
    """How ASS text is drawn on a picture of a given size; all sizes in its pixels.

    Attributes:
        width: of the picture.
        height: of the picture.
        family: name of the font.
        em: height of a Hangul syllable.
        em_to_size: ASS sizes are line heights: line height of the font / em.
        colour: of the letters.
        position: where the text stands.
        box: whether a box lies under the text; without one the letters have an outline.
        bold: whether letters in a box are thicker.
    """

    width: int
    height: int
    family: str = "Noto Sans KR"
    em: int = 37
    em_to_size: float = 1.448  # of Noto Sans KR
    colour: Colour = LIGHT
    position: Position = "bottom"
    box: bool = False
    bold: bool = False

    @property
    def line_width(self) -> int:
        """Syllables that fit between the 5 % margins; more than 24 are hard to read at once."""
        return max(4, min(24, int(0.9 * self.width / (0.94 * self.em))))

    @property
    def edge(self) -> Colour:
        """Of outline or box: what the letters stand out from (luma of ITU-R BT.601)."""
        red, green, blue = self.colour
        return DARK if 0.299 * red + 0.587 * green + 0.114 * blue > 110 else LIGHT


def look_for(width: int, height: int, font: Font, options: StyleOptions = StyleOptions()) -> Look:
    """Letters that suit a picture: less high where it is narrow, never tiny.

    Raises:
        SettingError: an option has no meaning.
    """
    preset, colour = checked(options)
    share = (preset.size if options.size is None else options.size) / 100
    em = min(share * height, 1.115 * share * width)
    readable = min(16.0, height / 7)  # strokes of Hangul run together below
    return Look(
        *(width, height, font.family, max(1, round(max(em, readable))), font.line_to_em),
        colour=colour,
        position=options.position or preset.position,
        box=preset.box if options.box is None else options.box,
        bold=preset.bold,
    )


def checked(options: StyleOptions) -> tuple[Preset, Colour]:
    """The preset and the colour that are meant.

    Raises:
        SettingError: an option has no meaning.
    """
    if options.size is not None and not 0 < options.size <= 50:
        raise SettingError(
            f"글자 크기 {options.size:g}%: 화면 높이의 0보다 크고 50 이하로 주세요.",
            f"text size {options.size:g} %: give above 0 and up to 50 percent of the height.",
        )
    return _preset(options.style), _colour(options.colour)


def _preset(name: str) -> Preset:
    if name not in PRESETS:
        known = ", ".join(PRESETS)
        raise SettingError(
            f"자막 모양 '{name}'이(가) 없습니다. {known} 가운데 고르세요.",
            f"no style '{name}'. Choose one of {known}.",
        )
    return PRESETS[name]


def _colour(name: str) -> Colour:
    from PIL import ImageColor

    try:
        red, green, blue, *_ = ImageColor.getrgb(name)
        if not all(0 <= part <= 255 for part in (red, green, blue)):
            raise ValueError("past what a colour can be")
    except ValueError:
        raise SettingError(
            f"색 '{name}'을(를) 모릅니다. '#ffd400'이나 yellow처럼 주세요.",
            f"unknown colour '{name}'. Give one like '#ffd400' or yellow.",
        ) from None
    return red, green, blue
