"""The three models that a session needs, as small protocols.

`streaming/engines` implements them with Silero VAD, diart and Whisper, and with scripts for
tests. They are called from worker threads by the pool, never by the core: the core only
describes the work (`work.py`) and is told the result.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from streaming.core.domain import DetectedLanguage, Pcm, Samples, Turn, Voice, Word


class Effort(Enum):
    """How hard a recognizer works on a window."""

    LIVE = "live"
    """Greedy, no previous text: a window of speech that is still going on."""
    UTTERANCE = "utterance"
    """Beam search: a whole utterance, once, at its end."""
    SEARCH = "search"
    """As the window's `Search` says: for good, once the audio is there."""


class Way(Enum):
    """How text is written down; each way fails where the other may not."""

    TIMED = "timed"
    """With times of its own, which tell where it stopped short of the window's end."""
    PLAIN = "plain"
    """Without: surer of its words, and more likely to skip some."""


@dataclass(frozen=True, slots=True)
class Search:
    """How a window is heard for good, and when what was heard is not believed.

    The thresholds are Whisper's own (Radford et al. 2022, section 4.5).

    Attributes:
        ways: Of writing it down: each gives a reading.
        beams: Width of the search.
        temperatures: Tried one after another while what is heard is not believed.
        no_speech: A window of at least this probability of no speech whose text is not believed
            holds none.
        log_probability: Text of a lower mean log-probability a token is not believed.
        compression: Nor is text that compresses better than this, because it repeats itself.
    """

    ways: tuple[Way, ...] = (Way.TIMED, Way.PLAIN)
    beams: int = 5
    temperatures: tuple[float, ...] = (0.0, 0.4, 0.8)
    no_speech: float = 0.6
    log_probability: float = -1.0
    compression: float = 2.4


@dataclass(frozen=True, slots=True)
class RecognitionWindow:
    """One stretch of audio to recognise, and what is known about it.

    Attributes:
        start: Where `pcm` starts on the session clock.
        pcm: The audio, at most 30 s.
        effort: How hard to try.
        language: ISO 639-1 code, or `None` to detect it from this window.
        hotwords: Words to favour, as the user spells them.
        before: What was said right before, where that is known; used by `Effort.SEARCH` alone.
        search: How to search, of `Effort.SEARCH`.
        expected: What may well be said in it, of `Effort.LIVE`: what was heard of it before. It may
            save time; what is heard is the same without.
        kept: Of `Effort.LIVE`, `Transcription.kept` of the window before. It may save time, where
            that began at the same place; what is heard may differ a little.
    """

    start: Samples
    pcm: Pcm
    effort: Effort
    language: str | None
    hotwords: tuple[str, ...] = ()
    before: str = ""
    search: Search = Search()
    expected: str = ""
    kept: object = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Transcription:
    """What a recognizer heard in one window.

    Attributes:
        words: In time order, on the session clock. Their speaker is not set.
        language: What was detected, when the window asked for it.
        others: Of `Effort.SEARCH`, the words of each further way.
        believed: Whether `Search` found it good at the first temperature: what follows may be
            heard with it in mind.
        kept: What the recognizer wants to see again with the next live window.
    """

    words: tuple[Word, ...]
    language: DetectedLanguage | None = None
    others: tuple[tuple[Word, ...], ...] = ()
    believed: bool = True
    kept: object = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Diarization:
    """Who was speaking, as far as a diarizer knows after one more window.

    Attributes:
        turns: Turns that end after the previous answer's `fixed_until`, clipped to start no
            earlier than it. The part before this answer's `fixed_until` will never change;
            the rest is replaced by the next answer.
        fixed_until: End of what will not change any more.
        voices: What the speakers named so far sound like, where the diarizer can tell.
    """

    turns: tuple[Turn, ...]
    fixed_until: Samples
    voices: tuple[Voice, ...] = ()


class Vad(Protocol):
    """Voice activity detection of one session. Stateful: frames come in order, each once."""

    def score(self, frame: Pcm) -> float:
        """Return the probability (0..1) that `frame`, of `FRAME` samples, holds speech."""
        ...


class Diarizer(Protocol):
    """Online diarization of one session. Stateful: windows come in order."""

    def label(self, window: Pcm, start: Samples) -> Diarization:
        """Take the next window and say who speaks.

        Args:
            window: The most recent 5 s of audio, shape `(80000,)`.
            start: Where the window starts; negative for the first ones, which begin with zeros.
        """
        ...


class Recognizer(Protocol):
    """Speech recognition, shared by all sessions. Stateless, and safe to call from threads."""

    def recognize(self, windows: Sequence[RecognitionWindow]) -> Sequence[Transcription]:
        """Recognise windows of several sessions in one call.

        Args:
            windows: A batch; those of one `SharedRecognizer.kin` cost less in it.

        Returns:
            One transcription per window, in the same order.
        """
        ...


class SharedRecognizer(Recognizer, Protocol):
    """A recognizer of many sessions, which says what of theirs goes together."""

    def kin(self, window: RecognitionWindow) -> Hashable:
        """Return what windows share that cost less in one call than in several; `None`: none do."""
        ...
