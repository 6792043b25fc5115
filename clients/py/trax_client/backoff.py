"""When to try again."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reconnect:
    """How a lost connection is resumed: full jitter, exponential.

    The wait before attempt n = 0, 1, 2 ... is evenly distributed in `[0, min(longest_s, first_s *
    2**n)]`: of the jitters compared by Brooker, "Exponential Backoff And Jitter" (AWS
    Architecture Blog, 2015), the one that loads the server least.

    Attributes:
        first_s: Longest first wait.
        longest_s: Longest wait of all.
        give_up_s: How long a session may get nowhere before it is given up; `None`: as long as the
            server keeps it (`limits.resume_ms`). 0: never reconnect.
        handshake_s: How long one attempt may take.
    """

    first_s: float = 0.25
    longest_s: float = 10.0
    give_up_s: float | None = None
    handshake_s: float = 10.0

    def __post_init__(self) -> None:
        """Refuse waits that make no sense."""
        if not (0 < self.first_s <= self.longest_s and self.handshake_s > 0):
            raise ValueError(f"0 < first_s <= longest_s and 0 < handshake_s expected, got {self}")
        if self.give_up_s is not None and self.give_up_s < 0:
            raise ValueError(f"give_up_s from 0 expected, got {self.give_up_s}")

    def delays_s(self) -> Iterator[float]:
        """Yield the waits before successive attempts, for ever."""
        ceiling_s = self.first_s
        while True:
            # Not secret, only scattered.
            yield random.uniform(0, ceiling_s)  # noqa: S311
            ceiling_s = min(self.longest_s, 2 * ceiling_s)
