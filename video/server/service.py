"""What the routes share: jobs, queue, workers, and the words for refusing."""

import asyncio
import secrets
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import TimeoutError as TooLong
from contextlib import suppress
from pathlib import Path
from typing import Any

from fastapi import UploadFile
from pebble import ProcessExpired

from preprocess.errors import OutputError, SettingError
from video.server.crew import Crew, Processes
from video.server.films import RESULTS, renew
from video.server.folders import claimed, copied, emptied, made
from video.server.jobs import Job, Jobs, NoRoom, Task, is_id
from video.server.names import shown, stored
from video.server.options import ServerOptions
from video.server.queue import JobQueue
from video.server.shapes import File, JobShape, Kind
from video.server.uploads import Scope, content_length
from video.server.worker import Refusal, about

FREE_BYTES = 500_000_000  # kept free on the disk
QUICK_S = 60.0
QUEUED = ("/jobs", "/get_video_captions")


class Refused(Exception):
    """An answer that is no success: HTTP status, Korean text, English text."""

    def __init__(self, status: int, korean: str, english: str) -> None:
        super().__init__(status, korean, english)
        self.status, self.korean, self.english = status, korean, english


class Service:
    """Everything behind the routes.

    Attributes:
        options: the limits.
        jobs: the table.
        queue: what works on them.
        about: what the captioner says of itself; filled by start.
    """

    def __init__(self, options: ServerOptions, films: Crew | None = None,
                 quick: Crew | None = None) -> None:  # fmt: skip
        self.options = options
        self._incoming = made(options.data)
        self._lock = claimed(options.data)
        self._films = films or Processes(options, options.workers)
        self._quick = quick or Processes(options, 1)
        self._quick_now = 0
        try:
            self.jobs = Jobs(options.data)
            self.queue = JobQueue(options, self.jobs, self._films)
        except OutputError:
            self._lock.close()
            raise
        self.about: dict[str, Any] = {}

    def start(self) -> None:
        """Loads the captioner and takes up the jobs that were left.

        Raises:
            SettingError: the captioner file cannot be used.
        """
        told = self._films.begin(about).result()
        if isinstance(told, Refusal):
            raise SettingError(told.korean, told.english)
        self.about = told
        emptied(self._incoming)
        self.sweep()
        self.queue.start()

    def stop(self) -> None:
        """Ends the workers; jobs stay."""
        self.queue.stop()
        self._quick.stop()

    def refuse(self, scope: Scope) -> tuple[int, str, str] | None:
        """Why an upload is not begun: status, Korean, English; None if it may come."""
        try:
            return self._refusal(scope)
        except (OSError, OutputError):  # no room even to ask
            return _NO_ROOM

    def _refusal(self, scope: Scope) -> tuple[int, str, str] | None:
        size = content_length(scope) or round(1e6 * self.options.max_film_mb)
        free = shutil.disk_usage(self.options.data).free
        most = 1e9 * self.options.disk_gb
        if scope["path"] in QUEUED and self.jobs.count_open() >= self.options.waiting:
            return _full(self.options.waiting)
        if self.jobs.used_bytes() + size > most or free < 2 * size + FREE_BYTES:
            return _NO_ROOM
        return None

    async def submit(self, film: UploadFile, task: Task, wishes: dict[str, Any]) -> Job:
        """Keeps a film and queues its job.

        Raises:
            Refused: the film is empty, or the queue is full.
        """
        job = self._new_job(film, task, wishes)
        await asyncio.to_thread(self._keep, film, job)
        return self._found(job.id)

    def found(self, number: object) -> Job:
        """The job of that id.

        Raises:
            Refused: there is none.
        """
        return self._found(str(number))

    def shape(self, job: Job) -> JobShape:
        """The job as it is told, without any path."""
        return JobShape(
            id=job.id,
            name=job.name,
            task=job.task,
            state=job.state,
            created=job.created,
            style=job.wishes.get("style"),
            ahead=self.jobs.ahead(job),
            stage=job.stage,
            share=job.share,
            error=job.error_ko,
            error_en=job.error_en,
            files=self._files(job),
        )

    def file(self, job: Job, kind: Kind) -> Path:
        """A file of a job.

        Raises:
            Refused: it is not there (yet).
        """
        path = self._paths(job)[kind.value]
        if not path.is_file():
            raise Refused(
                404,
                f"이 작업에는 {kind.value} 파일이 없습니다.",
                f"this job has no {kind.value} file.",
            )
        return path

    def again(self, job: Job, wishes: dict[str, Any], edited: Path) -> None:
        """Queues a job that had ended, to be burned with the edited sentences beside its film.

        Raises:
            Refused: the queue is full, or the job was begun meanwhile.
        """
        try:
            wishes = wishes | {"edited": edited.name}
            waits = self.jobs.again(job.id, "burn", wishes, self.options.waiting)
        except NoRoom:
            raise Refused(*_full(self.options.waiting)) from None
        if not waits:
            raise Refused(409, "이미 하고 있는 작업입니다.", "the job is being worked on.")
        with suppress(OSError, OutputError):  # the worker tries again, and says so
            renew(edited.parent, edited)
        self.queue.submit(job)

    async def seen(
        self, photos: Sequence[UploadFile], work: Callable[..., Any], *given: Any
    ) -> Any:
        """What work(held, photos, limits, *given) says of photos, which are kept only as long.

        Raises:
            Refused: one is no photo, or too many wait.
        """
        kept: list[tuple[Path, str]] = []
        try:
            for photo in photos:
                path = self._incoming / f"{secrets.token_hex(8)}{stored(photo.filename or '')}"
                kept.append((path, shown(photo.filename)))
                await asyncio.to_thread(copied, photo, path)
            answer = await self._answer(work, kept, self.options.limits, *given)
        finally:
            for path, _ in kept:
                path.unlink(missing_ok=True)
        if isinstance(answer, Refusal):
            raise Refused(415, answer.korean, answer.english)
        return answer

    async def told(
        self, work: Callable[..., Any], *given: Any, of: Sequence[Job] | None = None
    ) -> Any:
        """What work(held, tracks, *given) says of the tracks of some jobs, or the newest.

        Raises:
            Refused: it cannot be said of these, or too many wait.
        """
        jobs = await asyncio.to_thread(self.jobs.newest) if of is None else of
        tracks = [(job.id, self._paths(job)["json"]) for job in jobs]
        answer = await self._answer(work, tracks, *given)
        if isinstance(answer, Refusal):
            raise Refused(422, answer.korean, answer.english)
        return answer

    def sweep(self) -> None:
        """Removes what ended long ago, and folders that no job knows."""
        for job in self.jobs.old(time.time() - 3600 * self.options.keep_hours):
            self.jobs.remove(job.id)
        for folder in (self.options.data / "jobs").iterdir():
            with suppress(OSError):
                aged = time.time() - folder.stat().st_mtime > 3600
                if aged and is_id(folder.name) and self.jobs.get(folder.name) is None:
                    shutil.rmtree(folder, ignore_errors=True)

    async def _answer(self, work: Callable[..., Any], *given: Any) -> Any:
        """What a worker for quick questions answers.

        Raises:
            Refused: too many wait, or it took too long.
        """
        if self._quick_now >= 2 * self.options.uploads:
            raise Refused(
                503,
                "기다리는 요청이 많습니다. 잠시 뒤에 다시 보내세요.",
                "many requests are waiting. Send it again in a moment.",
            )
        self._quick_now += 1
        try:
            return await asyncio.wrap_future(self._quick.begin(work, *given, within_s=QUICK_S))
        except (TooLong, ProcessExpired):
            raise Refused(
                503,
                "제때 보지 못했습니다. 더 작은 것으로 다시 보내세요.",
                "it could not be answered in time. Send something smaller.",
            ) from None
        finally:
            self._quick_now -= 1

    def _new_job(self, film: UploadFile, task: Task, wishes: dict[str, Any]) -> Job:
        name, now = shown(film.filename), time.time()
        number = self.jobs.new_id()
        return Job(number, name, stored(name), task, "waiting", now, now, 0, wishes)

    def _keep(self, film: UploadFile, job: Job) -> None:
        """The film into its folder, the job into the table, then into the queue."""
        folder = self.jobs.folder(job.id)
        folder.mkdir()
        try:
            if not copied(film, self.jobs.film(job)):
                raise Refused(400, f"'{job.name}'은(는) 빈 파일입니다.", f"'{job.name}' is empty.")
            self.jobs.add(job, self.options.waiting)
        except BaseException as error:
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, NoRoom):
                raise Refused(*_full(self.options.waiting)) from None
            raise
        self.queue.submit(job)

    def _found(self, number: str) -> Job:
        job = self.jobs.get(number)
        if job is None:
            raise Refused(404, "그런 작업이 없습니다.", "there is no such job.")
        return job

    def _paths(self, job: Job) -> dict[str, Path]:
        folder = self.jobs.folder(job.id)
        results = {kind: folder / f"result.{kind}" for kind in RESULTS}
        return {**results, "moments": folder / "moments.json", "film": self.jobs.film(job)}

    def _files(self, job: Job) -> list[File]:
        found = []
        for kind, path in self._paths(job).items():
            with suppress(OSError):  # not there, or gone this moment
                size, url = path.stat().st_size, f"/jobs/{job.id}/files/{kind}"
                found.append(File(kind=Kind(kind), bytes=size, url=url))
        return found


_NO_ROOM = (
    503,
    "서버에 자리가 없습니다. 끝난 작업을 지우거나 나중에 다시 보내세요.",
    "the server has no room. Delete finished jobs, or send it again later.",
)


def _full(most: int) -> tuple[int, str, str]:
    return (
        429,
        f"기다리는 작업이 이미 {most}개입니다. 나중에 다시 보내세요.",
        f"{most} jobs are waiting already. Send it again later.",
    )
