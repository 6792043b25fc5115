"""Hearing a transcript: whole, in parts, mixed, and while it is spoken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from server.api import audio
from server.api.audio import ByteRange, parse_range
from server.api.errors import Rejected
from streaming.core.domain import Samples
from tests.server.api.asking import ask, made, spoken
from tests.server.talking import running, samples, talk, talking


@pytest.mark.slow
async def test_what_was_said_is_heard(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await spoken(server, 2.0)
        offset_ms = (await ask(server, "GET", path)).json["sessions"][0]["offset_ms"]
        whole = await ask(server, "GET", f"{path}/audio")
        part = await ask(
            server, "GET", f"{path}/audio?from_ms={offset_ms + 500}&to_ms={offset_ms + 600}"
        )

    assert (whole.status, whole.headers["content-type"]) == (200, "audio/wav")
    assert whole.content[44 + 32 * offset_ms :] == samples(2.0)
    assert whole.headers["accept-ranges"] == "bytes"
    assert part.content[44:] == samples(2.0)[16_000:19_200]


async def test_what_was_said_a_moment_ago_is_heard(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server, talking(server) as client:
        ready = await client.start(language="en", transcript="new")
        await client.stream(samples(1.0))
        await client.until_that(lambda m: m["type"] == "ack" and m["samples"] == 16_000)
        session = f"session={ready['session']}"
        path = f"/v1/transcripts/{ready['transcript']}"
        heard = await ask(server, "GET", f"{path}/audio?{session}")

    assert heard.content.endswith(samples(1.0))


@pytest.mark.slow
async def test_sessions_are_mixed_or_heard_alone(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await spoken(server, 2.0)
        await spoken(server, 1.0, transcript=path.rpartition("/")[2])
        sessions = (await ask(server, "GET", path)).json["sessions"]
        whole = await ask(server, "GET", f"{path}/audio")
        alone = [
            await ask(server, "GET", f"{path}/audio?session={each['id']}") for each in sessions
        ]
        unknown = await ask(server, "GET", f"{path}/audio?session=00000000")

    tracks = [np.frombuffer(reply.content[44:], "<i2").astype(int) for reply in alone]
    mixed = np.zeros(max(map(len, tracks)), int)
    for track in tracks:
        mixed[: len(track)] += track
    assert np.array_equal(np.frombuffer(whole.content[44:], "<i2"), mixed)
    assert tracks[0].any()
    assert tracks[1].any()
    assert (unknown.status, unknown.code) == (404, "not_found")


async def test_a_part_of_the_file_is_sent_to_who_asks_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audio, "PIECE_BYTES", 1000)
    async with running(tmp_path, talk(1)) as server:
        path = f"{await spoken(server, 0.1)}/audio?download=1"
        whole = await ask(server, "GET", path)
        head = await ask(server, "HEAD", path)
        part = await ask(server, "GET", path, range="bytes=41-2048")
        beyond = await ask(server, "GET", path, range="bytes=9000000-")
        size_bytes = len(whole.content)
        tag = whole.headers["etag"]
        same = await ask(server, "GET", path, range="bytes=0-3", if_range=tag)
        other = await ask(server, "GET", path, range="bytes=0-3", if_range='"other"')

    assert (part.status, part.content) == (206, whole.content[41:2049])
    assert part.headers["content-range"] == f"bytes 41-2048/{size_bytes}"
    assert part.headers["content-length"] == "2008"
    assert (head.status, head.content) == (200, b"")
    assert head.headers["content-length"] == str(size_bytes)
    assert (beyond.status, beyond.code) == (416, "range_not_satisfiable")
    assert beyond.headers["content-range"] == f"bytes */{size_bytes}"
    assert (same.status, same.content) == (206, b"RIFF")
    assert (other.status, other.content) == (200, whole.content)
    assert whole.headers["content-disposition"] == 'attachment; filename="transcript.wav"'


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-0", ByteRange(0, 1)),
        ("bytes=90-", ByteRange(90, 100)),
        ("bytes=90-500", ByteRange(90, 100)),
        ("bytes=-10", ByteRange(90, 100)),
        ("bytes=-500", ByteRange(0, 100)),
        ("", None),
        ("bytes=-", None),
        ("bytes=5-4", None),
        ("bytes=0-1,5-6", None),
        ("seconds=0-1", None),
        ("bytes=٣-", None),
    ],
)
def test_a_range_means_what_the_standard_says(header: str, part: ByteRange | None) -> None:
    assert parse_range(header, 100) == part


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_behind_the_end_is_refused(header: str) -> None:
    with pytest.raises(Rejected) as refused:
        parse_range(header, 100)

    assert refused.value.status == 416


async def test_a_span_ends_after_it_starts(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        refused = await ask(server, "GET", f"{path}/audio?from_ms=2&to_ms=1")
        empty = await ask(server, "GET", f"{path}/audio?from_ms=2&to_ms=9")

    assert (refused.status, refused.code) == (422, "invalid")
    assert (empty.status, len(empty.content)) == (200, 44)


async def test_a_file_that_the_format_cannot_hold_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audio, "LONGEST", Samples(1599))
    async with running(tmp_path, talk(1)) as server:
        path = await spoken(server, 0.1)
        (session,) = (await ask(server, "GET", path)).json["sessions"]
        refused = await ask(server, "GET", f"{path}/audio?from_ms={session['offset_ms']}")
        part = await ask(server, "GET", f"{path}/audio?from_ms={session['offset_ms'] + 1}")

    assert (refused.status, refused.code) == (422, "invalid")
    assert part.status == 200
