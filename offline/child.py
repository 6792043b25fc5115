"""A process of its own that hears, and both ends of the pipe to it.

It computes at low priority, and is the first that the system ends when memory runs out, so neither
its hunger nor its crash touches who started it. It stays between jobs, because to load models takes
seconds, and ends by itself when it was idle for long, or when whoever started it is gone, however
that went: the pipe closes then.

For each `Order` it gives exactly one `Ending`, and before it any number of `Progress`.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import queue
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

from offline.domain import PassWord
from offline.errors import LanguageError, NoStage, Unheard
from offline.jobs import Failure, FailureCode, Task
from offline.results import Hearing
from streaming.causes import lacks_memory, lacks_network
from streaming.core.domain import Permille
from streaming.errors import StreamingError

logger = logging.getLogger(__name__)

NICENESS = 10
"""To the scheduler the child weighs a tenth of the live side (man 7 sched); its disk accesses step
back likewise (man 2 ioprio_set)."""

FIRST_TO_BE_KILLED = "1000"
"""In /proc/PID/oom_score_adj (man 5 proc)."""

IDLE_S = 600.0
"""After so long without a job, memory is worth more than the seconds of loading models."""

TELL_S = 0.2
"""How often progress is told at most."""


class Hear(Protocol):
    """Does tasks, one at a time."""

    def __call__(
        self, task: Task, earlier: Sequence[Sequence[PassWord]], progress: Callable[[float], None]
    ) -> Hearing:
        """Hear what the task says.

        Args:
            task: What is to be heard.
            earlier: What passes heard of the same audio before, one row of words for each, the
                oldest first; times on the session's clock.
            progress: To be told what part (0..1) is done, a few times a second, from the thread of
                this call. What it raises has to pass.

        Raises:
            Unheard: It cannot be done.
        """
        ...


Hire = Callable[[], Hear]
"""Is called once in the child; has to be pickled, and so is a function or value of a module."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the child is to do now."""

    task: Task
    earlier: tuple[tuple[PassWord, ...], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Drop:
    """The order that the child works on is wanted no more."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of the order is done."""

    permille: Permille


@dataclass(frozen=True, slots=True)
class Heard:
    """The order is done: an encoded `Hearing`."""

    result: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Failed:
    """The order cannot be done."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Dropped:
    """The order was dropped as asked."""


Ending = Heard | Failed | Dropped


class ChildDied(Exception):
    """The child ended in the midst of an order, or before it took it.

    Attributes:
        how: Its exit code, or the signal that killed it.
    """

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class Child:
    """The parent's end; used by one thread, in which the process is started too."""

    def __init__(self, hire: Hire, memory_bytes: int | None = None) -> None:
        """Start the process.

        Args:
            hire: What it does.
            memory_bytes: How much memory it may have of its own (RLIMIT_DATA); `None`: any.
        """
        spawn = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawn.Pipe()
        self._process = spawn.Process(
            target=_live, args=(theirs, hire, memory_bytes), name="hearing", daemon=True
        )
        self._process.start()
        theirs.close()
        self.orders = 0

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid or 0

    def send(self, message: Order | Drop) -> None:
        """Give an order, or take it back.

        Raises:
            ChildDied: It is there no more.
        """
        self.orders += isinstance(message, Order)
        try:
            self._pipe.send(message)
        except OSError as error:
            raise self._died() from error

    def receive(self, within_s: float) -> Progress | Ending | None:
        """Return the next message; `None` if there is none for so long.

        Raises:
            ChildDied: There will not be one.
        """
        try:
            if not self._pipe.poll(within_s):
                return None
            message: Progress | Ending = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise self._died() from error
        return message

    def end(self) -> None:
        """Kill the process; harmless when it has ended."""
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def _died(self) -> ChildDied:
        self._process.join(1.0)
        code = self._process.exitcode
        if code is not None and code < 0:
            return ChildDied(signal.Signals(-code).name)
        return ChildDied(f"exit code {code}")


class _Dropped(Exception):
    """The order is wanted no more."""


class _Desk:
    """The child's end: a thread receives orders, the main thread carries them out."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
        self._dropped = threading.Event()
        self._told_s = 0.0
        threading.Thread(target=self._listen, daemon=True).start()

    def work(self, hire: Hire) -> None:
        """Carry out orders until none came for long."""
        hear: Hear | None = None
        while True:
            try:
                order = self._orders.get(timeout=IDLE_S)
            except queue.Empty:
                return
            self._tell(Progress(Permille(0)))
            ending, hear = self._carry_out(order, hire, hear)
            self._tell(ending)

    def _carry_out(self, order: Order, hire: Hire, hear: Hear | None) -> tuple[Ending, Hear | None]:
        try:
            hear = hear or hire()
            return Heard(hear(order.task, order.earlier, self._progress).encode()), hear
        except _Dropped:
            return Dropped(), hear
        except Unheard as error:
            return Failed(error.failure), hear
        except (LanguageError, NoStage) as error:
            return Failed(Failure(FailureCode.UNSUPPORTED, str(error), retry=False)), hear
        except StreamingError as error:
            return Failed(_of_models(error)), None
        except Exception as error:
            if lacks_memory(error):
                return Failed(_MEMORY), None
            logger.exception("hearing failed")
            expected = f"an answer expected, got {type(error).__name__}"
            return Failed(Failure(FailureCode.INTERNAL_ERROR, expected, retry=True)), hear

    def _progress(self, part: float) -> None:
        if self._dropped.is_set():
            raise _Dropped
        if (now_s := time.monotonic()) - self._told_s >= TELL_S:
            self._told_s = now_s
            self._tell(Progress(Permille(min(1000, max(0, round(part * 1000))))))

    def _tell(self, message: Progress | Ending) -> None:
        with contextlib.suppress(OSError):  # nobody listens: this process ends at any moment
            self._pipe.send(message)

    def _listen(self) -> None:
        while True:
            try:
                message = self._pipe.recv()
            except (EOFError, OSError):
                os._exit(0)  # whoever started us is gone; the main thread may compute for minutes
            match message:
                case Order():
                    self._dropped.clear()
                    self._orders.put(message)
                case _:
                    self._dropped.set()


_MEMORY = Failure(
    FailureCode.OUT_OF_MEMORY, "less memory needed than this worker may have, got more", retry=True
)


def _of_models(error: StreamingError) -> Failure:
    """Return why models cannot be used: not all of that is for good."""
    if lacks_memory(error):
        return _MEMORY
    if lacks_network(error):
        return Failure(FailureCode.UNAVAILABLE, str(error), retry=True)
    return Failure(FailureCode.MODEL_MISSING, str(error), retry=False)


def _live(pipe: Connection, hire: Hire, memory_bytes: int | None) -> None:
    """Be the child, from its first to its last moment."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches us too; the parent ends us
    os.nice(NICENESS)
    if sys.platform == "linux":
        Path("/proc/self/oom_score_adj").write_text(FIRST_TO_BE_KILLED, encoding="ascii")
    if memory_bytes is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    _Desk(pipe).work(hire)
