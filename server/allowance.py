"""How much of everybody's time one member of a room may take (no I/O, no clock).

All rooms share one event loop: what one member's frames cost there, everybody waits for. So each
is charged for them, and has a tenth of the loop for itself, saved up for a moment of much typing or
of coming back with much. In debt it is not listened to until it is out of it, so that it is slowed
by its own connection. Who goes on like that all the time is no editor, and is sent away.
"""

from __future__ import annotations

SHARE = 0.1
"""Of the loop, for one member. Typing ten keys a second in a room of 50, each with the cursor that
moves along, takes 0.03."""

SAVED_S = 1.0
"""Of the loop's time, unused: an offline editor's 4 MB take 0.7."""

DEBT_S = 1.0
"""More is not owed, whatever one frame cost: the longest pause is ten times that, and shorter than
the 20 s after which an unanswered ping ends the connection."""

PATIENCE_S = 60.0
"""Who was in debt for so long, without a second's worth to spare, has to go."""

FRAME_S = 100e-6
"""A frame that changes nothing: read, decoded, its task woken. This and the numbers below are
roughly what a server's core takes; what they bound is measured by
`python -m loadtest editors --flooders`: with one who floods, 1% of the edits between two others
took 1.7 s before there was an allowance, and 0.13 s with it, on a machine that was busy besides."""

BYTE_S = 1 / 6e6
"""To look into what a frame holds."""

RECIPIENT_S = 50e-6
"""To send a frame on to one member."""

ANSWER_BYTE_S = 1 / 100e6
"""To encode the document, or who is there, for one member."""


class Allowance:
    """What one member may still take; owned by it. Times are the loop's, in seconds."""

    def __init__(self, now_s: float) -> None:
        """Begin with everything saved."""
        self._left_s = SAVED_S
        self._at_s = now_s
        self._calm_at_s = now_s

    def charge(self, cost_s: float, now_s: float) -> None:
        """Take time of the loop."""
        self._earn(now_s)
        if self._left_s >= SHARE:
            self._calm_at_s = now_s
        self._left_s = max(self._left_s - cost_s, -DEBT_S)

    def pause_s(self, now_s: float) -> float:
        """Return how long not to listen to the member; 0 while it is not in debt."""
        self._earn(now_s)
        return max(0.0, -self._left_s / SHARE)

    def exhausted(self, now_s: float) -> bool:
        """Whether everybody's patience with the member is at an end."""
        return self.pause_s(now_s) > 0 and now_s - self._calm_at_s > PATIENCE_S

    def _earn(self, now_s: float) -> None:
        self._left_s = min(self._left_s + SHARE * (now_s - self._at_s), SAVED_S)
        self._at_s = now_s
