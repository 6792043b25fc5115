"""Speech whose truth is known: the audio, and what lies beside it (see `tests/data/README.md`)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

import numpy as np

from loadtest.errors import LoadtestError
from streaming.core.domain import SAMPLE_RATE, Pcm
from trax_client.decoding import decode
from trax_client.sources import SourceError

SAMPLE_BYTES = 2

DATA = Path(__file__).parents[1] / "tests" / "data"

CONVERSATIONS = DATA / "conversations"
"""What is measured when no file is named."""

CONTINUOUS = tuple(
    DATA / "items" / f"{name}.flac"
    for name in ("LJ001-0001", "LJ001-0002", "LJ001-0004", "LJ001-0008", "jfk")
)
"""Speech nearly without pauses, where no file is named: LJ Speech, then a president."""


@dataclass(frozen=True, slots=True)
class TrueWord:
    """A word that was said, when, and by whom."""

    text: str
    start_s: float
    end_s: float
    speaker: str


@dataclass(frozen=True, slots=True)
class TrueTurn:
    """A stretch in which one person speaks; those of several people may overlap."""

    start_s: float
    end_s: float
    speaker: str


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording with its truth.

    Attributes:
        name: Of its file, without folder and suffix.
        path: Its file.
        audio: 16 kHz mono, 16-bit little-endian: what a client sends.
        words: What was said, by start; `None` when nobody knows.
        turns: Who spoke when; `None` when nobody knows.
    """

    name: str
    path: Path
    audio: bytes
    words: tuple[TrueWord, ...] | None
    turns: tuple[TrueTurn, ...] | None

    @property
    def duration_s(self) -> float:
        """Its length."""
        return len(self.audio) / SAMPLE_BYTES / SAMPLE_RATE

    @property
    def samples(self) -> Pcm:
        """The audio as engines take it."""
        whole = np.frombuffer(self.audio, dtype="<i2")
        return whole.astype(np.float32) / np.float32(2**15)


def read_recording(path: Path) -> Recording:
    """Read a file of any format, and `X.words.json` and `X.rttm` beside it if they are there.

    Raises:
        LoadtestError: There is no such audio, or its truth cannot be read.
    """
    if not path.is_file():
        raise LoadtestError(f"a recording expected, but there is no file {path}")
    try:
        audio = b"".join(decode(path))
    except SourceError as error:
        raise LoadtestError(str(error)) from error
    if not audio:
        raise LoadtestError(f"a recording expected, but there is no audio in {path}")
    words, turns = path.with_suffix(".words.json"), path.with_suffix(".rttm")
    try:
        return Recording(
            name=path.stem,
            path=path,
            audio=audio,
            words=_words(words) if words.is_file() else None,
            turns=_turns(turns) if turns.is_file() else None,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise LoadtestError(f"a truth as in tests/data expected beside {path}: {error}") from error


def conversations() -> list[Path]:
    """Return the conversations that come with the repository, by name."""
    return sorted(CONVERSATIONS.glob("*.flac"))


def long_talk(recordings: Sequence[Recording], minutes: float) -> Recording:
    """Return recordings one after another, again and again, for at least so long.

    Raises:
        LoadtestError: Nobody knows what is said in one of them.
    """
    audio, words, length_s = bytearray(), list[TrueWord](), 0.0
    for recording in recordings:
        if recording.words is None:
            raise LoadtestError(f"{recording.name}: a .words.json expected beside it")
        words += _later(recording.words, length_s)
        audio += recording.audio
        length_s = len(audio) / SAMPLE_BYTES / SAMPLE_RATE
    times = max(1, ceil(minutes * 60 / length_s))
    repeated = [word for n in range(times) for word in _later(words, n * length_s)]
    return Recording("talk", Path("talk"), bytes(audio) * times, tuple(repeated), None)


def _words(path: Path) -> tuple[TrueWord, ...]:
    rows = json.loads(path.read_text(encoding="utf-8"))
    words = (
        TrueWord(str(row["word"]), float(row["start"]), float(row["end"]), str(row["speaker"]))
        for row in rows
    )
    return tuple(sorted(words, key=lambda word: (word.start_s, word.end_s)))


def _turns(path: Path) -> tuple[TrueTurn, ...]:
    lines = path.read_text(encoding="utf-8").splitlines()
    turns: list[TrueTurn] = []
    for line in lines:
        _, _, _, start, length, _, _, speaker, *_ = line.split()
        turns.append(TrueTurn(float(start), float(start) + float(length), speaker))
    return tuple(turns)


def _later(words: Sequence[TrueWord], by_s: float) -> list[TrueWord]:
    return [replace(word, start_s=word.start_s + by_s, end_s=word.end_s + by_s) for word in words]
