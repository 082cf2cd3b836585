"""A run folder: log.csv, last.npz (everything to go on exactly), best.npz, options.json."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from preprocess.errors import SettingError

Weights = list[npt.NDArray[Any]]
Log = list[dict[str, float]]


def claim(run: Path, options: Mapping[str, Any]) -> None:
    """Makes the run folder; one that was begun with other options is refused."""
    run.mkdir(parents=True, exist_ok=True)
    path, wanted = run / "options.json", json.dumps(options, indent=1) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") != wanted:
        raise SettingError(
            f"'{run}'은(는) 다른 설정으로 시작한 학습입니다. 같은 설정을 쓰거나 --run을 바꾸세요.",
            f"'{run}' was begun with other options. Use the same ones or another --run.",
        )
    path.write_text(wanted, encoding="utf-8")


def refuse_below(options: Any, least: Mapping[str, float]) -> None:
    """Checks the options of a stage.

    Raises:
        SettingError: one is smaller than the least it can be.
    """
    for name, bound in least.items():
        value = getattr(options, name)
        if value < bound:
            raise SettingError(
                f"학습 설정 {name}이(가) 너무 작습니다: {value}. {bound} 이상을 주세요.",
                f"training option {name} is too small: {value}. Give {bound} or more.",
            )


def save(path: Path, arrays: dict[str, Weights], log: Sequence[dict[str, float]] = ()) -> None:
    """Replaces the file in one step, so a kill leaves the old one or the new one."""
    named = {f"{name}{i:04d}": a for name, group in arrays.items() for i, a in enumerate(group)}
    new = path.with_suffix(".new")
    with new.open("wb") as file:
        np.savez(file, log=np.array(json.dumps(list(log))), **named)  # type: ignore[arg-type]
    new.replace(path)


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
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(log[0]))
        writer.writeheader()
        writer.writerows(log)


def readable(line: dict[str, float], best: bool) -> str:
    """An epoch on one line for the terminal."""
    mark = "  ← 가장 좋음 (best)" if best else ""
    return (
        f"{int(line['epoch']):3d}  loss {line['loss']:.3f}  CIDEr-D {line['cider_d']:.3f}  "
        f"distinct {line['distinct']:.2f}  {line['train_s']:.0f}+{line['check_s']:.0f} s{mark}"
    )
