"""Tests of `loadtest.normalization`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.normalization import normalize


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (" And so, my fellow Americans:", ("and", "so", "my", "fellow", "americans")),
        ("Mr. Quilter", ("mister", "quilter")),
        ("it’s the boys' game", ("it's", "the", "boys'", "game")),
        ("'quoted'", ("quoted'",)),
        ("twenty-one", ("twenty", "one")),
        ("¿cierto?", ("cierto",)),
        ("l'école", ("l'école",)),
        (" ...", ()),
        ("", ()),
    ],
)
def test_words_are_compared_without_case_and_punctuation(text: str, words: tuple[str, ...]) -> None:
    assert normalize(text) == words


@pytest.mark.slow
@given(st.text())
def test_what_is_normal_stays_as_it_is(text: str) -> None:
    words = normalize(text)

    assert normalize(" ".join(words)) == words
