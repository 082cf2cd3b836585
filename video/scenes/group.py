"""`python -m video.scenes group PICTURES|FOLDER|TRACK.json...`: pictures by what is seen."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from preprocess.errors import CaptioningError, OutputError, SettingError, tell
from preprocess.files import check_result, is_file, is_folder, path_of, whole_file
from video.console import complain, say, say_result
from video.track import printable
from video.values import limits, whole

if TYPE_CHECKING:
    from model.words import Words
    from video.scenes.grouping import Group, Item

ABOUT = "사진이나 장면을 뜻으로 묶습니다. (Groups pictures or shots by meaning.)"


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    more = parser.add_argument
    more("inputs", nargs="+", type=path_of, metavar="PICTURE|FOLDER|TRACK.json")
    more("--groups", type=whole(1, 1000), metavar="K", help="묶음의 수 (알아서 고름)")
    more("--out", type=path_of, metavar="FILE.html", help="사진이 든 쪽 (contact sheet)")
    more("--json", type=path_of, metavar="FILE.json", help="묶음을 JSON으로 (groups as JSON)")
    more(
        "--sort-into", type=path_of, metavar="FOLDER", help="묶음마다 폴더로 복사할 곳 (미리 보기)"
    )
    more("--copy", action="store_true", help="정말로 복사합니다 (really copy)")
    more("--overwrite", action="store_true", help="--out, --json의 파일을 덮어씁니다")


def run(arguments: argparse.Namespace) -> int:
    """Prints the groups, writes what was asked for, and copies only with --copy."""
    from model.words import Words
    from video.scenes.grouping import group
    from video.scenes.sheet import to_sheet
    from video.scenes.sorting import copy_all, plan

    pictures, tracks = _inputs(arguments.inputs)
    _check(arguments, tracks)
    if unread := _unread(arguments.inputs, tracks):
        told = _UNREAD[arguments.lang].format(count=len(unread), first=unread[0])
        tell(f"scenes: {told}")
    words = Words.load(arguments.model)
    items, failed = _items(arguments, pictures, tracks, words)
    if failed and not items:
        return 1
    groups = group(items, words, arguments.groups)
    if arguments.groups and len(groups) < arguments.groups:
        told = _FEWER[arguments.lang].format(wanted=arguments.groups, made=len(groups))
        tell(f"scenes: {told}")
    for one in groups:
        say_result(f"{len(one.members):5}  {one.name}")
    copies = plan(items, groups, arguments.sort_into) if arguments.sort_into else []
    if arguments.out:
        _write(arguments.out, to_sheet(items, groups))
    if arguments.json:
        _write(arguments.json, to_json(items, groups))
    if arguments.sort_into:
        if arguments.copy:
            copy_all(copies, arguments.sort_into)
        for copy in copies:
            say(f"{copy.source} -> {copy.target}")
        if not arguments.copy:
            say(_DRY[arguments.lang])
    return 1 if failed else 0


_FEWER = {
    "ko": "{wanted}묶음을 만들 만큼 서로 다르지 않아 {made}묶음입니다. --groups를 줄이세요.",
    "en": "too few differ for {wanted} groups: there are {made}. Give --groups less.",
}
_UNREAD = {
    "ko": "사진 폴더의 자막 기록 {count}개는 뺐습니다 ('{first}'). 함께 묶으려면 이름을 주세요.",
    "en": "left out {count} tracks in folders of pictures ('{first}'). Name them to have them too.",
}
_DRY = {
    "ko": "복사하지 않았습니다. 이대로 복사하려면 --copy를 붙이세요.",
    "en": "Nothing was copied. Add --copy to copy like this.",
}


def to_json(items: "Sequence[Item]", groups: "Sequence[Group]") -> str:
    """The groups as JSON text: name and members, each with its sentence."""
    told = [
        {
            "name": one.name,
            "members": [
                {"name": printable(items[m].name), "caption": items[m].caption} for m in one.members
            ],
        }
        for one in groups
    ]
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def _inputs(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """The pictures, and the tracks: those named and those in folders without pictures.

    Raises:
        SettingError: one of the paths is not there.
    """
    from video.scenes.index import files
    from video.scenes.pictures import picture_files

    for path in paths:
        if not (is_file(path) or is_folder(path)):
            raise SettingError(
                f"'{path}'이(가) 없습니다. 경로를 확인하세요.", f"there is no '{path}'."
            )
    found = {p: list(picture_files([p])) for p in paths if p.suffix.lower() != ".json"}
    tracks = dict.fromkeys(files([path for path in paths if not found.get(path)]))
    return list(picture_files([one for inside in found.values() for one in inside])), list(tracks)


def _unread(paths: Sequence[Path], tracks: Sequence[Path]) -> list[Path]:
    """Tracks that lie in folders beside pictures and were not named."""
    from video.scenes.index import files

    inside = dict.fromkeys(files([path for path in paths if is_folder(path)]))
    return [path for path in inside if path not in tracks and _is_track(path)]


def _is_track(path: Path) -> bool:
    from video.reading import read_track

    try:
        return bool(read_track(path).shots)
    except CaptioningError:
        return False


def _items(
    arguments: argparse.Namespace, files: Sequence[Path], tracks: Sequence[Path], words: "Words"
) -> "tuple[list[Item], bool]":
    """All that is to be grouped, and whether something could not be read."""
    from model.captioner import Captioner
    from video.scenes.pictures import items_of, items_of_track

    errors: list[CaptioningError] = []

    def refuse(error: CaptioningError) -> None:
        errors.append(error)
        if sys.stderr.isatty():
            print("\r", end="", file=sys.stderr)  # over the count
        complain(error, arguments.lang, program="scenes")

    items: list[Item] = []
    for path in tracks:
        try:
            items += items_of_track(path, words)
        except CaptioningError as error:
            if path in arguments.inputs:  # a folder may hold other JSON too
                refuse(error)
    if files:
        captioner = Captioner.load(arguments.model)

        def progress(done: int) -> None:
            if sys.stderr.isatty():
                end = "\n" if done == len(files) else ""
                print(f"\r{done}/{len(files)}", end=end, file=sys.stderr, flush=True)

        items += items_of(files, captioner, words, refuse, limits(arguments), progress)
    return items, bool(errors)


def _check(arguments: argparse.Namespace, tracks: Sequence[Path]) -> None:
    """Refuses before any work what cannot be written."""
    from preprocess.stills import SUFFIXES
    from video.scenes.sorting import check_folder

    if arguments.copy and not arguments.sort_into:
        raise SettingError(
            "--copy에는 --sort-into 폴더가 필요합니다.", "--copy needs --sort-into FOLDER."
        )
    if arguments.sort_into and tracks:
        raise SettingError(
            f"--sort-into는 사진만 복사합니다. 자막 기록은 빼 주세요: '{tracks[0]}'.",
            f"--sort-into copies pictures only. Leave the tracks out: '{tracks[0]}'.",
        )
    if arguments.sort_into:
        check_folder(arguments.sort_into)
        within = [p for p in arguments.inputs if is_folder(p) and _inside(arguments.sort_into, p)]
        if within:  # the copies would be grouped with their pictures the next time
            raise SettingError(
                f"--sort-into '{arguments.sort_into}'이(가) 사진 폴더 '{within[0]}' 안에 있습니다. "
                "밖의 폴더를 주세요.",
                f"--sort-into '{arguments.sort_into}' lies in the pictures' folder "
                f"'{within[0]}'. Give one outside of it.",
            )
    if arguments.out and arguments.json and _same(arguments.out, arguments.json):
        raise SettingError(
            f"--out과 --json이 같은 파일입니다: '{arguments.out}'. 다른 이름을 주세요.",
            f"--out and --json are one file: '{arguments.out}'. Give another name.",
        )
    for name in ("out", "json"):
        target = getattr(arguments, name)
        if target is None:
            continue
        check_result(target, [*arguments.inputs, *tracks], arguments.overwrite, f"--{name}")
        if target.suffix.lower() in SUFFIXES:
            raise OutputError(
                f"'{target}'은(는) 사진의 이름입니다. --{name}에 다른 이름을 주세요.",
                f"'{target}' has a picture's name. Give --{name} another name.",
            )


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)  # Path.resolve minds a loop of links


def _inside(folder: Path, top: Path) -> bool:
    return Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(top))


def _write(target: Path, text: str) -> None:
    with whole_file(target) as part:
        part.write_text(text, encoding="utf-8")
    say(str(target))
