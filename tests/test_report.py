"""The data report: its figures by hand, its page alone, its twins by brute force."""

from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocess.korean import Morpheme
from preprocess.leaks import NEAR, twins
from preprocess.page import page
from preprocess.records import Sample
from preprocess.report import Prepared, tables
from preprocess.tally import Tally

ROWS = [  # set, split, group, topic, captions
    ("가", "train", "f1", "office", ("개가 뛴다", "개가 TV를 본다")),
    ("가", "train", "f1", "office", ("개가 뛴다",)),
    ("가", "val", "f2", "home", ("고양이가 자고 있다",)),
    ("나", "test", "p", "", ("꽃",)),
]


def prepared():
    samples = [
        Sample(
            f"{name}/{row}", ("x",) * (4 if row == 1 else 1), captions, split, f"{name}/{group}",
            topic,
        )
        for row, (name, split, group, topic, captions) in enumerate(ROWS)
    ]  # fmt: skip
    sentences = [
        tuple(tuple(Morpheme(w, "Noun", True) for w in c.split()) for c in s.captions)
        for s in samples
    ]
    tally = Tally()
    tally.drop("picture missing", "<b>없는 것</b>", 3)
    tally.drop("empty caption", "1.jpg:")
    hashes = np.zeros((4, 128), np.bool_)
    hashes[2, : NEAR + 1] = hashes[3, :40] = True
    found = twins(samples, hashes)
    return Prepared(samples, sentences, {"가": tally}, {"가": ["잃은 문장"], "나": []}, found)


def rows(name):
    return tables(prepared())[name].to_dict("records")


def test_contents_count_films_pictures_and_captions():
    assert rows("contents") == [
        {"set": "가", "split": "train", "groups": 1, "samples": 2, "pictures": 4, "captions": 3,
         "morphemes_a_caption": 2.3},
        {"set": "가", "split": "val", "groups": 1, "samples": 1, "pictures": 1, "captions": 1,
         "morphemes_a_caption": 3.0},
        {"set": "나", "split": "test", "groups": 1, "samples": 1, "pictures": 1, "captions": 1,
         "morphemes_a_caption": 1.0},
    ]  # fmt: skip


def test_lengths_and_hangul():
    first, second = rows("lengths")
    assert (first["captions"], first["distinct"], first["words_mean"]) == (4, 3, 2.5)
    assert (first["words_median"], first["words_max"]) == (2, 3)
    assert (first["hangul_mean"], first["all_hangul"]) == (0.929, 0.75)  # 5 of 7 letters once
    assert second["letters_mean"] == 1.0


def test_coverage_is_of_training_alone():
    first, second = rows("coverage")[:2]
    assert (first["vocabulary"], first["covered"]) == (4, 1.0)
    assert (second["vocabulary"], second["covered"]) == (2, round(5 / 7, 4))


def test_topics_are_balanced_within_their_set():
    assert rows("topics") == [
        {"set": "가", "topic": "office", "samples": 2, "captions": 3, "share": 0.667},
        {"set": "가", "topic": "home", "samples": 1, "captions": 1, "share": 0.333},
    ]


def test_losses_and_drops_have_examples():
    (lost,) = rows("losses")
    assert lost == {"set": "가", "captions": 1, "share": 0.2, "example": "잃은 문장"}
    assert [(row["reason"], row["count"]) for row in rows("drops")] == [
        ("picture missing", 3), ("empty caption", 1),
    ]  # fmt: skip


def test_pictures_of_one_film_are_no_twins():
    assert [row["near_duplicates"] for row in rows("near_duplicates")] == [0, 0]


@given(st.integers(0, 99), st.integers(2, 40))
def test_twins_by_brute_force(seed, count):
    random = np.random.default_rng(seed)
    hashes = np.repeat(random.random((-(-count // 3), 128)) < 0.5, 3, 0)[:count]
    hashes ^= random.random(hashes.shape) < 0.05
    splits, groups = random.choice(["train", "val"], count), random.integers(0, 6, count)
    samples = [
        Sample(f"s/{i}", ("x",), ("개",), str(splits[i]), f"{groups[i]}") for i in range(count)
    ]
    found = twins(samples, hashes)
    for i in range(count):
        near = [j for j in range(count) if (hashes[i] ^ hashes[j]).sum() <= NEAR]
        assert found.anywhere[i] == any(groups[i] != groups[j] for j in near)
        apart = [j for j in near if groups[i] != groups[j] and splits[i] != splits[j]]
        assert found.leaking[i] == bool(apart)
    assert bool(found.examples) == bool(found.leaking.any())


class Page(HTMLParser):
    """What a page asks for, runs, and says."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.asked, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        for name, value in attributes:
            local = name in ("href", "xlink:href") and str(value).startswith("#")
            if (name in ("src", "href", "xlink:href") and not local) or name.startswith("on"):
                self.asked.append((tag, name, value))
        if tag in ("html", "body", "table", "svg", "ul"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in ("html", "body", "table", "svg", "ul"):
            assert self.open.pop() == tag


def test_the_page_needs_nothing_and_runs_nothing():
    made = prepared()
    text = page(made, tables(made))
    seen = Page(text)
    assert not seen.asked and not seen.open
    assert not {"script", "link", "img", "iframe", "b>"} & set(seen.tags)
    assert seen.tags.count("svg") == 5
    assert "&lt;b&gt;없는 것&lt;/b&gt;" in text and "<b>없는 것" not in text
    assert page(prepared(), tables(prepared())) == text


def test_leaks_between_splits_stand_first_on_the_page():
    made = prepared()
    leaking = twins(made.samples, np.zeros((4, 128), np.bool_))
    assert leaking.leaking.all()
    other = Prepared(made.samples, made.sentences, made.tallies, made.losses, leaking)
    text = page(other, tables(other))
    assert "4장이 다른 split" in text.split("<h2>")[0]
    assert "가/0 ~ 가/2" in text


@pytest.mark.parametrize("name", ["$x_1$ & <y>", "가나다 " * 20])
def test_any_name_can_be_drawn(name):
    from preprocess.plots import bars, histogram

    for drawn in (bars({name: 3}, name, "n"), histogram({name: [1, 2], "b": []}, "t", name)):
        assert drawn.startswith("<svg") and drawn.rstrip().endswith("</svg>")
        assert "<y>" not in drawn
