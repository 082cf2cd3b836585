"""A real Ray cluster of three nodes on this machine, of which one is killed while it works.

The head has no CPUs, the two others one each: whoever is killed was working. Everything listens
on the loopback alone.
"""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.batch import NODES, RAY
from preprocess import __main__ as preprocess
from preprocess.cluster import cluster_crew
from preprocess.errors import MissingExtra, SettingError
from preprocess.features import EncoderOptions, cache_features
from preprocess.files import read_lines
from preprocess.records import Sample
from tests import downloads
from tests.clips import colour_clip
from tests.test_batch import lines

ROOT = Path(__file__).resolve().parents[1]
LOOPBACK = {**RAY, "PYTHONPATH": str(ROOT)}


def test_without_ray_or_a_cluster_one_line_says_what_to_do(monkeypatch, tmp_path, capsys):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r"requirements-cluster\.txt"):  # noqa: SIM117
        with cluster_crew(nobody, list):
            pass
    monkeypatch.setitem(sys.modules, "ray", object())
    out = str(tmp_path / "d")
    assert preprocess.main(["nothing", "--out", out, "--cluster", nobody, "--lang", "en"]) == 1
    assert "cannot be reached" in capsys.readouterr().err and not Path(out).exists()
    for address in (nobody, "nonsense", "127.0.0.1:port"):
        with pytest.raises(SettingError, match="cannot be reached"):  # noqa: SIM117
            with cluster_crew(address, list):
                pass


@pytest.fixture
def nodes():
    """A running cluster: its address, and how to kill a node."""
    program = subprocess.Popen(
        [sys.executable, "-c", NODES, "2"], env={**os.environ, **LOOPBACK}, cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = program.stdout.readline().strip()

    def kill():
        program.stdin.write("kill\n")
        program.stdin.flush()
        assert program.stdout.readline().strip() == "killed"

    with program:
        yield address, kill


def python(script, *arguments):
    """A program that joins the cluster."""
    return subprocess.Popen(
        [sys.executable, script, *map(str, arguments)], env={**os.environ, **LOOPBACK}, cwd=ROOT,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def wait_for(condition, seconds=180):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert condition()


def slow_eye(pictures):
    """A stand-in CNN that takes its time."""
    time.sleep(0.02)
    return pictures.reshape(len(pictures), 4, -1, 3).mean(2)


def slow_looker():
    from preprocess.features import Looker

    return Looker(slow_eye, EncoderOptions("eye", 8))


FEATURES = """
import json, sys
from pathlib import Path
from preprocess import features, shards
from preprocess.cluster import cluster_crew
from preprocess.crew import in_order
from preprocess.records import read_samples
from tests.test_cluster import slow_eye, slow_looker

shards.SHARD_BYTES = 40 * 2 * 4 * 3 * 2
address, folder, listing = sys.argv[1:]
samples = list(read_samples(Path(listing)))
with cluster_crew(address, slow_looker) as crew:
    features.cache_features(
        Path(folder), samples, features.EncoderOptions("eye", 8), slow_eye,
        spread=lambda pieces: in_order(crew.share(pieces, 8, features.read_files)),
    )
"""


@pytest.mark.slow
def test_features_are_the_same_when_a_node_is_killed(nodes, tmp_path, monkeypatch):
    from preprocess.records import write_samples

    address, kill = nodes
    random, samples = np.random.default_rng(0), []
    for i in range(400):
        cv2.imwrite(str(tmp_path / f"{i}.png"), random.integers(0, 255, (9, 7, 3), np.uint8))
        samples.append(Sample(f"s/{i}", (str(tmp_path / f"{i}.png"),), ("개",), "train", f"{i}"))
    write_samples(tmp_path / "samples.jsonl", samples)
    (tmp_path / "run.py").write_text(FEATURES)
    folder = tmp_path / "f"
    with python(tmp_path / "run.py", address, folder, tmp_path / "samples.jsonl") as driver:
        wait_for(lambda: (folder / "00002.npy").exists() or driver.poll() is not None)
        kill()
        assert not (folder / "00009.npy").exists()
        _, complaints = driver.communicate(timeout=300)
    assert driver.returncode == 0, complaints[-2000:]
    monkeypatch.setattr("preprocess.shards.SHARD_BYTES", 40 * 2 * 4 * 3 * 2)
    monkeypatch.setattr("tests.test_cluster.time.sleep", lambda seconds: None)
    cache_features(tmp_path / "alone", samples, EncoderOptions("eye", 8), slow_eye)
    names = sorted(path.name for path in folder.iterdir())
    assert names == sorted(path.name for path in (tmp_path / "alone").iterdir())
    for name in names:
        assert (folder / name).read_bytes() == (tmp_path / "alone" / name).read_bytes(), name
    assert len(list(read_lines(folder / "shards.jsonl"))) == 10


DOOR = """
import sys
from preprocess import __main__ as door, encoder
from preprocess.tagger import Tagger
from tests.test_commands import small_encoder, words

door.load_tagger = lambda name: Tagger(name, "1", words)
encoder.build_encoder = small_encoder  # on this machine; the cluster gets its graph
if __name__ == "__main__":
    sys.exit(door.main(sys.argv[1:]))
"""


@pytest.mark.slow
def test_the_command_makes_the_same_data_folder_on_a_cluster(nodes, tmp_path):
    address, _ = nodes
    table = downloads.nikl(tmp_path / "nikl", 40)
    (tmp_path / "run.py").write_text(DOOR)
    for name, more in (("alone", ()), ("spread", ("--cluster", address))):
        command = (table, "--out", tmp_path / name, "--side", "16", *more)
        with python(tmp_path / "run.py", *command) as driver:
            _, complaints = driver.communicate(timeout=300)
        assert driver.returncode == 0, complaints[-2000:]
    names = ("samples.jsonl", "tokens.jsonl", "dataset.json", "features/00000.npy")
    for name in names:
        alone, spread = (tmp_path / folder / name for folder in ("alone", "spread"))
        assert alone.read_bytes() == spread.read_bytes(), name


def slow_desk(settings):
    """What an actor makes in place of a captioner: takes its time, dies of 'poison'."""
    from functools import partial

    return partial(slow_work, settings)


def slow_work(settings, job):
    from tests.conftest import ColourCaptioner
    from video.job import caption_film

    if job.film.stem == "poison":
        os._exit(7)
    time.sleep(1.5)
    return caption_film(ColourCaptioner(), settings, job)


BATCH = """
import sys
from tests.test_cluster import slow_desk
from video import batch

batch.desk = slow_desk
sys.exit(batch.main(sys.argv[1:]))
"""


@pytest.mark.slow
def test_films_are_all_told_of_when_a_node_is_killed(nodes, tmp_path):
    address, kill = nodes
    films, out = tmp_path / "films", tmp_path / "out"
    films.mkdir()
    first = colour_clip(films / "0.mp4").read_bytes()
    for name in [*map(str, range(1, 12)), "poison"]:
        (films / f"{name}.mp4").write_bytes(first)
    (films / "broken.mp4").write_bytes(b"no film")
    (tmp_path / "run.py").write_text(BATCH)
    command = (films, "--out", out, "--cluster", address, "--lang", "en")
    with python(tmp_path / "run.py", *command) as driver:
        wait_for(lambda: sum(line["state"] == "done" for line in lines(out)) >= 3)
        kill()
        told, complaints = driver.communicate(timeout=400)
    assert driver.returncode == 1, complaints[-2000:]
    assert "done 12, skipped 0, failed 2" in told
    states = [(Path(line["film"]).stem, line["state"]) for line in lines(out)]
    done = [name for name, state in states if state == "done"]
    assert sorted(done) == sorted(map(str, range(12)))  # each once
    assert {name for name, state in states if state == "failed"} == {"poison", "broken"}
    assert sorted(p.name for p in out.glob("*.srt")) == sorted(f"{name}.srt" for name in done)
    assert len({p.read_bytes() for p in out.glob("*.srt")}) == 1
    assert not list(out.glob(".captioning-*"))
    with python(tmp_path / "run.py", *command) as again:
        assert "done 0, skipped 12, failed 2" in again.communicate(timeout=400)[0]
    json.loads((out / "0.json").read_text("utf-8"))
