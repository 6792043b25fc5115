"""The accurate pass with real weights: what it hears, and what it does not.

The error rates themselves come from `python -m loadtest accuracy`; what stands here catches what
breaks, not what drifts.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from loadtest.normalization import normalize
from loadtest.recordings import Recording, read_recording
from loadtest.scoring import align, tokens_said
from offline.accurate import AccuratePass, Ear
from offline.audio import HeldAudio
from offline.cache import ResultCache
from offline.jobs import JobKind, Task
from offline.passes import DEFAULT
from offline.results import Hearing
from streaming.core.domain import SAMPLE_RATE, Pcm
from streaming.engines.recognizers import Machine
from tests.streaming.engines.recordings import weights

pytestmark = pytest.mark.models

TASK = Task(JobKind.UPLOAD, "t", "s", language="en")


@pytest.fixture(scope="module")
def accurate(tmp_path_factory: pytest.TempPathFactory) -> AccuratePass:
    cache = ResultCache(tmp_path_factory.mktemp("results"), 10_000_000)
    machine = Machine(weights("whisper-base").parent)
    return AccuratePass(Ear(DEFAULT, "whisper-base", machine), cache)


def ignore(_part: float) -> None:
    """Nobody waits."""


def hear(accurate: AccuratePass, pcm: Pcm, task: Task = TASK) -> Hearing:
    return accurate.hear(HeldAudio(pcm), task, (), ignore)


def text(hearing: Hearing) -> str:
    return "".join(heard.word.text for heard in hearing.words)


def talk(speech: Path) -> Recording:
    return read_recording(speech / "conversations" / "pub-2spk-clean.flac")


def test_a_talk_is_mostly_heard_rightly_and_at_the_right_times(
    accurate: AccuratePass, speech: Path
) -> None:
    recording = talk(speech)
    assert recording.words is not None
    said = [token.text for token in tokens_said(recording.words)]

    hearing = hear(accurate, recording.samples)

    heard = [(word, each.word) for each in hearing.words for word in normalize(each.word.text)]
    found = align(said, [word for word, _ in heard])
    assert found.errors.rate <= 0.15
    starts = [recording.words[a].start_s - heard[b][1].start_ms / 1000 for a, b in found.equal]
    assert np.median(np.abs(starts)) < 0.3
    spans = [(each.word.start_ms, each.word.end_ms) for each in hearing.words]
    edges = [edge for span in spans for edge in span]
    assert edges == sorted(edges)
    confidences = [each.word.confidence for each in hearing.words]
    assert all(type(each) is int and 0 <= each <= 1000 for each in confidences)


def test_a_talk_is_heard_the_same_again_without_what_was_kept(
    accurate: AccuratePass, speech: Path, tmp_path: Path
) -> None:
    pcm = talk(speech).samples[: 30 * SAMPLE_RATE]
    machine = Machine(weights("whisper-base").parent, workers=2)
    other = AccuratePass(Ear(DEFAULT, "whisper-base", machine), ResultCache(tmp_path, 0))

    assert hear(other, pcm) == hear(accurate, pcm)


def silence(seconds: float) -> Pcm:
    return np.zeros(round(seconds * SAMPLE_RATE), dtype=np.float32)


def noise(seconds: float) -> Pcm:
    generator = np.random.default_rng(0)
    return generator.normal(0, 0.1, round(seconds * SAMPLE_RATE)).astype(np.float32)


def music(seconds: float) -> Pcm:
    """Return chords of a few harmonics each, two a second."""
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    roots = np.array([220.0, 261.6, 293.7, 329.6])[(2 * t).astype(int) % 4]
    phase = 2 * np.pi * np.cumsum(roots) / SAMPLE_RATE
    chord = sum(np.sin(ratio * phase) / ratio for ratio in (1, 1.25, 1.5, 2, 3, 4))
    swell = 0.5 + 0.5 * np.cos(2 * np.pi * 2 * t)
    return (0.1 * chord * swell).astype(np.float32)


@pytest.mark.parametrize("pcm", [silence(0), silence(20), noise(20), music(20)])
def test_where_nobody_speaks_there_are_no_words(accurate: AccuratePass, pcm: Pcm) -> None:
    assert hear(accurate, pcm).words == ()


def test_languages_are_told_apart_passage_by_passage(accurate: AccuratePass, speech: Path) -> None:
    english = read_recording(speech / "items" / "jfk.flac").samples
    spanish = read_recording(speech / "items" / "fleurs-es-003.flac").samples
    pcm = np.concatenate([english, silence(3), spanish, silence(3), english])
    task = Task(JobKind.UPLOAD, "t", "s", language=None)

    hearing = hear(accurate, pcm, task)

    between = [
        each.word.text
        for each in hearing.words
        if 12 < each.word.start_ms / 1000 < 14 + len(spanish) / SAMPLE_RATE
    ]
    assert hearing.language == "en"
    assert text(hearing).count("ask what you can do for your country") == 2
    assert {" que", " de", " la", " el", " los"} & {word.lower() for word in between}
