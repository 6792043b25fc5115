"""Why an error came about, where libraries tell it by texts and by causes only."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

_OF_MEMORY = (
    "failed to allocate",  # MKL, ONNX Runtime
    "bad_alloc",  # what libraries written in C++ raise
    "bad allocation",
    "can't allocate memory",  # torch
    "cannot allocate memory",  # the system
    "out of memory",  # CUDA
)


def lacks_memory(error: BaseException) -> bool:
    """Return whether there was not enough memory, of the machine or of its GPU."""
    return any(
        isinstance(each, MemoryError)
        or (isinstance(each, OSError) and each.errno == errno.ENOMEM)
        or any(words in str(each).lower() for words in _OF_MEMORY)
        for each in _causes(error)
    )


def lacks_network(error: BaseException) -> bool:
    """Return whether somebody else could not be reached, such as a model hub."""
    unreached = (ConnectionError, TimeoutError, socket.gaierror)
    return any(isinstance(each, unreached) for each in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, and what it came from; a library may have made a ring of them."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__
