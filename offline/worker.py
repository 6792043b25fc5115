"""Workers: each takes the most urgent job, has a child hear it, and says what became of it.

While the child computes, the worker tells the board every few seconds that it lives and how far it
is, and learns so whether the job is still wanted. It gives up on a child that stands still, starts
another one when it died, and gives the job back when it is to stop.

A crew has as many workers as may hear at once. Recordings and files take minutes, so a crew whose
workers are busy with them hears what people wait for in overtime, one such job for each worker:
otherwise a meeting would have no corrections while somebody's file is heard.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, assert_never

from offline.child import (
    Child,
    ChildDied,
    Drop,
    Dropped,
    Ending,
    Failed,
    Heard,
    Hire,
    Order,
    Progress,
)
from offline.domain import PassWord
from offline.errors import BoardUnavailable, Unheard
from offline.jobs import Claim, Failure, FailureCode, Task
from streaming.core.domain import Permille

logger = logging.getLogger(__name__)

Recall = Callable[[Task], Sequence[Sequence[PassWord]]]
"""Returns what passes heard before of a task's audio; raises `Unheard` or `BoardUnavailable`."""


class JobBoard(Protocol):
    """The jobs, as a worker sees them; any thread may use it."""

    def claim(self, *, urgent: bool) -> Claim | None:
        """Take the most urgent job that is due; `None` if none is.

        Args:
            urgent: Whether only those are meant that people wait for (`Rank.urgent`).

        Raises:
            BoardUnavailable: Nobody knows now.
        """
        ...

    def renew(self, claim: Claim, progress: Permille) -> bool:
        """Say that the work goes on; return whether it should.

        Raises:
            BoardUnavailable: Nobody knows now.
        """
        ...

    def end(self, claim: Claim, ending: Ending) -> None:
        """Say what became of a job; `Dropped` gives it back. Without effect on a lost claim.

        Raises:
            BoardUnavailable: It is not noted.
        """
        ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a worker waits for what.

    Attributes:
        beat_s: Between two signs of life.
        still_s: For a child that tells no progress: a step of the longest recordings takes
            minutes.
        drop_s: For a child that is to drop its order, before it is killed with its models.
        end_s: For the board, to note what became of a job. A claim may end before, but while the
            board is away nobody else can take the job; whoever comes first afterwards has it.
    """

    beat_s: float = 2.0
    still_s: float = 1800.0
    drop_s: float = 5.0
    end_s: float = 60.0


PATIENT = Patience()


class Crew:
    """The workers of one process. `work` is called in as many threads as `threads` says."""

    def __init__(
        self,
        board: JobBoard,
        hire: Hire,
        recall: Recall,
        *,
        workers: int,
        memory_bytes: int | None = None,
        patience: Patience = PATIENT,
    ) -> None:
        """Gather workers; no process is started before there is a job.

        Args:
            board: Where jobs are.
            hire: What children do.
            recall: Tells what was heard before.
            workers: How many jobs are done at once.
            memory_bytes: Memory of each child; `None`: any.
            patience: How long to wait for what.
        """
        self._board = board
        self._workers = workers
        self._stopping = threading.Event()
        self._deciding = threading.Lock()
        self._busy: dict[_Worker, bool] = {}
        self._idle = [
            _Worker(board, hire, recall, memory_bytes, patience, self._stopping)
            for _ in range(self.threads)
        ]

    @property
    def threads(self) -> int:
        """How many calls of `work` may be under way."""
        return 2 * self._workers

    @property
    def children(self) -> tuple[int, ...]:
        """Ids of the processes that there are."""
        everybody = [*self._idle, *self._busy]
        return tuple(worker.child.pid for worker in everybody if worker.child is not None)

    def work(self) -> None:
        """Do jobs until none is due; returns early when the crew stops."""
        while not self._stopping.is_set():
            begun = self._begin()
            if begun is None:
                return
            worker, claim = begun
            try:
                worker.carry_out(claim)
            finally:
                with self._deciding:
                    del self._busy[worker]
                    self._idle.append(worker)  # the one whose models are warm is taken first

    def stop(self) -> None:
        """Have running jobs given back; `work` returns within a second or so. Never blocks."""
        self._stopping.set()

    def close(self) -> None:
        """End all children, once no `work` is under way."""
        for worker in self._idle:
            worker.close()

    def _begin(self) -> tuple[_Worker, Claim] | None:
        """Claim what this crew may do now."""
        with self._deciding:
            overtime = len(self._busy) - self._workers
            lengthy = sum(not urgent for urgent in self._busy.values())
            if not self._idle or overtime >= lengthy:
                return None
            try:
                claim = self._board.claim(urgent=overtime >= 0)
            except BoardUnavailable:
                logger.warning("no job taken: the database cannot be used now")
                return None
            if claim is None:
                return None
            worker = self._idle.pop()
            self._busy[worker] = claim.task.rank.urgent
            return worker, claim


class _Worker:
    """One worker; used by one thread at a time.

    Attributes:
        child: Who hears, if there is anybody.
    """

    def __init__(
        self,
        board: JobBoard,
        hire: Hire,
        recall: Recall,
        memory_bytes: int | None,
        patience: Patience,
        stopping: threading.Event,
    ) -> None:
        self._board = board
        self._hire = hire
        self._recall = recall
        self._memory_bytes = memory_bytes
        self._patience = patience
        self._stopping = stopping
        self.child: Child | None = None

    def carry_out(self, claim: Claim) -> None:
        """Do a job, and say what became of it."""
        began_s = time.monotonic()
        about: dict[str, object] = {
            "job": claim.job,
            "kind": claim.task.kind.value,
            "attempt": claim.attempt,
        }
        logger.info("job begins", extra=about)
        ending = self._hear(claim)
        if ending is None:
            logger.info("job is wanted no more", extra=about)
            return
        self._tell(claim, ending)
        about["seconds"] = round(time.monotonic() - began_s, 1)
        match ending:
            case Heard():
                logger.info("job heard", extra=about)
            case Failed(failure=failure):
                logger.warning("job failed", extra=about | {"code": failure.code.value})
            case Dropped():
                logger.info("job given back", extra=about)
            case _:
                assert_never(ending)

    def close(self) -> None:
        """End the child."""
        if self.child is not None:
            self.child.end()
            self.child = None

    def _hear(self, claim: Claim) -> Ending | None:
        """Return what became of a job; `None` if nobody wants to know."""
        try:
            earlier = tuple(tuple(words) for words in self._recall(claim.task))
        except Unheard as error:
            return Failed(error.failure)
        except BoardUnavailable:
            expected = "the words of earlier passes expected, got a database that is away"
            return Failed(Failure(FailureCode.UNAVAILABLE, expected, retry=True))
        try:
            return self._wait(claim, self._order(Order(claim.task, earlier)))
        except ChildDied as died:
            self.close()
            # Whoever stops us may have stopped the child as well, and a moment earlier.
            if self._stopping.wait(0.5):
                return Dropped()
            expected = f"a child that lives expected, got {died.how}"
            return Failed(Failure(FailureCode.WORKER_DIED, expected, retry=True))

    def _order(self, order: Order) -> Child:
        """Give an order to the child that is there, or to a new one."""
        if self.child is not None:
            try:
                self.child.send(order)
                # It says at once that it took the order, unless it was about to leave.
                if self.child.receive(self._patience.drop_s) is not None:
                    return self.child
            except ChildDied:
                pass
            self.close()
        self.child = Child(self._hire, self._memory_bytes)
        self.child.send(order)
        return self.child

    def _wait(self, claim: Claim, child: Child) -> Ending | None:
        """Wait for what becomes of an order.

        Raises:
            ChildDied: Nothing.
        """
        patience, progress = self._patience, Permille(0)
        moved_s = beat_s = time.monotonic()
        while True:
            message = child.receive(min(0.25, patience.beat_s))
            now_s = time.monotonic()
            match message:
                case None:
                    pass
                case Progress(permille=permille):
                    progress, moved_s = permille, now_s
                case _:
                    return message
            if self._stopping.is_set():
                self.close()
                return Dropped()
            if now_s - moved_s > patience.still_s:
                self.close()
                expected = f"progress within {patience.still_s:.0f} s expected, got none"
                return Failed(Failure(FailureCode.TIMEOUT, expected, retry=True))
            if now_s - beat_s >= patience.beat_s:
                beat_s = now_s
                if not self._is_wanted(claim, progress):
                    self._drop(child)
                    return None

    def _is_wanted(self, claim: Claim, progress: Permille) -> bool:
        try:
            return self._board.renew(claim, progress)
        except BoardUnavailable:
            return True  # as long as nobody says otherwise

    def _drop(self, child: Child) -> None:
        """Have the child drop its order, and keep it if it does so soon."""
        give_up_s = time.monotonic() + self._patience.drop_s
        try:
            child.send(Drop())
            while (left_s := give_up_s - time.monotonic()) > 0:
                message = child.receive(left_s)
                if message is not None and not isinstance(message, Progress):
                    return
        except ChildDied:
            pass
        self.close()

    def _tell(self, claim: Claim, ending: Ending) -> None:
        """Note what became of a job, and be patient: hours of work may hang on it."""
        give_up_s = time.monotonic() + self._patience.end_s
        while True:
            try:
                self._board.end(claim, ending)
            except BoardUnavailable:
                if time.monotonic() >= give_up_s:
                    logger.exception("what became of a job is lost", extra={"job": claim.job})
                    return
                time.sleep(self._patience.beat_s)
            else:
                return
