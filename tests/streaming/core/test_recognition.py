"""Tests of `streaming.core.recognition`: when it listens, and what it makes of the answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streaming.core.attribution import NOBODY_NAMED, Attribution
from streaming.core.domain import DetectedLanguage, Permille, Samples, Span, UtteranceId, from_ms
from streaming.core.events import (
    Correction,
    Event,
    Final,
    LanguageDetected,
    Partial,
    SpeechStarted,
    UtteranceEnded,
)
from streaming.core.ports import Effort, Transcription
from streaming.core.recognition import Recognition, Wanted
from streaming.core.settings import FinalsMode, SessionSettings
from tests.streaming.core.scripts import LIVE, SETTINGS, text_of, word_ms

FIRST = UtteranceId(5)
STEP_MS = 500
CHOSEN = replace(SETTINGS, live=replace(LIVE, step=from_ms(STEP_MS), waiting_passes=2))


class Listening:
    """A `Recognition` and what it said; times in milliseconds. Owned by one test."""

    def __init__(self, settings: SessionSettings) -> None:
        """Begin with no utterance."""
        self.events: list[Event] = []
        attribution = Attribution(NOBODY_NAMED)
        self.recognition = Recognition(settings, FIRST, self.events.append, attribution)

    def begin(self, start_ms: int) -> None:
        """An utterance begins."""
        self.recognition.begin(from_ms(start_ms))

    def end(self, start_ms: int, end_ms: int, speech_end_ms: int) -> None:
        """It ends."""
        span = Span(from_ms(start_ms), from_ms(end_ms))
        self.recognition.end(span, from_ms(speech_end_ms))

    def wanted(self, position_ms: int, speech_end_ms: int) -> Wanted | None:
        """Return the window that is due."""
        return self.recognition.wanted(from_ms(position_ms), from_ms(speech_end_ms))

    def listen(self, position_ms: int, speech_end_ms: int, *words: str) -> None:
        """Answer the window that is due with words of 100 ms from its start."""
        wanted = self.wanted(position_ms, speech_end_ms)
        assert wanted is not None
        self.answer(wanted, *words)

    def answer(self, wanted: Wanted, *words: str, language: DetectedLanguage | None = None) -> None:
        """Answer a window with words of 100 ms from its start."""
        start_ms = wanted.span.start // 16
        heard = tuple(
            word_ms(text, start_ms + 100 * n, start_ms + 100 * n + 100, None)
            for n, text in enumerate(words)
        )
        self.recognition.answer(wanted, Transcription(heard, language))

    def news(self) -> list[str]:
        """Return what was said since, in short."""
        news = [_short(event) for event in self.events]
        self.events.clear()
        return news


def _short(event: Event) -> str:
    match event:
        case SpeechStarted(utterance):
            return f"begin {utterance}"
        case Partial(_, words, stable):
            return f"partial{text_of(words)} / {stable}"
        case Final(_, words):
            return f"final{text_of(words)}"
        case UtteranceEnded(utterance):
            return f"end {utterance}"
        case Correction(utterance, _, words):
            return f"correct {utterance}{text_of(words)}"
        case LanguageDetected(language):
            return f"language {language.code}"
        case _:
            return "unexpected"


@pytest.fixture
def listening() -> Listening:
    return Listening(CHOSEN)


# --- When -----------------------------------------------------------------------------------------


def test_nothing_is_wanted_while_nobody_speaks(listening: Listening) -> None:
    assert listening.wanted(9_000, 0) is None
    assert listening.recognition.idle
    assert listening.recognition.needed_from is None
    assert listening.recognition.heard_until is None
    assert listening.recognition.step == CHOSEN.live.step


def test_a_window_is_due_after_a_step_of_new_speech(listening: Listening) -> None:
    listening.begin(1_000)
    assert listening.wanted(1_000 + STEP_MS - 1, 1_400) is None

    wanted = listening.wanted(1_000 + STEP_MS, 1_400)

    assert wanted is not None
    assert wanted.span == Span(from_ms(1_000), from_ms(1_500))
    assert (wanted.effort, wanted.language) == (Effort.LIVE, "en")
    assert listening.wanted(9_000, 8_900) is None, "one at a time"
    assert listening.recognition.needed_from == from_ms(1_000)


def test_a_window_is_due_at_once_when_speech_stops(listening: Listening) -> None:
    listening.begin(1_000)
    listening.listen(1_500, 1_500)

    assert listening.wanted(1_799, 1_600) is None
    assert listening.wanted(1_800, 1_600) is not None


def test_silence_is_not_heard_again(listening: Listening) -> None:
    listening.begin(1_000)
    listening.listen(1_800, 1_600)

    assert listening.wanted(2_500, 1_600) is None


def test_what_follows_speech_too_closely_is_heard_again(listening: Listening) -> None:
    listening.begin(1_000)
    listening.listen(1_600, 1_501)

    assert listening.wanted(1_701, 1_501) is not None


def test_a_window_that_failed_is_wanted_again(listening: Listening) -> None:
    listening.begin(0)
    wanted = listening.wanted(500, 500)
    assert wanted is not None

    listening.recognition.answer(wanted, None)

    assert listening.wanted(600, 600) is not None


def test_a_window_is_led_by_what_the_one_before_heard(listening: Listening) -> None:
    listening.begin(0)
    first = listening.wanted(500, 500)
    assert first is not None
    listening.answer(first, " so", " it", " is,")
    listening.listen(1_000, 1_000, " so", " it", " was,", " then")

    wanted = listening.wanted(1_500, 1_500)

    assert first.expected == ""
    assert wanted is not None
    assert wanted.expected == " so it was, then"


def test_what_the_recognizer_keeps_comes_with_the_next_window_of_the_utterance(
    listening: Listening,
) -> None:
    recognition = listening.recognition
    listening.begin(0)
    first = listening.wanted(500, 500)
    assert first is not None
    recognition.answer(first, Transcription((), kept="first"))
    second = listening.wanted(1_000, 900)
    assert second is not None
    recognition.answer(second, None)
    third = listening.wanted(1_100, 900)
    assert third is not None
    recognition.answer(third, Transcription((), kept="third"))
    listening.end(0, 1_100, 900)
    listening.begin(2_000)

    fourth = listening.wanted(2_500, 2_500)

    assert fourth is not None
    assert [each.kept for each in (first, second, third, fourth)] == [None, "first", "first", None]


# --- What -----------------------------------------------------------------------------------------


def test_words_are_told_before_they_are_final(listening: Listening) -> None:
    listening.begin(0)
    listening.listen(500, 500, " a", " b")
    listening.listen(1_000, 1_000, " a", " b", " c")

    assert listening.news() == [
        "begin 5",
        "partial a b / 0",
        "final a b",
        "partial c / 0",
    ]


def test_the_same_is_not_told_twice() -> None:
    listening = Listening(replace(CHOSEN, lookahead=from_ms(5_000)))
    listening.begin(0)
    for position in (1_000, 1_500, 2_000):
        listening.listen(position, position, " a")

    assert listening.news() == ["begin 5", "partial a / 0", "partial a / 1"]


def test_a_pause_as_long_as_the_lookahead_makes_words_final(listening: Listening) -> None:
    listening.begin(0)
    listening.listen(800, 600, " a")
    listening.news()

    listening.recognition.settle_pause(from_ms(1_199), from_ms(600))
    assert listening.news() == []
    listening.recognition.settle_pause(from_ms(1_200), from_ms(600))

    assert listening.news() == ["final a", "partial / 0"]


def test_a_pause_settles_nothing_that_was_not_heard_to_its_end(listening: Listening) -> None:
    listening.begin(0)
    listening.listen(500, 500, " a")
    listening.news()

    listening.recognition.settle_pause(from_ms(2_000), from_ms(600))

    assert listening.news() == []


def test_speech_that_a_window_overlooked_is_heard_again_without_the_words_before(
    listening: Listening,
) -> None:
    listening.begin(0)
    for position in (1_000, 1_500):
        listening.listen(position, position, " a")
    assert listening.news()[-2:] == ["final a", "partial / 0"]

    wanted = listening.wanted(2_000, 2_000)

    assert wanted is not None
    assert wanted.span == Span(from_ms(100), from_ms(2_000))


def test_an_utterance_closes_when_it_was_heard_to_its_end(listening: Listening) -> None:
    listening.begin(0)
    listening.listen(500, 500, " a")
    listening.end(0, 900, 700)
    assert listening.news() == ["begin 5", "partial a / 0"]

    listening.listen(2_000, 700, " a", " b")

    assert listening.news() == ["final a", "partial b / 0", "final b", "end 5"]


def test_the_next_utterance_waits_for_the_one_before(listening: Listening) -> None:
    listening.begin(0)
    listening.end(0, 900, 700)
    listening.begin(1_000)

    wanted = listening.wanted(2_000, 2_000)

    assert wanted is not None
    assert wanted.span.end == from_ms(900)
    listening.answer(wanted, " a")
    assert listening.recognition.heard_until == from_ms(1_000)


# --- Passes ---------------------------------------------------------------------------------------


def close(listening: Listening, start_ms: int, *words: str) -> None:
    """Hear an utterance of a second, and end it."""
    listening.begin(start_ms)
    listening.listen(start_ms + 900, start_ms + 700, *words)
    listening.end(start_ms, start_ms + 1_000, start_ms + 700)
    listening.news()


def test_a_pass_that_hears_the_same_corrects_nothing(listening: Listening) -> None:
    close(listening, 0, " a")
    wanted = listening.recognition.wanted_pass()
    assert wanted is not None
    assert wanted.effort is Effort.UTTERANCE
    assert listening.recognition.wanted_pass() is None, "one at a time"

    listening.answer(wanted, " a")

    assert listening.news() == []
    assert listening.recognition.idle


@pytest.mark.parametrize(("heard", "news"), [([" b"], ["correct 5 b"]), ([], [])])
def test_a_pass_that_hears_something_else_corrects(
    listening: Listening, heard: list[str], news: list[str]
) -> None:
    close(listening, 0, " a")
    wanted = listening.recognition.wanted_pass()
    assert wanted is not None

    listening.answer(wanted, *heard)

    assert listening.news() == news


@pytest.mark.parametrize(
    ("finals", "doubtful", "speech_ms", "words", "again"),
    [
        (FinalsMode.WORD, 900, 700, [" a"], False),
        (FinalsMode.WORD, 901, 700, [" a"], True),
        (FinalsMode.WORD, 900, 700, [], True),
        (FinalsMode.WORD, 900, 1_100, [" a"], True),
        (FinalsMode.UTTERANCE, 900, 700, [" a"], True),
    ],
    ids=["sure", "doubtful", "no-words", "overlooked-speech", "finals-of-utterances"],
)
def test_an_utterance_is_heard_once_more_where_that_may_mend_it(
    finals: FinalsMode, doubtful: int, speech_ms: int, words: list[str], *, again: bool
) -> None:
    live = replace(CHOSEN.live, doubtful=doubtful)
    listening = Listening(replace(CHOSEN, finals=finals, live=live))
    listening.begin(0)
    listening.listen(1_300, speech_ms, *words)

    listening.end(0, 1_300, speech_ms)
    if overlooked := listening.wanted(1_300, speech_ms):
        listening.answer(overlooked)

    assert (listening.recognition.wanted_pass() is not None) is again
    assert listening.recognition.idle is not again


def test_what_the_last_window_overlooked_is_asked_for_before_the_utterance_ends(
    listening: Listening,
) -> None:
    listening.begin(0)
    listening.listen(2_000, 1_800, " a")
    listening.end(0, 2_000, 1_800)
    assert listening.news() == ["begin 5", "partial a / 0", "final a"]

    for start_ms, words in ((100, [" b", " c"]), (300, [])):
        wanted = listening.wanted(2_000, 1_800)
        assert wanted is not None
        assert wanted.span == Span(from_ms(start_ms), from_ms(2_000))
        assert wanted.effort is Effort.LIVE
        listening.answer(wanted, *words)

    news = listening.news()
    assert "final b c" in news
    assert news[-1] == "end 5"


def test_a_window_that_hears_no_new_audio_takes_no_step(listening: Listening) -> None:
    listening.begin(0)
    listening.listen(2_000, 1_800, " a")
    step = listening.recognition.step
    listening.end(0, 1_900, 1_800)  # before where the window ended

    overlooked = listening.wanted(2_000, 1_800)

    assert overlooked is not None
    assert overlooked.span.end == from_ms(1_900)
    assert listening.recognition.step == step


def test_a_pass_that_failed_is_wanted_again(listening: Listening) -> None:
    close(listening, 0, " a")
    wanted = listening.recognition.wanted_pass()
    assert wanted is not None

    listening.recognition.answer(wanted, None)

    assert listening.recognition.wanted_pass() == wanted


def test_a_pass_may_be_left_out_where_finals_stand_without_it(listening: Listening) -> None:
    close(listening, 0, " a")
    close(listening, 2_000, " b")
    first = listening.recognition.wanted_pass()
    assert first is not None

    listening.recognition.leave_out()

    assert first.optional
    assert listening.recognition.wanted_pass() is None, "nor is there time for the next one"
    assert listening.recognition.skipped_passes == 2
    assert listening.recognition.idle
    assert listening.news() == []


@pytest.mark.parametrize("hearing_one", [False, True])
def test_the_oldest_pass_that_waits_is_dropped(listening: Listening, *, hearing_one: bool) -> None:
    heard: list[Wanted] = []
    for number in range(5):
        close(listening, 2_000 * number, " a")
        if hearing_one and not heard and (first := listening.recognition.wanted_pass()):
            heard.append(first)
    for first in heard:
        listening.answer(first, " a")
    while (wanted := listening.recognition.wanted_pass()) is not None:
        heard.append(wanted)
        listening.answer(wanted, " a")

    assert [each.utterance.id - FIRST for each in heard] == [*([0] * hearing_one), 3, 4]
    assert listening.recognition.skipped_passes == 5 - len(heard)


def test_after_a_cut_no_word_is_corrected_twice(listening: Listening) -> None:
    listening.begin(0)
    for position in (2_000, 2_500):
        listening.listen(position, position, " a", " b", " c", " d")
    # It was quietest after b; c and d are final already.
    listening.end(0, 200, 2_600)
    listening.begin(200)
    wanted = listening.wanted(3_000, 3_000)
    assert wanted is not None
    assert wanted.span.start == from_ms(400)
    listening.answer(wanted, " e")
    listening.end(200, 3_000, 1_100)
    listening.news()

    for words in ([" a", " b"], [" e"]):
        wanted = listening.recognition.wanted_pass()
        assert wanted is not None
        listening.answer(wanted, *words)

    assert wanted.span == Span(from_ms(400), from_ms(3_000))
    assert listening.news() == []


def test_finals_of_utterances_come_from_the_pass_with_the_live_words_as_witness() -> None:
    listening = Listening(replace(CHOSEN, finals=FinalsMode.UTTERANCE))
    listening.begin(0)
    listening.listen(500, 500, " a")
    listening.listen(1_000, 1_000, " a", " b")
    assert listening.news() == ["begin 5", "partial a / 0", "partial a b / 1"]
    late = listening.wanted(1_500, 1_500)
    assert late is not None

    listening.end(0, 1_500, 1_400)
    assert listening.recognition.wanted_pass() is None, "the live pass has not heard its end"
    listening.answer(late, " a", " b", " c")
    wanted = listening.recognition.wanted_pass()
    assert wanted is not None
    assert not wanted.optional
    listening.answer(wanted, " x")

    assert listening.news()[-2:] == ["final a b c", "end 5"]


def test_an_utterance_without_words_ends_without_a_final() -> None:
    listening = Listening(replace(CHOSEN, finals=FinalsMode.UTTERANCE))
    listening.begin(0)
    listening.listen(1_500, 1_400)
    listening.end(0, 1_500, 1_400)
    wanted = listening.recognition.wanted_pass()
    assert wanted is not None

    listening.answer(wanted)

    assert listening.news() == ["begin 5", "partial / 0", "end 5"]


def test_partials_are_told_only_where_they_are_wanted() -> None:
    listening = Listening(replace(CHOSEN, partials=False))
    listening.begin(0)
    listening.listen(500, 500, " a")

    assert listening.news() == ["begin 5"]


# --- Language -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("confidence", "length_ms", "detected"),
    [(499, 2_000, False), (500, 1_999, False), (500, 2_000, True), (499, 6_000, True)],
)
def test_a_language_is_believed_when_it_is_likely_or_was_heard_for_long(
    confidence: int, length_ms: int, *, detected: bool
) -> None:
    listening = Listening(replace(CHOSEN, language=None))
    listening.begin(0)
    wanted = listening.wanted(length_ms, length_ms)
    assert wanted is not None
    assert wanted.language is None

    listening.answer(wanted, " a", language=DetectedLanguage("de", Permille(confidence)))

    again = listening.wanted(9_000, 9_000)
    assert again is not None
    assert again.language == ("de" if detected else None)
    assert ("language de" in listening.news()) == detected


def test_nothing_is_final_before_its_language_is_certain() -> None:
    listening = Listening(replace(CHOSEN, language=None))
    listening.begin(0)
    unsure = DetectedLanguage("de", Permille(400))
    for position in (1_000, 5_900):
        wanted = listening.wanted(position, position)
        assert wanted is not None
        listening.answer(wanted, " a", language=unsure)
    listening.recognition.settle_pause(Samples(10**6), Samples(0))
    assert listening.news() == ["begin 5", "partial a / 0", "partial a / 1"]

    listening.end(0, 6_000, 700)

    assert listening.news() == ["final a", "end 5"]
