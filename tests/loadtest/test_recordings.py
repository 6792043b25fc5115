"""Tests of `loadtest.recordings`."""

import shutil
from pathlib import Path

import pytest

from loadtest.errors import LoadtestError
from loadtest.recordings import TrueTurn, TrueWord, conversations, read_recording


def test_a_recording_has_its_truth_beside_it(speech: Path) -> None:
    recording = read_recording(speech / "conversations" / "pub-2spk-clean.flac")

    assert recording.name == "pub-2spk-clean"
    assert recording.duration_s == pytest.approx(86.2, abs=0.1)
    assert len(recording.samples) * 2 == len(recording.audio)
    assert 0.1 < abs(recording.samples).max() <= 1
    assert recording.words is not None
    assert len(recording.words) == 227
    assert recording.turns is not None
    assert {turn.speaker for turn in recording.turns} == {word.speaker for word in recording.words}


def test_truth_may_be_missing(speech: Path, tmp_path: Path) -> None:
    path = shutil.copy(speech / "items" / "LJ001-0002.flac", tmp_path)

    recording = read_recording(Path(path))

    assert (recording.words, recording.turns) == (None, None)


def test_words_come_by_start_and_turns_end_after_their_length(speech: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(speech / "items" / "LJ001-0002.flac", tmp_path / "x.flac"))
    (tmp_path / "x.words.json").write_text(
        '[{"word": "b", "start": 1, "end": 2, "speaker": "B"},'
        ' {"word": "a", "start": 0.5, "end": 3, "speaker": "A"}]'
    )
    (tmp_path / "x.rttm").write_text("SPEAKER x 1 0.5 2.5 <NA> <NA> A <NA> <NA>\n")

    recording = read_recording(path)

    assert recording.words == (TrueWord("a", 0.5, 3, "A"), TrueWord("b", 1, 2, "B"))
    assert recording.turns == (TrueTurn(0.5, 3.0, "A"),)


def test_what_cannot_be_read_is_refused(speech: Path, tmp_path: Path) -> None:
    with pytest.raises(LoadtestError, match=r"no file .*gone\.flac"):
        read_recording(tmp_path / "gone.flac")
    (tmp_path / "text.flac").write_text("no audio")
    with pytest.raises(LoadtestError, match=r"no audio in .*text\.flac"):
        read_recording(tmp_path / "text.flac")
    path = Path(shutil.copy(speech / "items" / "LJ001-0002.flac", tmp_path / "x.flac"))
    (tmp_path / "x.words.json").write_text("[{}]")
    with pytest.raises(LoadtestError, match=r"tests/data expected beside .*x\.flac: 'word'"):
        read_recording(path)


def test_the_conversations_of_the_repository_are_the_default() -> None:
    assert [path.stem for path in conversations()] == [
        "pub-2spk-clean",
        "pub-3spk-ov08",
        "pub-4spk-ov06-snr20",
    ]
