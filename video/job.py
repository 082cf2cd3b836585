"""What is done to one film of many, wherever the worker is."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from model.beam import BeamOptions
from model.gist import HedgeOptions
from preprocess.files import is_file, marked
from preprocess.frames import Limits, probe
from video.draw import BurnOptions
from video.options import DEFAULT_MODEL
from video.outputs import check_target, lost, write
from video.pipeline import (
    PipelineOptions,
    SeesShots,
    caption_media,
    changed,
    load_captioner,
    stamp,
)
from video.track import printable


@dataclass(frozen=True)
class Settings:
    """What all films of a run have in common.

    Attributes:
        overwrite: results that are there are written anew.
    """

    model: Path = DEFAULT_MODEL
    beam: BeamOptions = field(default_factory=BeamOptions)
    hedge: HedgeOptions = field(default_factory=HedgeOptions)
    pipeline: PipelineOptions = field(default_factory=PipelineOptions)
    burning: BurnOptions = field(default_factory=BurnOptions)
    limits: Limits = field(default_factory=Limits)
    overwrite: bool = False


@dataclass(frozen=True)
class Job:
    """A film, where its results go, and the mark of what is written for it meanwhile.

    Attributes:
        seen: the film's stamp when it was listed; () is not known.
    """

    film: Path
    targets: tuple[Path, ...]
    mark: str
    seen: tuple[int, ...] = ()


def desk(settings: Settings) -> Callable[[Job], Mapping[str, Any]]:
    """A loaded captioner and what it does with a film.

    Raises:
        CaptionerFileError: the captioner file cannot be used.
    """
    captioner = load_captioner(settings.model, settings.beam, settings.hedge)
    return partial(caption_film, captioner, settings)


def caption_film(captioner: SeesShots, settings: Settings, job: Job) -> Mapping[str, Any]:
    """Captions a film and writes its results; what the manifest tells of it.

    Results that are there were written for this film by a worker that died, or by an earlier run:
    whoever gives the job sees to that.

    Raises:
        CaptioningError: the film cannot be read or a result not be written.
    """
    started, used = time.monotonic(), time.process_time()
    with marked(job.mark):
        if job.seen not in ((), stamp(job.film)):
            raise changed(job.film)
        media = probe(job.film, settings.limits)
        targets = [t for t in job.targets if settings.overwrite or not is_file(t)]
        for target in targets:
            check_target(media, target, [job.film], settings.overwrite, settings.burning)
        gone = [told.args for t in targets if (told := lost(media, t, settings.burning))]
        track = caption_media(media, captioner, settings.pipeline)
        track = replace(track, captioner=printable(settings.model.name))
        for target in targets:
            write(media, track, target, settings.burning)
    return {
        **({"lost": gone} if gone else {}),
        "shots": len(track.shots),
        "duration_ms": media.duration_ms,
        "seconds": round(time.monotonic() - started, 2),
        "cpu_s": round(time.process_time() - used, 2),  # without ffmpeg's
    }
