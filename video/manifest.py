"""manifest.jsonl: what became of each film, a line each time something did.

`state` is "started", "done", "failed", or "refused" for a film that was not begun. The last line
of a film holds. `key` is a hash of the film's size and time, the options and the captioner: what
was done under another key was another job. `out` is where the folder was: what lies in it is known
again when it has moved.
"""

import hashlib
import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from preprocess.files import append_line, read_lines, sweep
from video.job import Job, Settings
from video.outputs import SUFFIXES
from video.pipeline import stamp

NAME = "manifest.jsonl"


class Manifest:
    """The manifest of a folder, and what it told when it was opened."""

    def __init__(self, folder: Path) -> None:
        self._path, self._folder = folder / NAME, Path(os.path.realpath(folder))
        self._states: dict[tuple[str, str], str] = {}  # the last one, by film and key
        self._marks: dict[tuple[str, str], str] = {}  # of what was ever started, by film and key
        self._owners: dict[str, tuple[set[str], str]] = {}  # who was last to begin a result
        for line in filter(_is_ours, read_lines(self._path)):
            films, key = self._places(line["film"], line), line["key"]
            self._states |= {(film, key): line["state"] for film in films}
            if line["state"] != "started":
                continue
            self._marks |= {(film, key): line.get("mark", "") for film in films}
            for result in line.get("results", ()):
                self._owners |= dict.fromkeys(self._places(result, line), (films, key))

    @property
    def results(self) -> Collection[str]:
        """Of all that was ever started."""
        return self._owners.keys()

    def _places(self, path: str, line: Mapping[str, Any]) -> set[str]:
        """Where a file is: where it was told to be and, if the folder with it has moved, there."""
        before = Path(line.get("out", self._folder))
        if before == self._folder or not Path(path).is_relative_to(before):
            return {path}
        return {path, str(self._folder / Path(path).relative_to(before))}

    def finished(self, job: Job, key: str) -> bool:
        """Whether all of the job's results are there, made by this very job."""
        done = self._states.get((str(job.film), key)) == "done"
        return done and all(os.path.lexists(t) and self._is_own(t, job, key) for t in job.targets)

    def begun(self, job: Job, key: str) -> bool:
        """Whether this very job was begun once, and all results that are there are its own."""
        mark = self._marks.get((str(job.film), key))
        if mark and self._states.get((str(job.film), key)) == "started":  # by a run that was killed
            for folder in {target.parent for target in job.targets}:
                sweep(folder, mark)
        there = [target for target in job.targets if os.path.lexists(target)]
        return bool(mark) and all(self._is_own(target, job, key) for target in there)

    def _is_own(self, target: Path, job: Job, key: str) -> bool:
        """Whether no other job was begun since that writes it (older lines do not tell results)."""
        films, last = self._owners.get(str(target), ({str(job.film)}, key))
        return str(job.film) in films and last == key

    def tell(self, job: Job, key: str, state: str, **more: Any) -> None:
        """Adds a line.

        Raises:
            OutputError: it cannot be written.
        """
        line = {"film": str(job.film), "state": state, "key": key, "out": str(self._folder)}
        line |= {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), **more}
        append_line(self._path, line)


def _is_ours(line: Any) -> bool:
    """Whether `tell` can have written it; "mark", "results" and "out" are not in all lines."""
    if not (isinstance(line, dict) and {"film", "state", "key"} <= line.keys()):
        return False
    told = line.get("results", [])
    texts = [line.get(name, "") for name in ("film", "state", "key", "mark", "out")]
    return isinstance(told, list) and all(isinstance(text, str) for text in (*texts, *told))


def key_of(job: Job, settings: Settings, captioner: str) -> str:
    """The hash of everything that the job's results depend on; captioner: the hash of its file."""
    size = list(job.seen or stamp(job.film))
    forms = {target.name: SUFFIXES.index(target.suffix) for target in job.targets}
    names = sorted(forms, key=lambda name: forms[name])
    options = {k: v for k, v in asdict(settings).items() if k not in _UNIMPORTANT}
    told = json.dumps([size, names, options, captioner], default=str, sort_keys=True)
    return hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest()


# of the captioner the file's content counts, and what is within the limits is as it would be
_UNIMPORTANT = ("model", "overwrite", "limits")


def results(job: Job) -> Sequence[str]:
    """The results' paths, as the manifest tells them."""
    return [str(target) for target in job.targets]
