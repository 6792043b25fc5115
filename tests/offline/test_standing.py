"""Which words of a pass are still found in text that people edited."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline.domain import PassWord
from offline.standing import StandingWord, shape, standing
from streaming.core.domain import Permille


def words(*texts: str) -> list[PassWord]:
    return [
        PassWord(text, 100 * index, 100 * index + 80, Permille(900))
        for index, text in enumerate(texts)
    ]


def found(texts: Sequence[str], *spoken: str) -> list[tuple[int, str, bool]]:
    """Return which words stand, what is written where they stand, and whether that is exact."""
    return [
        (stood.word, texts[stood.text][stood.start : stood.end], stood.exact)
        for stood in standing(texts, words(*spoken))
    ]


def test_all_words_of_text_that_nobody_touched_stand_exactly() -> None:
    assert standing([" Hello, world."], words(" Hello,", " world.")) == [
        StandingWord(0, 0, 0, 7, exact=True),
        StandingWord(1, 0, 7, 14, exact=True),
    ]


def test_words_are_found_in_several_texts() -> None:
    assert standing([" one", "", " two"], words(" one", " two")) == [
        StandingWord(0, 0, 0, 4, exact=True),
        StandingWord(1, 2, 0, 4, exact=True),
    ]


def test_the_space_that_a_turn_does_not_begin_with_is_not_missed() -> None:
    assert found(["one", "two three"], " one", " two", " three") == [
        (0, "one", True),
        (1, "two", True),
        (2, " three", True),
    ]


def test_the_same_holds_where_other_words_were_changed() -> None:
    assert found(["one", "two thirteen"], " one", " two", " three") == [
        (0, "one", True),
        (1, "two", True),
    ]


def test_a_space_missing_elsewhere_makes_a_word_inexact() -> None:
    assert found(["one/two"], "one", " two") == [(0, "one", True), (1, "two", False)]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (" two three", [1, 2]),
        (" one three", [0, 2]),
        (" one two", [0, 1]),
        (" two", [1]),
        ("", []),
    ],
)
def test_deleted_words_do_not_stand(text: str, left: list[int]) -> None:
    assert [stood.word for stood in standing([text], words(" one", " two", " three"))] == left


def test_typed_words_stand_for_nothing() -> None:
    assert found([" one and two", " more"], " one", " two") == [
        (0, " one", True),
        (1, " two", True),
    ]


def test_a_word_changed_in_its_letters_does_not_stand() -> None:
    assert found([" the theory"], " the", " them") == [(0, " the", True)]


def test_a_word_changed_in_case_or_punctuation_stands_inexactly() -> None:
    assert found([" Hello World!"], " hello,", " world.") == [
        (0, " Hello", False),
        (1, " World", False),
    ]


def test_a_words_own_punctuation_belongs_to_it() -> None:
    assert found([' He said: "No!" twice'], " He", " said:", ' "No!"') == [
        (0, " He", True),
        (1, " said:", True),
        (2, ' "No!"', True),
    ]


def test_words_without_space_between_them_are_told_apart() -> None:
    assert found([" Thirty-one and 50%"], " twenty", "-one", " and", " 50%") == [
        (1, "-one", True),
        (2, " and", True),
        (3, " 50%", True),
    ]


def test_no_character_belongs_to_two_words() -> None:
    assert found(["x a-b"], " a-", "-b") == [(0, " a-", True), (1, "b", False)]


def test_words_of_several_lexemes_stand_whole_or_not_at_all() -> None:
    assert found([" don't well known"], " don't", " well-known") == [
        (0, " don't", True),
        (1, " well known", False),
    ]
    assert found([" well then known"], " well-known") == []
    assert found([" well", " known"], " well-known") == []


def test_a_word_of_punctuation_stands_by_itself() -> None:
    assert found([" yes –  no"], " yes", " –", " no") == [
        (0, " yes", True),
        (1, " –", True),
        (2, " no", True),
    ]
    assert found([" yes, no"], " yes", " ,", " no") == [(0, " yes", True), (2, " no", True)]


def test_the_nearest_of_equal_words_is_not_counted_twice() -> None:
    assert [stood.word for stood in standing([" no no"], words(" no", " no", " no"))] == [0, 1]


def test_letters_of_scripts_without_spaces_are_compared_one_by_one() -> None:
    assert found(["我们不去Python北京。"], "我们", "去", "Python", "上海。") == [
        (0, "我们", True),
        (1, "去", True),
        (2, "Python", True),
    ]


def test_a_replaced_word_does_not_hide_another() -> None:
    assert found(["วันนี้ดีมาก"], "วันนี้", "อากาศ", "ดี") == [(0, "วันนี้", True), (2, "ดี", True)]


def test_a_vowel_sign_is_part_of_its_word() -> None:
    assert found([" हिन्दी भाषा"], " हिन्दी", " भाषी") == [(0, " हिन्दी", True)]


def test_the_kinds_of_characters_are_told() -> None:
    assert shape("Aé1 _我ー\u0301\u200d\n♪") == "wwwspccmmsp"


def letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


LETTERS = "ab -,.'我ก\u0301A\n"
pieces = st.lists(st.text(LETTERS, max_size=12), max_size=4)
some_words = st.lists(st.text(LETTERS, max_size=4), max_size=8).map(lambda texts: words(*texts))


@given(pieces, some_words)
def test_words_stand_in_order_and_apart(texts: list[str], spoken: list[PassWord]) -> None:
    stands = standing(texts, spoken)

    for one, next_one in pairwise(stands):
        assert one.word < next_one.word
        assert (one.text, one.end) <= (next_one.text, next_one.start)
    for stood in stands:
        here = texts[stood.text][stood.start : stood.end]
        word = spoken[stood.word].text
        assert letters(here) == letters(word)
        assert stood.exact == (here == word or (stood.start == 0 and here == word.lstrip()))


@given(some_words, st.lists(st.integers(0, 8), max_size=3))
def test_text_that_was_only_divided_stands_whole(spoken: list[PassWord], cuts: list[int]) -> None:
    bounds = [0, *sorted(min(cut, len(spoken)) for cut in cuts), len(spoken)]
    texts = ["".join(word.text for word in spoken[start:end]) for start, end in pairwise(bounds)]

    stands = standing(texts, spoken)

    assert [stood.word for stood in stands] == list(range(len(spoken)))
    assert all(stood.exact for stood in stands)
