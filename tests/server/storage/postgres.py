"""A PostgreSQL of our own, in a temporary folder, and reached only through a socket in it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg

DEADLINE_S = 60
MISSING = "PostgreSQL is missing. On Debian and Ubuntu: sudo apt-get install postgresql"


class Postgres:
    """A server that is started, killed and started again; owned by its fixture.

    Attributes:
        user: Who runs it; `None` for whoever runs the tests.
        folder: Where it stores everything.
    """

    def __init__(self) -> None:
        # Not pytest's folder: PostgreSQL will not run as root, and nobody else may look into it.
        self.user = _user()
        self.folder = Path(tempfile.mkdtemp(prefix="trax-"))
        if self.user is not None:
            shutil.chown(self.folder, self.user)
        self._databases = 0
        self._data = self.folder / "data"
        self._run(
            *("initdb", "--pgdata", str(self._data), "--username", "trax", "--auth", "trust"),
            *("--encoding", "UTF8", "--locale", "C", "--no-sync"),
        )
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        # Without fsync: that the disk keeps its promises is not what we test.
        flags = f"-F -k {self.folder} -c listen_addresses=''"
        log = str(self.folder / "log")
        self._run("pg_ctl", "start", "-w", "-s", "-D", str(self._data), "-l", log, "-o", flags)

    def kill(self) -> None:
        """Stop it at once, as a crash would: connections break, nothing is tidied up."""
        self._run("pg_ctl", "stop", "-s", "-D", str(self._data), "-m", "immediate")

    def remove(self) -> None:
        """Stop it, and remove all that it stored."""
        self.kill()
        shutil.rmtree(self.folder)

    def create(self, tablespace: str = "pg_default") -> str:
        """Make an empty database; return its URL."""
        self._databases += 1
        name = f"trax{self._databases}"
        self.run(f"CREATE DATABASE {name} TABLESPACE {tablespace}")
        return f"postgresql+psycopg://trax@/{name}?host={self.folder}"

    def run(self, statement: str) -> None:
        """Carry out a statement that concerns the whole server."""
        folder = str(self.folder)
        with psycopg.connect(host=folder, user="trax", dbname="postgres", autocommit=True) as login:
            login.execute(statement.encode())

    def _run(self, command: str, *arguments: str) -> None:
        subprocess.run(
            [_program(command), *arguments],
            user=self.user,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            timeout=DEADLINE_S,
        )


def _program(name: str) -> str:
    # Debian keeps them out of PATH, one folder for each version.
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    path = str(found[0]) if found else shutil.which(name)
    if path is None:
        raise FileNotFoundError(MISSING)
    return path


def _user() -> str | None:
    """Return who runs it; `None` for whoever runs the tests."""
    if os.getuid() != 0:
        return None
    names = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
