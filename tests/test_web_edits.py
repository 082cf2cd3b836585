"""Edits in a browser: what a person typed outlives jobs, other films and a server that is away."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn

from tests.test_server import Running, start
from tests.test_web import browser, until
from video.server.app import build_app

__all__ = ["browser", "start"]  # fixtures
pytestmark = pytest.mark.web
DONE, CANCELLED = "다 되었습니다", "그만두었습니다"


@contextmanager
def listening(run: Running) -> Iterator[str]:
    """The address of a service of stand-ins."""
    config = uvicorn.Config(build_app(run.service), port=0, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


class Open:
    """A page of a service whose worker can be held back."""

    def __init__(self, run: Running, page, url: str) -> None:
        self.run, self.page, self.url = run, page, url
        self.first = page.locator("#sentences input").first
        self.second = page.locator("#sentences input").nth(1)
        self.go = threading.Event()

    def captioned(self, film, **fields) -> str:
        """A film that is done, with the page at it."""
        number = self.run.send(film, **{"formats": ["srt"], **fields}).json()["id"]
        self.run.ended(number)
        self.page.goto(f"{self.url}/#film/{number}")
        self.page.wait_for_selector("#result:not([hidden])")
        return number

    def hold(self) -> None:
        """From now on work waits for `go`."""
        self.go.clear()
        self.run.films.before = lambda: self.go.wait(60)

    def says(self, state: str) -> None:
        self.page.wait_for_selector(f"#job-state:text-is('{state}')")

    def srt(self, number: str) -> str:
        return self.run.client.get(f"/jobs/{number}/files/srt").text


@pytest.fixture
def opened(start, browser) -> Iterator[Open]:
    run = start(answer_s=0.2)
    with listening(run) as url:
        page = browser.new_page()
        page.set_default_timeout(30_000)
        one = Open(run, page, url)
        yield one
        one.go.set()
        page.close()


def test_edits_outlive_a_cancel_and_a_reload(opened, film):
    opened.captioned(film)
    opened.hold()
    opened.first.fill("고친 문장")
    opened.page.click("#again")
    opened.page.click("#job-cancel")
    opened.says(CANCELLED)
    assert opened.first.input_value() == "고친 문장"
    opened.page.reload()
    opened.says(CANCELLED)
    until(lambda: opened.first.input_value() == "고친 문장")


def test_another_film_is_sent_only_when_edits_may_go(opened, film):
    opened.captioned(film)
    asked, answers = [], iter([False, True])

    def answer(dialog) -> None:
        asked.append(dialog.message)
        (dialog.accept if next(answers) else dialog.dismiss)()

    opened.page.on("dialog", answer)
    opened.first.fill("고친 문장")
    opened.page.set_input_files("#film-file", film)
    opened.page.click("#film-form button")
    until(lambda: len(asked) == 1)
    assert opened.first.input_value() == "고친 문장" and opened.page.is_visible("#result")
    assert len(opened.run.service.jobs.newest()) == 1
    opened.page.click("#film-form button")
    until(lambda: opened.page.is_visible("#result") and opened.first.input_value() != "고친 문장")
    assert len(opened.run.service.jobs.newest()) == 2 and len(asked) == 2


def test_a_sentence_can_be_edited_while_others_are_burned(opened, film):
    number = opened.captioned(film)
    opened.hold()
    opened.first.fill("고친 첫 문장")
    opened.page.click("#again")
    opened.page.wait_for_selector("#job-cancel:not([hidden])")
    opened.second.fill("고친 둘째 문장")
    assert opened.page.is_disabled("#again")
    opened.go.set()
    opened.says(DONE)
    assert opened.second.input_value() == "고친 둘째 문장"
    assert "고친 첫 문장" in opened.srt(number) and "둘째" not in opened.srt(number)
    opened.page.click("#again")
    until(lambda: "고친 둘째 문장" in opened.srt(number))
    assert "고친 첫 문장" in opened.srt(number)


def test_a_job_that_is_made_again_keeps_its_look(opened, film):
    number = opened.captioned(film, style="top")
    assert opened.page.input_value("#again-style") == "top"
    assert opened.page.input_value("#film-style") == "film"
    sent = []
    opened.page.on("request", lambda r: r.method == "PUT" and sent.append(r.post_data))
    opened.first.fill("고친 문장")
    opened.page.click("#again")
    until(lambda: "고친 문장" in opened.srt(number))
    assert json.loads(sent[0])["style"] == "top"
    assert opened.run.ended(number)["style"] == "top"


def away(route) -> None:
    route.abort()


def test_a_page_follows_on_when_the_server_is_there_again(opened, film):
    opened.hold()
    number = opened.run.send(film, formats=["srt"]).json()["id"]
    opened.page.goto(f"{opened.url}/#film/{number}")
    opened.page.wait_for_selector("#job-cancel:not([hidden])")
    opened.page.route("**/jobs/*", away)
    opened.page.wait_for_selector("#job-state.bad")
    assert opened.page.is_visible("#job-cancel") and opened.page.inner_text("#job-name")
    opened.page.unroute("**/jobs/*", away)
    opened.go.set()
    opened.says(DONE)
    assert opened.page.is_visible("#result")
    opened.page.goto(f"{opened.url}/#film/00000000-0000-4000-8000-000000000000")
    opened.says("그런 작업이 없습니다.")
    assert not opened.page.is_visible("#result")


def test_moments_follow_on_when_the_server_is_there_again(opened, film):
    opened.hold()
    opened.page.goto(f"{opened.url}/#unlike")
    opened.page.set_input_files("#unlike-file", film)
    opened.page.click("#unlike-form button")
    opened.page.wait_for_selector("#unlike-state:text-matches('%')")
    opened.page.route("**/jobs/*", away)
    opened.page.wait_for_selector("#unlike-state.bad")
    opened.page.unroute("**/jobs/*", away)
    opened.go.set()
    opened.page.wait_for_selector("#chart:not([hidden])")
