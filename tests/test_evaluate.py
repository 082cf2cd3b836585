"""The evaluation door on a tiny data folder with a stand-in captioner."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from model import evaluate
from model.caption import Caption
from preprocess.records import Sample, write_samples

pytest.importorskip("sacrebleu")
pytest.importorskip("mecab_ko")
TEXTS = ["개가 눈 위를 달린다", "고양이가 소파에서 잔다", "빨간 차가 길에 있다"]


def morphemes(text):
    return [[word, "Noun", at > 0] for at, word in enumerate(text.split())]


class StandIn:
    """Knows the picture by its grey level."""

    parameters, about = 2_500_000, {"tagger": "okt"}

    def __init__(self, texts):
        self.texts = texts

    def caption_many(self, shots):
        assert all(s.dtype == np.uint8 and s.ndim == 4 for s in shots)
        said = [self.texts[round(int(s.mean()) / 40) % len(self.texts)] for s in shots]
        empty = np.zeros((0, 1, 1, 1), np.float32)
        return [Caption(text, tuple(text.split()), -1.0, empty) for text in said]


@pytest.fixture
def data(tmp_path, monkeypatch):
    folder = tmp_path / "data"
    (folder / "features").mkdir(parents=True)
    samples, features = [], []
    for row in range(36):
        kind, split = row % 3, "test" if row >= 24 else "train"
        path = tmp_path / f"{row}.png"
        cv2.imwrite(str(path), np.full((8, 10 + row % 2, 3), 40 * kind, np.uint8))
        captions = (TEXTS[kind], TEXTS[kind] + " 지금")
        samples.append(Sample(f"tiny/{row}", (str(path),), captions, split, str(row)))
        features.append(np.eye(3)[kind] + 0.01 * row)
    write_samples(folder / "samples.jsonl", samples)
    rows = [{"key": s.key, "tokens": [morphemes(c) for c in s.captions]} for s in samples]
    lines = [json.dumps(row) for row in ({"tagger": "okt"}, *rows)]
    (folder / "tokens.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "dataset.json").write_text('{"tagger": "okt", "side": 8}')
    cache = np.repeat(np.array(features, np.float16)[:, None, None], 2, axis=1)
    cache[:, 1] = 0  # the mirror image must not be read
    np.save(folder / "features" / "features.npy", cache)
    keys = {"keys": [s.key for s in samples]}
    (folder / "features" / "keys.json").write_text(json.dumps(keys))
    monkeypatch.chdir(tmp_path)
    for name in ("good.kcap", "dull.kcap"):
        Path(name).write_bytes(b"0" * 1_500_000)
    captioners = {"good.kcap": StandIn(TEXTS), "dull.kcap": StandIn(TEXTS[:1])}
    monkeypatch.setattr(
        evaluate, "open_captioner", lambda path, beam, hedge=None: captioners[path.name]
    )
    return folder


def run(data, *more):
    return evaluate.main(["good.kcap", str(data), *map(str, more)])


def test_table_p_values_signatures_and_json(data, tmp_path, capsys):
    out = tmp_path / "scores.json"
    assert run(data, "--peers", "--show-and-tell", "dull.kcap", "--json", out) == 0
    text = capsys.readouterr().out
    assert "CIDEr-D|tokens:okt|refs:2|pictures:12|idf:test-references|" in text
    assert "tok:ko-mecab" in text and "paired bootstrap" in text
    assert "'Show-and-Tell'" in text and "'this captioner' 거의" not in text  # the alarm
    found = {s["name"]: s for s in json.loads(out.read_text("utf-8"))["systems"]}
    assert list(found)[-1] == "this captioner" and len(found) == 5
    assert found["most frequent"]["scores"]["distinct"] == pytest.approx(1 / 12)
    assert found["nearest neighbour"]["sentences"]["tiny/25"] == TEXTS[1]
    assert found["this captioner"]["scores"]["bleu"][3] == pytest.approx(100)
    assert found["this captioner"]["scores"]["length"] == pytest.approx(np.mean([4, 3, 4]))
    assert found["Show-and-Tell"]["last_is_ahead_p"]["CIDEr-D"] < 0.01
    assert not list(tmp_path.glob(".*.part"))


def test_files_called_alike_but_for_a_number_are_seeds(data, monkeypatch, capsys):
    known = {"seed-0.kcap": TEXTS[:1], "seed-12.kcap": TEXTS, "lone-7.kcap": TEXTS}
    monkeypatch.setattr(
        evaluate, "open_captioner", lambda path, *_: StandIn(known.get(path.name, TEXTS))
    )
    for name in known:
        Path(name).write_bytes(b"0")
    assert run(data, "--beside", *known) == 0
    lines = capsys.readouterr().out.partition("\n\n")[0].splitlines()
    rows = {line[:18].strip(): line[18:].split() for line in lines}
    assert [name for name in rows if "lone" in name] == ["lone-7"]
    mean, sd = rows["seed, mean of 2"], rows["seed, sd"]
    assert len(mean) == len(sd) == 9  # costs have no mean
    for place, column in enumerate(mean):
        one, other = float(rows["seed-0"][place]), float(rows["seed-12"][place])
        assert float(column) == pytest.approx((one + other) / 2, abs=0.11)
        assert float(sd[place]) == pytest.approx(abs(one - other) / 2**0.5, abs=0.11)


def test_morphemes_of_another_tagger_are_not_compared(data, monkeypatch, capsys):
    monkeypatch.setattr(StandIn, "about", {"tagger": "kiwi"})
    assert run(data, "--lang", "en") == 1
    told = capsys.readouterr().err
    assert "'good.kcap' learned morphemes of kiwi, the data has those of okt" in told
    assert told.count("\n") == 1


def test_hedged_and_tilted_rows_are_named(data, tmp_path):
    out = tmp_path / "scores.json"
    assert run(data, "--hedged", "--tilt", 20, "--json", out) == 0
    names = [s["name"] for s in json.loads(out.read_text("utf-8"))["systems"]]
    assert names == ["as films get it, tilted 20°", "this captioner, tilted 20°"]


def test_what_a_captioner_costs_stands_beside_its_scores(data, tmp_path, capsys):
    out = tmp_path / "scores.json"
    assert run(data, "--peers", "--beside", "dull.kcap", "--json", out) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[-4:] == ["million", "MB", "CPU", "ms"]
    assert lines[1].split()[-3:] == ["-", "-", "-"]
    dull = next(line for line in lines if line.startswith("dull "))
    assert dull.split()[-3:-1] == ["2.5", "1.5"]
    costs = {s["name"]: s["cost"] for s in json.loads(out.read_text("utf-8"))["systems"]}
    assert costs["most frequent"] is None
    assert costs["this captioner"]["parameters"] == 2_500_000
    assert costs["this captioner"]["cpu_ms"] >= 0


def test_alone_it_needs_no_features(data, capsys):
    (data / "features" / "features.npy").unlink()
    assert run(data) == 0
    assert "p-value" not in capsys.readouterr().out
    assert run(data, "--peers") == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [("tokens.jsonl", "{"), ("tokens.jsonl", ""), ("dataset.json", "{}"), ("samples.jsonl", "[]")],
)
def test_a_damaged_folder_is_one_line(data, capsys, name, text):
    (data / name).write_text(text)
    assert run(data) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_what_is_not_there_is_said(data, capsys, tmp_path):
    assert run(data, "--set", "other", "--lang", "en") == 1
    assert "There are: tiny" in capsys.readouterr().err
    assert run(tmp_path / "nothing") == 1
    (tmp_path / "30.png").unlink()
    assert run(data) == 1
    assert "30.png" in capsys.readouterr().err


def test_json_never_replaces_an_input(data, capsys):
    before = (data / "dataset.json").read_bytes()
    assert run(data, "--json", data / "dataset.json") == 1
    assert (data / "dataset.json").read_bytes() == before
    assert run(data, "--json", data / "no" / "x.json", "--lang", "en") == 1
    told = capsys.readouterr()
    assert "cannot write" in told.err and not told.out  # before hours of scoring
    dull = Path("dull.kcap").read_bytes()
    assert run(data, "--beside", "dull.kcap", "--json", "dull.kcap") == 1
    assert Path("dull.kcap").read_bytes() == dull


def test_json_is_replaced_only_when_asked(data, tmp_path, capsys):
    out = tmp_path / "scores.json"
    out.write_text("mine", encoding="utf-8")
    assert run(data, "--json", out, "--lang", "en") == 1
    assert "exists already. Add --overwrite" in capsys.readouterr().err
    assert out.read_text("utf-8") == "mine"
    assert run(data, "--json", out, "--overwrite") == 0
    assert "systems" in json.loads(out.read_text("utf-8"))


@pytest.mark.parametrize("wrong", ["nan", "200", "x"])
def test_an_angle_is_an_angle(data, wrong, capsys):
    with pytest.raises(SystemExit):
        run(data, "--tilt", wrong)
    assert f"invalid degrees value: '{wrong}'" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", ["0", "65", "100000", "2.5"])
def test_a_beam_that_fills_memory_is_refused(data, wrong, capsys):
    with pytest.raises(SystemExit):
        run(data, "--beam", wrong)
    assert f"--beam: '{wrong}': 1 ... 64" in capsys.readouterr().err


def test_frames_of_unlike_size_become_one_array(data, tmp_path):
    sample = Sample("a/1", tuple(str(tmp_path / f"{n}.png") for n in (0, 1)), ("개",), "test", "1")
    assert evaluate._frames(sample, 8).shape == (2, 8, 8, 3)
    # the second of two is the earlier one: the middle is written first
    assert (evaluate._frames(sample, 8, tilt=20)[0] == 40).all()
