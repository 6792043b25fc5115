"""Workers of a server and elsewhere: whatever dies, each job is heard, and once."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
import soundfile

from offline.errors import BoardUnavailable, Unheard
from offline.jobs import FailureCode, Job, JobKind, JobState, Task
from offline.queue import JobQueue
from offline.results import Hearing
from server.errors import StartError
from server.hearing import Hiring
from server.lifecycle import Serving
from server.settings import Settings
from server.storage.jobs import Bounds, NewJob
from server.storage.sessions import NewSession
from server.storage.store import Store
from server.storage.values import Batch, Lease, PassKind, Session, WordChunk
from server.worker import StoreBoard, Workers, work
from streaming.core.domain import Permille
from tests.offline import hands
from tests.offline.hands import DEADLINE_S, Does, alive, wait_for
from tests.redis_server import RedisServer
from tests.server.editing import read_document
from tests.server.storage.writers import start
from tests.server.storage.writing import word
from tests.server.talking import Running, final_words, journal, running, samples, talk, talking
from tests.server.workers import worker

pytestmark = pytest.mark.slow

TRANSCRIPT = "transcript-aaaaaaaaaa"
SESSION = "session1"
AMPLE = Bounds(100, 1000)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """The store of a server over `tmp_path / "data"`, with one session in a transcript."""
    (tmp_path / "data").mkdir()
    with Store(Settings(data_dir=tmp_path / "data").database_url) as opened:
        joined(opened)
        yield opened


def joined(store: Store, offset_ms: int = 0) -> tuple[Lease, Session]:
    store.library.create(TRANSCRIPT, started_ms=0)
    lease = store.documents.lease(TRANSCRIPT)
    return lease, store.sessions.add(lease, NewSession(SESSION, offset_ms))


def submitted(store: Store, what: str, kind: JobKind = JobKind.STRETCH) -> Job:
    return store.jobs.submit(NewJob(hands.task(what, kind)), AMPLE)


def is_(store: Store, job: Job, state: JobState) -> bool:
    return store.jobs.get(job.id).state is state


def heard(store: Store, job: Job, within_s: float = DEADLINE_S) -> str:
    """Wait for what was heard."""
    wait_for(lambda: is_(store, job, JobState.HEARD), within_s)
    result = store.jobs.result(job.id)
    assert result is not None
    return " ".join(each.word.text for each in Hearing.decode(result).words)


# What a worker is told of the past.


def test_earlier_words_come_by_pass_on_the_clock_of_the_session(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path / 'trax.db'}") as store:
        lease, session = joined(store, offset_ms=5_000)
        chunks = (
            WordChunk(session.live_pass, 0, (word("far", 5_000), word("live", 6_000))),
            WordChunk(session.utterance_pass, 0, (word("utterance", 6_000), word("late", 9_000))),
        )
        store.documents.append(lease, Batch(0, (b"x",), chunks))
        board = StoreBoard(store)

        earlier = board.recall(Task(JobKind.PASSAGE, TRANSCRIPT, SESSION, 500, 4_000))
        whole = board.recall(Task(JobKind.RECORDING, TRANSCRIPT, SESSION))
        stretch = store.passes.begin(lease, PassKind.ACCURATE, SESSION).id
        accurate = WordChunk(stretch, 0, (word("accurate", 6_000),))
        store.documents.append(lease, Batch(1, (b"y",), (accurate,)))
        *_, corrected = board.recall(Task(JobKind.RECORDING, TRANSCRIPT, SESSION))

        assert [each.text for each in corrected] == ["accurate", "late"]
        assert earlier == ((word("live", 1_000),), (word("utterance", 1_000),))
        assert [len(words) for words in whole] == [2, 2]
        with pytest.raises(Unheard, match="a session of the transcript expected"):
            board.recall(Task(JobKind.RECORDING, TRANSCRIPT, "nobody"))


def test_a_database_that_is_locked_is_told_as_being_away(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path / 'trax.db'}", wait_ms=50) as store:
        joined(store)
        board = StoreBoard(store)
        job = submitted(store, "")
        claim = board.claim(urgent=True)
        assert claim is not None
        with start("lock", str(tmp_path / "trax.db")) as locker:
            assert locker.stdout is not None
            assert locker.stdin is not None
            locker.stdout.readline()
            with pytest.raises(BoardUnavailable, match="locked"):
                board.renew(claim, Permille(0))
            with pytest.raises(BoardUnavailable):
                board.claim(urgent=False)
            locker.stdin.write("\n")
            locker.stdin.flush()
            locker.wait(DEADLINE_S)

        assert board.renew(claim, Permille(0))
        assert is_(store, job, JobState.RUNNING)


# In the server's own process.


def serving(server: Running) -> Serving:
    state = server.app._lifecycle.state
    assert isinstance(state, Serving)
    return state


async def until(store: Store, job: Job, *states: JobState) -> Job:
    async with asyncio.timeout(DEADLINE_S):
        while (now := store.jobs.get(job.id)).state not in states:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)
    return now


async def until_failed(store: Store, job: Job, code: FailureCode) -> None:
    """Wait until an attempt came to nothing, and see why."""
    async with asyncio.timeout(DEADLINE_S):
        while (now := store.jobs.get(job.id)).failure is None:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)
    assert now.failure is not None
    assert now.failure.code is code


async def test_a_server_hears_a_recording_and_writes_it_by_itself(tmp_path: Path) -> None:
    async with running(tmp_path, talk(6), passes=None) as server:
        state = serving(server)
        joined(state.store)
        folder = server.data_dir / "sessions" / SESSION
        folder.mkdir(parents=True)
        (folder / "audio.pcm").write_bytes(samples(3.0))
        task = Task(JobKind.RECORDING, TRANSCRIPT, SESSION)

        submitted = await state.jobs.submit(NewJob(task))
        async with aclosing(state.jobs.watch(submitted.id)) as states:
            *_, job = [each async for each in states]
        assert job.state is JobState.DONE
        assert job.pass_id is not None
        words = state.store.passes.words(TRANSCRIPT, [job.pass_id])[job.pass_id]

        assert [each.text for each in words] == [" w0", " w1", " w2", " w3", " w4"]
        assert read_document(state.store, TRANSCRIPT).text == "\nw0 w1 w2 w3 w4"


async def test_a_recording_that_is_not_there_is_a_failed_attempt(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        state = serving(server)
        joined(state.store)

        job = await state.jobs.submit(NewJob(Task(JobKind.PASSAGE, TRANSCRIPT, SESSION)))

        await until_failed(state.store, job, FailureCode.NO_AUDIO)


async def test_a_child_that_is_killed_leaves_the_live_side_alone(tmp_path: Path) -> None:
    async with (
        running(tmp_path, talk(16), hire=Does(tmp_path / "gate")) as server,
        talking(server) as client,
    ):
        ready = await client.start(language="en")
        state = serving(server)
        joined(state.store)
        await client.stream(samples(4.0))
        dying = await state.jobs.submit(NewJob(hands.task("dies")))
        dying_once = await state.jobs.submit(NewJob(hands.task("once")))
        await client.stream(samples(8.0), at=64_000)
        await client.send("end")

        assert await client.closed() == 1000
        assert len(final_words(journal(server, ready))) == 16
        for job in (dying, dying_once):
            await until_failed(state.store, job, FailureCode.WORKER_DIED)


async def test_a_server_that_stops_gives_its_job_back(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    gate.touch()
    async with running(tmp_path, talk(1), hire=Does(gate)) as server:
        state = serving(server)
        joined(state.store)
        job = await state.jobs.submit(NewJob(hands.task("deaf")))
        await until(state.store, job, JobState.RUNNING)

    gate.unlink()
    async with running(tmp_path, talk(1), hire=Does(gate)) as server:
        found = await until(serving(server).store, job, JobState.DONE)
    assert found.attempts == 1


async def test_a_job_that_is_cancelled_while_it_runs_ends(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    gate.touch()
    async with running(tmp_path, talk(1), hire=Does(gate)) as server:
        state = serving(server)
        joined(state.store)
        job = await state.jobs.submit(NewJob(hands.task("waits")))
        await until(state.store, job, JobState.RUNNING)

        await state.jobs.cancel(job.id)
        following = await state.jobs.submit(NewJob(hands.task("")))

        await until(state.store, following, JobState.DONE)
        assert (await state.jobs.get(job.id)).state is JobState.CANCELLED


async def test_a_transcript_may_be_deleted_while_its_job_runs(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    gate.touch()
    async with running(tmp_path, talk(1), hire=Does(gate)) as server:
        state = serving(server)
        joined(state.store)
        job = await state.jobs.submit(NewJob(hands.task("waits")))
        await until(state.store, job, JobState.RUNNING)

        state.store.library.delete(TRANSCRIPT)
        joined(state.store)
        following = await state.jobs.submit(NewJob(hands.task("")))

        assert (await until(state.store, following, JobState.HEARD)).attempts == 1


@pytest.mark.models
def test_a_recording_is_heard_with_real_models(store: Store, tmp_path: Path, speech: Path) -> None:
    pcm, rate = soundfile.read(speech / "items" / "LJ001-0002.flac", dtype="int16")
    assert rate == 16_000
    folder = tmp_path / "data" / "sessions" / SESSION
    folder.mkdir(parents=True)
    (folder / "audio.pcm").write_bytes(pcm.tobytes())
    settings = Settings(data_dir=tmp_path / "data", live_model="whisper-tiny.en")
    job = store.jobs.submit(
        NewJob(Task(JobKind.PASSAGE, TRANSCRIPT, SESSION, language="en")), AMPLE
    )
    queue = JobQueue()
    workers = Workers(settings, queue, Hiring(settings))
    queue.send(job.id)

    text = heard(store, job, within_s=120)
    workers.close()

    assert text.lower().split() == ["in", "being", "comparatively", "modern."]


# In processes of their own, through Redis.


def sending(store: Store, redis: RedisServer, *jobs: Job) -> None:
    """Do what a server does that sweeps."""
    queue = JobQueue(redis.url)
    for job in jobs:
        queue.send(job.id)
    queue.top_up(store.claims.due())
    queue.close()


@pytest.mark.redis
def test_a_worker_that_is_killed_is_replaced_and_the_job_heard_once(
    store: Store, redis_server: RedisServer, tmp_path: Path
) -> None:
    data, gate = tmp_path / "data", tmp_path / "gate"
    gate.touch()
    job = submitted(store, "waits")
    sending(store, redis_server)
    with worker(data, redis_server.url, gate, hold_ms=3_000) as first:
        begun = tmp_path / "gate.stretch.begun"
        wait_for(begun.exists)
        child = int(begun.read_text(encoding="ascii"))
        first.kill()
        wait_for(lambda: not alive(child))
    assert is_(store, job, JobState.RUNNING)
    gate.unlink()

    with worker(data, redis_server.url, gate, hold_ms=3_000):
        wait_for(lambda: store.claims.due() == (job.id,))
        sending(store, redis_server)

        assert heard(store, job) == "heard"
    found = store.jobs.get(job.id)
    assert (found.attempts, found.failure) == (2, None)


@pytest.mark.redis
def test_a_worker_that_is_asked_to_stop_gives_its_job_back_at_once(
    store: Store, redis_server: RedisServer, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    gate.touch()
    job = submitted(store, "waits")
    sending(store, redis_server)
    with worker(tmp_path / "data", redis_server.url, gate) as process:
        wait_for((tmp_path / "gate.stretch.begun").exists)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=DEADLINE_S)

    assert process.returncode == 0
    assert "Traceback" not in output
    assert "job given back" in output
    found = store.jobs.get(job.id)
    assert (found.state, found.attempts) == (JobState.WAITING, 0)


@pytest.mark.redis
def test_two_workers_share_the_work_and_never_a_job(
    store: Store, redis_server: RedisServer, tmp_path: Path
) -> None:
    data, gate = tmp_path / "data", tmp_path / "gate"
    gate.touch()
    kinds = (JobKind.STRETCH, JobKind.PASSAGE)  # a worker does one of both at a time
    jobs = [submitted(store, "waits", kind) for kind in kinds]
    jobs += [submitted(store, "") for _ in range(20)]
    with worker(data, redis_server.url, gate), worker(data, redis_server.url, gate):
        sending(store, redis_server, *jobs)
        for kind in kinds:
            wait_for((tmp_path / f"gate.{kind.value}.begun").exists)
        gate.unlink()
        for job in jobs:
            heard(store, job)

    found = [store.jobs.get(job.id) for job in jobs]
    assert {job.attempts for job in found} == {1}
    assert found[0].worker != found[1].worker


@pytest.mark.redis
def test_jobs_wait_for_a_redis_that_goes_away_in_the_middle(store: Store, tmp_path: Path) -> None:
    redis, gate = RedisServer(), tmp_path / "gate"
    first, second = submitted(store, ""), submitted(store, "")
    try:
        with worker(tmp_path / "data", redis.url, gate) as process:
            redis.kill()
            assert is_(store, first, JobState.WAITING)
            redis.start()
            sending(store, redis)

            assert heard(store, first) == heard(store, second) == "heard"
            assert process.poll() is None
    finally:
        redis.kill()


@pytest.mark.redis
def test_a_worker_without_redis_says_that_it_waits(store: Store, tmp_path: Path) -> None:
    redis = RedisServer()
    redis.kill()
    job = submitted(store, "")
    said: list[str] = []
    settings = Settings(data_dir=tmp_path / "data", redis_url=redis.url)

    def stop_when_heard() -> None:
        redis.start()
        sending(store, redis)
        heard(store, job)
        os.kill(os.getpid(), signal.SIGTERM)

    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    helper = threading.Thread(target=stop_when_heard)
    helper.start()
    try:
        work(settings, Does(tmp_path / "gate"), said.append)
    finally:
        helper.join(DEADLINE_S)
        redis.kill()
        for each, former in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
            signal.signal(each, former)
    assert len(said) == 1


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"redis_url": None}, "--redis-url"),
        ({"workers": 0}, "--workers"),
        ({"redis_url": "redis://localhost:port"}, "--redis-url"),
        ({"database": "sqlite:////proc/nothing/trax.db"}, "usable database"),
    ],
)
def test_a_worker_that_cannot_work_says_so(
    tmp_path: Path, changed: dict[str, object], expected: str
) -> None:
    fields = {"data_dir": tmp_path, "redis_url": "redis://localhost:1", **changed}
    settings = Settings(**fields)  # type: ignore[arg-type]  # each case knows its own

    with pytest.raises(StartError, match=expected):
        work(settings, Does(), lambda _what: None)
