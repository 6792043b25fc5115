"""The laws of a session: what holds however audio is cut and whenever results come.

Most of them are checked by `Reader` as each event comes: finals never change, never overlap and
are in time order; partials repeat no final; utterances begin and end in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import assert_never

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streaming.core.attribution import speaker_of
from streaming.core.domain import FRAME, Samples, Span, UtteranceId, Word, from_ms
from streaming.core.errors import BacklogFull
from streaming.core.events import (
    Correction,
    EngineFailed,
    Event,
    Final,
    LanguageDetected,
    Partial,
    SpeakerRevised,
    SpeechStarted,
    UtteranceEnded,
)
from streaming.core.ports import Effort
from streaming.core.session import ATTEMPTS
from streaming.core.settings import FinalsMode, SessionSettings
from streaming.engines.script import Script
from tests.streaming.core.hearing import KINDS, Hearing, Reader, Unruly, cuts, held_objects
from tests.streaming.core.scripts import (
    CUTTING,
    SENTENCE,
    SETTINGS,
    TRIMMING,
    Talk,
    in_a_row,
    settings_of_sessions,
    talks,
    text_of,
    word_ms,
)

pytestmark = pytest.mark.slow

seeds = st.integers(0, 2**32)
PIECES = (61, FRAME - 1, FRAME + 1, 5_000, 40_000)
law = settings(max_examples=60)
modes = pytest.mark.parametrize("finals", FinalsMode)


def is_over(hearing: Hearing) -> None:
    """Nothing is left to do, and nothing is left open."""
    assert hearing.session.finished
    assert hearing.session.next_work() is None
    assert hearing.waiting == []
    assert hearing.reader.partial is None
    assert len(hearing.reader.ended) == len(hearing.reader.began)


def same_letters(word: Word) -> str:
    """Return what is the same of a word whether it was misheard or not."""
    return "".join(sorted(word.text))


# --- Any delays -----------------------------------------------------------------------------------


@law
@given(talks(), settings_of_sessions(), seeds)
def test_finals_are_what_is_said_however_late_results_are(
    talk: Talk, chosen: SessionSettings, seed: int
) -> None:
    hearing = Hearing(talk, chosen)

    reader = Unruly(hearing, talk, Random(seed)).hear()

    is_over(hearing)
    assert reader.plain == list(talk.script.words)
    assert reader.corrections == []
    prompt = Hearing(talk, chosen).hear(as_whole(talk.length, from_ms(1_000)))
    assert reader.ended == prompt.ended, "utterances end where the audio says"


@law
@given(talks(least_blocks=8, most_blocks=12, monologue=True), settings_of_sessions(), seeds)
def test_words_of_a_monologue_are_said_once_wherever_it_is_cut(
    talk: Talk, chosen: SessionSettings, seed: int
) -> None:
    hearing = Hearing(talk, replace(chosen, endpoints=CUTTING))

    reader = Unruly(hearing, talk, Random(seed)).hear()

    is_over(hearing)
    assert reader.plain == list(talk.script.words)
    assert reader.corrections == []


@law
@given(talks(), settings_of_sessions(), seeds)
def test_hesitating_engines_break_no_promise_and_lose_no_word(
    talk: Talk, chosen: SessionSettings, seed: int
) -> None:
    hearing = Hearing(talk, chosen, hesitates=True)

    reader = Unruly(hearing, talk, Random(seed)).hear()

    is_over(hearing)
    said = list(map(same_letters, talk.script.words))
    assert list(map(same_letters, reader.plain)) == said
    assert list(map(same_letters, reader.words)) == said
    if chosen.finals is FinalsMode.UTTERANCE or hearing.session.skipped_passes == 0:
        assert text_of(reader.words) == talk.text


@law
@given(talks(most_blocks=4), settings_of_sessions(), seeds, st.integers(0, 60_000))
def test_no_promise_breaks_where_audio_ends_in_a_word(
    talk: Talk, chosen: SessionSettings, seed: int, missing: int
) -> None:
    broken_off = Talk(talk.script, Samples(max(0, talk.length - missing)))
    hearing = Hearing(talk, chosen, hesitates=True)

    Unruly(hearing, broken_off, Random(seed)).hear()

    is_over(hearing)


@law
@given(talks(most_blocks=5), settings_of_sessions(), seeds, st.lists(st.sampled_from(KINDS)))
def test_a_session_ends_well_when_results_that_never_came_come_at_last(
    talk: Talk, chosen: SessionSettings, seed: int, withheld: list[str]
) -> None:
    hearing = Hearing(talk, chosen)
    unruly = Unruly(hearing, talk, Random(seed))
    unruly.withheld = frozenset(withheld)

    reader = unruly.hear()

    is_over(hearing)
    assert text_of(reader.words) == talk.text


# --- Prompt answers -------------------------------------------------------------------------------


def told(reader: Reader) -> list[object]:
    """Return what must not depend on how audio was cut: everything but who is thought to speak."""
    corrections = [
        replace(each, words=tuple(replace(word, speaker=None) for word in each.words))
        for each in reader.corrections
    ]
    finals = [(utterance, replace(word, speaker=None)) for utterance, word in reader.finals]
    return [finals, reader.began, reader.ended, corrections, reader.language]


@law
@given(
    talk=talks(),
    chosen=settings_of_sessions(),
    seed=seeds,
    largest=st.sampled_from(PIECES),
    hesitates=st.booleans(),
)
def test_finals_do_not_depend_on_how_audio_is_cut(
    talk: Talk, chosen: SessionSettings, seed: int, largest: int, *, hesitates: bool
) -> None:
    most = chosen.capacity - from_ms(30_000)
    lengths = cuts(talk.length, Random(seed), largest)
    by_frame = as_whole(talk.length, FRAME)

    whole = Hearing(talk, chosen, hesitates=hesitates).hear(as_whole(talk.length, most))

    assert told(Hearing(talk, chosen, hesitates=hesitates).hear(lengths)) == told(whole)
    assert told(Hearing(talk, chosen, hesitates=hesitates).hear(by_frame)) == told(whole)


def as_whole(length: int, most: int) -> list[int]:
    return [min(most, length - at) for at in range(0, length, most)]


@modes
def test_finals_do_not_depend_on_audio_coming_sample_by_sample(finals: FinalsMode) -> None:
    chosen = replace(SETTINGS, finals=finals)
    talk = replace(SENTENCE, length=from_ms(2_500))

    whole = Hearing(talk, chosen, hesitates=True).hear([talk.length])

    assert whole.words
    assert told(Hearing(talk, chosen, hesitates=True).hear([1] * talk.length)) == told(whole)


def test_a_whole_recording_at_once_is_corrected_as_much_as_one_in_pieces() -> None:
    # Without look-ahead a long word is final as it was misheard twice: there is much to correct.
    talk = in_a_row(Talk(Script.of([word_ms(" never", 500, 2_000)]), from_ms(4_500)), 9)
    chosen = replace(SETTINGS, lookahead=Samples(0), live=TRIMMING)

    whole = Hearing(talk, chosen, hesitates=True).hear([talk.length])

    assert len(whole.corrections) == 9
    in_pieces = Hearing(talk, chosen, hesitates=True).hear(as_whole(talk.length, 3_000))
    assert told(in_pieces) == told(whole)


# --- Memory ---------------------------------------------------------------------------------------


@modes
@pytest.mark.parametrize("diarization", [True, False])
@pytest.mark.parametrize("language", ["en", None])
def test_a_long_session_holds_no_more_than_a_short_one(
    finals: FinalsMode, language: str | None, *, diarization: bool
) -> None:
    chosen = replace(SETTINGS, finals=finals, diarization=diarization, language=language)
    talk = in_a_row(SENTENCE, 60)
    hearing = Hearing(talk, chosen)
    held = []

    for _ in range(60):
        hearing.feed(SENTENCE.length)
        hearing.work_off()
        held.append(held_objects(hearing.session))

    assert len(hearing.reader.finals) == 600 - 10 * (hearing.session.processed < talk.length)
    assert max(held[20:]) <= max(held[:20]) + 20


@modes
@pytest.mark.parametrize(
    "withheld",
    [{kind} for kind in KINDS] + [set(KINDS), set(KINDS[2:])],
    ids=lambda kinds: "+".join(sorted(kinds)),
)
def test_a_session_is_full_but_not_stuck_when_results_do_not_come(
    finals: FinalsMode, withheld: set[str]
) -> None:
    chosen = replace(SETTINGS, finals=finals, endpoints=CUTTING, capacity=from_ms(40_000))
    talk = in_a_row(SENTENCE, 60)
    hearing = Hearing(talk, chosen)
    unruly = Unruly(hearing, talk, Random(1))
    unruly.withheld = frozenset(withheld)

    for _ in unruly.steps():
        assert 0 <= hearing.session.room <= chosen.capacity
        assert held_objects(hearing.session) < 8_000
        assert len(hearing.waiting) <= len(KINDS)
    if hearing.session.received < talk.length:
        assert hearing.session.room == 0
        with pytest.raises(BacklogFull):
            hearing.feed(1)
    unruly.relent()

    is_over(hearing)
    assert text_of(hearing.reader.words) == talk.text


# --- Failures -------------------------------------------------------------------------------------

ENGINES = {
    "vad": frozenset({"score"}),
    "diarizer": frozenset({"diarize"}),
    "recognizer": frozenset({Effort.LIVE.value, Effort.UTTERANCE.value}),
}
"""Which work each engine does."""


@law
@given(talks(), settings_of_sessions(), seeds, st.sampled_from(sorted(ENGINES)))
def test_a_session_gives_up_once_when_an_engine_keeps_failing(
    talk: Talk, chosen: SessionSettings, seed: int, engine: str
) -> None:
    hearing = Hearing(talk, chosen)
    unruly = Unruly(hearing, talk, Random(seed))
    unruly.broken = ENGINES[engine]

    unruly.hear()

    if unruly.failures == 0:
        is_over(hearing)
        assert text_of(hearing.reader.words) == talk.text
    else:
        assert unruly.failures == ATTEMPTS
        assert hearing.session.finished
        assert hearing.ask() is None
        assert hearing.events[-1] == EngineFailed(engine, "broken")


# --- Flushes --------------------------------------------------------------------------------------


@law
@given(talks(), settings_of_sessions(), seeds, st.lists(st.integers(0, 300_000), max_size=4))
def test_a_flush_makes_final_what_was_said_before_it(
    talk: Talk, chosen: SessionSettings, seed: int, places: list[int]
) -> None:
    hearing, random = Hearing(talk, chosen), Random(seed)
    places = sorted(place for place in places if place <= talk.length)

    for place in places:
        for length in cuts(place - hearing.session.received, random, 20_000):
            hearing.feed(length)
            hearing.work_off()
        hearing.flush()
        hearing.work_off()

        flushed = place // FRAME * FRAME
        assert hearing.reader.partial is None
        assert len(hearing.reader.ended) == len(hearing.reader.began)
        assert all(each.span.end <= flushed for each in hearing.reader.ended)
        whole = left_whole(talk, places, flushed)
        assert [each for each in hearing.reader.plain if each in whole] == whole


@law
@given(talks(), settings_of_sessions(), seeds)
def test_flushes_lose_no_word_however_late_results_are(
    talk: Talk, chosen: SessionSettings, seed: int
) -> None:
    hearing = Hearing(talk, chosen)
    unruly = Unruly(hearing, talk, Random(seed))
    unruly.flush_chance = 0.05

    reader = unruly.hear()

    is_over(hearing)
    whole = left_whole(talk, unruly.flushes, talk.length)
    assert [each for each in reader.plain if each in whole] == whole


def left_whole(talk: Talk, places: Sequence[int], until: int) -> list[Word]:
    """Return the words said before `until` that no flush cut in two."""
    flushed = [place // FRAME * FRAME for place in places]
    return [
        each
        for each in talk.script.words
        if each.span.end <= until
        and not any(each.span.start < place < each.span.end for place in flushed)
    ]


# --- Speakers -------------------------------------------------------------------------------------


@law
@given(
    talk=talks(),
    chosen=settings_of_sessions(diarization=True),
    seed=seeds,
    hesitates=st.booleans(),
    late=st.booleans(),
)
def test_speakers_become_those_that_the_fixed_turns_say(
    talk: Talk, chosen: SessionSettings, seed: int, *, hesitates: bool, late: bool
) -> None:
    hearing = Hearing(talk, chosen, hesitates=hesitates)
    unruly = Unruly(hearing, talk, Random(seed))
    unruly.withheld = frozenset({"diarize"} if late else ())

    words = unruly.hear().words

    said_by = [speaker_of(each.span, talk.script.turns) for each in words]
    assert [each.speaker for each in words] == said_by


@law
@given(talks(), settings_of_sessions(diarization=False), seeds)
def test_nobody_is_named_without_diarization(
    talk: Talk, chosen: SessionSettings, seed: int
) -> None:
    hearing = Hearing(talk, chosen)

    words = Unruly(hearing, talk, Random(seed)).hear().words

    assert all(each.speaker is None for each in words)
    assert not any(isinstance(event, SpeakerRevised) for event in hearing.events)


# --- Origins --------------------------------------------------------------------------------------


@law
@given(talks(), settings_of_sessions(), seeds, st.integers(0, 10_000_000), st.integers(0, 1_000))
def test_a_session_that_begins_later_is_one_from_zero_shifted(
    talk: Talk, chosen: SessionSettings, seed: int, start: int, first: int
) -> None:
    begin, number = Samples(start), UtteranceId(first)
    lengths = cuts(talk.length, Random(seed), 20_000)
    shifted = replace(talk, script=talk.script.shifted(begin))
    origin = Hearing(talk, chosen, hesitates=True)
    later = Hearing(shifted, chosen, start=begin, first=number, hesitates=True)

    origin.hear(lengths)
    later.hear(lengths)

    assert later.events == [moved(event, begin, number) for event in origin.events]


def moved(event: Event, by: Samples, first: int) -> Event:
    """Return what a session says instead that began `by` later with another utterance."""
    match event:
        case SpeechStarted(utterance, at):
            return SpeechStarted(UtteranceId(utterance + first), Samples(at + by))
        case Partial(utterance, words, stable):
            return Partial(UtteranceId(utterance + first), moved_words(words, by), stable)
        case Final(utterance, words):
            return Final(UtteranceId(utterance + first), moved_words(words, by))
        case Correction(utterance, span, words):
            number = UtteranceId(utterance + first)
            return Correction(number, moved_span(span, by), moved_words(words, by))
        case UtteranceEnded(utterance, span):
            return UtteranceEnded(UtteranceId(utterance + first), moved_span(span, by))
        case SpeakerRevised(span, speaker):
            return SpeakerRevised(moved_span(span, by), speaker)
        case LanguageDetected() | EngineFailed():
            return event
        case _:
            assert_never(event)


def moved_words(words: Sequence[Word], by: Samples) -> tuple[Word, ...]:
    return tuple(replace(each, span=moved_span(each.span, by)) for each in words)


def moved_span(span: Span, by: Samples) -> Span:
    return Span(Samples(span.start + by), Samples(span.end + by))
