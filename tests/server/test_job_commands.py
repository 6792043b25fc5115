"""`trax jobs` and `trax worker`: what they print, do and refuse."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from offline.jobs import Failure, FailureCode, Job, JobKind, JobState, Task
from offline.queue import JobQueue
from offline.results import Hearing
from server import job_commands
from server.cli import run
from server.settings import Settings
from server.storage.jobs import Bounds, NewJob
from server.storage.sessions import NewSession
from server.storage.store import Store
from tests.offline.hands import DEADLINE_S, wait_for
from tests.redis_server import RedisServer
from tests.server.talking import prepared, samples, talk

TRANSCRIPT = "transcript-aaaaaaaaaa"
SESSION = "session1"
FAILURE = Failure(FailureCode.MODEL_MISSING, "whisper [x]: weights expected, got none", retry=False)


def filled(folder: Path) -> tuple[Job, Job]:
    """Make a database with a job that failed and one that waits."""
    with Store(Settings(data_dir=folder).database_url) as store:
        store.library.create(TRANSCRIPT, started_ms=0)
        task = Task(JobKind.UPLOAD, TRANSCRIPT, SESSION, 0, 90_000, hotwords=("secret",))
        failed = store.jobs.submit(NewJob(task), Bounds(10, 10))
        claim = store.claims.take("host:7", 1000)
        assert claim is not None
        store.claims.fail(claim, FAILURE)
        return store.jobs.get(failed.id), store.jobs.submit(NewJob(task), Bounds(10, 10))


@pytest.mark.slow
def test_jobs_are_listed_for_people_and_programs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failed, waiting = filled(tmp_path)
    where = ["--data-dir", str(tmp_path)]

    assert run(["jobs", "list", *where], {}) == 0
    text = capsys.readouterr().out
    assert [line.split()[0] for line in text.splitlines()] == [waiting.id, failed.id]
    assert "model_missing" in text

    assert run(["jobs", "list", "failed", "done", "--json", *where], {}) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["id"], row["state"], row["kind"]) == (failed.id, "failed", "upload")
    assert row["error"]["code"] == "model_missing"
    assert "secret" not in str(row)


@pytest.mark.slow
def test_that_a_list_of_jobs_goes_on_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_commands, "LARGEST_PAGE", 1)
    monkeypatch.setattr(job_commands, "LISTED", 1)
    failed, waiting = filled(tmp_path)
    where = ["--data-dir", str(tmp_path)]

    assert run(["jobs", "list", *where], {}) == 0
    shown, said = capsys.readouterr()
    assert [line.split()[0] for line in shown.splitlines()] == [waiting.id]
    assert said == "trax: only the newest 1; --limit shows more\n"

    assert run(["jobs", "list", "--limit", "2", *where], {}) == 0
    shown, said = capsys.readouterr()
    assert [line.split()[0] for line in shown.splitlines()] == [waiting.id, failed.id]
    assert said == ""

    assert run(["jobs", "list", "--limit", "0", *where], {}) == 1
    assert "--limit: expected 1 or more, got 0" in capsys.readouterr().err


@pytest.mark.slow
def test_a_job_is_shown_with_what_went_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failed, _ = filled(tmp_path)

    assert run(["jobs", "show", failed.id, "--data-dir", str(tmp_path)], {}) == 0

    text = capsys.readouterr().out
    assert "session1, 0.0 s to 90.0 s" in text
    assert "model_missing: whisper [x]: weights expected, got none" in text
    assert "host:7" not in text  # nobody works on it any more


@pytest.mark.slow
def test_jobs_are_retried_and_cancelled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failed, waiting = filled(tmp_path)
    where = ["--json", "--data-dir", str(tmp_path)]

    assert run(["jobs", "retry", failed.id, *where], {}) == 0
    assert json.loads(capsys.readouterr().out)[0]["state"] == "waiting"
    assert run(["jobs", "cancel", failed.id, waiting.id, *where], {}) == 0
    assert [row["state"] for row in json.loads(capsys.readouterr().out)] == ["cancelled"] * 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["list", "sleeping"], "expected a state of waiting, running"),
        (["show", "nothing"], "expected the id of a job, got 'nothing'"),
        (["retry", "WAITING"], "expected one that failed, got one that is waiting"),
    ],
)
def test_what_is_not_there_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    _, waiting = filled(tmp_path)
    given = [waiting.id if each == "WAITING" else each for each in arguments]

    assert run(["jobs", *given, "--data-dir", str(tmp_path)], {}) == 1

    assert expected in capsys.readouterr().err


def test_no_jobs_are_said_to_be_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["jobs", "list", "--data-dir", str(tmp_path)], {}) == 0
    assert capsys.readouterr().out == "no jobs\n"


def test_a_worker_needs_redis(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["worker", "--data-dir", str(tmp_path)], {}) == 1
    assert "trax: --redis-url (TRAX_REDIS_URL): expected" in capsys.readouterr().err


def test_a_worker_can_hear_with_the_passes_of_its_server(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    passes = ["--passes", str(tmp_path / "passes.toml"), "--results-cache-mb", "0"]

    assert run(["worker", "--data-dir", str(tmp_path), *passes], {}) == 1

    assert "passes" not in capsys.readouterr().err  # it only lacks Redis


@pytest.mark.redis
def test_the_command_hears_what_a_server_submitted(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    settings = prepared(tmp_path, talk(3))
    folder = settings.data_dir / "sessions" / SESSION
    folder.mkdir(parents=True)
    (folder / "audio.pcm").write_bytes(samples(2.0))
    queue = JobQueue(redis_server.url)
    with Store(settings.database_url) as store:
        store.library.create(TRANSCRIPT, started_ms=0)
        store.sessions.add(store.documents.lease(TRANSCRIPT), NewSession(SESSION, 0))
        task = Task(JobKind.RECORDING, TRANSCRIPT, SESSION)
        job = store.jobs.submit(NewJob(task), Bounds(10, 10))
        queue.send(job.id)
        command = [sys.executable, "-m", "server", "worker", "--redis-url", redis_server.url]
        command += ["--data-dir", str(settings.data_dir), "--live-model", settings.live_model]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ
        ) as process:
            wait_for(lambda: store.jobs.get(job.id).state is JobState.HEARD)
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=DEADLINE_S)
        result = store.jobs.result(job.id)
    queue.close()

    assert process.returncode == 0
    assert (
        f"Trax hears up to 1 recordings at once, woken up by 127.0.0.1:{redis_server.port}"
        in output
    )
    assert result is not None
    assert [word.word.text for word in Hearing.decode(result).words] == [" w0", " w1", " w2"]
