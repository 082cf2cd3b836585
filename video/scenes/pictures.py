"""What is to be grouped: picture files and folders of them, and the shots of captioned films."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from model.captioner import Captioner
from model.words import Words, unit
from preprocess.errors import CaptioningError, SettingError
from preprocess.files import is_file
from preprocess.frames import probe
from preprocess.media import Limits
from preprocess.pictures import Picture
from preprocess.stills import SUFFIXES, read_still
from video.reading import read_track
from video.scenes.grouping import Item
from video.scenes.moments import meaning, weighed
from video.subtitles import clock
from video.track import Track

Refused = Callable[[CaptioningError], None]


def picture_files(paths: Sequence[Path]) -> Iterator[Path]:
    """The files named, and every picture in the folders named, each once; hidden ones left out."""
    seen: set[Path] = set()
    for path in paths:
        inside = sorted(p for p in path.rglob("*") if _is_picture(p)) if path.is_dir() else [path]
        for one in inside:
            if one.absolute() not in seen:
                seen.add(one.absolute())
                yield one


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and is_file(path) and not path.name.startswith(".")


def items_of(
    files: Sequence[Path],
    captioner: Captioner,
    words: Words,
    refused: Refused,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    on_progress: Callable[[int], None] | None = None,
) -> Iterator[Item]:
    """Each picture as an item named by its path; one that cannot be read does not stop the rest."""
    for number, path in enumerate(files, 1):
        try:
            if probe(path, limits).kind == "video":
                raise _no_picture(path)
            picture = read_still(path)
        except CaptioningError as error:
            refused(error)
            continue
        yield item_of(str(path), picture, captioner, words)
        if on_progress:
            on_progress(number)


def _no_picture(path: Path) -> SettingError:
    return SettingError(
        f"'{path}'은(는) 영상입니다. 먼저 자막 기록을 만들어 그것을 주세요: "
        f"python caption_video.py '{path}' -o .json",
        f"'{path}' is a film. Make its track first and give that: "
        f"python caption_video.py '{path}' -o .json",
    )


def item_of(name: str, picture: Picture, captioner: Captioner, words: Words) -> Item:
    """One picture, uint8 (H, W, 3) RGB, captioned and looked at."""
    caption = captioner.caption(picture[None])
    features = unit(captioner.features([picture])[0].mean(axis=0))
    return Item(name, caption.text, meaning(caption, words), features)


def items_of_track(path: Path, words: Words) -> Iterator[Item]:
    """Each shot of a track's file as an item named by film and time.

    Raises:
        DataError: the file cannot be read or is no track.
    """
    yield from shot_items(read_track(path), words)


def shot_items(track: Track, words: Words) -> Iterator[Item]:
    """Each shot of a captioned film, as items_of_track."""
    for shot in track.shots:
        said = [(shot.caption, shot.score), *((o.caption, o.score) for o in shot.alternatives)]
        name = f"{track.video} {clock(shot.start_ms)}-{clock(shot.end_ms)}"
        yield Item(name, shot.caption, weighed(said, words))
