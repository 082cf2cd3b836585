"""Captioned films as shots that can be asked: from tracks, or from an index of thousands."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.words import Words
from preprocess.errors import SettingError
from video.scenes.matching import Sentences, words_of
from video.scenes.store import read, texts_of
from video.track import Track


@dataclass(frozen=True)
class Hit:
    """A shot that answers a query.

    Attributes:
        video: the film's file name.
        track: the file its captions are in; "" for a track that came from no file.
        start_ms: on the clock a player shows.
        end_ms: after start_ms.
        caption: its sentence.
        score: how well it answers, at most 1.
    """

    video: str
    track: str
    start_ms: int
    end_ms: int
    caption: str
    score: float


Place = tuple[str, str, int, int, str]  # a hit without its score


class Library:
    """Shots ready to be asked, in memory."""

    def __init__(
        self, places: Sequence[Place], sentences: Sequence[Sequence[str]], words: Words
    ) -> None:
        """As `of` and `load`; sentences: the full words of each place's sentences."""
        self._places = places
        self._sentences = Sentences(sentences, words)

    @classmethod
    def of(cls, tracks: Iterable[tuple[str, Track]], words: Words) -> "Library":
        """Tracks, each with the name of its file or "", without an index."""
        found = [(name, track.video, shot) for name, track in tracks for shot in track.shots]
        places = [(video, name, s.start_ms, s.end_ms, s.caption) for name, video, s in found]
        return cls(places, [words_of(texts_of(s), words) for _, _, s in found], words)

    @classmethod
    def load(cls, index: Path, words: Words) -> "Library":
        """Everything in an index.

        Raises:
            DataError: there is none, it is damaged, or it was made with another captioner.
        """
        rows = read(index, words)
        return cls([row[:5] for row in rows], [row[5] for row in rows], words)

    def __len__(self) -> int:
        return len(self._places)

    def search(self, query: str, top: int = 10) -> list[Hit]:
        """The `top` shots that answer a Korean query best, best first; equals in their order.

        Raises:
            SettingError: the query has no word, or top is below 1.
        """
        if not query.strip():
            raise SettingError(
                f"찾을 말이 없습니다: '{query}'. 보이는 것을 적어 주세요.",
                f"there is nothing to search for: '{query}'. Say what is to be seen.",
            )
        if top < 1:
            raise SettingError(f"1 이상의 개수를 주세요: {top}.", f"give a count from 1: {top}.")
        scores = self._sentences.scores(query)
        top = min(top, len(scores))
        if not top:
            return []
        least = np.partition(scores, -top)[-top]
        rows = np.flatnonzero(scores >= max(least, 1e-6))
        ranked = rows[np.argsort(-scores[rows], kind="stable")][:top]
        return [Hit(*self._places[int(row)], score=float(scores[row])) for row in ranked]
