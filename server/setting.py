"""What a setting means to the person who sets it; the settings themselves are in `settings.py`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """What a field means to the person who sets it.

    Attributes:
        why: What it does and why its default is what it is, as a sentence.
        group: Heading under which `--help` and the README list it.
        unit: Unit of a number.
        low: Smallest number allowed.
        high: Largest number allowed.
        default: How the default is written where it depends on the machine.
        allowed: The only texts allowed, where there are few.
    """

    why: str
    group: str
    unit: str = ""
    low: int | None = None
    high: int | None = None
    default: str | None = None
    allowed: tuple[str, ...] = ()

    @property
    def range(self) -> str:
        """The allowed values as people read them, empty when any will do."""
        if self.allowed:
            return ", ".join(self.allowed)
        if self.low is None or self.high is None:
            return ""
        return f"{self.low}..{self.high}"

    def allows(self, value: object) -> bool:
        """Whether a field may have this value."""
        if self.allowed:
            return value in self.allowed
        if isinstance(value, int) and self.low is not None and self.high is not None:
            return self.low <= value <= self.high
        return True


GROUPS = (
    "Network",
    "Files",
    "Models",
    "Load",
    "Sessions and connections",
    "Transcripts",
    "Accurate pass",
    "Logs",
)
"""In the order in which people read them."""

NETWORK, FILES, MODELS, LOAD, SESSIONS, TRANSCRIPTS, JOBS, LOGS = GROUPS


def flag(name: str) -> str:
    """Return the flag that sets a field: `--max-sessions`."""
    return "--" + name.replace("_", "-")


def variable(name: str) -> str:
    """Return the environment variable that sets a field: `TRAX_MAX_SESSIONS`."""
    return "TRAX_" + name.upper()


def problem(name: str, expected: str, got: str) -> str:
    """Say in one line what is wrong with a field."""
    return f"{flag(name)} ({variable(name)}): expected {expected}, got {got}"
