"""The door: films in, captioned films or subtitle files out. `python caption_video.py --help`."""

# ruff: noqa: E402 - the sizes of thread pools are read when numpy is imported
import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C during the imports: out, and no traceback
for _pool in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_pool, "1")  # idle threads of numpy cost ten times the work they do
if find_spec("numpy") is None:
    sys.exit(
        "caption_video.py: 필요한 패키지가 없습니다. source .venv/bin/activate를 하거나 "
        "pip install -r requirements-caption.txt로 설치하세요. (packages are missing: activate "
        ".venv, or install requirements-caption.txt)"
    )

from model.beam import BeamOptions
from model.gist import HedgeOptions
from preprocess import errors
from preprocess.errors import CaptionerFileError, CaptioningError, SettingError
from preprocess.files import temporary_folder
from preprocess.frames import Frame, MediaInfo, probe
from preprocess.live import Newest, camera_frames, open_camera, piped_frames
from video import outputs
from video.command import build_parser, check_door
from video.console import (
    Ended,
    any_bytes,
    bar,
    check_reader,
    complain,
    ended_by_signals,
    say,
    say_live,
)
from video.draw import BurnOptions
from video.fonts import hangul_font
from video.live import alert, caption_live
from video.outputs import check_output, check_target, lost, target_for, write
from video.pipeline import (
    Later,
    PipelineOptions,
    SeesShots,
    caption_media,
    check_there,
    load_captioner,
)
from video.preview import moment, preview_target, still_at
from video.reading import read_captions
from video.shots import ShotOptions
from video.style import StyleOptions, checked
from video.subtitles import clock
from video.track import CaptionedShot, Track, printable
from video.values import filled, limits

if TYPE_CHECKING:
    from model.captioner import Captioner


def main(argv: Sequence[str] | None = None) -> int:
    """Captions every input; returns the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = build_parser(errors.language_of(arguments))
    try:
        args = parser.read(arguments)
        check_door(parser, args)
    except SystemExit as leaving:
        return int(leaving.code or 0)
    try:
        with ended_by_signals():
            return _run(args) if args.camera is None and not args.stream else _live(args)
    except Ended as ended:
        return 128 + int(ended.args[0])


def _run(args: argparse.Namespace) -> int:
    """Refusals first, then the captioner, then one input after the other."""
    inputs = [Path(name) for name in args.inputs]
    burning = replace(filled(BurnOptions, args), look=filled(StyleOptions, args))
    try:
        checked(burning.look)
        for output in _outputs(args):
            check_output(output, inputs)
        if burning.font:
            hangul_font(burning.font)
        with temporary_folder() as folder:
            return _work(inputs, args, burning, folder)
    except CaptioningError as error:
        complain(error, args.lang)
        return 2 if isinstance(error, SettingError) else 1


def _work(
    inputs: Sequence[Path], args: argparse.Namespace, burning: BurnOptions, folder: Path
) -> int:
    jobs = _jobs(inputs, args, burning, folder)
    failed = len(jobs) < len(inputs)
    if not jobs and inputs:
        return 1
    try:
        captioner = _captioner(args)
    except CaptioningError as error:
        complain(error, args.lang)
        return 1
    for film, media, targets in jobs:
        try:
            failed |= not _caption_one(film, media, targets, captioner, args, burning)
        except CaptionerFileError as error:  # it would fail for every film
            complain(error, args.lang)
            return 1
        except CaptioningError as error:
            complain(error, args.lang, film)
            failed = True
    return int(failed)


def _live(args: argparse.Namespace) -> int:
    """Says what a camera or a pipe shows until it ends; a sentence that stays is said once."""
    last = ""
    try:
        captioner = _loaded(args)
        with _source(args) as source:
            for shot in caption_live(
                Newest(source, check_reader), captioner, filled(ShotOptions, args)
            ):
                check_reader()  # there may be no line to say for hours
                if shot.caption != last:
                    _tell(shot, args, say_live)
                last = shot.caption
    except CaptioningError as error:
        complain(error, args.lang)
        return 1
    return 0


def _source(args: argparse.Namespace) -> AbstractContextManager[Iterator[Frame]]:
    if args.stream:
        return piped_frames()
    return nullcontext(camera_frames(open_camera(args.camera)))


def _tell(shot: CaptionedShot, args: argparse.Namespace, line: Callable[[str], None] = say) -> None:
    """A sentence as it comes, and the alert that it gives."""
    if not args.quiet:
        line(f"[{_when(shot)}] {shot.caption}")
    _warn(shot, args, line)


def _when(shot: CaptionedShot) -> str:
    start, end = clock(shot.start_ms), clock(shot.end_ms)
    return start if shot.start_ms == shot.end_ms else f"{start}-{end}"  # a preview is a moment


def _warn(shot: CaptionedShot, args: argparse.Namespace, line: Callable[[str], None] = say) -> None:
    if event := alert(shot, args.alert):
        line(json.dumps(event, ensure_ascii=False))


def _outputs(args: argparse.Namespace) -> list[str | None]:
    return list(dict.fromkeys(args.output)) if args.output else [None]


def _jobs(
    inputs: Sequence[Path], args: argparse.Namespace, burning: BurnOptions, folder: Path
) -> list[tuple[Path, MediaInfo, list[Path]]]:
    """Films, what of them is worked on, and where it goes; what cannot be is told at once."""
    jobs: list[tuple[Path, MediaInfo, list[Path]]] = []
    taken: dict[Path, Path] = {}
    read = [*inputs, *([args.captions] if args.captions else [])]
    for path in inputs:
        try:
            media, targets = _placed(probe(path, limits(args)), args, folder)
            for target in targets:
                check_target(media, target, read, args.overwrite, burning)
                place = target.parent.resolve() / target.name
                if place in taken:
                    raise outputs.taken(target, taken[place])
                taken[place] = path
        except CaptioningError as error:
            complain(error, args.lang, path)
        else:
            jobs.append((path, media, targets))
    return jobs


def _placed(
    media: MediaInfo, args: argparse.Namespace, folder: Path
) -> tuple[MediaInfo, list[Path]]:
    """What is worked on, the film or for a preview one frame of it, and its results' places."""
    if args.preview is None:
        targets = [target_for(media, output, args.soft) for output in _outputs(args)]
        if args.show_attention:
            outputs.check_attention(targets)
        return media, targets
    targets = [preview_target(media, output) for output in _outputs(args)]
    return still_at(media, args.preview, folder), targets


def _captioner(args: argparse.Namespace) -> SeesShots | None:
    """The captioner that is asked for; none where the captions are given."""
    if args.about:
        captioner = _loaded(args)
        say(_about(captioner.about))
        return captioner
    if args.captions:
        return None
    check_there(args.model)
    return Later(lambda: _loaded(args))


def _loaded(args: argparse.Namespace) -> "Captioner":
    return load_captioner(args.model, filled(BeamOptions, args), filled(HedgeOptions, args))


def _about(told: Mapping[str, Any]) -> str:
    """What a captioner file says of itself, without the bookkeeping of its parts."""
    parts = ("sha256", "arrays", "weights", "graphs")
    kept = {key: value for key, value in told.items() if key not in parts}
    return json.dumps(kept, ensure_ascii=False, indent=2, default=str)


def _caption_one(
    film: Path,
    media: MediaInfo,
    targets: Sequence[Path],
    captioner: SeesShots | None,
    args: argparse.Namespace,
    burning: BurnOptions,
) -> bool:
    """One film from its frames, or its captions, to its results; whether all were written."""
    ko = args.lang == "ko"
    if not args.quiet and len(args.inputs) > 1:
        say(f"{film}")
    for told in filter(None, (lost(media, target, burning) for target in targets)):
        complain(told, args.lang, film)
    if args.captions or captioner is None:
        track = read_captions(args.captions, media)
        if args.show_attention and not any(shot.attention for shot in track.shots):
            raise _no_attention(args.captions)
        for shot in track.shots:
            _warn(shot, args)
        if args.preview is not None:
            track = moment(track, args.preview, media)
    else:
        track = _seen(media, captioner, args)
    track = replace(track, video=printable(film.name))  # of which a preview is one frame
    whole = True
    for target in targets:
        try:
            with bar("쓰는 중" if ko else "writing", media, args.quiet) as (progress, _):
                write(media, track, target, burning, progress)
        except CaptioningError as error:
            complain(error, args.lang, film)
            whole = False
        else:
            say(str(target) if args.quiet else f"{'결과' if ko else 'result'}: {target}")
    return whole


def _no_attention(captions: Path) -> SettingError:
    return SettingError(
        f"'{captions}'에는 본 곳이 적혀 있지 않습니다. --show-attention과 함께 만든 .json을 주거나 "
        "--captions를 빼세요.",
        f"'{captions}' does not say where was looked. Give a .json made with --show-attention, or "
        "leave --captions out.",
    )


def _seen(media: MediaInfo, captioner: SeesShots, args: argparse.Namespace) -> Track:
    """What the captioner says of a film, told shot by shot."""
    shots, others = filled(ShotOptions, args), args.alternatives
    pipeline = PipelineOptions(shots, alternatives=others, attention=args.show_attention)
    with bar("보는 중" if args.lang == "ko" else "looking", media, args.quiet) as (progress, past):

        def tell(shot: CaptionedShot) -> None:
            at = args.preview  # on the film's clock; the frame's own begins at 0
            _tell(shot if at is None else replace(shot, start_ms=at, end_ms=at), args, past)

        track = caption_media(media, captioner, pipeline, tell, progress)
    return replace(track, captioner=printable(args.model.name))


if __name__ == "__main__":
    any_bytes()
    sys.exit(main())
