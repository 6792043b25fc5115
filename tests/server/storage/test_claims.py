"""Claims on jobs: one worker each, for as long as it is heard of."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from offline.jobs import Claim, Failure, FailureCode, JobKind, JobState
from server.storage.claims import (
    FIRST_BACKOFF_MS,
    LONGEST_BACKOFF_MS,
    MOST_ATTEMPTS,
    PASSED_ON_MS,
    backoff_ms,
)
from server.storage.jobs import NewJob
from server.storage.store import Store
from streaming.core.domain import Permille
from tests.server.storage.test_jobs import AMPLE, TASK, submitted
from tests.server.storage.writing import Clock, opened

HOLD_MS = 60_000
UNLUCKY = Failure(FailureCode.UNAVAILABLE, "audio expected, got none", retry=True)
HOPELESS = Failure(FailureCode.MODEL_MISSING, "a model expected, got none", retry=False)


def taken(store: Store, worker: str = "worker") -> Claim:
    claim = store.claims.take(worker, HOLD_MS)
    assert claim is not None
    return claim


def test_the_most_urgent_job_is_taken_first_and_the_oldest_of_equals(store: Store) -> None:
    opened(store)
    kinds = [JobKind.UPLOAD, JobKind.RECORDING, JobKind.STRETCH, JobKind.PASSAGE, JobKind.STRETCH]
    jobs = [submitted(store, replace(TASK, kind=kind)).id for kind in kinds]

    assert store.claims.due() == tuple(jobs[n] for n in (2, 4, 3, 1, 0))
    order = [taken(store).job for _ in kinds]

    assert order == [jobs[n] for n in (2, 4, 3, 1, 0)]
    assert store.claims.take("worker", HOLD_MS) is None
    assert store.claims.due() == ()


def test_a_claimed_job_runs_and_tells_how_far_it_is(store: Store) -> None:
    opened(store)
    job = submitted(store)

    claim = taken(store, "host:1")
    assert store.claims.renew(claim, Permille(250), HOLD_MS)

    assert claim == Claim(job.id, 1, 1, TASK)
    running = store.jobs.get(job.id)
    assert (running.state, running.progress, running.attempts) == (JobState.RUNNING, 250, 1)
    assert running.worker == "host:1"
    assert running.started_ms is not None


def test_a_job_whose_worker_is_lost_is_taken_by_another_and_only_that_one_counts(
    store: Store, clock: Clock
) -> None:
    opened(store)
    job = submitted(store)
    lost = taken(store, "lost")
    clock.ms += HOLD_MS

    assert store.claims.due() == (job.id,)
    second = taken(store, "second")

    assert (second.number, second.attempt) == (2, 2)
    assert not store.claims.renew(lost, Permille(999), HOLD_MS)
    assert not store.claims.finish(lost, b"late")
    store.claims.fail(lost, UNLUCKY)
    store.claims.give_back(lost)
    running = store.jobs.get(job.id)
    assert (running.state, running.worker, running.progress) == (JobState.RUNNING, "second", 0)
    assert running.failure is not None
    assert running.failure.code is FailureCode.WORKER_DIED
    assert store.claims.finish(second, b"heard")
    assert store.jobs.result(job.id) == b"heard"
    assert store.jobs.get(job.id).failure is None


def test_a_claim_that_is_renewed_is_not_taken(store: Store, clock: Clock) -> None:
    opened(store)
    submitted(store)
    claim = taken(store)
    for _ in range(3):
        clock.ms += HOLD_MS // 2
        assert store.claims.renew(claim, Permille(0), HOLD_MS)

    assert store.claims.take("other", HOLD_MS) is None


def test_a_failed_attempt_is_repeated_later_and_in_the_end_the_job_has_failed(
    store: Store, clock: Clock
) -> None:
    opened(store)
    job = submitted(store)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        claim = taken(store)
        assert claim.attempt == attempt
        store.claims.fail(claim, UNLUCKY)
        assert store.claims.due() == ()
        clock.ms += LONGEST_BACKOFF_MS

    failed = store.jobs.get(job.id)
    assert (failed.state, failed.failure) == (JobState.FAILED, UNLUCKY)
    assert failed.finished_ms is not None
    assert store.claims.due() == ()


def test_a_hopeless_failure_is_not_repeated(store: Store) -> None:
    opened(store)
    job = submitted(store)

    store.claims.fail(taken(store), HOPELESS)

    assert store.jobs.get(job.id).state is JobState.FAILED


def test_a_job_that_loses_every_worker_has_failed(store: Store, clock: Clock) -> None:
    opened(store)
    poison, harmless = submitted(store), submitted(store)
    for _ in range(MOST_ATTEMPTS):
        assert taken(store).job == poison.id
        clock.ms += HOLD_MS

    assert taken(store).job == harmless.id

    failed = store.jobs.get(poison.id)
    assert failed.state is JobState.FAILED
    assert failed.failure is not None
    assert failed.failure.code is FailureCode.WORKER_DIED


def test_a_job_that_is_given_back_may_begin_at_once_and_has_lost_no_attempt(store: Store) -> None:
    opened(store)
    submitted(store)

    store.claims.give_back(taken(store))

    again = taken(store)
    assert (again.number, again.attempt) == (2, 1)


def test_a_cancelled_job_is_not_worked_on(store: Store) -> None:
    opened(store)
    job = submitted(store)
    claim = taken(store)

    store.jobs.cancel(job.id)

    assert not store.claims.renew(claim, Permille(0), HOLD_MS)
    assert not store.claims.finish(claim, b"unwanted")
    assert store.jobs.result(job.id) is None
    assert store.jobs.get(job.id).state is JobState.CANCELLED


@pytest.mark.parametrize("attempts", range(1, 12))
def test_attempts_come_later_and_later_up_to_a_bound(attempts: int) -> None:
    longest = min(FIRST_BACKOFF_MS * 2 ** (attempts - 1), LONGEST_BACKOFF_MS)

    waits = {backoff_ms(attempts) for _ in range(50)}

    assert len(waits) > 1
    assert longest // 2 <= min(waits)
    assert max(waits) <= longest


@pytest.mark.slow
def test_workers_that_come_at_once_never_take_the_same_job(store: Store, url: str) -> None:
    opened(store)
    jobs = {store.jobs.submit(NewJob(TASK), AMPLE).id for _ in range(40)}
    taken_by: list[list[str]] = [[] for _ in range(4)]
    at_once = threading.Barrier(4)

    def work(mine: list[str]) -> None:
        with Store(url) as own:
            at_once.wait()
            while claim := own.claims.take("worker", HOLD_MS):
                mine.append(claim.job)

    threads = [threading.Thread(target=work, args=(mine,)) for mine in taken_by]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    everything = [job for mine in taken_by for job in mine]
    assert len(everything) == len(jobs)
    assert set(everything) == jobs


def test_a_job_that_is_passed_on_costs_no_attempt_for_a_day(store: Store, clock: Clock) -> None:
    opened(store)
    job = submitted(store)
    store.claims.pass_on(taken(store), UNLUCKY)
    assert store.claims.due() == (job.id,)
    assert store.claims.due(sessions=["another"]) == ()
    assert store.claims.take("worker", HOLD_MS, without=[TASK.session]) is None
    waiting = store.jobs.get(job.id)
    assert (waiting.attempts, waiting.failure) == (0, UNLUCKY)

    clock.ms += PASSED_ON_MS + 1
    store.claims.pass_on(taken(store), UNLUCKY)

    assert store.claims.due() == ()
    assert store.jobs.get(job.id).attempts == 1
