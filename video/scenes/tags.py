"""Hashtags of photos, a film or a track: what is seen, what goes with it, an impression."""

import json
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.gist import HEDGE
from model.keywords import keywords, of_caption
from model.related import Related, english
from preprocess.errors import SettingError
from preprocess.pictures import Picture
from video.track import Track

if TYPE_CHECKING:
    from model.caption import Caption
    from model.captioner import Captioner
    from model.words import Words

GROUPS = Path(__file__).with_name("impressions.tsv")
PHOTOS, SENTENCES = 10, 3
# snow or eyes, coat or court: not translated where no sentence named them
AMBIGUOUS = ("눈", "배", "말", "코트", "다리")


@dataclass(frozen=True)
class TagOptions:
    """Which tags are made; the only place where these defaults are written.

    Attributes:
        most: tags in all; Instagram takes 30.
        keywords: of a photo or shot; all together have twice as many.
        related: nouns that go with the keywords.
        impressions: groups whose tags are added, in their order.
        blocked: words that no tag, keyword or related noun may contain; of one letter: may be.
    """

    most: int = 30
    keywords: int = 5
    related: int = 10
    impressions: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.impressions:
            if name not in groups():
                known = ", ".join(groups())
                raise SettingError(
                    f"느낌 '{name}'이(가) 없습니다. 다음 가운데 고르세요: {known}.",
                    f"no impression '{printed(name)}'. Run --help for those there are.",
                )


@dataclass(frozen=True)
class Hashtags:
    """What can be written under photos or a film.

    Attributes:
        captions: three sentences, or as many as were found, for each photo; of a film its surest.
        keywords: Korean nouns, likeliest first.
        related: Korean nouns that go with them, likeliest first.
        tags: "#강아지", "#puppy" ..., each once, at most as many as were asked for.
    """

    captions: tuple[tuple[str, ...], ...]
    keywords: tuple[str, ...]
    related: tuple[str, ...]
    tags: tuple[str, ...]

    @property
    def line(self) -> str:
        """All tags, to copy."""
        return " ".join(self.tags)


DEFAULT = TagOptions()


@lru_cache(maxsize=1)
def groups() -> Mapping[str, tuple[str, ...]]:
    """Impression groups and their tags without #, Korean first."""
    lines = GROUPS.read_text(encoding="utf-8").splitlines()[1:]
    return {name: tuple(tags.split()) for name, tags in (line.split("\t") for line in lines)}


def of_photos(
    photos: Sequence[Picture], captioner: "Captioner", options: TagOptions = DEFAULT
) -> Hashtags:
    """Hashtags of one to ten pictures uint8 (H, W, 3) RGB.

    Raises:
        SettingError: none or more than ten.
    """
    check_count(len(photos))
    doubting = captioner.doubting(HEDGE)  # only who doubts reads a picture more than once
    said = doubting.caption_many([photo[None] for photo in photos])
    related = Related.load()
    found = [
        of_caption(caption, captioner.recognised(photo[None]), related, options.keywords)
        for photo, caption in zip(photos, said, strict=True)
    ]
    scores = _summed((k.noun, k.score) for one in found for k in one)
    captions = tuple(sentences(caption) for caption in said)
    return _made(captions, scores, related, options)


def check_count(photos: int) -> None:
    """Raises SettingError unless so many photos can have tags together."""
    if not 1 <= photos <= PHOTOS:
        raise SettingError(
            f"사진은 1~{PHOTOS}장이어야 합니다: {photos}장.",
            f"1 to {PHOTOS} photos are needed: {photos}.",
        )


def of_track(track: Track, words: "Words", options: TagOptions = DEFAULT) -> Hashtags:
    """Hashtags of a captioned film; surer and longer shots count more."""
    related = Related.load()
    scores: list[tuple[str, float]] = []
    for shot in track.shots:
        others = [(other.caption, other.confidence) for other in shot.alternatives]
        told = [(shot.caption, max(shot.confidence, sum(sure for _, sure in others))), *others]
        readings = [(words.split(text), max(weight, 1e-3)) for text, weight in told]
        share = shot.confidence * (shot.end_ms - shot.start_ms) / max(1, track.duration_ms)
        found = keywords(readings, related, most=options.keywords)
        scores += [(k.noun, k.score * share) for k in found]
    return _made((_surest(track),), _summed(scores), related, options)


def _surest(track: Track) -> tuple[str, ...]:
    """Three sentences about a film: of its surest shots, then other sentences about these."""
    shots = sorted(track.shots, key=lambda shot: -shot.confidence)
    texts = [shot.caption for shot in shots]
    texts += [other.caption for shot in shots for other in shot.alternatives]
    return tuple(dict.fromkeys(texts))[:SENTENCES]


def sentences(caption: "Caption") -> tuple[str, ...]:
    """Three different sentences about a picture, if there are as many."""
    texts = [caption.text, *(other.text for other in caption.alternatives)]
    return tuple(dict.fromkeys(texts))[:SENTENCES]


def _summed(scores: Iterable[tuple[str, float]]) -> dict[str, float]:
    """The nouns by the sums of their scores, highest first."""
    total: dict[str, float] = {}
    for noun, score in scores:
        total[noun] = total.get(noun, 0.0) + score
    return dict(sorted(total.items(), key=lambda one: (-one[1], one[0])))


def _made(
    captions: tuple[tuple[str, ...], ...],
    scores: Mapping[str, float],
    related: Related,
    options: TagOptions,
) -> Hashtags:
    bad = _blocked(options.blocked)
    allowed = {noun: score for noun, score in scores.items() if not bad(noun)}
    kept = dict(list(allowed.items())[: 2 * options.keywords])
    near = [noun for noun in related.near(kept, options.related) if not bad(noun)]
    impressions = [tag for name in options.impressions for tag in groups()[name]]
    sure = [noun for noun in near if noun not in AMBIGUOUS]
    words = [*kept, *map(translated, kept), *impressions, *near, *map(translated, sure)]
    tags = tuple(distinct(words, options.blocked))[: options.most]
    return Hashtags(captions, tuple(kept), tuple(near), tags)


def translated(noun: str) -> str:
    """Its English, or nothing."""
    return english().get(noun, "")


def distinct(words: Iterable[str], blocked: Collection[str]) -> list[str]:
    """Words as hashtags, each once, without blocked ones.

    A hashtag ends at the first sign that is no letter or digit, so they are run together.
    """
    bad = _blocked(blocked)
    plain = dict.fromkeys(_plain(word) for word in words if not bad(word))
    return [f"#{word}" for word in plain if word]


def _blocked(words: Collection[str]) -> Callable[[str], bool]:
    """Whether a word has a blocked one in it; of one letter: is it."""
    refused = {_plain(word) for word in words} - {""}

    def bad(word: str) -> bool:
        plain = _plain(word)
        return any(plain == b or (len(b) > 1 and b in plain) for b in refused)

    return bad


def _plain(word: str) -> str:
    composed = unicodedata.normalize("NFC", word).casefold()
    return "".join(c for c in composed if c.isalnum() or c == "_")


def printed(name: str) -> str:
    """A name as it can stand in an English line."""
    return ascii(name)[1:-1]


def to_json(found: Hashtags) -> str:
    """As JSON text: Hangul readable, the copyable line with it."""
    fields: dict[str, Any] = {**asdict(found), "line": found.line}
    return json.dumps(fields, ensure_ascii=False, indent=2)
