"""The page with spoken descriptions: valid, self-contained, and nothing in a caption can act."""

import base64
import json
import re
import shutil
import time
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from preprocess.errors import SettingError
from preprocess.frames import probe
from tests.clips import colour_clip, ffmpeg
from tests.test_subtitles import CUES
from video.draw import BurnOptions
from video.outputs import check_target
from video.page import to_page
from video.subtitles import Cue, to_vtt

NASTY = "</script><img src=x onerror=alert(1)> & \"'$title <!--"


class Page(HTMLParser):
    """Tags with their attributes, and the text of scripts."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.scripts, self._inside = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._inside = tag == "script"

    def handle_data(self, data):
        if self._inside:
            self.scripts.append(data)

    def handle_endtag(self, tag):
        self._inside = False

    def only(self, name):
        (found,) = [attributes for tag, attributes in self.tags if tag == name]
        return found


def cues_in(page):
    (line,) = re.findall(r"^const cues = (.*);$", "".join(page.scripts), re.MULTILINE)
    return json.loads(line)


def test_the_page_plays_the_film_and_holds_its_descriptions(tmp_path):
    page = Page(to_page(CUES, tmp_path / "영상 1.mp4", tmp_path))
    assert unquote(page.only("video")["src"]) == "영상 1.mp4"
    track = page.only("track")
    assert (track["kind"], track["srclang"]) == ("descriptions", "ko")
    assert base64.b64decode(track["src"].partition("base64,")[2]).decode() == to_vtt(CUES)
    assert [(c["start"], c["text"]) for c in cues_in(page)] == [
        (0.0, "빨간 화면이다"),
        (2.0, "남자가 길을 걷고 있다"),
    ]


def test_it_loads_nothing_from_elsewhere(tmp_path):
    text = to_page(CUES, tmp_path / "a.mp4", tmp_path)
    page = Page(text)
    policies = [attributes.get("content", "") for tag, attributes in page.tags if tag == "meta"]
    assert any("default-src 'none'" in policy for policy in policies)
    assert not re.findall(r"https?:|//\w", text)
    assert page.only("html")["lang"] == "ko"


def test_labels_name_every_control(tmp_path):
    text = to_page(CUES, tmp_path / "a.mp4", tmp_path)
    assert len(re.findall(r"<label><input[^>]*> [가-힣]", text)) == text.count("<input")
    assert 'aria-live="polite"' in text and 'role="status"' in text


def test_nothing_in_a_caption_or_a_name_can_act(tmp_path):
    plain = Page(to_page([Cue(0, 1000, "말")], tmp_path / "a.mp4", tmp_path))
    name = NASTY.replace("/", "")
    page = Page(to_page([Cue(0, 1000, NASTY)], tmp_path / f"{name}.mp4", tmp_path))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    assert [set(attributes) for _, attributes in page.tags] == [set(a) for _, a in plain.tags]
    assert cues_in(page)[0]["text"] == " ".join(NASTY.split())
    assert unquote(page.only("video")["src"]) == f"{name}.mp4"


@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1))
def test_any_name_is_one_relative_url(name):
    if name in (".", ".."):
        return
    page = Page(to_page([], Path("/films") / name, Path("/pages")))
    source = page.only("video")["src"]
    assert unquote(source) == f"../films/{name}"
    assert re.fullmatch(r"[\w./~%-]+", source, re.ASCII)


def test_only_films_become_pages(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    with pytest.raises(SettingError, match="no film that a page could play"):
        check_target(probe(tmp_path / "a.png"), tmp_path / "a.html", [], False, BurnOptions())
    film = colour_clip(tmp_path / "a.mp4")
    check_target(probe(film), tmp_path / "a.html", [], False, BurnOptions())


# a voice that is told late, as browsers do, that it was cancelled
VOICE = """
window.spoken = [];
window.SpeechSynthesisUtterance = function (text) { this.text = text; };
Object.defineProperty(window, "speechSynthesis", {value: {
  getVoices: () => [{lang: "ko-KR"}],
  speak(said) { this.now = said; spoken.push(said); },
  cancel() { const old = this.now; if (old) setTimeout(() => old.onerror(), 200); },
}});
"""


@pytest.fixture
def opened(tmp_path):
    """A page of a film of a codec, in a real browser."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium")
    assert program, "chromium is missing: make test-web installs it"

    def page_of(name, codec):
        film = tmp_path / name
        ffmpeg("-f", "lavfi", "-i", "testsrc2=s=160x90:r=10:d=8", "-c:v", codec, film)
        found = [Cue(0, 3000, "하나"), Cue(3000, 6000, "둘")]
        (tmp_path / "p.html").write_text(to_page(found, film, tmp_path), "utf-8")
        page = browser.new_page()
        page.add_init_script(VOICE)
        page.goto(f"file://{tmp_path / 'p.html'}")
        return page

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield page_of
        browser.close()


def until(page, fact, within_s=30):
    """Waits for a fact; the page's policy allows no code that Playwright would wait with."""
    deadline = time.monotonic() + within_s
    while not page.evaluate(fact):
        assert time.monotonic() < deadline, fact
        time.sleep(0.05)


@pytest.mark.web
def test_another_scene_can_be_chosen_while_one_is_read(opened):
    page = opened("a.webm", "libvpx")
    page.check("#speak")
    page.check("#wait")
    page.click("li:nth-child(1) button")
    until(page, "spoken.length === 1 && film.paused")
    page.click("li:nth-child(2) button")
    until(page, "spoken.length === 2 && film.paused")
    time.sleep(0.6)  # the first one's late end must not go on with the film
    assert page.evaluate("film.paused && waiting")
    page.evaluate("spoken[1].onend()")
    until(page, "!film.paused")


@pytest.mark.web
@pytest.mark.parametrize(
    ("name", "codec", "plays"),
    [("a.webm", "libvpx", True), ("a.avi", "mpeg4", False), ("a.mpg", "mpeg2video", False)],
)
def test_a_film_that_no_browser_plays_is_told(opened, name, codec, plays):
    page = opened(name, codec)
    until(page, "film.error !== null || film.readyState > 0")
    time.sleep(0.2)
    page.check("#speak")
    assert ("틀지 못합니다" in page.inner_text("#voice")) != plays
