"""The service where things go wrong beside it: other people's folders, full disks, proxies."""

import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from socket import create_server

import pytest

from preprocess.errors import OutputError
from tests.service import Threads
from tests.test_server import ORIGIN, TXT, start
from video.server import films
from video.server.__main__ import main
from video.server.folders import made
from video.server.jobs import Jobs
from video.server.options import ServerOptions
from video.server.service import Service
from video.track import from_json

__all__ = ["start"]  # a fixture
OTHER = {"shots": [{"start_ms": 0, "end_ms": 6000, "caption": "다른 문장"}]}


@pytest.mark.parametrize("name", ["jobs/my-thesis/t.txt", "incoming/letter.txt", "notes.txt"])
def test_a_folder_with_other_files_is_refused_and_they_stay(tmp_path, name):
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("mine", "utf-8")
    with pytest.raises(OutputError, match="which is not a server's"):
        Service(ServerOptions(data=tmp_path), Threads(), Threads())
    assert file.read_text("utf-8") == "mine"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [file]
    assert [path.name for path in tmp_path.iterdir()] == [name.split("/")[0]]


def test_a_folder_that_a_service_never_came_to_use_is_taken(tmp_path):
    (tmp_path / "lost+found").mkdir()
    for _ in range(2):
        assert made(tmp_path) == tmp_path / "incoming"
        (tmp_path / "lock").touch()


def test_a_folder_among_what_is_received_stays(start):
    run = start()
    for folder in ("incoming/mine", "jobs/mine"):
        (run.options.data / folder).mkdir()
    (run.options.data / "incoming" / "half").touch()
    run.stop()
    again = start()
    assert not (again.options.data / "incoming" / "half").exists()
    assert (again.options.data / "incoming/mine").is_dir()
    assert (again.options.data / "jobs/mine").is_dir()


def test_tables_that_are_none_are_told(tmp_path):
    for name in ("jobs.db", "queue.db"):
        folder = tmp_path / name
        made(folder)
        Jobs(folder)
        for beside in folder.glob(f"{name}-*"):
            beside.unlink()
        (folder / name).write_bytes(b"no table at all, but long enough to look like one" * 50)
        with pytest.raises(OutputError, match="cannot be used"):
            Service(ServerOptions(data=folder), Threads(), Threads())


def test_an_address_that_is_taken_is_told_at_once(tmp_path, capsys):
    with create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["--data", str(tmp_path / "d"), "--port", port, "--lang", "en"]) == 1
    assert f"cannot listen on 127.0.0.1:{port}" in (said := capsys.readouterr().err)
    assert said.count("\n") == 1 and not (tmp_path / "d").exists()
    assert main(["--data", str(tmp_path / "d"), "--host", "192.0.2.1", "--lang", "en"]) == 1
    assert "cannot listen on 192.0.2.1:8000" in capsys.readouterr().err


def test_of_edits_at_once_one_is_taken_and_that_one_is_written(start, film):
    run = start()
    number = run.send(film, formats=["srt"]).json()["id"]
    run.ended(number)
    url = f"/jobs/{number}/captions"

    def put(text: str) -> int:
        shots = [{"start_ms": 0, "end_ms": 6000, "caption": text}]
        return int(run.client.put(url, json={"shots": shots}).status_code)

    for turn in range(6):
        texts = [f"{turn}번 {writer}의 문장" for writer in "가나다라"]
        with ThreadPoolExecutor(4) as pool:
            codes = list(pool.map(put, texts))
        run.ended(number)
        taken = [text for text, code in zip(texts, codes, strict=True) if code == 202]
        assert taken and set(codes) <= {202, 409}
        said = run.client.get(f"/jobs/{number}/files/srt").text
        assert taken[-1] in said or any(text in said for text in taken)
    assert len(list(run.service.jobs.folder(number).glob("edited-*"))) == 1


def test_results_with_the_old_sentences_go(start, film):
    run = start()
    number = run.send(film, formats=["gif", "txt"]).json()["id"]
    before = {file["kind"] for file in run.ended(number)["files"]}
    assert before == {"gif", "txt", "json", "vtt", "film"}
    edit = run.client.put(f"/jobs/{number}/captions", json={**OTHER, "formats": ["srt"]})
    assert edit.status_code == 202
    job = run.ended(number)
    assert {file["kind"] for file in job["files"]} == {"srt", "json", "vtt", "film"}
    for kind in ("srt", "vtt"):
        assert "다른 문장" in run.client.get(f"/jobs/{number}/files/{kind}").text


class Full:
    """A table on a disk that is full for a while."""

    def __init__(self, monkeypatch) -> None:
        self.full, opened = threading.Event(), Jobs._opened

        def refused(jobs):
            if self.full.is_set():
                raise OutputError("자리가 없습니다", "database or disk is full")
            return opened(jobs)

        monkeypatch.setattr(Jobs, "_opened", refused)


def test_a_full_disk_is_told_and_no_job_hangs(start, film, monkeypatch):
    monkeypatch.setattr("video.server.queue._AGAIN_S", 0.02)
    disk, run = Full(monkeypatch), start()
    looked = threading.Event()

    def fill():
        disk.full.set()
        looked.set()

    run.films.before = fill
    number = run.send(film, formats=["txt"]).json()["id"]
    assert looked.wait(20)
    for answer in (
        run.client.get("/jobs"),
        run.client.get(f"/jobs/{number}"),
        run.client.put(f"/jobs/{number}/captions", json=OTHER),
        run.client.delete(f"/jobs/{number}"),
        run.send(film),
    ):
        assert answer.status_code == 503 and "detail_en" in answer.json()
    time.sleep(0.3)  # the work ends meanwhile, and cannot say so
    disk.full.clear()
    assert run.ended(number)["state"] in ("done", "failed")  # as the worker found its table


def test_to_remove_a_job_needs_no_room(start, film, monkeypatch):
    disk, run = Full(monkeypatch), start()
    number = run.send(film, formats=["txt"]).json()["id"]
    run.ended(number)
    disk.full.set()
    with pytest.raises(OutputError):
        run.service.jobs.remove(number)
    disk.full.clear()
    assert not run.service.jobs.folder(number).exists()
    assert run.client.delete(f"/jobs/{number}").status_code == 204


def test_a_page_behind_a_proxy_that_changes_the_host(start, film):
    run = start(allow_host=("captions.example.com",))
    files = {"video": ("a.mp4", film.read_bytes())}
    for origin, code in (
        ("https://captions.example.com", 202),
        ("https://captions.example.com.evil.example", 403),
        ("http://localhost:3000", 403),
        ("null", 403),
        (ORIGIN, 202),
    ):
        sent = run.client.post("/jobs", files=files, headers={"Origin": origin}, data=TXT)
        assert sent.status_code == code, origin


def test_edits_outlive_a_burning_that_is_cancelled_before_it_begins(start, film):
    run, over = start(), threading.Event()
    number = run.send(film, formats=["gif", "srt"]).json()["id"]
    run.ended(number)
    run.films.before = lambda: over.wait(20)
    assert run.client.put(f"/jobs/{number}/captions", json=OTHER).status_code == 202
    assert run.client.post(f"/jobs/{number}/cancel").json()["state"] == "cancelled"
    told = run.client.get(f"/jobs/{number}").json()
    assert {file["kind"] for file in told["files"]} == {"json", "film"}
    track = from_json(run.client.get(f"/jobs/{number}/files/json").text)
    assert [shot.caption for shot in track.shots] == ["다른 문장"] and track.duration_ms == 6000
    over.set()


def test_edits_outlive_a_burning_that_fails_and_no_result_says_the_old(start, film, monkeypatch):
    run, write = start(), films.write
    number = run.send(film, formats=["gif", "srt", "txt"]).json()["id"]
    run.ended(number)

    def drawn_fails(media, track, target, *rest):
        if target.suffix == ".gif":
            raise OutputError("자리가 없습니다", "no room")
        write(media, track, target, *rest)

    monkeypatch.setattr(films, "write", drawn_fails)
    assert run.client.put(f"/jobs/{number}/captions", json=OTHER).status_code == 202
    job = run.ended(number)
    assert job["state"] == "failed"
    kinds = {file["kind"] for file in job["files"]} - {"film"}
    assert kinds == {"json", "vtt", "srt", "txt"}
    for kind in kinds:
        text = run.client.get(f"/jobs/{number}/files/{kind}").text
        assert "다른 문장" in text and "화면이다" not in text, kind


def test_sentences_past_the_film_s_end_are_refused(start, film):
    run = start()
    number = run.send(film, formats=["srt"]).json()["id"]
    run.ended(number)
    late = {"start_ms": 6000, "end_ms": 9000, "caption": "늦은 문장"}
    blank = {"start_ms": 0, "end_ms": 1000, "caption": " "}
    url = f"/jobs/{number}/captions"
    for shots in ([late], [blank, late]):
        told = run.client.put(url, json={"shots": shots})
        assert told.status_code == 400
        for text in told.json().values():
            assert "6000 ms" in text and text.count("6000") == 2
    assert run.client.put(url, json={"shots": [{**late, "start_ms": 5999}]}).status_code == 202
    assert run.ended(number)["state"] == "done"


def test_a_job_tells_its_style_and_keeps_it(start, film):
    run = start()
    sent = run.send(film, formats=["ass"], style="top").json()
    assert sent["style"] == "top"
    before = run.ended(sent["id"]) and run.client.get(f"/jobs/{sent['id']}/files/ass").text
    assert run.client.put(f"/jobs/{sent['id']}/captions", json=OTHER).json()["style"] == "top"
    assert run.ended(sent["id"])["style"] == "top"
    after = run.client.get(f"/jobs/{sent['id']}/files/ass").text
    assert before.split("[Events]")[0] == after.split("[Events]")[0]


def test_a_refused_body_is_told_its_limit_in_json(start):
    run = start(max_film_mb=0.5)
    none = "00000000-0000-4000-8000-000000000000"
    for method, path, size, limit in (
        ("POST", "/jobs", 600_000, "0.5 MB"),
        ("GET", "/jobs", 200_000, "0.1 MB"),
        ("PUT", f"/jobs/{none}/captions", 4_100_000, "4 MB"),
        ("POST", f"/jobs/{none}/captions", 200_000, "0.1 MB"),
        ("POST", f"/jobs/{none}/cancel", 200_000, "0.1 MB"),
        ("POST", "/none", 200_000, "0.1 MB"),
    ):
        told = run.client.request(method, path, content=b"x" * size)
        assert told.status_code == 413 and len(told.json()) == 2, path
        assert all(limit in text for text in told.json().values()), path
    counted = run.client.put(f"/jobs/{none}/captions", content=iter([b"x" * 4_100_000]))
    assert counted.status_code == 413 and "4 MB" in counted.json()["detail"]


def test_a_value_that_cannot_be_used_is_told_those_that_can(start, film):
    run = start()
    told = run.send(film, formats=["mp5"], style="x", max_shot="0").json()["detail_en"]
    known = "formats (mp4 | gif | srt | vtt | ass | json | txt), style (film | box | top), max_shot"
    assert told == f"missing or unusable: {known}"
    sent = {"video": ("a.mp4", film.read_bytes())}
    told = run.client.post("/get_video_captions", files=sent, data={"metric": "manhattan"})
    assert "metric (euclidian | euclidean | cosine)" in told.json()["detail"]


def test_help_needs_no_package_of_the_service_and_serving_names_it(tmp_path):
    gone = ("fastapi", "starlette", "uvicorn", "h11", "huey", "pebble", "pydantic")
    program = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({gone}))\n"
        "from video.server.__main__ import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )

    def ran(*words: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", program, *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    helped = ran("--help")
    assert (helped.returncode, helped.stderr) == (0, "") and "--data" in helped.stdout
    told = ran("--data", tmp_path / "d", "--lang", "en")
    assert told.returncode == 1 and told.stderr.count("\n") == 1
    assert re.search(r"the package '\w+'.*pip install -r requirements-web\.txt", told.stderr)
    assert not (tmp_path / "d").exists()
