"""A board in memory, for tests of workers."""

from __future__ import annotations

import itertools
import queue
from dataclasses import dataclass, field

from offline.child import Dropped, Ending
from offline.errors import BoardUnavailable
from offline.jobs import Claim, Task
from streaming.core.domain import Permille
from tests.offline.hands import DEADLINE_S


@dataclass
class Board:
    """A board in memory: implements `JobBoard`.

    Attributes:
        tasks: What waits, the most urgent first.
        running: What is claimed, by job.
        endings: What became of jobs.
        renewed: How far they were.
        wanted: Whether jobs are wanted still.
        away: How many calls find no database.
    """

    tasks: list[Task] = field(default_factory=list)
    running: dict[str, Task] = field(default_factory=dict)
    endings: queue.Queue[Ending] = field(default_factory=queue.Queue)
    renewed: queue.Queue[int] = field(default_factory=queue.Queue)
    wanted: bool = True
    away: int = 0

    def __post_init__(self) -> None:
        self._numbers = itertools.count()

    def claim(self, *, urgent: bool) -> Claim | None:
        self._check()
        for index, each in enumerate(self.tasks):
            if each.rank.urgent or not urgent:
                job = f"job{next(self._numbers)}"
                self.running[job] = self.tasks.pop(index)
                return Claim(job, 1, 1, each)
        return None

    def renew(self, claim: Claim, progress: Permille) -> bool:
        self._check()
        self.renewed.put(progress)
        return self.wanted and claim.job in self.running

    def end(self, claim: Claim, ending: Ending) -> None:
        self._check()
        task = self.running.pop(claim.job, None)
        if task is not None:
            if isinstance(ending, Dropped):
                self.tasks.insert(0, task)
            self.endings.put(ending)

    def ended(self) -> Ending:
        """Wait for what becomes of a job."""
        return self.endings.get(timeout=DEADLINE_S)

    def _check(self) -> None:
        if self.away:
            self.away -= 1
            raise BoardUnavailable("a database expected, got none")
