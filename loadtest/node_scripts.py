"""Programs for Node in which real Yjs and real y-websocket run, as they do in browsers."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from loadtest.errors import LoadtestError

FOLDER = Path(__file__).with_name("node")

INSTALL_S = 120.0
LINE_BYTES = 64 * 1024 * 1024
"""Longest line of a program: a whole document."""


@dataclass(frozen=True, slots=True)
class NodeScript:
    """A running program; made by `running_script`.

    Attributes:
        name: Of its file.
        process: It.
    """

    name: str
    process: Process

    async def line(self) -> str:
        """Return the next line that it says.

        Raises:
            LoadtestError: It has ended.
        """
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        if not line:
            raise LoadtestError(f"{self.name} expected to go on, got its end")
        return line.decode().rstrip("\n")

    async def ask(self, question: str = "") -> str:
        """Say one line to it; return the one that it answers.

        Raises:
            LoadtestError: It has ended.
        """
        assert self.process.stdin is not None
        self.process.stdin.write(question.encode() + b"\n")
        return await self.line()


@asynccontextmanager
async def running_script(script: Path, *arguments: str) -> AsyncIterator[NodeScript]:
    """Run a program until the context is left, and kill it then.

    Args:
        script: An ES module; it may import what `node/package.json` names.
        arguments: Of the program.

    Raises:
        LoadtestError: There is no Node, or the packages cannot be had.
    """
    modules = await asyncio.to_thread(node_modules)
    with tempfile.TemporaryDirectory(prefix="trax-node-") as name:
        # Imports of a module are looked up from where it lies.
        folder = Path(name)
        (folder / "node_modules").symlink_to(modules)
        shutil.copy(FOLDER / "package.json", folder)
        shutil.copy(script, folder)
        process = await asyncio.create_subprocess_exec(
            *("node", str(folder / script.name), *arguments),
            stdin=PIPE,
            stdout=PIPE,
            limit=LINE_BYTES,
        )
        try:
            yield NodeScript(script.name, process)
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


def node_modules() -> Path:
    """Return the folder with the packages of `node/package-lock.json`, installed once.

    Raises:
        LoadtestError: There is no Node, or they cannot be had.
    """
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise LoadtestError(
            "Node 20 or newer and npm expected, for real Yjs editors: "
            "on Debian and Ubuntu `apt-get install nodejs npm`, or see https://nodejs.org"
        )
    lock = (FOLDER / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trax-tests"
    installed = cache / sha256(lock).hexdigest()[:16]
    if not installed.exists():
        cache.mkdir(parents=True, exist_ok=True)
        # Beside it, and moved there once it is whole.
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            whole = Path(folder) / "node"
            whole.mkdir()
            for name in ("package.json", "package-lock.json"):
                shutil.copy(FOLDER / name, whole)
            _install(whole)
            whole.rename(installed)
    return installed / "node_modules"


def _install(folder: Path) -> None:
    npm = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    try:
        subprocess.run(npm, cwd=folder, check=True, timeout=INSTALL_S)  # noqa: S603 - is constant
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise LoadtestError(f"the packages of {FOLDER.name}/ expected from npm: {error}") from error
