"""A run folder, which tells of itself in run.json.

log.csv, curves.png and tensorboard/ show how it went; last.npz has everything to go on exactly,
best.npz the averaged weights of the best epoch, options.json what the stage was begun with.
"""

import csv
import json
import os
import platform
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from preprocess.errors import SettingError
from preprocess.files import make_folder, whole_file

Weights = list[npt.NDArray[Any]]
Log = list[dict[str, float]]
FILES = {
    "log.csv": "a line an epoch: mean loss, CIDEr-D and share of distinct sentences, held out",
    "curves.png": "the log as curves; tensorboard --logdir shows the same",
    "last.npz": "everything the next step depends on: the same command goes on exactly",
    "best.npz": "averaged weights of the best epoch",
    "options.json": "what this stage was begun with",
    "tuned/, reward/, anew/, fold*/": "later stages and folds, each with files like these",
    "features/": "what a captioner's own encoder sees in the pictures; can be made again",
}


def claim(run: Path, options: Mapping[str, Any]) -> None:
    """Makes the run folder; one that was begun with other options is refused."""
    make_folder(run, "--run")
    path, wanted = run / "options.json", json.dumps(options, indent=1) + "\n"
    if not path.exists():
        with whole_file(path) as new:
            new.write_text(wanted, encoding="utf-8")
    elif path.read_text(encoding="utf-8") != wanted:
        raise SettingError(
            f"'{run}'은(는) 다른 설정으로 시작한 학습입니다. 같은 설정을 쓰거나 --run을 바꾸세요.",
            f"'{run}' was begun with other options. Use the same ones or another --run.",
        )


def describe(run: Path, told: Mapping[str, Any]) -> None:
    """Writes run.json: how the run was begun. A run that goes on keeps it and adds its command.

    Args:
        run: the run folder, made if it is not there.
        told: plain values: options, data, what is continued; "dataset" tells data folders apart.

    Raises:
        SettingError: the run was begun with other data.
    """
    make_folder(run, "--run")
    path, now = run / "run.json", datetime.now(UTC).isoformat(timespec="seconds")
    begun = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    if begun and begun.get("dataset", told.get("dataset")) != told.get("dataset"):
        raise SettingError(
            f"'{run}'은(는) 다른 자료로 시작한 학습입니다. 새로 배우려면 --run을 바꾸거나 "
            "그 폴더를 지우세요.",
            f"'{run}' was begun with other data. To learn anew, give another --run or delete that "
            "folder.",
        )
    command = {"time": now, "command": shlex.join(sys.argv), "in": str(Path.cwd())}
    page = begun or {**told, "versions": versions(), "files": FILES, "commands": []}
    page["commands"].append(command)
    with whole_file(path) as new:
        new.write_text(json.dumps(page, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def versions() -> dict[str, str]:
    """What figures may depend on besides the options."""
    names = ("keras", "tensorflow", "torch", "jax", "numpy", "onnxruntime")
    found = {name: _version(name) for name in names}
    told = {"python": platform.python_version(), "platform": platform.platform()}
    told |= {name: version for name, version in found.items() if version}
    return told | {"backend": os.environ.get("KERAS_BACKEND", "tensorflow")}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def save(path: Path, arrays: dict[str, Weights], log: Sequence[dict[str, float]] = ()) -> None:
    """Replaces the file in one step, so a kill leaves the old one or the new one."""
    named = {f"{name}{i:04d}": a for name, group in arrays.items() for i, a in enumerate(group)}
    with whole_file(path) as new, new.open("wb") as file:
        np.savez(file, log=np.array(json.dumps(list(log))), **named)  # type: ignore[arg-type]


def load(path: Path, name: str) -> Weights:
    """The arrays that were saved under a name, in order."""
    with np.load(path) as file:
        return [file[key] for key in sorted(file.files) if key.startswith(name)]


def load_log(path: Path) -> Log:
    """The log that was saved beside the arrays."""
    with np.load(path) as file:
        log: Log = json.loads(str(file["log"]))
    return log


def write_log(path: Path, log: Sequence[dict[str, float]]) -> None:
    """A CSV line an epoch."""
    with whole_file(path) as new, new.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(log[0]))
        writer.writeheader()
        writer.writerows(log)


def readable(line: dict[str, float], best: bool) -> str:
    """An epoch on one line for the terminal."""
    mark = "  ← 남김 (kept)" if best else ""
    return (
        f"{int(line['epoch']):3d}  loss {line['loss']:.3f}  CIDEr-D {line['cider_d']:.3f}  "
        f"distinct {line['distinct']:.2f}  {line['train_s']:.0f}+{line['check_s']:.0f} s{mark}"
    )
