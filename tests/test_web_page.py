"""The web page through an HTTP client; `make test-web` opens it in a browser."""

import re
from html.parser import HTMLParser

import pytest

from tests.test_server import Running, start  # noqa: F401 - a fixture
from video.scenes.tags import groups
from video.server.app import PAGE

ASSETS = sorted(path.name for path in PAGE.iterdir())
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg"}
FOREIGN = re.compile(r"(?:https?:)?//(?!www\.w3\.org/)[\w-]+\.[\w.]+")


class Tags(HTMLParser):
    """Every start tag with its fields."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def values(self, tag: str, field: str) -> list[str]:
        return [fields[field] for name, fields in self.found if name == tag and field in fields]


@pytest.fixture(scope="module")
def page() -> Tags:
    return Tags((PAGE / "index.html").read_text("utf-8"))


@pytest.fixture
def client(start):  # noqa: F811
    return start().client


def test_every_part_of_the_page_is_served_and_loads_nothing_from_elsewhere(client):
    for name in ASSETS:
        answer = client.get("/" if name == "index.html" else f"/page/{name}")
        suffix = name[name.rindex(".") :]
        assert answer.status_code == 200 and answer.headers["content-type"].startswith(
            TYPES[suffix]
        )
        assert not FOREIGN.findall(answer.text), name
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'self'") and "unsafe" not in policy
    assert client.get("/font.otf").content[:4] == b"OTTO"
    assert client.get("/page/../app.py").status_code == 404
    assert client.get("/page/%2e%2e/app.py").status_code == 404


def test_what_the_page_names_is_there(client, page):
    for tag, field in (("script", "src"), ("link", "href")):
        for url in page.values(tag, field):
            assert client.get(url).status_code == 200, url
    for name in ASSETS:
        if name.endswith(".js"):
            for other in re.findall(r'from "\./([\w.]+)"', (PAGE / name).read_text("utf-8")):
                assert other in ASSETS


def test_the_page_can_be_heard_and_walked_by_keyboard(page):
    assert ("html", {"lang": "ko"}) in page.found
    labelled = set(page.values("label", "for"))
    for tag, fields in page.found:
        if tag in ("input", "select") and fields.get("type") != "checkbox":
            assert fields["id"] in labelled
        if tag in ("video", "progress"):
            assert fields.get("aria-label")
        assert not [name for name in fields if name.startswith("on")], "no code in the page"
        assert "tabindex" not in fields or int(fields["tabindex"] or 0) <= 0
    assert len(page.values("p", "role")) == 5  # each part tells how far it is
    ids = [fields["id"] for _, fields in page.found if "id" in fields]
    assert len(ids) == len(set(ids))
    linked = [url[1:] for url in page.values("a", "href") if url.startswith("#")]
    assert set(linked) <= set(ids)


def test_scripts_ask_for_what_the_page_has(page):
    ids = {fields["id"] for _, fields in page.found if "id" in fields}
    for name in ASSETS:
        used = set(re.findall(r'\$\("([\w-]+)"\)', (PAGE / name).read_text("utf-8")))
        assert used <= ids, name


def test_forms_send_what_the_routes_take(client, page):
    schema = client.get("/openapi.json").json()
    forms = {
        "film": ("/jobs", {"video", "formats", "style", "max_shot"}),
        "photo": ("/get_hashtags", {"image", "impressions", "blocked", "most"}),
        "group": ("/get_groups", {"image", "count"}),
        "unlike": (
            "/get_video_captions",
            {"video", "every_n_second", "metric", "rolling_window_size"},
        ),
    }
    names = {
        part: {
            fields["name"]
            for tag, fields in page.found
            if tag in ("input", "select")
            and fields.get("name")
            and (fields.get("id") or "film-").startswith(part)
        }
        for part in forms
    }
    for part, (path, fields) in forms.items():
        assert names[part] == fields
        kind = schema["paths"][path]["post"]["requestBody"]["content"]["multipart/form-data"]
        known = schema["components"]["schemas"][kind["schema"]["$ref"].rsplit("/", 1)[1]]
        assert fields == set(known["properties"])


def test_every_impression_can_be_chosen(page):
    boxes = [f for tag, f in page.found if tag == "input" and f.get("name") == "impressions"]
    assert sorted(box["value"] for box in boxes) == sorted(groups())


def test_scripts_call_addresses_that_the_schema_has(client):
    known = client.get("/openapi.json").json()["paths"]
    text = "".join((PAGE / n).read_text("utf-8") for n in ASSETS if n.endswith(".js"))
    asked = set(re.findall(r"""["`](/[a-z_]+(?:/\$\{[\w.]+\}(?:/[a-z]+)?)?)""", text)) - {"/page"}
    shapes = {re.sub(r"\{\w+\}", "{}", path) for path in known}
    used = {re.sub(r"\$\{[\w.]+\}", "{}", path) for path in asked}
    assert {"/get_regions", "/get_attention", "/get_groups", "/groups", "/jobs/{}/hashtags"} <= used
    assert {path for path in used if path not in shapes} <= {"/jobs/{}/files"}


def test_search_finds_a_shot_of_a_job(start, film):  # noqa: F811
    from model.words import Words
    from video.server.options import MODEL

    run: Running = start()
    run.photos.held.words = Words.load(MODEL)
    job = run.ended(run.send(film, formats=["txt"]).json()["id"])
    hits = run.client.get("/search", params={"q": "빨간 화면"}).json()["hits"]
    assert (hits[0]["caption"], hits[0]["job"]) == ("빨간 화면이다", job["id"])
    assert (hits[0]["start_ms"], hits[0]["end_ms"], hits[0]["name"]) == (0, 2000, "film.mp4")
    assert run.client.get("/search", params={"q": "  "}).status_code == 422
    assert run.client.get("/search").status_code == 422


def test_about_tells_terms_and_limits(client):
    told = client.get("/about").json()
    assert told["captioner"]["terms"] == "색깔을 말하는 대역" and "sha256" not in told["captioner"]
    assert told["limits"]["max_film_mb"] == 512
