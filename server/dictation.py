"""What a session hears, written into its transcript.

The session's journal is the queue: a dictation reads the lasting events that follow the last one
that the document shows, plans the edits that make it show them, and commits edits, words and the
event's number in one step. So nothing is written twice or left out, whatever dies when.

Times of a session count from its first sample; those of the transcript from its own start.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import assert_never

from offline.arrangement import arrange, spread
from offline.belief import Beliefs
from offline.domain import PassId, PassWord, Segment, SpeakerId, WordRef
from offline.doubles import place_once
from offline.edits import Plan
from offline.reconcile import Portion, correct
from offline.view import View
from server.journal import Entry
from server.machine import Planned
from server.room import Room
from server.settling import settling
from server.storage.values import Progress, Session, WordChunk
from streaming.core.domain import Samples, Span, Speaker, Word, to_ms
from streaming.core.events import (
    Correction,
    Final,
    LanguageDetected,
    Partial,
    SpeakerRevised,
    SpeechStarted,
    UtteranceEnded,
)


class Dictation:
    """Writes one session's events into an open room; owned by the task that feeds it."""

    def __init__(self, room: Room, session: Session, voices: Mapping[str, SpeakerId]) -> None:
        """Go on behind `session.applied_seq`.

        Args:
            room: Of the session's transcript.
            session: As the storage knows it.
            voices: Who the session's voices are in the transcript; to be completed before an
                event names another one.
        """
        self._room = room
        self._session = session
        self._voices = dict(voices)
        self._live = room.passes.setdefault(session.live_pass, [])
        self._again = room.passes.setdefault(session.utterance_pass, [])
        room.sessions[session.live_pass] = room.sessions[session.utterance_pass] = session.id
        self._beliefs = Beliefs(session.live_pass)
        self._seq = session.applied_seq
        self._person: SpeakerId | None = None

    def speaks_alone(self, speaker: SpeakerId, name: str) -> None:
        """Say that all words are those of one person."""
        self._person = speaker
        self._propose(speaker, name)

    @property
    def seq(self) -> int:
        """Number of the last event that was written."""
        return self._seq

    def strangers(self, entry: Entry) -> list[str]:
        """Return the voices in an event of which it is not known who they are."""
        match entry.event:
            case Final(words=words) | Correction(words=words):
                voices = [word.speaker for word in words]
            case SpeakerRevised(speaker=speaker):
                voices = [speaker]
            case _:
                voices = []
        new = dict.fromkeys(voice for voice in voices if voice is not None)
        return [voice for voice in new if voice not in self._voices]

    def introduce(self, voice: str, speaker: SpeakerId, name: str) -> None:
        """Say who a voice is, and how to call it while no person says so."""
        self._voices[voice] = speaker
        self._propose(speaker, name)

    async def take(self, entry: Entry, heard: Samples) -> None:
        """Write one event, whose voices are known.

        Args:
            entry: The one that follows the last.
            heard: Length of the session's audio.

        Raises:
            TranscriptError: The document cannot be changed any more; its room closes.
        """
        progress = Progress(self._session.id, entry.seq, heard)
        match entry.event:
            case Final(words=words):
                await self._write(words, progress)
            case Correction(span=span, words=words):
                await self._correct(span, words, progress)
            case SpeakerRevised(span=span, speaker=speaker):
                said = {} if speaker is None else self._said_in(span, speaker)
                await self._room.machine.write(*self._arrangement(said), progress=progress)
            case LanguageDetected(language=language):
                # What a person said, or another session heard before, stands.
                document = self._room.transcript
                known = document.meta("language")
                update = None if known else document.put_meta("language", language.code)
                self._room.commit(update, progress=progress)
            case SpeechStarted() | UtteranceEnded():
                self._room.commit(None, progress=progress)
            case _:
                assert_never(entry.event)
        self._seq = entry.seq

    def show(self, partial: Partial | None) -> dict[str, object] | None:
        """Return what is being said in this session, for the eyes of everybody in the room."""
        if partial is None or not partial.words:
            return None
        speaker = partial.words[0].speaker
        return {
            "text": "".join(word.text for word in partial.words),
            "start_ms": self._time(partial.words[0].span.start),
            "end_ms": self._time(partial.words[-1].span.end),
            "speaker": self._speaker(speaker) if speaker in self._voices else self._person,
        }

    def _propose(self, speaker: SpeakerId, name: str) -> None:
        if not self._room.transcript.has_speaker(speaker):
            self._room.commit(self._room.transcript.propose_name(speaker, name))

    async def _write(self, words: Sequence[Word], progress: Progress) -> None:
        """Write final words, those of each speaker by themselves."""
        said, chunk = self._heard(self._session.live_pass, self._live, words)
        plans: list[Planned] = []
        for each in chunk:
            span = each.words[0].start_ms, each.words[-1].end_ms
            plans += settling(self._room, self._session.id, span, said)
        first = said.first
        for who, group in groupby(words, key=lambda word: word.speaker):
            end = first + len(list(group))
            plans.append(self._placement(Segment(said.pass_id, first, end), who))
            first = end
        await self._room.machine.write(*plans, words=chunk, progress=progress)

    async def _correct(self, span: Span, words: Sequence[Word], progress: Progress) -> None:
        said = self._indices(self._live, span)
        new, chunk = self._heard(self._session.utterance_pass, self._again, words)
        plans: list[Planned] = []
        if said:
            portion = Portion(new, self._time(span.start), self._time(span.end))
            plans.append(partial(self._correction, portion))
            span_ms = portion.start_ms, portion.end_ms
            plans += settling(self._room, self._session.id, span_ms)
        plans += self._arrangement(
            {
                WordRef(new.pass_id, new.first + number): word.speaker
                for number, word in enumerate(words)
                if word.speaker is not None
            }
        )
        await self._room.machine.write(*plans, words=chunk, progress=progress)

    def _placement(self, segment: Segment, voice: Speaker | None) -> Planned:
        """Return the plan to write words of one voice."""
        # Who a voice is, is looked up in the plan: it may turn out before that is carried out.
        return lambda view: place_once(view, segment, self._speaker(voice))

    def _correction(self, portion: Portion, view: View) -> Plan:
        heard = len(view.passes[self._session.live_pass])
        return correct(view, self._beliefs.of(heard, view.history.decisions), portion)

    def _arrangement(self, said_by: Mapping[WordRef, Speaker]) -> list[Planned]:
        """Return the plan after which turns agree with what is known of some words, if any is."""

        def arranged(view: View) -> Plan:
            speakers = {word: self._known(voice) for word, voice in said_by.items()}
            return Plan(tuple(arrange(view, spread(view, speakers))))

        return [arranged] if said_by else []

    def _said_in(self, span: Span, voice: Speaker) -> dict[WordRef, Speaker]:
        """Return the words that lie in a span as said by a voice."""
        passes = (
            (self._session.live_pass, self._live),
            (self._session.utterance_pass, self._again),
        )
        return {
            WordRef(pass_id, number): voice
            for pass_id, words in passes
            for number in self._indices(words, span)
        }

    def _heard(
        self, pass_id: PassId, known: Sequence[PassWord], words: Iterable[Word]
    ) -> tuple[Segment, tuple[WordChunk, ...]]:
        """Return what words that continue a pass are called there, and, if there are any, them."""
        first = len(known)
        new = tuple(
            PassWord(
                text=word.text,
                start_ms=self._time(word.span.start),
                end_ms=self._time(word.span.end),
                confidence=word.confidence,
            )
            for word in words
        )
        chunk = (WordChunk(pass_id, first, new),) if new else ()
        return Segment(pass_id, first, first + len(new)), chunk

    def _indices(self, words: Sequence[PassWord], span: Span) -> range:
        """Return which words lie in a span; see "Folding events" in the protocol."""
        first, last = 2 * self._time(span.start), 2 * self._time(span.end)
        stop = len(words)
        while stop and words[stop - 1].start_ms + words[stop - 1].end_ms > last:
            stop -= 1
        start = stop
        while start and words[start - 1].start_ms + words[start - 1].end_ms >= first:
            start -= 1
        return range(start, stop)

    def _speaker(self, voice: Speaker | None) -> SpeakerId | None:
        return self._person if voice is None else self._known(voice)

    def _known(self, voice: Speaker) -> SpeakerId:
        return self._room.identity(self._voices[voice])

    def _time(self, at: Samples) -> int:
        return self._session.offset_ms + to_ms(at)
