"""Errors of libraries, told apart by what they say and where they come from."""

from __future__ import annotations

import errno
import socket

import pytest

from streaming.causes import lacks_memory, lacks_network
from streaming.errors import EngineError


def caused(cause: BaseException) -> EngineError:
    """Return an error as engines raise it."""
    error = EngineError("a model does not load")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "cause",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "no"),
        RuntimeError("mkl_malloc: failed to allocate memory"),
        RuntimeError("std::bad_alloc"),
        RuntimeError("CUDA failed with error out of memory"),
    ],
)
def test_memory_that_is_lacking_is_recognized(cause: BaseException) -> None:
    assert lacks_memory(cause)
    assert lacks_memory(caused(cause))
    assert not lacks_network(caused(cause))


@pytest.mark.parametrize(
    "cause", [ConnectionRefusedError(), TimeoutError(), socket.gaierror(-2, "unknown name")]
)
def test_a_network_that_is_lacking_is_recognized(cause: BaseException) -> None:
    assert lacks_network(caused(cause))
    assert not lacks_memory(caused(cause))


def test_causes_that_go_round_end() -> None:
    first, second = ValueError("x"), ValueError("y")
    first.__cause__, second.__cause__ = second, first

    assert not lacks_memory(first)
    assert not lacks_network(first)
