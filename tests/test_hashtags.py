"""Keywords, related nouns and hashtags."""

import json
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bench.tags import by_frequency, by_position, f1, fit
from model.keywords import SURE, WEIGHTS, features, keywords, shares
from model.related import FitOptions, Related, _gradient, english, learn, nouns, unglued
from model.related import main as relate
from model.things import Thing
from model.words import Words
from preprocess.dataset import Dataset
from preprocess.errors import DataError, SettingError
from preprocess.korean import Morpheme
from preprocess.records import Sample
from tests.test_shipped import SHIPPED
from video.scenes import tags as tool
from video.scenes.__main__ import main
from video.scenes.hashtags import read_blocked
from video.scenes.tags import TagOptions, distinct, groups, of_photos, of_track
from video.track import CaptionedShot, OtherCaption, Track, to_json

R0 = "like fashion food travel pet tech wedding fitness holiday photography music art nature reels"
KOREAN = "일상 소통 맛집 여행 육아 반려동물"
PICTURES = [["개", "풀밭"], ["개", "풀밭", "나무"], ["눈", "스키"], ["눈", "스키", "산"]] * 20


def said(*words):
    """A sentence of nouns and particles."""
    parts = [(Morpheme(w, "Noun", True), Morpheme("가", "Josa", False)) for w in words]
    return tuple(m for pair in parts for m in pair)


@pytest.fixture(scope="module")
def related():
    return learn(PICTURES, FitOptions(width=8, epochs=400))


def test_the_table_of_nouns_is_whole():
    table = english()
    assert len(table) >= 300
    for korean, word in table.items():
        assert unicodedata.normalize("NFC", korean) == korean
        assert all("가" <= c <= "힣" for c in korean)
        assert word.isascii() and word == word.strip().lower() and word.replace(" ", "").isalpha()


def test_every_impression_has_korean_and_english_tags():
    assert set(groups()) >= {*R0.split(), *KOREAN.split()}
    for tags in groups().values():
        assert len(set(tags)) == len(tags) >= 6
        assert any(tag.isascii() for tag in tags) and not all(tag.isascii() for tag in tags)
        assert all(tag.isalnum() for tag in tags)


def test_nouns_say_what_is_seen():
    sentence = [
        Morpheme(*m) for m in (("개", "Noun", False), ("위", "Noun", True), ("눈", "Verb", True))
    ]
    assert nouns(sentence) == ["개"]


def test_nouns_are_parted_from_their_particles():
    def cut(*parts):  # " 차가" stood after a space
        return [Morpheme(form.strip(), tag, form[0] == " ") for form, tag in parts]

    assert nouns(cut(("물이", "Noun"), (" 보인다", "Verb"))) == ["물"]
    assert nouns(cut(("차가", "Adjective"), (" 보인다", "Verb"))) == ["차"]
    assert nouns(cut(("차가", "Adjective"), ("운", "Noun"), (" 길", "Noun"))) == ["길"]
    assert nouns(cut(("아이", "Noun"), ("가", "Josa"))) == ["아이"]
    parts = unglued(cut((" 소가", "Noun"), (" 있다", "Verb")))
    assert [(m.form, m.tag, m.spaced) for m in parts[:2]] == [
        ("소", "Noun", True),
        ("가", "Josa", False),
    ]


def test_related_nouns_are_those_of_the_same_pictures(related):
    assert related.near({"개": 1.0}, 1) == ["풀밭"]
    assert related.near({"스키": 1.0}, 1) == ["눈"]
    assert related.near({"스키": 1.0, "눈": 0.5}, 1) == ["산"]
    assert related.near({"우주선": 1.0}, 3) == []
    assert related.fit_of("풀밭", {"개": 1.0}) > 0 > related.fit_of("눈", {"개": 1.0})
    assert related.fit_of("개", {"개": 1.0}) == 0.0


def test_learning_twice_gives_the_same_and_files_keep_it(related, tmp_path):
    again = learn(PICTURES, FitOptions(width=8, epochs=400))
    assert (again.given == related.given).all() and (again.asked == related.asked).all()
    related.save(tmp_path / "related.npz")
    read = Related.load(tmp_path / "related.npz")
    assert read.nouns == related.nouns
    np.testing.assert_allclose(read.asked, related.asked, atol=5e-3)


@pytest.fixture
def data(monkeypatch, tmp_path):
    """A data folder of so many pictures, as `python -m model.related` reads it."""

    def of(count):
        samples = tuple(Sample(str(i), (), (), "train", "s") for i in range(count))
        sentences = ((said("개", "풀밭"),),) * count
        found = Dataset(samples, sentences, np.zeros((count, 0)), {})
        monkeypatch.setattr("preprocess.dataset.load", lambda folder, features: found)
        return str(tmp_path / "data")

    return of


def test_what_was_learned_before_is_replaced_only_when_asked(data, tmp_path, capsys, monkeypatch):
    out = tmp_path / "r.npz"
    monkeypatch.setattr("model.related.FILE", out)
    out.write_bytes(b"before")
    assert relate([data(20), "--lang", "en"]) == 1
    assert "r.npz' exists already" in capsys.readouterr().err
    assert out.read_bytes() == b"before"
    assert relate([data(20), "--overwrite"]) == 0
    assert set(Related.load(out).nouns) == {"개", "풀밭"}


def test_too_little_to_learn_from_leaves_no_file(data, tmp_path, capsys):
    assert relate([data(3), "-o", str(tmp_path / "r.npz"), "--lang", "en"]) == 1
    assert "no noun is written of 10 of the 3 training pictures" in capsys.readouterr().err
    assert not (tmp_path / "r.npz").exists()


def test_the_gradient_is_that_of_the_loss():
    rng = np.random.default_rng(0)
    values = [rng.normal(size=shape) for shape in ((5, 3), (5, 3), (5,))]
    known, hidden = (rng.dirichlet(np.ones(5), 4) for _ in range(2))

    def loss():
        scores = known @ values[0] @ values[1].T + values[2]
        return -(hidden * (scores - np.log(np.exp(scores).sum(1, keepdims=True)))).sum() / 4

    for array, slope in zip(values, _gradient(values, known, hidden), strict=True):
        for place in np.ndindex(array.shape):
            array[place] += 1e-5
            above = loss()
            array[place] -= 2e-5
            below = loss()
            array[place] += 1e-5
            assert slope[place] == pytest.approx((above - below) / 2e-5, abs=1e-6)


def test_the_shipped_vectors_are_small_and_know_their_neighbours():
    shipped = Related.load()
    assert shipped.given.shape == shipped.asked.shape == (len(shipped.nouns), 64)
    assert set(shipped.nouns) <= set(english())
    assert {"눈", "산"} & set(shipped.near({"스키": 1.0}, 3))
    assert "바다" in shipped.near({"파도": 1.0}, 5)


def test_shares_are_of_readings_not_of_words():
    found = shares([(said("개", "개", "풀밭"), 1.0), (said("개"), 1.0), (said("눈"), 2.0)])
    assert found == {"개": 0.5, "풀밭": 0.25, "눈": 0.5}
    assert shares([]) == {}


def test_keywords_are_what_most_readings_name_wherever(related):
    readings = [(said("나무", "개"), 1.0)] + [(said("개", "풀밭"), 1.0)] * 3
    found = [k.noun for k in keywords(readings, related)]
    assert found[:2] == ["개", "풀밭"]
    assert [k.noun for k in keywords(readings, related, most=1)] == ["개"]
    turned = [(tuple(reversed(sentence)), weight) for sentence, weight in reversed(readings)]
    assert keywords(turned, related) == keywords(readings, related)


def test_what_the_classifier_sees_counts(related):
    readings = [(said("동물"), 1.0)] * 9 + [(said("새"), 1.0)]
    alone = [k.noun for k in keywords(readings, related)]
    seen = [k.noun for k in keywords(readings, related, Thing("새", "새", 0.95))]
    assert alone == ["동물"]
    assert seen == ["동물", "새"]
    assert "타조" in features(readings, related, Thing("타조", "새", 0.9))
    assert "타조" not in features(readings, related, Thing("타조", "새", 0.2))


@given(counts=st.lists(st.integers(0, 9), min_size=3, max_size=3))
def test_one_keyword_at_least_and_the_others_are_sure(related, counts):
    readings = [
        (said(n), 1.0) for n, c in zip(("개", "눈", "산"), counts, strict=True) for _ in range(c)
    ]
    found = keywords(readings, related)
    assert bool(found) == any(counts)
    assert all(k.score >= SURE for k in found[1:])
    assert [k.score for k in found] == sorted((k.score for k in found), reverse=True)


def test_tags_are_distinct_and_blocked_words_are_out():
    words = ["개", "dog", "DOG", "swimming pool", "", "개", unicodedata.normalize("NFD", "산")]
    assert distinct(words, ()) == ["#개", "#dog", "#swimmingpool", "#산"]
    assert distinct(["무지개", "개", "pool", "swimming pool"], ["개", "POOL"]) == ["#무지개"]
    assert distinct(["개"], ["#개"]) == []
    assert distinct(["개"], ["#", " "]) == ["#개"]


def film(*captions):
    shots = tuple(
        CaptionedShot(1000 * i, 1000 * i + 1000, c, -1.0, 0.9) for i, c in enumerate(captions)
    )
    return Track("film.mp4", 1000 * len(captions), "x", shots)


@pytest.fixture(scope="module")
def words():
    return Words.load(SHIPPED)


def test_a_track_has_tags_without_a_captioner(words):
    track = film("개가 눈 위를 달리고 있다", "개가 풀밭에 앉아 있다", "고양이가 소파에 누워 있다")
    found = of_track(track, words)
    assert found.keywords[0] == "개"
    assert {"고양이", "소파"} <= set(found.keywords)
    assert found.captions == (tuple(shot.caption for shot in track.shots),)
    assert found.tags[0] == "#개" and "#dog" in found.tags
    assert len(found.tags) == len(set(found.tags)) <= 30
    assert not set(found.related) & set(found.keywords)
    assert found.line.split() == list(found.tags)


def test_blocked_words_are_no_keywords_and_not_related_either(words):
    track = film("개가 풀밭에 앉아 있다", "개가 풀밭을 달리고 있다")
    free = of_track(track, words)
    options = TagOptions(blocked=("풀밭", free.related[0]))
    found = of_track(track, words, options)
    assert "풀밭" in free.keywords and found.keywords == ("개",)
    assert free.related[0] not in found.related


def test_a_film_of_few_shots_has_three_sentences_too(words):
    others = (OtherCaption("개가 보인다", -1, 0.5), OtherCaption("개가 달린다", -1, 0.4))
    shot = CaptionedShot(0, 1000, "개가 보인다", -1, 0.9, others)
    track = Track("film.mp4", 2000, "x", (shot, CaptionedShot(1000, 2000, "산이 보인다", -1, 0.3)))
    assert of_track(track, words).captions == (("개가 보인다", "산이 보인다", "개가 달린다"),)


def test_a_noun_with_two_meanings_is_translated_only_where_it_was_said():
    class Court:
        nouns = ("코트", "라켓")

        def near(self, kept, most):
            return ["코트", "라켓"]

    found = tool._made((), {"공": 1.0}, Court(), TagOptions())
    assert found.tags == ("#공", "#ball", "#코트", "#라켓", "#racket")
    assert "#coat" in tool._made((), {"코트": 1.0}, Court(), TagOptions()).tags


def test_options_hold(words):
    track = film("개가 눈 위를 달리고 있다")
    few = of_track(track, words, TagOptions(most=7, impressions=("일상",), blocked=("dog",)))
    assert len(few.tags) == 7
    assert "#dog" not in few.tags
    assert "#일상" in few.tags
    with pytest.raises(SettingError, match="no impression"):
        TagOptions(impressions=("슬픔",))
    assert of_track(film(), words).tags == ()


def test_photos_have_three_sentences_each_and_keywords():
    from model.captioner import Captioner
    from model.gist import PLAIN

    rng = np.random.default_rng(0)
    photos = [rng.integers(0, 256, (60, 80, 3), dtype=np.uint8) for _ in range(2)]
    captioner = Captioner.load(SHIPPED, hedge=PLAIN)  # who doubts nothing is made to
    found = of_photos(photos, captioner)
    assert [len(told) for told in found.captions] == [3, 3]
    assert all(len(set(told)) == 3 for told in found.captions)
    assert found.keywords and found.tags
    for wrong in ([], photos * 6):
        with pytest.raises(SettingError, match="1 to 10"):
            of_photos(wrong, captioner)


def test_the_command_reads_a_track(tmp_path, capsys):
    path = tmp_path / "film.json"
    path.write_text(to_json(film("개가 눈 위를 달리고 있다")), "utf-8")
    block = tmp_path / "block.txt"
    block.write_text("\ufeff#dog\n\n눈\n", "utf-8")
    assert main(["hashtags", str(path), "--impressions", "여행, 일상", "--block", str(block)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "개가 눈 위를 달리고 있다"
    tags = told[-1].split()
    assert {"#개", "#여행", "#일상"} <= set(tags) and not {"#눈", "#dog"} & set(tags)
    assert told[-3].startswith("핵심: 개") and told[-2].startswith("관련: ")
    assert main(["hashtags", str(path), "--lang", "en"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[-3].startswith("keywords: 개") and told[-2].startswith("related: ")
    assert main(["hashtags", str(path), "--json"]) == 0
    fields = json.loads(capsys.readouterr().out)
    assert fields["line"].split() == fields["tags"]


def test_what_cannot_be_tagged_is_said_in_a_line(tmp_path, film_and_photo, capsys):
    movie, photo = film_and_photo
    for wrong in (
        [str(movie), str(photo)],
        [str(photo)] * 11,
        [str(tmp_path / "none.jpg")],
        [str(photo), "--impressions", "슬픔"],
        [str(photo), "--block", str(photo)],
    ):
        assert main(["hashtags", *wrong, "--lang", "en"]) == 1
        assert len(capsys.readouterr().err.splitlines()) == 1
    with pytest.raises(DataError):
        read_blocked(tmp_path / "none.txt")


def test_how_many_photos_were_too_many_is_said(film_and_photo, capsys):
    assert main(["hashtags", *[str(film_and_photo[1])] * 11]) == 1
    assert "11장" in capsys.readouterr().err


@pytest.fixture
def film_and_photo(film_file, tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(np.full((60, 80, 3), 90, np.uint8)).save(path)
    return film_file, path


@pytest.fixture
def film_file(original, tmp_path):
    path = tmp_path / "film.mp4"
    path.write_bytes(original.read_bytes())
    return path


class Known:
    """What bench.tags knows of a photo, without a captioner."""

    thing = None

    def __init__(self, told, readings):
        self.told, self.readings = told, readings


def test_the_bench_counts_right(related):
    seen = Known((("나무", "개"), ("개", "풀밭")), [(said("개", "풀밭"), 1.0)])
    assert by_position(seen, 5) == ["나무", "개", "풀밭"]
    assert by_frequency(seen, 5) == ["개", "나무", "풀밭"]
    photos = [(seen, frozenset({"개", "풀밭"}))]
    assert f1(by_position, photos, 3) == pytest.approx(0.8)
    assert f1(by_frequency, photos, 1) == pytest.approx(2 / 3)
    weights = fit(photos * 5 + [(seen, frozenset({"개"}))], related)
    assert len(weights) == len(WEIGHTS)
    assert tool.DEFAULT.most == 30
