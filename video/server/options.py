"""What a service allows; the only place where these defaults are written."""

from dataclasses import dataclass, field
from pathlib import Path

from preprocess.media import Limits
from video.values import limits

MODEL = Path(__file__).resolve().parents[2] / "model" / "default.kcap"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class ServerOptions:
    """Where a service listens, where it keeps its files, and its limits.

    Attributes:
        model: captioner file.
        data: folder of the queue, the films that were sent and their results.
        host: address to listen on; loopback, so that nobody else reaches it unasked.
        port: 0 takes any free one.
        allow_host: names that a browser may call the service by, besides loopback names and host;
            "*" any. Others are refused: a foreign page could bind its own name to our address.
        workers: films captioned at a time; each holds a captioner (about 500 MB).
        waiting: films waiting or worked on; more are refused with 429.
        uploads: uploads received at a time; more are refused with 503.
        max_film_mb: largest film (10**6 bytes); a larger one is refused with 413.
        max_photo_mb: largest request with photos.
        max_hours: longest film.
        max_megapixels: largest picture.
        job_hours: longest work on one film.
        keep_hours: finished work is removed after.
        disk_gb: films and results of all jobs together (10**9 bytes); beyond, 503.
        answer_s: longest that a request waits for captions of a film or photo.
    """

    model: Path = MODEL
    data: Path = Path("server-data")
    host: str = "127.0.0.1"
    port: int = 8000
    allow_host: tuple[str, ...] = field(default=())
    workers: int = 1
    waiting: int = 32
    uploads: int = 8
    max_film_mb: float = 512.0
    max_photo_mb: float = 32.0
    max_hours: float = 2.0
    max_megapixels: float = 34.0
    job_hours: float = 3.0
    keep_hours: float = 24.0
    disk_gb: float = 20.0
    answer_s: float = 300.0

    @property
    def limits(self) -> Limits:
        """The same as bounds of films and pictures."""
        return limits(self)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Names in a request's Host header that are answered."""
        return (*LOOPBACK, self.host, *self.allow_host)
