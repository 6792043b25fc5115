"""Tests of `loadtest.passes`, with recognizers that play what is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from loadtest.passes import Order, ear_of, hear_apart, peak_rss_bytes, stretches
from loadtest.recordings import read_recording
from offline.jobs import JobKind, Task
from server.settings import Settings


def test_a_stretch_is_so_many_closed_utterances_that_they_last_long_enough() -> None:
    utterances = [
        (0, 10_000),
        (11_000, 29_000),
        (29_500, 31_000),
        (31_000, 90_000),
        (95_000, 99_000),
    ]

    assert stretches(utterances) == [(0, 31_000), (31_000, 90_000)]
    assert stretches([]) == []


@pytest.mark.slow
def test_a_process_of_its_own_hears_and_says_what_it_took(speech: Path, tmp_path: Path) -> None:
    file = speech / "items" / "jfk.flac"
    recording = read_recording(file)
    assert recording.words is not None
    settings = Settings(
        live_model=f"scripted:{file.with_suffix('.words.json')}", cache_dir=tmp_path
    )
    tasks = (
        Task(JobKind.STRETCH, "t", "s", end_ms=5_000, language="en"),
        Task(JobKind.STRETCH, "t", "s", start_ms=5_000, language="en"),
    )

    heard = hear_apart(Order(ear_of(settings), recording.samples, tasks, ()))

    said = [word.text for word in recording.words]
    assert [word.text.strip() for word in heard.words] == said
    assert 0 < heard.cpu_s < 10
    assert 10_000_000 < heard.peak_rss_bytes < 1_000_000_000
    assert list(tmp_path.iterdir()) == [], "nothing is kept between measurements"


@pytest.mark.slow
def test_voices_are_told_apart_where_a_task_wants_it(speech: Path, tmp_path: Path) -> None:
    file = speech / "conversations" / "pub-2spk-clean.flac"
    recording = read_recording(file)
    script = file.with_suffix(".words.json")
    settings = Settings(live_model=f"scripted:{script}", cache_dir=tmp_path)
    task = Task(JobKind.UPLOAD, "t", "s", end_ms=30_000, language="en")

    heard = hear_apart(Order(ear_of(settings), recording.samples, (task,), ()))

    assert {turn.voice for turn in heard.turns} == {0, 1}
    assert {each.voice for each in heard.heard} == {0, 1}
    assert 0 <= heard.diarizer_cpu_s < heard.cpu_s
    apart = hear_apart(
        Order(ear_of(settings), recording.samples, (replace(task, diarization=False),), ())
    )
    assert apart.words == heard.words
    assert apart.turns == ()


def test_this_process_had_some_memory() -> None:
    assert peak_rss_bytes() > 10_000_000
