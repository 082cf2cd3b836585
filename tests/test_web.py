"""The service as it runs: real processes, a real browser, floods and kills. `make test-web`.

All of it goes to 127.0.0.1, bounded in number and time.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from tests.clips import ffmpeg
from video.server.leftovers import ffmpegs_on

pytestmark = pytest.mark.web
ROOT = Path(__file__).resolve().parents[1]
SHOTS = ROOT / "build" / "web"
FIGURES: dict[str, float] = {}


class Served:
    """A service in a process of its own."""

    def __init__(self, data: Path, *options: object) -> None:
        self.data = data
        command = [sys.executable, "-m", "video.server", "--port", "0", "--data", str(data)]
        self.log = (data.parent / f"log{time.monotonic_ns()}").open("w+")
        self.process = subprocess.Popen(
            [*command, *map(str, options)], cwd=ROOT, stderr=self.log, stdout=self.log
        )
        self.port = self._port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = httpx2.Client(base_url=self.url, timeout=120)

    def _port(self) -> int:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and self.process.poll() is None:
            text = Path(self.log.name).read_text("utf-8")
            if found := re.search(r"running on http://127\.0\.0\.1:(\d+)", text):
                return int(found[1])
            time.sleep(0.1)
        raise AssertionError(Path(self.log.name).read_text("utf-8"))

    def send(self, film: Path, formats=("txt",)) -> httpx2.Response:
        with film.open("rb") as file:
            files = {"video": (film.name, file)}
            return self.client.post("/jobs", files=files, data={"formats": list(formats)})

    def job(self, number: str) -> dict:
        return self.client.get(f"/jobs/{number}").json()

    def until(self, number: str, *states: str, within_s: float = 180) -> dict:
        deadline = time.monotonic() + within_s
        while (job := self.job(number))["state"] not in states:
            assert time.monotonic() < deadline, job
            time.sleep(0.1)
        return job

    def kill(self) -> None:
        self.client.close()
        self.process.kill()
        self.process.wait()
        self.log.close()

    def end(self) -> None:
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        self.log.close()


@contextmanager
def served(folder: Path, *options: object) -> Iterator[Served]:
    service = Served(folder / "data", *options)
    try:
        yield service
    finally:
        service.end()


@pytest.fixture(scope="module")
def service(tmp_path_factory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("service"), "--max-film-mb", 20) as one:
        yield one


@pytest.fixture(scope="module", autouse=True)
def figures() -> Iterator[None]:
    """What was measured, for docs/server.md."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    yield
    (SHOTS / "figures.json").write_text(json.dumps(FIGURES, indent=1) + "\n", "utf-8")
    print(f"\n{json.dumps(FIGURES)}")


@pytest.fixture(scope="module")
def long_film(tmp_path_factory) -> Path:
    """A film that takes long to encode and short to look at."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    source = "testsrc2=s=1280x720:r=25:d=30"
    ffmpeg("-f", "lavfi", "-i", source, "-preset", "ultrafast", "-crf", "36", path)
    return path


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    """The sample film: five photos free of copyright."""
    path = tmp_path_factory.mktemp("demo") / "demo.mp4"
    subprocess.run([sys.executable, "-m", "video.demo", str(path)], cwd=ROOT, check=True)
    return path


def test_the_results_are_those_of_the_command_line(service, demo, tmp_path):
    sent = service.send(demo, ["srt", "mp4"]).json()
    own = tmp_path / "own.srt"
    program = [sys.executable, "caption_video.py", str(demo), "-q", "-o", str(own)]
    subprocess.run(program, cwd=ROOT, check=True, capture_output=True)
    job = service.until(sent["id"], "done", "failed")
    assert job["state"] == "done", job
    assert service.client.get(f"/jobs/{sent['id']}/files/srt").text == own.read_text("utf-8")


def test_too_large_is_refused_within_a_second(service):
    for head in (b"Content-Length: 30000000", b"Transfer-Encoding: chunked"):
        with socket.create_connection(("127.0.0.1", service.port), timeout=30) as mine:
            form = b"Content-Type: multipart/form-data; boundary=x"
            mine.sendall(
                b"POST /jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n%b\r\n%b\r\n\r\n" % (form, head)
            )
            passed = time.monotonic()
            if b"chunked" in head:
                opening = (
                    b'--x\r\nContent-Disposition: form-data; name="video"; filename="a"\r\n\r\n'
                )
                chunk(mine, opening)
                for _ in range(205):  # past the limit of 20 MB
                    chunk(mine, b"y" * 100_000)
                    passed = time.monotonic()
            answer = mine.recv(1000)
            took = time.monotonic() - passed
        assert answer.startswith(b"HTTP/1.1 413"), answer
        FIGURES[f"413 by {head.split(b':')[0].decode()}, s"] = round(took, 3)
        assert took < 1


def chunk(mine: socket.socket, data: bytes) -> None:
    mine.sendall(b"%x\r\n%b\r\n" % (len(data), data))


def test_a_hundred_slow_connections_are_closed(service):
    """Fifty that send a header now and then, fifty a byte of a body; /health meanwhile."""
    headers = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    body = b"POST /jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n"
    body += b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    begin = time.monotonic()
    slow = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(100)]
    try:
        for index, one in enumerate(slow):
            one.sendall(body if index % 2 else headers)
            one.settimeout(0.01)
        open_, waits = set(range(100)), []
        while open_ and time.monotonic() - begin < 40:
            asked = time.monotonic()
            assert httpx2.get(f"{service.url}/health", timeout=10).json()["status"] == "ok"
            waits.append(time.monotonic() - asked)
            open_ -= {index for index in open_ if is_closed(slow[index], index)}
            time.sleep(0.3)
    finally:
        for one in slow:
            one.close()
    FIGURES["slow connections closed after, s"] = round(time.monotonic() - begin, 1)
    FIGURES["/health meanwhile, longest, ms"] = round(1000 * max(waits))
    assert not open_ and time.monotonic() - begin < 30 and max(waits) < 0.5


def is_closed(one: socket.socket, index: int) -> bool:
    try:
        one.sendall(b"y" if index % 2 else b"X-A: b\r\n")
        while one.recv(4096):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def test_fifty_uploads_at_once(service, film):
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: service.send(film, ["srt"]), range(50)))
    codes = [answer.status_code for answer in answers]
    FIGURES["of 50 uploads accepted"] = codes.count(202)
    assert set(codes) <= {202, 429, 503} and 202 in codes
    numbers = [answer.json()["id"] for answer in answers if answer.status_code == 202]
    assert all(service.until(number, "done", "failed")["state"] == "done" for number in numbers)
    alone = service.send(film, ["srt"]).json()["id"]
    service.until(alone, "done")
    texts = {service.client.get(f"/jobs/{n}/files/srt").text for n in [*numbers, alone]}
    assert len(texts) == 1


def test_a_cancelled_job_leaves_no_ffmpeg(service, long_film):
    number = service.send(long_film, ["mp4"]).json()["id"]
    folder = service.data / "jobs" / number
    deadline = time.monotonic() + 120
    while not ffmpegs_on(folder):
        assert time.monotonic() < deadline, service.job(number)
        time.sleep(0.05)
    begin = time.monotonic()
    assert service.client.post(f"/jobs/{number}/cancel").json()["state"] == "cancelled"
    while ffmpegs_on(folder) and time.monotonic() - begin < 10:
        time.sleep(0.02)
    FIGURES["ffmpeg gone after a cancel, s"] = round(time.monotonic() - begin, 2)
    assert time.monotonic() - begin < 5 and not ffmpegs_on(folder)
    time.sleep(1)
    assert not list(folder.glob(".captioning-*")) and not (folder / "result.mp4").exists()
    assert service.job(number)["state"] == "cancelled"


def test_a_kill_loses_nothing(tmp_path, film, long_film):
    first = Served(tmp_path / "data")
    done = first.send(film, ["srt"]).json()["id"]
    first.until(done, "done")
    text = first.client.get(f"/jobs/{done}/files/srt").text
    numbers = [first.send(long_film, ["mp4"]).json()["id"]]
    numbers += [first.send(film, ["srt"]).json()["id"] for _ in range(5)]
    deadline = time.monotonic() + 120
    while not ffmpegs_on(first.data):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    first.kill()
    time.sleep(3)
    assert not ffmpegs_on(first.data)  # the workers went with the service, and took it along
    with served(tmp_path) as again:
        assert again.client.get(f"/jobs/{done}/files/srt").text == text
        jobs = [again.until(number, "done", "failed", within_s=400) for number in numbers]
        assert [job["state"] for job in jobs] == ["done"] * 6
        assert again.client.get(f"/jobs/{numbers[5]}/files/srt").text == text
        assert not list((again.data / "jobs").rglob(".captioning-*"))


def test_a_worker_that_is_killed_is_replaced(service, film, long_film):
    number = service.send(long_film, ["mp4"]).json()["id"]
    folder = service.data / "jobs" / number
    while not ffmpegs_on(folder):
        time.sleep(0.05)
    with suppress(ProcessLookupError):
        os.kill(parent_of(ffmpegs_on(folder)[0]), signal.SIGKILL)
    assert service.until(number, "done", "failed", within_s=400)["state"] == "done"
    assert service.until(service.send(film).json()["id"], "done", "failed")["state"] == "done"


def parent_of(process: int) -> int:
    return int(re.search(r"PPid:\s*(\d+)", Path(f"/proc/{process}/status").read_text())[1])


def test_schemathesis_finds_no_server_error(service):
    """Against the service's own schema: examples, coverage and fuzzing, each bounded."""
    program = Path(sys.executable).with_name("schemathesis")
    command = [program, "run", f"{service.url}/openapi.json", "--seed", "1", "--max-examples", "25"]
    checks = ["--checks", "not_a_server_error,status_code_conformance,content_type_conformance"]
    checks[1] += ",response_schema_conformance"
    done = subprocess.run(
        [*command, *checks], cwd=service.data, capture_output=True, text=True, timeout=900
    )
    (SHOTS / "schemathesis.txt").write_text(done.stdout, "utf-8")
    assert done.returncode == 0, done.stdout[-6000:]
    assert service.client.get("/health").json()["status"] == "ok"


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium")
    assert program, "chromium is missing: make test-web installs it"
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield opened
        opened.close()


def until(happens, within_s: float = 60) -> None:
    """Waits for a fact of the page; its policy allows no code that Playwright would wait with."""
    deadline = time.monotonic() + within_s
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.1)


SIZES = {"desktop": (1280, 900), "phone": (390, 844)}


@pytest.mark.parametrize("size", SIZES)
def test_the_page_in_a_browser(service, browser, demo, size):
    from axe_playwright_python.sync_playwright import Axe

    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height})
    asked, faults = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: line.type == "error" and faults.append(line.text))

    def look(name: str) -> None:
        page.screenshot(path=SHOTS / f"{size}-{name}.png", full_page=True)
        found = Axe().run(page).response["violations"]
        assert not [fault for fault in found if fault["impact"] in ("serious", "critical")], found
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    page.goto(service.url)
    look("start")
    page.set_input_files("#film-file", demo)
    page.focus("#film-form button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#result:not([hidden])", timeout=180_000)
    until(lambda: page.evaluate("player.videoWidth > 0 && player.textTracks[0].cues.length > 0"))
    look("film")
    first = page.locator("#sentences input").first
    first.fill("손으로 고친 문장이다")
    page.click("nav >> text=찾기")
    page.go_back()  # what is half done stays
    until(lambda: page.is_visible("#film"))
    assert first.input_value() == "손으로 고친 문장이다"
    page.click("#again")
    page.wait_for_selector("#job-cancel:not([hidden])", timeout=60_000)
    page.wait_for_selector("#job-state:text-is('다 되었습니다')", timeout=180_000)
    until(lambda: first.input_value() == "손으로 고친 문장이다")
    with page.expect_download() as download:
        page.click("#files a:has-text('SRT')")
    assert "손으로 고친 문장이다" in download.value.path().read_text("utf-8")
    page.click("nav >> text=찾기")
    page.evaluate("location.hash = '#main'")  # as the link past the menu does
    page.wait_for_timeout(200)
    assert page.is_visible("#search") and not page.is_visible("#film")
    page.fill("#search-text", "손으로 고친 문장")
    page.keyboard.press("Enter")
    page.wait_for_selector("#hits li", timeout=60_000)
    look("search")
    page.click("nav >> text=달라지는 순간")
    page.set_input_files("#unlike-file", demo)
    page.click("#unlike-form button")
    page.wait_for_selector("#chart:not([hidden])", timeout=180_000)
    first = page.inner_text("#there")
    assert first.startswith("0:00.0 ")
    page.focus("#moment")
    page.keyboard.press("ArrowRight")  # look around by keyboard, then by pointer
    assert page.inner_text("#there").startswith("0:01.0 ")
    page.hover("#curve svg", position={"x": 2, "y": 20})
    assert page.inner_text("#there") == first
    look("unlike")
    page.click("nav >> text=모델")
    look("about")
    page.goto(f"{service.url}/docs")
    page.wait_for_selector(".opblock", timeout=60_000)
    page.close()
    assert faults == []
    assert not [url for url in asked if not url.startswith((service.url, "data:", "blob:"))]


def serious(page) -> list:
    """The faults that axe-core takes seriously."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [fault for fault in found if fault["impact"] in ("serious", "critical")]


def photos() -> list[Path]:
    from skimage import data

    names = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg")
    return [Path(data.__file__).parent / name for name in names]


@pytest.mark.parametrize("size", SIZES)
def test_photos_in_a_browser(service, browser, size):
    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height})
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: line.type == "error" and faults.append(line.text))
    page.goto(f"{service.url}/#photo")
    page.set_input_files("#photo-file", photos()[1])
    page.click("#photo summary")
    page.check("#photo-일상")
    page.fill("#photo-blocked", "고양이, cat")
    page.click("#photo-form button")
    page.wait_for_selector("#photos figure", timeout=60_000)
    assert page.locator("#photos figcaption li").count() == 3
    page.wait_for_selector("#tags:not([hidden])", timeout=60_000)
    line = page.input_value("#tag-line").split()
    assert "#일상" in line and not [tag for tag in line if "고양이" in tag or "cat" in tag]
    page.focus("#photos button >> nth=0")
    page.keyboard.press("Enter")
    page.wait_for_selector(".under ol li", timeout=60_000)
    assert page.locator(".over svg rect").count() == 2 * page.locator(".under ol li").count()
    page.screenshot(path=SHOTS / f"{size}-regions.png", full_page=True)
    assert serious(page) == []
    page.click("#photos button >> nth=1")
    page.wait_for_selector(".looks li", timeout=60_000)
    assert page.locator(".looks li >> nth=0 >> rect").count() == 64
    page.screenshot(path=SHOTS / f"{size}-photo.png", full_page=True)
    assert serious(page) == [] and faults == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_input_files("#photo-file", __file__)
    page.click("#photo-form > button")
    page.wait_for_selector("#photo-state.bad", timeout=60_000)
    assert "test_web.py" in page.inner_text("#photo-state")
    page.close()


@pytest.mark.parametrize("size", SIZES)
def test_groups_and_hashtags_of_jobs_in_a_browser(service, browser, demo, size):
    job = service.send(demo)
    service.until(job.json()["id"], "done", "failed")
    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height})
    page.goto(f"{service.url}/#group")
    page.set_input_files("#group-file", photos())
    page.fill("#group-count", "2")
    page.click("#group-form button")
    page.wait_for_selector("#groups section", timeout=60_000)
    assert page.locator("#groups section").count() == 2
    assert page.locator("#groups img").count() == 4
    until(
        lambda: page.evaluate(
            "[...document.querySelectorAll('#groups img')].every(i => i.complete)"
        )
    )
    page.screenshot(path=SHOTS / f"{size}-group.png", full_page=True)
    assert serious(page) == []
    page.fill("#group-count", "")
    page.click("#group-shots")
    page.wait_for_selector("#groups a", timeout=60_000)
    page.screenshot(path=SHOTS / f"{size}-shots.png", full_page=True)
    assert serious(page) == []
    page.goto(f"{service.url}/#film/{job.json()['id']}")
    page.click("#film-tag")
    page.wait_for_selector("#film-tags:not([hidden])", timeout=60_000)
    assert page.input_value("#film-tag-line").startswith("#")
    page.screenshot(path=SHOTS / f"{size}-film-tags.png", full_page=True)
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()
