"""The one-call door: a film in, its captioned shots out."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from model.gist import agree
from preprocess.errors import CaptionerFileError, VideoError
from preprocess.files import is_file
from preprocess.frames import MediaInfo, probe
from video.ahead import Progress, ahead
from video.shots import ShotFrames, ShotOptions, find_shots
from video.track import CaptionedShot, OtherCaption, Track, printable

if TYPE_CHECKING:  # its network library would slow --help and the readers of tracks
    from model.beam import BeamOptions
    from model.caption import Caption
    from model.captioner import Captioner
    from model.gist import HedgeOptions

OnShot = Callable[[CaptionedShot], None]
_AHEAD = 12  # shots found before they are captioned; bounds the memory, whatever the film's length


class Said(NamedTuple):
    """A shot, what its sentence is about, whether its picture is hardly another than before."""

    shot: CaptionedShot
    about: frozenset[str]
    goes_on: bool = False


class SeesShots(Protocol):
    """What the pipeline needs of a captioner."""

    def caption_many(self, shots: Sequence[npt.NDArray[np.uint8]]) -> "list[Caption]":
        """One sentence a shot; each shot is uint8 (n, H, W, 3) RGB."""


@dataclass(frozen=True)
class PipelineOptions:
    """How a film is captioned; the only place where these defaults are written.

    Attributes:
        shots: how shots are found.
        batch: shots captioned together, at most: those that are found already.
        alike: neighbours whose contents have this share in common are one caption; 1: only those
            that say the same word by word.
        attention: True keeps where was looked in each shot.
        alternatives: other sentences kept of each shot; the beam finds at most its width in all.
    """

    shots: ShotOptions = field(default_factory=ShotOptions)
    batch: int = 4
    alike: float = 0.8
    alternatives: int = 0
    attention: bool = False


def caption_video(
    path: Path,
    captioner: SeesShots,
    options: PipelineOptions = PipelineOptions(),
    on_shot: OnShot | None = None,
    on_progress: Progress | None = None,
) -> Track:
    """Finds the shots of a video, GIF or picture and says one Korean sentence about each.

    Shots are looked for in a thread of its own while those before are captioned.

    Args:
        path: the file.
        captioner: a loaded Captioner.
        options: how.
        on_shot: gets each finished shot as soon as it is known.
        on_progress: gets the time reached, in milliseconds.

    Raises:
        VideoError: path cannot be read or nothing in it decodes.
    """
    return caption_media(probe(path), captioner, options, on_shot, on_progress)


def caption_media(
    media: MediaInfo,
    captioner: SeesShots,
    options: PipelineOptions = PipelineOptions(),
    on_shot: OnShot | None = None,
    on_progress: Progress | None = None,
) -> Track:
    """As caption_video, of a medium that is probed already.

    Raises:
        VideoError: it cannot be read, or changes meanwhile.
    """
    shots, before = [], stamp(media.path)
    making = ahead(
        lambda tell: find_shots(media, options.shots, tell), _AHEAD, options.batch, on_progress
    )
    with closing(making) as found:  # whatever happens, the finder ends here
        for shot in merged(_captioned(found, captioner, options, media.start_ms), options.alike):
            shots.append(shot)
            if on_shot:
                on_shot(shot)
    if stamp(media.path) != before:
        raise changed(media.path)
    return Track(
        video=printable(media.path.name),
        duration_ms=media.start_ms + media.duration_ms,
        captioner=str(getattr(captioner, "name", type(captioner).__name__)),
        shots=tuple(shots),
    )


def stamp(film: Path) -> tuple[int, ...]:
    """Size and time of a file; () where there is none."""
    try:
        state = film.stat()
    except (OSError, ValueError):
        return ()
    return state.st_size, state.st_mtime_ns


def changed(film: Path) -> VideoError:
    """It is still being copied, or another one took its place."""
    return VideoError(
        f"'{film}'이(가) 그동안 바뀌었습니다. 다 복사된 뒤에 다시 실행하세요.",
        f"'{film}' has changed meanwhile. Run again when it is copied whole.",
    )


def merged(said: Iterable[Said], alike: float = 1.0) -> Iterator[CaptionedShot]:
    """Neighbours that say the same become one shot; its scores are their mean, weighted by time.

    The surer sentence stays. Saying the same is the same text, or contents of which at least the
    share `alike` is common (Jaccard index; 1: the same text alone); where the picture hardly
    changes, contents of which one only says more.
    """
    last: Said | None = None
    for one in said:
        if last and last.shot.end_ms == one.shot.start_ms and _same(last, one, alike):
            last = _joined(last, one)
            continue
        if last:
            yield last.shot
        last = one
    if last:
        yield last.shot


def _joined(last: Said, one: Said) -> Said:
    """Both spans with the surer sentence."""
    before, shot, surer = last.shot, one.shot, max(last, one, key=lambda said: said.shot.score)
    share = (shot.end_ms - shot.start_ms) / (shot.end_ms - before.start_ms)
    both = replace(
        surer.shot,
        start_ms=before.start_ms,
        end_ms=shot.end_ms,
        score=before.score + share * (shot.score - before.score),
        confidence=before.confidence + share * (shot.confidence - before.confidence),
    )
    return Said(both, surer.about)


def _same(one: Said, other: Said, alike: float) -> bool:
    if one.shot.caption == other.shot.caption:
        return True
    either = one.about | other.about
    if alike >= 1 or not (one.about and other.about):
        return False
    shared = len(one.about & other.about) >= alike * len(either)
    return shared or (other.goes_on and agree(one.about, other.about))


def _captioned(
    found: Iterable[list[ShotFrames]],
    captioner: SeesShots,
    options: PipelineOptions,
    start_ms: int,
) -> Iterator[Said]:
    """The shots with their sentences, on the player's clock: the picture may start late on it."""
    for shot, caption in _looked_at(found, captioner):
        captioned = CaptionedShot(
            start_ms=start_ms + shot.shot.start_ms,
            end_ms=start_ms + shot.shot.end_ms,
            caption=caption.text,
            score=float(caption.score),
            confidence=float(caption.confidence),
            alternatives=tuple(
                OtherCaption(other.text, float(other.score), float(other.confidence))
                for other in caption.alternatives[: options.alternatives]
            ),
            attention=_looked(caption) if options.attention else (),
        )
        yield Said(captioned, caption.content, shot.goes_on)


def _looked(caption: "Caption") -> tuple[tuple[float, ...], ...]:
    """The share of each region, over all morphemes and frames."""
    rows = caption.attention.mean((0, 1), dtype=np.float64).round(4).tolist()
    return tuple(tuple(row) for row in rows)


def _looked_at(
    found: Iterable[list[ShotFrames]], captioner: SeesShots
) -> "Iterator[tuple[ShotFrames, Caption]]":
    """The shots with what is said of them; where a film stands still, nothing is asked again."""
    last: npt.NDArray[np.uint8] = np.empty(0, np.uint8)
    said: list[Caption] = []
    for group in found:
        shown = [last, *(shot.frames for shot in group)]
        new = [not np.array_equal(before, after) for before, after in pairwise(shown)]
        fresh = [frames for frames, is_new in zip(shown[1:], new, strict=True) if is_new]
        said = [*said[-1:], *(captioner.caption_many(fresh) if fresh else [])]
        number = len(said) - len(fresh) - 1
        for shot, is_new in zip(group, new, strict=True):
            number += is_new
            yield shot, said[number]
        last = shown[-1]


class Later:
    """A captioner that is loaded when there is a shot to caption: others are found meanwhile.

    What loading raises is raised by the first caption_many.
    """

    def __init__(self, load: Callable[[], SeesShots]) -> None:
        self._load = load
        self._loaded: SeesShots | None = None

    def caption_many(self, shots: Sequence[npt.NDArray[np.uint8]]) -> "list[Caption]":
        """As the captioner itself."""
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded.caption_many(shots)


def load_captioner(path: Path, options: "BeamOptions", hedge: "HedgeOptions") -> "Captioner":
    """The captioner in a file, in one thread: shots are found in another one.

    Raises:
        CaptionerFileError: path is missing, damaged, too new, or no captioner file.
    """
    check_there(path)
    from model.captioner import Captioner

    return Captioner.load(path, options, hedge, threads=1)


def check_there(path: Path) -> None:
    """Refuses a captioner file that is missing, before any work.

    Raises:
        CaptionerFileError: it is.
    """
    if not is_file(path):
        raise CaptionerFileError(
            f"캡션 모델 파일 '{path}'이(가) 없습니다. --model FILE.kcap으로 주거나 "
            "train.py로 만드세요.",
            f"captioner file '{path}' does not exist. Give one with --model FILE.kcap, "
            "or train one with train.py.",
        )
