"""Tests of `streaming.core.attribution`."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from streaming.core.attribution import NOBODY_NAMED, REACH, Attribution, speaker_of
from streaming.core.domain import Samples, Span, Speaker, Turn, Word
from streaming.core.events import SpeakerRevised
from streaming.core.ports import Diarization
from tests.streaming.core.scripts import word

FAR = REACH + 1


def span(start: int, end: int) -> Span:
    return Span(Samples(start), Samples(end))


def turn(speaker: str, start: int, end: int) -> Turn:
    return Turn(span(start, end), Speaker(speaker))


def heard(fixed_until: int, *turns: Turn) -> Diarization:
    return Diarization(turns, Samples(fixed_until))


def revised(speaker: str | None, start: int, end: int) -> SpeakerRevised:
    return SpeakerRevised(span(start, end), None if speaker is None else Speaker(speaker))


def named(words: Sequence[Word]) -> list[str | None]:
    return [each.speaker for each in words]


@pytest.fixture
def attribution() -> Attribution:
    return Attribution(Samples(0))


# --- Who speaks -----------------------------------------------------------------------------------


def test_the_largest_overlap_wins() -> None:
    turns = [turn("S1", 0, 140), turn("S2", 140, 400)]

    assert speaker_of(span(100, 200), turns) == "S2"
    assert speaker_of(span(50, 200), turns) == "S1"


def test_of_two_who_speak_all_the_time_the_one_who_began_last_wins() -> None:
    assert speaker_of(span(100, 200), [turn("S1", 0, 300), turn("S2", 50, 250)]) == "S2"


def test_outside_of_all_turns_the_nearest_wins_within_reach() -> None:
    before, after = turn("S1", 0, 1_000), turn("S2", 3_000, 4_000)

    assert speaker_of(span(1_500, 1_600), [before, after]) == "S1"
    assert speaker_of(span(2_500, 2_600), [before, after]) == "S2"
    assert speaker_of(span(1_000 + REACH, 20_000), [before]) == "S1"
    assert speaker_of(span(1_000 + FAR, 20_000), [before]) is None
    assert speaker_of(span(0, 10), [turn("S1", 10 + FAR, 30_000)]) is None
    assert speaker_of(span(0, 10), []) is None


# --- Labels and revisions -------------------------------------------------------------------------


def test_words_get_the_speakers_known_now(attribution: Attribution) -> None:
    attribution.update(heard(0, turn("S1", 0, 500)))

    assert named(attribution.label([word("a", 100, 200), word("b", 500 + FAR, 9_000)])) == [
        "S1",
        None,
    ]


def test_a_final_word_is_revised_until_its_speaker_is_fixed(attribution: Attribution) -> None:
    attribution.commit([word("a", 100, 200)])

    assert attribution.update(heard(100, turn("S1", 0, 300))) == [revised("S1", 100, 200)]
    assert attribution.update(heard(150, turn("S1", 100, 300))) == []
    assert attribution.update(heard(200, turn("S2", 150, 300))) == [revised("S2", 100, 200)]
    assert attribution.fixed_until == 200
    assert attribution.update(heard(400, turn("S3", 200, 300))) == []


def test_a_word_whose_speaker_is_fixed_already_is_not_revised(attribution: Attribution) -> None:
    attribution.update(heard(200, turn("S1", 0, 200)))

    assert named(attribution.commit([word("a", 100, 200)])) == ["S1"]
    assert attribution.update(heard(400, turn("S2", 200, 300))) == []


def test_what_is_fixed_of_a_turn_stays_and_the_rest_is_replaced(attribution: Attribution) -> None:
    attribution.update(heard(150, turn("S1", 0, 1_000)))

    attribution.update(heard(150, turn("S2", 150, 1_000)))

    assert named(attribution.label([word("a", 100, 150), word("b", 150, 300)])) == ["S1", "S2"]


def test_words_in_a_row_that_change_alike_are_one_revision(attribution: Attribution) -> None:
    attribution.update(heard(0, turn("S2", 300, 400)))
    attribution.commit([word(each, at, at + 100) for at, each in enumerate("abcde")][:0])
    attribution.commit([word("a", 0, 100), word("b", 100, 200)])
    attribution.commit([word("c", 300, 400), word("d", 400, 500), word("e", 500, 600)])
    attribution.update(heard(0, turn("S2", 300, 400)))

    # The word c was said by S2 all along.
    assert attribution.update(
        heard(0, turn("S2", 0, 400), turn("S1", 400, 500), turn("S3", 500, 600))
    ) == [revised("S1", 400, 500), revised("S3", 500, 600)]
    assert attribution.update(
        heard(0, turn("S1", 0, 200), turn("S2", 300, 400), turn("S1", 400, 600))
    ) == [revised("S1", 0, 200), revised("S1", 500, 600)]


def test_a_word_loses_its_speaker_where_nobody_spoke_after_all(attribution: Attribution) -> None:
    attribution.update(heard(0, turn("S1", 0, 100)))
    attribution.commit([word("a", 0, 100)])

    assert attribution.update(heard(0)) == [revised(None, 0, 100)]


def test_turns_of_one_speaker_that_touch_are_one(attribution: Attribution) -> None:
    attribution.update(heard(100, turn("S1", 0, 200)))
    attribution.update(heard(300, turn("S2", 90, 310), turn("S1", 100, 400)))

    # Both speak all the time; S1 began first, though part of it came with the later answer.
    assert named(attribution.label([word("a", 150, 250)])) == ["S2"]


def test_what_is_fixed_never_goes_back(attribution: Attribution) -> None:
    attribution.update(heard(500))
    attribution.update(heard(400))

    assert attribution.fixed_until == 500


# --- Corrections ----------------------------------------------------------------------------------


def test_corrected_words_are_revised_instead_of_those_they_stand_for(
    attribution: Attribution,
) -> None:
    attribution.commit([word("a", 0, 100), word("b", 100, 200), word("c", 300, 400)])

    labelled = attribution.correct(span(0, 200), [word("x", 20, 180)])

    assert named(labelled) == [None]
    assert attribution.update(heard(400, turn("S1", 0, 400))) == [revised("S1", 20, 400)]


# --- Forgetting -----------------------------------------------------------------------------------


def test_turns_are_forgotten_that_no_word_can_reach(attribution: Attribution) -> None:
    attribution.update(heard(1_000, turn("S1", 0, 1_000)))

    attribution.forget(Samples(1_000 + REACH - 1))
    assert named(attribution.label([word("a", 500, 600)])) == ["S1"]
    attribution.forget(Samples(1_000 + REACH))

    assert named(attribution.label([word("a", 500, 600)])) == [None]


def test_turns_are_kept_while_a_speaker_may_still_be_revised(attribution: Attribution) -> None:
    attribution.update(heard(50, turn("S1", 0, 90)))
    attribution.commit([word("a", 0, 100)])

    attribution.forget(Samples(100_000))

    # Without the part of S1's turn that is fixed, S2 would seem to have said it.
    assert attribution.update(heard(100, turn("S1", 50, 60), turn("S2", 60, 105))) == []


def test_without_a_diarizer_no_word_waits() -> None:
    attribution = Attribution(NOBODY_NAMED)

    for at in range(0, 1_000, 100):
        attribution.commit([word("a", at, at + 100)])

    assert attribution._open == []
