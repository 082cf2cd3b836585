"""Captions as people wrote them: cleaned, judged usable or not, cut into sentences."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from preprocess.tally import Tally

HANGUL = re.compile("[가-힣]")
LETTER = re.compile(r"[^\W\d_]")
SENTENCE_END = re.compile(r"(?<=[가-힣][.!?。])\s+")
MAX_LETTERS = 120
MASK = "#"  # stands for what was made anonymous


def clean(caption: str) -> str:
    """The caption in NFC with single spaces, without control marks and closing punctuation."""
    text = unicodedata.normalize("NFC", caption)
    text = "".join(" " if unicodedata.category(c) in ("Cc", "Zs") else c for c in text)
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Cs"))
    return " ".join(text.split()).rstrip(" .!。")


def hangul_share(text: str) -> float:
    """Hangul among the letters, 0 to 1; 0 where there are no letters."""
    letters = len(LETTER.findall(text))
    return len(HANGUL.findall(text)) / letters if letters else 0.0


def usable(caption: Any) -> str | None:
    """None if the caption can be used, else the reason to drop it."""
    if not isinstance(caption, str):
        return "caption is not text"
    text = clean(caption)
    if not text:
        return "empty caption"
    if hangul_share(text) < 0.5:
        return "caption is not Korean"
    if MASK in text:
        return "caption with an anonymous mark"
    return "caption too long" if len(text) > MAX_LETTERS else None


def kept(captions: Iterable[Any], name: str, tally: Tally) -> tuple[str, ...]:
    """The cleaned captions without repetitions, in order; the others are counted."""
    found: dict[str, None] = {}
    for caption in captions:
        reason = usable(caption)
        if reason:
            tally.drop(reason, f"{name}: {caption}")
        elif clean(caption) in found:
            tally.drop("caption occurs twice", f"{name}: {caption}")
        else:
            found[clean(caption)] = None
    return tuple(found)


def sentences(text: Any) -> tuple[Any, ...]:
    """A description's sentences, for one caption is one sentence; what is no text stays as it is.

    Only a mark after Hangul and before a space ends one: "2.5 m", "No. 3" stay whole.
    """
    if not isinstance(text, str):
        return (text,)
    return tuple(SENTENCE_END.split(unicodedata.normalize("NFC", text).strip()))
