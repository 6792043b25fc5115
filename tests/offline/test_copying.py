"""What was heard is written down as turns: a voice each, and a new one after a pause."""

from __future__ import annotations

from offline.copying import write_down
from offline.domain import PassId, PassWord, Run, Segment, Speaker
from offline.results import HeardWord, Hearing
from streaming.core.domain import Permille


def hearing(*words: tuple[str, int, int | None]) -> Hearing:
    """Return words of 400 ms, each with its start and its voice."""
    heard = [
        HeardWord(PassWord(f" {text}", start, start + 400, Permille(900)), voice)
        for text, start, voice in words
    ]
    return Hearing(0, 60_000, tuple(heard))


def said(*words: tuple[str, int, int | None]) -> list[tuple[str | None, str]]:
    copy = write_down(hearing(*words), PassId("1"))
    return [(turn.speaker, turn.text) for turn in copy.turns]


def test_a_turn_ends_where_the_voice_changes() -> None:
    heard = (("Hello", 0, 1), ("there.", 500, 1), ("Good", 1_000, 0), ("morning.", 1_500, 0))

    copy = write_down(hearing(*heard), PassId("1"))

    assert [(turn.speaker, turn.text) for turn in copy.turns] == [
        ("s1", "Hello there."),
        ("s2", "Good morning."),
    ]
    assert copy.turns[1].runs == (Run("Good morning.", Segment(PassId("1"), 2, 4)),)
    assert list(copy.speakers.values()) == [Speaker(f"s{n}", f"Speaker {n}") for n in (1, 2)]  # type: ignore[arg-type]  # an id as text


def test_a_turn_ends_at_a_pause() -> None:
    assert said(("One.", 0, None), ("Two.", 3_400, None)) == [(None, "One."), (None, "Two.")]
    assert said(("One", 0, None), ("two.", 3_399, None)) == [(None, "One two.")]


def test_a_word_that_nobody_is_known_to_have_said_belongs_to_its_turn() -> None:
    assert said(("A", 0, 0), ("b", 500, None), ("c", 1_000, 0)) == [("s1", "A b c")]
    assert said(("A", 0, None), ("b", 500, 0), ("c", 1_000, 1)) == [("s1", "A b"), ("s2", "c")]


def test_where_nothing_was_heard_nothing_is_written() -> None:
    assert said() == []
