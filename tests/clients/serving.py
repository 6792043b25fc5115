"""A real server with a library of its own, for tests of the client."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trax_client
from loadtest.relay import Relay
from tests.server.talking import TOKEN, Running, running, samples, script
from trax_client.library import Library

WORDS = script(
    ("Hello", 0.5, 0.9, "S1"),
    ("there.", 1.0, 1.5, "S1"),
    ("Good", 3.0, 3.3, "S2"),
    ("morning.", 3.4, 3.9, "S2"),
)
"""What is said in five seconds of audio."""


def page(server: Running | Relay, token: str = TOKEN) -> str:
    """Return the URL that the server prints, or what leads there."""
    return f"http://127.0.0.1:{server.port}/?token={token}"


@asynccontextmanager
async def library(folder: Path, *, hears: bool = False) -> AsyncIterator[tuple[Running, Library]]:
    """Run a server that hears `WORDS` in anything.

    Args:
        folder: Of its data.
        hears: Whether what is said or sent is heard by the accurate pass as well.
    """
    serving = running(folder, WORDS, passes=None) if hears else running(folder, WORDS)
    async with serving as server:
        yield server, Library(page(server))


async def speak(server: Running, transcript: str) -> None:
    """Speak `WORDS` into a transcript, to the end."""
    async with trax_client.connect(page(server), transcript=transcript) as session:
        await session.send(samples(5))
        await session.end()
        async for _ in session:
            pass


async def viewer_link(server: Running, transcript: str) -> str:
    """Return the token of a link that only reads."""
    asking = Library(page(server))
    wish = {"role": "viewer"}
    made = await asking._ask("POST", f"/v1/transcripts/{transcript}/links", wish)
    return made.text("token")
