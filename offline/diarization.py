"""Who speaks when in a stretch of a session, as an offline diarization tells voices apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from offline.ports import AudioSource, Progress
from offline.results import HeardVoice
from streaming.core.domain import Pcm, Samples, Span, Voice, from_ms, to_ms
from streaming.engines.diarizers import RecordingDiarizer

ENOUGH = 4.0
"""Windows in which a voice must have been heard before it sounds like anything: 2 s alone."""


@dataclass(frozen=True, slots=True)
class VoiceTurn:
    """A stretch in which one voice is active; those of different voices may overlap.

    Attributes:
        start_ms: On the session's clock.
        end_ms: Likewise, excluded.
        voice: Index among the voices of its diarization.
    """

    start_ms: int
    end_ms: int
    voice: int


@dataclass(frozen=True, slots=True)
class OfflineDiarization:
    """What a diarization found.

    Attributes:
        turns: By start; those of one voice do not overlap.
        voices: In the order in which they begin to speak.
    """

    turns: tuple[VoiceTurn, ...]
    voices: tuple[HeardVoice, ...]


def overlaps(turns: Sequence[VoiceTurn]) -> list[Span]:
    """Return where several voices are active at once, in order and apart from each other.

    Args:
        turns: By start; those of one voice do not overlap.
    """
    found: list[Span] = []
    active_until_ms = 0
    for turn in turns:
        end_ms = min(active_until_ms, turn.end_ms)
        if turn.start_ms < end_ms:
            start = from_ms(turn.start_ms)
            if found and start < found[-1].end:
                start = found[-1].end
            if start < from_ms(end_ms):
                found.append(Span(start, from_ms(end_ms)))
        active_until_ms = max(active_until_ms, turn.end_ms)
    return found


class OfflineDiarizer(Protocol):
    """Tells the voices of a stretch of audio apart."""

    def diarize(self, audio: AudioSource, span: Span, progress: Progress) -> OfflineDiarization:
        """Return who speaks when.

        Args:
            audio: Of a session, asked for some 20 s at a time.
            span: What of it to listen to: the longer, the better it knows the voices.
            progress: Told again and again; what it raises ends the work.
        """
        ...


class EngineDiarizer:
    """An `OfflineDiarizer` that has an engine do the work."""

    def __init__(self, engine: RecordingDiarizer) -> None:
        """Use an engine, see `streaming.engines.diarizers.load_recording_diarizer`."""
        self._engine = engine

    def diarize(self, audio: AudioSource, span: Span, progress: Progress) -> OfflineDiarization:
        """Return who speaks when (see `OfflineDiarizer.diarize`)."""

        def read(stretch: Span) -> Pcm:
            start, end = stretch.start + span.start, stretch.end + span.start
            return audio.read(Span(Samples(start), Samples(end)))

        found = self._engine.diarize(read, span.length, progress)
        numbers = {voice.speaker: number for number, voice in enumerate(found.voices)}
        turns = tuple(
            VoiceTurn(
                to_ms(span.start + turn.span.start),
                to_ms(span.start + turn.span.end),
                numbers[turn.speaker],
            )
            for turn in found.turns
        )
        spoken_ms = [0] * len(numbers)
        for turn in turns:
            spoken_ms[turn.voice] += turn.end_ms - turn.start_ms
        return OfflineDiarization(
            turns,
            tuple(
                HeardVoice(_print(voice), speech_ms)
                for voice, speech_ms in zip(found.voices, spoken_ms, strict=True)
            ),
        )


def _print(voice: Voice) -> bytes:
    return voice.print if voice.weight >= ENOUGH else b""
