"""Label files as values: JSON, JSON lines, CSV and TSV, in UTF-8 or CP949."""

import csv
import io
import json
import re
from pathlib import PurePosixPath

from preprocess.sets.labels import Document

HALF = re.compile(r"\\ud[89a-f]", re.IGNORECASE)
KINDS = (".json", ".jsonl", ".csv", ".tsv")


def decoded(data: bytes) -> str:
    """The text: UTF-8 with or without BOM, else CP949.

    Raises:
        ValueError: it is neither.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp949")


def parsed(data: bytes, name: str) -> Document:
    """The value of a label file; a table becomes a list of its rows.

    Raises:
        ValueError: it is not text, or not of the kind that its name says.
        RecursionError: brackets in brackets without end.
    """
    text = decoded(data)
    kind = PurePosixPath(name).suffix.lower()
    if kind in (".csv", ".tsv"):
        return _rows(text, "\t" if kind == ".tsv" else ",")
    if kind == ".jsonl":
        return _lines(text)
    try:
        return _whole(json.loads(text), text)
    except ValueError:
        if "\n" not in text.strip():
            raise
        return _lines(text)  # JSON lines are often called .json


def _lines(text: str) -> Document:
    return _whole([json.loads(line) for line in text.split("\n") if line.strip()], text)


def _whole(value: Document, text: str) -> Document:
    """The value without halves of characters, which no file can be written with."""
    if not HALF.search(text):
        return value
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def _rows(text: str, comma: str) -> Document:
    first = text.partition("\n")[0]
    if comma not in first and ";" in first:
        comma = ";"  # as spreadsheets in some countries write it
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=comma)
        return [{k.strip(): v for k, v in row.items() if k is not None} for row in reader]
    except csv.Error as error:
        raise ValueError(str(error)) from None
