"""Names stay on the voices they were given to, with real weights.

A conversation is told apart as it is heard live, a name goes to each speaker, and then the accurate
pass tells the voices apart over the whole of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import pytest

from offline.audio import HeldAudio
from offline.casting import cast
from offline.diarization import EngineDiarizer, OfflineDiarization, VoiceTurn
from offline.domain import PassId, PassWord, Run, Segment, SpeakerId, TurnId
from offline.page import Page
from offline.results import HeardWord
from offline.speaking import assign, by_time
from offline.view import View
from streaming.core.domain import Samples, Span, Turn, to_ms
from streaming.core.ports import Diarization
from streaming.engines.diart import DiartModels
from streaming.engines.pyannote import PyannoteDiarizer
from tests.streaming.engines.recordings import Recording, answers, fixed_turns, weights

pytestmark = pytest.mark.models

LIVE = PassId("1")
LATENCY = Samples(32_000)


def live(recording: Recording) -> list[Diarization]:
    models = DiartModels.load(
        segmentation=weights("segmentation-3.0"), embedding=weights("campplus")
    )
    return answers(models.diarizer(LATENCY), recording.pcm, LATENCY)


def offline(recording: Recording) -> OfflineDiarization:
    engine = PyannoteDiarizer.load(
        segmentation=weights("segmentation-3.0"), embedding=weights("campplus")
    )
    everything = Span(Samples(0), Samples(len(recording.pcm)))
    return EngineDiarizer(engine).diarize(HeldAudio(recording.pcm), everything, lambda _part: None)


def words_of(recording: Recording) -> list[PassWord]:
    return [
        PassWord(word.text, to_ms(word.span.start), to_ms(word.span.end), word.confidence)
        for word in recording.script.words
    ]


def speaking(words: Sequence[PassWord], said: Iterable[Turn]) -> list[SpeakerId | None]:
    """Return who says each word, as turns have it."""
    turns = sorted(said, key=lambda turn: turn.span.start)
    names = sorted({turn.speaker for turn in turns})
    rows = [
        VoiceTurn(to_ms(turn.span.start), to_ms(turn.span.end), names.index(turn.speaker))
        for turn in turns
    ]
    return [None if voice is None else SpeakerId(names[voice]) for voice in by_time(words, rows)]


def written(words: list[PassWord], speakers: Sequence[SpeakerId | None]) -> View:
    """Return the transcript of a live session, a turn for each change of speaker."""
    runs: list[Run] = []
    of_turns: dict[TurnId, SpeakerId] = {}
    before: SpeakerId | None = None
    for number, (word, speaker) in enumerate(zip(words, speakers, strict=True)):
        if number == 0 or speaker != before:
            turn, before = TurnId(f"t{number}"), speaker
            runs.append(Run("\n", turn=turn))
            if speaker is not None:
                of_turns[turn] = speaker
        runs.append(Run(word.text, Segment(LIVE, number, number + 1)))
    passes = {LIVE: words}
    page = Page.of(runs, passes)
    return View(page, of_turns, frozenset(), passes, lambda _start, _end: True)


def mostly(people: Iterable[str], labels: Iterable[SpeakerId | None]) -> dict[str, SpeakerId]:
    """Return which label each person's words have most often."""
    counts: dict[str, Counter[SpeakerId]] = {}
    for person, label in zip(people, labels, strict=True):
        if label is not None:
            counts.setdefault(person, Counter())[label] += 1
    return {person: counted.most_common(1)[0][0] for person, counted in counts.items()}


def test_speakers_stay_who_they_are_when_voices_are_told_apart_anew() -> None:
    recording = Recording.read("conversations/pub-3spk-ov08")
    words, said = words_of(recording), live(recording)
    people = [str(name) for name in speaking(words, recording.script.turns)]
    labels = speaking(words, fixed_turns(said))
    found = offline(recording)
    heard: tuple[HeardWord, ...] = assign(words, found.turns)
    view = written(words, labels)
    prints = {SpeakerId(voice.speaker): [voice.print] for voice in said[-1].voices}

    for known in ({}, prints):
        who = cast(view, {LIVE}, {}, heard, found.voices, known)
        again = [None if each.voice is None else who.get(each.voice) for each in heard]
        named = mostly(people, labels)
        assert mostly(people, again) == named
        assert len(set(named.values())) == len(named) == len(set(people))
        kept = sum(named[person] == label for person, label in zip(people, again, strict=True))
        assert len(named) == 3
        assert kept >= 0.9 * len(words)
