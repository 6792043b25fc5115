"""Voices are numbered in the order of their words, counted on, and never confused."""

import pytest

from server.voices import Voices
from streaming.core.domain import Samples, Speaker, UtteranceId, Voice
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


def lasting(speaker: str) -> tuple[Event, ...]:
    said = (word("a", 0, 1, speaker), word("b", 1, 2))
    return (
        Final(U0, said),
        Correction(U0, span(0, 2), said),
        SpeakerRevised(span(0, 1), Speaker(speaker)),
    )


def partial(*speakers: str) -> Partial:
    return Partial(U0, tuple(word("a", n, n + 1, name) for n, name in enumerate(speakers)), 1)


@pytest.mark.parametrize(("heard", "told"), list(zip(lasting("S2"), lasting("S4"), strict=True)))
def test_voices_are_counted_on(heard: Event, told: Event) -> None:
    assert Voices([Speaker("S3"), Speaker("S1"), Speaker("Ada")]).named(heard) == told


@pytest.mark.parametrize(("heard", "told"), list(zip(lasting("S7"), lasting("S1"), strict=True)))
def test_the_first_voice_with_words_is_the_first(heard: Event, told: Event) -> None:
    voices = Voices([])

    assert voices.named(heard) == told
    assert voices.named(partial("S1", "S7")) == partial("S2", "S1")


def test_a_voice_that_is_known_again_keeps_its_name() -> None:
    known = Voice(Speaker("S2"), b"", 1.0)
    voices = Voices([Speaker("S1"), Speaker("S2")], [known])

    assert [voices.named(event) for event in lasting("S2")] == list(lasting("S2"))
    assert voices.named(partial("S2", "S9")) == partial("S2", "S3")
    assert voices.heard([known, Voice(Speaker("S9"), b"", 1.0)]) == (known,)


def test_a_voice_that_is_only_suspected_takes_no_number() -> None:
    voices = Voices([])

    assert voices.named(partial("S1", "S2")) == partial("S1", "S2")
    assert [voices.named(event) for event in lasting("S2")] == list(lasting("S1"))


@pytest.mark.parametrize("event", [SpeechStarted(U0, Samples(0)), SpeakerRevised(span(0, 1), None)])
def test_what_names_nobody_stays(event: Event) -> None:
    assert Voices([Speaker("S3")]).named(event) == event
