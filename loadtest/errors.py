"""Why a measurement cannot be made.

LoadtestError       what was asked for cannot be measured
  ServerNotStarted  the server that was to be measured did not come up
"""

from __future__ import annotations


class LoadtestError(Exception):
    """What was asked for cannot be measured; the message says what was expected and what came."""


class ServerNotStarted(LoadtestError):
    """The server that was to be measured did not come up."""
