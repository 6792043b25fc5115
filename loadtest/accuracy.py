"""How right the words are: live, after each further pass, and beside a decode of the whole file.

No server takes part and nothing waits, so the same settings give the same numbers on any machine
of a kind; only processor times differ. See `hearing` for the live side, `passes` for what follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from loadtest.arrivals import Arrival, corrected_words, disordered_finals, live_words
from loadtest.cpwer import SpokenErrors, spoken_errors
from loadtest.diarization import (
    DiarizationErrors,
    as_turns,
    diarization_errors,
    voice_name,
)
from loadtest.distribution import Distribution
from loadtest.errors import LoadtestError
from loadtest.hearing import Costs, Heard, hear
from loadtest.normalization import normalize
from loadtest.passes import HeardPass, hear_later
from loadtest.recordings import Recording, TrueTurn
from loadtest.scoring import (
    Alignment,
    SpeakerErrors,
    TimeErrors,
    Token,
    WordErrors,
    align,
    align_tokens,
    speaker_errors,
    time_errors,
    tokens_heard,
    tokens_said,
)
from loadtest.whole_file import WholeFileRecognizer
from offline.accurate import Ear
from offline.domain import PassWord
from streaming.core.attribution import speaker_of
from streaming.core.domain import Permille, Span, Turn, from_ms
from streaming.core.settings import SessionSettings
from streaming.engines.loading import EngineSet
from trax_client.events import Correction, Final, UtteranceEnd


@dataclass(frozen=True, slots=True)
class WholeFile:
    """What a decode of the whole file made of it."""

    errors: WordErrors
    cpu_per_audio_s: float


@dataclass(frozen=True, slots=True)
class PassReport:
    """What a pass after the live ones made of a recording, and what it took.

    Attributes:
        errors: Of the words that stand after it.
        spoken: Errors of words and speakers at once, where speakers were told apart.
        cpu_per_audio_s: Processor time, without loading models.
        peak_rss_bytes: Memory of its process at its most.
    """

    errors: WordErrors
    spoken: SpokenErrors | None
    cpu_per_audio_s: float
    peak_rss_bytes: int


@dataclass(frozen=True, slots=True)
class VoicesReport:
    """How well the voices of a whole recording were told apart, once all of it was there.

    Attributes:
        voices: How many speakers its words name.
        words: Words of the right voice.
        turns: The diarizer's; `None` where the truth has no turns.
        spoken: Errors of words and speakers at once.
        cpu_per_audio_s: Processor time of the diarizer alone.
    """

    voices: int
    words: SpeakerErrors
    turns: DiarizationErrors | None
    spoken: SpokenErrors
    cpu_per_audio_s: float


@dataclass(frozen=True, slots=True)
class LaterReport:
    """What came of the passes after the live ones; see `loadtest.passes.Later`.

    Attributes:
        voices: Of `upload`, where speakers were told apart.
    """

    stretch: PassReport | None
    recording: PassReport
    uncertain: PassReport
    upload: PassReport
    voices: VoicesReport | None

    @property
    def saved(self) -> float:
        """The part of the recording pass that hearing only what is uncertain saves."""
        return 1 - self.uncertain.cpu_per_audio_s / self.recording.cpu_per_audio_s


@dataclass(frozen=True, slots=True)
class SpeakerReport:
    """How well speakers were told apart.

    Attributes:
        people: How many speak.
        voices: How many speakers the final words name.
        words: Final words of the right voice, as last revised.
        turns: The diarizer's turns, as fixed; `None` where the truth has no turns.
        live: Errors of live words and their speakers at once.
        corrected: Likewise, of those that stand after the utterance pass.
    """

    people: int
    voices: int
    words: SpeakerErrors
    turns: DiarizationErrors | None
    live: SpokenErrors
    corrected: SpokenErrors


@dataclass(frozen=True, slots=True)
class CostReport:
    """Processor seconds for each second of audio, by kind of work."""

    vad: float
    live: float
    utterance: float
    diarizer: float
    live_windows: int
    utterance_passes: int


@dataclass(frozen=True, slots=True)
class AccuracyReport:
    """What came of one recording.

    Attributes:
        name: Of the recording.
        duration_s: Its length.
        live: Errors of the words as they became final.
        corrected: Errors of the words that stand at the end.
        later: What further passes made of it, where that was asked for.
        whole_file: The comparison, where it was asked for.
        final_latency_s: From the end of a word, as said, to the end of the audio that made it
            final: what a machine of no computing time would take. Of words heard rightly.
        times: Errors of the times of live words.
        speakers: How well speakers were told apart, where they were.
        utterances: How many there were.
        corrections: How many of them were corrected.
        disordered_finals: Final words that begin before the one before them ends: none.
        costs: What it took.
    """

    name: str
    duration_s: float
    live: WordErrors
    corrected: WordErrors
    later: LaterReport | None
    whole_file: WholeFile | None
    final_latency_s: Distribution | None
    times: TimeErrors | None
    speakers: SpeakerReport | None
    utterances: int
    corrections: int
    disordered_finals: int
    costs: CostReport

    @property
    def fewer_errors(self) -> float:
        """The part of the live errors that the utterance pass removed; less than 0: it added."""
        return fewer_errors(self.live, self.corrected)


def fewer_errors(live: WordErrors, corrected: WordErrors) -> float:
    """Return the part of the live errors that corrections removed."""
    return 1 - corrected.total / live.total if live.total else 0.0


def measure_accuracy(
    recording: Recording,
    engines: EngineSet,
    settings: SessionSettings,
    whole_file: WholeFileRecognizer | None,
    ear: Ear | None = None,
) -> AccuracyReport:
    """Hear a recording and compare; takes about its length.

    Args:
        recording: What.
        engines: Of the live side.
        settings: Of the session.
        whole_file: What to compare with, if anything.
        ear: With what further passes hear; `None` leaves them out.

    Raises:
        LoadtestError: Nobody knows what is said in it.
    """
    if not recording.words:
        raise LoadtestError(f"{recording.name}: a .words.json expected beside it")
    said = tokens_said(recording.words)
    heard = hear(recording.samples, engines, settings)
    events = [arrival.event for arrival in heard.arrivals]
    live = tokens_heard(live_words(heard.arrivals))
    alignment = align_tokens(said, live)
    corrected = align_tokens(said, tokens_heard(corrected_words(heard.arrivals)))
    return AccuracyReport(
        name=recording.name,
        duration_s=recording.duration_s,
        live=alignment.errors,
        corrected=corrected.errors,
        later=None if ear is None else _later(recording, heard, said, settings.language, ear),
        whole_file=_compare(recording, said, whole_file, settings.language),
        final_latency_s=Distribution.of(_final_latencies_s(said, heard.arrivals, alignment)),
        times=time_errors(said, live, alignment),
        speakers=_speakers(recording, heard, said) if settings.diarization else None,
        utterances=sum(isinstance(event, UtteranceEnd) for event in events),
        corrections=sum(isinstance(event, Correction) for event in events),
        disordered_finals=disordered_finals(heard.arrivals),
        costs=_per_audio_s(heard.costs, recording.duration_s),
    )


def _final_latencies_s(
    said: tuple[Token, ...], arrivals: Iterable[Arrival], alignment: Alignment
) -> list[float]:
    """Return how long after its end each word was final, of those heard rightly."""
    at_s = [
        arrival.at_s
        for arrival in arrivals
        if isinstance(arrival.event, Final)
        for _ in tokens_heard(arrival.event.words)
    ]
    return [at_s[heard] - said[index].end_s for index, heard in alignment.equal]


def _later(
    recording: Recording, heard: Heard, said: tuple[Token, ...], language: str | None, ear: Ear
) -> LaterReport:
    earlier = tuple(
        tuple(PassWord(w.text, w.start_ms, w.end_ms, Permille(w.confidence)) for w in words)
        for words in (live_words(heard.arrivals), corrected_words(heard.arrivals))
    )
    ends = (each.event for each in heard.arrivals if isinstance(each.event, UtteranceEnd))
    utterances = [(end.start_ms, end.end_ms) for end in ends]
    told_apart = bool(heard.turns)
    later = hear_later(recording, ear, language, earlier, utterances, voices=told_apart)

    def report(one: HeardPass) -> PassReport:
        tokens = _tokens(one.words, heard.turns)
        return PassReport(
            errors=align_tokens(said, tokens).errors,
            spoken=spoken_errors(said, tokens) if heard.turns else None,
            cpu_per_audio_s=one.cpu_s / recording.duration_s,
            peak_rss_bytes=one.peak_rss_bytes,
        )

    return LaterReport(
        None if later.stretch is None else report(later.stretch),
        report(later.recording),
        report(later.uncertain),
        report(later.upload),
        _voices(recording, later.upload, said) if told_apart else None,
    )


def _voices(recording: Recording, heard: HeardPass, said: tuple[Token, ...]) -> VoicesReport:
    tokens = tuple(
        Token(
            text,
            one.word.start_ms / 1000,
            one.word.end_ms / 1000,
            None if one.voice is None else voice_name(one.voice),
        )
        for one in heard.heard
        for text in normalize(one.word.text)
    )
    true, turns = recording.turns, as_turns(heard.turns)
    return VoicesReport(
        voices=len({token.speaker for token in tokens} - {None}),
        words=speaker_errors(said, tokens, align_tokens(said, tokens)),
        turns=None if true is None else diarization_errors(true, turns, recording.duration_s),
        spoken=spoken_errors(said, tokens),
        cpu_per_audio_s=heard.diarizer_cpu_s / recording.duration_s,
    )


def _tokens(words: Iterable[PassWord], turns: Sequence[Turn]) -> tuple[Token, ...]:
    """Return words in the form in which they are compared, by the speakers of the live turns."""
    return tuple(
        Token(
            text,
            word.start_ms / 1000,
            word.end_ms / 1000,
            speaker_of(Span(from_ms(word.start_ms), from_ms(word.end_ms)), turns),
        )
        for word in words
        for text in normalize(word.text)
    )


def _compare(
    recording: Recording,
    said: tuple[Token, ...],
    recognizer: WholeFileRecognizer | None,
    language: str | None,
) -> WholeFile | None:
    if recognizer is None:
        return None
    whole = recognizer.transcribe(recording.samples, language)
    errors = align([token.text for token in said], normalize(whole.text)).errors
    return WholeFile(errors, whole.cpu_s / recording.duration_s)


def _speakers(recording: Recording, heard: Heard, said: tuple[Token, ...]) -> SpeakerReport:
    words = tokens_heard(corrected_words(heard.arrivals))
    true = recording.turns
    return SpeakerReport(
        people=len(_people(said, true)),
        voices=len({word.speaker for word in words} - {None}),
        words=speaker_errors(said, words, align_tokens(said, words)),
        turns=None if true is None else diarization_errors(true, heard.turns, recording.duration_s),
        live=spoken_errors(said, tokens_heard(live_words(heard.arrivals))),
        corrected=spoken_errors(said, words),
    )


def _people(said: tuple[Token, ...], turns: tuple[TrueTurn, ...] | None) -> set[str | None]:
    return {each.speaker for each in (said if turns is None else turns)}


def _per_audio_s(costs: Costs, duration_s: float) -> CostReport:
    return CostReport(
        vad=costs.vad.cpu_s / duration_s,
        live=costs.live.cpu_s / duration_s,
        utterance=costs.utterance.cpu_s / duration_s,
        diarizer=costs.diarizer.cpu_s / duration_s,
        live_windows=costs.live.pieces,
        utterance_passes=costs.utterance.pieces,
    )
