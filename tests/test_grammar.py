"""Well-formed Korean: what is found, what is mended, and the command that counts it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import proofread
from model.gist import NOUNS
from model.grammar import faults, mend
from model.truth import written
from preprocess.korean import Morpheme, compose, repair
from preprocess.tagger import Tagger
from tests.test_gist import cut

GOOD = [
    "사람 두 명|이 서 있다",
    "두 명|의 소년|이 공|을 차고 있다",
    "개 세 마리|가 달리고 있다",
    "배 한 척|이 떠 있다",
    "의자 두 개|가 놓여 있다",
    "꽃 한 송이|가 피어 있다",
    "여자|가 차 두 잔|을 들고 있다",
    "등반|가 두 명|이 절벽|을 오르고 있다",
    "여자|가 무대|에서 노래하고 있다",
]


@pytest.mark.parametrize("sentence", GOOD)
def test_good_sentences_stay_as_they_are(sentence):
    assert faults(cut(sentence)) == ()
    assert mend(cut(sentence)) == cut(sentence)


@pytest.mark.parametrize(
    ("sentence", "rule", "mended"),
    [
        ("개 두 명|이 달리고 있다", "counter", "개 두 마리가 달리고 있다"),
        ("두 마리|의 소년|이 서 있다", "counter", "두 명의 소년이 서 있다"),
        ("자동차 두 명|이 서 있다", "counter", "자동차 두 대가 서 있다"),
        ("의자 한 마리|가 놓여 있다", "counter", "의자 한 개가 놓여 있다"),
        ("사람|가 서 있다", "particle", "사람이 서 있다"),
        ("여자|가|가 서 있다", "repeat", "여자가가 서 있다"),
        ("잔디밭|에서 있다", "place", "잔디밭에서 있다"),
        ("여자|가 서 있는", "ending", "여자가 서 있는"),
        ("사람|들|이 큰 서 있다", "modifier", None),
        ("둥근 둥근 공|이 놓여 있다", "repeat", "둥근 둥근 공이 놓여 있다"),
        ("흰 옷|을 입은 개|와 흰 옷|을 입은 개|가 있다", "repeat", None),
    ],
)
def test_what_is_wrong_is_named_and_mended_where_it_can_be(sentence, rule, mended):
    assert faults(cut(sentence)) == (rule,)
    assert compose(mend(cut(sentence))) == (mended or compose(cut(sentence)))


def test_nothing_is_no_sentence():
    assert faults(()) == ("ending",)
    assert mend(()) == ()


NOUN_FORMS = [*list(NOUNS["subject"])[:200], *NOUNS["number"], *NOUNS["counter"], "있다"]
JOSA = st.builds(
    Morpheme, st.sampled_from(["이", "가", "의", "에서"]), st.just("Josa"), st.just(False)
)
WORD = st.builds(Morpheme, st.sampled_from(NOUN_FORMS), st.just("Noun"), st.booleans())


@given(st.lists(WORD | JOSA, max_size=12))
def test_mending_leaves_no_counter_and_no_particle_to_mend(sentence):
    mended = mend(sentence)
    assert len(mended) == len(sentence)
    assert mend(mended) == mended == repair(mended)
    assert "counter" not in faults(mended)


@given(st.lists(WORD | JOSA, max_size=12))
def test_a_counted_noun_stays_and_only_counters_and_particles_change(sentence):
    for before, after in zip(sentence, mend(sentence), strict=True):
        changed = before != after
        assert not changed or before.tag == "Josa" or before.form in NOUNS["counter"]


def _split(sentence):
    return [(word, "Verb" if word.endswith("다") else "Noun") for word in sentence.split()]


def test_the_command_counts_faulty_sentences(tmp_path, monkeypatch, capsys):
    scores = tmp_path / "scores.json"
    systems = [{"name": "ours", "sentences": {"a": "개 두 명 있다", "b": "개 있다"}}]
    told = {"systems": systems, "references": {"a": ["새 있다", "없는"], "b": []}}
    scores.write_text(json.dumps(told), encoding="utf-8")
    monkeypatch.setattr(proofread, "load_tagger", lambda name: Tagger(name, "1", _split))
    assert proofread.main([str(scores)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ours: 1 of 2 sentences break a rule, 4 distinct morphemes",
        "  counter 1: 개 두 명 있다",
        "  everything named was written by somebody: 0.0%",
        "people: 1 of 2 sentences break a rule, 3 distinct morphemes",
        "  ending 1: 없는",
        "  everything named was written by somebody: 0.0%",  # the first, against the others
    ]


@pytest.mark.parametrize(
    ("said", "true"),
    [
        ("여자|가 빨간 옷|을 입은 채 길|에 서 있다", True),
        ("사람|이 보인다", True),  # a wider word
        ("여자|가 있다", True),
        ("남자|가 보인다", False),
        ("개|가 보인다", False),
        ("여자|가 파란 옷|을 입은 채 서 있다", False),
        ("여자 두 명|이 서 있다", False),
        ("여자|가 풀밭|에 서 있다", False),
        ("여자|가 앉아 있다", False),
        ("무언가|가 보인다", True),  # which names nothing
    ],
)
def test_a_true_sentence_names_only_what_somebody_wrote(said, true):
    references = [cut("여자|가 길|에 서 있다"), cut("빨간 옷|을 입은 소녀|가 뛰고 있다")]
    assert written(cut(said), references) == true


@pytest.mark.parametrize("text", ["", "[]", '{"systems": [{}]}', '{"systems": []}'])
def test_another_file_is_refused_in_one_line(tmp_path, text, capsys):
    scores = tmp_path / "scores.json"
    scores.write_text(text, encoding="utf-8")
    assert proofread.main([str(scores), "--lang", "en"]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"proofread: '{scores}' cannot be read (")
    assert error.count("\n") == 1


def test_what_the_tagger_cannot_spell_is_told():
    proof = proofread.proofread(["없다"], Tagger("x", "1", lambda text: [("있다", "Verb")]))
    assert proof.examples == {"round trip": ("없다",)}
