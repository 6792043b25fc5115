"""Excerpts: what passes heard in a span, however much they heard elsewhere."""

from __future__ import annotations

import random

import pytest

from offline.domain import PassId, PassWord
from offline.jobs import JobKind, Task
from server.storage import excerpts as module
from server.storage.jobs import Bounds, NewJob
from server.storage.sessions import NewSession
from server.storage.store import Store
from server.storage.values import Batch, Lease, PassKind, Session, WordChunk
from streaming.core.domain import Permille
from tests.server.storage.writing import TRANSCRIPT, opened

OFFSET_MS = 3_000
WORD_MS = 1_000


def said(first: int, end: int) -> tuple[PassWord, ...]:
    """Return words of 0.8 s, one a second."""
    return tuple(
        PassWord(f"w{n}", OFFSET_MS + n * WORD_MS, OFFSET_MS + n * WORD_MS + 800, Permille(900))
        for n in range(first, end)
    )


class Meeting:
    """A session whose live pass heard 40 words, in chunks of up to 7."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.lease: Lease = opened(store)
        self.session: Session = store.sessions.add(self.lease, NewSession("session1", OFFSET_MS))
        self.words = said(0, 40)
        sizes, first = random.Random(7), 0
        while first < 40:
            end = min(40, first + sizes.randint(1, 7))
            self.write(self.session.live_pass, said(first, end), first)
            first = end

    def write(self, pass_id: PassId, heard: tuple[PassWord, ...], first: int = 0) -> None:
        seq = self.store.documents.read(TRANSCRIPT).last_seq
        chunk = WordChunk(pass_id, first, heard)
        self.store.documents.append(self.lease, Batch(seq, (b"x",), (chunk,)))

    def corrected(self, first: int, end: int, kind: JobKind = JobKind.STRETCH) -> None:
        """Let a stretch be heard again."""
        task = Task(kind, TRANSCRIPT, self.session.id, first * WORD_MS, end * WORD_MS)
        job = self.store.jobs.submit(NewJob(task), Bounds(100, 100))
        begun = self.store.passes.begin_for(self.lease, job.id)
        self.write(begun.id, said(first, end))


def within(heard: tuple[PassWord, ...], start: int, end: int) -> list[str]:
    """Return what lies in a span, given in seconds on the session's clock."""
    start_ms, end_ms = OFFSET_MS + 1000 * start, OFFSET_MS + 1000 * end
    return [word.text for word in heard if word.end_ms > start_ms and word.start_ms < end_ms]


@pytest.mark.slow
@pytest.mark.parametrize("near", [1, 3, 1000])
def test_an_excerpt_has_what_was_heard_in_a_span_and_a_word_on_either_side(
    store: Store, monkeypatch: pytest.MonkeyPatch, near: int
) -> None:
    monkeypatch.setattr(module, "NEAR_WORDS", near)
    monkeypatch.setattr(module, "CHUNKS_AT_ONCE", 2)
    meeting = Meeting(store)
    for start, end in ((0, 1), (0, 40), (3, 9), (17, 18), (30, 31), (38, 45), (50, 60)):
        (live,) = store.excerpts.of(meeting.session, 1000 * start, 1000 * end)

        assert within(live.words, start, end) == within(meeting.words, start, end)
        assert live.words[0].start_ms <= OFFSET_MS + 1000 * max(0, min(start, 40) - 1)
        assert live.words[-1].end_ms >= min(meeting.words[-1].end_ms, OFFSET_MS + 1000 * end)
        assert len(live.words) <= near + 2 * 14 + end - start
    (whole,) = store.excerpts.of(meeting.session, 0, None)
    assert whole.words == meeting.words


def test_passes_over_other_parts_are_left_out(store: Store) -> None:
    meeting = Meeting(store)
    for first in (0, 10, 20, 30):
        meeting.corrected(first, first + 10)
    meeting.corrected(11, 13, JobKind.PASSAGE)

    found = store.excerpts.of(meeting.session, 11_000, 12_000)

    assert [(each.kind, within(each.words, 11, 12)) for each in found] == [
        (PassKind.LIVE, ["w11"]),
        (PassKind.ACCURATE, []),  # too close to leave out
        (PassKind.ACCURATE, ["w11"]),
        (PassKind.PASSAGE, ["w11"]),
    ]
