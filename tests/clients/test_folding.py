"""Folding events gives what the protocol says stands there."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trax_client import (
    Correction,
    Done,
    Final,
    Language,
    Partial,
    Speaker,
    SpeechStart,
    Stats,
    Transcript,
    UtteranceEnd,
    Word,
)
from trax_client.events import Event


def word(text: str, start_ms: int, end_ms: int, speaker: str | None = None) -> Word:
    return Word(text, start_ms, end_ms, 900, speaker)


def folded(*events: Event) -> Transcript:
    transcript = Transcript()
    for event in events:
        transcript.apply(event)
    return transcript


def final(utterance: int, *words: Word) -> Final:
    return Final(1, utterance, words)


def test_finals_are_appended_and_partials_replaced() -> None:
    transcript = folded(
        SpeechStart(1, 0, 0),
        Partial(0, 0, (word("Hallo", 0, 1),)),
        Partial(0, 1, (word("Hello", 0, 1), word(" word", 1, 2))),
        final(0, word("Hello", 0, 100)),
    )
    assert (transcript.text, transcript.partial) == ("Hello", None)
    assert transcript.open_utterance == 0
    rest = Partial(0, 0, (word(" world", 100, 200),))
    transcript.apply(rest)
    assert transcript.partial == rest
    transcript.apply(final(0, word(" world.", 100, 200)))
    assert transcript.text == "Hello world."


def test_partial_of_no_words_is_none() -> None:
    transcript = folded(Partial(0, 0, (word("Oh", 0, 1),)), Partial(0, 0, ()))
    assert transcript.partial is None


def test_end_of_an_utterance_or_session_clears_the_partial() -> None:
    for end in (UtteranceEnd(2, 0, 0, 100), Done(100, 1, 1, 0, 0)):
        transcript = folded(SpeechStart(1, 0, 0), Partial(0, 0, (word("Oh", 0, 1),)), end)
        assert (transcript.partial, transcript.open_utterance) == (None, None)


def test_correction_replaces_its_utterances_words_in_its_span() -> None:
    transcript = folded(
        final(0, word("One", 0, 100), word(" two", 100, 200)),
        final(1, word(" tree", 200, 300), word(" for", 300, 400), word(" five", 400, 500)),
        Correction(
            3, 1, "utterance", 200, 399, (word(" three", 200, 300), word(" four", 300, 400))
        ),
    )
    assert transcript.text == "One two three four five"
    assert [spoken.word.text for spoken in transcript.words if spoken.corrected] == [
        " three",
        " four",
    ]
    assert transcript.corrections == 1


def test_correction_reaches_words_of_no_length_at_the_very_end() -> None:
    transcript = folded(
        final(0, word("Yes", 0, 100), word(" sir", 100, 100)),
        Correction(2, 0, "utterance", 0, 100, (word("Yessir", 0, 100),)),
    )
    assert transcript.text == "Yessir"


def test_only_words_that_differ_are_marked_corrected_and_stay_so() -> None:
    words = (word("It", 0, 10), word(" is", 10, 20), word(" so", 20, 30))
    changed = (word("It", 0, 10), word(" was", 10, 20), word(" so", 20, 30))
    again = (word("It", 0, 10), word(" was", 10, 20), word(" so.", 20, 30))
    transcript = folded(
        final(0, *words),
        Correction(2, 0, "utterance", 0, 30, changed),
        Correction(3, 0, "recording", 0, 30, again),
    )
    assert [spoken.corrected for spoken in transcript.words] == [False, True, True]


def test_correction_where_nothing_stood_finds_its_place_in_time() -> None:
    transcript = folded(
        final(0, word("a", 0, 10)),
        final(2, word(" c", 50, 60)),
        Correction(3, 1, "utterance", 20, 40, (word(" b", 20, 30),)),
    )
    assert transcript.text == "a b c"


def test_correction_may_remove_words() -> None:
    transcript = folded(
        final(0, word("a", 0, 10), word(" b", 10, 20)), Correction(2, 0, "x", 10, 20, ())
    )
    assert transcript.text == "a"


def test_speaker_is_revised_in_its_span() -> None:
    transcript = folded(
        final(0, word("a", 0, 10), word(" b", 10, 20), word(" c", 20, 30)),
        Speaker(2, 10, 19, "S2"),
        Speaker(3, 0, 9, "S1"),
        Speaker(4, 20, 30, None),
    )
    assert [spoken.word.speaker for spoken in transcript.words] == ["S1", "S2", None]
    assert transcript.speakers == ("S1", "S2")


def test_language_is_remembered_and_statistics_change_nothing() -> None:
    transcript = folded(Language(1, "de", 900), Stats(1, 1, 0, 500))
    assert (transcript.language, transcript.text) == ("de", "")


def test_turns_change_with_the_speaker_and_after_a_pause() -> None:
    transcript = folded(
        final(0, word("a", 0, 10, "S1"), word(" b", 10, 20, "S1"), word(" c", 20, 30, "S2")),
        final(1, word(" d", 1_000, 1_010, "S2")),
        final(2, word(" e", 4_000, 4_010, "S2")),
    )
    turns = transcript.turns()
    assert [(turn.speaker, turn.text) for turn in turns] == [
        ("S1", "a b"),
        ("S2", "c d"),
        ("S2", "e"),
    ]
    assert (turns[1].start_ms, turns[1].end_ms) == (20, 1_010)
    assert [turn.text for turn in transcript.turns(first_word=3)] == ["d", "e"]


def test_words_of_unknown_speakers_stay_with_their_utterance() -> None:
    transcript = folded(
        final(0, word("a", 0, 10), word(" b", 10, 20, "S1"), word(" c", 20, 30)),
        final(1, word(" d", 40, 50)),
        final(1, word(" e", 50, 60, "S1")),
    )
    assert [(turn.speaker, turn.text) for turn in transcript.turns()] == [
        ("S1", "a b c"),
        ("S1", "d e"),
    ]


WORDS = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 3)), min_size=1, max_size=4)


@pytest.mark.slow
@given(
    utterances=st.lists(WORDS, max_size=4),
    changes=st.lists(
        st.tuples(st.booleans(), st.integers(0, 3), st.integers(0, 40), st.integers(0, 40), WORDS)
    ),
)
def test_looking_only_at_recent_words_gives_what_looking_at_all_gives(
    utterances: list[list[tuple[str, int]]],
    changes: list[tuple[bool, int, int, int, list[tuple[str, int]]]],
) -> None:
    transcript, plain, at_ms = Transcript(), list[tuple[int, Word]](), 0
    for number, letters in enumerate(utterances):
        for letter, length_ms in letters:
            spoken = word(letter, at_ms, at_ms + length_ms)
            transcript.apply(final(number, spoken))
            plain.append((number, spoken))
            at_ms += length_ms
    for corrects, number, first_ms, length_ms, letters in changes:
        last_ms = first_ms + length_ms
        if not corrects:
            transcript.apply(Speaker(9, first_ms, last_ms, letters[0][0]))
            plain = [
                (n, dataclasses.replace(w, speaker=letters[0][0]))
                if w.lies_in(first_ms, last_ms)
                else (n, w)
                for n, w in plain
            ]
            continue
        hit = [n == number and w.lies_in(first_ms, last_ms) for n, w in plain]
        if any(hit):
            standing = plain[hit.index(True)][1]
            new = word(letters[0][0], standing.start_ms, standing.end_ms)
            transcript.apply(Correction(9, number, "x", first_ms, last_ms, (new,)))
            place = hit.index(True)
            plain = [item for item, out in zip(plain, hit, strict=True) if not out]
            plain.insert(place, (number, new))
    assert [(spoken.utterance, spoken.word) for spoken in transcript.words] == plain
