"""Speech whose truth is known: the audio, and what lies beside it (see `tests/data/README.md`)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from loadtest.errors import LoadtestError
from streaming.core.domain import SAMPLE_RATE, Pcm
from trax_client.decoding import decode
from trax_client.sources import SourceError

SAMPLE_BYTES = 2

CONVERSATIONS = Path(__file__).parents[1] / "tests" / "data" / "conversations"
"""What is measured when no file is named."""


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
