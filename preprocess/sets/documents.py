"""Label files as values: JSON, JSON lines, CSV and TSV, in UTF-8, CP949 or UTF-16."""

import csv
import io
import json
import re
from pathlib import PurePosixPath

from preprocess.sets.labels import Document
from preprocess.tally import Tally

HALF = re.compile(r"\\ud[89a-f]", re.IGNORECASE)
UTF16 = (b"\xff\xfe", b"\xfe\xff")
KINDS = (".json", ".jsonl", ".csv", ".tsv")


def decoded(data: bytes) -> str:
    """The text: UTF-8 with or without BOM, UTF-16 with one (as Excel writes it), else CP949.

    Raises:
        ValueError: it is none of these.
    """
    if data[:2] in UTF16:
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp949")


def parsed(data: bytes, name: str, tally: Tally | None = None) -> Document:
    """The value of a label file; a table becomes a list of its rows.

    Args:
        data: the file.
        name: its name, for what kind it is.
        tally: is told of the lines that cannot be read, where most can.

    Raises:
        ValueError: it is not text, or not of the kind that its name says.
        RecursionError: brackets in brackets without end.
    """
    text, tally = decoded(data), tally or Tally()
    kind = PurePosixPath(name).suffix.lower()
    if kind in (".csv", ".tsv"):
        return _rows(text, "\t" if kind == ".tsv" else ",", name, tally)
    if kind == ".jsonl":
        return _lines(text, name, tally)
    try:
        return _whole(json.loads(text), text)
    except ValueError:
        if "\n" not in text.strip():
            raise
        return _lines(text, name, tally)  # JSON lines are often called .json


def _lines(text: str, name: str, tally: Tally) -> Document:
    found, broken = [], []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            found += [json.loads(line)] if line.strip() else []
        except ValueError as error:
            broken.append((number, error))
    if len(broken) > len(found):  # no such file at all
        raise broken[0][1]
    for number, _ in broken:
        tally.drop("line cannot be read", f"{name}, line {number}")
    return _whole(found, text)


def _whole(value: Document, text: str) -> Document:
    """The value without halves of characters, which no file can be written with."""
    if not HALF.search(text):
        return value
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def _rows(text: str, comma: str, name: str, tally: Tally) -> Document:
    first = text.partition("\n")[0]
    if comma not in first and ";" in first:
        comma = ";"  # as spreadsheets in some countries write it
    elif comma not in first and "\t" in first:
        comma = "\t"  # what they call Unicode text
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=comma)
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise ValueError(str(error)) from None
    for number, row in rows:
        if None in row:  # a comma in a caption without quotes: what comes after it would be lost
            tally.drop("row with more cells than columns", f"{name}, line {number}")
    return [{k.strip(): v for k, v in row.items()} for _, row in rows if None not in row]
