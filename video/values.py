"""What the texts of a command line mean: numbers with bounds, spans and moments of time."""

import argparse
import unicodedata
from dataclasses import fields
from functools import partial
from typing import Any, TypeVar

from preprocess.media import Limits

Options = TypeVar("Options")


def seconds(text: str) -> int:
    """2, 2.5s or 500ms in milliseconds."""
    try:
        if text.endswith("ms"):
            return round(_number(text.removesuffix("ms"), low=100, high=3_600_000))
        return round(1000 * _number(text.removesuffix("s"), low=0.1, high=3600))
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"{text!r}: 100ms ... 3600s") from None


def moment(text: str) -> int:
    """12, 12.5s, 1:02 or 1:02:03 in milliseconds."""
    parts = text.removesuffix("s").split(":")
    if len(parts) > 3:
        raise argparse.ArgumentTypeError(f"{text!r}: 12s, 1:02, 1:02:03")
    values: list[float] = [_number(part, low=0, high=1e6) for part in parts]
    return round(sum(1000.0 * value * 60.0**i for i, value in enumerate(reversed(values))))


def words(text: str) -> str:
    """One word, or several with a space between them; the text as Hangul is written together."""
    told = unicodedata.normalize("NFC", " ".join(text.split()))
    if not told:
        raise argparse.ArgumentTypeError(f"{text!r}")
    return told


def _whole(text: str, low: int, high: int) -> int:
    number = _number(text, low, high)
    if number != int(number):
        raise argparse.ArgumentTypeError(f"{text!r}: {low}, {low + 1}, ... {high}")
    return int(number)


def _number(text: str, low: float, high: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not low <= number <= high:
        raise argparse.ArgumentTypeError(f"{text!r}: {low:g} ... {high:g}")
    return number


def whole(low: int, high: int) -> Any:
    """Reads an int between two bounds."""
    return partial(_whole, low=low, high=high)


def number(low: float, high: float) -> Any:
    """Reads a float between two bounds."""
    return partial(_number, low=low, high=high)


def limits(asked: Any) -> Limits:
    """What the max_megapixels and max_hours of a command line or of options mean."""
    return Limits(round(1e6 * asked.max_megapixels), round(3_600_000 * asked.max_hours))


def filled(kind: type[Options], args: argparse.Namespace) -> Options:
    """An option object filled with what the command line has for its fields."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: getattr(args, name) for name in names if hasattr(args, name)})
