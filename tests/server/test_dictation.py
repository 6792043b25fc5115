"""Words of a session in its transcript: written once, in their place, with what belongs to them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Doc, Map

from offline.domain import PassId, SpeakerId
from server.dictation import Dictation
from server.journal import Entry, LastingEvent
from server.room import Room
from server.storage.sessions import NewSession
from server.storage.values import Session
from streaming.core.domain import (
    DetectedLanguage,
    Permille,
    Samples,
    Speaker,
    UtteranceId,
    Word,
    from_ms,
)
from streaming.core.events import (
    Correction,
    Final,
    LanguageDetected,
    Partial,
    SpeakerRevised,
    SpeechStarted,
    UtteranceEnded,
)
from tests.server.editing import TRANSCRIPT, Storage, open_rooms
from tests.server.events import span, word

U0 = UtteranceId(0)
OFFSET_MS = 5_000
HEARD = Samples(160_000)


def said(text: str, start_ms: int, speaker: str | None = "S1") -> Word:
    """Return a word of 100 ms."""
    return word(f" {text}", from_ms(start_ms), from_ms(start_ms + 100), speaker)


def final(*words: Word) -> Final:
    return Final(U0, words)


@dataclass
class Desk:
    """A session that is written into an open room."""

    stored: Storage
    room: Room
    session: Session
    dictation: Dictation

    async def take(self, *events: LastingEvent) -> None:
        """Write events, and introduce who speaks in them: `S1` is `s1`."""
        for event in events:
            entry = Entry(self.dictation.seq + 1, event)
            for voice in self.dictation.strangers(entry):
                speaker = SpeakerId(voice.lower())
                self.dictation.introduce(voice, speaker, f"Speaker {voice[1:]}")
            await self.dictation.take(entry, HEARD)

    def turns(self) -> list[tuple[str | None, str]]:
        return [(turn.speaker, turn.text) for turn in self.room.transcript.turns()]

    async def kept(self) -> Session:
        """Return what is stored of the session."""
        await self.room.idle()
        found = self.stored.store.sessions.find(self.session.id)
        assert found is not None
        return found

    async def words(self, pass_id: PassId) -> list[tuple[str, int, int]]:
        """Return what is stored of a pass."""
        await self.room.idle()
        heard = self.stored.store.passes.words(TRANSCRIPT, [pass_id])[pass_id]
        return [(each.text, each.start_ms, each.end_ms) for each in heard]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_rooms(tmp_path) as (stored, rooms), rooms.enter(TRANSCRIPT) as room:
        lease = rooms.lease(TRANSCRIPT)
        session = stored.store.sessions.add(lease, NewSession("session1", OFFSET_MS))
        yield Desk(stored, room, session, Dictation(room, session, {}))


async def test_final_words_stand_in_turns_of_their_speakers(desk: Desk) -> None:
    await desk.take(
        SpeechStarted(U0, Samples(0)),
        final(said("good", 0), said("morning", 100), said("hello", 300, "S2")),
        final(said("there", 400, "S2")),
        UtteranceEnded(U0, span(0, 8_000)),
    )

    assert desk.turns() == [("s1", "good morning"), ("s2", "hello there")]
    names = {each.id: each.name for each in desk.room.transcript.speakers().values()}
    assert names == {"s1": "Speaker 1", "s2": "Speaker 2"}
    kept = await desk.kept()
    assert (kept.applied_seq, kept.samples) == (4, HEARD)
    assert await desk.words(desk.session.live_pass) == [
        (" good", 5_000, 5_100),
        (" morning", 5_100, 5_200),
        (" hello", 5_300, 5_400),
        (" there", 5_400, 5_500),
    ]
    assert desk.stored.written().text == desk.room.transcript.text


async def test_words_of_nobody_known_have_no_speaker(desk: Desk) -> None:
    await desk.take(final(said("who", 0, None)))

    assert desk.turns() == [(None, "who")]


async def test_words_of_one_person_s_microphone_are_that_person_s(desk: Desk) -> None:
    desk.dictation.speaks_alone(SpeakerId("s7"), "Ada")
    await desk.take(final(said("mine", 0, None)))

    assert desk.turns() == [("s7", "mine")]
    assert desk.room.transcript.speakers()[SpeakerId("s7")].name == "Ada"
    shown = desk.dictation.show(Partial(U0, (said("more", 0, None),), 0))
    assert shown is not None
    assert shown["speaker"] == "s7"


async def test_a_name_that_is_there_is_not_proposed_again(desk: Desk) -> None:
    desk.dictation.introduce("S1", SpeakerId("s1"), "Speaker 1")
    before = desk.room.transcript.state_vector()
    desk.dictation.introduce("S2", SpeakerId("s1"), "Somebody else")

    assert desk.room.transcript.state_vector() == before


async def test_a_correction_takes_the_place_of_the_words_that_it_heard_again(desk: Desk) -> None:
    await desk.take(
        final(said("good", 0), said("mourning", 100), said("all", 200)),
        Correction(U0, span(0, from_ms(300)), (said("good", 0), said("morning", 100))),
    )

    assert desk.turns() == [("s1", "good morning")]
    assert await desk.words(desk.session.utterance_pass) == [
        (" good", 5_000, 5_100),
        (" morning", 5_100, 5_200),
    ]
    assert (await desk.kept()).applied_seq == 2


async def test_a_correction_of_no_words_is_kept_only(desk: Desk) -> None:
    await desk.take(Correction(U0, span(0, 1_600), (said("late", 0),)))
    await desk.room.idle()

    assert desk.turns() == []
    assert await desk.words(desk.session.utterance_pass) == [(" late", 5_000, 5_100)]


async def test_a_correction_without_words_deletes_those_that_were_heard(desk: Desk) -> None:
    await desk.take(final(said("hm", 0)), Correction(U0, span(0, 3_200), ()))

    assert "".join(text for _, text in desk.turns()).strip() == ""
    assert (await desk.kept()).applied_seq == 2


async def test_words_move_to_the_turn_of_who_said_them(desk: Desk) -> None:
    await desk.take(
        final(said("yes", 0), said("no", 200)),
        SpeakerRevised(span(from_ms(150), from_ms(400)), Speaker("S2")),
    )
    assert desk.turns() == [("s1", "yes"), ("s2", "no")]

    await desk.take(SpeakerRevised(span(0, from_ms(400)), None))
    assert desk.turns() == [("s1", "yes"), ("s2", "no")]
    await desk.take(SpeakerRevised(span(0, from_ms(150)), Speaker("S2")))
    assert desk.turns() == [("s2", "yes no")]
    assert (await desk.kept()).applied_seq == 4


async def test_what_a_person_chose_stays(desk: Desk) -> None:
    await desk.take(final(said("yes", 0)))
    (turn,) = desk.room.transcript.turns()
    assert turn.id is not None
    person: Doc[Any] = Doc()
    person.apply_update(desk.room.transcript.update_since())
    person.get("hturns", type=Map)[turn.id] = "s9"
    desk.room.commit(desk.room.transcript.apply(person.get_update()))
    await desk.take(SpeakerRevised(span(0, from_ms(400)), Speaker("S2")))

    assert desk.turns() == [("s9", "yes")]


async def test_the_language_stands_in_the_document(desk: Desk) -> None:
    await desk.take(LanguageDetected(DetectedLanguage("de", Permille(990))))

    assert desk.room.transcript.meta("language") == "de"


async def test_a_language_that_was_chosen_stands(desk: Desk) -> None:
    desk.room.commit(desk.room.transcript.put_meta("language", "de"))

    await desk.take(LanguageDetected(DetectedLanguage("en", Permille(990))))

    assert desk.room.transcript.meta("language") == "de"
    assert (await desk.kept()).applied_seq == 1


async def test_what_is_being_said_is_shown_on_the_clock_of_the_transcript(desk: Desk) -> None:
    show = desk.dictation.show
    assert show(None) is None
    assert show(Partial(U0, (), 0)) is None
    partial = Partial(U0, (said("good", 0), said("mor", 100)), 0)
    expected = {"text": " good mor", "start_ms": 5_000, "end_ms": 5_200, "speaker": None}
    assert show(partial) == expected

    desk.dictation.introduce("S1", SpeakerId("s3"), "Speaker 3")
    assert show(partial) == {**expected, "speaker": "s3"}


async def test_a_dictation_goes_on_behind_what_is_stored(desk: Desk) -> None:
    await desk.take(final(said("one", 0)))
    dictation = Dictation(desk.room, await desk.kept(), {"S1": SpeakerId("s1")})
    again = Desk(desk.stored, desk.room, desk.session, dictation)
    assert again.dictation.seq == 1
    await again.take(final(said("two", 200)))

    assert again.turns() == [("s1", "one two")]
    assert (await again.kept()).applied_seq == 2


async def test_all_changes_of_one_event_are_committed_in_one_step(desk: Desk) -> None:
    await desk.take(final(said("a", 0), said("b", 200, "S2"), said("c", 400)))
    *_, change = desk.room._commits._waiting

    assert len(change.updates) == 3
    assert [len(chunk.words) for chunk in change.words] == [3]
    assert change.progress is not None


@pytest.mark.parametrize("text", ["", " ", "\n"])
async def test_words_without_a_letter_do_no_harm(desk: Desk, text: str) -> None:
    blank = word(text, 0, 1_600, "S1")
    await desk.take(final(blank), final(said("after", 200)))
    await desk.take(Correction(U0, span(0, from_ms(400)), (blank, said("after", 200))))
    await desk.room.idle()

    assert "after" in desk.stored.written().text
    assert (await desk.kept()).applied_seq == 3
