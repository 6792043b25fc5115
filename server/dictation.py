"""What a session hears, written into its transcript.

The session's journal is the queue: a dictation reads the lasting events that follow the last one
that the document shows, plans the edits that make it show them, and commits edits, words and the
event's number in one step. So nothing is written twice or left out, whatever dies when.

Times of a session count from its first sample; those of the transcript from its own start.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import assert_never

from offline.arrangement import arrange
from offline.belief import Belief
from offline.domain import PassId, PassWord, Segment, SpeakerId, WordRef
from offline.edits import Plan
from offline.placement import place
from offline.reconcile import Portion, correct
from server.journal import Entry
from server.room import Room
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

    def take(self, entry: Entry, heard: Samples) -> None:
        """Write one event, whose voices are known.

        Args:
            entry: The one that follows the last.
            heard: Length of the session's audio.
        """
        self._seq = entry.seq
        progress = Progress(self._session.id, entry.seq, heard)
        match entry.event:
            case Final(words=words):
                self._write(words, progress)
            case Correction(span=span, words=words):
                self._correct(span, words, progress)
            case SpeakerRevised(span=span, speaker=speaker):
                if speaker is not None:
                    self._arrange(self._said_in(span, self._known(speaker)))
                self._room.commit(None, progress=progress)
            case LanguageDetected(language=language):
                update = self._room.transcript.put_meta("language", language.code)
                self._room.commit(update, progress=progress)
            case SpeechStarted() | UtteranceEnded():
                self._room.commit(None, progress=progress)
            case _:
                assert_never(entry.event)

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
        if speaker not in self._room.transcript.speakers():
            self._room.commit(self._room.transcript.propose_name(speaker, name))

    def _write(self, words: Iterable[Word], progress: Progress) -> None:
        """Write final words, those of each speaker by themselves."""
        groups = [(who, list(group)) for who, group in groupby(words, key=lambda w: w.speaker)]
        for number, (who, group) in enumerate(groups, start=1):
            segment, chunk = self._heard(self._session.live_pass, self._live, group)
            update = self._room.transcript.write(
                place(self._room.view(), segment, self._speaker(who))
            )
            last = number == len(groups)
            self._room.commit(update, words=chunk, progress=progress if last else None)

    def _correct(self, span: Span, words: Iterable[Word], progress: Progress) -> None:
        said = self._indices(self._live, span)
        new, chunk = self._heard(self._session.utterance_pass, self._again, words)
        plan = Plan()
        if said:
            belief = Belief.of(self._session.live_pass, len(self._live), self._room.decisions)
            portion = Portion(new, self._time(span.start), self._time(span.end))
            plan = correct(self._room.view(), belief, portion)
        self._room.commit(
            self._room.transcript.write(plan.edits),
            words=chunk,
            progress=progress,
            decisions=plan.decisions,
            aliases=plan.aliases,
        )
        self._arrange(
            {
                WordRef(new.pass_id, new.first + number): self._known(word.speaker)
                for number, word in enumerate(words)
                if word.speaker is not None
            }
        )

    def _arrange(self, said_by: Mapping[WordRef, SpeakerId]) -> None:
        """Have turns agree with what is known of some words."""
        self._room.write(arrange(self._room.view(), said_by))

    def _said_in(self, span: Span, speaker: SpeakerId) -> dict[WordRef, SpeakerId]:
        """Return the words that lie in a span as said by a speaker."""
        passes = (
            (self._session.live_pass, self._live),
            (self._session.utterance_pass, self._again),
        )
        return {
            WordRef(pass_id, number): speaker
            for pass_id, words in passes
            for number in self._indices(words, span)
        }

    def _heard(
        self, pass_id: PassId, known: list[PassWord], words: Iterable[Word]
    ) -> tuple[Segment, WordChunk | None]:
        """Add words to a pass; return what they are called there, if there are any."""
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
        known += new
        chunk = WordChunk(pass_id, first, new) if new else None
        return Segment(pass_id, first, len(known)), chunk

    def _indices(self, words: list[PassWord], span: Span) -> range:
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
