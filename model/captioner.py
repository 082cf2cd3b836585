"""The usable whole: frames of a shot in, one Korean sentence out, without TensorFlow."""

import math
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from model.beam import BeamOptions, Hypothesis, beam_search
from model.caption import Alternative, Caption, reworded
from model.colours import missing
from model.confidence import Confidence
from model.decoding import looks, merged, together
from model.details import colours
from model.dispute import disputable, disputed
from model.doubt import supported
from model.general import agreed
from model.gist import HEDGE, HedgeOptions
from model.grammar import mend
from model.sampling import sample
from model.screen import Letters, screen
from model.storage import LETTERS, CaptionerFile, damaged, read_captioner
from model.things import Thing, recognised
from preprocess.errors import CaptionerFileError, SettingError
from preprocess.graph import Session
from preprocess.korean import Morpheme, compose, content
from preprocess.pictures import Picture, nearer, to_square

Frames = npt.NDArray[np.uint8]
DEFAULT = BeamOptions()
VIEWS = 2  # of each frame: whole, and from nearer
SIDES = range(1, 1025)
LOOKS, CHUNK = 2, 4  # pictures through the CNN, and shots through the beam search, at a time


class Captioner:
    """A loaded captioner file.

    Attributes:
        about: plain values from captioner.json: config, encoder, training, scores, terms.
        parameters: numbers in both networks.
    """

    def __init__(
        self, contents: CaptionerFile, options: BeamOptions = DEFAULT,
        hedge: HedgeOptions = HEDGE, threads: int = 2,
    ) -> None:  # fmt: skip
        self.about: Mapping[str, Any] = contents.about
        self.options, self.hedge = options, hedge
        self.parameters = sum(array.size for array in contents.weights.values())
        fitted = contents.about.get("confidence")
        fits = [float(fitted[name]) for name in ("slope", "intercept")] if fitted else []
        self._confidence = Confidence(*fits) if fits else None
        known = contents.weights.get(LETTERS)
        self._letters = None if known is None else Letters.of(known)
        self._vocabulary = contents.vocabulary
        self._motion = bool(contents.about.get("config", {}).get("motion", False))
        self._side = int(contents.about["side"])
        if self._side not in SIDES:
            raise ValueError(f"side {self._side}")
        parts = (contents.graphs[name] for name in ("encoder", "start", "step"))
        self._encode, self._start, self._step = (Session(part, threads) for part in parts)
        self._threads = threads
        self._classifier = contents.graphs.get("things")
        self._classify: Session | None = None

    @classmethod
    def load(
        cls, path: Path | str, options: BeamOptions = DEFAULT, hedge: HedgeOptions = HEDGE,
        threads: int = 2,
    ) -> "Captioner":  # fmt: skip
        """Reads a .kcap file.

        Raises:
            CaptionerFileError: damaged, of a newer format, or not a captioner file.
        """
        contents = read_captioner(Path(path))
        try:
            return cls(contents, options, hedge, threads)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise damaged(Path(path), str(error)) from None

    def doubting(self, hedge: HedgeOptions) -> "Captioner":
        """The same captioner with other doubts; the networks are shared, not loaded again."""
        other = copy(self)
        other.hedge = hedge
        return other

    def caption(self, frames: Frames) -> Caption:
        """The sentence for one shot; frames: uint8 (n, H, W, 3) RGB in order of time, any size."""
        return self.caption_many([frames])[0]

    def caption_many(self, shots: Sequence[Frames]) -> list[Caption]:
        """One sentence a shot, decoded in batches; shots may differ in size and frame count.

        Raises:
            CaptionerFileError: the parts of the captioner file do not fit each other.
        """
        for frames in shots:
            _check(frames)
        captions: list[Caption] = []
        try:
            for begin in range(0, len(shots), CHUNK):
                captions += self._caption_chunk(shots[begin : begin + CHUNK])
        except Exception as error:
            if self._works():
                raise
            raise _misfit(error) from None
        return captions

    def _works(self) -> bool:
        """Whether a black picture can be captioned: if not, no fault is in the pictures."""
        try:
            self._caption_chunk([np.zeros((1, 8, 8, 3), np.uint8)])
        except Exception:  # of onnxruntime, whose types are not public, of numpy, of anything
            return False
        return True

    def features(self, pictures: Sequence[Picture]) -> npt.NDArray[np.float32]:
        """What the CNN sees of uint8 (H, W, 3) pictures: float32 (n, R, D)."""
        return self._looked(pictures)[0]

    def _looked(
        self, pictures: Sequence[Picture]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """What the CNN sees, float32 (n, R, D), and what its classifier goes on from (n, ...)."""
        squares = np.stack([to_square(p, self._side) for p in pictures])
        parts = [squares[i : i + LOOKS] for i in range(0, len(squares), LOOKS)]
        given = [part.astype(np.float32) for part in parts]
        # in files of format 1 the classifier begins with the pictures
        outputs = [(*self._encode(part), part)[:2] for part in given]
        seen, below = (np.concatenate(arrays) for arrays in zip(*outputs, strict=True))
        return seen, below

    def _views(self, frames: Frames) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Each frame whole and from nearer, for a second opinion: float32 (2 n, R, D).

        And what the classifier goes on from, of the whole ones.
        """
        views = [view for frame in frames for view in (frame, nearer(frame))]
        seen, below = self._looked(views)
        return seen, below[::VIEWS]

    def _caption_chunk(self, shots: Sequence[Frames]) -> list[Caption]:
        counts = np.array([len(frames) for frames in shots])
        features, below = zip(*map(self._views, shots), strict=True)
        # shots with fewer frames repeat their first view; the average leaves the repeats out
        views = int(counts.max()) * VIEWS
        padded = [np.concatenate([f, f[:1].repeat(views - len(f), 0)]) for f in features]
        grouped = np.stack(padded).reshape(len(shots), -1, VIEWS, *features[0].shape[1:])
        started = merged(self._start(*looks(grouped, counts, self._motion)), VIEWS)
        seen: list[npt.NDArray[Any]] = []
        step, state = together(self._step, started, counts, self.options.beam, seen)
        found = beam_search(step, state, self.options)
        worded = [[self._sentence(one) for one in h] for h in found]
        captions = [
            self._finish(h, said, [s[b, :, : len(shots[b])] for s in seen])
            for b, (h, said) in enumerate(zip(found, worded, strict=True))
        ]
        rows = np.arange(len(shots)) * counts.max()
        begun = [[a[r : r + c] for a in started] for r, c in zip(rows, counts, strict=True)]
        best = [said[0] for said in worded]
        whole = [seen[::VIEWS] for seen in features]
        shown = [self._screen(*one) for one in zip(shots, whole, strict=True)]
        given = zip(shots, captions, best, begun, below, shown, strict=True)
        return [self._hedged(*one) for one in given]

    def _screen(self, frames: Frames, seen: npt.NDArray[np.float32]) -> tuple[Morpheme, ...]:
        """What is said of a shot without a scene, where not every sentence is wanted whole."""
        hedges = self.hedge.min_confidence or self.hedge.min_support
        return screen(frames, seen, self._letters) if hedges else ()

    def _hedged(
        self,
        frames: Frames,
        caption: Caption,
        best: Sequence[Morpheme],
        started: list[npt.NDArray[Any]],
        below: npt.NDArray[np.float32],
        shown: Sequence[Morpheme],
    ) -> Caption:
        """The caption, or what guesses at the same frames agree on.

        Args:
            frames: of the shot.
            caption: the likeliest sentence.
            best: its morphemes.
            started: values, keys, h, c of its frames.
            below: what the classifier goes on from, of each.
            shown: what is said of them if they show no scene, else ().
        """
        if shown:
            told = reworded(caption, shown, general=True)
            return replace(told, guesses=(tuple(shown),))
        hedge = self.hedge
        general = caption.confidence < hedge.min_confidence
        if not (general or hedge.min_support):
            return caption
        guesses = self._guesses(started)
        caption = replace(caption, guesses=tuple(guesses))
        said: tuple[Morpheme, ...] = ()
        if not general:
            wrong = {("colour", colour) for colour in missing(frames, colours(best))}
            said = supported(best, guesses, hedge.min_support, wrong)
        thing = self._recognised(below) if not said or disputable(said, guesses) else None
        if said and thing and disputed(said, guesses, thing):
            said = ()
        if said and said == tuple(best):
            return caption
        general = not said
        said = said or agreed(guesses, thing)
        return reworded(caption, said, general=general)

    def recognised(self, frames: Frames) -> Thing | None:
        """What the CNN's own classifier sees in a shot's frames, if it is in the file."""
        return self._recognised(self._looked(list(frames))[1]) if self._classifier else None

    def _recognised(self, below: npt.NDArray[np.float32]) -> Thing | None:
        if self._classifier is None:
            return None
        if self._classify is None:  # loaded when first needed
            self._classify = Session(self._classifier, self._threads)
        return recognised(self._classify(below)[0])

    def _guesses(self, started: list[npt.NDArray[Any]]) -> list[tuple[Morpheme, ...]]:
        """Sentences drawn for one shot, always the same ones."""
        hedge = self.hedge
        mean = [a.mean(0, keepdims=True) for a in started]  # one row a guess, not one a frame
        step, state = together(self._step, mean, np.array([1]), hedge.guesses, [])
        drawn = sample(
            step, state, self.options.max_tokens, hedge.temperature, np.random.default_rng(0)
        )[0]
        return [self._vocabulary.decode(ids) for ids in drawn]

    def _sentence(self, found: Hypothesis) -> tuple[Morpheme, ...]:
        return mend(self._vocabulary.decode(found.tokens))

    def _finish(
        self,
        found: Sequence[Hypothesis],
        said: Sequence[Sequence[Morpheme]],
        seen: Sequence[npt.NDArray[Any]],
    ) -> Caption:
        """One shot's caption: its hypotheses, their sentences, attention (k, n, R) a step."""
        best, morphemes = found[0], said[0]
        looks = [seen[t][row] for t, row in enumerate(best.rows[: len(best.tokens)])]
        frames, regions = seen[0].shape[1:]
        side = int(regions**0.5)
        shape = (len(looks), frames, *((side, side) if side * side == regions else (1, regions)))
        first, *others = self._alternatives(found, said)
        return Caption(
            first.text,
            tuple(m.form for m in morphemes),
            first.score,
            np.array(looks, np.float32).reshape(shape),
            first.confidence,
            alternatives=tuple(others),
            content=content(morphemes),
        )

    def _alternatives(
        self, found: Sequence[Hypothesis], said: Sequence[Sequence[Morpheme]]
    ) -> list[Alternative]:
        """The hypotheses with their sentences, in their order, each sentence once."""
        fitted = self._confidence
        kept: dict[str, Alternative] = {}
        for one, morphemes in zip(found, said, strict=True):
            text = compose(morphemes)
            score = one.log_probability / (len(one.tokens) + 1)
            confidence = fitted.of(score) if fitted else math.exp(score)
            kept.setdefault(text, Alternative(text, score, confidence))
        return list(kept.values())


def _misfit(error: Exception) -> CaptionerFileError:
    what = " ".join(str(error).split())[:200]
    return CaptionerFileError(
        f"캡셔너 파일의 부분들이 서로 맞지 않습니다 ({what}). 파일을 다시 받으세요.",
        f"the parts of the captioner file do not fit each other ({what}). Fetch it again.",
    )


def _check(frames: Frames) -> None:
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8 or not frames.size:
        raise SettingError(
            f"장면의 프레임은 uint8 (n, H, W, 3)이어야 합니다: {frames.dtype} {frames.shape}.",
            f"a shot's frames must be uint8 (n, H, W, 3): {frames.dtype} {frames.shape}.",
        )
