"""Photos answered at once: their sentences, the vectors of their words, what the CNN saw."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from model.caption import Caption
from preprocess.errors import CaptioningError, VideoError
from preprocess.frames import frames, probe
from preprocess.media import Limits
from preprocess.pictures import Picture
from video.server.films import nameless
from video.server.worker import Held

Sent = tuple[Path, str]  # where a photo is kept, and what it is called
SENTENCES = 3


def describe(
    held: Held, photos: Sequence[Sent], limits: Limits, whole: bool
) -> list[dict[str, Any]]:
    """What is seen in each photo; whole adds the vectors of its words and the CNN's features.

    Raises:
        VideoError: one is no photo; without a path.
    """
    told = []
    for (_, name), picture in zip(photos, pictures(photos, limits), strict=True):
        caption = held.captioner.caption(picture[None])
        told.append(_sentences(name, caption) | (_vectors(held, picture, caption) if whole else {}))
    return told


def pictures(photos: Sequence[Sent], limits: Limits) -> Iterator[Picture]:
    """Each photo, uint8 (H, W, 3) RGB, one at a time; raises as describe."""
    for path, name in photos:
        try:
            picture = _picture(path, limits)
        except CaptioningError as error:
            told = nameless(error, {path: name, path.parent: ""})
            raise VideoError(told.korean, told.english) from None
        yield picture


def _picture(path: Path, limits: Limits) -> Picture:
    """The photo, or the first frame of an animation."""
    media = probe(path, limits)
    if media.kind == "video":
        raise VideoError(
            f"'{path}'은(는) 사진이 아니라 영상입니다. 영상으로 보내세요.",
            f"'{path}' is a film, no photo. Send it as a film.",
        )
    return next(iter(frames(media))).picture()


def _sentences(name: str, caption: Caption) -> dict[str, Any]:
    others = [other for other in caption.alternatives if other.text != caption.text]
    found = [(caption.text, caption.confidence), *((o.text, o.confidence) for o in others)]
    sentences = [{"text": t, "confidence": round(float(c), 4)} for t, c in found[:SENTENCES]]
    return {"name": name, "caption": caption.text, "sentences": sentences}


def _vectors(held: Held, picture: Picture, caption: Caption) -> dict[str, Any]:
    """Word by word its vector, and the CNN's features, their mean over all regions."""
    words = [{"word": w, "embedding": _listed(held.words.word(w))} for w in caption.morphemes]
    features = held.captioner.features([picture])[0].mean(0)
    return {"words": words, "cnn_features": _listed(features)}


def _listed(vector: npt.NDArray[np.float32]) -> list[float]:
    return [round(float(value), 5) for value in vector]
