"""The service: REST over stand-ins, its limits, its refusals, and that it forgets no job."""

import io
import json
import shutil
import threading
import time
from concurrent.futures import TimeoutError as TooLong
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from pebble import ProcessExpired
from PIL import Image

from preprocess.errors import OutputError
from preprocess.frames import probe
from tests.clips import RED
from tests.service import Threads
from video.server.app import UPLOADS, build_app
from video.server.jobs import TRIES, Job, Jobs, NoRoom
from video.server.names import MEDIA, shown, stored
from video.server.options import ServerOptions
from video.server.service import Service
from video.track import from_json

SRT = (
    "1\n00:00:00,000 --> 00:00:02,000\n빨간 화면이다\n\n"
    "2\n00:00:02,000 --> 00:00:04,000\n초록 화면이다\n\n"
    "3\n00:00:04,000 --> 00:00:06,000\n파란 화면이다\n\n"
)
ORIGIN = "http://127.0.0.1:8000"
TXT = {"formats": "txt"}  # the quickest result


class Running:
    """A service with its client."""

    def __init__(self, data: Path, **options) -> None:
        self.films, self.photos = Threads(), Threads()
        self.options = ServerOptions(data=data, **options)
        self.service = Service(self.options, self.films, self.photos)
        self.service.start()
        self.client = TestClient(
            build_app(self.service), base_url=ORIGIN, raise_server_exceptions=False
        )

    def send(self, film: Path, **fields):
        with film.open("rb") as file:
            return self.client.post("/jobs", files={"video": (film.name, file)}, data=fields)

    def ended(self, number: str) -> dict:
        deadline = time.monotonic() + 30
        while (job := self.client.get(f"/jobs/{number}").json())["state"] in ("waiting", "working"):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return job

    def stop(self) -> None:
        self.service.stop()
        self.service._lock.close()


@pytest.fixture
def start(tmp_path):
    """Starts services that share a data folder; one at a time."""
    running = []

    def begin(**options) -> Running:
        running.append(Running(tmp_path / "data", **options))
        return running[-1]

    yield begin
    for one in running:
        one.stop()


@pytest.fixture
def photo() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), RED).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_film_becomes_captions_and_results(start, film):
    run = start()
    sent = run.send(film, formats=["mp4", "srt", "txt"])
    assert sent.status_code == 202 and sent.json()["name"] == "film.mp4"
    job = run.ended(sent.json()["id"])
    assert (job["state"], job["error"]) == ("done", "")
    kinds = {file["kind"] for file in job["files"]}
    assert kinds == {"mp4", "srt", "txt", "vtt", "json", "film"}
    files = {file["kind"]: run.client.get(file["url"]) for file in job["files"]}
    assert files["srt"].text == SRT and files["film"].content == film.read_bytes()
    track = from_json(files["json"].text)
    assert (track.video, track.captioner) == ("film.mp4", "colours.kcap")
    folder = run.service.jobs.folder(job["id"])
    assert probe(folder / "result.mp4").has_audio
    assert [j["id"] for j in run.client.get("/jobs").json()["jobs"]] == [job["id"]]


def test_files_have_safe_headers_and_ranges(start, film):
    run = start()
    job = run.ended(run.send(film, formats=["srt"]).json()["id"])
    url = f"/jobs/{job['id']}/files/film"
    part = run.client.get(url, headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.content) == (206, film.read_bytes()[2:6])
    whole = run.client.get(url, params={"download": True})
    assert whole.headers["content-disposition"].startswith("attachment")
    assert whole.headers["content-type"] == "video/mp4"
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert run.client.get(f"/jobs/{job['id']}/files/gif").status_code == 404
    for kind in ("../jobs.db", "..%2f..%2fjobs.db", "edited.json", "moments"):
        assert run.client.get(f"/jobs/{job['id']}/files/{kind}").status_code in (404, 422)


def test_a_photo_job_gives_a_photo(start, tmp_path, photo):
    path = tmp_path / "고양이.png"
    path.write_bytes(photo)
    run = start()
    job = run.ended(run.send(path, formats=["mp4"]).json()["id"])
    assert job["state"] == "done"
    assert {file["kind"] for file in job["files"]} == {"jpg", "json", "vtt", "film"}


def test_edited_sentences_are_burned_again(start, film):
    run = start()
    number = run.send(film, formats=["srt"]).json()["id"]
    run.ended(number)
    shots = [
        {"start_ms": 0, "end_ms": 3000, "caption": "고친 첫 문장"},
        {"start_ms": 3000, "end_ms": 6000, "caption": "고친 둘째 문장"},
    ]
    url = f"/jobs/{number}/captions"
    answer = run.client.put(url, json={"shots": shots, "formats": ["srt", "gif"]})
    assert answer.status_code == 202 and answer.json()["task"] == "burn"
    job = run.ended(number)
    assert job["state"] == "done"
    assert "고친 첫 문장" in run.client.get(f"/jobs/{number}/files/srt").text
    assert run.client.get(f"/jobs/{number}/files/gif").content[:3] == b"GIF"
    assert sum(run.films.held.captioner.batches) == 3  # looked at once


@pytest.mark.parametrize(
    "spans", [[(0, 2000), (1000, 3000)], [(2000, 3000), (0, 1000)], [(5, 5)], [(9, 3)]]
)
def test_sentences_out_of_order_are_refused(start, film, spans):
    run = start()
    number = run.send(film, formats=["srt"]).json()["id"]
    run.ended(number)
    shots = [{"start_ms": a, "end_ms": b, "caption": "가"} for a, b in spans]
    assert run.client.put(f"/jobs/{number}/captions", json={"shots": shots}).status_code == 400
    blank = [{"start_ms": 0, "end_ms": 5, "caption": "  "}]
    assert run.client.put(f"/jobs/{number}/captions", json={"shots": blank}).status_code == 400
    assert run.client.get(f"/jobs/{number}/files/srt").text == SRT


def test_photos_get_sentences(start, photo):
    run = start()
    files = [("image", ("a.png", photo)), ("image", ("b.png", photo))]
    told = run.client.post("/get_captions", files=files).json()["captions"]
    assert [(t["name"], t["caption"]) for t in told] == [
        ("a.png", "빨간 화면이다"),
        ("b.png", "빨간 화면이다"),
    ]
    assert told[0]["sentences"] == [{"text": "빨간 화면이다", "confidence": 1.0}]
    assert list((run.options.data / "incoming").iterdir()) == []


def test_a_photo_with_its_vectors(start, photo):
    run = start()
    told = run.client.post("/get_image_caption", files={"image": ("a.png", photo)}).json()
    assert [word["word"] for word in told["words"]] == ["빨간", "화면이다"]
    assert told["words"][1]["embedding"] == [round(ord("화") / 50_000, 5), 4.0]
    assert np.allclose(told["cnn_features"], RED, atol=1)


@pytest.mark.parametrize("metric", ["euclidian", "cosine"])
def test_moments_of_a_film(start, film, metric):
    run = start()
    fields = {"every_n_second": "1", "metric": metric, "rolling_window_size": "2"}
    answer = run.client.post(
        "/get_video_captions", files={"video": ("a.mp4", film.read_bytes())}, data=fields
    )
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["metric"], told["rolling_window_size"]) == (metric, 2)
    assert [m["time"] for m in told["captions"]] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    unlike = [m["visual_dissimilarity"] for m in told["captions"]]
    assert unlike[0] == 0 and unlike[1] < unlike[2] / 50  # near-identical pictures
    # the cut, then a window that half knows the colour
    assert unlike[2] > unlike[3] > 5 * unlike[1]
    assert [m["caption"] for m in told["captions"]][2] == "초록 화면이다"
    assert {peak["time"] for peak in told["peaks"]} <= {m["time"] for m in told["captions"]}


@pytest.mark.parametrize(
    "fields",
    [
        {"metric": "manhattan"},
        {"every_n_second": "0"},
        {"every_n_second": "nan"},
        {"rolling_window_size": "0"},
        {"rolling_window_size": "x"},
    ],
)
def test_fields_that_cannot_be_used(start, film, fields):
    answer = start().client.post(
        "/get_video_captions", files={"video": ("a.mp4", film.read_bytes())}, data=fields
    )
    assert answer.status_code == 422 and next(iter(fields)) in answer.json()["detail_en"]


def bad_uploads(film: Path) -> dict[str, bytes]:
    return {
        "empty.mp4": b"",
        "text.mp4": "이것은 영상이 아니다\n".encode() * 50,
        "cut.mp4": film.read_bytes()[:400],
        "list.mp4": f"#EXTM3U\n#EXTINF:1,\n{film}\n#EXT-X-ENDLIST\n".encode(),
        "page.html": b"<script>alert(1)</script>",
        "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    }


def test_what_is_no_film_fails_in_one_line_without_a_path(start, film):
    run = start()
    for name, content in bad_uploads(film).items():
        sent = run.client.post("/jobs", files={"video": (name, content)}, data=TXT)
        if not content:
            assert sent.status_code == 400
            continue
        job = run.ended(sent.json()["id"])
        assert job["state"] == "failed" and job["error"].count("\n") == 0
        assert name in job["error_en"], job["error_en"]
        assert str(run.options.data) not in json.dumps(job, ensure_ascii=False)
        kept = run.client.get(f"/jobs/{job['id']}/files/film")
        assert kept.headers["content-type"] in ("application/octet-stream", "video/mp4")
        photo = run.client.post("/get_captions", files={"image": (name, content)})
        assert photo.status_code == 415 and str(run.options.data) not in photo.text


def test_a_film_is_no_photo(start, film):
    answer = start().client.post("/get_captions", files={"image": ("a.mp4", film.read_bytes())})
    assert answer.status_code == 415 and "a.mp4" in answer.json()["detail"]


HOSTILE = [
    "../../etc/passwd",
    "..\\..\\x.mp4",
    "a\0b.mp4",
    "-y.mp4",
    "concat:x|y",
    "%2e%2e%2f",
    "..",
]
HOSTILE += [
    "\u202egpj.exe",
    "가" * 400 + ".mp4",
    "<script>.mp4",
    'x";rm.mp4',
    "con",
    "~/x",
    "\r\nX: y",
]


def test_hostile_names_stay_names(start, film, tmp_path):
    run = start()
    before = {p for p in tmp_path.rglob("*") if "data" not in p.parts}
    asked = b'--x\r\nContent-Disposition: form-data; name="formats"\r\n\r\ntxt\r\n--x\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    for name in HOSTILE:
        part = f'Content-Disposition: form-data; name="video"; filename="{name}"'.encode()
        body = asked + part + b"\r\n\r\n" + film.read_bytes() + b"\r\n--x--\r\n"
        sent = run.client.post("/jobs", content=body, headers=headers)
        assert sent.status_code in (202, 400, 422), sent.text
        if sent.status_code == 202:
            job = run.ended(sent.json()["id"])
            assert job["state"] == "done" and len(job["name"]) <= 120
            assert not set(job["name"]) & set("/\\\0\n\r\u202e")
            folder = run.service.jobs.folder(job["id"])
            assert all(p.name.split(".")[0] in ("film", "result") for p in folder.iterdir())
    assert {p for p in tmp_path.rglob("*") if "data" not in p.parts} == before


@settings(max_examples=50)
@given(st.text())
def test_a_shown_name_is_one_short_line(name):
    found = shown(name)
    assert 0 < len(found) <= 120 and found == " ".join(found.split("\n"))
    assert "/" not in found and "\\" not in found and found not in (".", "..")
    assert shown(found) == found
    assert stored(found) in MEDIA | {""}


def test_too_large_is_refused_by_its_length_and_by_its_bytes(start):
    run = start(max_film_mb=0.5, max_photo_mb=0.2)

    def pieces():
        for _ in range(40):
            yield b"x" * 50_000

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    opening = b'--x\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\n'
    for path in UPLOADS:
        whole = run.client.post(path, content=b"x" * 600_000, headers=headers)
        assert whole.status_code == 413 and "너무 큽니다" in whole.json()["detail"]
        counted = run.client.post(path, content=iter([opening, *pieces()]), headers=headers)
        assert counted.status_code == 413 and "너무 큽니다" in counted.json()["detail"]
    assert run.client.get("/jobs").json() == {"jobs": []}
    assert list((run.options.data / "jobs").iterdir()) == []


def test_a_full_queue_and_a_full_disk_refuse(start, film):
    run = start(waiting=2)
    run.films.before = lambda: time.sleep(0.5)
    codes = [run.send(film, formats=["txt"]).status_code for _ in range(4)]
    assert codes == [202, 202, 429, 429]
    answer = run.send(film)
    assert answer.headers["retry-after"] == "5" and "2개" in answer.json()["detail"]
    run.stop()
    full = start(disk_gb=0.000001)
    assert full.send(film).status_code == 503


def test_only_so_many_bodies_at_a_time(start, film):
    run = start(uploads=1)
    seen = []

    def slow():
        yield b'--x\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\n'
        seen.append(run.send(film).status_code)
        yield film.read_bytes() + b"\r\n--x--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    first = run.client.post("/jobs", content=slow(), headers=headers)
    assert seen == [503] and first.status_code == 202


def test_other_sites_and_other_names_are_refused(start, film):
    run = start()
    files = {"video": ("a.mp4", film.read_bytes())}
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert run.client.post("/jobs", files=files, headers=headers).status_code == 403
    assert (
        run.client.post("/jobs", files=files, headers={"Origin": ORIGIN}, data=TXT).status_code
        == 202
    )
    for host in ("evil.example", "evil.example:8000", "", "[::", "127.0.0.1.evil.example"):
        assert run.client.get("/health", headers={"Host": host}).status_code == 400
    assert run.client.get("/health", headers={"Host": "localhost:1"}).status_code == 200


def test_a_cancelled_job_does_not_run(start, film):
    run = start()
    run.films.before = lambda: time.sleep(0.3)
    first, second = (run.send(film, formats=["txt"]).json()["id"] for _ in range(2))
    assert run.client.post(f"/jobs/{second}/cancel").json()["state"] == "cancelled"
    assert run.ended(first)["state"] == "done"
    time.sleep(0.5)
    assert run.ended(second)["state"] == "cancelled"
    assert run.client.post(f"/jobs/{second}/cancel").status_code == 409
    assert run.client.delete(f"/jobs/{second}").status_code == 204
    assert run.client.get(f"/jobs/{second}").status_code == 404
    assert not run.service.jobs.folder(second).exists()


def test_what_was_begun_or_waited_is_done_after_a_restart(start, film):
    first, over = start(), threading.Event()

    def hang():  # as a worker that goes with its service
        over.wait(60)
        raise ProcessExpired("gone")

    first.films.before = hang
    numbers = [first.send(film, formats=["srt"]).json()["id"] for _ in range(3)]
    deadline = time.monotonic() + 10
    while first.client.get(f"/jobs/{numbers[0]}").json()["state"] != "working":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    first.stop()
    again = start()
    assert [again.ended(number)["state"] for number in numbers] == ["done"] * 3
    assert again.client.get(f"/jobs/{numbers[2]}/files/srt").text == SRT
    over.set()


def test_two_services_do_not_share_a_folder(start):
    run = start()
    with pytest.raises(OutputError, match="another server"):
        Service(run.options, Threads(), Threads())


@pytest.mark.parametrize(
    ("error", "word"),
    [(ProcessExpired("x"), "두 번"), (TooLong(), "제한 시간"), (ValueError("/secret"), "잘못")],
)
def test_a_worker_that_fails_fails_the_job(start, film, error, word, caplog):
    run = start()

    def fail():
        raise error

    run.films.before = fail
    job = run.ended(run.send(film).json()["id"])
    assert job["state"] == "failed" and word in job["error"] and "secret" not in job["error"]


def test_a_film_that_ends_the_service_each_time_is_given_up(start, film):
    run = start()
    number = run.send(film, formats=["txt"]).json()["id"]
    run.ended(number)
    for _ in range(TRIES):  # as restarts in the middle of it would leave it
        run.service.jobs.again(number, "caption", {}, 9)
        run.service.jobs.begin(number)
        run.service.jobs.back(number)
    table = Jobs(run.options.data)
    with table._opened() as rows:
        rows.execute("UPDATE jobs SET tries = ?", (TRIES,))
    run.service.queue.submit(table.get(number))
    assert run.ended(number)["error_en"].startswith("the process that worked")


def test_old_jobs_are_swept(start, film):
    run = start(keep_hours=1)
    number = run.send(film, formats=["txt"]).json()["id"]
    run.ended(number)
    run.service.sweep()
    assert run.client.get(f"/jobs/{number}").status_code == 200
    with run.service.jobs._opened() as rows:
        rows.execute("UPDATE jobs SET changed = changed - 7200")
    run.service.sweep()
    assert run.client.get(f"/jobs/{number}").status_code == 404
    assert list((run.options.data / "jobs").iterdir()) == []


def test_files_that_go_while_they_are_counted(start, film):
    run = start()
    job = run.ended(run.send(film, formats=["txt"]).json()["id"])
    folder = run.service.jobs.folder(job["id"])
    (folder / "half").symlink_to(folder / "gone")
    assert run.service.jobs.used_bytes() >= film.stat().st_size
    shutil.rmtree(folder)  # as another request would
    assert run.client.get(f"/jobs/{job['id']}").json()["files"] == []
    assert run.client.get(f"/jobs/{job['id']}/files/txt").status_code == 404
    shots = {"shots": [{"start_ms": 0, "end_ms": 9, "caption": "가"}]}
    answer = run.client.put(f"/jobs/{job['id']}/captions", json=shots)
    assert answer.status_code == 503 and str(run.options.data) not in answer.text


def test_the_table_takes_only_so_many(tmp_path):
    jobs = Jobs(tmp_path)
    blank = Job("", "a", "", "caption", "waiting", 0.0, 0.0, 0, {})
    for number in range(3):
        jobs.add(replace(blank, id=str(number)), most=3)
    with pytest.raises(NoRoom):
        jobs.add(replace(blank, id="3"), most=3)
    assert jobs.begin("0") is not None and jobs.begin("0") is None
    assert jobs.end("0", "done") and not jobs.end("0", "cancelled")
    jobs.add(replace(blank, id="3"), most=3)
    assert [job.id for job in jobs.unfinished()] == ["1", "2", "3"]


def test_the_schema_and_its_page_need_no_other_host(start):
    client = start().client
    schema = client.get("/openapi.json").json()
    assert {
        "/health",
        "/jobs",
        "/get_captions",
        "/get_image_caption",
        "/get_video_captions",
    } <= set(schema["paths"])
    page = client.get("/docs").text
    for word in ("http://", "https://", '"//'):
        assert word not in page.replace("http://127.0.0.1", "")
    assert client.get("/static-offline-docs/swagger-ui-bundle.js").status_code == 200


def test_what_is_not_there_is_said(start):
    client = start().client
    unknown = "00000000-0000-4000-8000-000000000000"
    assert client.get(f"/jobs/{unknown}").status_code == 404
    assert client.get("/jobs/x").status_code == 422
    assert client.get("/none").json() == {
        "detail": "그런 주소가 없습니다.",
        "detail_en": "there is no such address.",
    }
    assert client.patch("/jobs").status_code == 405
    assert client.post("/jobs", content=b"x").status_code == 422
