"""Sessions against a real socket with a scripted server behind it (`peer.py`)."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol as WebSocketSubprotocol

import trax_client
from server.codes import ErrorCode
from tests.clients.peer import LIMITS, NEW_ID, TOKEN, Close, Cut, Ending, Peer, Say, listening
from trax_client.wire import Subprotocol

SECOND = bytes(random.Random(1).randbytes(32_000))
SUBPROTOCOLS = [WebSocketSubprotocol(name) for name in Subprotocol]
SOON = trax_client.Reconnect(first_s=0.001, longest_s=0.01)


@asynccontextmanager
async def session_with(
    peer: Peer, reconnect: trax_client.Reconnect = SOON
) -> AsyncIterator[trax_client.Session]:
    with anyio.fail_after(10):
        async with listening(peer) as url, trax_client.connect(url, reconnect=reconnect) as session:
            yield session


async def finish(session: trax_client.Session) -> list[trax_client.Event]:
    await session.end()
    return [event async for event in session]


def words(events: list[trax_client.Event]) -> list[str]:
    finals = [event for event in events if isinstance(event, trax_client.Final)]
    return [word.text for final in finals for word in final.words]


def sequence(events: list[trax_client.Event]) -> list[int]:
    moment = trax_client.Partial | trax_client.Stats | trax_client.Done
    return [event.seq for event in events if not isinstance(event, moment)]


def check_complete(peer: Peer, sent: bytes, events: list[trax_client.Event]) -> None:
    """Everything arrived once and in order, in both directions."""
    assert bytes(peer.heard) == sent
    assert words(events) == [f" {number}" for number in range(len(sent) // 3_200)]
    assert sequence(events) == list(range(1, len(sequence(events)) + 1))
    assert isinstance(events[-1], trax_client.Done)


async def test_audio_arrives_and_events_come_back() -> None:
    peer = Peer(partials=True)
    async with session_with(peer) as session:
        await session.send(SECOND)
        events = await finish(session)
    check_complete(peer, SECOND, events)
    assert [event.type for event in events[:4]] == ["speech_start", "partial", "final", "partial"]
    assert session.info.session == "s-1"
    assert session.info.models.recognizer == "scripted"
    assert session.stats == trax_client.SessionStats(
        taken_ms=1000,
        acknowledged_ms=1000,
        processed_ms=1000,
        lag_ms=0,
        connected=False,
        reconnections=0,
    )


@pytest.mark.parametrize("subprotocol", Subprotocol)
async def test_both_subprotocols_work(subprotocol: Subprotocol) -> None:
    peer = Peer(endings=[Ending(5, Cut())])
    with anyio.fail_after(10):
        async with (
            listening(peer) as url,
            trax_client.connect(url, reconnect=SOON, subprotocol=subprotocol) as session,
        ):
            await session.send(SECOND * 5)
            events = await finish(session)
    check_complete(peer, SECOND * 5, events)


async def test_options_reach_the_server() -> None:
    peer = Peer()
    with anyio.fail_after(10):
        async with (
            listening(peer) as url,
            trax_client.connect(
                url,
                transcript="weekly",
                person="Zoë",
                microphone="desk",
                language="de",
                lookahead_ms=100,
                max_delay_ms=900,
                diarization=False,
                diarization_latency_ms=700,
                hotwords=["ComfyUI"],
                partials=False,
                finals="utterance",
                sample_rate=48_000,
                encoding="pcm_f32le",
            ) as session,
        ):
            await finish(session)
    (start,) = peer.starts
    assert (start.transcript, start.language, start.hotwords) == ("weekly", "de", ("ComfyUI",))
    assert (start.person, start.microphone) == ("Zoë", "desk")
    assert (start.lookahead_ms, start.max_delay_ms) == (100, 900)
    assert (start.diarization, start.diarization_latency_ms) == (False, 700)
    assert (start.partials, start.finals) == (False, "utterance")
    assert (start.sample_rate, start.encoding) == (48_000, "pcm_f32le")


@pytest.mark.parametrize(("asked", "got"), [(None, None), ("weekly", "weekly"), ("new", NEW_ID)])
async def test_session_knows_its_transcript_also_after_a_resume(
    asked: str | None, got: str | None
) -> None:
    peer = Peer(endings=[Ending(1, Cut())])
    with anyio.fail_after(10):
        async with (
            listening(peer) as url,
            trax_client.connect(url, transcript=asked, reconnect=SOON) as session,
        ):
            assert session.transcript == got
            await session.send(SECOND)
            await finish(session)
            assert session.transcript == got
    assert len(peer.starts) == 2


async def test_audio_sent_byte_by_byte_is_the_same_audio() -> None:
    peer = Peer()
    async with session_with(peer) as session:
        for index in range(6_401):
            await session.send(SECOND[index : index + 1])
        events = await finish(session)
    check_complete(peer, SECOND[:6_400], events)


@pytest.mark.parametrize("seed", range(5))
async def test_audio_sent_in_random_pieces_is_the_same_audio(seed: int) -> None:
    chance = random.Random(seed)
    peer = Peer(credit=9_000)
    audio = SECOND * 4
    async with session_with(peer) as session:
        rest = memoryview(audio)
        while rest:
            size = chance.choice([1, 3, 641, 9_999, 40_000])
            await session.send(rest[:size])
            rest = rest[size:]
        events = await finish(session)
    check_complete(peer, audio, events)


@pytest.mark.parametrize("seed", range(25))
async def test_session_survives_cuts_at_random_moments(seed: int) -> None:
    chance = random.Random(seed)
    hows: list[Cut | Close | Say] = [
        Cut(),
        Close(1001),
        Close(1000),
        Close(1012),
        Close(1013),
        Say(ErrorCode.RESTART),
    ]
    hows += [Say(ErrorCode.INTERNAL_ERROR), Say(ErrorCode.OVERLOADED, 5)]
    # A connection may fail at once too, but then without having given the session away.
    endings = [Ending(3, Cut())]
    endings += [Ending(chance.choice([0, 1, 2, 9]), chance.choice(hows)) for _ in range(6)]
    peer = Peer(
        credit=20_000, endings=endings, repeats=chance.randrange(4), forgets=True, partials=True
    )
    audio = SECOND * 6
    async with session_with(peer) as session:
        reading = asyncio.create_task(read(session))
        for first in range(0, len(audio), 6_400):
            await session.send(audio[first : first + 6_400])
        await session.end()
        events = await reading
    check_complete(peer, audio, events)
    assert 1 <= session.stats.reconnections <= 7
    resumes = [start.resume for start in peer.starts[1:]]
    assert all(resume is not None and resume.session == "s-1" for resume in resumes)


async def read(session: trax_client.Session) -> list[trax_client.Event]:
    return [event async for event in session]


async def test_connection_lost_after_end_is_resumed_for_the_rest() -> None:
    peer = Peer(endings=[Ending(2, Cut())])  # the third message is `end`
    async with session_with(peer) as session:
        await session.send(SECOND)
        events = await finish(session)
    check_complete(peer, SECOND, events)
    assert len(peer.starts) == 2


async def test_send_waits_for_credit_and_reading_goes_on() -> None:
    peer = Peer(credit=0)
    async with session_with(peer) as session:
        await session.send(b"")
        with anyio.move_on_after(0.05) as waiting:
            await session.send(SECOND)
        assert waiting.cancelled_caught
        assert session.stats.taken_ms == 1000
        with pytest.raises(TimeoutError), anyio.fail_after(0.01):
            await session.send(b"")  # still no room
        assert peer.samples == 0


async def test_slow_credit_slows_the_sender_down_and_loses_nothing() -> None:
    peer = Peer(credit=1_000)
    async with session_with(peer) as session:
        for first in range(0, len(SECOND), 3_200):
            await session.send(SECOND[first : first + 3_200])
            assert session.stats.taken_ms - session.stats.acknowledged_ms <= 1_000 / 16 + 100
        events = await finish(session)
    check_complete(peer, SECOND, events)


async def test_frames_stay_below_the_servers_limit() -> None:
    peer = Peer(limits=replace(LIMITS, message_bytes=1_000))
    async with session_with(peer) as session:
        await session.send(SECOND)
        check_complete(peer, SECOND, await finish(session))


async def test_finalize_arrives_where_it_was_asked_for() -> None:
    peer = Peer()
    async with session_with(peer) as session:
        await session.send(SECOND[:6_400])
        await session.finalize()
        await session.send(SECOND[6_400:])
        await finish(session)
    assert peer.flushes == [3_200]


async def test_finalize_lost_with_the_connection_is_sent_again() -> None:
    peer = Peer(endings=[Ending(2, Cut())])  # the third message is `finalize`
    async with session_with(peer) as session:
        await session.send(SECOND[:6_400])
        await session.finalize()
        await session.send(SECOND[6_400:])
        events = await finish(session)
    check_complete(peer, SECOND, events)
    assert peer.flushes == [3_200]


async def test_quiet_session_is_kept_alive_by_pings() -> None:
    peer = Peer(limits=replace(LIMITS, idle_ms=30))
    async with session_with(peer) as session:
        for _ in range(3):
            await peer.pings.acquire()
        await finish(session)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (ErrorCode.UNSUPPORTED, trax_client.Refused),
        (ErrorCode.UNKNOWN_TRANSCRIPT, trax_client.Refused),
        (ErrorCode.FORBIDDEN, trax_client.Refused),
        (ErrorCode.TOO_FAST, trax_client.Refused),
        (ErrorCode.SESSION_GONE, trax_client.SessionGone),
        (ErrorCode.REPLACED, trax_client.SessionGone),
        (ErrorCode.UNAUTHORIZED, trax_client.Unauthorized),
    ],
)
async def test_final_errors_are_raised_from_iteration_and_then_from_send(
    code: ErrorCode, kind: type[trax_client.SessionError]
) -> None:
    peer = Peer(endings=[Ending(1, Say(code))])
    async with session_with(peer) as session:
        await session.send(SECOND)
        with pytest.raises(kind) as failure:
            await read(session)
        assert (failure.value.code, failure.value.retry) == (code, False)
        assert (failure.value.message, failure.value.expected) == ("So it is", "better")
        assert failure.value.got == "worse"
        with pytest.raises(kind):
            await session.send(SECOND)
        with pytest.raises(kind):
            await session.finalize()
    assert len(peer.starts) == 1


@pytest.mark.parametrize("code", [4412, 1009])
async def test_final_close_code_without_error_is_final_too(code: int) -> None:
    peer = Peer(endings=[Ending(1, Close(code, "elsewhere"))])
    async with session_with(peer) as session:
        await session.send(SECOND)
        with pytest.raises(trax_client.Refused, match=f"close {code}: elsewhere"):
            await read(session)


async def test_failure_that_nobody_saw_is_raised_on_leaving() -> None:
    async def send_only() -> None:
        async with session_with(Peer(endings=[Ending(1, Say(ErrorCode.TOO_LARGE))])) as session:
            await session.send(SECOND)
            await asyncio.wait([session._carrier])

    with pytest.raises(trax_client.Refused, match="too_large"):
        await send_only()


async def test_error_of_the_body_wins_over_the_sessions() -> None:
    async def divide() -> None:
        async with session_with(Peer(endings=[Ending(1, Say(ErrorCode.TOO_LARGE))])) as session:
            await session.send(SECOND)
            await asyncio.wait([session._carrier])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await divide()


async def test_sender_waiting_for_credit_learns_that_the_session_failed() -> None:
    peer = Peer(credit=100, endings=[Ending(2, Say(ErrorCode.NOT_READING))])
    async with session_with(peer) as session:
        with pytest.raises(trax_client.Refused, match="not_reading"):
            await session.send(SECOND)


async def test_connection_is_given_up_after_a_while() -> None:
    endings = [Ending(1, Cut())] + [Ending(0, Cut())] * 500
    peer = Peer(endings=endings)
    reconnect = trax_client.Reconnect(first_s=0.001, longest_s=0.002, give_up_s=0.05)
    async with session_with(peer, reconnect) as session:
        await session.send(SECOND)
        with pytest.raises(trax_client.ConnectionLost) as failure:
            await read(session)
    assert failure.value.attempts > 1
    assert failure.value.unacknowledged_ms == 1000
    assert isinstance(failure.value.__cause__, trax_client.ServerUnreachable)


async def test_connections_that_open_and_get_nowhere_are_given_up_too() -> None:
    peer = Peer(endings=[Ending(1, Say(ErrorCode.ENGINE_FAILED))] * 500)
    reconnect = trax_client.Reconnect(first_s=0.001, longest_s=1, give_up_s=0.05)
    async with session_with(peer, reconnect) as session:
        await session.send(SECOND)
        with pytest.raises(trax_client.ConnectionLost) as failure:
            await read(session)
    assert isinstance(failure.value.__cause__, trax_client.ServerFailed)


async def test_reconnecting_can_be_switched_off() -> None:
    peer = Peer(endings=[Ending(1, Cut())])
    async with session_with(peer, trax_client.Reconnect(give_up_s=0)) as session:
        await session.send(SECOND)
        with pytest.raises(trax_client.ConnectionLost):
            await read(session)
    assert len(peer.starts) == 1


async def test_resume_that_is_refused_ends_the_session() -> None:
    peer = Peer(endings=[Ending(1, Cut()), Ending(0, Say(ErrorCode.SESSION_GONE))])
    async with session_with(peer) as session:
        await session.send(SECOND)
        with pytest.raises(trax_client.SessionGone):
            await read(session)


async def test_leaving_early_tells_the_server_that_the_client_went_away() -> None:
    peer = Peer()
    async with session_with(peer) as session:
        await session.send(SECOND)
    assert peer.closed_by_client == [1001]
    assert not any([isinstance(event, trax_client.Done) async for event in session])


async def test_reader_can_be_cancelled_and_go_on_later() -> None:
    peer = Peer()
    async with session_with(peer) as session:
        with anyio.move_on_after(0.01):
            await anext(session)
        await session.send(SECOND)
        check_complete(peer, SECOND, await finish(session))


async def test_context_can_be_cancelled_while_everything_waits() -> None:
    peer = Peer(credit=0)
    with anyio.move_on_after(0.2) as scope:
        async with session_with(peer) as session, asyncio.TaskGroup() as tasks:
            tasks.create_task(session.send(SECOND))
            tasks.create_task(read(session))
    assert scope.cancelled_caught


async def test_send_after_end_is_a_mistake_and_end_twice_is_none() -> None:
    async with session_with(Peer()) as session:
        await finish(session)
        await session.end()
        with pytest.raises(RuntimeError, match="after end"):
            await session.send(SECOND)
        with pytest.raises(RuntimeError, match="over"):
            await session.finalize()


async def test_leaving_can_be_cancelled_too() -> None:
    released = asyncio.Event()

    async def ignore_the_close(socket: ServerConnection) -> None:
        socket.transport.pause_reading()
        await released.wait()
        socket.transport.abort()

    class Deaf(Peer):
        async def converse(self, socket: ServerConnection) -> None:
            serving = asyncio.create_task(super().converse(socket))
            await session_began.wait()
            await ignore_the_close(socket)
            await serving

    session_began = asyncio.Event()
    with anyio.fail_after(5):
        async with listening(Deaf()) as url:
            with anyio.move_on_after(0.1) as scope:
                async with trax_client.connect(url):
                    session_began.set()
                    await asyncio.sleep(0.01)  # until the peer has stopped listening
            released.set()
    assert scope.cancelled_caught


# The first connection: one attempt, and the plain reason


async def test_wrong_token_is_refused() -> None:
    async with listening(Peer()) as url:
        with pytest.raises(trax_client.Unauthorized):
            async with trax_client.connect(url.replace(TOKEN, "shut")):
                pytest.fail("connected")


async def test_token_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    peer = Peer()
    async with listening(peer) as url:
        monkeypatch.setenv("TRAX_URL", url.partition("?")[0])
        monkeypatch.setenv("TRAX_TOKEN", TOKEN)
        async with trax_client.connect() as session:
            await finish(session)
    assert len(peer.starts) == 1


async def test_full_server_says_when_to_come_back() -> None:
    peer = Peer(endings=[Ending(0, Say(ErrorCode.OVERLOADED, 2_500))])
    async with listening(peer) as url:
        with pytest.raises(trax_client.Unavailable) as refusal:
            async with trax_client.connect(url):
                pytest.fail("connected")
    assert (refusal.value.retry, refusal.value.retry_after_s) == (True, 2.5)


async def test_nobody_listening_is_unreachable() -> None:
    async with listening(Peer()) as url:
        pass
    with pytest.raises(trax_client.ServerUnreachable) as failure:
        async with trax_client.connect(url):
            pytest.fail("connected")
    assert "token" not in str(failure.value)
    assert failure.value.url.endswith("/v1/stream")


@pytest.mark.parametrize("how", [Cut(), Close(1011)])
async def test_connection_that_closes_before_ready_is_unreachable(how: Cut | Close) -> None:
    async with listening(Peer(endings=[Ending(0, how)])) as url:
        with pytest.raises(trax_client.ServerUnreachable, match="connection closed"):
            async with trax_client.connect(url):
                pytest.fail("connected")


async def test_server_that_says_nothing_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"ws://127.0.0.1:{silent.getsockname()[1]}"
        quickly = trax_client.Reconnect(handshake_s=0.05)
        with pytest.raises(trax_client.ServerUnreachable, match="does not answer"):
            async with trax_client.connect(url, reconnect=quickly):
                pytest.fail("connected")


async def test_server_that_agrees_on_no_subprotocol_is_none_of_ours() -> None:
    async def wait(socket: ServerConnection) -> None:
        await socket.wait_closed()

    async with serve(wait, "127.0.0.1", 0) as listener:
        port = next(iter(listener.sockets)).getsockname()[1]
        with pytest.raises(trax_client.ProtocolViolation, match="subprotocol"):
            async with trax_client.connect(f"ws://127.0.0.1:{port}"):
                pytest.fail("connected")


async def test_server_that_speaks_nonsense_is_refused() -> None:
    async def babble(socket: ServerConnection) -> None:
        await socket.send(b"\xc1")
        await socket.wait_closed()

    async with serve(babble, "127.0.0.1", 0, subprotocols=SUBPROTOCOLS) as listener:
        port = next(iter(listener.sockets)).getsockname()[1]
        with pytest.raises(trax_client.ProtocolViolation, match="undecodable"):
            async with trax_client.connect(f"ws://127.0.0.1:{port}"):
                pytest.fail("connected")


async def test_wrong_arguments_are_refused_before_connecting() -> None:
    with pytest.raises(ValueError, match="pcm_s16le or pcm_f32le expected, got 'mp3'"):
        async with trax_client.connect(encoding="mp3"):  # type: ignore[arg-type]  # as untyped callers do
            pytest.fail("connected")
