"""Three hours of speech: whatever is asked for, the event loop goes on."""

from __future__ import annotations

import time
from asyncio.events import Handle
from pathlib import Path

import pytest

from offline.domain import PassWord, Segment, SpeakerId, TurnId
from offline.edits import AssignTurn, InsertText, InsertTurn
from server.storage.sessions import NewSession
from server.storage.store import Store
from server.storage.values import Batch, WordChunk
from server.transcript import Transcript, make_client_id
from streaming.core.domain import Permille
from tests.heartbeat import Heartbeat
from tests.server.api.asking import ask
from tests.server.talking import prepared, running

NAME = "three-hours-of-speech"
WORDS, PER_TURN = 27_000, 9
LONGEST_CALLBACK_S = 0.02


def write_transcript(url: str) -> None:
    """Store three hours of speech in 3,000 turns."""
    words = [PassWord(f" w{n}", n * 400, n * 400 + 300, Permille(900)) for n in range(WORDS)]
    with Store(url) as store:
        store.library.create(NAME, started_ms=0)
        lease = store.documents.lease(NAME)
        session = store.sessions.add(lease, NewSession("0" * 16, 0))
        document = Transcript(make_client_id())
        document.begin(title="Long", language="en")
        chunks: list[WordChunk] = []
        for first in range(WORDS - PER_TURN, -1, -PER_TURN):
            said = tuple(words[first : first + PER_TURN])
            turn = TurnId(f"t{first}")
            segment = Segment(session.live_pass, first, first + PER_TURN)
            document.write([InsertTurn(0, turn), AssignTurn(turn, SpeakerId("s1"))])
            document.write([InsertText(1, "".join(word.text for word in said), segment)])
            chunks.insert(0, WordChunk(session.live_pass, first, said))
        batch = Batch(0, updates=(document.update_since(),), words=tuple(chunks))
        store.documents.append(lease, batch)


@pytest.mark.slow
async def test_the_event_loop_beats_while_three_hours_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_transcript(prepared(tmp_path, "[]").database_url)
    times_s: list[float] = []
    heartbeat = Heartbeat()
    run = Handle._run

    def timed(handle: Handle) -> None:
        began_s = time.thread_time()
        run(handle)
        times_s.append(time.thread_time() - began_s)

    path = f"/v1/transcripts/{NAME}"
    async with running(tmp_path, "[]") as server:
        opened = await ask(server, "GET", path)
        monkeypatch.setattr(Handle, "_run", timed)
        async with heartbeat.beating():
            words = await ask(server, "GET", f"{path}/words?limit=30000")
            turns = await ask(server, "GET", f"{path}/turns")
            srt = await ask(server, "GET", f"{path}/export?format=srt")
        monkeypatch.undo()

    assert opened.json["passes"][0]["words"] == WORDS
    assert len(words.json["passes"][0]["words"]) == WORDS
    assert len(turns.json["turns"]) == WORDS // PER_TURN
    assert srt.status == 200
    assert max(times_s) < LONGEST_CALLBACK_S
    assert heartbeat.share_blocked < 0.5  # what reads here is Python, which takes turns
