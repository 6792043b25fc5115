"""Tests of `loadtest crashes`: that what is missing is counted, and the command."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadtest import cli, crashes_command
from loadtest.crashes_audit import (
    CrashReport,
    EditCounts,
    Loss,
    Promised,
    WordCounts,
    count_edits,
    count_loss,
    count_words,
    count_wrong_samples,
)
from loadtest.editors_documents import database, write_meetings
from loadtest.editors_typing import Mark, Typist
from loadtest.errors import LoadtestError
from loadtest.servers import free_port
from loadtest.tasks import until
from server.storage.store import Store
from server.storage.values import Batch
from tests.loadtest.test_commands import run

pytestmark = pytest.mark.slow


FINE = CrashReport(
    words=WordCounts(5, 0, 0),
    edits=EditCounts(4, 0, 0, 3),
    acknowledged_samples=16_000,
    wrong_samples=0,
    replicas_differ=False,
    losses=(Loss(0, 0), Loss(0, 0)),
    back_s=(1.5, 2.5),
)


def test_words_are_compared_one_after_the_other_beside_what_people_typed() -> None:
    text = "\n one two<0.1><1.0> three\n four"

    assert count_words(text, ["one", "two", "three", "four"]) == WordCounts(4, 0, 0)
    assert count_words(text, ["one", "two", "new", "three", "four"]) == WordCounts(5, 1, 0)
    assert count_words(text, ["one", "two"]) == WordCounts(2, 0, 2)
    assert count_words(text, ["one", "two", "other", "four"]) == WordCounts(4, 1, 1)


def test_edits_may_neither_be_missing_nor_doubled() -> None:
    typed = [Mark(0, 0), Mark(0, 1), Mark(1, 0)]

    assert count_edits("a<0.0>b<0.1><1.0>", typed, typed[:1]) == EditCounts(3, 0, 0, 1)
    assert count_edits("a<0.0>b<0.0>", typed, typed[:2]) == EditCounts(3, 2, 1, 2)


def test_a_recording_must_be_what_was_sent() -> None:
    sent = bytes(range(20))

    assert count_wrong_samples(sent, sent) == 0
    assert count_wrong_samples(sent[:-4], sent) == 2
    assert count_wrong_samples(sent[:4] + b"xx" + sent[6:], sent) == 1
    assert count_wrong_samples(sent[4:], sent) == 10


async def test_what_a_killed_server_has_not_stored_is_lost(tmp_path: Path) -> None:
    (meeting,) = await write_meetings(tmp_path, [0.0])
    typist = Typist(0, 77)
    with Store(database(tmp_path)) as store:
        stored = store.documents.read(meeting.transcript).last_seq
        lease = store.documents.lease(meeting.transcript)
        store.documents.append(lease, Batch(stored, (typist.type(), typist.type())))
    typist.type()
    (folder := tmp_path / "sessions" / "session").mkdir(parents=True)
    (folder / "audio.pcm").write_bytes(bytes(2001))

    def loss(samples: int, edits: int) -> Loss:
        seen = frozenset(typist.typed[:edits])
        return count_loss(tmp_path, Promised("session", meeting.transcript, samples, seen))

    assert loss(samples=1000, edits=2) == Loss(edits=0, samples=0)
    assert loss(samples=1600, edits=3) == Loss(edits=1, samples=600)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(FINE, words=WordCounts(5, 1, 0)),
        replace(FINE, words=WordCounts(5, 0, 1)),
        replace(FINE, edits=EditCounts(4, 1, 0, 3)),
        replace(FINE, edits=EditCounts(4, 0, 1, 3)),
        replace(FINE, losses=(Loss(0, 0), Loss(1, 0))),
        replace(FINE, losses=(Loss(0, 1), Loss(0, 0))),
        replace(FINE, wrong_samples=1),
        replace(FINE, replicas_differ=True),
    ],
)
def test_anything_missing_or_doubled_fails_the_command(
    wrong: CrashReport, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def measure(*_arguments: object) -> CrashReport:
        return wrong

    monkeypatch.setattr(crashes_command, "measure_crashes", measure)

    assert cli.run(["crashes", "--real"]) == 1
    assert "nothing missing and nothing doubled expected" in capsys.readouterr().err
    assert FINE.complete


async def test_who_does_not_come_back_ends_the_measurement() -> None:
    with pytest.raises(LoadtestError, match="everybody back expected within"):
        await until(lambda: False, "everybody back", 0.05)


def test_a_port_is_free() -> None:
    assert 1024 <= free_port() <= 65_535


async def test_nothing_is_missing_when_a_server_is_killed(tmp_path: Path) -> None:
    result = tmp_path / "result.json"

    code, out, errors = await run("crashes", "--kills", "2", "--seed", "3", "--out", result)

    assert code == 0, errors + out
    assert "2 times kill -9" in out
    counts: dict[str, Any] = json.loads(result.read_text())
    assert counts["complete"]
    assert (counts["kills"], len(counts["back_s"])) == (2, 2)
    assert counts["words"]["told"] > 0
    assert counts["edits"]["seen"] > 10
    assert counts["acknowledged_samples"] > 16_000
