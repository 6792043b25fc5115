"""A document that is edited while it is being spoken, over connections that break.

    a session  --+                    +-- a Python editor
                 +-- relays -- server +
                                      +-- two Node editors, Yjs on y-websocket

Everybody is behind a relay of their own, which is cut at random. Editors do at random what people
do. The server may be killed now and then. In the end all of them have to show the same as the
storage, and all that was said and written has to be there.
"""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit
from urllib.request import urlopen

from loadtest.editors_documents import database
from loadtest.living_account import EDITORS, Account, Alphabet
from loadtest.living_audit import Findings, Spoken, audit
from loadtest.living_editor import RECONNECT, PythonEditor, python_editor
from loadtest.living_replica import Shown
from loadtest.node_scripts import FOLDER, NodeScript, running_script
from loadtest.recordings import Recording
from loadtest.relay import Relay, relaying
from loadtest.servers import Servers
from loadtest.speaker import Speaker
from loadtest.tasks import grouped
from server.storage.store import Store
from trax_client import Library, connect
from trax_client.replica import MAPS

CALM_S = (1.0, 8.0)
"""Between two outages of one connection."""

MOST_OUTAGE_S = 2.0

LIFE_S = (8.0, 24.0)
"""Between two kills of the server, if it is killed."""

MOST_PAUSE_S = 0.15
"""Between two edits of one editor."""

SETTLED_S = 60.0
"""Who does not show all after so long, and as long again as was spoken, never will."""

POLL_S = 0.5

Tell = Callable[[float], None]
"""Told how many seconds have gone by, now and then."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to happen.

    Attributes:
        seconds: For how long it is spoken and edited.
        seed: Of all that is random.
        kills: Whether the server is killed now and then.
    """

    seconds: float
    seed: int
    kills: bool


@dataclass(frozen=True, slots=True)
class LivingReport:
    """What came of it.

    Attributes:
        seconds: How long it was edited.
        seed: Of all that was random.
        kills: How often the server was killed.
        cuts: How often connections were cut: the session's, then each editor's.
        edits: How many edits each editor made.
        connections: How many connections each editor had.
        partials: How often each editor saw what was being said.
        findings: What is there, and what is not.
        differing: How many editors ended with something else than the storage.
    """

    seconds: float
    seed: int
    kills: int
    cuts: tuple[int, ...]
    edits: tuple[int, ...]
    connections: tuple[int, ...]
    partials: tuple[int, ...]
    findings: Findings
    differing: int

    @property
    def complete(self) -> bool:
        """Whether all replicas are equal, and nothing is missing or doubled."""
        return self.findings.complete and not self.differing


async def measure_living(
    talk: Recording, flags: Sequence[str], plan: Plan, tell: Tell
) -> LivingReport:
    """Let people edit what is being said, and compare everything in the end.

    Args:
        talk: What is said, again and again.
        flags: Of `trax serve`.
        plan: What is to happen.
        tell: Told of progress.

    Raises:
        LoadtestError: It could not be carried out.
        TraxError: The session or the Python editor was given up.
    """
    with tempfile.TemporaryDirectory(prefix="trax-loadtest-") as name:
        servers = Servers(Path(name), flags)
        async with AsyncExitStack() as stack:
            url = await servers.start()
            stack.push_async_callback(servers.stop)
            networks = [
                await stack.enter_async_context(relaying(servers.port)) for _ in range(EDITORS + 1)
            ]
            meeting = await _meeting(url, networks, plan, stack)
            weather = _Weather(servers, networks, plan.seed)
            await _hold(meeting, talk, plan, weather, tell)
            replicas = await _settled(url, meeting, plan.seconds)
            await servers.kill()
        stored, spoken = _storage(Path(name), meeting.transcript)
    accounts = [account for _, account in replicas]
    return LivingReport(
        seconds=plan.seconds,
        seed=plan.seed,
        kills=weather.kills,
        cuts=tuple(weather.cuts),
        edits=tuple(account.edits for account in accounts),
        connections=tuple(account.connections for account in accounts),
        partials=tuple(account.partials for account in accounts),
        findings=audit(stored, spoken, meeting.speaker.arrivals, accounts),
        differing=sum(shown != stored for shown, _ in replicas),
    )


@dataclass(frozen=True)
class _Meeting:
    """Everybody who uses the server.

    Attributes:
        transcript: The id of the document.
    """

    transcript: str
    speaker: Speaker
    python: PythonEditor
    nodes: Sequence[NodeScript]

    async def replicas(self) -> list[tuple[Shown, Account]]:
        """Return what each editor shows now, and what it did."""
        told = [json.loads(await node.ask()) for node in self.nodes]
        return [
            (self.python.shown, self.python.account),
            *((Shown.read(each["shown"]), Account.read(each["account"])) for each in told),
        ]


async def _meeting(
    url: str, networks: Sequence[Relay], plan: Plan, stack: AsyncExitStack
) -> _Meeting:
    """Let everybody come in; Node editors begin at once."""
    urls = [_through(url, network) for network in networks]
    session = await stack.enter_async_context(
        connect(urls[0], transcript="new", language="en", reconnect=RECONNECT)
    )
    transcript = session.transcript
    assert transcript is not None, "a new one was asked for"
    python = await stack.enter_async_context(python_editor(urls[1], transcript, 0, plan.seed))
    nodes = [
        await stack.enter_async_context(_node_editor(each, transcript, number, plan))
        for number, each in enumerate(urls[2:], start=1)
    ]
    return _Meeting(transcript, Speaker(session), python, nodes)


def _node_editor(
    url: str, transcript: str, number: int, plan: Plan
) -> AbstractAsyncContextManager[NodeScript]:
    parts, alphabet = urlsplit(url), Alphabet.of(number)
    order = {
        "url": f"ws://{parts.netloc}/v1/transcripts",
        "token": parse_qs(parts.query)["token"][0],
        "transcript": transcript,
        "number": number,
        "seed": plan.seed * EDITORS + number,
        "seconds": plan.seconds,
        "pause_ms": 1000 * MOST_PAUSE_S,
        "narrow": [alphabet.narrow.start, alphabet.narrow.stop],
        "wide": [alphabet.wide.start, alphabet.wide.stop],
        "maps": list(MAPS),
    }
    return running_script(FOLDER / "editor.js", json.dumps(order))


class _Weather:
    """What happens to connections and to the server; owned by the measurement.

    Attributes:
        cuts: How often each network was cut.
        kills: How often the server was killed.
    """

    def __init__(self, servers: Servers, networks: Sequence[Relay], seed: int) -> None:
        self.cuts = [0] * len(networks)
        self.kills = 0
        self._servers = servers
        self._networks = networks
        self._seed = seed

    async def cut(self, number: int) -> None:
        """Cut one network now and then, until cancelled."""
        network, chance = self._networks[number], random.Random(f"{self._seed}.{number}")
        try:
            while True:
                await asyncio.sleep(chance.uniform(*CALM_S))
                network.cut(0)
                self.cuts[number] += 1
                await asyncio.sleep(chance.uniform(0, MOST_OUTAGE_S))
                network.cut(self._servers.port)
        finally:
            network.cut(self._servers.port)

    async def kill(self, seconds: float) -> None:
        """Kill the server now and then, for so long."""
        clock, chance = asyncio.get_running_loop().time, random.Random(self._seed)
        until_s = clock() + seconds
        while clock() + (life_s := chance.uniform(*LIFE_S)) < until_s:
            await asyncio.sleep(life_s)
            await self._servers.kill()
            self.kills += 1
            await self._servers.start()


async def _hold(
    meeting: _Meeting, talk: Recording, plan: Plan, weather: _Weather, tell: Tell
) -> None:
    """Have everybody speak and edit for as long as planned, and the speaker finish."""
    async with grouped() as group:
        listening = group.create_task(meeting.speaker.listen())
        speaking = group.create_task(meeting.speaker.speak(talk.audio))
        storms = [group.create_task(weather.cut(number)) for number in range(len(weather.cuts))]
        busy = [group.create_task(meeting.python.edit(plan.seconds, MOST_PAUSE_S))]
        if plan.kills:
            busy.append(group.create_task(weather.kill(plan.seconds)))
        telling = group.create_task(_count_seconds(tell))
        await asyncio.gather(*busy, *(node.line() for node in meeting.nodes))
        for task in (speaking, telling, *storms):
            task.cancel()
        await asyncio.wait([speaking, *storms])
        await meeting.speaker.session.end()
        await listening


async def _count_seconds(tell: Tell) -> None:
    clock = asyncio.get_running_loop().time
    began_s = clock()
    while True:
        tell(clock() - began_s)
        await asyncio.sleep(1)


async def _settled(url: str, meeting: _Meeting, seconds: float) -> list[tuple[Shown, Account]]:
    """Wait until all is written and everybody shows the same; return what they show in the end."""
    with suppress(TimeoutError):  # Then they differ, which is counted.
        async with asyncio.timeout(SETTLED_S + seconds):
            while True:
                written = await _is_written(url, meeting.transcript)
                replicas = await meeting.replicas()
                if written and all(shown == replicas[0][0] for shown, _ in replicas):
                    return replicas
                await asyncio.sleep(POLL_S)
    return await meeting.replicas()


async def _is_written(url: str, transcript: str) -> bool:
    """Return whether all that was heard of the session, and will be, is in the document."""
    if not await asyncio.to_thread(_are_closed, url, transcript):
        return False
    await asyncio.sleep(POLL_S)  # what it heard is heard once more, which is asked for only then
    return all([job.over async for job in Library(url).jobs(transcript)])


def _are_closed(url: str, transcript: str) -> bool:
    parts = urlsplit(url)
    path = f"/v1/transcripts/{quote(transcript)}"
    with urlopen(f"http://{parts.netloc}{path}?{parts.query}") as answer:
        passes = json.load(answer)["passes"]
    return all(each["state"] == "closed" for each in passes)


def _storage(folder: Path, transcript: str) -> tuple[Shown, Spoken]:
    """Return what a killed server left behind: the document, and what was heard."""
    with Store(database(folder)) as store:
        document = store.documents.read(transcript)
        (session,) = store.sessions.of(transcript)
        passes = store.passes.words(transcript, (each.id for each in store.passes.of(transcript)))
        spoken = Spoken(session.live_pass, passes, store.merges.all_decisions(transcript))
    snapshot = () if document.snapshot is None else (document.snapshot,)
    return Shown.stored((*snapshot, *document.updates)), spoken


def _through(url: str, network: Relay) -> str:
    """Return the URL of a server as it is reached through a relay."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"127.0.0.1:{network.port}").geturl()
