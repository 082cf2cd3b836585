"""`python -m video.batch FILMS... --out FOLDER`: many films, in several processes or on a cluster.

Every film is captioned as caption_video.py does it. What is finished is skipped, what failed is
tried again; FOLDER/manifest.jsonl says what became of each film.
"""

# ruff: noqa: E402 - the sizes of thread pools are read when numpy is imported
import argparse
import hashlib
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C during the imports: out, and no traceback
for _pool in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_pool, "1")  # the workers inherit this

from model.beam import BeamOptions
from model.gist import HedgeOptions
from preprocess.cluster import cluster_crew
from preprocess.crew import Crew, Lost
from preprocess.errors import CaptioningError, OutputError, SettingError, VideoError, language_of
from preprocess.files import check_free, make_folder, only_one, sweep
from preprocess.hands import Hand, cores
from video.command import Parser, add_row, check_films
from video.console import Ended, any_bytes, complain, ended_by_signals, say
from video.draw import FILMS, BurnOptions
from video.films import is_input, jobs_for, met
from video.fonts import hangul_font
from video.job import Job, Settings, desk
from video.manifest import NAME, Manifest, key_of, results
from video.options import GROUPS
from video.outputs import SUFFIXES, shows_attention
from video.pipeline import PipelineOptions
from video.shots import ShotOptions
from video.style import StyleOptions, checked
from video.values import filled, limits, whole

FORMS = (".srt", ".json")  # unless others are asked for
_ALONE = {
    "inputs",
    "--output",
    "--captions",
    "--camera",
    "--stream",
    "--alert",
    "--preview",
    "--about",
}
Keyed = tuple[Job, str]


def main(argv: Sequence[str] | None = None) -> int:
    """Captions every film; returns the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    p = parser(language_of(arguments))
    try:
        args = p.read(arguments)
        _check(p, args)
    except SystemExit as leaving:
        return int(leaving.code or 0)
    try:
        with ended_by_signals():
            return _run(args)
    except Ended as ended:
        return 128 + int(ended.args[0])
    except CaptioningError as error:
        complain(error, args.lang, program="video.batch")
        return 2 if isinstance(error, SettingError) else 1


def parser(language: str = "ko") -> Parser:
    """The command line: what is its own, and the options of caption_video.py."""
    p = Parser(
        prog="python -m video.batch",
        usage="python -m video.batch FILM... --out FOLDER [-o FORM] [--jobs N | --cluster ADDRESS]",
        description="여러 영상에 자막을 답니다. 끝난 것은 건너뛰고, 같은 명령으로 이어집니다. "
        "(Captions many films; the same command goes on.)",
        allow_abbrev=False,
        add_help=False,
    )
    p.language, p.name = language, "video.batch"
    p.add_argument("inputs", nargs="*", metavar="FILM",
                   help="영상, 폴더, 한 줄에 하나씩 적은 .txt (films, folders, lists)")  # fmt: skip
    p.add_argument("--out", required=True, metavar="FOLDER",
                   help="결과와 manifest.jsonl의 폴더 (results and manifest.jsonl)")  # fmt: skip
    p.add_argument("-o", "--output", action="append", type=str.lower, choices=SUFFIXES,
                   metavar="FORM",
                   help=f"결과의 형식, 여러 번 줄 수 있음 (기본: {' '.join(FORMS)})")  # fmt: skip
    where = p.add_mutually_exclusive_group()
    where.add_argument("--jobs", type=whole(1, 256), metavar="N",
                       help="나란히 일할 프로세스 (기본: 코어 둘에 하나; processes)")  # fmt: skip
    where.add_argument("--cluster", metavar="ADDRESS",
                       help="Ray 클러스터 HOST:PORT (영상과 결과는 함께 쓰는 폴더에)")  # fmt: skip
    for korean, english, rows in GROUPS:
        group = p.add_argument_group(korean if language == "ko" else english)
        for row in rows:
            if not _ALONE & {row.flags[-1], row.flags[0]}:
                add_row(group, row, language)
    return p


def _check(p: Parser, args: argparse.Namespace) -> None:
    """Refuses what cannot be done, before any work."""
    if not args.inputs:
        p.refuse("FILM이 없습니다. 영상, 폴더, 목록을 주세요",
                 "there is no FILM. Give films, folders or lists")  # fmt: skip
    if args.cluster == "":
        p.refuse("--cluster의 주소가 비었습니다. HOST:PORT를 주세요",
                 "--cluster is empty. Give HOST:PORT")  # fmt: skip
    forms = set(args.output or FORMS)
    if args.soft and not forms & set(FILMS):
        p.refuse(f"--soft는 {' '.join(FILMS)}에만 됩니다. -o .mp4처럼 주세요",
                 f"--soft is for {' '.join(FILMS)}. Give -o .mp4, say")  # fmt: skip
    if args.show_attention and not shows_attention(forms):
        p.refuse("--show-attention이 보일 형식이 없습니다. -o .mp4나 -o .json을 더하세요",
                 "no form shows --show-attention. Add -o .mp4 or -o .json")  # fmt: skip
    if not args.out:
        p.refuse("--out의 경로가 비었습니다. 폴더의 이름을 주세요", "--out is empty. Name a folder")
    check_films(p, args)


def _run(args: argparse.Namespace) -> int:
    settings, out = _settings(args), Path(args.out)
    checked(settings.burning.look)
    if settings.burning.font:
        hangul_font(settings.burning.font)
    captioner = _hash(settings.model)
    films = [Path(name) for name in args.inputs]
    if not out.exists():
        jobs_for(films, out, ())  # what cannot be read is told before the folder is made
    make_folder(out)
    with only_one(out, NAME):
        manifest = Manifest(out)
        jobs = jobs_for(films, out, dict.fromkeys(args.output or FORMS), manifest.results)
        keyed = [(job, key_of(job, settings, captioner)) for job in jobs]
        left = [one for one in keyed if settings.overwrite or not manifest.finished(*one)]
        work = list(_allowed(left, keyed, manifest, args))
        failed = len(left) - len(work)
        if work:
            with _crew(args, settings) as crew:
                failed += _captioned(work, crew, manifest, args)
    skipped, ko = len(keyed) - len(left), args.lang == "ko"
    counts = (len(left) - failed, skipped, failed)
    told = "끝냄 {}, 건너뜀 {}, 안 됨 {}" if ko else "done {}, skipped {}, failed {}"
    if not args.quiet:
        say(f"{told.format(*counts)}: {out}")
    return int(failed > 0)


def _settings(args: argparse.Namespace) -> Settings:
    return Settings(
        args.model.absolute(),
        filled(BeamOptions, args),
        filled(HedgeOptions, args),
        PipelineOptions(
            filled(ShotOptions, args), alternatives=args.alternatives, attention=args.show_attention
        ),
        _burning(args),
        limits(args),
        args.overwrite,
    )


def _burning(args: argparse.Namespace) -> BurnOptions:
    burning = replace(filled(BurnOptions, args), look=filled(StyleOptions, args))
    return replace(burning, font=burning.font.absolute() if burning.font else None)


def _crew(args: argparse.Namespace, settings: Settings) -> AbstractContextManager[Crew[Any, Any]]:
    make = partial(desk, settings)
    if args.cluster is not None:
        return cluster_crew(args.cluster, make)
    jobs = args.jobs or max(1, cores() // 2)
    return Crew(lambda: Hand(make), lambda: jobs)


def _allowed(
    left: Sequence[Keyed], keyed: Sequence[Keyed], manifest: Manifest, args: argparse.Namespace
) -> Iterator[Keyed]:
    """The jobs, of those that are left, that may write their results; others are told at once."""
    inputs = {_inode(job.film) for job, _ in keyed} - {None}
    finished = set(keyed) - set(left)
    taken = {target: job.film for job, _ in finished for target in job.targets}
    for job, key in left:
        try:
            ours = manifest.begun(job, key)
            for target in job.targets:
                if _inode(target) in inputs:
                    raise is_input(target)
                if taken.setdefault(target, job.film) != job.film:
                    raise met(target, taken[target])
                check_free(target, args.overwrite or ours)
                make_folder(target.parent)
        except CaptioningError as error:
            _fail(job, key, error, manifest, args, "refused")
        else:
            yield job, key


def _captioned(
    work: Sequence[Keyed], crew: "Crew[Job, Any]", manifest: Manifest, args: argparse.Namespace
) -> int:
    """Has the crew do the work; how many films failed."""
    failed, count = 0, 0
    begun: set[int] = set()  # and not ended

    def begin(number: int) -> None:
        job, key = work[number]
        if number in begun:  # a worker died at it
            _sweep(job)
        begun.add(number)
        manifest.tell(job, key, "started", mark=job.mark, results=results(job))

    try:
        for number, answer in crew.share([job for job, _ in work], on_begin=begin):
            job, key = work[number]
            begun.discard(number)
            count += 1
            if error := answer.exception():
                _sweep(job)
                _fail(job, key, _readable(error), manifest, args, "failed")
                failed += 1
                continue
            manifest.tell(job, key, "done", results=results(job), **answer.result())
            for told in answer.result().get("lost", ()):
                complain(OutputError(*told), args.lang, job.film, "video.batch")
            if args.quiet:
                say("\n".join(results(job)))
            else:
                say(f"{count}/{len(work)} {job.film} ({answer.result()['seconds']} s)")
    finally:
        crew.end()
        for number in begun:
            _sweep(work[number][0])
    return failed


def _readable(error: BaseException) -> CaptioningError:
    """What the manifest says; a bug keeps its traceback, on the terminal."""
    if isinstance(error, CaptioningError):
        return error
    if isinstance(error, Lost):
        return VideoError(
            f"이 영상을 보던 프로세스가 거듭 죽었습니다 ({error}). 메모리와 파일을 확인하세요.",
            f"what looked at this film died again and again ({error}). Check memory and file.",
        )
    traceback.print_exception(error)
    return VideoError(f"버그입니다: {error!r}", f"this is a bug: {error!r}")


def _fail(
    job: Job, key: str, error: CaptioningError, manifest: Manifest, args: argparse.Namespace,
    state: str,
) -> None:  # fmt: skip
    complain(error, args.lang, job.film, "video.batch")
    manifest.tell(job, key, state, error=error.text(args.lang), kind=type(error).__name__)


def _sweep(job: Job) -> None:
    for folder in {*(target.parent for target in job.targets), Path(tempfile.gettempdir())}:
        sweep(folder, job.mark)


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino


def _hash(model: Path) -> str:
    """Of the captioner file; '' for one that is not there, which is told by who loads it."""
    try:
        with model.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


if __name__ == "__main__":
    any_bytes()
    sys.exit(main())
