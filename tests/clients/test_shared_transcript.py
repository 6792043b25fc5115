"""Shared transcripts against a real server: what is read, edited, undone and saved."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

import trax_client
from tests.clients.serving import library, page, speak, viewer_link
from tests.server.editing import editing, stored_text, until
from tests.server.talking import DEADLINE_S, TOKEN, Running, samples
from trax_client.changes import Changes
from trax_client.document import (
    Change,
    NotesChanged,
    PartialsChanged,
    PeopleChanged,
    Person,
    SpeakersChanged,
    SuggestionsChanged,
    TitleChanged,
    TurnsChanged,
)
from trax_client.transcript import SharedTranscript, open_transcript

pytestmark = pytest.mark.slow

SOON = trax_client.Reconnect(first_s=0.01, longest_s=0.05)


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[tuple[Running, SharedTranscript]]:
    """Open an empty transcript of a real server."""
    async with library(folder) as (server, shelf), asyncio.timeout(DEADLINE_S):
        made = await shelf.create("Planning")
        async with open_transcript(made.id, page(server), reconnect=SOON) as transcript:
            yield server, transcript


@asynccontextmanager
async def spoken(folder: Path) -> AsyncIterator[tuple[Running, SharedTranscript]]:
    """Open a transcript into which somebody spoke before."""
    async with library(folder) as (server, shelf), asyncio.timeout(DEADLINE_S):
        made = await shelf.create("Planning")
        await speak(server, made.id)
        async with open_transcript(made.id, page(server), reconnect=SOON) as transcript:
            yield server, transcript


async def follow(changes: Changes) -> list[Change]:
    """Return all changes until there are no more."""
    return [change async for change in changes]


async def test_what_was_said_is_read_as_turns_of_speakers(tmp_path: Path) -> None:
    async with spoken(tmp_path) as (_, transcript):
        first, second = transcript.turns
        assert (first.text.strip(), second.text.strip()) == ("Hello there.", "Good morning.")
        assert [transcript.text[turn.start : turn.end] for turn in (first, second)] == [
            first.text,
            second.text,
        ]
        assert {speaker.id for speaker in transcript.speakers} == {first.speaker, second.speaker}
        assert first.runs[0].segment is not None
        assert transcript.title == "Planning"
        assert transcript.notes == ""


async def test_edits_reach_another_client_as_they_are(tmp_path: Path) -> None:
    async with opened(tmp_path) as (server, transcript):
        transcript.insert(0, "Grüße 👋 an alle")
        transcript.replace(6, 7, "🎉")
        transcript.delete(0, 1)
        transcript.write_notes("# Notes\n\n- später")
        await transcript.saved()
        async with editing(server, transcript.id) as editor:
            assert str(editor.text) == transcript.text == "rüße 🎉 an alle"
            assert str(editor.doc.get("notes", type=type(editor.text))) == transcript.notes
        assert stored_text(server, transcript.id) == transcript.text


async def test_two_editors_at_once_with_unicode_end_equal(tmp_path: Path) -> None:
    async with opened(tmp_path) as (server, first):
        first.insert(0, "ä👋ñ" + "x" * 40)
        await first.saved()
        async with open_transcript(first.id, page(server)) as second:
            chance = random.Random(3)
            for _ in range(30):
                first.insert(chance.randint(0, len(first.text)), "é👍")
                second.insert(chance.randint(0, len(second.text)), "ß🎉")
                place = second.text.find("x")
                second.delete(place, place + 1)
                await asyncio.sleep(0)
            await first.saved()
            await second.saved()
            await until(lambda: first.text == second.text)
    assert Counter(first.text) == Counter("ä👋ñ" + "é👍ß🎉" * 30 + "x" * 10)


async def test_turns_are_split_joined_and_given_to_speakers(tmp_path: Path) -> None:
    async with spoken(tmp_path) as (_, transcript):
        first, second = transcript.turns
        assert first.speaker is not None
        assert second.speaker is not None
        begun = transcript.split_turn(first.start + first.text.index("there"))
        assert [turn.speaker for turn in transcript.turns[:2]] == [first.speaker] * 2
        transcript.choose_speaker(begun, second.speaker)
        assert transcript.turns[1].speaker == second.speaker
        other = transcript.split_turn(transcript.turns[1].end, "s9")
        assert [turn.name for turn in transcript.turns if turn.id == other] == ["s9"]
        for turn in (other, begun):
            transcript.join_turns(turn)
        assert [turn.text.strip() for turn in transcript.turns] == ["Hello there.", "Good morning."]


async def test_speaker_is_named_and_coloured_each_for_itself(tmp_path: Path) -> None:
    async with spoken(tmp_path) as (_, transcript):
        speaker = transcript.turns[0].speaker
        assert speaker is not None
        transcript.name_speaker(speaker, "Zoë")
        transcript.name_speaker(speaker, colour="red")
        (named,) = (each for each in transcript.speakers if each.id == speaker)
        assert (named.name, named.colour) == ("Zoë", "red")
        assert transcript.turns[0].name == "Zoë"


async def test_speakers_are_merged_until_it_is_taken_back(tmp_path: Path) -> None:
    async with spoken(tmp_path) as (_, transcript):
        first, second = (turn.speaker for turn in transcript.turns[:2])
        assert first is not None
        assert second is not None
        transcript.name_speaker(first, "Zoë")
        transcript.merge_speakers(second, first)
        assert {turn.name for turn in transcript.turns} == {"Zoë"}
        assert second not in {speaker.id for speaker in transcript.speakers}
        transcript.merge_speakers(second, None)
        assert transcript.turns[1].speaker == second


async def test_highlight_is_set_and_taken_away(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, transcript):
        transcript.insert(0, "ein Ärger weniger")
        transcript.highlight(4, 9, "yellow")
        (turn,) = transcript.turns
        assert [(run.text, run.highlight, run.start, run.end) for run in turn.runs] == [
            ("ein ", None, 0, 4),
            ("Ärger", "yellow", 4, 9),
            (" weniger", None, 9, 17),
        ]
        transcript.highlight(0, 17, None)
        assert len(transcript.turns[0].runs) == 1


async def test_newline_that_is_typed_begins_no_turn(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, transcript):
        transcript.split_turn(0, "s1")
        transcript.insert(1, "one\ntwo\n")
        assert [(turn.speaker, turn.text) for turn in transcript.turns] == [("s1", "one\ntwo\n")]


async def test_undo_takes_back_ones_own_edits_only(tmp_path: Path) -> None:
    async with opened(tmp_path) as (server, mine):
        mine.insert(0, "mine ")
        await mine.saved()
        async with open_transcript(mine.id, page(server)) as theirs:
            theirs.insert(5, "theirs ")
            theirs.name_speaker("s1", "Ann")
            await theirs.saved()
            await until(lambda: "theirs" in mine.text)
            assert mine.undo()
            assert mine.text == "theirs "
            assert not mine.undo()
            assert mine.redo()
            assert not mine.redo()
            await mine.saved()
            await until(lambda: theirs.text == mine.text)
            assert "mine " in theirs.text
            assert [speaker.name for speaker in mine.speakers] == ["Ann"]


async def test_notes_of_two_people_are_merged(tmp_path: Path) -> None:
    async with opened(tmp_path) as (server, first):
        first.write_notes("one\ntwo\nthree")
        await first.saved()
        async with open_transcript(first.id, page(server)) as second:
            first.write_notes("ONE\ntwo\nthree")
            second.write_notes("one\ntwo\nthree\nfour")
            await until(lambda: first.notes == second.notes == "ONE\ntwo\nthree\nfour")


async def test_changes_are_told_with_what_then_stands(tmp_path: Path) -> None:
    async with opened(tmp_path) as (server, transcript):
        changes = transcript.changes()
        transcript.insert(0, "hello")
        told = await anext(changes)
        assert isinstance(told, TurnsChanged)
        assert [turn.text for turn in told.turns] == ["hello"]
        transcript.name_speaker("s1", "Ann")
        named = await anext(changes)
        assert isinstance(named, SpeakersChanged)
        assert [speaker.name for speaker in named.speakers] == ["Ann"]
        assert isinstance(await anext(changes), TurnsChanged)
        assert isinstance(await anext(changes), PartialsChanged)
        transcript.write_notes("x")
        assert await anext(changes) == NotesChanged("x")
        await trax_client.Library(page(server)).change(transcript.id, title="Budget")
        assert await anext(changes) == TitleChanged("Budget")


async def test_iterating_ends_when_the_transcript_is_left(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, transcript):
        changes = transcript.changes()
        transcript.insert(0, "hello")
        following = asyncio.create_task(follow(changes))
    told = await following
    assert any(isinstance(change, TurnsChanged) for change in told)


async def test_partials_are_shown_while_somebody_speaks(tmp_path: Path) -> None:
    async with opened(tmp_path) as (server, transcript):
        changes = transcript.changes()
        async with trax_client.connect(
            page(server), transcript=transcript.id, lookahead_ms=5_000, max_delay_ms=30_000
        ) as session:
            await session.send(samples(1.5))
            told = await anext(changes)
            while not (isinstance(told, PartialsChanged) and told.partials):
                told = await anext(changes)
            (saying,) = told.partials
            assert saying.session == session.info.session
            assert saying.text.strip()
            assert saying.start_ms < saying.end_ms
            await session.end()
            async for _ in session:
                pass
        await until(lambda: not transcript.partials)
        await until(lambda: "Hello there." in transcript.text)


async def test_presence_is_shown_to_others_and_ends_with_the_connection(tmp_path: Path) -> None:
    async with opened(tmp_path) as (server, transcript):
        changes = transcript.changes()
        async with open_transcript(transcript.id, page(server)) as other:
            other.show(name="Zoë", colour="#f00")
            told = await anext(changes)
            while not (isinstance(told, PeopleChanged) and told.people):
                told = await anext(changes)
            (person,) = told.people
            assert (person.name, person.colour) == ("Zoë", "#f00")
            transcript.show(name="Ann")
            await until(lambda: [each.name for each in other.people] == ["Ann"])
            assert isinstance(other.people[0], Person)
        await until(lambda: not transcript.people)


async def test_wrong_positions_change_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, transcript):
        transcript.insert(0, "abc")
        for wrong in (
            lambda: transcript.insert(4, "x"),
            lambda: transcript.insert(-1, "x"),
            lambda: transcript.delete(2, 1),
            lambda: transcript.highlight(0, 4, "red"),
            lambda: transcript.split_turn(9),
            lambda: transcript.insert(0, "\ud800"),
            lambda: transcript.replace(0, 1, "\ud800"),
            lambda: transcript.write_notes("\ud800"),
            lambda: transcript.join_turns("nobody"),
            lambda: transcript.choose_speaker("nobody", "s1"),
        ):
            with pytest.raises(ValueError, match=r"expected|surrogates"):
                wrong()
        transcript.delete(1, 1)
        transcript.highlight(1, 1, "red")
        transcript.insert(1, "")
        transcript.replace(1, 1, "")
        assert transcript.text == "abc"


async def test_viewer_reads_and_is_told_that_it_does_not_write(tmp_path: Path) -> None:
    async with opened(tmp_path) as (server, transcript):
        transcript.insert(0, "ours")
        await transcript.saved()
        token = await viewer_link(server, transcript.id)
        url = page(server, token)
        async with open_transcript(transcript.id, url, reconnect=SOON) as viewer:
            assert viewer.text == "ours"
            viewer.show(name="Guest")
            viewer.insert(0, "theirs ")
            with pytest.raises(trax_client.Forbidden):
                await viewer.saved()
            assert viewer.text == "ours"
            for edit in (lambda: viewer.insert(0, "x"), viewer.undo, viewer.redo):
                with pytest.raises(trax_client.Forbidden):
                    edit()
            transcript.insert(4, " too")
            await until(lambda: viewer.text == "ours too")
            await until(lambda: [each.name for each in transcript.people] == ["Guest"])
        with pytest.raises(trax_client.Forbidden):
            async with open_transcript(transcript.id, url) as viewer:
                viewer.insert(0, "left with this")
        assert transcript.text == "ours too"


@pytest.mark.parametrize(
    ("token", "transcript", "error"),
    [
        ("wrong", "t", trax_client.Unauthorized),
        (TOKEN, "unknown", trax_client.NotFound),
    ],
)
async def test_refusals_are_typed(
    tmp_path: Path, token: str, transcript: str, error: type[trax_client.TraxError]
) -> None:
    async with library(tmp_path) as (server, _):
        with pytest.raises(error):
            async with open_transcript(transcript, page(server, token)):
                pytest.fail("opened")


async def test_deleted_transcript_ends_for_those_who_are_in_it(tmp_path: Path) -> None:
    async with library(tmp_path) as (server, shelf), asyncio.timeout(DEADLINE_S):
        made = await shelf.create()
        with pytest.raises(trax_client.NotFound):  # noqa: PT012 - leaving raises it again
            async with open_transcript(made.id, page(server), reconnect=SOON) as transcript:
                changes = transcript.changes()
                await shelf.delete(made.id)
                with suppress(trax_client.NotFound):
                    await follow(changes)
                    pytest.fail("it ended as if it had been closed")
                transcript.insert(0, "too late")


def suggest(transcript: SharedTranscript, name: str, **fields: object) -> None:
    """Have the document hold a suggestion, as the server would write it."""
    value: dict[str, object] = {
        "kind": "replace",
        "words": [],
        "before": "",
        "after": "",
        "pass": "2",
    }
    value |= {"start_ms": 0, "end_ms": 100} | fields
    with transcript._live.replica.edit():
        transcript._live.replica.put("sug", name, value)


async def test_a_suggestion_is_accepted_as_an_edit_of_one_s_own(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, transcript):
        turn = transcript.split_turn(0, speaker="s1")
        transcript.insert(1, "We 👋 went their.")
        suggest(transcript, "a", text=" their", alternative=" there", before="went", after=".")
        told = asyncio.create_task(follow(transcript.changes()))
        await asyncio.sleep(0)

        transcript.accept("a")

        assert transcript.text == "\nWe 👋 went there."
        assert not transcript.suggestions
        assert transcript._live.replica.register("sugd") == {"a": "accepted"}
        assert [each.id for each in transcript.turns] == [turn]
        assert transcript.undo()
        assert transcript.text == "\nWe 👋 went their."
        assert [each.id for each in transcript.suggestions] == ["a"]
        await transcript.saved()
    changes = [change for change in await told if isinstance(change, SuggestionsChanged)]
    assert [each.id for each in changes[-1].suggestions] == ["a"]


async def test_a_suggestion_is_dismissed(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, transcript):
        transcript.insert(0, "their")
        suggest(transcript, "a", text="their", alternative="there")

        transcript.dismiss("a")

        assert (transcript.text, transcript.suggestions) == ("their", ())
        for decide in (transcript.accept, transcript.dismiss):
            with pytest.raises(ValueError, match="open suggestion expected, got 'a'"):
                decide("a")


async def test_a_suggestion_whose_text_was_edited_is_not_accepted(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, transcript):
        transcript.insert(0, "they are")
        suggest(transcript, "a", text="their", alternative="there")

        with pytest.raises(trax_client.SuggestionOutdated, match="suggestion a expected once"):
            transcript.accept("a")

        assert [each.id for each in transcript.suggestions] == ["a"]


async def test_a_suggestion_may_be_to_take_away_or_to_insert(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, transcript):
        transcript.insert(0, "we um go")
        suggest(
            transcript, "a", kind="delete", text=" um", alternative="", before="we", after=" go"
        )
        transcript.accept("a")
        assert transcript.text == "we go"

        suggest(
            transcript, "b", kind="insert", text="", alternative=" all", before="we", after=" go"
        )
        transcript.accept("b")
        assert transcript.text == "we all go"
