"""Blind judging: the cards, the sheet, the count."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from model import judge
from model.judge import agreement, cards
from model.report import Scored, read_scores
from preprocess.dataset import Dataset
from preprocess.errors import DataError
from preprocess.records import Sample

KEYS = [f"s/{n}" for n in range(9)]


def told(systems=("ours", "theirs")):
    said = [{"name": s, "sentences": {k: f"{s} {k}" for k in KEYS}} for s in systems]
    return {"systems": said, "references": {k: [f"people {k} {i}" for i in range(3)] for k in KEYS}}


@pytest.fixture
def scores(tmp_path):
    path = tmp_path / "scores.json"
    path.write_text(json.dumps(told()), encoding="utf-8")
    return path


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    samples = []
    for number, key in enumerate(KEYS):
        path = tmp_path / f"{number}.png"
        cv2.imwrite(str(path), np.full((40, 60, 3), number * 20, np.uint8))
        samples.append(Sample(key, (str(path),), ("x",), "test", key))
    data = Dataset(tuple(samples), ((),) * 9, np.zeros((9, 0)), {})
    monkeypatch.setattr(judge, "load", lambda folder, features: data)


def fill(sheet, verdict, rows=99):
    with sheet.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file, delimiter="\t"))
    table = [(r["picture"], r["letter"], r["sentence"], verdict(r), "") for r in found[:rows]]
    path = sheet.with_name("filled.tsv")
    judge.write_table(path, table, judge.COLUMNS)
    return path


def test_which_pictures_are_judged_is_known_before_there_is_a_sentence(scores):
    scored = read_scores(scores)
    drawn = cards(scored, ["ours", "theirs"], 4, 7)
    others = {"x": dict.fromkeys(KEYS, "?")}
    empty = cards(Scored(others, scored.references), ["x"], 4, 7)
    assert list(dict.fromkeys(c.picture for c in drawn)) == [
        *dict.fromkeys(c.picture for c in empty)
    ]


def test_every_picture_has_a_sentence_of_each_in_shuffled_order(scores):
    drawn = cards(read_scores(scores), ["ours", "theirs"], 9, 1)
    assert drawn == cards(read_scores(scores), ["ours", "theirs"], 9, 1)
    orders = set()
    for key in KEYS:
        own = [c for c in drawn if c.picture == key]
        assert [c.letter for c in own] == ["A", "B", "C"]
        assert {c.system for c in own} == {"ours", "theirs", "people"}
        assert all(c.sentence.startswith(f"{c.system} {key}") for c in own)
        orders.add(tuple(c.system for c in own))
    assert len(orders) > 2


def test_a_filled_sheet_is_counted_and_says_whose_sentence_it_was(
    tmp_path, scores, pictures, capsys
):
    common = [str(scores), "--systems", "ours", "theirs", "--count", "5"]
    assert judge.main([*common, "--data", "data", "--out", str(tmp_path / "sheets")]) == 0
    page = (tmp_path / "sheets" / "sheet.html").read_text(encoding="utf-8")
    assert page.count("<img") == 5
    sheet = tmp_path / "sheets" / "sheet.tsv"
    assert "system" not in sheet.read_text(encoding="utf-8").splitlines()[0]
    filled = fill(sheet, lambda row: "right" if row["sentence"].startswith("ours") else "wrong")
    capsys.readouterr()
    out = tmp_path / "judgements.tsv"
    again = ["--again", str(filled)]
    assert judge.main([*common, "--sheet", str(filled), "--out", str(out), *again]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "ours (5): right 100.0 %, generic 0.0 %, partly 0.0 %, wrong 0.0 %"
    assert said[2] == "theirs (5): right 0.0 %, generic 0.0 %, partly 0.0 %, wrong 100.0 %"
    assert said[3] == "agreement over 15 sentences: 100.0 %, kappa 1.00"
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) == 15
    assert all((row["verdict"] == "right") == (row["system"] == "ours") for row in rows)
    assert all(bool(row["sentence"]) == (row["system"] == "ours") for row in rows)


def test_what_somebody_has_judged_is_not_drawn_over(tmp_path, scores, pictures, capsys):
    common = [str(scores), "--systems", "ours", "theirs", "--count", "5", "--lang", "en"]
    drawn = [*common, "--data", "data", "--out", str(tmp_path)]
    assert judge.main(drawn) == 0
    filled = fill(tmp_path / "sheet.tsv", lambda row: "right")
    for out, said in ((filled, "is an input"), (tmp_path / "sheet.html", "exists already")):
        assert judge.main([*common, "--sheet", str(filled), "--out", str(out)]) == 1
        assert said in capsys.readouterr().err
    before = filled.read_bytes()
    (tmp_path / "sheet.tsv").write_bytes(before)
    assert judge.main(drawn) == 1
    assert "Add --overwrite" in capsys.readouterr().err
    assert (tmp_path / "sheet.tsv").read_bytes() == before
    assert judge.main([*drawn, "--overwrite"]) == 0


def test_fewer_pictures_than_were_asked_for_are_told_and_none_refused(
    tmp_path, scores, pictures, capsys
):
    common = [str(scores), "--systems", "ours", "--data", "d", "--out", str(tmp_path / "s")]
    for count in ("0", "-1", "2.5"):
        with pytest.raises(SystemExit):
            judge.main([*common, "--count", count])
        assert f"'{count}': 1, 2, ..." in capsys.readouterr().err
    assert judge.main([*common, "--count", "10", "--lang", "en"]) == 0
    assert "9 pictures are all there are." in capsys.readouterr().out
    assert judge.main([*common, "--count", "9", "--lang", "en", "--overwrite"]) == 0
    assert "all there are" not in capsys.readouterr().out


def test_agreement_is_that_of_the_textbook():
    """Two readers, 20 times both right, 15 both wrong, 5 and 10 apart: kappa 0.4 (Cohen 1960)."""
    pairs = [("right", "right")] * 20 + [("right", "wrong")] * 5
    pairs += [("wrong", "right")] * 10 + [("wrong", "wrong")] * 15
    one = {(str(i), "A"): (a, "") for i, (a, _) in enumerate(pairs)}
    two = {(str(i), "A"): (b, "") for i, (_, b) in enumerate(pairs)}
    assert agreement(one, two) == "agreement over 50 sentences: 70.0 %, kappa 0.40"


@pytest.mark.parametrize("verdict", ["", "good"])
def test_a_verdict_outside_the_rubric_is_refused(tmp_path, scores, pictures, verdict, capsys):
    common = [str(scores), "--systems", "ours", "--lang", "en"]
    assert judge.main([*common, "--data", "data", "--out", str(tmp_path)]) == 0
    filled = fill(tmp_path / "sheet.tsv", lambda row: verdict)
    capsys.readouterr()
    out = tmp_path / "out.tsv"
    assert judge.main([*common, "--sheet", str(filled), "--out", str(out)]) == 1
    error = capsys.readouterr().err
    assert f"'{verdict}'). Fill the sheet.tsv" in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_the_sheet_of_other_cards_is_refused(tmp_path, scores, pictures, capsys):
    assert (
        judge.main([str(scores), "--systems", "ours", "--data", "d", "--out", str(tmp_path)]) == 0
    )
    filled = fill(tmp_path / "sheet.tsv", lambda row: "right")
    arguments = [str(scores), "--systems", "theirs", "--sheet", str(filled), "--lang", "en"]
    capsys.readouterr()
    assert judge.main([*arguments, "--out", str(tmp_path / "x.tsv")]) == 1
    assert capsys.readouterr().err.startswith(f"judge: the table '{filled}' cannot be used (s/")


def test_an_unknown_system_is_named(scores):
    with pytest.raises(DataError, match="no sentences of 'mine'"):
        cards(read_scores(scores), ["mine"], 3, 0)


def test_drawing_and_counting_are_told_apart(scores, capsys):
    with pytest.raises(SystemExit):
        judge.main([str(scores), "--out", str(Path("x"))])
    assert "one of them" in capsys.readouterr().err


@pytest.fixture
def filled(tmp_path, scores, pictures):
    folder = tmp_path / "d"
    assert judge.main(line(scores, "--data", "x", "--out", folder)) == 0
    return fill(folder / "sheet.tsv", lambda row: "right")


def line(scores, *more):
    ours = ["--systems", "ours", "--count", "4", "--lang", "en"]
    return [str(scores), *map(str, more), *ours]


@pytest.mark.parametrize("again", ["gone.tsv", "head.tsv"])
def test_a_second_pass_that_cannot_be_read_leaves_no_result(
    tmp_path, scores, filled, again, capsys
):
    judge.write_table(tmp_path / "head.tsv", [], judge.COLUMNS)
    capsys.readouterr()
    more = ("--sheet", filled, "--again", tmp_path / again, "--out", tmp_path / "v.tsv")
    assert judge.main(line(scores, *more)) == 1
    assert again in (said := capsys.readouterr().err) and said.count("\n") == 1
    assert not (tmp_path / "v.tsv").exists()


@pytest.mark.parametrize("more", ["메모\n", "메모\t\n", "s/0\tA\n"])
def test_a_line_too_many_is_told(tmp_path, scores, filled, more, capsys):
    filled.write_text(filled.read_text("utf-8") + more, "utf-8")
    assert judge.main(line(scores, "--sheet", filled, "--out", tmp_path / "v.tsv")) == 1
    assert capsys.readouterr().err.count("\n") == 1 and not (tmp_path / "v.tsv").exists()


def test_a_table_that_a_spreadsheet_saved_is_read(tmp_path, scores, filled):
    filled.write_text(filled.read_text("utf-8"), "utf-8-sig")
    assert judge.main(line(scores, "--sheet", filled, "--out", tmp_path / "v.tsv")) == 0


def test_scores_of_other_pictures_draw_nothing(tmp_path, pictures, capsys):
    other = told()
    other["references"]["s/99"] = ["x"]
    for system in other["systems"]:
        system["sentences"]["s/99"] = "x"
    path = tmp_path / "other.json"
    path.write_text(json.dumps(other), "utf-8")
    more = ["--systems", "ours", "--count", "10", "--lang", "en"]
    assert judge.main([str(path), "--data", "x", "--out", str(tmp_path / "d"), *more]) == 1
    assert "no picture 's/99'" in capsys.readouterr().err
    assert not (tmp_path / "d").exists()


def test_sentences_of_other_pictures_than_the_references_are_no_scores(tmp_path):
    other = told()
    del other["systems"][1]["sentences"]["s/3"]
    path = tmp_path / "other.json"
    path.write_text(json.dumps(other), "utf-8")
    with pytest.raises(DataError, match="sentences != references"):
        read_scores(path)


def test_a_seed_below_nothing_is_wrong_usage(scores, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        judge.main(line(scores, "--data", "x", "--out", tmp_path, "--seed", "-1"))
    assert ended.value.code == 2 and "--seed" in capsys.readouterr().err
