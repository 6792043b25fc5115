"""What can be set of recordings that are heard again; part of `settings`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from server.setting import JOBS, Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSettings:
    """How one server has recordings heard; `Settings` are made of these and of all others."""

    redis_url: Annotated[
        str | None,
        Setting(
            "Redis through which workers elsewhere learn that something is to be heard: "
            "`redis://USER:PASSWORD@HOST:PORT/NUMBER`. Prefer the variable where there is a "
            "password in it.",
            JOBS,
            default="none: only this process hears",
        ),
    ] = None
    workers: Annotated[
        int,
        Setting(
            "Recordings that this machine hears at the same time, each in a process of its own at "
            "low priority. 0 leaves it to `trax worker` elsewhere.",
            JOBS,
            low=0,
            high=64,
        ),
    ] = 1
    worker_memory_mb: Annotated[
        int,
        Setting(
            "Memory that each of these processes may have; a job that needs more has failed. 0 "
            "sets no bound: when memory runs out, the system ends them first in any case.",
            JOBS,
            unit="MB",
            low=0,
            high=1_000_000,
        ),
    ] = 0
    waiting_jobs: Annotated[
        int,
        Setting(
            "Jobs that may wait to be heard or written; one more is refused. A tenth of them may "
            "belong to one transcript. Whole recordings of sessions are never refused.",
            JOBS,
            low=10,
            high=1_000_000,
        ),
    ] = 1_000
    upload_bytes: Annotated[
        int,
        Setting(
            "Largest recording that may be sent as a file. WAV files end at 4 GiB.",
            JOBS,
            unit="bytes",
            low=1024 * 1024,
            high=1024 * 1024 * 1024 * 1024,
        ),
    ] = 4 * 1024 * 1024 * 1024
    upload_hours: Annotated[
        int,
        Setting(
            "Longest recording that may be sent as a file. An hour takes 115 MB once it is "
            "decoded.",
            JOBS,
            unit="hours",
            low=1,
            high=240,
        ),
    ] = 10
