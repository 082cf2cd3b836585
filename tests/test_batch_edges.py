"""Many films at their edges: none left out without a word, none taken for whole or done twice."""

import os
import signal
import time
from pathlib import Path

import pytest

from preprocess.errors import DataError, VideoError
from preprocess.files import marked, sweep, temporary_folder
from preprocess.hands import Hand
from tests.conftest import ColourCaptioner
from tests.test_batch import films, lines, run
from video import batch
from video.films import jobs_for
from video.job import Settings, caption_film
from video.pipeline import caption_media, probe, stamp

__all__ = ["films", "run"]  # fixtures
ROOT = Path(__file__).resolve().parents[1]


def names(*given: Path, out: Path) -> list[str]:
    return sorted(job.film.name for job in jobs_for(given, out, (".srt",)))


def test_every_film_of_a_folder_is_found_or_told(tmp_path, original):
    folder, other = tmp_path / "f", tmp_path / "other"
    for path in (folder / "a.mp4", *(folder / f"b{s}" for s in (".flv", ".m2ts", ".VOB", ".ogv"))):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(original.read_bytes())
    other.mkdir()
    (other / "c.mp4").write_bytes(original.read_bytes())
    (folder / "disk").symlink_to(other)
    (folder / "round").symlink_to(folder)
    (folder / "dead.mp4").symlink_to("nothing")
    found = ["a.mp4", "b.VOB", "b.flv", "b.m2ts", "b.ogv", "c.mp4", "dead.mp4"]
    assert names(folder, out=tmp_path / "o") == found


def test_a_folder_that_may_not_be_read_is_told(tmp_path, films, monkeypatch):
    def forbidden(folder, *_, onerror, followlinks):
        onerror(PermissionError(13, "Permission denied", str(films / "sub")))
        return iter(())

    monkeypatch.setattr("video.films.os.walk", forbidden)
    with pytest.raises(DataError, match="sub"):
        jobs_for([films], tmp_path / "o", (".srt",))


def test_one_film_by_many_names_is_one_job(tmp_path, films, monkeypatch):
    (tmp_path / "link").symlink_to(films)
    monkeypatch.chdir(films)
    given = [films / "a.mp4", Path("a.mp4"), films / "../films/a.mp4", tmp_path / "link/a.mp4"]
    assert names(*given, out=tmp_path / "o") == ["a.mp4"]


def test_what_is_finished_is_known_however_it_is_written(tmp_path, films, run, monkeypatch):
    (films / "poison.mp4").unlink()
    (films / "broken.mp4").unlink()
    assert run(films)[0] == 0
    (tmp_path / "link").symlink_to(films)
    monkeypatch.chdir(films)
    for given in ("../films", ".", tmp_path / "link"):
        status, told, _, _ = run(given, "-o", ".JSON", "-o", ".srt", "-o", ".srt")
        assert (status, told) == (0, f"done 0, skipped 3, failed 0: {tmp_path / 'out'}\n")
    assert run(films, "-q")[1] == ""


def test_a_film_that_changes_meanwhile_is_not_done(tmp_path, films):
    (job,) = jobs_for([films / "a.mp4"], tmp_path / "out", (".srt",))
    job.targets[0].parent.mkdir()

    class Copier(ColourCaptioner):
        def caption_many(self, shots):
            with job.film.open("ab") as file:
                file.write(b"more")
            return super().caption_many(shots)

    with pytest.raises(VideoError, match="has changed meanwhile"):
        caption_film(Copier(), Settings(), job)
    assert not list((tmp_path / "out").iterdir()) and job.seen != stamp(job.film)
    with pytest.raises(VideoError, match="has changed meanwhile"):  # since it was listed
        caption_film(ColourCaptioner(), Settings(), job)
    with pytest.raises(VideoError, match="has changed meanwhile"):
        caption_media(probe(job.film), Copier())


def test_only_what_was_begun_is_swept(tmp_path, films, run, monkeypatch):
    swept = []
    monkeypatch.setattr(batch, "_sweep", lambda job: swept.append(job.film.name))
    assert run(films)[0] == 1
    assert set(swept) == {"poison.mp4", "broken.mp4"}


def test_what_a_dead_worker_left_in_the_folder_of_temporary_files_goes(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with marked("0123"), temporary_folder() as folder:
        (folder / "font.otf").write_bytes(b"font")
        sweep(tmp_path, "other")
        assert folder.exists()
        sweep(tmp_path, "0123")
        assert not folder.exists()


def test_lists_keep_every_name(tmp_path, original):
    odd = tmp_path / "a\u2028b\x85c.mp4"
    korean = tmp_path / "영상.mp4"
    for path in (odd, korean):
        path.write_bytes(original.read_bytes())
    listing = tmp_path / "all.txt"
    listing.write_bytes(f"{odd}\r\n{korean}\r\n".encode())
    assert names(listing, out=tmp_path / "o") == sorted([odd.name, korean.name])
    listing.write_bytes(f"{korean}\r\n".encode("cp949"))
    assert names(listing, out=tmp_path / "o") == [korean.name]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["--cluster", ""], "--cluster is empty"),
        (["--soft"], "--soft is for"),
        (["--show-attention", "-o", ".srt"], "no form shows"),
    ],
)
def test_what_can_do_nothing_is_refused_once(tmp_path, films, capsys, asked, told):
    command = [str(films), "--out", str(tmp_path / "o"), *asked, "--lang", "en"]
    assert batch.main(command) == 2
    said = capsys.readouterr().err
    assert told in said and said.count("\n") == 1 and not (tmp_path / "o").exists()


def test_a_font_is_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = batch.parser("en").parse_args(["x", "--out", "o", "--font", "my.otf"])
    assert batch._settings(arguments).burning.font == tmp_path / "my.otf"


def test_an_out_that_leads_to_itself_is_one_line(tmp_path, films, capsys):
    (tmp_path / "loop").symlink_to("loop")
    status = batch.main([str(films), "--out", str(tmp_path / "loop"), "--lang", "en"])
    assert status == 1 and capsys.readouterr().err.count("\n") == 1
    assert not lines(tmp_path / "loop")


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_while_a_worker_starts_is_none_of_its_business(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    hand = Hand(os.getpid)
    for _ in range(20):  # while it imports
        os.kill(hand._process.pid, signal.SIGINT)
        time.sleep(0.01)
    hand.ready.result()
    hand.end()
    assert signal.getsignal(signal.SIGINT) is before
