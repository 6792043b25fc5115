"""What every implementation of `Vad`, `Diarizer` and `Recognizer` promises, scripted and real.

All of them are given the same recordings. The real ones hear them; the scripted ones play what is
known to be said in them. Whatever a session relies on is tested here for both, so that tests of
the session with scripted engines say something about real ones.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

import numpy as np
import pytest

from streaming.core.domain import FRAME, SAMPLE_RATE, Pcm, Samples, Span, Turn
from streaming.core.ports import (
    Diarization,
    Diarizer,
    Effort,
    RecognitionWindow,
    Recognizer,
    Transcription,
    Vad,
)
from streaming.core.settings import (
    DIARIZATION_WINDOW,
    SHORTEST_DIARIZATION_LATENCY,
    diarization_step,
)
from streaming.engines.diart import DiartModels
from streaming.engines.script import Script
from streaming.engines.scripted import ScriptedDiarizer, ScriptedRecognizer, ScriptedVad
from streaming.engines.silero import SileroModel, packaged_graph
from tests.streaming.engines.recordings import (
    Recording,
    answers,
    diarization_windows,
    fixed_turns,
    frames,
    weights,
)

T = TypeVar("T")
NOTHING = Script.of([])


@cache
def recording(name: str) -> Recording:
    return Recording.read(name)


def silence(samples: int) -> Pcm:
    return np.zeros(samples, dtype=np.float32)


# --- Vad ------------------------------------------------------------------------------------------


def silero(_: Script) -> Vad:
    return SileroModel.load(packaged_graph()).vad()


vads = pytest.mark.parametrize("vad", [ScriptedVad, silero])
"""Makers of the detector of a session in which a script is said."""

NewVad = Callable[[Script], Vad]


@vads
def test_vad_tells_speech_from_pauses(vad: NewVad) -> None:
    jfk = recording("items/jfk")
    detector = vad(jfk.script)

    scores = np.array([detector.score(frame) for frame in frames(jfk.pcm)])

    middles = np.arange(len(scores)) * FRAME + FRAME // 2
    spoken = [word.span for word in jfk.script.words if word.span.length >= 4 * FRAME]
    in_words = np.any([(s.start + FRAME < middles) & (middles < s.end - FRAME) for s in spoken], 0)
    # "... ask not | what your country": the pauses between are longer than half a second.
    ends = [word.span.end for word in jfk.script.words]
    starts = [word.span.start for word in jfk.script.words]
    pauses = [
        (end + 0.2 * SAMPLE_RATE, start - 0.2 * SAMPLE_RATE)
        for end, start in zip(ends, starts[1:], strict=False)
        if start - end > 0.5 * SAMPLE_RATE
    ]
    in_pauses = np.any([(start < middles) & (middles < end) for start, end in pauses], axis=0)
    assert np.mean(scores[in_words] > 0.5) > 0.9
    assert np.mean(scores[in_pauses] < 0.5) > 0.6


@vads
def test_vad_scores_are_probabilities(vad: NewVad) -> None:
    jfk = recording("items/jfk")
    detector = vad(jfk.script)

    scores = [detector.score(frame) for frame in frames(jfk.pcm)[:60]]

    assert all(type(score) is float and 0 <= score <= 1 for score in scores)


@vads
def test_vad_hears_no_speech_in_silence(vad: NewVad) -> None:
    detector = vad(NOTHING)

    assert max(detector.score(silence(FRAME)) for _ in range(30)) < 0.2


@vads
def test_vad_sessions_do_not_disturb_each_other(vad: NewVad) -> None:
    jfk = recording("items/jfk")
    heard = frames(jfk.pcm)[:60]
    alone, one, other = vad(jfk.script), vad(jfk.script), vad(NOTHING)
    expected = [alone.score(frame) for frame in heard]

    mixed = [(one.score(frame), other.score(silence(FRAME)))[0] for frame in heard]

    assert mixed == expected


@vads
@pytest.mark.parametrize("shape", [(FRAME - 1,), (FRAME + 1,), (1, FRAME)])
def test_vad_refuses_anything_but_a_frame(vad: NewVad, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="512"):
        vad(NOTHING).score(np.zeros(shape, dtype=np.float32))


# --- Diarizer -------------------------------------------------------------------------------------

NewDiarizer = Callable[[Script, Samples], Diarizer]
TALK = "conversations/pub-2spk-clean"
TALK_LENGTH = 30 * SAMPLE_RATE


def scripted_diarizer(script: Script, latency: Samples) -> Diarizer:
    return ScriptedDiarizer(script, latency)


def hesitating_diarizer(script: Script, latency: Samples) -> Diarizer:
    return ScriptedDiarizer(script, latency, hesitates=True)


def diart(_: Script, latency: Samples) -> Diarizer:
    return diart_models().diarizer(latency)


@cache
def diart_models() -> DiartModels:
    return DiartModels.load(segmentation=weights("segmentation-3.0"), embedding=weights("campplus"))


diarizers = pytest.mark.parametrize(
    "diarizer",
    [scripted_diarizer, hesitating_diarizer, pytest.param(diart, marks=pytest.mark.models)],
)
"""Makers of the diarizer of a session in which a script is said, with a latency."""

latencies = pytest.mark.parametrize("latency", [8_000, 32_000, 80_000])


@cache
def said_about_talk(diarizer: NewDiarizer, latency: int) -> list[Diarization]:
    """Return what a diarizer says to the first half minute of a talk of two."""
    talk = recording(TALK)
    own = diarizer(talk.script, Samples(latency))
    return answers(own, talk.pcm[:TALK_LENGTH], Samples(latency))


@diarizers
@latencies
def test_diarizer_fixes_labels_in_order_and_within_its_latency(
    diarizer: NewDiarizer, latency: int
) -> None:
    fixed = 0
    said = said_about_talk(diarizer, latency)
    for (_, start), answer in zip(
        diarization_windows(recording(TALK).pcm[:TALK_LENGTH], Samples(latency)), said, strict=True
    ):
        end = start + DIARIZATION_WINDOW
        assert max(fixed, end - latency) <= answer.fixed_until <= end
        fixed = answer.fixed_until


@diarizers
@latencies
def test_diarizer_turns_lie_between_what_is_fixed_and_the_newest_audio(
    diarizer: NewDiarizer, latency: int
) -> None:
    fixed, end = 0, 0
    for answer in said_about_talk(diarizer, latency):
        end += diarization_step(Samples(latency))
        assert all(fixed <= turn.span.start < turn.span.end <= end for turn in answer.turns)
        fixed = answer.fixed_until


@diarizers
@latencies
def test_diarizer_turns_are_in_order_and_those_of_one_speaker_apart(
    diarizer: NewDiarizer, latency: int
) -> None:
    for answer in said_about_talk(diarizer, latency):
        starts = [turn.span.start for turn in answer.turns]
        assert starts == sorted(starts)
        last: dict[str, int] = {}
        for turn in answer.turns:
            assert turn.span.start > last.get(turn.speaker, -1)
            last[turn.speaker] = turn.span.end


@diarizers
@latencies
def test_diarizer_names_speakers_in_order_of_appearance(
    diarizer: NewDiarizer, latency: int
) -> None:
    names = [turn.speaker for said in said_about_talk(diarizer, latency) for turn in said.turns]

    unique = list(dict.fromkeys(names))
    assert unique == [f"S{n + 1}" for n in range(len(unique))]


@diarizers
@latencies
def test_diarizer_gives_most_speech_of_a_clear_talk_to_the_right_one(
    diarizer: NewDiarizer, latency: int
) -> None:
    truth = [turn for turn in recording(TALK).script.turns if turn.span.end <= TALK_LENGTH]
    said = fixed_turns(said_about_talk(diarizer, latency))

    assert {turn.speaker for turn in said} == {"S1", "S2"}
    speech = sum(turn.span.length for turn in truth)
    assert sum(shared(said, turn) for turn in truth) > 0.8 * speech


def shared(said: list[Turn], turn: Turn) -> int:
    """Return how much of a turn is given to its speaker."""
    return sum(turn.span.overlap(each.span) for each in said if each.speaker == turn.speaker)


@diarizers
def test_diarizer_finds_nobody_in_silence(diarizer: NewDiarizer) -> None:
    said = answers(diarizer(NOTHING, SHORTEST_DIARIZATION_LATENCY), silence(3 * SAMPLE_RATE))

    assert not any(answer.turns for answer in said)


@diarizers
def test_diarizer_sessions_do_not_disturb_each_other(diarizer: NewDiarizer) -> None:
    talk = recording(TALK)
    one, other = diarizer(talk.script, Samples(8_000)), diarizer(NOTHING, Samples(8_000))
    windows = list(diarization_windows(talk.pcm[: 10 * SAMPLE_RATE]))

    mixed = [
        (one.label(window, start), other.label(silence(DIARIZATION_WINDOW), start))[0]
        for window, start in windows
    ]

    assert mixed[:-1] == said_about_talk(diarizer, 8_000)[: len(mixed) - 1]


@diarizers
def test_diarizer_may_be_called_from_another_thread_each_time(diarizer: NewDiarizer) -> None:
    talk = recording(TALK)
    session = diarizer(talk.script, Samples(8_000))

    said = [
        in_a_thread(session.label, window, start)
        for window, start in diarization_windows(talk.pcm[: 5 * SAMPLE_RATE])
    ]

    assert said == said_about_talk(diarizer, 8_000)[: len(said)]


def in_a_thread(call: Callable[[Pcm, Samples], T], window: Pcm, start: Samples) -> T:
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(call, window, start).result()


# --- Recognizer -----------------------------------------------------------------------------------

NewRecognizer = Callable[[Script], Recognizer]
SENTENCE = "items/jfk"
OFFSET = Samples(7 * SAMPLE_RATE)


def scripted_recognizer(script: Script) -> Recognizer:
    return ScriptedRecognizer(script)


def hesitating_recognizer(script: Script) -> Recognizer:
    return ScriptedRecognizer(script, hesitates=True)


def whisper(_: Script) -> Recognizer:
    return loaded_whisper()


@cache
def loaded_whisper() -> Recognizer:
    from streaming.engines.whisper import WhisperRecognizer

    return WhisperRecognizer(weights("whisper-base"), live=True)


recognizers = pytest.mark.parametrize(
    "recognizer",
    [scripted_recognizer, hesitating_recognizer, pytest.param(whisper, marks=pytest.mark.models)],
)
"""Makers of a recognizer of sessions in which a script is said."""

efforts = pytest.mark.parametrize("effort", Effort)


def sentence(
    *, effort: Effort = Effort.LIVE, language: str | None = "en", end: int = 0
) -> RecognitionWindow:
    """Return a window of the recorded sentence as if it had begun at `OFFSET`."""
    pcm = recording(SENTENCE).pcm
    return RecognitionWindow(OFFSET, pcm[: end or len(pcm)], effort, language)


def later_script() -> Script:
    """Return what is said in `sentence()`, where it is said."""
    return recording(SENTENCE).script.shifted(OFFSET)


def plain(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalpha() or letter == " ").strip()


def text_of(transcription: Transcription) -> str:
    return plain("".join(word.text for word in transcription.words))


def true_text() -> str:
    return plain("".join(word.text for word in recording(SENTENCE).script.words))


@recognizers
@efforts
def test_recognizer_hears_what_is_said(recognizer: NewRecognizer, effort: Effort) -> None:
    (heard,) = recognizer(later_script()).recognize([sentence(effort=effort)])

    assert text_of(heard) == true_text()


@recognizers
@efforts
def test_recognizer_words_are_in_order_within_the_window(
    recognizer: NewRecognizer, effort: Effort
) -> None:
    window = sentence(effort=effort, end=6 * SAMPLE_RATE)
    span = Span(window.start, Samples(window.start + len(window.pcm)))

    (heard,) = recognizer(later_script()).recognize([window])

    edges = [edge for word in heard.words for edge in (word.span.start, word.span.end)]
    assert edges == sorted(edges)
    assert span.start <= edges[0]
    assert edges[-1] <= span.end
    assert all(type(edge) is int for edge in edges)


@recognizers
def test_recognizer_words_are_where_they_are_said(recognizer: NewRecognizer) -> None:
    script = later_script()

    (heard,) = recognizer(script).recognize([sentence()])

    for word, truth in zip(heard.words, script.words, strict=True):
        assert abs(word.span.end - truth.span.end) < 0.4 * SAMPLE_RATE


@recognizers
def test_recognizer_confidences_are_permille_and_nobody_is_named(
    recognizer: NewRecognizer,
) -> None:
    (heard,) = recognizer(later_script()).recognize([sentence()])

    assert all(type(w.confidence) is int and 0 <= w.confidence <= 1000 for w in heard.words)
    assert all(word.speaker is None for word in heard.words)


@recognizers
def test_recognizer_detects_a_language_only_when_asked(recognizer: NewRecognizer) -> None:
    asked, told = recognizer(later_script()).recognize([sentence(language=None), sentence()])

    assert asked.language is not None
    assert asked.language.code == "en"
    assert 500 < asked.language.confidence <= 1000
    assert told.language is None


@recognizers
def test_recognizer_answers_a_batch_in_its_order(recognizer: NewRecognizer) -> None:
    engine = recognizer(later_script())
    windows = [sentence(), sentence(end=3 * SAMPLE_RATE), sentence(end=6 * SAMPLE_RATE)]

    together = engine.recognize(windows)

    assert [text_of(each) for each in together] == [
        text_of(each) for window in windows for each in engine.recognize([window])
    ]


@recognizers
def test_recognizer_answers_nothing_to_an_empty_batch(recognizer: NewRecognizer) -> None:
    assert list(recognizer(later_script()).recognize([])) == []


@recognizers
def test_recognizer_keeps_no_state_between_calls_of_several_threads(
    recognizer: NewRecognizer,
) -> None:
    engine = recognizer(later_script())
    windows = [sentence(end=3 * SAMPLE_RATE), sentence(end=6 * SAMPLE_RATE)]
    alone = [list(engine.recognize([window])) for window in windows]

    with ThreadPoolExecutor(2) as executor:
        together = list(executor.map(lambda n: list(engine.recognize([windows[n % 2]])), range(4)))

    assert together == alone * 2
