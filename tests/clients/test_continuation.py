"""Sessions that follow each other are one to whoever reads their events."""

import dataclasses

from trax_client.continuation import Continuation
from trax_client.events import (
    Correction,
    Final,
    Language,
    Partial,
    Speaker,
    SpeechStart,
    Stats,
    UtteranceEnd,
    Word,
)


def word(start_ms: int, speaker: str | None) -> Word:
    return Word("a", start_ms, start_ms + 100, 900, speaker)


def test_the_first_session_is_told_as_it_is() -> None:
    whole = Continuation()
    for event in (
        SpeechStart(1, 0, 400),
        Partial(0, 0, (word(500, None),)),
        Final(2, 0, (word(500, "S2"),)),
        Stats(1_000, 900, 100, 500),
    ):
        assert whole.place(event) == event


def test_a_second_session_counts_on() -> None:
    whole = Continuation()
    whole.place(Final(1, 0, (word(500, "S2"),)))
    whole.place(SpeechStart(2, 1, 2_000))
    whole.place(Correction(3, 0, "utterance", 400, 900, ()))
    assert whole.begin(3_000) is None
    assert whole.place(SpeechStart(1, 0, 100)) == SpeechStart(4, 2, 3_100)
    assert whole.place(Final(2, 0, (word(200, "S1"),))) == Final(5, 2, (word(3_200, "S3"),))
    assert whole.place(Speaker(3, 0, 900, None)) == Speaker(6, 3_000, 3_900, None)
    assert whole.place(UtteranceEnd(4, 0, 100, 900)) == UtteranceEnd(7, 2, 3_100, 3_900)
    assert whole.place(Language(5, "en", 900)) == Language(8, "en", 900)
    assert whole.place(Stats(1_000, 900, 100, 500)) == Stats(4_000, 3_900, 100, 500)
    # Speakers are told apart anew each time.
    whole.begin(5_000)
    assert whole.place(Speaker(1, 0, 900, "S1")) == Speaker(9, 5_000, 5_900, "S4")


def test_what_a_session_left_unfinished_is_taken_back_by_the_next() -> None:
    whole = Continuation()
    shown = Partial(0, 1, (word(500, "S1"),))
    whole.place(shown)
    assert whole.begin(3_000) == dataclasses.replace(shown, stable=0, words=())
    assert whole.begin(3_000) is None
    whole.place(shown)
    whole.place(Final(1, 0, (word(500, "S1"),)))
    assert whole.begin(6_000) is None
