"""Processes that write to a store until they are killed, replaced or done.

`python -m tests.server.storage.writers NAME URL ...` runs one; each line that it prints tells of
something that is stored.
"""

from __future__ import annotations

import itertools
import sqlite3
import subprocess
import sys

from offline.domain import PassId
from server.storage.errors import StaleWriter
from server.storage.store import Store
from server.storage.values import Batch, Progress
from tests.server.storage.writing import TRANSCRIPT, chunk

PASS = PassId("1")
SESSION = "session1"


def start(*arguments: str) -> subprocess.Popen[str]:
    """Run a writer; it can be talked to."""
    command = [sys.executable, "-m", __name__, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def tell(news: object) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{news}\n")
    sys.stdout.flush()


def append_for_ever(url: str) -> None:
    """Append batches of an update and a word, and print the number of each once it is stored."""
    with Store(url) as store:
        lease = store.documents.lease(TRANSCRIPT)
        for after in itertools.count(store.documents.read(TRANSCRIPT).last_seq):
            seq = after + 1
            word, progress = chunk(PASS, after, str(seq)), Progress(SESSION, seq, seq)
            batch = Batch(after, (str(seq).encode(),), (word,), (progress,))
            tell(store.documents.append(lease, batch))
            if seq % 50 == 0:
                store.documents.compact(lease, str(seq).encode(), seq)


def append_in_turn(url: str, name: str, count: int) -> None:
    """Append so many updates, taking the lease back whenever another writer took it."""
    with Store(url) as store:
        left = count
        while left:
            lease = store.documents.lease(TRANSCRIPT)
            seq = store.documents.read(TRANSCRIPT).last_seq
            try:
                while left:
                    seq = store.documents.append(lease, Batch(seq, (name.encode(),)))
                    left -= 1
                    tell(seq)
            except StaleWriter:
                continue


def open_at_once(url: str) -> None:
    """Open a store when a line comes, and say which transcripts there are."""
    tell("ready")
    sys.stdin.readline()
    with Store(url) as store:
        tell(len(store.library.page().transcripts))


def lock(path: str) -> None:
    """Keep an SQLite database to ourselves until a line comes."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    tell("locked")
    sys.stdin.readline()
    connection.execute("COMMIT")
    connection.close()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["append", url]:
            append_for_ever(url)
        case ["take-turns", url, name, count]:
            append_in_turn(url, name, int(count))
        case ["open", url]:
            open_at_once(url)
        case ["lock", path]:
            lock(path)
