"""Tests of `streaming.engines.whisper_encoder` with the weights of Whisper base."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from streaming.core.agreement import agreement_key
from streaming.core.domain import SAMPLE_RATE, Pcm, Samples
from streaming.core.ports import Effort, RecognitionWindow, Transcription
from streaming.engines import whisper_encoder
from streaming.engines.whisper import WhisperRecognizer
from streaming.engines.whisper_encoder import (
    DENSE,
    HOP,
    SOFTER,
    SPARSE,
    UNSETTLED,
    AudioEncoder,
    Encoded,
)
from streaming.engines.whisper_model import LoadedWhisper, as_encoding
from streaming.engines.whisper_weights import Array, read_weights
from tests.streaming.engines.recordings import Recording, weights

pytestmark = pytest.mark.models

FRAMES_PER_SECOND = 50


@cache
def model() -> LoadedWhisper:
    return LoadedWhisper(weights("whisper-base"), device="cpu", compute_type="int8", workers=1)


@cache
def encoder() -> AudioEncoder:
    return AudioEncoder(read_weights(weights("whisper-base")), model().features)


@cache
def recognizer() -> WhisperRecognizer:
    return WhisperRecognizer(weights("whisper-base"), live=True)


def speech(seconds: float) -> Pcm:
    return Recording.read("items/jfk").pcm[: round(seconds * SAMPLE_RATE)]


def grown(*seconds: float) -> Encoded:
    """Return what is made of the beginning of a recording that came in these lengths."""
    encoded = None
    for each in seconds:
        encoded = encoder().encode(speech(each), encoded)
    assert encoded is not None
    return encoded


def likeness(one: Array, other: Array) -> Array:
    """Return the cosine between each two frames."""
    lengths = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
    cosines: Array = (one * other).sum(axis=-1) / lengths
    return cosines


@pytest.mark.parametrize("seconds", [1.0, 6.3, 10.99])
def test_speech_is_encoded_as_by_ctranslate2(seconds: float) -> None:
    ours, theirs = grown(seconds), np.asarray(model().encode(speech(seconds)))

    alike = likeness(ours.encoding[0, : ours.frames], theirs[0, : ours.frames])
    assert np.median(alike) > 0.97


@pytest.mark.parametrize("seconds", [4.0, 6.3, 10.99])
def test_what_grew_is_encoded_as_if_it_came_at_once(seconds: float) -> None:
    steps = [*np.arange(0.5, seconds, 0.5), seconds]

    alike = likeness(grown(*steps).encoding, grown(seconds).encoding)

    assert np.median(alike) > 0.97


def test_only_the_end_is_encoded_again() -> None:
    before = grown(6.0)
    after = encoder().encode(speech(6.5), before)

    settled = before.frames - UNSETTLED
    assert {kept.shape[2] for kept in before.attended.values()} == {settled}
    assert settled == 4 * FRAMES_PER_SECOND
    assert np.array_equal(after.encoding[:, :settled], before.encoding[:, :settled])
    assert not np.array_equal(after.encoding[:, settled], before.encoding[:, settled])
    for name, kept in after.attended.items():
        assert np.array_equal(kept[:, :, :settled], before.attended[name])


def test_of_the_silence_behind_speech_few_frames_are_encoded() -> None:
    encoded = grown(4.0)

    silence = 10 * FRAMES_PER_SECOND - encoded.frames
    assert encoded.frames == 4 * FRAMES_PER_SECOND
    assert encoded.encoding.shape[1] - encoded.frames == DENSE + -(-(silence - DENSE) // SPARSE)


def test_silence_is_like_the_silence_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    once = grown(2.0, 4.0)
    monkeypatch.setattr(whisper_encoder, "EDGE", 1500)
    each = grown(2.0, 4.0)

    silence = likeness(once.encoding, each.encoding)[0, once.frames :]
    assert np.median(silence) > 0.999
    assert silence[:-1].min() > 0.9


@pytest.mark.parametrize("louder", [0.001, 1.0, 1000.0])
def test_features_of_the_end_are_those_of_the_whole(louder: float) -> None:
    """What is too soft to be heard is measured by the loudest of all, also where that is new."""
    pcm = speech(6.0).copy()
    pcm[-SAMPLE_RATE:] *= louder
    whole = model().features(pcm)

    cut = encoder().heard(pcm, 317)

    loudest = max(float(whole[:, :317].max()), float(cut.max()))
    assert np.allclose(
        np.maximum(cut, loudest - SOFTER), whole[:, 317 : len(pcm) // HOP], atol=1e-4
    )


@pytest.mark.parametrize("before", [0, 1, 1.9, 8, 30])
@pytest.mark.parametrize("seconds", [0, 1e-4, 0.5, 5, 30])
def test_windows_may_have_any_length(before: float, seconds: float) -> None:
    pcm = np.resize(speech(11), 30 * SAMPLE_RATE)

    earlier = encoder().encode(pcm[: round(before * SAMPLE_RATE)])
    encoded = encoder().encode(pcm[: round(seconds * SAMPLE_RATE)], earlier)

    assert np.isfinite(encoded.encoding).all()
    assert encoded.frames == min(1500, -(-round(seconds * SAMPLE_RATE) // 320))


@pytest.mark.parametrize("frames", [79, 80, 81])
def test_a_language_is_detected_in_encodings_of_any_length(frames: int) -> None:
    """CTranslate2 takes one of as many frames as there are mel bands, 80, for features."""
    encoding = np.ascontiguousarray(grown(4.0).encoding[:, :frames])

    detected, _ = model().spoken(as_encoding(encoding), None)

    assert detected is not None
    assert detected.code == "en"
    assert detected.confidence > 900


def hear(window: RecognitionWindow) -> Transcription:
    (heard,) = recognizer().recognize([window])
    return heard


def text(heard: Transcription) -> list[str]:
    return [agreement_key(word.text) for word in heard.words]


def test_a_session_that_grows_hears_the_same() -> None:
    window = RecognitionWindow(Samples(0), speech(0.5), Effort.LIVE, "en")
    for seconds in np.arange(1.0, 11.0, 0.5):
        window = replace(window, pcm=speech(seconds), kept=hear(window).kept)

    assert window.kept is not None
    assert text(hear(window)) == text(hear(replace(window, kept=None)))
    assert "fellow" in text(hear(window))


@pytest.mark.parametrize(
    ("compute_type", "keeps"), [("auto", True), ("int8", True), ("float32", False)]
)
def test_whoever_computes_in_int8_need_not_hear_again(compute_type: str, *, keeps: bool) -> None:
    """`auto` is what a server asks for."""
    recognizer = WhisperRecognizer(
        weights("whisper-tiny.en"), device="auto", compute_type=compute_type, live=True
    )

    (heard,) = recognizer.recognize([RecognitionWindow(Samples(0), speech(2), Effort.LIVE, "en")])

    assert (heard.kept is not None) is keeps


def test_what_was_kept_of_another_window_is_not_believed() -> None:
    window = RecognitionWindow(Samples(0), speech(8.0), Effort.LIVE, "en")
    other = replace(window, start=Samples(SAMPLE_RATE), pcm=np.zeros_like(window.pcm))

    assert text(hear(replace(window, kept=hear(other).kept))) == text(hear(window))
    assert text(hear(replace(window, kept="something"))) == text(hear(window))
