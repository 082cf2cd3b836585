"""The page with spoken descriptions: valid, self-contained, and nothing in a caption can act."""

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from preprocess.errors import SettingError
from preprocess.frames import probe
from tests.clips import colour_clip
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
