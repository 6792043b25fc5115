"""Texts become words that both databases index alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.storage.searching import (
    QUERY_TERMS,
    TERM_CHARS,
    TERMS_BYTES,
    as_column,
    as_fts5,
    as_tsquery,
    terms,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" ?! \n–", []),
        ("The end. THE END!", ["the", "end"]),
        ("Größe café naïve", ["grosse", "cafe", "naive"]),
        ("don't re-use a_b", ["don", "t", "re", "use", "a", "b"]),
        ("R2D2 ½ 2024", ["r2d2", "1", "2", "2024"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("한국어 말", ["한국어", "말"]),
        ("機械学習", ["機械", "械学", "学習", "習"]),
        ("ガラス", ["ガラ", "ラス", "ス"]),
        ("use機械now", ["use", "機械", "械", "now"]),
        ("กิน", ["กิ", "ิน", "น"]),
        ("\ud800\0a", ["a"]),
    ],
)
def test_a_text_is_split_into_its_different_words(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_long_words_are_kept_by_their_beginning() -> None:
    assert terms("x" * 1000) == ["x" * TERM_CHARS]


def test_a_query_has_few_words() -> None:
    many = " ".join(str(number) for number in range(1000))

    assert len(as_fts5(many).split()) == QUERY_TERMS
    assert as_tsquery(many).count("&") == QUERY_TERMS - 1


def test_queries_are_written_in_the_language_of_each_database() -> None:
    query = 'it\'s "NEAR" x*'

    assert as_fts5(query) == '"it"* "s"* "near"* "x"*'
    assert as_tsquery(query) == "'it':* & 's':* & 'near':* & 'x':*"


@pytest.mark.slow
def test_of_too_many_words_the_first_are_kept_whole() -> None:
    words = [f"{number:07d}é" for number in range(200_000)]

    kept = as_column(" ".join(words)).split(" ")

    assert kept == terms(" ".join(words))[: len(kept)]
    assert TERMS_BYTES - 10 < len(" ".join(kept).encode()) <= TERMS_BYTES


@pytest.mark.slow
@given(st.text())
def test_what_is_stored_needs_splitting_at_spaces_only(text: str) -> None:
    words = terms(text)

    assert len(set(words)) == len(words)
    assert as_column(text).split(" ") == (words or [""])
    for word in words:
        # What FTS5's tokenizer `ascii` and a quoted term of PostgreSQL leave as it is.
        assert all(char.isalnum() for char in word if char.isascii())
        word.encode()
