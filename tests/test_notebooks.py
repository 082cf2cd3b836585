"""The notebooks, run from top to bottom on small data."""

import os
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.downloads import mscoco

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("preprocess", "model", "video", "train.py", "caption_video.py", "notebooks")
MADE = {  # by the commands in them, whose failures do not stop a notebook
    "01_data_report.ipynb": ("data/dataset.json", "data/report.html"),
    "02_train_and_look.ipynb": ("my.kcap", "runs/my/curves.png"),
    "03_caption_a_film.ipynb": ("demo.mp4", "demo.captioned.gif", "demo.srt"),
    "04_retrain.ipynb": ("retrained.kcap",),
}

pytestmark = pytest.mark.notebook


def test_every_notebook_is_run():
    assert {path.name for path in (ROOT / "notebooks").glob("*.ipynb")} == set(MADE)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """The repository by links, so that what notebooks write lies beside it, not in it."""
    folder = tmp_path_factory.mktemp("house")
    for part in PARTS:
        (folder / part).symlink_to(ROOT / part)
    mscoco(folder / "download", 24)
    return folder


@pytest.fixture
def settings(monkeypatch):
    here = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{here}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("EPOCHS", "1")


@pytest.mark.parametrize("name", sorted(MADE))  # in their order: 02 trains on what 01 has read
def test_notebooks_run_from_top_to_bottom(name, house, settings):
    begun = time.time()
    notebook = nbformat.read(house / "notebooks" / name, as_version=4)
    resources = {"metadata": {"path": str(house)}}
    NotebookClient(notebook, timeout=900, kernel_name="python3", resources=resources).execute()
    for made in MADE[name]:
        assert (house / made).stat().st_mtime >= begun - 2, made
