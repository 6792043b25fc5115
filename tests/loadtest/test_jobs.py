"""The measurement of jobs: every job is timed, with the queue here or in Redis."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from loadtest.jobs import jobs_table, measure_jobs
from server.settings import Settings
from tests.redis_server import RedisServer


@pytest.mark.slow
async def test_every_job_is_timed(tmp_path: Path) -> None:
    told: list[str] = []

    report = await measure_jobs(Settings(data_dir=tmp_path), 3, 5, told.append)

    assert told == ["the first job", "job 1 of 3", "job 2 of 3", "job 3 of 3"]
    assert len(report.begun_s) == len(report.heard_s) == 3
    assert all(0 <= b <= h for b, h in zip(report.begun_s, report.heard_s, strict=True))
    assert report.first_heard_s >= report.first_begun_s
    assert report.again_s == ()  # nobody else is there


@pytest.mark.redis
async def test_a_killed_worker_is_timed(tmp_path: Path, redis_server: RedisServer) -> None:
    settings = Settings(data_dir=tmp_path, redis_url=redis_server.url)

    report = await measure_jobs(settings, 1, 1, lambda _what: None, hold_ms=3_000)

    assert len(report.again_s) == 1
    assert report.again_s[0] > 0
    console = Console(width=120)
    with console.capture() as shown:
        console.print(jobs_table(report))
    assert "jobs, the queue in Redis" in shown.get()
