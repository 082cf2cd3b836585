"""Search: the ranking, the index, and the command line."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.words import Words
from preprocess.errors import DataError, OutputError, SettingError
from video.scenes.__main__ import MODULES, main, parser
from video.scenes.library import Library
from video.scenes.matching import Sentences
from video.scenes.search import search
from video.scenes.store import read, update
from video.track import CaptionedShot, OtherCaption, Track, to_json

ROOT = Path(__file__).resolve().parents[1]
SAID = (
    "개가 눈 위를 달리고 있다",
    "빨간 자동차가 도로에 서 있다",
    "여자가 부엌에서 음식을 만들고 있다",
    "고양이가 책상 위에 앉아 있다",
)


@cache
def words() -> Words:
    return Words.load(ROOT / "model" / "default.kcap")


def track(*captions: str, video: str = "film.mp4", others: tuple[str, ...] = ()) -> Track:
    alternatives = tuple(OtherCaption(text, -1.0, 0.5) for text in others)
    shots = [
        CaptionedShot(1000 * i, 1000 * i + 1000, text, -0.5, alternatives=alternatives)
        for i, text in enumerate(captions)
    ]
    return Track(video, 1000 * len(shots), "test", tuple(shots))


@pytest.fixture
def folder(tmp_path) -> Path:
    for number, text in enumerate(SAID):
        path = tmp_path / f"{number}.json"
        path.write_text(to_json(track(text, video=f"{number}.mp4")), "utf-8")
    return tmp_path


def ask(index: Path, query: str, top: int = 3) -> list[str]:
    return [hit.caption for hit in Library.load(index, words()).search(query, top)]


@pytest.mark.parametrize(
    ("query", "place"),
    [("빨간 차가 지나가는 장면", 1), ("강아지", 0), ("요리하는 사람", 2), ("새끼 고양이", 3)],
)
def test_shots_are_found_by_meaning(query, place):
    library = Library.of([("", track(*SAID))], words())
    hit = library.search(query)[0]
    assert search(query, [track(*SAID)], words())[0] == hit
    assert (hit.caption, hit.start_ms, hit.video) == (SAID[place], 1000 * place, "film.mp4")


def test_the_sentence_itself_scores_one_and_nothing_scores_more():
    said = Sentences([words().content(text) for text in SAID], words())
    for number, text in enumerate(SAID):
        scores = said.scores(text)
        assert scores[number] == pytest.approx(1, abs=1e-5)
        assert int(scores.argmax()) == number and scores.max() <= 1 + 1e-5


def plain(sentences: list[list[str]], query: list[str]) -> list[float]:
    """The score as its definition says it, pair by pair."""
    count, known = len(sentences), {f for s in sentences for f in s}
    idf = {f: np.log1p(count / sum(f in s for s in sentences)) for f in known}
    asked = list(dict.fromkeys(query))

    def near(one: str, other: str) -> float:
        if one == other:
            return 1.0
        return float(np.clip(words().word(one) @ words().word(other), 0, 1))

    found = []
    for sentence in sentences:
        if not sentence or not asked:
            found.append(0.0)
            continue
        weights = [idf.get(f, np.log1p(2 * count)) for f in asked]
        recall = np.average([max(near(a, s) for s in sentence) for a in asked], weights=weights)
        own = [idf[f] for f in sentence]
        precision = np.average([max(near(a, s) for a in asked) for s in sentence], weights=own)
        whole = float(words().mean(asked) @ words().mean(sentence))
        found.append((whole + (recall + precision) / 2) / 2)
    return found


FORMS = st.sampled_from(["개", "고양이", "앉아", "빨간", "자동차", "도로", "스마트폰", "눈"])


@given(st.lists(st.lists(FORMS, max_size=5), min_size=1, max_size=6), st.lists(FORMS, max_size=4))
def test_the_fast_score_is_the_plain_one(sentences, query):
    fast = Sentences(sentences, words()).scores(" ".join(query))
    expected = plain(sentences, query)
    np.testing.assert_allclose(fast, expected, atol=2e-5)


def test_an_unknown_word_is_found_where_it_is_written():
    library = Library.of([("", track(*SAID, "책상에 스마트폰이 놓여 있다"))], words())
    assert library.search("스마트폰")[0].start_ms == 4000
    assert library.search("qwerty") == []


def test_alternatives_find_a_shot_too():
    tracks = [("a", track("물체가 보인다", others=("기타가 벽에 걸려 있다",)))]
    hit = Library.of([*tracks, ("b", track(*SAID))], words()).search("기타")[0]
    assert (hit.track, hit.caption) == ("a", "물체가 보인다")


def test_a_query_without_words_and_no_count_are_refused():
    library = Library.of([("", track(*SAID))], words())
    for query, top in ((" ", 5), ("개", 0)):
        with pytest.raises(SettingError):
            library.search(query, top)
    assert Library.of([], words()).search("개") == []


def test_an_index_is_kept_up_to_date(folder):
    index = folder / "l.sqlite"
    files = sorted(folder.glob("*.json"))
    assert update(index, files, [folder], words()).added == 4
    assert update(index, files, [folder], words()).kept == 4
    assert ask(index, "빨간 차")[0] == SAID[1]
    files[1].write_text(to_json(track("바다에 배가 떠 있다")), "utf-8")
    files[0].unlink()
    changes = update(index, files[1:], [folder], words())
    assert (changes.updated, changes.removed, changes.kept) == (1, 1, 2)
    assert ask(index, "바다")[0] == "바다에 배가 떠 있다"
    assert SAID[0] not in ask(index, "개가 달린다", 10)


def test_films_elsewhere_stay_in_the_index(folder, tmp_path_factory):
    index, other = folder / "l.sqlite", tmp_path_factory.mktemp("other")
    update(index, sorted(folder.glob("*.json")), [folder], words())
    for path in folder.glob("*.json"):
        path.unlink()
    assert update(index, [], [other], words()).removed == 0
    assert len(Library.load(index, words())) == 4


def test_a_film_is_in_an_index_once_however_its_folder_is_written(folder, capsys):
    (folder / "empty").mkdir()
    index, detour = folder / "l.sqlite", folder / "empty" / ".."
    assert main(["index", str(index), str(folder)]) == 0
    assert main(["index", str(index), str(detour)]) == 0
    assert "더함 0, 고침 0, 뺌 0, 그대로 4" in capsys.readouterr().out
    assert main(["index", str(index), str(detour / "none.json"), "--lang", "en"]) == 1
    assert "none.json" in capsys.readouterr().err
    (folder / "0.json").unlink()
    assert main(["index", str(index), str(detour)]) == 0
    assert "뺌 1, 그대로 3" in capsys.readouterr().out


def test_the_way_back_from_behind_a_link_is_the_files_own(folder, tmp_path_factory):
    link = tmp_path_factory.mktemp("elsewhere") / "link"
    (folder / "deep").mkdir()
    link.symlink_to(folder / "deep", target_is_directory=True)
    changes = update(folder / "l.sqlite", sorted((link / "..").glob("*.json")), [], words())
    assert (changes.added, changes.refused) == (4, ())


def test_another_vocabulary_cuts_the_index_anew(folder):
    index, files = folder / "l.sqlite", sorted(folder.glob("*.json"))
    update(index, files, [folder], words())
    with sqlite3.connect(index) as base:
        base.execute("UPDATE about SET vocabulary = 'another'")
        base.execute("UPDATE shot SET words = 'x'")
    base.close()
    with pytest.raises(DataError, match="another captioner"):
        Library.load(index, words())
    assert update(index, files, [folder], words()).kept == 4
    assert ask(index, "빨간 차")[0] == SAID[1]


@pytest.mark.parametrize("content", [b"not a database" * 100, b"SQLite format 3\0" + b"x" * 4000])
def test_a_file_that_is_no_index_is_left_alone(tmp_path, content):
    path = tmp_path / "mine.sqlite"
    path.write_bytes(content)
    for attempt in (lambda: update(path, [], [], words()), lambda: Library.load(path, words())):
        with pytest.raises(DataError, match="no index"):
            attempt()
    assert path.read_bytes() == content


def test_another_program_s_database_is_left_alone(tmp_path):
    path = tmp_path / "bookmarks.sqlite"
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE film (id)")
    base.close()
    before = path.read_bytes()
    with pytest.raises(DataError, match="no index"):
        update(path, [], [], words())
    assert path.read_bytes() == before


def test_no_folder_and_no_index_are_told(tmp_path):
    with pytest.raises(OutputError):
        update(tmp_path / "none" / "l.sqlite", [], [], words())
    with pytest.raises(DataError, match="no index"):
        Library.load(tmp_path / "l.sqlite", words())
    assert list(tmp_path.iterdir()) == []


INDEXER = """
import sys
from pathlib import Path
from model.words import Words
from video.scenes.store import update
words = Words.load(sys.argv[1])
files = sorted(Path(sys.argv[2]).glob("*.json"))
print("ready", flush=True)
update(Path(sys.argv[3]), files, files, words)
"""


def test_a_kill_in_the_middle_loses_no_whole_film_and_leaves_no_half(tmp_path):
    for number in range(400):
        said = [f"{number % 7}번 {text}" for text in SAID] * 5
        (tmp_path / f"{number:03}.json").write_text(to_json(track(*said)), "utf-8")
    index = tmp_path / "l.sqlite"
    command = [sys.executable, "-c", INDEXER, ROOT / "model" / "default.kcap", tmp_path, index]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        deadline = time.monotonic() + 20
        while not index.exists() and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(0.2)
        os.kill(process.pid, signal.SIGKILL)
    files = sorted(tmp_path.glob("*.json"))
    changes = update(index, files, [tmp_path], words())
    assert changes.added + changes.kept == 400
    assert len(Library.load(index, words())) == 400 * 20


def test_the_commands_make_an_index_and_search_it(folder, capsys):
    index = folder / "l.sqlite"
    (folder / "other.json").write_text('{"a": 1}', "utf-8")
    assert main(["index", str(index), str(folder)]) == 0
    assert "더함 4" in capsys.readouterr().out
    assert main(["search", "빨간 차", "--index", str(index), "--top", "1"]) == 0
    out = capsys.readouterr().out
    assert SAID[1] in out and "1.mp4" in out and out.count("\n") == 1
    assert main(["search", "빨간 차", str(folder / "1.json"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found[0]["caption"] == SAID[1] and found[0]["end_ms"] == 1000


def test_to_find_nothing_is_told(tmp_path, capsys):
    empty = tmp_path / "e.json"
    empty.write_text(to_json(Track("e.mp4", 1000, "", ())), "utf-8")
    assert main(["search", "개", str(empty), "--lang", "en"]) == 0
    assert capsys.readouterr().out == "No shot was found. Try other Korean words.\n"
    assert main(["search", "개", str(empty), "--json"]) == 0
    assert capsys.readouterr().out == "[]\n"


def test_a_folder_may_hold_other_json_too(folder, capsys):
    (folder / "other.json").write_text("{}", "utf-8")
    assert main(["search", "개", str(folder), "--lang", "en"]) == 0
    assert "json" not in capsys.readouterr().err
    assert main(["search", "개", str(folder / "other.json"), "--lang", "en"]) == 1
    assert "other.json" in capsys.readouterr().err


def test_a_folder_without_rights_is_told_and_its_films_stay(folder, capsys, monkeypatch):
    index = folder / "l.sqlite"
    assert main(["index", str(index), str(folder)]) == 0
    exists = Path.exists

    def refused(self, **more):
        if self.suffix == ".json":
            raise PermissionError(13, "Permission denied")
        return exists(self, **more)

    (folder / "1.json").unlink()
    monkeypatch.setattr(Path, "exists", refused)
    main(["index", str(index), str(folder)])
    assert "뺌 0" in capsys.readouterr().out


def test_files_may_stand_on_both_sides_of_an_option(folder, capsys):
    one, other = str(folder / "1.json"), str(folder / "3.json")
    assert main(["search", "고양이", "--top", "1", one, "--json", other]) == 0
    assert json.loads(capsys.readouterr().out)[0]["caption"] == SAID[3]
    assert main(["group", one, "--groups", "2", other]) == 0
    assert capsys.readouterr().out.count("\n") == 2


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (["search", "개", "--top", "1", "a.json", "--last", "3"], "arguments: --last"),
        (["unlike", "a.mp4", "--every", "1s", "b.mp4"], "arguments: b.mp4"),
    ],
)
def test_what_no_command_takes_is_named(line, told, capsys):
    with pytest.raises(SystemExit):
        main(line)
    assert f"unrecognized {told}" in capsys.readouterr().err


def test_wrong_use_is_one_line(folder, capsys):
    assert main(["search", "개", "--lang", "en"]) == 1
    assert capsys.readouterr().err.startswith("scenes: give tracks")
    assert main(["index", str(folder / "l.sqlite"), str(folder / "none.json")]) == 1
    err = capsys.readouterr().err
    assert "none.json" in err and err.count("\n") == 1


def test_every_command_has_its_parts():
    for module in MODULES:
        assert module.ABOUT and callable(module.add) and callable(module.run)
        name = module.__name__.rpartition(".")[2]
        with pytest.raises(SystemExit) as leaving:
            parser().parse_args([name, "--help"])
        assert leaving.value.code == 0


def test_the_help_loads_no_network():
    code = (
        "import sys\nfrom video.scenes.__main__ import parser\nparser()\n"
        "heavy = {'tensorflow', 'onnxruntime', 'keras', 'matplotlib', 'sqlite3'}\n"
        "sys.exit(len(heavy & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_a_folder_that_is_not_there_takes_nothing_out(folder, tmp_path_factory, capsys):
    index = tmp_path_factory.mktemp("index") / "lib.sqlite"
    assert main(["index", str(index), str(folder)]) == 0
    before = len(Library.load(index, words()))
    folder.rename(folder.with_name("unmounted"))
    assert main(["index", str(index), str(folder), "--lang", "en"]) == 1
    assert "Check the path" in capsys.readouterr().err
    assert len(Library.load(index, words())) == before > 0


def test_nothing_readable_makes_no_index(tmp_path):
    assert main(["index", str(tmp_path / "new.sqlite"), str(tmp_path / "none.json")]) == 1
    assert not (tmp_path / "new.sqlite").exists()


@pytest.mark.parametrize("place", [SAID[0].encode(), b"KEY,", b"shot_of_film"])
def test_an_index_with_one_bad_byte_is_told_to_be_damaged(folder, tmp_path_factory, place):
    index = tmp_path_factory.mktemp("out") / "library.sqlite"
    update(index, sorted(folder.glob("*.json")), [folder], words())
    whole = index.read_bytes()
    at = whole.index(place)
    index.write_bytes(whole[:at] + b"\xf4" + whole[at + 1 :])
    with pytest.raises(DataError, match="damaged"):
        read(index, words())
