"""A server that is killed at random moments while people speak and edit: what is missing then?

    the session --audio--> server --finals--> the session
    editor 0 --marks--> server --marks--> editor 1, and the other way round

After each kill, and before the next server starts, its data folder is looked into: edits that the
other editor had seen, and audio that had been acknowledged, must be there. Clients could bring them
along otherwise, and hide that they were lost. At the end the document is compared with everything
that was said and typed, and the recording with everything that was sent.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from loadtest.crashes_audit import (
    CrashReport,
    Loss,
    Promised,
    count_edits,
    count_loss,
    count_words,
    count_wrong_samples,
    recorded,
    stored_text,
)
from loadtest.crashes_editor import Editor
from loadtest.editors_typing import Mark, without_marks
from loadtest.errors import LoadtestError
from loadtest.recordings import Recording
from loadtest.servers import Servers
from loadtest.speaker import Speaker
from loadtest.tasks import grouped, until
from streaming.core.domain import SAMPLE_RATE
from trax_client import Reconnect, connect

EDITORS = 2

MOST_LIFE_S = 4.0
"""A server is killed at a random moment of so long, from when everybody was back."""

BACK_S = 60.0
"""Who is not back after so long will not come."""

RECONNECT = Reconnect(first_s=0.1, longest_s=0.5, give_up_s=BACK_S)
"""Impatient, as the editors are: what is measured is the server."""

Tell = Callable[[int], None]
"""Told how many kills there were, after each."""


@dataclass(frozen=True)
class _Meeting:
    """Everybody who uses the server."""

    speaker: Speaker
    editors: Sequence[Editor]

    @property
    def seen(self) -> frozenset[Mark]:
        return frozenset(mark for editor in self.editors for mark in editor.seen)

    @property
    def typed(self) -> list[Mark]:
        return [mark for editor in self.editors for mark in editor.typist.typed]

    @property
    def back(self) -> bool:
        """Whether everybody is connected."""
        connected = self.speaker.session.stats.connected
        return connected and all(editor.online.is_set() for editor in self.editors)

    @property
    def alike(self) -> bool:
        """Whether all editors show all edits and all words."""
        texts = {editor.text for editor in self.editors}
        text = texts.pop()
        edits = count_edits(text, self.typed, self.seen)
        words = len(without_marks(text).split())
        return not (texts or edits.missing) and words >= len(self.speaker.told)

    def promised(self) -> Promised:
        """Return what the last server had told them; they must be offline."""
        session = self.speaker.session
        samples = session.stats.acknowledged_ms * SAMPLE_RATE // 1000
        assert session.transcript is not None
        return Promised(session.info.session, session.transcript, samples, self.seen)


async def measure_crashes(
    talk: Recording, flags: Sequence[str], kills: int, seed: int, tell: Tell
) -> CrashReport:
    """Kill servers while one person speaks and two edit.

    Args:
        talk: What is said, again and again.
        flags: Of `trax serve`.
        kills: How many.
        seed: Of all that is random here.
        tell: Told of progress.

    Raises:
        LoadtestError: Somebody did not come back.
        TraxError: The session was given up.
    """
    chance = random.Random(seed)
    killed: list[tuple[Loss, float]] = []
    with tempfile.TemporaryDirectory(prefix="trax-loadtest-") as name:
        folder = Path(name)
        servers = Servers(folder, flags)
        try:
            async with _meeting(await servers.start(), talk, chance) as meeting:
                for number in range(1, kills + 1):
                    killed.append(await _kill(servers, folder, meeting, chance))
                    tell(number)
        finally:
            await servers.stop()
        text = stored_text(folder, meeting.promised().transcript)
        recording = recorded(folder, meeting.promised().session)
    return CrashReport(
        words=count_words(text, meeting.speaker.told),
        edits=count_edits(text, meeting.typed, meeting.seen),
        acknowledged_samples=meeting.promised().samples,
        wrong_samples=count_wrong_samples(recording, bytes(meeting.speaker.sent)),
        replicas_differ=any(editor.text != text for editor in meeting.editors),
        losses=tuple(loss for loss, _ in killed),
        back_s=tuple(back_s for _, back_s in killed),
    )


@asynccontextmanager
async def _meeting(
    server_url: str, talk: Recording, chance: random.Random
) -> AsyncIterator[_Meeting]:
    """Let everybody come in; at the end they finish, and leave when all of it is everywhere."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(
            connect(server_url, transcript="new", language="en", reconnect=RECONNECT)
        )
        assert session.transcript is not None
        editors = [Editor(number, random.Random(chance.random())) for number in range(EDITORS)]
        meeting = _Meeting(Speaker(session), editors)
        group = await stack.enter_async_context(grouped())
        staying = [
            group.create_task(editor.stay(server_url, session.transcript)) for editor in editors
        ]
        listening = group.create_task(meeting.speaker.listen())
        busy = [group.create_task(editor.type()) for editor in editors]
        busy.append(group.create_task(meeting.speaker.speak(talk.audio)))
        await until(lambda: meeting.back, "everybody connected", BACK_S)
        yield meeting
        for task in busy:
            task.cancel()
        await session.end()
        await listening
        with suppress(LoadtestError):  # Then something is missing, and is counted.
            await until(lambda: meeting.alike, "everything everywhere", BACK_S)
        for task in staying:
            task.cancel()


async def _kill(
    servers: Servers, folder: Path, meeting: _Meeting, chance: random.Random
) -> tuple[Loss, float]:
    """Kill the server at some moment; return what was lost, and how long the way back took."""
    await asyncio.sleep(chance.uniform(0, MOST_LIFE_S))
    await servers.kill()
    # What it sent before it died may still be on its way.
    await asyncio.gather(*(editor.offline.wait() for editor in meeting.editors))
    await until(lambda: not meeting.speaker.session.stats.connected, "a lost connection", BACK_S)
    loss = await asyncio.to_thread(count_loss, folder, meeting.promised())
    clock = asyncio.get_running_loop().time
    began_s = clock()
    await servers.start()
    await until(lambda: meeting.back, "everybody back", BACK_S)
    return loss, clock() - began_s
