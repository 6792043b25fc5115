"""What an accurate pass heard, on its way from a worker to the document.

Times are whole milliseconds on the clock of the session that was heard.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgpack

from offline.domain import PassWord
from streaming.core.domain import Permille

VERSION = 1


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word, and whose voice it is.

    Attributes:
        word: In time order among the words of its hearing.
        voice: Index among the voices of its hearing; `None` where nobody knows.
    """

    word: PassWord
    voice: int | None = None


@dataclass(frozen=True, slots=True)
class HeardVoice:
    """A voice that an offline diarization told apart from others.

    Attributes:
        print: Embedding of length 1, little-endian float32, comparable with those of
            `streaming.core.domain.Voice`; empty where the voice was heard too shortly.
        speech_ms: How long it speaks.
    """

    print: bytes = field(repr=False)
    speech_ms: int


@dataclass(frozen=True, slots=True)
class Hearing:
    """All that one task gave.

    Attributes:
        start_ms: Where what was heard begins.
        end_ms: Where it ends.
        words: In time order; of a passage, with those beside its edges.
        voices: None where speakers were not told apart.
        language: ISO 639-1 code of what was spoken, where that is known.
    """

    start_ms: int
    end_ms: int
    words: tuple[HeardWord, ...]
    voices: tuple[HeardVoice, ...] = ()
    language: str | None = None

    def encode(self) -> bytes:
        """Return the hearing as it is stored."""
        content = [
            VERSION,
            self.start_ms,
            self.end_ms,
            [
                [w.word.text, w.word.start_ms, w.word.end_ms, w.word.confidence, w.voice]
                for w in self.words
            ],
            [[voice.print, voice.speech_ms] for voice in self.voices],
            self.language,
        ]
        packed: bytes = msgpack.packb(content)
        return packed

    @classmethod
    def decode(cls, content: bytes) -> Hearing:
        """Return what `encode` described.

        Raises:
            ValueError: It is of another version, or nothing of ours.
        """
        version, *fields = msgpack.unpackb(content)
        if version != VERSION:
            raise ValueError(f"a hearing of version {VERSION} expected, got {version!r}")
        start_ms, end_ms, words, voices, language = fields
        return cls(
            start_ms,
            end_ms,
            tuple(
                HeardWord(PassWord(text, start, end, Permille(confidence)), voice)
                for text, start, end, confidence, voice in words
            ),
            tuple(HeardVoice(*voice) for voice in voices),
            language,
        )
