"""The researcher's tools at their edges: what is odd is told, and nothing is lost or made up."""

import csv
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import calibrate, judge, proofread, revise, soup
from model.config import CaptionerConfig
from model.report import names_of, read_scores
from model.storage import CaptionerFile, read_captioner
from preprocess.__main__ import main as prepare
from preprocess.errors import DataError, SettingError
from tests.test_judge import KEYS, fill, pictures, scores, told
from tests.test_shipped import SHIPPED
from video import gallery

__all__ = ["pictures", "scores"]  # fixtures
ROOT = Path(__file__).resolve().parents[1]


@given(st.lists(st.tuples(st.floats(-3, 0), st.booleans()), min_size=1, max_size=40))
def test_a_surer_sentence_is_never_less_likely_to_be_right(seen):
    found = calibrate._fitted([score for score, _ in seen], [right for _, right in seen])
    assert found.slope >= 0 and 0 < found.of(-1.0) < 1
    told = [found.of(score) for score in (-3, -2, -1, 0)]
    assert told == sorted(told)


def test_a_few_pictures_do_not_replace_a_fit(tmp_path, monkeypatch, capsys):
    class Few:
        def __init__(self):
            self.settings = {"tagger": "okt"}

        def rows(self, split):
            return [0, 1]

    kcap = tmp_path / "c.kcap"
    kcap.write_bytes(SHIPPED.read_bytes())
    monkeypatch.setattr(revise, "load", lambda folder, features: Few())
    assert calibrate.main([str(kcap), "data", "--lang", "en"]) == 1
    assert "only 2 val pictures" in capsys.readouterr().err
    assert kcap.read_bytes() == SHIPPED.read_bytes()


def test_a_captioner_behind_a_link_is_revised_where_it_lies(tmp_path):
    kcap, link = tmp_path / "c.kcap", tmp_path / "l.kcap"
    kcap.write_bytes(SHIPPED.read_bytes())
    link.symlink_to(kcap)
    contents = read_captioner(link)
    after = replace(contents, about={**contents.about, "name": "new"})
    revise.revised(link, contents, None, lambda *_: (after, "told"))
    assert link.is_symlink() and read_captioner(kcap).about["name"] == "new"


def part(**about: object) -> CaptionerFile:
    config = {"vocabulary": 3}
    return CaptionerFile({"config": config, "encoder": "e", "side": 8, **about}, None, {}, {})


def test_a_mean_keeps_the_terms_of_all():
    parts = [
        part(terms="mine: free\n"),
        part(terms="noncommercial"),
        part(),
        part(terms="mine: free"),
    ]
    assert soup.terms_of(parts) == "mine: free\n\nnoncommercial"


@pytest.mark.parametrize("share", [1e-50, 1.0, 1e39, 1e300])
def test_any_share_makes_the_same_mean_of_equals(share, monkeypatch):
    weights = iter([1.0, 3.0])

    def read(path, *_):
        return replace(part(), weights={"w": np.full(3, next(weights), np.float32)})

    monkeypatch.setattr(soup, "read_whole", read)
    _, found = soup.mean_weights([Path("a"), Path("b")], [share, share])
    assert found["w"].dtype == np.float32 and found["w"].tolist() == [2, 2, 2]


def test_files_are_read_without_the_network_library():
    asked = "import model.soup, model.join, sys; sys.exit('keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], cwd=ROOT).returncode == 0
    assert CaptionerConfig.read({"vocabulary": 5}).regions == 49


def test_captioners_of_one_name_are_told_apart():
    one, other, third = Path("a/my.kcap"), Path("b/my.kcap"), Path("c/x.kcap")
    assert names_of([one, other, third]) == {"a/my": one, "b/my": other, "x": third}
    for wrong in ([one, one], [Path("this captioner.kcap")]):
        with pytest.raises(SettingError, match="--beside"):
            names_of(wrong)


def test_scores_edited_by_hand_are_refused(tmp_path, capsys):
    wrong = {"references": {"a": ["x"]}, "systems": [{"name": "s", "sentences": {"a": None}}]}
    path = tmp_path / "s.json"
    path.write_text(json.dumps(wrong), "utf-8")
    with pytest.raises(DataError, match="cannot be read"):
        read_scores(path)
    path.write_text(json.dumps(told(["ours"]) | {"references": {k: [] for k in KEYS}}), "utf-8")
    more = ["--data", "x", "--out", str(tmp_path / "d"), "--systems", "ours", "--lang", "en"]
    assert judge.main([str(path), *more]) == 1
    assert "nobody wrote a sentence for 's/" in capsys.readouterr().err


def test_of_one_reference_a_picture_nothing_is_said_of_people(tmp_path, capsys):
    found = told(["ours"])
    found["references"] = {key: texts[:1] for key, texts in found["references"].items()}
    path = tmp_path / "s.json"
    path.write_text(json.dumps(found), "utf-8")
    assert proofread.main([str(path)]) == 0
    assert capsys.readouterr().out.count("everything named") == 1  # of ours


def counted(scores: Path, sheet: Path, capsys) -> tuple[int, str]:
    more = ["--systems", "ours", "--count", "9", "--lang", "en", "--overwrite"]
    out = str(sheet.with_name("counted.tsv"))
    status = judge.main([str(scores), "--sheet", str(sheet), "--out", out, *more])
    return status, capsys.readouterr().err


def test_a_table_that_an_editor_spoiled_is_told(tmp_path, scores, pictures, capsys):
    more = ["--systems", "ours", "--count", "9"]
    assert judge.main([str(scores), "--data", "x", "--out", str(tmp_path / "d"), *more]) == 0
    good = fill(tmp_path / "d/sheet.tsv", lambda row: "right")
    text, bad = good.read_text("utf-8"), tmp_path / "bad.tsv"
    first, *rest = text.splitlines()
    bad.write_text("\n".join([first, rest[0] + '"not closed', *rest[1:]]) + "\n", "utf-8")
    assert counted(scores, bad, capsys)[0] == 1
    bad.write_text(text + rest[0] + "\n", "utf-8")
    assert "2 x" in counted(scores, bad, capsys)[1]
    bad.write_bytes(text.encode("utf-16"))
    assert "is not UTF-8" in counted(scores, bad, capsys)[1]
    assert not (tmp_path / "counted.tsv").exists()
    assert counted(scores, good, capsys)[0] == 0
    with (good.with_name("counted.tsv")).open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file, delimiter="\t"))) == 2 * len(KEYS)  # people too


def test_the_gallery_composes_nothing_where_a_topic_is_missing(tmp_path, monkeypatch, capsys):
    from tests.test_gallery import photos

    data = photos(tmp_path, ["고양이가 있다"])
    monkeypatch.setattr(gallery, "load", lambda folder, features: data)
    out = tmp_path / "o"
    common = ["--out", str(out), "--lang", "en"]
    assert gallery.main(["--data", "d", *common, "--topics", "고양이", "로켓"]) == 1
    assert "'로켓'" in capsys.readouterr().err and not list(out.iterdir())
    for wrong in ([], [str(tmp_path / "a/f.mp4"), str(tmp_path / "b/f.mkv")]):
        assert gallery.main([*wrong, "--out", str(tmp_path / "p"), "--lang", "en"]) == 1
        assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "p").exists()


def test_a_reader_that_left_is_no_error():
    asked = "from preprocess.errors import exit_status; import sys;"
    work = "[print('x' * 9999, flush=True) for _ in range(99)]"
    code = f"{asked} sys.exit(exit_status(lambda: {work} and 0, 'p'))"
    done = subprocess.run(
        f'"{sys.executable}" -c "{code}" | head -1', shell=True, cwd=ROOT, capture_output=True
    )
    assert done.stdout.startswith(b"xxx") and done.stderr == b""
    closed = subprocess.run(f'"{sys.executable}" -c "{code}" >&-', shell=True, cwd=ROOT)
    assert closed.returncode == 0
    if Path("/dev/full").exists():
        brief = f"{asked} sys.exit(exit_status(lambda: print('x'), 'p'))"
        command = f'"{sys.executable}" -c "{brief}" > /dev/full'
        done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True)
        assert done.returncode == 1 and done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("asked", [["", "--out", "d"], ["x", "--out", ""]])
def test_no_path_is_not_the_folder_one_is_in(asked, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        prepare(asked)
    assert ended.value.code == 2 and "''" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
