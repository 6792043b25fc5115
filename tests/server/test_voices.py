"""Voices are counted on after an interruption, and never confused."""

import pytest

from server.voices import Voices
from streaming.core.domain import Samples, Speaker, UtteranceId
from streaming.core.events import (
    Correction,
    Event,
    Final,
    Partial,
    SpeakerRevised,
    SpeechStarted,
)
from tests.server.events import span, word

U0 = UtteranceId(0)


def words(speaker: str) -> tuple[Event, ...]:
    said = (word("a", 0, 1, speaker), word("b", 1, 2))
    return (
        Final(U0, said),
        Partial(U0, said, 1),
        Correction(U0, span(0, 2), said),
        SpeakerRevised(span(0, 1), Speaker(speaker)),
    )


@pytest.mark.parametrize(("before", "after"), list(zip(words("S2"), words("S5"), strict=True)))
def test_voices_are_counted_on(before: Event, after: Event) -> None:
    assert Voices([Speaker("S3"), Speaker("S1")]).named(before) == after


@pytest.mark.parametrize("event", words("S1"))
def test_nothing_changes_in_a_session_that_was_never_interrupted(event: Event) -> None:
    assert Voices([]).named(event) is event


@pytest.mark.parametrize(
    "event",
    [
        SpeechStarted(U0, Samples(0)),
        SpeakerRevised(span(0, 1), None),
        SpeakerRevised(span(0, 1), Speaker("Ada")),
    ],
)
def test_what_has_no_number_stays(event: Event) -> None:
    assert Voices([Speaker("S3")]).named(event) == event
