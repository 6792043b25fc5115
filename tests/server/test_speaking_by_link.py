"""Who has a link to a transcript may speak into it, if the link lets people write."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.auth import fingerprint
from server.storage.values import Role, TranscriptState
from tests.server.editing import TRANSCRIPT
from tests.server.talking import Running, resume_of, running, samples, talk, talking

LINK = "a-token-of-a-link"


def share(server: Running, role: Role) -> None:
    """Make two transcripts, and a link to the first."""
    store = server.app._lifecycle.serving().store
    for transcript in (TRANSCRIPT, "another-transcript"):
        store.library.create(transcript, started_ms=0)
    store.links.add(TRANSCRIPT, fingerprint(LINK), role)


async def test_an_editor_speaks_into_its_transcript_and_comes_back(tmp_path: Path) -> None:
    async with running(tmp_path, talk(4)) as server:
        share(server, Role.EDITOR)
        async with talking(server, token=LINK) as client:
            ready = await client.start(language="en", transcript=TRANSCRIPT)
            assert ready["transcript"] == TRANSCRIPT
        async with talking(server, token=LINK) as client:
            await client.start(resume=resume_of(ready))
            await client.stream(samples(3.0))
            await client.send("end")

            assert await client.closed() == 1000


@pytest.mark.parametrize("transcript", ["another-transcript", "new", None])
async def test_an_editor_speaks_nowhere_else(tmp_path: Path, transcript: str | None) -> None:
    async with running(tmp_path, talk(1)) as server:
        share(server, Role.EDITOR)
        async with talking(server, token=LINK) as client:
            await client.send("start", transcript=transcript)

            code, error = await client.refused()

    assert (code, error["code"], error["expected"]) == (4403, "forbidden", TRANSCRIPT)


async def test_an_editor_does_not_take_over_what_others_say_elsewhere(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        share(server, Role.EDITOR)
        async with talking(server) as client:
            ready = await client.start()
        async with talking(server, token=LINK) as client:
            await client.send("start", resume=resume_of(ready))

            assert (await client.refused())[0] == 4403


async def test_nobody_speaks_into_a_transcript_that_was_closed(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        share(server, Role.EDITOR)
        library = server.app._lifecycle.serving().store.library
        library.change(TRANSCRIPT, state=TranscriptState.CLOSED)
        async with talking(server) as client:
            await client.send("start", transcript=TRANSCRIPT)
            code, error = await client.refused()

    assert (code, error["code"], error["message"]) == (
        4403,
        "forbidden",
        "This transcript is closed",
    )


async def test_a_viewer_does_not_speak(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        share(server, Role.VIEWER)
        async with talking(server, token=LINK) as client:
            code, error = await client.refused()

    assert (code, error["code"], error["got"]) == (4403, "forbidden", "a viewer's link")


async def test_a_link_that_cannot_be_looked_up_may_be_tried_again(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        share(server, Role.EDITOR)
        server.app._lifecycle.serving().store.close()
        (server.data_dir / "transcripts.sqlite").unlink()
        (server.data_dir / "transcripts.sqlite").mkdir()
        async with talking(server, token=LINK) as client:
            code, error = await client.refused()

        assert (code, error["code"]) == (1013, "overloaded")
        (server.data_dir / "transcripts.sqlite").rmdir()
