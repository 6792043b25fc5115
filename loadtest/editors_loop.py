"""How long the server's event loop is held by each thing that people do with a long document.

What holds it is felt by everybody whom the server serves, so the promise is 20 ms. A machine that
does something else as well holds it too: the first stretch says how much, as nothing is done there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit
from urllib.request import Request, urlopen

from loadtest.corrections_meeting import correct_whole
from loadtest.editors import Typing, measure_editing
from loadtest.editors_documents import Meeting, content, database
from loadtest.editors_finals import spoken_meanwhile
from loadtest.editors_lag import LoopLag, lag_watched
from loadtest.editors_link import Link, linked
from loadtest.editors_typing import pasted
from loadtest.errors import LoadtestError
from loadtest.tasks import grouped
from server.exports.formats import ExportFormat
from server.storage.store import Store
from server.transcript import make_client_id
from server.yjs import messages

EDITORS = 5
EDITS_PER_S = 2.0

PASTED_BYTES = 1024 * 1024
ARRIVES_S = 30.0
EXPORTED_S = 120.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """One thing that was done.

    Attributes:
        doing: What.
        took_s: How long it took.
        lag: Of the server's loop meanwhile.
    """

    doing: str
    took_s: float
    lag: LoopLag


async def measure_loop(
    server_url: str, folder: Path, meeting: Meeting, talk: bytes, seconds: float
) -> tuple[Stretch, ...]:
    """Do one thing after the other with a document.

    Args:
        server_url: Of a server over `folder`.
        folder: Where the document is.
        meeting: The document.
        talk: What is said into it meanwhile.
        seconds: How long people type and speak, and how long nothing is done.

    Raises:
        LoadtestError: Something could not be done.
    """
    doing = _Doing(server_url)
    name = meeting.transcript
    async with doing.watched("nothing"):
        await asyncio.sleep(seconds)
    async with AsyncExitStack() as stack:
        for what in ("opened and synchronised from nothing", "the same by one more editor"):
            async with doing.watched(what):
                await content(await stack.enter_async_context(linked(server_url, name)))
    pace = Typing(seconds, EDITS_PER_S)
    async with (
        doing.watched(f"finals written, {EDITORS} editors type"),
        spoken_meanwhile(server_url, name, talk),
    ):
        await measure_editing(server_url, name, EDITORS, pace)
    with Store(database(folder)) as store:
        async with doing.watched("corrected as a whole, editors type"), grouped() as group:
            group.create_task(measure_editing(server_url, name, EDITORS, pace))
            await correct_whole(store, meeting)
    for each in ExportFormat:
        async with doing.watched(f"exported as {each.value}"):
            await asyncio.to_thread(_export, server_url, name, each)
    async with linked(server_url, name) as link, linked(server_url, name) as other:
        await content(link)
        await content(other)
        async with doing.watched(f"{PASTED_BYTES // 1024} kB pasted"):
            await _paste(link, other)
    return tuple(doing.stretches)


class _Doing:
    """What was done so far; owned by the measurement."""

    def __init__(self, server_url: str) -> None:
        self.stretches: list[Stretch] = []
        self._server_url = server_url
        self._clock = asyncio.get_running_loop().time

    @asynccontextmanager
    async def watched(self, doing: str) -> AsyncIterator[None]:
        """Watch the server's loop while the context lasts."""
        lags: list[LoopLag] = []
        began_s = self._clock()
        async with lag_watched(self._server_url, lags.append):
            yield
            took_s = self._clock() - began_s
        self.stretches.append(Stretch(doing, took_s, lags[0]))


def _export(server_url: str, transcript: str, wanted: ExportFormat) -> None:
    parts = urlsplit(server_url)
    query = f"format={wanted.value}"
    url = f"http://{parts.netloc}/v1/transcripts/{quote(transcript)}/export?{query}"
    token = parse_qs(parts.query)["token"][0]
    with urlopen(
        Request(url, headers={"authorization": f"Bearer {token}"}), timeout=EXPORTED_S
    ) as answer:
        if not answer.read():
            raise LoadtestError(f"a transcript as {wanted.value} expected, got nothing")


async def _paste(link: Link, other: Link) -> None:
    """Paste a long text; return when another editor has it."""
    await link.send(messages.Update(pasted(make_client_id(), "word " * (PASTED_BYTES // 5))))
    try:
        async with asyncio.timeout(ARRIVES_S):
            async for message in other.received():
                if isinstance(message, messages.Update) and len(message.update) > PASTED_BYTES // 2:
                    return
    except TimeoutError as error:
        raise LoadtestError(f"what was pasted expected within {ARRIVES_S:g} s") from error
    raise LoadtestError("what was pasted expected, got the end of the connection")
