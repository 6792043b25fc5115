"""What can go wrong in `streaming` outside the core.

    StreamingError
    ├── DownloadError             a wheel could not be had; callers of `fetch` see a FetchError
    ├── EngineError               an engine cannot be loaded as asked
    └── WeightsError              a model's files cannot be used
        ├── UnknownWeightError    neither in the catalogue, nor a path, nor like a hub's name
        ├── MissingWeightError    not fetched yet, or a file was removed
        ├── DamagedWeightError    a file is not the one that was pinned
        ├── FetchError            could not be brought here, or was not what was pinned
        └── ConversionError       the converted network does not compute what the original does

The messages say what was expected, what was found, and which command mends it.
"""

from __future__ import annotations

from pathlib import Path


class StreamingError(Exception):
    """Base of every error that `streaming` raises on purpose."""


class DownloadError(StreamingError):
    """A wheel could not be downloaded, or cannot be read; the message says why in a line."""


class EngineError(StreamingError):
    """An engine cannot be loaded on the device, or with the model, that was asked for."""


class WeightsError(StreamingError):
    """A model's files cannot be used.

    Attributes:
        weight: The name that was asked for.
    """

    def __init__(self, weight: str, message: str) -> None:
        super().__init__(message)
        self.weight = weight


class UnknownWeightError(WeightsError):
    """The name is neither in the catalogue, nor an existing path, nor like a hub's name.

    Attributes:
        known: The names of the catalogue.
    """

    def __init__(self, weight: str, known: tuple[str, ...]) -> None:
        super().__init__(
            weight,
            f"no model is called {weight!r}: expected one of {', '.join(known)}, an existing path, "
            "a name that faster-whisper knows, or owner/repository on a model hub",
        )
        self.known = known


class MissingWeightError(WeightsError):
    """A file of a weight is not there.

    Attributes:
        file: Where it was looked for.
        mend: The command that brings it.
    """

    def __init__(self, weight: str, file: Path, mend: str) -> None:
        super().__init__(weight, f"{weight}: {file} is missing; run: {mend}")
        self.file = file
        self.mend = mend


class DamagedWeightError(WeightsError):
    """A file of a weight is not the one that was pinned, or that the conversion wrote.

    Attributes:
        file: The file.
        expected: What it should be, a SHA-256 or a size.
        found: What it is.
        mend: The command that replaces it.
    """

    def __init__(self, weight: str, file: Path, *, expected: str, found: str, mend: str) -> None:
        super().__init__(
            weight, f"{weight}: {file} is damaged: expected {expected}, found {found}; run: {mend}"
        )
        self.file = file
        self.expected = expected
        self.found = found
        self.mend = mend


class FetchError(WeightsError):
    """A weight could not be brought here; what was there before is untouched."""


class ConversionError(WeightsError):
    """A converted network differs from its original, or could not be made; nothing was kept."""
