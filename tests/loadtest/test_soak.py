"""Tests of what `loadtest.soak` computes; `test_commands` runs it."""

from pathlib import Path

import pytest

from loadtest.errors import LoadtestError
from loadtest.recordings import SAMPLE_BYTES, Recording, TrueWord, long_talk
from loadtest.scripted import write_script
from loadtest.soak import MemorySample, at_steps, slope_per_hour
from streaming.core.domain import SAMPLE_RATE
from streaming.engines.script import Script


def recording(seconds: float, *texts: str) -> Recording:
    words = tuple(TrueWord(text, n * 0.5, n * 0.5 + 0.4, "A") for n, text in enumerate(texts))
    audio = bytes(round(seconds * SAMPLE_RATE) * SAMPLE_BYTES)
    return Recording("r", Path("r.flac"), audio, words, None)


def test_a_long_talk_is_all_recordings_again_and_again() -> None:
    talk = long_talk([recording(2, "one", "two"), recording(3, "three")], minutes=0.1)

    assert talk.duration_s == 10
    assert [(word.text, word.start_s) for word in talk.words or ()] == [
        ("one", 0),
        ("two", 0.5),
        ("three", 2),
        ("one", 5),
        ("two", 5.5),
        ("three", 7),
    ]


def test_a_talk_of_unknown_words_is_refused() -> None:
    unknown = Recording("r", Path("r.flac"), bytes(2), None, None)

    with pytest.raises(LoadtestError, match=r"r: a \.words\.json expected"):
        long_talk([unknown], minutes=1)


def test_a_talk_can_be_played_by_scripted_engines(tmp_path: Path) -> None:
    talk = long_talk([recording(2, "one", "two")], minutes=0.05)

    write_script(talk, tmp_path / "script.json")

    script = Script.from_json((tmp_path / "script.json").read_text())
    assert [word.text for word in script.words] == [" one", " two", " one", " two"]


def test_memory_is_told_at_every_tenth() -> None:
    memory = [MemorySample(heard_s, 100 + heard_s) for heard_s in range(0, 60, 4)]

    assert [sample.heard_s for sample in at_steps(memory, 50)] == [
        *(0, 8, 12, 16, 20, 28, 32, 36, 40, 48, 52)
    ]
    assert at_steps(memory[:1], 50) == (memory[0],) * 11


def test_the_slope_leaves_out_the_warm_up() -> None:
    warming = [MemorySample(heard_s, 10_000 * heard_s) for heard_s in range(200)]
    flat = [MemorySample(heard_s, 5_000_000 + heard_s) for heard_s in range(200, 1000)]

    after_it = MemorySample(1000, 0)

    assert slope_per_hour([*warming, *flat, after_it], 1000) == pytest.approx(3600)
    assert slope_per_hour(warming, 1000) is None
