"""What a session and its client agreed on: fixed at `start`, kept with the recording."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass

from server.codes import ErrorCode
from server.errors import PeerMistake
from server.messages import AUTO_LANGUAGE, Encoding, Finals, Start
from server.settings import Settings
from server.wire import DIARIZATION_LATENCIES_MS
from streaming.core.domain import from_ms
from streaming.core.settings import FinalsMode, SessionSettings

SPEAKER_AFTER_WORD_MS = 1_400
SPEAKER_AT_LEAST_MS = 2_000
"""How much longer the diarizer may wait than the recognizer, where the client does not say, and
how long at least: from 2 s on it costs half as much (`diarization_step`). Its error rate was 21 %
after 1 s, 17 % after 2 s and 15 % after 3 s (12.5 minutes of LibriSpeech talks of 2-4 speakers,
without collar)."""

_FINALS: Mapping[Finals, FinalsMode] = {
    Finals.WORD: FinalsMode.WORD,
    Finals.UTTERANCE: FinalsMode.UTTERANCE,
}


@dataclass(frozen=True, slots=True)
class Terms:
    """The options of one session as granted; fields as in `messages.Start`.

    Attributes:
        transcript: As asked for at first, then the id of the transcript that was found or made.
    """

    sample_rate: int
    encoding: Encoding
    language: str
    lookahead_ms: int
    max_delay_ms: int
    diarization: bool
    diarization_latency_ms: int | None
    hotwords: tuple[str, ...]
    partials: bool
    finals: Finals
    transcript: str | None = None
    person: str | None = None
    microphone: str | None = None
    age_ms: int = 0

    def as_json(self) -> dict[str, object]:
        """Return the terms for `session.json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, object]) -> Terms:
        """Return the terms that `as_json` described, now or before there were transcripts.

        Raises:
            KeyError: A field is missing.
            TypeError: A field has another type.
            ValueError: A field has an unknown value.
        """
        latency = fields["diarization_latency_ms"]
        hotwords = fields["hotwords"]
        if not isinstance(hotwords, list):
            raise TypeError("a list of hotwords expected")
        return cls(
            sample_rate=_whole(fields["sample_rate"]),
            encoding=Encoding(str(fields["encoding"])),
            language=str(fields["language"]),
            lookahead_ms=_whole(fields["lookahead_ms"]),
            max_delay_ms=_whole(fields["max_delay_ms"]),
            diarization=bool(fields["diarization"]),
            diarization_latency_ms=None if latency is None else _whole(latency),
            hotwords=tuple(str(word) for word in hotwords),
            partials=bool(fields["partials"]),
            finals=Finals(str(fields["finals"])),
            transcript=_text(fields.get("transcript")),
            person=_text(fields.get("person")),
            microphone=_text(fields.get("microphone")),
            age_ms=_whole(fields.get("age_ms", 0)),
        )


def agree(start: Start, settings: Settings, languages: Collection[str]) -> Terms:
    """Grant what a client asks for, as far as this server does it.

    Whether there is such a transcript, and who may speak into it, is not known here.

    Args:
        start: What is asked for.
        settings: Of this server.
        languages: What its recognizer knows.

    Raises:
        PeerMistake: It cannot be granted.
    """
    if start.language != AUTO_LANGUAGE and start.language not in languages:
        raise PeerMistake(
            ErrorCode.UNSUPPORTED,
            "Wrong language",
            expected=f"{AUTO_LANGUAGE} or one of {', '.join(sorted(languages))}",
            got=start.language,
        )
    # One person's words need no telling apart, and would only be spread over several speakers.
    diarization = start.diarization and settings.diarization and start.person is None
    lookahead_ms = settings.lookahead_ms if start.lookahead_ms is None else start.lookahead_ms
    return Terms(
        sample_rate=start.sample_rate,
        encoding=start.encoding,
        language=start.language,
        lookahead_ms=lookahead_ms,
        # Nothing is final before the look-ahead was heard, so no delay is shorter.
        max_delay_ms=max(start.max_delay_ms, lookahead_ms),
        diarization=diarization,
        diarization_latency_ms=_latency_ms(start, lookahead_ms) if diarization else None,
        hotwords=start.hotwords,
        partials=start.partials,
        finals=start.finals,
        transcript=start.transcript,
        person=start.person,
        microphone=start.microphone,
        age_ms=start.age_ms,
    )


def _latency_ms(start: Start, lookahead_ms: int) -> int:
    """Return how long the diarizer may wait."""
    if start.diarization_latency_ms is not None:
        return start.diarization_latency_ms
    tied = max(lookahead_ms + SPEAKER_AFTER_WORD_MS, SPEAKER_AT_LEAST_MS)
    return min(tied, DIARIZATION_LATENCIES_MS[-1])


def session_settings(terms: Terms, detected: str | None, settings: Settings) -> SessionSettings:
    """Return the terms as the live pass takes them.

    Args:
        terms: Of the session.
        detected: The language detected before, when a session goes on.
        settings: Of this server.
    """
    language = detected if terms.language == AUTO_LANGUAGE else terms.language
    latency_ms = terms.diarization_latency_ms or DIARIZATION_LATENCIES_MS[0]
    return SessionSettings(
        lookahead=from_ms(terms.lookahead_ms),
        max_delay=from_ms(terms.max_delay_ms),
        language=language,
        hotwords=terms.hotwords,
        finals=_FINALS[terms.finals],
        partials=terms.partials,
        # A session that goes on may have begun when this server told speakers apart.
        diarization=terms.diarization and settings.diarization,
        diarization_latency=from_ms(latency_ms),
        capacity=from_ms(settings.backlog_ms),
    )


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError("an integer expected")
    return value


def _text(value: object) -> str | None:
    if not isinstance(value, str | None):
        raise TypeError("text or nil expected")
    return value
