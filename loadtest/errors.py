"""Why a measurement cannot be made.

LoadtestError       what was asked for cannot be measured
  ServerNotStarted  the server that was to be measured did not come up
  ServerGone        it ended while it was measured
"""

from __future__ import annotations


class LoadtestError(Exception):
    """What was asked for cannot be measured; the message says what was expected and what came."""


class ServerNotStarted(LoadtestError):
    """The server that was to be measured did not come up."""


class ServerGone(LoadtestError):
    """The server ended while it was measured."""
