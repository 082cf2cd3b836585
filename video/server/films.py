"""One job's work: a film to its captions and results, in a worker's process."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from preprocess.errors import CaptioningError, OutputError
from preprocess.files import whole_file
from preprocess.frames import MediaInfo, probe
from preprocess.media import Limits
from video.draw import BurnOptions
from video.outputs import write
from video.pipeline import PipelineOptions, caption_media
from video.reading import read_captions
from video.server.jobs import Job, Jobs
from video.server.moments import moments
from video.server.worker import Held, Refusal
from video.shots import ShotOptions
from video.style import StyleOptions
from video.track import Track, printable

DRAWN = ("mp4", "gif")
TEXTS = ("srt", "vtt", "ass", "json", "txt")
ALWAYS = ("json", "vtt")  # the page plays the film with them
RESULTS = (*DRAWN, *TEXTS, "jpg")
MOST_GIF_MB = 100.0
_SAID_EVERY_S = 0.5


@dataclass(frozen=True)
class Desk:
    """Where a job lies and whom to tell of it."""

    jobs: Jobs
    job: Job
    limits: Limits

    @property
    def folder(self) -> Path:
        """Of the job."""
        return self.jobs.folder(self.job.id)

    def result(self, kind: str) -> Path:
        """The file of a result."""
        return self.folder / f"result.{kind}"

    def tell(self, stage: str, share: float) -> None:
        """How far it is; on a full disk nobody hears of it, and the work goes on."""
        with suppress(OutputError):
            self.jobs.tell(self.job.id, stage, share)

    def telling(self, stage: str, media: MediaInfo) -> Callable[[int], None]:
        """Takes the time reached in the film, in milliseconds, and tells it now and then."""
        said = [0.0]
        self.tell(stage, 0.0)

        def tell(reached_ms: int) -> None:
            if time.monotonic() - said[0] > _SAID_EVERY_S:
                said[0] = time.monotonic()
                share = reached_ms / max(1, media.duration_ms)
                self.tell(stage, min(1.0, max(0.0, share)))

        return tell


def work_on(held: Held, data: Path, job: Job, limits: Limits) -> Refusal | None:
    """Does what the job asks for; None, or why it could not be done, without a path."""
    desk = Desk(Jobs(data), job, limits)
    try:
        media = probe(desk.jobs.film(job), limits)
        if job.task == "moments":
            _tell_moments(held, desk, media)
        elif job.task == "burn":
            edited = desk.folder / str(job.wishes["edited"])
            track = _named(read_captions(edited, media), job)
            forget(desk.folder)
            _write(desk, media, track)
            for earlier in desk.folder.glob("edited-*.json"):
                if earlier != edited:
                    earlier.unlink(missing_ok=True)
        else:
            _write(desk, media, _seen(held, desk, media))
    except CaptioningError as error:
        return nameless(error, {desk.jobs.film(job): job.name, desk.folder: "", data: ""})
    return None


def nameless(error: CaptioningError, names: Mapping[Path, str]) -> Refusal:
    """The error's texts with no path of this machine: each becomes what it is called by."""
    texts = [error.text("ko"), error.text("en")]
    for path, name in names.items():
        for known in (f"{path.absolute()}", f"{path}"):
            texts = [t.replace(f"{known}/", "").replace(known, name) for t in texts]
    return Refusal(*texts)


def _seen(held: Held, desk: Desk, media: MediaInfo) -> Track:
    shots = ShotOptions(max_shot_ms=int(desk.job.wishes.get("max_shot_ms", 8000)))
    options = PipelineOptions(shots, alternatives=2)
    tell = desk.telling("looking", media)
    track = caption_media(media, held.captioner, options, on_progress=tell)
    return replace(_named(track, desk.job), captioner=printable(held.model.name))


def _named(track: Track, job: Job) -> Track:
    return replace(track, video=job.name)


def renew(folder: Path, edited: Path) -> None:
    """Edited captions take the JSON's place, if there is one: they stay if the burning does not."""
    forget(folder)
    result = folder / "result.json"
    if result.exists():
        with whole_file(result) as temporary:
            temporary.write_bytes(edited.read_bytes())


def forget(folder: Path) -> None:
    """Removes the results that say what the film said before; the JSON is replaced."""
    for kind in set(RESULTS) - {"json"}:
        (folder / f"result.{kind}").unlink(missing_ok=True)


def _write(desk: Desk, media: MediaInfo, track: Track) -> None:
    """All results, the JSON first and the drawn ones last."""
    look = StyleOptions(style=str(desk.job.wishes.get("style", StyleOptions().style)))
    options = BurnOptions(look=look, gif_max_mb=MOST_GIF_MB)
    kinds = results_of(media, desk.job.wishes.get("formats", ()))
    for kind in sorted(kinds, key=lambda k: k != "json"):
        write(media, track, desk.result(kind), options, desk.telling(kind, media))


def results_of(media: MediaInfo, formats: Sequence[str]) -> tuple[str, ...]:
    """What is written for a medium: texts, then what is drawn; of a photo, a photo."""
    texts = [kind for kind in TEXTS if kind in formats or kind in ALWAYS]
    drawn = [kind for kind in DRAWN if kind in formats]
    return (*texts, *(["jpg"] if drawn and media.kind == "picture" else drawn))


def _tell_moments(held: Held, desk: Desk, media: MediaInfo) -> None:
    told: dict[str, Any] = moments(media, held, desk.job.wishes, desk.telling("looking", media))
    with whole_file(desk.folder / "moments.json") as temporary:
        temporary.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
