"""Tests of `offline.certainty`."""

from dataclasses import replace

import pytest

from offline.certainty import CertaintyRules, is_certain
from offline.voting import Vote
from streaming.core.domain import Permille, Samples, Span, Word, from_ms

RULES = CertaintyRules(agreed=0.9, confidence=800, words_per_s=1.5)
WORD = Word(" word", Span(Samples(0), Samples(0)), Permille(850))
SPEECH = [Span(from_ms(0), from_ms(1_000)), Span(from_ms(2_000), from_ms(5_000))]
SURE = Vote((WORD,) * 5, agreed=0.9)


@pytest.mark.parametrize(
    ("said", "voters", "certain"),
    [
        (SURE, 2, True),
        (SURE, 1, False),
        (replace(SURE, agreed=0.89), 2, False),
        (replace(SURE, words=SURE.words[:4]), 2, False),
        (replace(SURE, words=(*SURE.words[:4], replace(WORD, confidence=Permille(500)))), 2, False),
        (Vote((), agreed=1), 2, False),
    ],
)
def test_passes_are_certain_that_agree_are_sure_and_hear_enough(
    said: Vote, voters: int, *, certain: bool
) -> None:
    assert is_certain(said, voters, SPEECH, (), RULES) is certain


@pytest.mark.parametrize(("overlapped", "certain"), [(0.1, True), (0.099, False)])
def test_passes_are_not_certain_where_several_talk_at_once(
    overlapped: float, *, certain: bool
) -> None:
    rules = replace(RULES, overlapped=overlapped)
    overlaps = [Span(from_ms(900), from_ms(2_200)), Span(from_ms(4_900), from_ms(9_000))]

    assert is_certain(SURE, 2, SPEECH, overlaps, rules) is certain


def test_nobody_has_to_say_anything_in_a_blink() -> None:
    assert is_certain(Vote((), agreed=1), 2, [Span(from_ms(0), from_ms(600))], (), RULES)
