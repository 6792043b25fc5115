"""Tests of `streaming.engines.whisper_decoder` with the weights of Whisper base."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from streaming.core.agreement import agreement_key
from streaming.core.domain import SAMPLE_RATE, Samples
from streaming.core.ports import Effort, RecognitionWindow, Transcription
from streaming.engines import whisper_weights
from streaming.engines.decoding import token_cap
from streaming.engines.whisper import WhisperRecognizer
from streaming.engines.whisper_model import LoadedWhisper
from tests.streaming.engines.recordings import Recording, weights

SAID = " And so, my fellow Americans, ask not what your country can do for you,"
"""What is said in the first 8 s of the recording."""

pytestmark = pytest.mark.models


@cache
def model() -> LoadedWhisper:
    folder = weights("whisper-base")
    return LoadedWhisper(folder, device="cpu", compute_type="int8", workers=1, follows=True)


@cache
def recognizer(*, live: bool) -> WhisperRecognizer:
    return WhisperRecognizer(weights("whisper-base"), live=live)


def read(expected: str, cap: int = 100) -> tuple[list[int], list[float], int]:
    """Return what is decoded of the first 8 s, with how much attention there is for it."""
    pcm = Recording.read("items/jfk").pcm[: 8 * SAMPLE_RATE]
    tokenizer = model().tokenizer("en")
    decoded = model().follow(np.asarray(model().encode(pcm)), [], cap, expected, tokenizer)
    return decoded.tokens, decoded.probabilities, decoded.attention.shape[1]


@pytest.mark.parametrize(
    "expected",
    [
        SAID,
        SAID.replace("country", "family"),
        SAID.replace("my ", ""),
        SAID.replace("ask", "ask ask"),
        SAID[: len(SAID) // 2],
        SAID + " and so on and so forth and so on",
        "something else altogether",
        SAID[::-1],
        "\u200b\N{GRINNING FACE}",
        SAID * 40,
    ],
)
def test_what_is_expected_changes_nothing(expected: str) -> None:
    tokens, probabilities, attention = read(expected)
    alone, probabilities_alone, _ = read("")

    assert tokens == alone
    assert model().tokenizer("en").decode(tokens).startswith(" And so my fellow Americans")
    assert np.allclose(probabilities, probabilities_alone, atol=0.1)
    assert attention == 4 + len(tokens)


@pytest.mark.parametrize("expected", ["", SAID])
def test_no_more_is_decoded_than_the_cap_allows(expected: str) -> None:
    tokens, probabilities, attention = read(expected, cap=7)

    assert tokens == read("")[0][:7]
    assert (len(probabilities), attention) == (7, 4 + 7)


@pytest.mark.parametrize("name", ["whisper-base", "whisper-tiny.en"])
def test_a_word_is_the_token_that_the_model_writes(name: str) -> None:
    loaded = LoadedWhisper(weights(name), device="cpu", compute_type="int8", workers=1)
    tokenizer = loaded.tokenizer("en")

    assert [tokenizer.decode([token]) for token in tokenizer.encode(" to the cat")] == [
        " to",
        " the",
        " cat",
    ]


def heard(seconds: float, *, live: bool, hotwords: tuple[str, ...] = ()) -> Transcription:
    pcm = Recording.read("items/jfk").pcm[: round(seconds * SAMPLE_RATE)]
    window = RecognitionWindow(Samples(SAMPLE_RATE), pcm, Effort.LIVE, "en", hotwords)
    (transcription,) = recognizer(live=live).recognize([window])
    return transcription


@pytest.mark.parametrize("hotwords", [(), ("Americans", "Trax")])
@pytest.mark.parametrize("seconds", [2.5, 8.0, 11.0])
def test_the_same_is_heard_at_the_same_time_as_by_ctranslate2(
    seconds: float, hotwords: tuple[str, ...]
) -> None:
    ours, theirs = (heard(seconds, live=live, hotwords=hotwords).words for live in (True, False))

    assert [agreement_key(word.text) for word in ours] == [
        agreement_key(word.text) for word in theirs
    ]
    apart = [abs(a.span.start - b.span.start) for a, b in zip(ours, theirs, strict=True)]
    unsure = [abs(a.confidence - b.confidence) for a, b in zip(ours, theirs, strict=True)]
    assert np.median(apart) <= SAMPLE_RATE // 50
    assert np.median(unsure) <= 100


def test_a_cap_is_never_more_than_the_model_can_read() -> None:
    pcm = np.zeros(30 * SAMPLE_RATE, np.float32)
    context = model().tokenizer("en").encode(" something") * 200

    decoded = model().follow(
        np.asarray(model().encode(pcm)),
        context,
        token_cap(len(pcm)),
        SAID * 9,
        model().tokenizer("en"),
    )

    assert len(context) + 4 + len(decoded.tokens) <= 448


def test_a_model_kept_in_another_way_is_heard_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(whisper_weights, "REVISION", 2)
    window = RecognitionWindow(Samples(0), Recording.read("items/jfk").pcm, Effort.LIVE, "en")

    recognizer = WhisperRecognizer(weights("whisper-tiny.en"), live=True)
    (transcription,) = recognizer.recognize([window])

    assert "live windows are heard anew each time" in caplog.text
    assert recognizer.kin(window) is not None
    assert "Americans" in "".join(word.text for word in transcription.words)
