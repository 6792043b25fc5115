"""Tests of `streaming.engines.whisper` beyond its port, see `tests/contracts/test_engine_ports`."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streaming.core.agreement import agreement_key
from streaming.core.domain import SAMPLE_RATE, Pcm, Samples, Word
from streaming.core.ports import Effort, RecognitionWindow, Search, Transcription, Way
from streaming.engines.decoding import LONGEST_WINDOW
from streaming.engines.whisper import WhisperRecognizer
from streaming.errors import EngineError
from tests.streaming.engines.recordings import SPEECH, Recording, weights


def silence(seconds: float) -> Pcm:
    return np.zeros(round(seconds * SAMPLE_RATE), dtype=np.float32)


# --- Without weights ------------------------------------------------------------------------------


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="compute type int8 expected"):
        WhisperRecognizer(tmp_path)


# --- With weights ---------------------------------------------------------------------------------


@cache
def base() -> WhisperRecognizer:
    return WhisperRecognizer(weights("whisper-base"))


def window(
    pcm: Pcm,
    *,
    effort: Effort = Effort.LIVE,
    language: str | None = "en",
    hotwords: tuple[str, ...] = (),
) -> RecognitionWindow:
    return RecognitionWindow(
        start=Samples(0), pcm=pcm, effort=effort, language=language, hotwords=hotwords
    )


def text(recognizer: WhisperRecognizer, asked: RecognitionWindow) -> str:
    (heard,) = recognizer.recognize([asked])
    return "".join(word.text for word in heard.words)


@pytest.mark.models
def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(EngineError, match="device nowhere"):
        WhisperRecognizer(weights("whisper-base"), device="nowhere")


@pytest.mark.models
def test_a_window_longer_than_the_encoder_takes_is_refused() -> None:
    pcm = np.zeros(LONGEST_WINDOW + 1, dtype=np.float32)

    with pytest.raises(ValueError, match="at most 30 s expected, got 480001 samples"):
        base().recognize([window(pcm)])


@pytest.mark.models
@pytest.mark.parametrize("effort", Effort)
@pytest.mark.parametrize("seconds", [0.0, 0.009, 0.01, 3.0, 30.0])
def test_next_to_nothing_is_heard_in_silence_of_any_length(effort: Effort, seconds: float) -> None:
    # Whisper takes silence for a "you" now and then: that is why voice activity goes before it.
    assert len(text(base(), window(silence(seconds), effort=effort)).split()) <= 1


@pytest.mark.models
@pytest.mark.parametrize("effort", Effort)
def test_a_window_of_30_s_is_heard_to_its_end(effort: Effort) -> None:
    jfk = Recording.read("items/jfk").pcm
    pcm = np.concatenate([jfk, silence(30 - 2 * len(jfk) / SAMPLE_RATE), jfk])[:LONGEST_WINDOW]

    heard = text(base(), window(pcm, effort=effort))

    assert heard.lower().count("ask what you can do for your country") == 2


@pytest.mark.models
def test_a_language_is_detected_among_those_the_model_knows() -> None:
    spanish, _ = soundfile.read(SPEECH / "items/fleurs-es-003.flac", dtype="float32")

    (heard,) = base().recognize([window(spanish, language=None)])

    assert heard.language is not None
    assert heard.language.code == "es"
    assert {"en", "es"} < base().languages


@pytest.mark.models
def test_a_model_of_one_language_says_so() -> None:
    tiny = WhisperRecognizer(weights("whisper-tiny.en"))

    (heard,) = tiny.recognize([window(Recording.read("items/jfk").pcm, language=None)])

    assert tiny.languages == {"en"}
    assert heard.language is not None
    assert (heard.language.code, heard.language.confidence) == ("en", 1_000)


def letters(words: tuple[Word, ...]) -> list[str]:
    return [agreement_key(word.text) for word in words]


@pytest.mark.models
@pytest.mark.parametrize("effort", [Effort.LIVE, Effort.SEARCH])
def test_windows_of_one_kin_are_heard_together_as_each_by_itself(effort: Effort) -> None:
    pcms = [Recording.read(f"items/{name}").pcm for name in ("jfk", "LJ001-0004", "LJ001-0001")]
    windows = [window(pcm, effort=effort) for pcm in (*pcms, silence(11))]
    windows[1] = replace(windows[1], start=Samples(SAMPLE_RATE))

    together = base().recognize(windows)

    assert base().kin(windows[0]) is not None
    for heard, asked in zip(together, windows, strict=True):
        (alone,) = base().recognize([asked])
        assert [letters(each) for each in (heard.words, *heard.others)] == [
            letters(each) for each in (alone.words, *alone.others)
        ]
        assert all(asked.start <= word.span.start for word in heard.words)


@pytest.mark.models
def test_only_live_windows_about_as_long_are_kin() -> None:
    live, longer = window(silence(3)), window(silence(13))
    others = [
        window(silence(3), language="de"),
        window(silence(3), hotwords=("Trax",)),
        longer,
    ]

    assert base().kin(live) == base().kin(window(silence(8)))
    assert base().kin(live) not in [base().kin(other) for other in others]
    for alone in (window(silence(3), language=None), window(silence(3), effort=Effort.UTTERANCE)):
        assert base().kin(alone) is None


@pytest.mark.models
def test_hotwords_cost_no_words() -> None:
    pcm = Recording.read("items/jfk").pcm

    heard = text(base(), window(pcm, hotwords=("Americans", "Trax")))

    assert "fellow Americans" in heard
    assert "Trax" not in heard


# --- A search -------------------------------------------------------------------------------------

NEVER_GOOD = Search(temperatures=(0.0, 1.0), log_probability=0.0, no_speech=1.1)


def searched(
    recognizer: WhisperRecognizer, pcm: Pcm, search: Search, before: str = ""
) -> Transcription:
    asked = replace(window(pcm, effort=Effort.SEARCH), search=search, before=before)
    (heard,) = recognizer.recognize([asked])
    return heard


def said(words: tuple[Word, ...]) -> str:
    return "".join(word.text for word in words)


@pytest.mark.models
def test_a_search_hears_hotwords_that_it_would_not_know() -> None:
    pcm = Recording.read("items/ls-533-1066-0003").pcm
    asked = replace(window(pcm, effort=Effort.SEARCH), search=Search(ways=(Way.TIMED,)))
    told = replace(asked, hotwords=("Bachelor Hall",))

    assert "Bachelor Hall" not in text(base(), asked)
    assert " keeping Bachelor Hall in" in text(base(), told)


@pytest.mark.models
def test_each_way_gives_a_reading() -> None:
    pcm = Recording.read("items/jfk").pcm

    heard = searched(base(), pcm, Search())
    plain = searched(base(), pcm, Search(ways=(Way.PLAIN,)))

    assert heard.believed
    assert len(heard.others) == 1
    assert "what you can do for your country" in said(heard.words)
    assert plain.words == heard.others[0]
    assert plain.others == ()


@pytest.mark.models
def test_what_is_not_believed_is_sampled_and_the_same_every_time() -> None:
    pcm = Recording.read("items/jfk").pcm[: 4 * SAMPLE_RATE]
    tiny = weights("whisper-tiny.en")
    first, second = WhisperRecognizer(tiny), WhisperRecognizer(tiny, workers=1)

    heard = searched(first, pcm, NEVER_GOOD)

    assert not heard.believed
    assert searched(first, pcm, NEVER_GOOD) == heard
    assert searched(second, pcm, NEVER_GOOD) == heard


@pytest.mark.models
def test_text_before_is_told_and_not_heard_again() -> None:
    pcm = Recording.read("items/jfk").pcm

    heard = searched(base(), pcm, Search(), before="Kennedy said:")

    assert "fellow Americans" in said(heard.words)
    assert "Kennedy" not in said(heard.words)
