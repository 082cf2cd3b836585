"""The Hangul font that captions are drawn with."""

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from preprocess.errors import MissingExtra, SettingError
from preprocess.files import is_file

_PACKAGE, _FILE = "pylopdf_fonts_ko", "NotoSansKR-Regular.otf"  # SIL OFL 1.1
_LARGEST = 100_000_000  # bytes; Noto Sans CJK with all its weights
_UNNAMED = r"[,?{}\\\x00-\x1f]"
_ABSENT = "\U0010fffe"  # a code point that never is a character: drawn as 'no such glyph'


@dataclass(frozen=True)
class Font:
    """A font file that can write Hangul.

    Attributes:
        path: the file.
        family: the name that libass finds it by.
        line_to_em: line height / em; subtitle formats measure fonts by their line height.
    """

    path: Path
    family: str
    line_to_em: float


@lru_cache(maxsize=4)
def hangul_font(path: Path | None = None) -> Font:
    """The font in path, or the one that comes with the project's packages.

    Raises:
        SettingError: path is missing, no font, or has no Hangul.
        MissingExtra: no path was given and the font package is not installed.
    """
    from PIL import ImageFont

    file = path or packaged_font()
    try:
        if not is_file(file) or file.stat().st_size > _LARGEST:  # a pipe would be waited for
            raise OSError("no file" if not is_file(file) else f"> {_LARGEST // 10**6} MB")
        face = ImageFont.truetype(str(file), 1000)
        blank = bytes(face.getmask("가")) == bytes(face.getmask(_ABSENT))
        family = _family(face.getname()[0])
        line = sum(face.getmetrics()) / 1000
        if not 0.2 < line < 20:
            raise ValueError(f"line height {line:g} em")
    except (OSError, ValueError, MemoryError, SystemError) as error:
        raise SettingError(
            f"글꼴 '{file}'을(를) 열 수 없습니다 ({error}). TTF나 OTF 파일을 주세요.",
            f"cannot open font '{file}' ({error}). Give a TTF or OTF file.",
        ) from None
    if blank:
        raise SettingError(
            f"글꼴 '{file}'에는 '가'가 없습니다. 한글 글꼴을 주세요: --font NanumGothic.ttf",
            f"font '{file}' has no glyph for '가'. Give a Korean font: --font NanumGothic.ttf",
        )
    return Font(file.absolute(), family, line)


def _family(told: str | None) -> str:
    """The family's name, if an ASS style can hold it: fields end at commas, styles at newlines.

    FreeType tells "?" for what is not ASCII; by such a name libass would find another font.
    """
    name = told or ""
    if name != name.strip() or not name or len(name) > 200 or re.search(_UNNAMED, name):
        raise ValueError(f"family name {name[:40]!r}")
    return name


def packaged_font() -> Path:
    """Noto Sans KR, found without importing its package.

    Raises:
        MissingExtra: the package is not installed.
    """
    spec = find_spec(_PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(folder) / _FILE).is_file():
            return Path(folder) / _FILE
    raise MissingExtra(
        "한글 글꼴이 없습니다. 설치하거나 (pip install pylopdf-fonts-ko) 글꼴을 주세요: --font",
        "no Hangul font is installed. Install one (pip install pylopdf-fonts-ko) or give --font",
    )
