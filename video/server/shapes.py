"""What the service takes and answers, as its OpenAPI schema tells it."""

from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, Field

from video.scenes.tags import groups
from video.server.films import RESULTS
from video.server.jobs import State, Task
from video.style import PRESETS
from video.track import LATEST_MS

Wanted = StrEnum("Wanted", {name: name for name in RESULTS if name != "jpg"})  # type: ignore[misc]
Kind = StrEnum("Kind", {name: name for name in (*RESULTS, "moments", "film")})  # type: ignore[misc]
Style = StrEnum("Style", {name: name for name in PRESETS})  # type: ignore[misc]
Impression = StrEnum("Impression", {name: name for name in groups()})  # type: ignore[misc]
Metric = Literal["euclidian", "euclidean", "cosine"]


class Problem(BaseModel):
    """Why a request was refused: in Korean and English."""

    detail: str
    detail_en: str


class File(BaseModel):
    """One file of a job that can be fetched."""

    kind: Kind
    bytes: int
    url: str


class JobShape(BaseModel):
    """A job and how far it is."""

    id: str
    name: str
    task: Task
    state: State
    created: float = Field(description="seconds since 1970")
    style: Style | None = Field(description="look of the captions; null: none are drawn")
    ahead: int = Field(description="jobs that come before it")
    stage: str = Field(description="looking, or the format that is being written")
    share: float = Field(ge=0, le=1, description="of the stage")
    error: str
    error_en: str
    files: list[File]


class JobList(BaseModel):
    """Jobs, the newest first."""

    jobs: list[JobShape]


class Sentence(BaseModel):
    """A sentence for a span of the film, in milliseconds."""

    start_ms: int = Field(ge=0, le=LATEST_MS)
    end_ms: int = Field(gt=0, le=LATEST_MS)
    caption: str = Field(max_length=1000)


class Sentences(BaseModel):
    """Edited captions, in order, not overlapping."""

    shots: list[Sentence] = Field(min_length=1, max_length=20_000)
    formats: list[Wanted] | None = Field(None, description="as before, if absent")
    style: Style | None = Field(None, description="as before, if absent")


class Said(BaseModel):
    """One sentence and how sure it is, 0..1."""

    text: str
    confidence: float


class Captions(BaseModel):
    """Sentences for a photo, the surest first."""

    name: str
    caption: str
    sentences: list[Said]


class CaptionsList(BaseModel):
    """Sentences for each photo that was sent."""

    captions: list[Captions]


class Word(BaseModel):
    """A word of the sentence and its vector."""

    word: str
    embedding: list[float]


class ImageCaption(Captions):
    """A photo's sentences, the vectors of the first one's words, and the CNN's features."""

    words: list[Word]
    cnn_features: list[float] = Field(description="mean over the picture's regions")


class HashtagsShape(BaseModel):
    """What can be written under photos."""

    captions: list[list[str]] = Field(description="up to three sentences for each photo")
    keywords: list[str]
    related: list[str]
    tags: list[str]
    line: str = Field(description="all tags, to copy")


class RegionShape(BaseModel):
    """A part of a photo with its own sentence."""

    box: tuple[int, int, int, int] = Field(description="left, top, right, bottom; pixels")
    caption: str
    confidence: float


class RegionsShape(BaseModel):
    """What is where in a photo, the surest first; boxes in pixels of width x height."""

    name: str
    width: int
    height: int
    regions: list[RegionShape]


class LookShape(BaseModel):
    """A morpheme of the sentence, and how much of the look each part of the photo got."""

    word: str
    heat: list[list[float]] = Field(description="rows of shares; all together 1")


class LooksShape(BaseModel):
    """The likeliest sentence about a photo, and where was looked for it."""

    name: str
    text: str
    confidence: float
    looks: list[LookShape]


class PhotoShape(BaseModel):
    """A photo of a group."""

    index: int = Field(description="its place among those sent, from 0")
    name: str
    caption: str


class PhotoGroup(BaseModel):
    """Photos that show the like, the most typical first."""

    name: str
    members: list[PhotoShape]


class PhotoGroups(BaseModel):
    """All photos in groups, the largest first."""

    groups: list[PhotoGroup]


class ShotShape(BaseModel):
    """A shot of a job's film."""

    job: str
    name: str
    start_ms: int
    end_ms: int
    caption: str


class ShotGroup(BaseModel):
    """Shots that show the like, the most typical first."""

    name: str
    members: list[ShotShape]


class ShotGroups(BaseModel):
    """All shots in groups, the largest first."""

    groups: list[ShotGroup]


class Moment(BaseModel):
    """What is seen at a time of the film, and how unlike it is to just before."""

    time: float = Field(description="seconds")
    caption: str
    dissimilarity: float = Field(description="of the sentence's meaning")
    visual_dissimilarity: float = Field(description="of the CNN's features")


class Peak(BaseModel):
    """A moment that stands out."""

    time: float = Field(description="seconds")
    by: Literal["caption", "features"] = Field(description="on which curve")
    score: float
    caption: str
    before: str = Field(description="what was seen one moment earlier")


class VideoCaptions(BaseModel):
    """A film's moments."""

    every_n_second: float
    metric: Metric
    rolling_window_size: int
    captions: list[Moment]
    peaks: list[Peak]


class Hit(ShotShape):
    """A shot that answers a query."""

    score: float


class Hits(BaseModel):
    """Shots of the jobs of this service, the best first."""

    hits: list[Hit]


class Health(BaseModel):
    """The service answers; jobs that are open."""

    status: Literal["ok"]
    open_jobs: int


class About(BaseModel):
    """The captioner and the limits of the service."""

    captioner: dict[str, Any]
    limits: dict[str, float]
