"""Tests of `streaming.core.session` by example; its laws are in `test_session_laws`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streaming.core.domain import FRAME, Samples, Span, UtteranceId, from_ms
from streaming.core.errors import BacklogFull, SessionFinished
from streaming.core.events import EngineFailed, UtteranceEnded
from streaming.core.ports import Effort, Transcription
from streaming.core.session import ATTEMPTS, FRAMES_AT_ONCE, StreamSession
from streaming.core.settings import DIARIZATION_WINDOW, FinalsMode
from streaming.core.work import Diarize, Recognize, Recognized, Score, Scored
from streaming.engines.script import Script
from tests.streaming.core.hearing import Hearing, held_objects, numbered
from tests.streaming.core.scripts import SENTENCE, SETTINGS, TRIMMING, Talk, in_a_row, word_ms

UNNAMED = replace(SETTINGS, diarization=False)
SECOND = from_ms(1_000)


def audio(length: int) -> Span:
    return Span(Samples(0), Samples(length))


# --- Audio ----------------------------------------------------------------------------------------


def test_a_new_session_has_room_and_nothing_to_do() -> None:
    session = StreamSession(SETTINGS, start=Samples(7))

    assert (session.room, session.received, session.processed) == (SETTINGS.capacity, 7, 7)
    assert session.next_work() is None
    assert session.events() == ()
    assert not session.finished


def test_audio_beyond_the_room_is_refused_whole() -> None:
    session = StreamSession(SETTINGS)
    session.feed(numbered(audio(SETTINGS.capacity - 1)))

    with pytest.raises(BacklogFull, match="at most 1 samples expected, got 2"):
        session.feed(numbered(audio(2)))

    assert (session.room, session.received) == (1, SETTINGS.capacity - 1)
    session.feed(numbered(audio(1)))
    assert session.room == 0


def test_silence_that_was_scored_makes_room_again() -> None:
    hearing = Hearing(Talk(Script.of([]), Samples(0)), UNNAMED)

    hearing.feed(10 * FRAME)
    hearing.work_off()

    assert hearing.session.room == UNNAMED.capacity - UNNAMED.endpoints.lead
    assert hearing.session.processed == 10 * FRAME


def test_after_the_end_nothing_more_is_taken() -> None:
    session = StreamSession(SETTINGS)
    session.finish()
    session.finish()

    assert session.finished
    with pytest.raises(SessionFinished):
        session.feed(numbered(audio(1)))
    with pytest.raises(SessionFinished):
        session.flush()


# --- Work -----------------------------------------------------------------------------------------


def test_frames_are_scored_whole_and_many_at_once() -> None:
    hearing = Hearing(SENTENCE, UNNAMED)
    hearing.feed(FRAME - 1)
    assert hearing.ask() is None
    hearing.feed(FRAMES_AT_ONCE * FRAME + 1)

    work = hearing.ask()

    assert isinstance(work, Score)
    assert work.frames.shape == (FRAMES_AT_ONCE, FRAME)
    assert hearing.ask() is None


def test_frames_that_a_detector_left_out_are_asked_for_again() -> None:
    hearing = Hearing(SENTENCE, UNNAMED)
    hearing.feed(4 * FRAME)
    work = hearing.ask()
    assert isinstance(work, Score)

    hearing.session.complete(Scored(work.id, (0.0,)))
    again = hearing.session.next_work()

    assert isinstance(again, Score)
    assert (again.start, len(again.frames)) == (FRAME, 3)


def test_a_recognizer_is_told_what_the_session_chose() -> None:
    hearing = Hearing(SENTENCE, replace(UNNAMED, hotwords=("Trax",), language="de"))
    hearing.feed(SECOND)

    asked = []
    while (work := hearing.ask()) is not None:
        hearing.tell(hearing.waiting.pop()[1])
        asked += [work.window] if isinstance(work, Recognize) else []

    assert {(window.hotwords, window.language) for window in asked} == {(("Trax",), "de")}


def test_a_recognizer_is_told_what_was_heard_before() -> None:
    hearing = Hearing(SENTENCE, SETTINGS)
    windows = []
    for _ in range(3):
        hearing.feed(SECOND)
        while (work := hearing.ask()) is not None:
            hearing.tell(hearing.waiting.pop()[1])
            windows += [work.window] if isinstance(work, Recognize) else []

    live = [window for window in windows if window.effort is Effort.LIVE]
    assert live[0].expected == ""
    assert any(window.expected for window in live[1:])


def test_a_window_that_waited_has_the_audio_that_came_meanwhile() -> None:
    hearing = Hearing(SENTENCE, UNNAMED)
    asked = live_window(hearing)

    hearing.feed(SECOND)
    while isinstance(hearing.ask(), Score):
        hearing.tell(hearing.waiting.pop()[1])
    newer = hearing.session.renewed(asked)

    assert newer.id == asked.id
    assert newer.window.start == asked.window.start
    assert 0 < len(newer.window.pcm) - len(asked.window.pcm) <= SECOND + FRAME
    assert hearing.session.renewed(newer) == newer
    assert hearing.session.step == len(newer.window.pcm)


def test_a_window_that_begins_elsewhere_now_is_that_one_though_it_ends_where_it_did(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A cut meanwhile made words final, and what follows them was overlooked.
    hearing = Hearing(SENTENCE, UNNAMED)
    asked = live_window(hearing)
    recognition = hearing.session._recognition
    wanted = recognition._listening
    assert wanted is not None
    later = replace(wanted, span=Span(Samples(wanted.span.start + FRAME), wanted.span.end))
    monkeypatch.setattr(recognition, "renewed", lambda *_: later)

    renewed = hearing.session.renewed(asked)

    assert renewed.window.start == later.span.start
    assert len(renewed.window.pcm) == later.span.length


def test_a_window_that_is_not_awaited_stays_as_it_is() -> None:
    hearing = Hearing(SENTENCE, UNNAMED)
    asked = live_window(hearing)
    hearing.tell(hearing.waiting.pop()[1])

    hearing.feed(SECOND)

    assert hearing.session.renewed(asked) is asked


def live_window(hearing: Hearing) -> Recognize:
    """Feed audio until a live window is asked for, which is not answered."""
    while True:
        hearing.feed(FRAME)
        work = hearing.ask()
        if isinstance(work, Recognize):
            return work
        if work is not None:
            hearing.tell(hearing.waiting.pop()[1])


def test_an_outcome_of_the_wrong_kind_is_a_mistake() -> None:
    hearing = Hearing(SENTENCE, SETTINGS)
    hearing.feed(SECOND)
    work = hearing.ask()
    assert isinstance(work, Score)

    with pytest.raises(TypeError, match="the outcome of"):
        hearing.session.complete(Recognized(work.id, Transcription(())))


def test_work_that_failed_is_asked_for_again_under_a_new_id() -> None:
    hearing = Hearing(SENTENCE, UNNAMED)
    hearing.feed(SECOND)
    first = hearing.ask()
    assert isinstance(first, Score)

    hearing.fail(first)
    second = hearing.ask()

    assert isinstance(second, Score)
    assert second.id != first.id
    assert second.start == first.start


def test_a_success_between_failures_starts_the_count_again() -> None:
    hearing = Hearing(SENTENCE, UNNAMED)
    hearing.feed(SENTENCE.length)
    for _ in range(4):
        for _ in range(ATTEMPTS - 1):
            work = hearing.ask()
            assert work is not None
            hearing.fail(work)
        assert hearing.ask() is not None
        hearing.tell(hearing.waiting.pop()[1])

    assert hearing.reader.failed is None


def test_nothing_follows_the_failure_of_an_engine() -> None:
    hearing = Hearing(SENTENCE, SETTINGS)
    hearing.feed(2 * SECOND)
    while (work := hearing.ask()) is not None:
        if isinstance(work, Diarize):
            hearing.fail(work)
        else:
            hearing.tell(hearing.waiting.pop()[1])
    # Somebody is speaking, and would be told to have ended.
    assert hearing.reader.ended == []

    hearing.flush()
    hearing.finish()
    for _, result in hearing.waiting:
        hearing.tell(result)

    assert hearing.events[-1] == EngineFailed("diarizer", "broken")
    assert hearing.session.finished
    assert hearing.ask() is None


# --- Speakers -------------------------------------------------------------------------------------


def diarized(hearing: Hearing, length: int) -> list[int]:
    """Feed audio second by second, and return where diarization windows ended, in seconds."""
    ends: list[int] = []
    for _ in range(0, length, SECOND):
        hearing.feed(SECOND)
        while (work := hearing.ask()) is not None:
            if isinstance(work, Diarize):
                ends.append((work.start + DIARIZATION_WINDOW) // SECOND)
            hearing.tell(hearing.waiting.pop()[1])
    return ends


def test_the_diarizer_hears_nothing_of_long_silence_but_once_a_minute() -> None:
    quiet = Talk(SENTENCE.script, Samples(100 * SECOND))
    hearing = Hearing(quiet, SETTINGS)

    # The last word ends at 3.45 s; with 0.25 s after it, all is fixed from 5.7 s on.
    assert diarized(hearing, quiet.length) == [1, 2, 3, 4, 5, 6, 60]
    assert all(word.speaker == "S1" for word in hearing.reader.words)


def test_the_diarizer_hears_all_of_a_talk_again_after_silence() -> None:
    quiet = Talk(SENTENCE.script, Samples(20 * SECOND))
    hearing = Hearing(in_a_row(quiet, 2), SETTINGS)

    assert diarized(hearing, 2 * quiet.length)[6:12] == [21, 22, 23, 24, 25, 26]


def diarization_window(hearing: Hearing) -> Diarize:
    """Feed a second, and return the diarization window that it makes due; it is not answered."""
    hearing.feed(SECOND)
    while not isinstance(work := hearing.ask(), Diarize):
        assert work is not None
        hearing.tell(hearing.waiting.pop()[1])
    return work


@pytest.mark.parametrize(("seconds", "end_s"), [(0, 1), (0.9, 1), (1, 2), (5, 2)])
def test_a_diarization_window_that_waited_leads_on(seconds: float, end_s: int) -> None:
    hearing = Hearing(SENTENCE, SETTINGS)
    asked = diarization_window(hearing)

    hearing.feed(round(seconds * SECOND))
    while (work := hearing.ask()) is not None:
        hearing.tell(hearing.waiting.pop(-1)[1])
        assert not isinstance(work, Diarize), "one is out"
    later = hearing.session.caught_up(asked)

    assert later.id == asked.id
    assert later.start + DIARIZATION_WINDOW == end_s * SECOND
    assert hearing.session.caught_up(later).start == later.start
    hearing.renew()
    hearing.tell(hearing.waiting.pop()[1])
    assert diarization_window(hearing).start == later.start + SECOND


def test_a_diarization_window_that_is_not_awaited_stays_as_it_is() -> None:
    hearing = Hearing(SENTENCE, SETTINGS)
    asked = diarization_window(hearing)
    hearing.tell(hearing.waiting.pop()[1])

    hearing.feed(2 * SECOND)

    assert hearing.session.caught_up(asked) is asked


def test_what_is_not_diarized_is_not_processed() -> None:
    hearing = Hearing(SENTENCE, SETTINGS)
    diarization_window(hearing)

    hearing.feed(2 * SECOND)
    while hearing.ask() is not None:
        hearing.tell(hearing.waiting.pop(-1)[1])
    assert hearing.session.processed == SECOND

    hearing.tell(hearing.waiting.pop()[1])
    hearing.work_off()
    assert hearing.session.processed > 2 * SECOND


# --- Utterances -----------------------------------------------------------------------------------


def test_an_utterance_ends_where_the_audio_ends_though_its_last_frame_does_not() -> None:
    talk = Talk(Script.of([word_ms(" yes", 0, 200)]), Samples(from_ms(200) + 1))

    reader = Hearing(talk, UNNAMED).hear([talk.length])

    assert reader.ended == [UtteranceEnded(UtteranceId(0), audio(talk.length))]


def test_flushing_again_and_again_is_flushing_once() -> None:
    hearing = Hearing(SENTENCE, UNNAMED)
    hearing.feed(SECOND)
    hearing.flush()
    held = held_objects(hearing.session)

    for _ in range(100):
        hearing.flush()

    assert held_objects(hearing.session) == held
    hearing.work_off()
    assert len(hearing.reader.ended) == 1


def test_a_session_is_processed_as_far_as_it_was_heard() -> None:
    hearing = Hearing(SENTENCE, UNNAMED)
    hearing.feed(2 * SECOND)
    while not isinstance(hearing.ask(), Recognize):
        hearing.tell(hearing.waiting.pop()[1])

    assert hearing.session.received == 2 * SECOND
    assert hearing.session.processed < SECOND
    hearing.tell(hearing.waiting.pop()[1])
    hearing.work_off()
    assert hearing.session.processed > SECOND


def test_steps_grow_while_answers_are_late() -> None:
    hearing = Hearing(SENTENCE, UNNAMED)
    hearing.feed(2 * SECOND)
    hearing.work_off()
    prompt = hearing.session.step
    late = []
    for _ in range(10):
        hearing.feed(from_ms(160))
        while (work := hearing.ask()) is not None:
            answer = hearing.waiting.pop()[1]
            late.append(answer) if isinstance(work, Recognize) else hearing.tell(answer)
    assert len(late) == 1

    hearing.tell(late.pop())
    hearing.work_off()

    assert prompt < 1.2 * UNNAMED.live.step
    assert hearing.session.step > from_ms(1_000)


def test_passes_are_dropped_where_finals_stand_without_them() -> None:
    skipped = {}
    for finals in FinalsMode:
        chosen = replace(UNNAMED, finals=finals, live=TRIMMING)
        talk = Talk(SENTENCE.script.repeated(SENTENCE.length, 6), Samples(6 * SENTENCE.length))
        hearing = Hearing(talk, chosen)
        held_back = []
        for _ in range(6):
            hearing.feed(SENTENCE.length)
            while (work := hearing.ask()) is not None:
                answer = hearing.waiting.pop()[1]
                whole = isinstance(work, Recognize) and work.window.effort.value == "utterance"
                held_back.append(answer) if whole else hearing.tell(answer)
        skipped[finals] = hearing.session.skipped_passes

    # One is being heard, one may wait.
    assert skipped == {FinalsMode.WORD: 4, FinalsMode.UTTERANCE: 0}
