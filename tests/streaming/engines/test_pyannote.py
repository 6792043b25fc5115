"""Tests of `streaming.engines.pyannote`.

Voices, turns and limits are tested with models that read a code from the audio; the error rates
with the real ones.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streaming.core.domain import SAMPLE_RATE, Pcm, Samples, Span, Turn
from streaming.core.ports import Diarization
from streaming.engines import pyannote
from streaming.engines.local_speakers import LocalSpeakerModels
from streaming.engines.pyannote import PyannoteDiarizer
from streaming.engines.segmentation import FRAME_STEP
from streaming.errors import EngineError
from tests.streaming.engines.error_rates import Errors, errors
from tests.streaming.engines.recordings import Recording, weights
from tests.streaming.engines.tones import CodedSegmentation, TonalEmbedding, said

pytestmark = pytest.mark.slow
"""The library takes 6 s to import, whichever test comes first."""

TOLERANCE = 2 * FRAME_STEP


class Kept(dict[str, bytes]):
    """A `ResultStore` that forgets nothing."""

    def keep(self, key: str, content: bytes) -> None:
        """Keep a result."""
        self[key] = content


class StoppedError(Exception):
    """Somebody had enough."""


@pytest.fixture(scope="module")
def clustering() -> Callable[..., Any]:
    found: Callable[..., Any] = pyannote._import_clustering().AgglomerativeClustering
    return found


@pytest.fixture
def diarizer(clustering: Callable[..., Any]) -> PyannoteDiarizer:
    models = LocalSpeakerModels(CodedSegmentation(), TonalEmbedding())
    return PyannoteDiarizer(models, clustering)


def read_from(pcm: Pcm) -> Callable[[Span], Pcm]:
    return lambda span: pcm[span.start : span.end]


def diarize(diarizer: PyannoteDiarizer, pcm: Pcm) -> Diarization:
    return diarizer.diarize(read_from(pcm), Samples(len(pcm)), lambda _: None)


def seconds(turns: tuple[Turn, ...]) -> list[tuple[str, float, float]]:
    return [
        (t.speaker, round(t.span.start / SAMPLE_RATE, 1), round(t.span.end / SAMPLE_RATE, 1))
        for t in turns
    ]


def test_a_voice_is_known_again_wherever_it_speaks(diarizer: PyannoteDiarizer) -> None:
    pcm = said(
        (1.0, 0, ()), (9.0, 1, (0,)), (1.0, 0, ()), (9.0, 2, (2,)), (1.0, 0, ()), (9.0, 3, (0,))
    )
    found = diarize(diarizer, pcm)
    assert seconds(found.turns) == [("S1", 1.0, 10.0), ("S2", 11.0, 20.0), ("S1", 21.0, 30.0)]
    assert found.fixed_until == len(pcm)


def test_four_who_talk_fast_are_told_apart(diarizer: PyannoteDiarizer) -> None:
    # A window of 10 s hears more of them than it has local speakers.
    order = [0, 1, 2, 3] * 4
    pcm = said(*((2.4, 1 + number % 3, (voice,)) for number, voice in enumerate(order)))
    found = diarize(diarizer, pcm)
    assert [turn.speaker for turn in found.turns] == [f"S{voice + 1}" for voice in order]
    for number, turn in enumerate(found.turns):
        assert abs(turn.span.start - number * 2.4 * SAMPLE_RATE) <= TOLERANCE


def test_who_talk_at_once_both_have_turns(diarizer: PyannoteDiarizer) -> None:
    found = diarize(diarizer, said((6.0, 1, (0,)), (2.0, 4, (0, 3)), (6.0, 2, (3,))))
    assert seconds(found.turns) == [("S1", 0.0, 8.0), ("S2", 6.0, 14.0)]


def test_voices_sound_as_they_did_and_weigh_what_was_heard(diarizer: PyannoteDiarizer) -> None:
    found = diarize(diarizer, said((12.0, 1, (0,)), (4.0, 2, (3,))))
    first, second = found.voices
    assert (first.speaker, second.speaker) == ("S1", "S2")
    assert first.likeness(first) == pytest.approx(1.0, abs=1e-3)
    assert first.likeness(second) < 0.5
    assert first.weight > second.weight > 4


def test_a_short_pause_is_none_unless_somebody_speaks_in_it(diarizer: PyannoteDiarizer) -> None:
    pcm = said((5.0, 1, (0,)), (0.4, 0, ()), (5.0, 1, (0,)), (0.4, 2, (3,)), (5.0, 1, (0,)))
    pcm = np.concatenate([pcm, said((6.0, 2, (3,)))])
    found = diarize(diarizer, pcm)
    assert seconds(found.turns) == [
        ("S1", 0.0, 10.4), ("S2", 10.4, 10.8), ("S1", 10.8, 15.8), ("S2", 15.8, 21.8),
    ]  # fmt: skip


@pytest.mark.parametrize("length_s", [0.0, 0.01, 1.0, 40.0])
def test_silence_has_no_turns(diarizer: PyannoteDiarizer, length_s: float) -> None:
    pcm = np.zeros(round(length_s * SAMPLE_RATE), dtype=np.float32)
    assert diarize(diarizer, pcm) == Diarization((), Samples(len(pcm)))


def test_a_voice_too_short_to_be_clustered_is_still_one(diarizer: PyannoteDiarizer) -> None:
    found = diarize(diarizer, said((0.2, 0, ()), (0.6, 1, (0,)), (0.2, 0, ())))
    assert seconds(found.turns) == [("S1", 0.2, 0.8)]
    assert [voice.weight for voice in found.voices] == [0.0]


def test_turns_end_with_the_recording(diarizer: PyannoteDiarizer) -> None:
    pcm = said((7.77, 1, (0,)))
    assert diarize(diarizer, pcm).turns[-1].span.end <= len(pcm)


def test_progress_rises_to_the_end(diarizer: PyannoteDiarizer) -> None:
    told: list[float] = []
    pcm = said((20.0, 1, (0,)))
    diarizer.diarize(read_from(pcm), Samples(len(pcm)), told.append)
    assert told == sorted(told)
    assert len(told) > 3
    assert (told[0], told[-1]) == (0.0, 1.0)


def test_what_progress_raises_ends_the_work(clustering: Callable[..., Any]) -> None:
    segmentation = CodedSegmentation()
    diarizer = PyannoteDiarizer(LocalSpeakerModels(segmentation, TonalEmbedding()), clustering)

    def stop(part: float) -> None:
        if part > 0:
            raise StoppedError

    pcm = said((60.0, 1, (0,)))
    with pytest.raises(StoppedError):
        diarizer.diarize(read_from(pcm), Samples(len(pcm)), stop)
    assert segmentation.runs < 30


def test_audio_is_asked_for_in_pieces(diarizer: PyannoteDiarizer) -> None:
    pcm = said((60.0, 1, (0,)))
    asked: list[Span] = []

    def read(span: Span) -> Pcm:
        asked.append(span)
        return pcm[span.start : span.end]

    diarizer.diarize(read, Samples(len(pcm)), lambda _: None)
    assert max(span.length for span in asked) <= 20 * SAMPLE_RATE


def test_what_was_computed_once_is_kept(clustering: Callable[..., Any]) -> None:
    segmentation, store = CodedSegmentation(), Kept()
    models = LocalSpeakerModels(segmentation, TonalEmbedding())
    diarizer = PyannoteDiarizer(models, clustering, store)
    pcm = said((9.0, 1, (0,)), (9.0, 2, (3,)), (4.0, 1, (0,)))
    first = diarize(diarizer, pcm)
    runs = segmentation.runs
    assert diarize(diarizer, pcm) == first
    assert segmentation.runs == runs
    # All but the last stretches are also those of the recording as it was when it was shorter.
    diarize(diarizer, np.concatenate([pcm, said((30.0, 0, ()))]))
    assert len(store) < 2 * len(pcm) / SAMPLE_RATE
    assert diarize(PyannoteDiarizer(models, clustering), pcm) == first


def test_more_than_can_be_clustered_is_sampled(
    clustering: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pyannote, "MOST_CLUSTERED", 20)
    models = LocalSpeakerModels(CodedSegmentation(), TonalEmbedding())
    pcm = said(*((8.0, 1 + number % 2, (3 * (number % 2),)) for number in range(6)))
    found = diarize(PyannoteDiarizer(models, clustering), pcm)
    assert [turn.speaker for turn in found.turns] == ["S1", "S2"] * 3
    assert sum(voice.weight for voice in found.voices) == pytest.approx(116, rel=0.1)


def test_voices_beyond_the_most_are_given_to_others(
    clustering: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pyannote, "MOST_VOICES", 2)
    models = LocalSpeakerModels(CodedSegmentation(), TonalEmbedding())
    pcm = said((9.0, 1, (0,)), (9.0, 2, (3,)), (5.0, 1, (6,)))
    found = diarize(PyannoteDiarizer(models, clustering), pcm)
    assert len(found.voices) == 2
    assert found.turns[-1].span.end > 22 * SAMPLE_RATE


def test_the_votes_are_counted_as_pyannote_counts_them() -> None:
    """Ours go through a recording of hours in little memory; on a short one both are at hand."""
    from pyannote.audio.pipelines.utils import SpeakerDiarizationMixin
    from pyannote.core import SlidingWindow, SlidingWindowFeature

    random = np.random.default_rng(5)
    votes = random.integers(0, 11, (400, 4)).astype(np.uint8)
    votes += np.arange(4, dtype=np.uint8)  # no ties, which pyannote decides by chance
    votes = np.argsort(np.argsort(votes, axis=1), axis=1).astype(np.uint8) + 1
    speaking = random.integers(0, 4, 400).astype(np.uint8)
    frames = SlidingWindow(start=0.0, duration=1.0, step=1.0)
    whole = SlidingWindow(start=0.0, duration=400.0, step=400.0)
    theirs = SpeakerDiarizationMixin.to_diarization(
        SlidingWindowFeature(votes[None].astype(np.float32), whole),
        SlidingWindowFeature(speaking[:, None], frames),
    )
    ours = pyannote._elected(votes, speaking)
    np.testing.assert_array_equal(ours, theirs.data[:400].astype(np.bool_))


def test_missing_models_are_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"segmentation\.onnx"):
        PyannoteDiarizer.load(segmentation=tmp_path, embedding=tmp_path)


# --- The real models ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real() -> PyannoteDiarizer:
    return PyannoteDiarizer.load(
        segmentation=weights("segmentation-3.0"), embedding=weights("campplus")
    )


@pytest.mark.models
@pytest.mark.parametrize(
    ("conversation", "voices", "most"),
    [
        ("pub-2spk-clean", 2, 9.6),
        ("pub-3spk-ov08", 3, 8.8),
        ("pub-4spk-ov06-snr20", 4, 5.5),
    ],
)
def test_conversations_are_told_apart(
    real: PyannoteDiarizer, conversation: str, voices: int, most: float
) -> None:
    pcm = Recording.read(f"conversations/{conversation}").pcm
    found = diarize(real, pcm)
    assert len(found.voices) == voices
    wrong: Errors = errors(conversation, found.turns, len(pcm) // (SAMPLE_RATE // 100))
    _, without_collar, _ = wrong.rates
    assert without_collar < most


@pytest.mark.models
@pytest.mark.parametrize("length_s", [0.02, 12.0])
def test_nobody_speaks_in_noise_and_music(real: PyannoteDiarizer, length_s: float) -> None:
    random = np.random.default_rng(1)
    time = np.arange(round(length_s * SAMPLE_RATE)) / SAMPLE_RATE
    noise = 0.02 * random.standard_normal(len(time)).astype(np.float32)
    chord = np.sum([np.sin(2 * np.pi * hertz * time) for hertz in (220, 277, 330)], axis=0)
    music = (0.1 * chord * (1 + np.sin(2 * np.pi * 2 * time))).astype(np.float32)
    for pcm in (noise, music):
        assert diarize(real, pcm).turns == ()


@pytest.mark.models
def test_a_second_of_speech_is_one_voice_at_most(real: PyannoteDiarizer) -> None:
    pcm = Recording.read("items/jfk").pcm[:SAMPLE_RATE]
    assert len(diarize(real, pcm).voices) <= 1
