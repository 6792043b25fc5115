"""Undo and cursors of a real Yjs editor, while a session speaks and is corrected, and others type.

Every letter that anybody writes, and that is said, occurs once only: so of each letter it is known
whose it is, and a cursor that was put before a letter must still stand before it.
"""

from __future__ import annotations

import asyncio
import json
import random
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from loadtest.node_scripts import NodeScript, running_script
from server.storage.values import PassState
from streaming.core.domain import Permille, Word
from streaming.core.ports import Effort, RecognitionWindow, Transcription
from streaming.core.settings import LiveRules
from streaming.engines.loading import EngineConfig, EngineSet, load
from streaming.engines.script import Script
from streaming.engines.scripted import ScriptedRecognizer
from tests.server.editing import Editor, editing, store_of, until
from tests.server.scribbling import speech_of, spoken_words
from tests.server.talking import DEADLINE_S, TOKEN, Client, Running, running, talking

pytestmark = pytest.mark.slow

HANDS = Path(__file__).with_name("node") / "hands.js"
WORDS = spoken_words(30)
MISHEARD = dict(zip(WORDS[1::5], spoken_words(60)[40:], strict=False))
"""The second word of each utterance, and what is heard first."""

MISHEARD_LETTERS = set("".join(MISHEARD.values()))

OWN = [chr(code) for code in range(0x4E00, 0x4E00 + 2_000)]
OTHERS = [chr(code) for code in range(0x1F300, 0x1F300 + 200)]
"""What the Yjs editor types, and what somebody else does."""

DOUBTFUL = Permille(LiveRules().doubtful - 1)
"""With such a word an utterance is heard again."""

UTTERANCE_S = 3.5
"""Five words and the pause after them."""


class Mishearing(ScriptedRecognizer):
    """Hears some words wrongly at first, and rightly when it hears the utterance again.

    Attributes:
        again: It hears nothing again before this is set.
    """

    def __init__(self) -> None:
        super().__init__(Script.from_json(speech_of(WORDS)))
        self.again = threading.Event()

    def recognize(self, windows: Sequence[RecognitionWindow]) -> Sequence[Transcription]:
        if any(window.effort is Effort.UTTERANCE for window in windows):
            assert self.again.wait(DEADLINE_S)
        return [
            self._heard_wrongly(heard) if window.effort is Effort.LIVE else heard
            for window, heard in zip(windows, super().recognize(windows), strict=True)
        ]

    def _heard_wrongly(self, heard: Transcription) -> Transcription:
        return replace(heard, words=tuple(map(_misheard, heard.words)))


def _misheard(word: Word) -> Word:
    wrong = MISHEARD.get(word.text.strip())
    return word if wrong is None else replace(word, text=f" {wrong}", confidence=DOUBTFUL)


@dataclass(frozen=True)
class Answer:
    """What the Yjs editor shows around one order."""

    before: str
    after: str
    cursors: dict[str, int | None]
    speakers: dict[str, dict[str, str]]


@dataclass
class Hands:
    """The Yjs editor."""

    script: NodeScript

    async def do(self, order: str, **fields: object) -> Answer:
        """Give an order, and wait until it is carried out."""
        async with asyncio.timeout(DEADLINE_S):
            return Answer(**json.loads(await self.script.ask(json.dumps({"do": order, **fields}))))

    async def until(self, *texts: str) -> str:
        """Wait until it shows all of these; return its text."""
        return (await self.do("until", text=texts)).after


@dataclass
class Meeting:
    """A session, the Yjs editor, and somebody else.

    Attributes:
        corrections: Set to have corrections come.
    """

    server: Running
    transcript: str
    corrections: threading.Event
    client: Client
    hands: Hands
    other: Editor
    said: int = 0

    async def speak(self, until_s: float) -> None:
        """Speak on to here; scripted engines do not listen."""
        end = round(until_s * 16_000)
        await self.client.stream(bytes(2 * (end - self.said)), at=self.said)
        self.said = end

    async def finish(self) -> None:
        """Speak no more, and wait until all of it is written and corrected."""
        await self.client.send("end")
        assert await self.client.closed() == 1000
        passes = store_of(self.server).passes
        await until(
            lambda: all(each.state is PassState.CLOSED for each in passes.of(self.transcript))
        )

    async def type(self, at: int, text: str) -> None:
        """Have somebody else type at a code point."""
        place = len(str(self.other.text)[:at].encode())
        await self.other.write(place, text)

    async def wait_for(self, *texts: str) -> str:
        """Wait until both editors show these; return the text."""
        await self.other.until_says(*texts)
        return await self.hands.until(*texts)


@pytest.fixture
async def meeting(tmp_path: Path) -> AsyncIterator[Meeting]:
    async with _meeting(tmp_path) as meeting:
        yield meeting


@asynccontextmanager
async def _meeting(folder: Path) -> AsyncIterator[Meeting]:
    recognizer = Mishearing()

    def load_mishearing(config: EngineConfig) -> EngineSet:
        return replace(load(config), recognizer=recognizer)

    async with (
        running(folder, speech_of(WORDS), load_engines=load_mishearing) as server,
        talking(server) as client,
    ):
        ready = await client.start(language="en", transcript="new", diarization=False)
        transcript = str(ready["transcript"])
        url = server.url("/v1/transcripts")
        async with (
            running_script(HANDS, url, transcript, TOKEN) as script,
            editing(server, transcript) as other,
        ):
            try:
                yield Meeting(server, transcript, recognizer.again, client, Hands(script), other)
            finally:
                recognizer.again.set()
        client.socket.transport.abort()  # who does not read any more cannot close in order


def check_cursors(before: str, after: str, cursors: dict[str, int | None]) -> None:
    """Check where cursors stand that each were put before one letter of `before`.

    A cursor stands before its letter; if that is gone, between the letters that are still there
    of those around it.
    """
    for number, letter in enumerate(before):
        if letter.isspace():
            continue
        at = cursors[letter]
        assert at is not None
        if letter in after:
            assert after[at] == letter
        else:
            left = [after.index(each) for each in before[:number] if each in after.strip()]
            right = [after.index(each) for each in before[number:] if each in after.strip()]
            left = [at for at in left if not after[at].isspace()]
            right = [at for at in right if not after[at].isspace()]
            assert max(left, default=-1) < at <= min(right, default=len(after))


async def test_cursors_stay_at_their_letters_while_words_come_and_are_corrected(
    meeting: Meeting,
) -> None:
    await meeting.speak(UTTERANCE_S)
    misheard = MISHEARD[WORDS[1]]
    before = await meeting.wait_for(WORDS[0], misheard, *WORDS[2:5])
    await meeting.hands.do("putEverywhere")

    # Somebody else types before, inside of and behind words; so does the editor itself.
    await meeting.type(0, OTHERS[0])
    await meeting.type(before.index(WORDS[0]) + 2, OTHERS[1])
    await meeting.type(len(str(meeting.other.text)), OTHERS[2])
    text = await meeting.hands.until(*OTHERS[:3])
    await meeting.hands.do("type", at=text.index(WORDS[2][1]), text=OWN[0])
    await meeting.hands.do("type", at=1, text=OWN[1])

    typed = await meeting.hands.do("look")
    assert misheard in typed.after
    check_cursors(before, typed.after, typed.cursors)

    # The misheard word is corrected, and others follow.
    meeting.corrections.set()
    await meeting.speak(2 * UTTERANCE_S)
    await meeting.wait_for(WORDS[1], *WORDS[5:10])
    corrected = await meeting.hands.do("look")
    assert not set(misheard) & set(corrected.after)
    check_cursors(before, corrected.after, corrected.cursors)
    # At one end or the other of what stands there now, which begins with a space.
    start = corrected.after.index(f" {WORDS[1]}")
    ends = {start, start + 1 + len(WORDS[1])}
    assert {corrected.cursors[letter] for letter in misheard} <= ends


async def test_a_cursor_returns_to_a_letter_that_comes_back(meeting: Meeting) -> None:
    meeting.corrections.set()
    await meeting.speak(UTTERANCE_S)
    before = await meeting.wait_for(*WORDS[:5])
    await meeting.hands.do("putEverywhere")
    start = before.index(WORDS[2])

    erased = await meeting.hands.do("erase", start=start, end=start + 3)
    assert {erased.cursors[letter] for letter in WORDS[2]} == {start}
    await meeting.type(0, OTHERS[0])
    await meeting.hands.until(OTHERS[0])

    undone = await meeting.hands.do("undo")
    check_cursors(before, undone.after, undone.cursors)
    assert WORDS[2] in undone.after


async def test_undo_takes_back_nothing_of_the_machine_or_of_others(meeting: Meeting) -> None:
    await meeting.speak(UTTERANCE_S)
    before = await meeting.wait_for(WORDS[0], MISHEARD[WORDS[1]])
    await meeting.hands.do("type", at=before.index(WORDS[0]) + 1, text=OWN[0])
    await meeting.hands.do("name", speaker="s1", name="Ann")
    # Since then: a correction, further words, and what somebody else types right behind it.
    meeting.corrections.set()
    await meeting.speak(2 * UTTERANCE_S)
    await meeting.wait_for(OWN[0], WORDS[1], *WORDS[5:10])
    await meeting.type(str(meeting.other.text).index(OWN[0]) + 1, OTHERS[0])
    text = await meeting.hands.until(OTHERS[0])

    named = await meeting.hands.do("undo")
    assert (named.after, named.speakers) == (text, {})
    typed = await meeting.hands.do("undo")
    assert typed.after == text.replace(OWN[0], "")
    nothing = await meeting.hands.do("undo")
    assert nothing.after == nothing.before

    again = await meeting.hands.do("redoAll")
    assert (again.after, again.speakers) == (text, {"s1": {"name": "Ann"}})


async def test_what_somebody_else_deleted_does_not_come_back(meeting: Meeting) -> None:
    meeting.corrections.set()
    await meeting.speak(UTTERANCE_S)
    await meeting.wait_for(*WORDS[:5])
    await meeting.hands.do("type", at=0, text=OWN[0])
    await meeting.other.until_says(OWN[0])
    del meeting.other.text[0 : len(OWN[0].encode())]
    await meeting.other.flush()
    await meeting.other.acknowledged()
    await meeting.type(0, OTHERS[0])
    text = await meeting.hands.until(OTHERS[0])
    assert OWN[0] not in text

    assert (await meeting.hands.do("undo")).after == text


@dataclass
class Typing:
    """An account of the Yjs editor's random edits."""

    chance: random.Random
    fresh: Iterator[str]
    typed: set[str]
    erased: set[str]

    async def act(self, hands: Hands) -> None:
        """Do one thing; undo and redo must concern nothing but what was done here."""
        text = (await hands.do("look")).after
        match self.chance.choice(["type", "type", "type", "erase", "undo", "undo", "redo"]):
            case "type":
                at, typed = self.chance.randrange(len(text) + 1), next(self.fresh)
                self.typed.add(typed)
                await hands.do("type", at=at, text=typed)
            case "erase":
                # Not where a correction may be on its way: what two delete at the same moment
                # comes back when one of them undoes it.
                start = self.chance.randrange(max(1, len(text) // 2))
                end = min(len(text), start + 3)
                if not MISHEARD_LETTERS & set(text[start:end]):
                    answer = await hands.do("erase", start=start, end=end)
                    self.erased |= set(answer.before) - set(answer.after)
            case order:
                answer = await hands.do(order)
                changed = set(answer.before) ^ set(answer.after)
                assert changed <= self.typed | self.erased


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_random_edits_are_undone_and_redone_alone(seed: int, meeting: Meeting) -> None:
    chance, others = random.Random(seed), iter(OTHERS)
    typing = Typing(chance, iter(OWN), set(), set())
    said_by_others = ""
    meeting.corrections.set()
    for step in range(1, 60):
        await meeting.speak(0.35 * step)
        for _ in range(chance.randrange(3)):
            await typing.act(meeting.hands)
        if chance.random() < 0.3:
            letter = next(others)
            said_by_others += letter
            await meeting.type(chance.randrange(len(str(meeting.other.text)) + 1), letter)
    await meeting.finish()
    said_by_others += (last := next(others))
    await meeting.type(0, last)
    await meeting.hands.until(last)

    await meeting.hands.do("redoAll")
    undone = await meeting.hands.do("undoAll")
    everything = set("".join(WORDS)) | set("".join(MISHEARD.values())) | set(said_by_others)
    assert typing.typed & set(undone.before), "there was something to undo"
    assert set(undone.after) - {" ", "\n"} <= everything
    assert set(said_by_others) <= set(undone.after)
    for word in WORDS:
        letters = [each for each in undone.after if each not in said_by_others]
        assert {word, MISHEARD.get(word, word)} & set("".join(letters).split())
    assert len([each for each in undone.after if not each.isspace()]) == len(
        {each for each in undone.after if not each.isspace()}
    ), "nothing is there twice"

    # Meanwhile others go on.
    late = next(others)
    await meeting.type(0, late)
    await meeting.hands.until(late)
    redone = await meeting.hands.do("redoAll")
    assert redone.after.replace(late, "") == undone.before
