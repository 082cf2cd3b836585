"""`python -m video.scenes hashtags PHOTO...|FILM|TRACK.json`: tags to write under them."""

import argparse
import errno
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from preprocess.errors import DataError, SettingError
from preprocess.files import is_file, path_of
from preprocess.media import Limits
from video.scenes.tags import (
    DEFAULT,
    SENTENCES,
    Hashtags,
    TagOptions,
    check_count,
    groups,
    of_photos,
    of_track,
    to_json,
)
from video.values import limits, whole

ABOUT = "사진이나 영상의 해시태그를 만듭니다. (Hashtags of photos or a film.)"


def read_blocked(path: Path) -> tuple[str, ...]:
    """The words of a UTF-8 text file, one a line; # before them may stand.

    Raises:
        DataError: it cannot be read as text.
    """
    try:
        if path.exists() and not is_file(path):  # a pipe would be waited for
            raise OSError(errno.EINVAL, "no file")
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise DataError(
            f"막을 낱말 '{path}'을(를) 읽을 수 없습니다 ({error.strerror}). 경로를 확인하세요.",
            f"cannot read the blocked words in '{path}' ({error.strerror}). Check the path.",
        ) from None
    except ValueError as error:
        raise DataError(
            f"막을 낱말 파일 '{path}'을(를) 읽을 수 없습니다 ({error}). UTF-8 글이어야 합니다.",
            f"cannot read the blocked words in '{path}' ({error}). It must be UTF-8 text.",
        ) from None
    return tuple(line.strip() for line in lines if line.strip())


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    more = parser.add_argument
    more("inputs", nargs="+", type=path_of, metavar="INPUT", help="사진 1~10장, 영상, track.json")
    more("--impressions", default="", metavar="A,B", help=f"느낌: {', '.join(groups())}")
    more("--block", type=path_of, metavar="FILE", help="막을 낱말, 한 줄에 하나 (blocked words)")
    more(
        "--most", type=whole(1, 100), default=DEFAULT.most, metavar="N", help="많아야 (%(default)s)"
    )
    more("--json", action="store_true", help="JSON으로 (as JSON)")


def run(arguments: argparse.Namespace) -> int:
    """Prints the sentences and the line of tags."""
    from video.console import say_result

    asked = unicodedata.normalize("NFC", arguments.impressions).split(",")
    names = tuple(name.strip() for name in asked if name.strip())
    blocked = read_blocked(arguments.block) if arguments.block else ()
    options = TagOptions(most=arguments.most, impressions=names, blocked=blocked)
    found = _of(arguments.inputs, arguments.model, options, limits(arguments))
    if arguments.json:
        say_result(to_json(found))
        return 0
    for told in found.captions:
        say_result("\n".join(told))
    for label, told in zip(_LABELS[arguments.lang], (found.keywords, found.related), strict=True):
        say_result(f"{label}: {' '.join(told)}")
    say_result(found.line)
    return 0


_LABELS = {"ko": ("핵심", "관련"), "en": ("keywords", "related")}


def _of(inputs: Sequence[Path], model: Path, options: TagOptions, bounds: Limits) -> Hashtags:
    """Of photos, or of one film or track."""
    from model.captioner import Captioner
    from model.words import Words
    from preprocess.frames import probe
    from preprocess.stills import read_still
    from video.pipeline import PipelineOptions, caption_media
    from video.reading import read_track

    if len(inputs) == 1 and inputs[0].suffix.lower() == ".json":
        return of_track(read_track(inputs[0]), Words.load(model), options)
    told = next((path for path in inputs if path.suffix.lower() == ".json"), None)
    if told:
        raise SettingError(
            f"자막 기록은 하나만, 사진과 섞지 말고 주세요: '{told}'.",
            f"give one track alone, without photos: '{told}'.",
        )
    media = [probe(path, bounds) for path in inputs]
    films = [one for one in media if one.kind != "picture"]
    if films and len(media) > 1:
        raise SettingError(
            f"'{films[0].path}'은(는) 영상입니다. 영상은 하나만, 사진과 섞지 말고 주세요.",
            f"'{films[0].path}' is a film. Give one film alone, without photos.",
        )
    if not films:
        check_count(len(media))  # before the captioner is loaded
    captioner = Captioner.load(model)
    if films:
        track = caption_media(films[0], captioner, PipelineOptions(alternatives=SENTENCES))
        return of_track(track, Words.load(model), options)
    return of_photos([read_still(one.path) for one in media], captioner, options)
