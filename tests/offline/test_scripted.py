"""A scripted pass hears what lies in its task's span, and who says it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from offline.jobs import JobKind, Task
from offline.results import HeardVoice
from offline.scripted import ScriptedPass
from streaming.core.domain import Samples, from_ms
from streaming.engines.script import Script
from tests.server.talking import talk


@dataclass(frozen=True)
class Silence:
    """Audio without anything in it."""

    samples: Samples


TASK = Task(JobKind.RECORDING, "transcript-aaaaaaaaaa", "session1")
HOUR = Silence(from_ms(3_600_000))
PASS = ScriptedPass(Script.from_json(talk(10)))


def test_a_whole_session_is_heard_with_its_speakers() -> None:
    told: list[float] = []

    hearing = PASS.hear(HOUR, TASK, (), told.append)

    assert [word.word.text for word in hearing.words] == [f" w{n}" for n in range(10)]
    assert [word.voice for word in hearing.words] == [0] * 5 + [1] * 5
    assert hearing.voices == (HeardVoice(b"", 2400), HeardVoice(b"", 2400))
    assert (hearing.start_ms, hearing.end_ms, hearing.language) == (0, 3_600_000, "en")
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_span_is_heard_alone() -> None:
    task = replace(TASK, start_ms=3000, end_ms=4201, diarization=False, language="de")

    hearing = PASS.hear(HOUR, task, (), lambda _part: None)

    assert [(w.word.text, w.word.start_ms) for w in hearing.words] == [(" w5", 3500), (" w6", 4000)]
    assert {word.voice for word in hearing.words} == {None}
    assert (hearing.voices, hearing.language) == ((), "de")


def test_nothing_is_heard_beyond_the_audio() -> None:
    hearing = PASS.hear(Silence(from_ms(1000)), replace(TASK, end_ms=9000), (), lambda _part: None)

    assert [word.word.text for word in hearing.words] == [" w0", " w1"]
    assert hearing.end_ms == 1000
    assert PASS.hear(Silence(Samples(0)), TASK, (), lambda _part: None).words == ()
