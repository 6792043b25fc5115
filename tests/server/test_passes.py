"""Tests of `server.passes` and of `trax passes`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from offline.audio import HeldAudio
from offline.jobs import JobKind, Task
from offline.passes import DEFAULT
from server.cli import run
from server.errors import SettingsError
from server.passes import accurate_pass, passes_of
from server.settings import Settings
from tests.server.talking import talk

PASSES = """
[[stage]]
name = "utterance"
when = "utterance"

[[stage]]
name = "thorough"
when = "recording"
model = "large-v3"
uncertain_only = true
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "passes.toml"
    path.write_text(PASSES, encoding="utf-8")
    return path


def test_the_usual_passes_are_in_force_unless_a_file_says_otherwise(file: Path) -> None:
    assert passes_of(Settings()) == DEFAULT
    assert [stage.name for stage in passes_of(Settings(passes=file)).stages] == [
        "utterance",
        "thorough",
    ]


@pytest.mark.parametrize("content", [b"[[stage]]", b"\xff", None])
def test_a_file_that_cannot_be_used_is_a_wrong_setting(file: Path, content: bytes | None) -> None:
    file.unlink() if content is None else file.write_bytes(content)

    with pytest.raises(SettingsError, match=r"--passes \(TRAX_PASSES\): expected a file"):
        accurate_pass(Settings(passes=file))


def test_passes_are_shown_to_people(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert run(["passes", "--live-model", "scripted:x"], {}) == 0
    usual = capsys.readouterr().out
    assert run(["passes"], {"TRAX_PASSES": str(file), "TRAX_CACHE_DIR": str(file.parent)}) == 0
    others = capsys.readouterr().out

    for text in ("utterance", "stretch", "recording", "scripted:x"):
        assert text in usual
    assert "thorough" in others
    assert "stretch" not in others
    assert "live: not here" in others


def test_passes_are_shown_to_programs(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["passes", "--json", "--passes", str(file), "--live-model", "scripted:x"], {}) == 0
    utterance, thorough = json.loads(capsys.readouterr().out)
    assert run(["passes", "--json"], {"TRAX_CACHE_DIR": str(file.parent)}) == 0
    live, stretch, _ = json.loads(capsys.readouterr().out)

    assert utterance == {
        "name": "utterance",
        "when": "utterance",
        "model": "live",
        "model_here": "scripted:x",
    }
    assert thorough["model_here"] == thorough["model"] == "large-v3"
    assert thorough["uncertain_only"]
    assert stretch["model"] == "auto"
    assert live["model_here"] is stretch["model_here"] is None, "there are no weights there"
    assert stretch["ways"] == ["plain"]


def test_a_wrong_file_is_one_line(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text('[[stage]]\nname = "a"\nwhen = "never"\n', encoding="utf-8")

    assert run(["passes", "--passes", str(file)], {}) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "a: when of utterance, stretch, recording expected, got 'never'" in error


def test_a_script_is_heard_where_the_live_engine_plays_one(tmp_path: Path) -> None:
    (tmp_path / "script.json").write_text(talk(2), encoding="utf-8")
    settings = Settings(live_model=f"scripted:{tmp_path / 'script.json'}", cache_dir=tmp_path)
    audio = HeldAudio(np.zeros(16_000 * 30, dtype=np.float32))

    hearing = accurate_pass(settings).hear(
        audio, Task(JobKind.UPLOAD, "t", "s"), (), lambda _part: None
    )

    expected = [row["word"] for row in json.loads(talk(2))]
    assert [heard.word.text.strip() for heard in hearing.words] == expected
    assert hearing.language == "en"
    assert all(heard.voice is not None for heard in hearing.words)
    assert not list((tmp_path / "results").glob("*/*")), "a script says it whatever the audio"


def test_where_speakers_are_not_told_apart_no_task_has_voices(tmp_path: Path) -> None:
    (tmp_path / "script.json").write_text(talk(2), encoding="utf-8")
    live_model = f"scripted:{tmp_path / 'script.json'}"
    settings = Settings(live_model=live_model, cache_dir=tmp_path, diarization=False)
    audio = HeldAudio(np.zeros(16_000 * 30, dtype=np.float32))

    hearing = accurate_pass(settings).hear(
        audio, Task(JobKind.UPLOAD, "t", "s", diarization=True), (), lambda _part: None
    )

    assert [heard.voice for heard in hearing.words] == [None, None]
