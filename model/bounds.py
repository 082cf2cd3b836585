"""Where the numbers of a stage's options may lie."""

from collections.abc import Mapping
from math import inf
from typing import Any

from preprocess.errors import SettingError

COUNT = (1, inf)
SOME = (0, inf)  # a count that may be none
RATE = (1e-9, 1.0)  # of learning
Bounds = Mapping[str, tuple[float, float]]  # least and most of each option


def check_bounds(options: Any, bounds: Bounds) -> None:
    """Checks the numbers of an options dataclass; nan lies nowhere, and no number is endless.

    Raises:
        SettingError: one lies outside.
    """
    for name, (least, most) in bounds.items():
        value = getattr(options, name)
        if not least <= value <= most or value == inf:
            flag = f"--{name.replace('_', '-')}"
            raise SettingError(
                f"{flag} {value}: {least:g} 이상{_most(most, ', {:g} 이하')}의 수를 주세요.",
                f"{flag} {value}: give {least:g} or more{_most(most, ', and {:g} or less')}.",
            )


def _most(most: float, words: str) -> str:
    return "" if most == inf else words.format(most)
