"""`python -m preprocess` and `python train.py`, from a folder of pictures to a captioner file."""

import hashlib
import json
import re
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import cv2
import numpy as np
import pytest

import train
from model import calibrate, join, letters, quantize, soup
from model.captioner import Captioner
from model.export import restore_encoder
from model.gist import PLAIN, HedgeOptions
from model.options import KINDS, parser
from model.storage import LETTERS, read_captioner, write_captioner
from preprocess import __main__ as preprocess
from preprocess.errors import DataError
from preprocess.tagger import Tagger
from tests import downloads

COLOURS = {"빨간": (255, 0, 0), "파란": (0, 0, 255), "초록": (0, 255, 0)}


def words(sentence):
    return [(word, "Noun") for word in sentence.split()]


def small_encoder(name, side, weights=True):
    """A stand-in CNN with the real one's name: the mean colour of each eight pixels' square."""
    import keras

    picture = keras.Input((side, side, 3), name="picture")
    squares = keras.layers.AveragePooling2D(8)(picture)
    scaled = keras.layers.Rescaling(1 / 64, name="scaled")(squares)
    last = keras.layers.Conv2D(3, 1, name="last")
    network = keras.Model(picture, keras.layers.Reshape((-1, 3))(last(scaled)))
    last.set_weights([np.eye(3)[None, None], np.zeros(3)])
    return network


def small_classifier(name, side):
    """A stand-in for what ImageNet taught: a bottle, whatever it sees."""
    import keras

    picture = keras.Input((side, side, 3), name="picture")
    mean = keras.layers.GlobalAveragePooling2D()(picture)
    last = keras.layers.Dense(1000, activation="softmax", name="classes")
    network = keras.Model(picture, last(mean))
    last.set_weights([np.zeros((3, 1000)), 20.0 * np.eye(1000)[898]])
    return network


@pytest.fixture
def stand_ins(monkeypatch):
    monkeypatch.setattr(preprocess, "load_tagger", lambda name: Tagger(name, "1", words))
    monkeypatch.setattr("preprocess.encoder.build_encoder", small_encoder)
    monkeypatch.setattr("preprocess.features.apart", lambda work, task: work(task))
    monkeypatch.setattr("model.export.build_encoder", small_encoder)
    monkeypatch.setattr("model.stages.build_encoder", small_encoder)
    monkeypatch.setattr("model.export.build_classifier", small_classifier)


@pytest.fixture
def coco(tmp_path):
    folder = tmp_path / "색"
    (folder / "images").mkdir(parents=True)
    records = []
    for i in range(36):
        name, colour = list(COLOURS.items())[i % 3]
        cv2.imwrite(
            str(folder / f"images/{i}.png"), np.full((9, 12, 3), colour[::-1], np.uint8) // 2 + i
        )
        texts = [f"{name} 화면 이다", ""]
        records.append({"file_path": f"images/{i}.png", "id": i, "caption_ko": texts})
    (folder / "c.json").write_text(json.dumps(records), encoding="utf-8")
    splits = {"train": list(range(27)), "val": list(range(27, 36))}
    (folder / "s.json").write_text(json.dumps(splits), encoding="utf-8")
    return folder


def prepare(coco, out):
    return preprocess.main(
        ["--coco", str(coco / "c.json"), "--pictures", str(coco), "--splits", str(coco / "s.json"),
         "--out", str(out), "--side", "16"]
    )  # fmt: skip


def test_pictures_and_captions_become_a_captioner(tmp_path, coco, stand_ins, capsys):
    data, kcap = tmp_path / "data", tmp_path / "색.kcap"
    assert prepare(coco, data) == 0
    told = capsys.readouterr().out
    assert re.search(r"empty caption +36 ", told)
    assert json.loads((data / "dataset.json").read_text("utf-8"))["coverage"][0]["covered"] == 1.0
    terms = tmp_path / "terms.md"
    terms.write_text("연구용", encoding="utf-8")
    command = [str(data), "--out", str(kcap), "--run", str(tmp_path / "run"), "--terms", str(terms)]
    command += ["--epochs", "20", "--batch", "9", "--min-count", "1", "--learning-rate", "0.03"]
    command += ["--hidden", "16", "--embedding", "12", "--average", "0.5", "--patience", "20"]
    assert train.main(command) == 0
    captioner = Captioner.load(kcap, hedge=PLAIN)  # plain screens are told by their pixels
    for name, colour in COLOURS.items():
        frames = np.full((2, 30, 50, 3), colour, np.uint8) // 2
        assert captioner.caption(frames).text == f"{name} 화면 이다"
    about = captioner.about
    assert about["terms"] == "연구용"
    assert (about["data"]["pictures"], about["data"]["captions"]) == (27, 27)
    assert len(about["data"]["keys_sha256"]) == 64


def test_a_download_as_it_came_becomes_a_captioner(tmp_path, stand_ins, capsys):
    """A drama and timed sentences in one zip that came in parts, and a table of plain rows."""
    root = downloads.timed(tmp_path / "raw")
    for number in range(4):
        downloads.drama(root, number)
    data = downloads.zip_bytes(downloads.folder_files(root), "cp949", flag=False)
    downloads.parts(tmp_path / "받은 것/x.zip", data, len(data) // 11)
    table = downloads.nikl(tmp_path / "nikl", 4)
    out, kcap = tmp_path / "data", tmp_path / "my.kcap"
    command = [str(tmp_path / "받은 것"), str(table), "--out", str(out), "--side", "16"]
    assert preprocess.main(command) == 0
    told = capsys.readouterr().out
    assert re.search(r"interpolated frame +72 ", told) and "비디오 장면 설명문 생성" in told
    assert re.search(r"받은 것\.timed +DR +8 ", told)
    summary = json.loads((out / "dataset.json").read_text("utf-8"))
    sizes = {(row["set"], row["split"]): row["groups"] for row in summary["contents"]}
    assert sizes[("받은 것.timed", "train")] == sizes[("받은 것.drama", "train")] == 2
    page = (out / "report.html").read_text("utf-8")
    assert page.count("<svg") == 5 and "interpolated frame" in page
    assert not (out / "unpacked").exists()
    command = [str(out), "--out", str(kcap), "--run", str(tmp_path / "run"), "--epochs", "1"]
    command += ["--batch", "6", "--min-count", "1", "--hidden", "16", "--embedding", "12"]
    assert train.main(command) == 0
    assert Captioner.load(kcap).caption(np.zeros((1, 30, 50, 3), np.uint8)).text is not None


def test_nothing_usable_leaves_nothing(tmp_path, stand_ins, capsys):
    downloads.lines(tmp_path / "a.jsonl", [{"image": "1.jpg", "caption": "a dog"}])
    assert preprocess.main([str(tmp_path), "--out", str(tmp_path / "data"), "--lang", "en"]) == 1
    error = capsys.readouterr().err
    assert "1 caption is not Korean" in error and error.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]


def test_nothing_is_written_among_what_is_read(tmp_path, coco, monkeypatch, capsys):
    monkeypatch.setattr(preprocess, "load_tagger", lambda name: pytest.fail("worked"))
    before = sorted(coco.rglob("*"))
    around = coco / "images" / ".."
    labels = ["--coco", str(coco / "c.json"), "--pictures"]
    for line in ([str(coco), "--out"], [str(around), "--out"], [*labels, str(around), "--out"]):
        assert preprocess.main([*line, str(coco), "--lang", "en"]) == 1
        error = capsys.readouterr().err
        assert "is a folder to read from" in error and error.count("\n") == 1
    assert sorted(coco.rglob("*")) == before


def test_a_tagger_that_loses_everything_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(preprocess, "load_tagger", lambda name: Tagger(name, "1", lambda s: []))
    root = downloads.nikl(tmp_path / "nikl")
    assert preprocess.main([str(root), "--out", str(tmp_path / "data"), "--lang", "en"]) == 1
    assert "no sentence comes back from the morphemes of 'okt'" in capsys.readouterr().err


@pytest.mark.parametrize(("everything", "held"), [(False, 6), (True, 6), (True, 0)])
def test_test_pictures_never_enter(tmp_path, coco, stand_ins, everything, held):
    """Neither their keys nor their words; with --everything the held-out pictures do, if any."""
    train_, val = list(range(30 - held)), list(range(30 - held, 30))
    splits = {"train": train_, "val": val, "test": list(range(30, 36))}
    (coco / "s.json").write_text(json.dumps(splits), encoding="utf-8")
    records = json.loads((coco / "c.json").read_text(encoding="utf-8"))
    for record in records[30:]:
        record["caption_ko"] = ["비밀 낱말"]
    (coco / "c.json").write_text(json.dumps(records), encoding="utf-8")
    data, kcap = tmp_path / "data", tmp_path / "x.kcap"
    assert prepare(coco, data) == 0
    command = [str(data), "--out", str(kcap), "--run", str(tmp_path / "run"), "--epochs", "3"]
    command += ["--batch", "6", "--min-count", "1", "--hidden", "16", "--embedding", "12"]
    command += ["--patience", "1", "--learning-rate", "1e-6", *["--everything"] * everything]
    assert train.main(command) == 0
    contents = read_captioner(kcap)
    names = [f"색/{i}" for i in range(30 if everything else 24)]
    told = contents.about["data"]
    assert told["keys_sha256"] == hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()
    assert "비밀" not in contents.vocabulary.to_tsv()
    assert ("confidence" in contents.about) == (not everything)
    if everything:  # nothing to stop early by
        assert contents.about["best_epoch"]["epoch"] == 3


def test_every_stage_in_one_command(tmp_path, coco, stand_ins):
    data, run = tmp_path / "data", tmp_path / "run"
    assert prepare(coco, data) == 0
    command = [str(data), "--run", str(run), "--batch", "9", "--min-count", "1", "--hidden", "16"]
    command += ["--embedding", "12", "--epochs", "2", "--average", "0.5", "--tune-epochs", "2"]
    command += ["--tune-after", "scaled", "--encoder-rate", "0.01", "--reward-epochs", "1"]
    command += ["--side", "32", "--bits", "32"]  # larger than it was trained
    files = [tmp_path / name for name in ("first.kcap", "again.kcap")]
    for path in files:
        assert train.main([*command, "--out", str(path)]) == 0
    first, again = map(read_captioner, files)  # the second time nothing is trained
    assert first.about == again.about
    for name, array in first.weights.items():
        np.testing.assert_array_equal(array, again.weights[name])
    assert {p.parent.name for p in run.rglob("log.csv")} == {"run", "tuned", "reward"}
    captioner, encoder = Captioner.load(files[0]), restore_encoder(first)
    kernel = encoder.get_layer("last").get_weights()[0]
    assert not np.allclose(kernel, np.eye(3), atol=1e-3)
    assert (captioner.about["side"], captioner.about["trained_side"]) == (32, 16)
    assert captioner.about["config"]["regions"] == 16
    assert captioner.caption(np.full((1, 40, 30, 3), 90, np.uint8)).attention.shape[1:] == (1, 4, 4)
    frames = np.full((1, 32, 32, 3), 90, np.uint8)
    seen = np.asarray(encoder(frames.astype(np.float32)))
    np.testing.assert_allclose(captioner.features(frames), seen, atol=1e-4)
    features = np.load(run / "features" / "00000.npy")  # of the tuned encoder, not of the data
    assert not np.allclose(features, np.load(data / "features" / "00000.npy"), atol=1e-2)


@pytest.fixture
def trained(tmp_path, coco, stand_ins):
    """A data folder and the beginning of a command that trained a captioner, first.kcap, on it."""
    data, first = tmp_path / "data", tmp_path / "first.kcap"
    assert prepare(coco, data) == 0
    command = [str(data), "--batch", "9", "--min-count", "1", "--hidden", "16", "--embedding", "12"]
    command += ["--average", "0.5", "--tune-after", "scaled", "--encoder-rate", "0.01"]
    run = ["--run", str(tmp_path / "first")]
    assert train.main([*command, "--epochs", "1", "--out", str(first), *run]) == 0
    return first, command


def test_a_run_of_other_data_is_not_gone_on_with(tmp_path, trained, capsys):
    _, command = trained
    samples = Path(command[0]) / "samples.jsonl"
    samples.write_text(samples.read_text("utf-8").replace('"val"', '"train"', 1), "utf-8")
    more = ["--epochs", "1", "--out", str(tmp_path / "b.kcap"), "--run", str(tmp_path / "first")]
    capsys.readouterr()
    assert train.main([*command, *more, "--lang", "en"]) == 1
    assert "was begun with other data" in capsys.readouterr().err
    for wrong in (["--seed", "-1"], ["--average", "1.5"], ["--smoothing", "nan"]):
        assert train.main([*command, *more, *wrong, "--lang", "en"]) == 1
        assert "give 0 or more, and " in capsys.readouterr().err
    assert not (tmp_path / "b.kcap").exists()


def test_a_captioner_counts_in_eight_bits_once(tmp_path, trained, capsys, monkeypatch):
    first, command = trained
    monkeypatch.setattr(quantize, "FULL", 0)  # this CNN has one convolution
    plain, data = tmp_path / "plain.kcap", command[0]
    assert soup.main([str(first), "--out", str(plain)]) == 0  # in float32 again
    before = read_captioner(plain)
    assert "quantized" not in before.about
    assert quantize.main([str(plain), data]) == 0
    after = read_captioner(plain)
    assert after.about["quantized"]["bits"] == read_captioner(first).about["quantized"]["bits"] == 8
    for name, array in before.weights.items():  # to train on from
        np.testing.assert_array_equal(array, after.weights[name])
    frames = np.random.default_rng(3).integers(0, 256, (2, 40, 30, 3), np.uint8)
    one, other = Captioner(before).features(frames), Captioner(after).features(frames)
    assert 0 < np.abs(one - other).mean() < 0.03 * np.abs(one).mean()
    assert after.about["quantized"]["cnn"] and "8 bits" in capsys.readouterr().out
    assert quantize.main([str(plain), data, "--lang", "en"]) == 1
    assert "counts in eight bits already" in capsys.readouterr().err


def test_a_cnn_that_would_lose_what_it_sees_stays_exact(tmp_path, trained, capsys, monkeypatch):
    first, command = trained
    plain = tmp_path / "plain.kcap"
    assert soup.main([str(first), "--out", str(plain)]) == 0
    before = read_captioner(plain)
    monkeypatch.setattr(quantize, "MOVED", 0.0)
    monkeypatch.setattr(quantize, "FULL", 0)
    assert quantize.main([str(plain), command[0]]) == 0
    after = read_captioner(plain)
    assert not after.about["quantized"]["cnn"] and "float32" in capsys.readouterr().out
    frames = np.random.default_rng(3).integers(0, 256, (2, 40, 30, 3), np.uint8)
    one, other = Captioner(before).features(frames), Captioner(after).features(frames)
    np.testing.assert_array_equal(one, other)


def test_training_goes_on_from_a_captioner_and_the_mean_is_one_too(tmp_path, trained, capsys):
    first, command = trained
    command += ["--init", str(first), "--tune-epochs", "2", "--reward-epochs", "1", "--nearer"]
    others = []
    for seed in ("1", "2"):
        others.append(tmp_path / f"{seed}.kcap")
        more = ["--seed", seed, "--out", str(others[-1]), "--run", str(tmp_path / seed)]
        assert train.main([*command, *more]) == 0
    older = read_captioner(others[1])  # made before there was such an array
    plain = {name: array for name, array in older.weights.items() if name != LETTERS}
    write_captioner(others[1], replace(older, weights=plain))
    out = tmp_path / "mean.kcap"
    assert soup.main([*map(str, others), "--out", str(out)]) == 0
    quarter = tmp_path / "quarter.kcap"
    shares = ["--shares", "3", "1"]
    assert soup.main([*map(str, others), *shares, "--out", str(quarter)]) == 0
    one, two, mean, nearer = (read_captioner(path) for path in (*others, out, quarter))
    for name, array in nearer.weights.items():
        at = one.weights[name] * 0.75 + two.weights[name] * 0.25
        np.testing.assert_allclose(array, at, rtol=2e-3, atol=1e-6)
    for name, array in mean.weights.items():
        between = (one.weights[name] + two.weights[name]) / 2
        np.testing.assert_allclose(array, between, rtol=2e-3, atol=1e-6)  # float16 in the file
    assert any((one.weights[n] != two.weights[n]).any() for n in two.weights)
    assert one.about["init"] == "first.kcap"
    assert [told["file"] for told in mean.about["mean_of"]] == ["1.kcap", "2.kcap"]
    assert [told["training"]["seed"] for told in mean.about["mean_of"]] == [1, 2]
    assert "training" not in mean.about
    grey = np.full((1, 40, 30, 3), 90, np.uint8)
    grey[:, 20:] = 120  # a scene, not a plain screen
    assert Captioner.load(out).caption(grey).text
    named = Captioner.load(out, hedge=HedgeOptions(min_confidence=1)).caption(grey)
    assert "병이" in named.text  # what ImageNet taught goes along
    capsys.readouterr()
    again = [*command, "--run", str(tmp_path / "1"), "--lang", "en"]
    again[again.index(str(first))] = str(out)  # another beginning in the same run folder
    assert train.main(again) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_decoders_of_one_encoder_become_an_ensemble(tmp_path, trained, capsys):
    first, command = trained
    other, both = tmp_path / "other.kcap", tmp_path / "both.kcap"
    run = ["--seed", "5", "--epochs", "1", "--run", str(tmp_path / "other"), "--out", str(other)]
    assert train.main([*command, *run, "--anew", "--lang", "en"]) == 1
    assert "--anew goes with --init" in capsys.readouterr().err
    assert train.main([*command, *run, "--init", str(first), "--anew"]) == 0
    assert join.main([str(first), str(other), "--out", str(both)]) == 0
    one, joined = read_captioner(first), read_captioner(both)
    assert joined.about["config"]["voices"] == 2
    assert [told["training"]["seed"] for told in joined.about["voices_of"]] == [0, 5]
    assert joined.vocabulary == one.vocabulary and "training" not in joined.about
    assert Captioner.load(both).caption(np.full((1, 40, 30, 3), 90, np.uint8)).text
    out = ["--out", str(tmp_path / "x.kcap"), "--lang", "en"]
    assert join.main([str(first), str(both), *out]) == 1  # an ensemble of ensembles is none
    tuned, more = tmp_path / "tuned.kcap", ["--init", str(first), "--tune-epochs", "1"]
    end = ["--out", str(tuned), "--run", str(tmp_path / "tuned")]
    assert train.main([*command, *more, *end]) == 0
    assert join.main([str(first), str(tuned), *out]) == 1  # its encoder learned
    assert capsys.readouterr().err.count("has another encoder or vocabulary") == 2
    assert join.main([str(first), *out]) == 1
    assert join.main([str(first), str(other), "--out", str(other), "--lang", "en"]) == 1
    assert join.main([str(first), str(other), "--out", str(both), "--lang", "en"]) == 1
    told = capsys.readouterr().err
    assert "Give two or more" in told and "is an input" in told and "Add --overwrite" in told
    assert not (tmp_path / "x.kcap").exists()


def test_a_file_older_than_an_option_is_still_a_relative(tmp_path, trained):
    first, _ = trained
    contents, older, out = read_captioner(first), tmp_path / "older.kcap", tmp_path / "mean.kcap"
    config = {name: value for name, value in contents.about["config"].items() if name != "merge"}
    write_captioner(older, replace(contents, about={**contents.about, "config": config}))
    assert soup.main([str(first), str(older), "--out", str(out)]) == 0
    for name, array in read_captioner(out).weights.items():
        np.testing.assert_array_equal(array, contents.weights[name])


def test_a_captioner_that_is_there_is_not_replaced_unasked(tmp_path, trained, capsys):
    first, command = trained
    before, command = first.read_bytes(), [*command, "--lang", "en", "--epochs", "1"]
    assert train.main([*command, "--out", str(first), "--run", str(tmp_path / "again")]) == 1
    assert soup.main([str(first), "--out", str(tmp_path / "mean.kcap")]) == 0
    mean = (tmp_path / "mean.kcap").read_bytes()
    assert soup.main([str(first), "--out", str(tmp_path / "mean.kcap"), "--lang", "en"]) == 1
    assert capsys.readouterr().err.count("exists already. Add --overwrite") == 2
    assert first.read_bytes() == before and (tmp_path / "mean.kcap").read_bytes() == mean
    assert not (tmp_path / "again").exists()  # refused before any work
    asked = [str(first), "--out", str(tmp_path / "mean.kcap"), "--overwrite"]
    assert soup.main(asked) == 0


def test_what_is_no_relative_is_not_averaged(tmp_path, trained, capsys):
    first, command = trained
    wider = tmp_path / "wider.kcap"
    command += ["--hidden", "20", "--epochs", "1", "--run", str(tmp_path / "wider")]
    assert train.main([*command, "--out", str(wider)]) == 0
    capsys.readouterr()
    out = ["--out", str(tmp_path / "x.kcap"), "--lang", "en"]
    assert soup.main([str(first), str(wider), *out]) == 1
    assert "does not come from" in capsys.readouterr().err
    for share in ("nan", "inf", "0"):
        assert soup.main([str(first), "--shares", share, *out]) == 1
        assert f"--shares {share}: give" in capsys.readouterr().err
    assert soup.main([str(first), "--shares", "1", "2", *out]) == 1
    assert (
        "--shares 1 2: give one number above 0 for each of the 1 files" in capsys.readouterr().err
    )
    before = first.read_bytes()
    assert soup.main([str(first), str(first), "--out", str(first), "--lang", "en"]) == 1
    assert first.read_bytes() == before
    assert not (tmp_path / "x.kcap").exists()


def test_init_goes_on_only_with_the_morphemes_it_learned(tmp_path, trained, capsys):
    first, command = trained
    about = read_captioner(first).about
    assert (about["tagger"], about["tagger_version"]) == ("okt", "1")
    settings = json.loads((tmp_path / "data/dataset.json").read_text("utf-8"))
    other = json.dumps({**settings, "tagger": "kiwi"})
    (tmp_path / "data/dataset.json").write_text(other, encoding="utf-8")
    capsys.readouterr()
    more = ["--init", str(first), "--tune-epochs", "1", "--out", str(tmp_path / "x.kcap")]
    assert train.main([*command, *more, "--lang", "en"]) == 1
    told = capsys.readouterr().err
    assert "has tagger okt, the data kiwi" in told and told.count("\n") == 1
    assert not (tmp_path / "x.kcap").exists()


def test_a_captioner_learns_new_words_and_keeps_the_old_ones(tmp_path, trained, coco, capsys):
    first, _ = trained
    records = json.loads((coco / "c.json").read_text(encoding="utf-8"))
    for i, record in enumerate(records):
        record["caption_ko"] = [f"{list(COLOURS)[i % 3]} {('밝은', '어두운')[i % 2]} 벽 이다"]
        if i >= 27:  # held out: nobody may learn of it
            record["caption_ko"].append("비밀 이다")
    (coco / "c.json").write_text(json.dumps(records), encoding="utf-8")
    data, out = tmp_path / "more", tmp_path / "more.kcap"
    assert prepare(coco, data) == 0
    command = [str(data), "--init", str(first), "--batch", "9", "--min-count", "2"]
    command += ["--epochs", "2", "--average", "0.5"]
    assert train.main([*command, "--out", str(out), "--run", str(tmp_path / "more-run")]) == 0
    before, after = read_captioner(first), read_captioner(out)
    known = len(before.vocabulary.morphemes)
    assert after.vocabulary.morphemes[:known] == before.vocabulary.morphemes
    assert {m.form for m in after.vocabulary.morphemes[known:]} == {"밝은", "어두운", "벽"}
    assert after.about["config"]["hidden"] == before.about["config"]["hidden"] == 16
    assert after.about["training"]["learning_rate"] == 4e-4
    assert Captioner.load(out).caption(np.full((1, 40, 30, 3), 90, np.uint8)).text
    told = json.loads((tmp_path / "more-run/run.json").read_text("utf-8"))
    assert told["init"] == "first.kcap" and told["data"]["pictures"] == 27
    folds = [*command, "--epochs", "1", "--folds", "2", "--run", str(tmp_path / "folds")]
    capsys.readouterr()
    assert train.main(folds) == 0
    assert "--everything --epochs 1" in capsys.readouterr().out
    assert (tmp_path / "folds/folds.csv").is_file()
    (options,) = {p.read_text("utf-8") for p in tmp_path.glob("folds/fold*/options.json")}
    assert json.loads(options)["learning_rate"] == 4e-4


def test_what_training_would_end_at_is_told_before_it_begins(tmp_path, trained, capsys):
    first, command = trained
    more = ["--run", str(tmp_path / "x"), "--out", str(tmp_path / "x.kcap"), "--lang", "en"]
    capsys.readouterr()
    told = ["--tune-epochs", "1", "--tune-after", "block99"]
    assert train.main([*command, *more, "--epochs", "1", *told]) == 1
    assert "has no layer 'block99'" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
    assert train.main([*command, *more, "--run", str(first / "run")]) == 1
    assert "cannot be made" in (said := capsys.readouterr().err) and "another --run" in said
    assert train.main([*command, *more, "--init", str(first), "--no-attend"]) == 1
    assert "was built with attend=True. Add --anew" in capsys.readouterr().err
    assert train.main([*command, *more, "--init", str(tmp_path / "gone.kcap")]) == 1
    assert "--model" not in (said := capsys.readouterr().err) and "no captioner file" in said


def test_a_recipe_fills_what_is_not_given(tmp_path, trained):
    _, command = trained
    out = ["--out", str(tmp_path / "quick.kcap"), "--run", str(tmp_path / "quick")]
    assert train.main([*command, *out, "--recipe", "quick", "--epochs", "1"]) == 0
    told = read_captioner(tmp_path / "quick.kcap").about["training"]
    assert (told["recipe"], told["epochs"], told["sentences"]) == ("quick", 1, 2)
    assert (told["hidden"], told["check"]) == (16, 256)
    assert json.loads((tmp_path / "quick/run.json").read_text("utf-8"))["training"] == told


def test_folds_are_for_the_first_stage(tmp_path, trained, capsys):
    _, command = trained
    capsys.readouterr()
    more = ["--folds", "2", "--recipe", "best", "--run", str(tmp_path / "x"), "--lang", "en"]
    assert train.main([*command, *more]) == 1
    assert "--folds is for the first stage alone" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_preprocessing_twice_gives_the_same_folder(tmp_path, coco, stand_ins):
    for _ in range(2):
        assert prepare(coco, tmp_path / "twice") == 0
    assert prepare(coco, tmp_path / "once") == 0
    names = ("samples.jsonl", "tokens.jsonl", "dataset.json")
    for name in (*names, "features/00000.npy", "features/shards.jsonl", "features/keys.json"):
        once, twice = (tmp_path / folder / name for folder in ("once", "twice"))
        assert once.read_bytes() == twice.read_bytes(), name


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.json"], "'none.json' does not exist"),
        ([], "nothing to read"),
        (["--coco", "a", "b", "c", "--splits", "1", "--splits", "2"], "3 PATHs and 2 --splits"),
        (["a", "--splits", "none.json"], "cannot read 'none.json' as JSON"),
        (["a", "--side", "0"], "--side 0: give 16 to 1024"),
        (["a", "--encoder", "lite9"], "no encoder 'lite9'"),
    ],
)
def test_bad_input_of_preprocess_is_one_line(tmp_path, arguments, said, capsys):
    out = tmp_path / "out"
    assert preprocess.main([*arguments, "--out", str(out), "--lang", "en"]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none"], "not a finished data folder"),
        (["none", "--epochs", "0"], "--epochs 0: give 1 or more."),
        (["none", "--learning-rate", "nan"], "--learning-rate nan: give 1e-09 or more, and 1 or"),
        (["none", "--reward-rate", "inf"], "--reward-rate inf: give 1e-09 or more, and 1 or"),
        (["none", "--temperature", "nan"], "--temperature nan: give 0.001 or more"),
        (["none", "--out", "no/my.kcap"], "cannot write 'no/my.kcap' (No such file"),
        (["none", "--out", "."], "'.' exists already"),
    ],
)
def test_bad_input_of_train_is_one_line(tmp_path, monkeypatch, arguments, said, capsys):
    monkeypatch.chdir(tmp_path)
    assert train.main([*arguments, "--lang", "en"]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_data_folder_without_held_out_pictures_is_refused(tmp_path, coco, stand_ins, capsys):
    (coco / "s.json").write_text(json.dumps({"train": list(range(36))}), encoding="utf-8")
    assert prepare(coco, tmp_path / "data") == 0
    assert train.main([str(tmp_path / "data"), "--lang", "en"]) == 1
    assert "36 train and 0 val" in capsys.readouterr().err


def test_a_side_nobody_can_see_is_refused(tmp_path, coco, stand_ins, capsys):
    assert prepare(coco, tmp_path / "data") == 0
    command = [str(tmp_path / "data"), "--run", str(tmp_path / "run"), "--side", "3"]
    assert train.main([*command, "--lang", "en"]) == 1
    assert "--side 3: give 16 to 1024" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_option_of_training_is_told_in_each_language(language):
    told = {action.dest: action.help for action in parser(language)._actions}
    names = {field.name for kind in KINDS for field in fields(kind)}
    assert names <= told.keys() and all(told.values())
    korean = {name for name in names if re.search("[가-힣]", told[name])}
    assert korean == (names - {"smoothing", "precision"} if language == "ko" else set())


@pytest.mark.parametrize(
    "command",
    [
        ["-m", "preprocess"],
        ["train.py"],
        ["-m", "model.evaluate"],
        ["-m", "model.calibrate"],
        ["-m", "model.letters"],
        ["-m", "model.quantize"],
        ["-m", "model.soup"],
        ["-m", "preprocess.leaks"],
    ],
)
def test_every_command_has_help(command):
    done = subprocess.run(
        [sys.executable, *command, "--help"], capture_output=True, text=True, check=True
    )
    assert "usage:" in done.stdout


def test_a_captioner_is_there_when_it_is_finished_and_not_before(tmp_path, trained, monkeypatch):
    _, command = trained
    out = tmp_path / "whole.kcap"
    command = [*command, "--epochs", "1", "--out", str(out), "--run", str(tmp_path / "w")]

    def broken(*_):
        raise DataError("사진을 열 수 없습니다", "a picture cannot be opened")

    with monkeypatch.context() as patch:
        patch.setattr(letters, "change", broken)
        assert train.main(command) == 1
    assert not out.exists()
    assert train.main(command) == 0  # the same command, without --overwrite
    about = read_captioner(out).about
    assert about["quantized"] and about["confidence"]
    assert not (tmp_path / "w/captioner.kcap").exists()


def test_no_captioner_is_written_over_what_it_is_made_of(tmp_path, trained, capsys):
    _, command = trained
    terms = tmp_path / "data/terms.md"
    terms.write_text("연구용", "utf-8")
    for target in (tmp_path / "data/samples.jsonl", terms):
        before = target.read_bytes()
        more = ["--terms", str(terms), "--overwrite", "--lang", "en", "--out", str(target)]
        assert train.main([*command, *more]) == 1
        assert "is an input" in capsys.readouterr().err and target.read_bytes() == before


def test_runs_that_cannot_be_are_one_line_and_leave_nothing(tmp_path, trained, capsys):
    first, command = trained
    more = ["--out", str(tmp_path / "x.kcap"), "--run", str(tmp_path / "data"), "--lang", "en"]
    assert train.main([*command, *more]) == 1
    assert "is a data folder" in capsys.readouterr().err
    for folds in ("-1", "1", "99"):
        more = ["--folds", folds, "--run", str(tmp_path / "f"), "--lang", "en"]
        assert train.main([*command, *more]) == 1
        assert f"--folds {folds}: give 2 to" in capsys.readouterr().err
    more = ["--out", str(tmp_path / "n.kcap"), "--run", str(tmp_path / "f")]
    assert train.main([*command, *more, "--init", str(first), "--no-attend"]) == 1
    assert not (tmp_path / "f").exists()


def test_a_file_that_lacks_what_every_captioner_has_is_one_line(tmp_path, trained, capsys):
    first, _ = trained
    contents, bad = read_captioner(first), tmp_path / "bad.kcap"
    ours = [str(bad), str(tmp_path / "data"), "--lang", "en"]
    mean = [str(bad), str(bad), "--out", str(tmp_path / "s.kcap"), "--lang", "en"]
    for lost in ("config", "side", "encoder"):
        about = {name: value for name, value in contents.about.items() if name != lost}
        write_captioner(bad, replace(contents, about=about))
        tools = [(soup, mean), (join, mean)]
        if lost != "encoder":
            tools += [(quantize, ours), (letters, ours), (calibrate, ours)]
        for tool, line in tools:
            assert tool.main(line) == 1
            assert f"is damaged ({lost})" in capsys.readouterr().err
    for more in ({"heads": 8}, {"hidden": "many"}):  # of a later version; of nobody
        config = {**contents.about["config"], **more}
        write_captioner(bad, replace(contents, about={**contents.about, "config": config}))
        for tool, line in [(soup, mean), (join, mean)]:
            assert tool.main(line) == 1
            told = capsys.readouterr().err
            assert f"config cannot be read ({next(iter(more))})" in told and told.count("\n") == 1
