"""KETI 멀티모달: shots of dramas, five descriptions a frame, three sentences a clip.

People described the first, middle and last frame of a shot; the frames between carry copies
("interpolation"). A run is the frames with the same descriptions; of a run its described frame is
read, of a shot at most three runs. They are the pictures of one sample, as a film's are.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from preprocess.captions import clean
from preprocess.records import middle_first
from preprocess.sets.labels import Document, Label, listed, named, records, text
from preprocess.tally import Tally

MOST = 3  # frames a shot
LARGEST = 10**9  # number of a frame
Frame = dict[str, Any]
Run = list[Frame]


def drama(document: Document, tally: Tally) -> Iterator[Label]:
    """{common_info: {file_id, video_file, clip_descs}, shot_infos: [{visual_infos}]}."""
    about = document["common_info"]
    clip = text(about.get("file_id") or about.get("shot_folder"))
    film = text(about.get("video_file"))
    if not clip:
        tally.drop("clip without file_id", str(about))
        return
    shots = _shots(document, tally)
    first = min((number for _, frames in shots for f in frames if (number := _number(f)) >= 0),
                default=0)  # fmt: skip
    kept: list[tuple[str, list[Run]]] = []
    for shot, frames in shots:
        described = _runs(frames, f"{clip}/{shot}", tally)
        runs = _fewest(described)
        spare = sum(map(len, described)) - len(runs)
        if spare:
            tally.drop("interpolated frame", f"{clip}/{shot}", spare)
        if runs:
            kept.append((shot, [_ranked(run, at, len(runs)) for at, run in enumerate(runs)]))
            yield _shot(clip, film, kept[-1], first)
    yield from _whole(clip, film, about, kept, shots, tally)


def _shots(document: Document, tally: Tally) -> list[tuple[str, Run]]:
    """Shots in the order of time with their frames in order; the files have them reversed."""
    found = []
    for shot in records(document["shot_infos"], tally):
        frames = [f for f in records(shot.get("visual_infos"), tally) if text(f.get("image_id"))]
        if frames:
            found.append((text(shot.get("image_folder")), sorted(frames, key=_number)))
        else:
            tally.drop("shot without frames", text(shot.get("image_folder")))
    return sorted(found, key=lambda pair: _number(pair[1][0]))


def _number(frame: Frame) -> int:
    """The frame_id, else the number in image_id; -1 for neither."""
    digits = text(frame.get("frame_id")) or "".join(filter(str.isdigit, text(frame["image_id"])))
    try:
        number = int(float(digits))
    except (ValueError, OverflowError):
        return -1
    return number if 0 <= number < LARGEST else -1


def _runs(frames: Run, name: str, tally: Tally) -> list[Run]:
    """Frames with the same descriptions in whatever order or spacing, one run each."""
    found: dict[tuple[str, ...], Run] = {}
    for said, group in groupby(frames, _said):
        run = list(group)
        if said:
            found.setdefault(said, []).extend(run)
        else:
            tally.drop("frame without descriptions", name, len(run))
    return list(found.values())


def _said(frame: Frame) -> tuple[str, ...]:
    texts = (clean(t).replace(" ", "") for t in listed(frame.get("image_descs"))
             if isinstance(t, str))  # fmt: skip
    return tuple(sorted(t for t in texts if t))


def _fewest(runs: list[Run]) -> list[Run]:
    """The first, the middle and the last of the runs."""
    if len(runs) <= MOST:
        return runs
    return [runs[round(i * (len(runs) - 1) / (MOST - 1))] for i in range(MOST)]


def _ranked(run: Run, position: int, count: int) -> Run:
    """The run's frames, the described one first: at a shot's ends the outermost, else the middle.

    The others stand in, the nearest first, where that picture is missing.
    """
    at = 0 if position == 0 else len(run) - 1 if position == count - 1 else len(run) // 2
    order = sorted(range(len(run)), key=lambda i: (abs(i - at), i))
    return [run[i] for i in order]


def _shot(clip: str, film: str, kept: tuple[str, list[Run]], first: int) -> Label:
    """What is said of any of a shot's described frames, and these frames."""
    shot, runs = kept
    told = [run[0] for run in runs]
    numbers = [number for frame in told if (number := _number(frame)) >= 0]
    return Label(
        named(clip, shot),
        tuple(said for frame in told for said in listed(frame.get("image_descs"))),
        clip,
        along=tuple(_stills(clip, shot, run) for run in runs),
        within=1,
        films=(film,),
        frames=tuple(number - first for number in numbers),
        topic=text(told[len(told) // 2].get("place")),
    )


def _stills(clip: str, shot: str, run: Run) -> tuple[str, ...]:
    """Frames are numbered alike in every clip, so their shot's folder must be the label's."""
    return tuple(f"{clip}/{shot}/{text(f['image_id'])}" for f in run)


def _whole(
    clip: str, film: str, about: Frame, kept: list[tuple[str, list[Run]]],
    shots: list[tuple[str, Run]], tally: Tally,
) -> Iterator[Label]:  # fmt: skip
    """The clip's own sentences, with a picture of its beginning, middle and end.

    Those with a person's name are left out.
    """
    names = _names(frame for _, frames in shots for frame in frames)
    told = []
    for sentence in listed(about.get("clip_descs")):
        if isinstance(sentence, str) and any(name in sentence for name in names):
            tally.drop("sentence with a person's name", f"{clip}: {sentence}")
        else:
            told.append(sentence)
    if told:
        along = tuple(_thirds(clip, kept))
        yield Label(named(clip), tuple(told), clip, along=along, within=1, films=(film,))


def _thirds(clip: str, kept: list[tuple[str, list[Run]]]) -> Iterator[tuple[str, ...]]:
    """The described frames of a clip in as many parts as pictures are taken; the middle first."""
    described = [_stills(clip, shot, run[:1]) for shot, runs in kept for run in runs]
    count = min(MOST, len(described))
    for at in range(count):
        part = described[at * len(described) // count : (at + 1) * len(described) // count]
        yield tuple(name for names in middle_first(part) for name in names)


def _names(frames: Iterator[Frame]) -> set[str]:
    """Names of two letters and more that no description of a frame uses: 남자 is no name."""
    names, words = set(), set()
    for frame in frames:
        names |= {text(p.get("person_id")) for p in records(frame.get("persons"))}
        words |= {t for t in listed(frame.get("image_descs")) if isinstance(t, str)}
    return {n for n in names if len(n) > 1 and not any(n in t for t in words)}
