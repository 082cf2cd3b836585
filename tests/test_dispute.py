"""The classifier and the decoder name different things: who gives way."""

import pytest

from model.dispute import disputable, disputed, named
from model.things import Thing
from tests.test_details import cut

FOX, CUP = Thing("여우", "동물", 0.9), Thing("컵", "물건", 0.8)


@pytest.mark.parametrize(
    ("text", "agree", "thing", "gives_way"),
    [
        ("개|가 서 있다", 5, FOX, True),
        ("개|가 서 있다", 7, FOX, False),  # that many guesses are right
        ("개|가 서 있다", 5, Thing("여우", "동물", 0.6), False),
        ("개|가 서 있다", 5, Thing("개", "개", 0.9), False),
        ("강아지|가 서 있다", 1, Thing("개", "개", 0.9), False),  # of one kind
        ("말|이 서 있다", 5, FOX, True),
        ("개 두 마리|가 서 있다", 5, FOX, True),
        ("개|와 고양이|가 서 있다", 1, FOX, False),
        ("개|가 서 있다", 1, CUP, False),
        ("남자|가 서 있다", 1, CUP, False),
        ("접시|가 있다", 7, CUP, True),
        ("접시|가 있다", 8, CUP, False),
        ("음식|이 있다", 1, Thing("딸기", "음식", 0.9), False),  # which is true of all
        ("접시|가 있다", 1, FOX, False),
        ("접시|가 있다", 1, Thing("산", "풍경", 0.9), False),
    ],
)
def test_the_decoder_gives_way_where_its_guesses_part(text, agree, thing, gives_way):
    said, other = cut(text), cut("곰|이 있다")
    guesses = [said] * agree + [other] * (10 - agree)
    assert disputed(said, guesses, thing) == gives_way


@pytest.mark.parametrize(
    ("text", "noun", "kind"),
    [
        ("흰 개|들|이 서 있다", "개", "개"),
        ("개 세 마리|가 있다", "개", "개"),
        ("개|와 소|가 있다", "", ""),
        ("있다", "", ""),
    ],
)
def test_what_a_sentence_is_about(text, noun, kind):
    assert named(cut(text)) == (noun, kind)
    assert disputable(cut(text), [cut("곰|이 있다")]) == (kind != "")
    assert not disputable(cut(text), [cut(text)])
