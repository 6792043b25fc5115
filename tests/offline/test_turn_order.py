"""How well turns stand in the order of time while several microphones speak at once.

What must hold is tested as a law; what need not is counted, and bounded by what was measured.
"""

from __future__ import annotations

import pytest

from tests.offline.crosstalk import Crosstalk, Happens, disorder
from tests.offline.paper import Character

MOST = 0.02
"""Part of the turns that may begin before the turn before them, whatever happens."""


class Watched(Crosstalk):
    """Sees to it that machines leave alone what people typed."""

    def __init__(self, seed: int, happens: Happens) -> None:
        super().__init__(seed, happens)
        self.typed: list[Character] = []

    def _edit(self) -> None:
        self.check()
        super()._edit()
        self.typed = self._by_people()

    def check(self) -> None:
        """Fail if a character of people's went, moved or came."""
        assert self._by_people() == self.typed

    def _by_people(self) -> list[Character]:
        return [each for each in self.paper.characters if each.by_person]


@pytest.mark.slow
def test_turns_begin_in_order_live_where_nothing_but_words_comes() -> None:
    for seed in range(25):
        crosstalk = Crosstalk(seed, Happens())
        for _ in crosstalk.steps():
            assert disorder(crosstalk.paper.view()) == [], seed

        said = [word.text.strip() for mic in crosstalk.microphones for word in mic.words]
        assert sorted(crosstalk.paper.text.split()) == sorted(said), seed


@pytest.mark.slow
def test_few_turns_begin_too_early_whatever_happens_and_people_lose_nothing() -> None:
    turns, early_ms, typed = 0, list[int](), 0
    for seed in range(25):
        crosstalk = Watched(seed, Happens(voices=True, corrected=True, edited=True))
        for _ in crosstalk.steps():
            pass
        crosstalk.check()
        typed += len(crosstalk.typed)
        turns += len(crosstalk.paper.shown)
        early_ms += disorder(crosstalk.paper.view())

    assert typed > 100
    assert len(early_ms) <= MOST * turns
