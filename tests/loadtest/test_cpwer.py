"""Tests of `loadtest.cpwer`."""

import pytest

from loadtest.cpwer import SpokenErrors, spoken_errors
from loadtest.scoring import Token


def tokens(*turns: tuple[str | None, str]) -> list[Token]:
    said = [(speaker, word) for speaker, text in turns for word in text.split()]
    return [Token(word, n, n + 0.5, speaker) for n, (speaker, word) in enumerate(said)]


SAID = tokens(("ann", "good morning"), ("ben", "hello"), ("ann", "how are you"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("heard", "errors"),
    [
        (tokens(("S2", "good morning"), ("S1", "hello"), ("S2", "how are you")), 0),
        (tokens(("S2", "good morning"), ("S1", "yellow"), ("S2", "how are you")), 1),
        # A word of the wrong voice is missing in one place and too much in the other.
        (tokens(("S2", "good"), ("S1", "morning hello"), ("S2", "how are you")), 2),
        (tokens((None, "good morning hello how are you")), 2),
        ([], 6),
    ],
)
def test_words_count_with_their_voices(heard: list[Token], errors: int) -> None:
    assert spoken_errors(SAID, heard) == SpokenErrors(6, errors)


def test_counts_add_up() -> None:
    assert SpokenErrors(6, 1) + SpokenErrors(4, 1) == SpokenErrors(10, 2)
    assert SpokenErrors(10, 2).rate == 0.2
    assert SpokenErrors().rate == 0
