"""Workers of a server and elsewhere: whatever dies, each job is heard, and once."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile

from offline.errors import BoardUnavailable, Unheard
from offline.jobs import FailureCode, Job, JobKind, JobState, Task
from offline.queue import JobQueue
from offline.results import Hearing
from server.audio_store import AudioStore
from server.errors import StartError
from server.hearing import Hiring, is_seen
from server.lifecycle import Serving
from server.recordings import Archive, Manifest
from server.settings import Settings
from server.storage.jobs import Bounds, NewJob
from server.storage.sessions import NewSession
from server.storage.store import Store
from server.storage.values import Batch, Lease, PassKind, Session, WordChunk
from server.worker import LOOK_AGAIN_S, StoreBoard, Workers, work
from streaming.core.domain import Permille
from tests.offline import hands
from tests.offline.hands import DEADLINE_S, Does, alive, wait_for
from tests.redis_server import RedisServer
from tests.server.editing import read_document
from tests.server.storage.writers import start
from tests.server.storage.writing import word
from tests.server.talking import Running, final_words, journal, running, samples, talk, talking
from tests.server.test_recordings import TERMS
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
        recorded(tmp_path / "data")
        yield opened


def sees_all(_session: str) -> bool:
    return True


def joined(store: Store, offset_ms: int = 0) -> tuple[Lease, Session]:
    store.library.create(TRANSCRIPT, started_ms=0)
    lease = store.documents.lease(TRANSCRIPT)
    return lease, store.sessions.add(lease, NewSession(SESSION, offset_ms))


def recorded(data_dir: Path, seconds: float = 0.1) -> None:
    """Let there be a recording of the session."""
    folder = data_dir / "sessions" / SESSION
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "audio.pcm").write_bytes(samples(seconds))


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


@pytest.mark.parametrize("kind", [PassKind.ACCURATE, PassKind.PASSAGE])
def test_earlier_words_come_by_pass_on_the_clock_of_the_session(
    tmp_path: Path, kind: PassKind
) -> None:
    with Store(f"sqlite:///{tmp_path / 'trax.db'}") as store:
        lease, session = joined(store, offset_ms=5_000)
        chunks = (
            WordChunk(session.live_pass, 0, (word("far", 5_000), word("live", 6_000))),
            WordChunk(session.utterance_pass, 0, (word("utterance", 6_000), word("late", 9_000))),
        )
        store.documents.append(lease, Batch(0, (b"x",), chunks))
        board = StoreBoard(store, sees_all)

        earlier = board.recall(Task(JobKind.PASSAGE, TRANSCRIPT, SESSION, 500, 4_000))
        whole = board.recall(Task(JobKind.RECORDING, TRANSCRIPT, SESSION))
        stretch = store.passes.begin(lease, kind, SESSION).id
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
        board = StoreBoard(store, sees_all)
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


def unseeing(store: Store, seen: set[str]) -> StoreBoard:
    return StoreBoard(store, seen.__contains__)


def test_jobs_whose_recording_is_not_seen_are_left_to_others_and_that_is_said_once(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = [submitted(store, "") for _ in range(2)]
    blind, seeing = unseeing(store, set()), unseeing(store, {SESSION})

    assert blind.claim(urgent=False) is None
    assert blind.claim(urgent=False) is None

    assert blind.left() == jobs[0].id
    assert seeing.left() is None
    first, second = [store.jobs.get(job.id) for job in jobs]
    assert (first.state, first.attempts) == (JobState.WAITING, 0)
    assert first.failure is not None
    assert first.failure.code is FailureCode.UNAVAILABLE
    assert second == jobs[1]  # one job told it of the session
    assert len([each for each in caplog.messages if "recordings cannot be read" in each]) == 1
    assert seeing.claim(urgent=False) is not None


def test_a_recording_is_looked_for_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[str] = set()
    board = unseeing(store, seen)
    submitted(store, "")
    assert board.claim(urgent=False) is None
    seen.add(SESSION)
    assert board.claim(urgent=False) is None

    now_s = time.monotonic() + LOOK_AGAIN_S
    monkeypatch.setattr("server.worker.time.monotonic", lambda: now_s)

    assert board.left() is None
    assert board.claim(urgent=False) is not None


def test_what_is_not_seen_is_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.worker.MOST_UNSEEN", 1)
    board = unseeing(store, {"session2"})
    submitted(store, "")
    assert board.claim(urgent=False) is None
    store.jobs.submit(NewJob(replace(hands.task(""), session="session2")), AMPLE)

    assert board.claim(urgent=False) is None


@pytest.mark.parametrize("place", ["file:///{}/kept", "s3://nowhere/at/all"])
def test_a_recording_is_seen_in_the_data_folder_and_in_the_object_store(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    monkeypatch.setenv("AWS_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    archive = Archive(tmp_path, AudioStore(place.format(tmp_path)))
    stored = tmp_path / "kept" / "sessions" / "session3"
    stored.mkdir(parents=True)
    (stored / "audio.pcm").write_bytes(b"\0\0")
    recorded(tmp_path)
    archive.create(Manifest("session2", "", 0, TERMS)).close()

    found = [is_seen(archive, name) for name in (SESSION, "session2", "session3", "session4")]

    assert found == [True, True, place.startswith("file"), False]


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
        recorded(server.data_dir, 3.0)
        task = Task(JobKind.RECORDING, TRANSCRIPT, SESSION)

        submitted = await state.jobs.submit(NewJob(task))
        async with aclosing(state.jobs.watch(submitted.id)) as states:
            *_, job = [each async for each in states]
        assert job.state is JobState.DONE
        assert job.pass_id is not None
        words = state.store.passes.words(TRANSCRIPT, [job.pass_id])[job.pass_id]

        assert [each.text for each in words] == [" w0", " w1", " w2", " w3", " w4"]
        assert read_document(state.store, TRANSCRIPT).text == "\nw0 w1 w2 w3 w4"


async def test_a_recording_without_audio_is_a_failed_attempt(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        state = serving(server)
        joined(state.store)
        Archive(server.data_dir).create(Manifest(SESSION, "", 0, TERMS)).close()

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
        recorded(server.data_dir)
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
        recorded(server.data_dir)
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
        recorded(server.data_dir)
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
        recorded(server.data_dir)
        job = await state.jobs.submit(NewJob(hands.task("waits")))
        await until(state.store, job, JobState.RUNNING)

        state.store.library.delete(TRANSCRIPT)
        joined(state.store)
        recorded(server.data_dir)
        following = await state.jobs.submit(NewJob(hands.task("")))

        assert (await until(state.store, following, JobState.HEARD)).attempts == 1


@pytest.mark.models
def test_a_recording_is_heard_with_real_models(store: Store, tmp_path: Path, speech: Path) -> None:
    pcm, rate = soundfile.read(speech / "items" / "LJ001-0002.flac", dtype="int16")
    assert rate == 16_000
    (tmp_path / "data" / "sessions" / SESSION / "audio.pcm").write_bytes(pcm.tobytes())
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
def test_a_worker_without_the_recordings_wakes_up_one_that_has_them(
    store: Store, redis_server: RedisServer, tmp_path: Path
) -> None:
    database, gate = Settings(data_dir=tmp_path / "data").database_url, tmp_path / "gate"
    job = submitted(store, "")
    with worker(tmp_path / "elsewhere", redis_server.url, gate, database=database) as blind:
        sending(store, redis_server)
        wait_for(lambda: store.jobs.get(job.id).failure is not None)
        with worker(tmp_path / "data", redis_server.url, gate):
            assert heard(store, job) == "heard"
        assert blind.poll() is None

    found = store.jobs.get(job.id)
    assert (found.attempts, found.failure) == (1, None)


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
