"""Many films: what is finished is skipped, what kills or fails is one line, the rest goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from preprocess.crew import Crew, Lost
from preprocess.files import only_one, read_lines
from tests.clips import ffmpeg
from tests.conftest import ColourCaptioner
from tests.test_crew import answer, group
from video import batch
from video.job import Settings, caption_film
from video.manifest import NAME, key_of
from video.track import from_json

ROOT = Path(__file__).resolve().parents[1]


class Desk:
    """A stand-in worker: captions by colour, in this process; dies at films called 'poison'."""

    def __init__(self, settings: Settings) -> None:
        self.work, self.ready = partial(caption_film, ColourCaptioner(), settings), answer()

    def do(self, job):
        if job.film.stem == "poison":
            for target in job.targets[:1]:
                (target.parent / f".captioning-{job.mark}-0123.srt").write_text("half")
            return answer(error=Lost("exit status -11"))
        try:
            return answer(self.work(job))
        except Exception as error:
            return answer(error=error)

    def end(self):
        pass


@pytest.fixture
def films(tmp_path, original) -> Path:
    folder = tmp_path / "films"
    for name in ("a.mp4", "sub/b.mp4", "sub/빨강.mp4", "poison.mp4"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(original.read_bytes())
    (folder / "broken.mp4").write_bytes(b"no film")
    (folder / "notes.md").write_text("no film either")
    return folder


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs the command with stand-in workers: (status, stdout, stderr, this run's lines)."""
    monkeypatch.setattr(
        batch, "_crew", lambda args, settings: Crew(lambda: Desk(settings), lambda: 2)
    )
    out = tmp_path / "out"

    def command(*arguments):
        before = len(lines(out))
        status = batch.main([str(a) for a in (*arguments, "--out", out, "--lang", "en")])
        return status, *capsys.readouterr(), lines(out)[before:]

    return command


def lines(out):
    return list(read_lines(out / "manifest.jsonl"))


def last(found):
    return {Path(line["film"]).name: line for line in found}


def test_a_folder_becomes_a_folder_and_a_manifest(tmp_path, films, run):
    status, told, complaints, found = run(films)
    assert status == 1 and told.splitlines()[-1].startswith("done 3, skipped 0, failed 2")
    states = {name: line["state"] for name, line in last(found).items()}
    assert states == {"a.mp4": "done", "b.mp4": "done", "빨강.mp4": "done", "poison.mp4": "failed",
                      "broken.mp4": "failed"}  # fmt: skip
    made = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.*")}
    assert made == {"manifest.jsonl", *(f"{stem}.{form}" for form in ("srt", "json")
                    for stem in ("a", "sub/b", "sub/빨강"))}  # fmt: skip
    assert "빨간 화면이다" in (tmp_path / "out/sub/빨강.srt").read_text("utf-8")
    track = from_json((tmp_path / "out/a.json").read_text("utf-8"))
    done = last(found)["a.mp4"]
    assert len(track.shots) == done["shots"] and done["duration_ms"] == track.duration_ms
    assert done["results"] == [str(tmp_path / "out" / name) for name in ("a.srt", "a.json")]
    assert "exit status -11" in last(found)["poison.mp4"]["error"]
    assert sum(line["state"] == "started" for line in found) == 5 + 2  # poison had three workers
    assert complaints.count("\n") == 2 and "broken.mp4" in complaints


def test_subtitles_that_a_result_will_not_have_are_told(films, run):
    own, said = films / "own.mkv", films / "a.srt"
    said.write_text("1\n00:00:01,000 --> 00:00:02,000\n말\n", "utf-8")
    ffmpeg("-i", films / "a.mp4", "-i", said, "-map", "0", "-map", "1", "-c", "copy", own)
    status, _, complaints, found = run(own, "-o", ".mp4")
    assert (status, complaints.count("\n")) == (0, 1) and "which the burned" in complaints
    assert [korean for korean, _ in last(found)["own.mkv"]["lost"] if "자막 1개" in korean]


def test_again_only_what_is_not_finished_is_done(tmp_path, films, run, original):
    run(films)
    (films / "broken.mp4").write_bytes(original.read_bytes())
    (films / "poison.mp4").unlink()
    (tmp_path / "out/a.srt").unlink()
    kept = (tmp_path / "out/a.json").stat().st_mtime_ns
    status, told, _, found = run(films)
    assert status == 0 and "done 2, skipped 2, failed 0" in told
    assert set(last(found)) == {"a.mp4", "broken.mp4"}
    assert (tmp_path / "out/a.json").stat().st_mtime_ns == kept
    assert run(films)[3] == []


def test_another_option_is_another_job_and_nothing_is_replaced_unasked(films, run, tmp_path):
    path = films / "a.mp4"
    assert run(path)[0] == 0
    before = (tmp_path / "out/a.srt").read_bytes()
    status, _, complaints, found = run(path, "--beam", "2")
    assert status == 1 and "exists already" in complaints
    assert [line["state"] for line in found] == ["refused"]
    os.utime(path, (1, 1))
    assert run(path)[0] == 1 and (tmp_path / "out/a.srt").read_bytes() == before
    assert run(path, "--overwrite")[0] == 0 and run(path)[1].startswith("done 0, skipped 1")


def test_results_that_another_job_wrote_since_are_not_taken_for_ones_own(films, run):
    film = films / "a.mp4"
    assert run(film)[0] == 0
    assert run(film, "--min-shot", "0.5", "--overwrite")[0] == 0
    status, _, error, told = run(film)  # the first job again
    assert status == 1 and "--overwrite" in error and last(told)["a.mp4"]["state"] == "refused"
    assert run(film, "--overwrite")[0] == 0
    assert "done 0, skipped 1" in run(film)[1]


def test_another_form_beside_it_leaves_a_job_finished(films, run):
    film = films / "a.mp4"
    assert run(film)[0] == run(film, "-o", ".vtt")[0] == 0
    assert "done 0, skipped 1" in run(film)[1]


def test_somebody_elses_file_is_never_taken_for_a_result(films, run, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a.srt").write_text("mine")
    for _ in range(2):  # to have been refused is not to have been begun
        assert run(films / "a.mp4")[0] == 1
    assert (tmp_path / "out/a.srt").read_text() == "mine"
    assert not (tmp_path / "out/a.json").exists()


def test_what_a_killed_run_left_is_finished_and_swept(films, run, tmp_path):
    """The manifest of a driver that was killed: begun, one result written, one half-written."""
    film = films / "a.mp4"
    assert run(film)[0] == 0
    out = tmp_path / "out"
    started = lines(out)[0]
    (out / "manifest.jsonl").write_text(json.dumps(started) + '\n{"film": "/x", "sta')
    (out / "a.json").unlink()
    half = out / f".captioning-{started['mark']}-00.json"
    half.write_text("half")
    foreign = out / ".captioning-000000000000-00.json"
    foreign.write_text("of somebody else")
    before = (out / "a.srt").stat().st_mtime_ns
    assert run(film)[1].splitlines()[-1].startswith("done 1")
    assert (out / "a.srt").stat().st_mtime_ns == before and (out / "a.json").exists()
    assert foreign.exists() and not half.exists()


def test_a_list_and_names_that_meet(films, run, tmp_path):
    listing = tmp_path / "list.txt"
    listing.write_text(f"\ufeff{films / 'a.mp4'}\n\n{films / 'sub'}\n", encoding="utf-8")
    twin = tmp_path / "a.mp4"
    twin.write_bytes((films / "a.mp4").read_bytes())
    status, told, complaints, _ = run(listing, twin, films / "a.mp4")
    assert status == 1 and "done 3, skipped 0, failed 1" in told
    assert f"the result of '{films / 'a.mp4'}' too" in complaints
    assert sorted(p.name for p in (tmp_path / "out").glob("*.srt")) == [
        "a.srt",
        "b.srt",
        "빨강.srt",
    ]


def test_results_in_the_folder_of_the_films_are_no_films(films, run, tmp_path, capsys):
    for name in ("broken.mp4", "poison.mp4"):
        (films / name).unlink()
    command = [str(films), "--out", str(films / "out"), "-o", ".mp4", "--lang", "en"]
    assert batch.main(command) == 0 and batch.main(command) == 0
    assert "done 0, skipped 3, failed 0" in capsys.readouterr().out
    assert (films / "out/sub/b.captioned.mp4").exists()
    beside = [str(films / "sub"), "--out", str(films / "sub"), "-o", ".mp4", "--lang", "en"]
    assert batch.main(beside) == 0 and batch.main(beside) == 0
    assert "done 0, skipped 2, failed 0" in capsys.readouterr().out
    result = films / "sub/b.captioned.mp4"
    given = [str(films / "sub/b.mp4"), str(result), *beside[1:], "--overwrite"]
    before = result.read_bytes()
    assert batch.main(given) == 1 and "is an input" in capsys.readouterr().err
    assert result.read_bytes() == before


def test_results_beside_films_are_known_when_the_folder_moves_or_the_manifest_is_lost(
    films, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(batch, "_crew", lambda _, s: Crew(lambda: Desk(s), lambda: 1))
    more = ["-o", ".mp4", "-o", ".gif", "--lang", "en"]
    assert batch.main([str(films / "sub"), "--out", str(films / "sub"), *more]) == 0
    moved = (films / "sub").rename(tmp_path / "moved")
    extra = moved / "trip.captioned.mp4"  # of no film that is there
    extra.write_bytes((moved / "b.mp4").read_bytes())
    film = (moved / "b.mp4").rename(tmp_path / "b.mp4")  # its results stay results
    again = [str(moved), "--out", str(moved), *more]
    capsys.readouterr()
    assert batch.main(again) == 0
    assert "done 1, skipped 1, failed 0" in capsys.readouterr().out
    film.rename(moved / "b.mp4")
    (moved / "manifest.jsonl").unlink()
    assert batch.main(again) == 1  # nothing is replaced unasked
    assert set(last(lines(moved))) == {"b.mp4", "빨강.mp4", extra.name}


def test_a_manifest_that_does_not_say_where_it_was_is_read(films, run, tmp_path):
    film = films / "a.mp4"
    run(film)
    path = tmp_path / "out/manifest.jsonl"
    old = [{key: line[key] for key in line if key != "out"} for line in lines(path.parent)]
    path.write_text("".join(json.dumps(line) + "\n" for line in old))
    assert run(film)[1].startswith("done 0, skipped 1")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a.mp4\0b.mp4\0", "line 1 of '{}' has a NUL"),
        ("a.mp4\nb.mp4\n".encode("utf-16"), "line 1 of '{}' has a NUL"),
        (b"a.mp4\n\n" + b"x" * 5000, "line 3 of '{}' is too long for a path (5,000 characters)"),
    ],
)
def test_a_list_of_what_cannot_be_is_one_line(run, tmp_path, content, said):
    listing = tmp_path / "list.txt"
    listing.write_bytes(content)
    status, _, complaints, found = run(listing)
    assert (status, complaints.count("\n"), found) == (1, 1, [])
    assert said.format(listing) in complaints and not (tmp_path / "out").exists()


def test_a_list_is_read_once_however_it_is_named(run, tmp_path, films, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("all.txt").write_text("more.txt\nall.txt\n")
    Path("more.txt").write_text(f"all.txt\n{films / 'a.mp4'}\n")
    status, told, _, _ = run("all.txt")
    assert status == 0 and told.splitlines()[-1].startswith("done 1, skipped 0, failed 0")
    Path("all.txt").write_text("all.txt\n")
    status, _, complaints, _ = run("all.txt")
    assert (status, complaints.count("\n")) == (1, 1) and "there is no film in" in complaints


def test_a_path_that_cannot_be_costs_itself_alone(run, films):
    status, told, complaints, _ = run(f"/{'x' * 5000}.mp4", films / "a.mp4")
    assert (status, complaints.count("\n")) == (1, 1) and "done 1, skipped 0, failed 1" in told


def test_a_name_too_long_for_its_result_is_no_bug(run, films):
    long = (films / "a.mp4").rename(films / f"{'가' * 82}.mp4")
    status, _, complaints, _ = run(long, "-o", ".mp4")
    assert (status, complaints.count("\n")) == (1, 1) and "cannot write" in complaints


def test_one_result_of_two_films_is_told_each_time_with_what_helps(run, films):
    twin = (films / "a.mp4").rename(films / "x.mp4").with_suffix(".mkv")
    twin.write_bytes((films / "x.mp4").read_bytes())
    for _ in range(2):
        status, _, complaints, _ = run(twin, films / "x.mp4")
        assert status == 1 and f"is the result of '{twin}' too. Rename one" in complaints
        assert "--overwrite" not in complaints and complaints.count("\n") == 1


def test_control_characters_reach_programs_but_no_terminal(run, films, monkeypatch):
    odd = (films / "a.mp4").rename(films / "\x1b[31m\x07.mp4")
    status, told, _, _ = run(odd)
    assert status == 0 and str(odd) in told
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    status, told, _, _ = run(odd, "--overwrite")
    assert status == 0 and "?[31m?.mp4" in told and "\x1b" not in told and "\x07" not in told


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["nowhere"], 1, "nowhere"),
        (["."], 1, "there is no film in"),
        (["a.txt"], 1, "the list of films"),
        (["a.mp4", "-o", ".doc"], 2, ".doc"),
        (["a.mp4", "--jobs", "0"], 2, "1 ... 256"),
        (["a.mp4", "--jobs", "2", "--cluster", "x:1"], 2, "not allowed"),
        (["a.mp4", "--colour", "mauve-ish"], 2, "mauve-ish"),
        (["a.mp4", "--out", "file/sub"], 1, "cannot be made"),
        ([], 2, "there is no FILM"),
        ([""], 2, "a path is empty"),
        (["a.mp4", "--out", ""], 2, "--out is empty"),
        (["a.mp4", "--preview", "3"], 2, "--preview"),
        (["a.mp4", "--min-shot", "9", "--max-shot", "2"], 2, "--min-shot 9 is longer"),
        (["a.mp4", "--beam", "2", "--alternatives", "5"], 2, "--beam 2 does not find"),
        (["a.mp4", "-o", ".srt", "b.mp4", "--", "-c.mp4"], 1, "-c.mp4"),
    ],
)
def test_bad_commands_are_one_line(run, tmp_path, monkeypatch, capsys, arguments, status, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    out = [] if "--out" in arguments else ["--out", "made"]
    monkeypatch.setattr(batch, "_crew", lambda *_: Crew(lambda: Desk(Settings()), lambda: 1))
    found = batch.main(["--lang", "en", *out, *arguments])
    told = capsys.readouterr().err
    assert found == status and said in told
    assert all(line.startswith("video.batch: ") for line in told.splitlines())
    assert told.count("\n") == 1 + 2 * ("--" in arguments)  # a line for each film
    if status == 2 and "--colour" not in arguments:  # which is known when it has begun
        assert not (tmp_path / "made").exists()


def test_errors_name_what_is_wrong(run, tmp_path, films):
    (tmp_path / "empty").mkdir()
    status, _, complaints, _ = run(tmp_path / "empty")
    assert (status, complaints.count("\n")) == (1, 1) and "there is no film in" in complaints
    (tmp_path / "out").mkdir(exist_ok=True)
    with only_one(tmp_path / "out", NAME):
        status, _, complaints, _ = run(films / "a.mp4")
    assert status == 1 and "another run works on" in complaints
    (tmp_path / "out/manifest.jsonl").unlink()
    (tmp_path / "out/manifest.jsonl").mkdir()
    status = batch.main([str(films / "a.mp4"), "--out", str(tmp_path / "out"), "--lang", "en"])
    assert status == 1


def test_a_higher_limit_does_nothing_again(tmp_path, films, run):
    assert set(last(run(films)[3])) >= {"a.mp4", "broken.mp4"}
    _, told, _, more = run(films, "--max-hours", "13")
    assert "a.mp4" not in last(more) and "done 0" in told


def test_a_manifest_of_anything_is_read_as_far_as_it_makes_sense(films, run, tmp_path):
    (tmp_path / "out").mkdir()
    odd = b'[1]\n{"film": "x"}\n\xff\xfe\nnull\n{"film": "y", "state": "started", "key": "z"}\n'
    plain = {"film": str(films / "a.mp4"), "state": "started", "key": "z"}
    wrong = [{"film": ["x"]}, {"state": {}}, {"key": []}, {"results": 5}, {"results": None},
             {"results": [[]]}, {"mark": {}}, {"out": 3}, {"out": "\0"}]  # fmt: skip
    odd += b"".join(json.dumps(plain | one).encode() + b"\n" for one in wrong)
    (tmp_path / "out/manifest.jsonl").write_bytes(odd)
    assert run(films / "a.mp4")[0] == 0 and run(films / "a.mp4")[1].startswith("done 0, skipped 1")


def test_the_key_is_of_everything_that_matters(films, tmp_path):
    (job,) = batch.jobs_for([films / "a.mp4"], tmp_path, (".srt",))
    key = key_of(job, Settings(), "x")
    assert key == key_of(job, Settings(overwrite=True, model=Path("other")), "x")
    assert key != key_of(job, Settings(), "y")
    (other,) = batch.jobs_for([films / "a.mp4"], tmp_path, (".srt", ".json"))
    assert key != key_of(other, Settings(), "x")


def colours(settings):
    """What a worker process makes in place of a captioner: kills itself at 'poison'."""
    return partial(work, settings)


def work(settings, job):
    if job.film.stem == "poison":
        os.kill(os.getpid(), signal.SIGKILL)
    if job.film.stem == "slow":
        time.sleep(60)
    return caption_film(ColourCaptioner(), settings, job)


def test_processes_do_it_and_a_killed_one_costs_one_film(tmp_path, films, monkeypatch):
    monkeypatch.setattr(batch, "desk", colours)
    out = tmp_path / "out"
    assert batch.main([str(films), "--out", str(out), "--jobs", "2"]) == 1
    states = {name: line["state"] for name, line in last(lines(out)).items()}
    assert states.pop("poison.mp4") == states.pop("broken.mp4") == "failed"
    assert set(states.values()) == {"done"} and len(states) == 3
    assert "-9" in last(lines(out))["poison.mp4"]["error"]


def test_ctrl_c_ends_everybody_and_the_same_command_goes_on(tmp_path, films):
    (films / "poison.mp4").rename(films / "slow.mp4")
    out = tmp_path / "out"
    program = (
        "import sys; from video import batch; from tests.test_batch import colours\n"
        "if __name__ == '__main__':\n"
        "    batch.desk = colours; sys.exit(batch.main(sys.argv[1:]))\n"
    )
    script = tmp_path / "run.py"
    script.write_text(program)
    driver = subprocess.Popen(
        [sys.executable, script, films, "--out", out, "--jobs", "1"], cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while last(lines(out)).get("slow.mp4") is None and time.monotonic() < deadline:
        time.sleep(0.1)
    os.killpg(driver.pid, signal.SIGINT)  # as a terminal does it
    _, complaints = driver.communicate(timeout=60)
    assert driver.returncode == 130 and "Traceback" not in complaints
    while group(driver.pid) and time.monotonic() < deadline:
        time.sleep(0.05)  # Python's own resource tracker ends after its driver
    assert group(driver.pid) == []
    assert not list(out.rglob(".captioning-*"))
    assert last(lines(out))["slow.mp4"]["state"] == "started"
