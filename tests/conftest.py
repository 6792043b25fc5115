"""What every test may rely on: asyncio for async tests, hypothesis profiles, the speech files."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.redis_server import RedisServer

SLOW_S = 0.25
"""A test that takes longer carries the marker `slow`, or `models`, or `redis`."""

hypothesis.settings.register_profile("dev", deadline=None)
# On the CI machine the same examples each time: a change is red because of what it changed.
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio, as the server does, and not on trio as well."""
    return "asyncio"


@pytest.fixture(scope="session")
def speech() -> Path:
    """The folder with recordings and their truth; its README.md says what is there."""
    return Path(__file__).parent / "data"


@pytest.fixture(autouse=True)
def level_of_logs() -> Iterator[None]:
    """Have what a test says about logging, as a command does, count for that test only."""
    root = logging.getLogger()
    level = root.level
    yield
    root.setLevel(level)


@pytest.fixture(scope="session")
def redis_process() -> Iterator[RedisServer]:
    """One Redis for all tests."""
    server = RedisServer()
    yield server
    server.kill()


@pytest.fixture
def redis_server(redis_process: RedisServer) -> RedisServer:
    """A Redis that is up and empty."""
    redis_process.flush()
    return redis_process


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes minutes, unless the expression after `-m` speaks of it.

    Not by an `-m` in `addopts`: any other one on the command line takes its place.
    """
    if "long" in config.option.markexpr:
        return
    left_out = [item for item in items if "long" in item.keywords]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the tests that are slow and do not say so.

    It does not fail the run: on a busy machine any test can be slow once.
    """
    unmarked = sorted(_slow_without_marker(terminalreporter), reverse=True)
    if unmarked:
        terminalreporter.section(f"longer than {SLOW_S} s and not marked slow", sep="-")
        for duration_s, name in unmarked[:20]:
            terminalreporter.line(f"{duration_s:7.2f} s  {name}")


def _slow_without_marker(reporter: pytest.TerminalReporter) -> Iterator[tuple[float, str]]:
    for report in reporter.stats.get("passed", []):
        if report.duration > SLOW_S and not {"slow", "models", "redis"} & set(report.keywords):
            yield report.duration, report.nodeid
