"""Editors of two kinds and a session change one document at random, and lose their connections.

One editor is a replica of pycrdt's, two are Yjs on y-websocket in Node, as browsers run it, and the
words come from a session. In the end all of them, and the storage, show the same.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import subprocess
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from server.storage.store import Store
from tests.server.editing import editing
from tests.server.process import as_running, serving_process
from tests.server.scribbling import (
    Scribbler,
    check,
    contents,
    speech_of,
    spoken_words,
    stored_doc,
)
from tests.server.talking import TOKEN, Client, Running, samples, talking

pytestmark = pytest.mark.slow

SOURCE = Path(__file__).with_name("node")
WORDS = spoken_words(40)
AUDIO_S = 29.0
SECONDS = 20.0
PIECE_S = 0.5
INSTALL_S = 120.0
DEADLINE_S = 30.0
POLL_S = 0.05
PAUSE_S = 0.2


@pytest.fixture(scope="module")
def node_modules() -> Path:
    """Return the folder with the libraries of `package-lock.json`, which is installed once."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.fail(
            "Node 20 or newer and npm expected, for real Yjs editors: "
            "on Debian and Ubuntu `apt-get install nodejs npm`, or see https://nodejs.org"
        )
    lock = (SOURCE / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trax-tests"
    installed = cache / sha256(lock).hexdigest()[:16]
    if not installed.exists():
        cache.mkdir(parents=True, exist_ok=True)
        # Beside it, and moved there once it is whole.
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            whole = Path(folder) / "node"
            whole.mkdir()
            for name in ("package.json", "package-lock.json"):
                shutil.copy(SOURCE / name, whole)
            npm = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
            subprocess.run(npm, cwd=whole, check=True, timeout=INSTALL_S)
            whole.rename(installed)
    return installed / "node_modules"


@dataclass
class NodeEditor:
    """A running `editor.js`."""

    number: int
    process: asyncio.subprocess.Process

    async def line(self) -> str:
        """Return the next line that it says."""
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        assert line, f"editor {self.number} ended"
        return line.decode()

    async def report(self) -> dict[str, Any]:
        """Return what it shows now, and what it did."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        report: dict[str, Any] = json.loads(await self.line())
        return report


@asynccontextmanager
async def node_editor(
    folder: Path, server: Running, transcript: str, number: int
) -> AsyncIterator[NodeEditor]:
    """Run an editor that edits for `SECONDS` and then stays; killed at the end."""
    base_url = server.url("/v1/transcripts")
    process = await asyncio.create_subprocess_exec(
        *("node", str(folder / "editor.js"), base_url, transcript, TOKEN),
        *(str(number), str(SECONDS)),
        stdin=PIPE,
        stdout=PIPE,
        limit=16 * 1024 * 1024,
    )
    try:
        yield NodeEditor(number, process)
    finally:
        process.kill()
        await process.communicate()


async def speak(client: Client) -> None:
    """Say everything while the others edit."""
    piece = int(PIECE_S * 16_000)
    for at in range(0, int(AUDIO_S * 16_000), piece):
        await client.stream(samples(PIECE_S), at=at)
        await asyncio.sleep(PIECE_S * SECONDS / AUDIO_S)
    await client.send("end")
    assert await client.closed() == 1000


async def scribble(scribbler: Scribbler, server: Running, transcript: str) -> None:
    """Edit with connections that break again and again, until `SECONDS` are over."""
    chance, clock = random.Random(1), asyncio.get_running_loop().time
    until_s = clock() + SECONDS
    while clock() < until_s:
        async with scribbler.connected(server, transcript):
            for _ in range(chance.randrange(5, 15)):
                scribbler.act()
                if chance.random() < 0.7:
                    await scribbler.editor.flush()
                await asyncio.sleep(chance.random() * PAUSE_S)
            scribbler.lose_connection()
        for _ in range(chance.randrange(4)):
            scribbler.act()


def account_of(number: int, account: dict[str, Any]) -> Scribbler:
    """Return what a Node editor did, in the form in which it is checked."""
    scribbler = Scribbler(number, random.Random())
    scribbler.written = account["written"]
    scribbler.deleted = set(account["deleted"])
    scribbler.noted = account["noted"]
    for name, key, value in account["chosen"]:
        scribbler.chosen.setdefault((name, key), set()).add(value)
    return scribbler


def plain(shown: dict[str, object]) -> object:
    """Return what a replica shows as JSON has it."""
    return json.loads(json.dumps(shown))


async def all_equal(scribbler: Scribbler, editors: list[NodeEditor]) -> list[dict[str, Any]]:
    """Wait until all replicas show the same; return the reports of the Node editors."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            reports = [await editor.report() for editor in editors]
            expected = plain(contents(scribbler.editor.doc))
            if all(report["shown"] == expected for report in reports):
                return reports
            await asyncio.sleep(POLL_S)


async def test_all_editors_and_the_session_agree_in_the_end(
    tmp_path: Path, node_modules: Path
) -> None:
    (tmp_path / "node_modules").symlink_to(node_modules)
    shutil.copy(SOURCE / "package.json", tmp_path)
    shutil.copy(SOURCE / "editor.js", tmp_path)
    scribbler = Scribbler(0, random.Random(0))

    async with serving_process(tmp_path, speech_of(WORDS)) as process:
        server = as_running(tmp_path, process)
        async with talking(server) as client:
            ready = await client.start(language="en", transcript="new")
            transcript = str(ready["transcript"])
            async with (
                node_editor(tmp_path, server, transcript, 1) as ann,
                node_editor(tmp_path, server, transcript, 2) as ben,
            ):
                async with asyncio.TaskGroup() as group:
                    group.create_task(speak(client))
                    group.create_task(scribble(scribbler, server, transcript))
                    done = [group.create_task(each.line()) for each in (ann, ben)]
                assert [line.result() for line in done] == ["done\n", "done\n"]
                async with editing(server, transcript, scribbler.editor):
                    reports = await all_equal(scribbler, [ann, ben])
        assert client.text().split() == WORDS

    # The server was killed just now.
    with Store(f"sqlite:///{server.data_dir / 'transcripts.sqlite'}") as store:
        stored = stored_doc(store, transcript)
    assert contents(stored) == contents(scribbler.editor.doc)
    accounts = [account_of(number, report["account"]) for number, report in enumerate(reports, 1)]
    check(stored, WORDS, [scribbler, *accounts])
    for account, report in zip(accounts, reports, strict=True):
        assert len(account.written) > 50
        assert account.deleted & set(scribbler.written), "they met"
        assert report["account"]["connections"] > 3
        assert report["account"]["partials"] > 0
