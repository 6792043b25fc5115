"""`trax jobs list | show | retry | cancel`: what is to be heard, for people and for programs.

The commands speak to the database alone: they work while no server runs, and a server that runs
sees what they changed within seconds.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from rich.console import Console

from offline.jobs import Job, JobState
from server.errors import StartError
from server.settings import Settings
from server.storage.errors import StorageError
from server.storage.jobs import LARGEST_PAGE, Bounds, JobCursor
from server.storage.store import Store

_COLOURS = {
    JobState.WAITING: "yellow",
    JobState.RUNNING: "cyan",
    JobState.HEARD: "cyan",
    JobState.DONE: "green",
    JobState.FAILED: "red",
    JobState.CANCELLED: "dim",
}

LISTED = 100
"""How many jobs are listed unless somebody wants more."""


def run(
    action: str,
    names: Sequence[str],
    settings: Settings,
    *,
    as_json: bool,
    limit: int = LISTED,
) -> int:
    """Carry out one of the commands.

    Args:
        action: `list`, `show`, `retry` or `cancel`.
        names: States for `list`, otherwise ids of jobs.
        settings: Say where the database is.
        as_json: Whether programs read it.
        limit: How many are listed at most; that there are more is said on standard error.

    Raises:
        StartError: The database cannot be used, or there is no such job or state.
    """
    try:
        with Store(settings.database_url) as store:
            if action == "list":
                found, more = _listed(store, _states(names), limit)
            else:
                bounds = Bounds.of(settings.waiting_jobs)
                found, more = _act(store, action, names, bounds), False
    except StorageError as error:
        raise StartError(str(error)) from error
    if more:
        sys.stderr.write(f"trax: only the newest {limit}; --limit shows more\n")
    if as_json:
        json.dump([_row(job) for job in found], sys.stdout, indent=2)
        sys.stdout.write("\n")
        return 0
    console = Console(highlight=False, soft_wrap=True)
    if not found:
        console.print("no jobs")
    for job in found:
        _print_line(console, job)
        if action == "show":
            _print_rest(console, job)
    return 0


def _listed(store: Store, states: Sequence[JobState], limit: int) -> tuple[Sequence[Job], bool]:
    """Return the newest jobs, and whether there are more."""
    if limit < 1:
        raise StartError(f"--limit: expected 1 or more, got {limit}")
    found: list[Job] = []
    after: JobCursor | None = None
    while True:
        size = min(LARGEST_PAGE, limit - len(found))
        page = store.jobs.page(states=states, after=after, limit=size)
        found += page.jobs
        after = page.following
        if after is None or len(found) == limit:
            return found, after is not None


def _act(store: Store, action: str, names: Sequence[str], bounds: Bounds) -> Sequence[Job]:
    match action:
        case "retry":
            return [store.jobs.retry(name, bounds) for name in names]
        case "cancel":
            return [store.jobs.cancel(name) for name in names]
        case _:
            return [store.jobs.get(name) for name in names]


def _states(names: Sequence[str]) -> list[JobState]:
    known = [state.value for state in JobState]
    for name in names:
        if name not in known:
            raise StartError(f"expected a state of {', '.join(known)}, got {name!r}")
    return [JobState(name) for name in names]


def _print_line(console: Console, job: Job) -> None:
    state = f"[{_COLOURS[job.state]}]{job.state.value:9}[/]"
    how_far = f"{job.progress / 10:3.0f} %" if job.state is JobState.RUNNING else "     "
    line = f"{job.id}  {state} {how_far}  {job.task.kind.value:9}  {job.task.transcript}"
    console.print(line if job.failure is None else f"{line}  {job.failure.code.value}")


def _print_rest(console: Console, job: Job) -> None:
    task = job.task
    end = "its end" if task.end_ms is None else f"{task.end_ms / 1000:.1f} s"
    console.print(f"  session   {task.session}, {task.start_ms / 1000:.1f} s to {end}")
    console.print(f"  model     {task.model or 'as usual'}, {task.language or 'any'} language")
    console.print(f"  attempts  {job.attempts}, worker {job.worker or '-'}")
    for name, moment_ms in (
        ("made", job.created_ms),
        ("begun", job.started_ms),
        ("over", job.finished_ms),
    ):
        if moment_ms is not None:
            console.print(f"  {name:8}  {datetime.fromtimestamp(moment_ms / 1000, UTC):%F %T} UTC")
    if job.failure is not None:
        console.print(f"  failure   {job.failure.code.value}: {job.failure.message}", markup=False)
    console.print()


def _row(job: Job) -> dict[str, object]:
    """Return a job for programs; what is to be favoured may be names, and is left out."""
    task = asdict(job.task) | {"kind": job.task.kind.value}
    del task["hotwords"]
    return task | {
        "id": job.id,
        "state": job.state.value,
        "attempts": job.attempts,
        "progress": job.progress,
        "error": None if job.failure is None else asdict(job.failure),
        "pass": job.pass_id,
        "worker": job.worker,
        "due_ms": job.due_ms,
        "created_ms": job.created_ms,
        "updated_ms": job.updated_ms,
        "started_ms": job.started_ms,
        "finished_ms": job.finished_ms,
    }
