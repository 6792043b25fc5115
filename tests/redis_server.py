"""A Redis of our own, on a free port of this machine; it stores nothing on disk."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time

import redis

DEADLINE_S = 60.0
MISSING = "Redis is missing. On Debian and Ubuntu: sudo apt-get install redis-server"


class RedisServer:
    """A server that is started, killed and started again; owned by its fixture."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        program = shutil.which("redis-server")
        if program is None:
            raise FileNotFoundError(MISSING)
        self._process = subprocess.Popen(
            [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        give_up_s = time.monotonic() + DEADLINE_S
        while not self._answers():
            assert time.monotonic() < give_up_s
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def flush(self) -> None:
        """Forget everything, as a Redis does that restarts."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def freeze(self) -> None:
        """Let it answer no more, without closing connections."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Stop it at once; what waits in it is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
