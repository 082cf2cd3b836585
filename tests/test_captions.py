"""Captions: cleaned, judged, cut into sentences; samples come back from their file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocess.captions import clean, hangul_share, kept, sentences
from preprocess.records import Sample, read_samples, write_samples
from preprocess.tally import EXAMPLES, Tally


def test_every_drop_is_counted_with_its_reason():
    tally = Tally()
    told = ["", "개", "개.", 7, "a dog runs", "가" * 200, "#### 앞이다", None, "TV를 보는 3명"]
    assert kept(told, "1.jpg", tally) == ("개", "TV를 보는 3명")
    assert dict(tally.dropped) == {
        "empty caption": 1,
        "caption occurs twice": 1,
        "caption is not text": 2,
        "caption is not Korean": 1,
        "caption too long": 1,
        "caption with an anonymous mark": 1,
    }
    assert tally.examples["caption is not Korean"] == ["1.jpg: a dog runs"]
    assert tally.worst().startswith("2 caption is not text, 1 ")


def test_a_tally_keeps_few_examples_and_takes_in_others():
    one, other = Tally(), Tally()
    for number in range(5):
        one.drop("x", f"{number}")
        other.drop("x", f"o{number}", 10)
    one.add(other)
    assert one.dropped["x"] == 55 and one.examples["x"] == ["0", "1", "2"]
    assert len(other.examples["x"]) == EXAMPLES


@given(st.text(max_size=40))
def test_cleaning_twice_changes_nothing(text):
    assert clean(clean(text)) == clean(text)


def test_decomposed_hangul_is_composed():
    assert clean("\u1100\u1162\u1100\u1161  \u200b뛴다. ") == "개가 뛴다"
    assert clean("개가 \ud83d뛴다") == "개가 뛴다"  # half an emoji, which no file can hold


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("사람이 걷는다. 뒤에 2.5 m 담이 있다.", ("사람이 걷는다.", "뒤에 2.5 m 담이 있다.")),
        ("한 문장이다", ("한 문장이다",)),
        ("No. 3 버스가 온다! 멈춘다", ("No. 3 버스가 온다!", "멈춘다")),
        (None, (None,)),
    ],
)
def test_descriptions_are_cut_after_hangul_only(text, found):
    assert sentences(text) == found


@pytest.mark.parametrize(("text", "share"), [("개", 1), ("개 a", 0.5), ("3", 0), ("", 0), ("b", 0)])
def test_hangul_share_is_of_letters(text, share):
    assert hangul_share(text) == share


@given(st.lists(st.builds(
    Sample, st.text(), st.tuples(st.text()), st.tuples(st.text()), st.just("train"), st.text(),
    st.text(),
)))  # fmt: skip
def test_samples_come_back_from_their_file(tmp_path_factory, samples):
    path = tmp_path_factory.mktemp("samples") / "samples.jsonl"
    write_samples(path, samples)
    assert list(read_samples(path)) == samples


def test_samples_without_a_topic_are_read_too(tmp_path):
    path = tmp_path / "samples.jsonl"
    path.write_text(
        '{"key": "s/1", "pictures": ["x"], "captions": ["개"], "split": "val", "group": "g"}\n',
        encoding="utf-8",
    )
    assert list(read_samples(path)) == [Sample("s/1", ("x",), ("개",), "val", "g")]
