"""One WebSocket of `/v1/stream`: frames in and out, waits and their limits, and the goodbye.

What may be said stands in `conversation.py`, what becomes of it in `session.py`. A connection has
two tasks: one reads, one tells the client what its outbox holds. The goodbye is always an `error`
or `done`, then a close with its code; a client that does not read it is cut off.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Protocol, assert_never

from server.codes import CloseCode, ErrorCode
from server.conversation import (
    Admission,
    Answer,
    Complete,
    Conversation,
    Flush,
    Hear,
    Open,
    Rejoin,
    Request,
)
from server.errors import PeerMistake, Refusal
from server.lifecycle import Serving
from server.messages import AUTO_LANGUAGE, Ack, Done, Limits, Ready, ServerMessage, Stats
from server.outbox import Outbox
from server.session import Credit, Session
from server.settings import Settings
from server.terms import agree
from server.translation import lasting_message, partial_message
from server.wire import Subprotocol, encode
from streaming.core.domain import to_ms

TICK_S = 0.25
HASTE_S = 0.1
"""How often credit is looked at while nothing else happens, and where a client has little of it."""

SCARCE_S = 20
"""A client that may send less audio than this has little credit."""

STATS_S = 1.0
PAGE = 64
"""Events read from the journal at once, when many are to be sent again."""


class Disconnected(Exception):
    """The peer closed the connection, or it broke."""


class Socket(Protocol):
    """The WebSocket under a connection, after its handshake."""

    async def receive(self) -> bytes | str:
        """Return the next frame; raises `Disconnected`."""
        ...

    async def send(self, frame: bytes | str) -> None:
        """Send a frame; waits while the peer does not read; raises `Disconnected`."""
        ...

    async def close(self, code: CloseCode, reason: str = "") -> None:
        """Say goodbye, with a sentence for people; raises `Disconnected`."""
        ...


class Connection:
    """Serves one client over one socket, from `start` to goodbye."""

    def __init__(
        self,
        socket: Socket,
        subprotocol: Subprotocol,
        serving: Serving,
        settings: Settings,
        *,
        only_into: str | None = None,
    ) -> None:
        """Begin after the handshake.

        Args:
            socket: Of this connection.
            subprotocol: What was agreed on.
            serving: What serves it.
            settings: Of this server.
            only_into: The one transcript that this client may speak into; `None`: it may do all.
        """
        self._socket = socket
        self._only_into = only_into
        self._subprotocol = subprotocol
        self._serving = serving
        self._sessions = serving.sessions
        self._settings = settings
        self._conversation = Conversation(subprotocol, message_bytes=settings.message_bytes)
        self._acked = Credit(0, 0)
        self._outbox: Outbox | None = None
        self._ended: Refusal | None = None

    def end(self, refusal: Refusal) -> None:
        """End the connection for a reason that lies outside of it; only the first counts.

        Before there is a session, it ends with its client's `start`, for which it does not wait
        long.
        """
        self._ended = self._ended or refusal
        if self._outbox is not None:
            self._outbox.end(refusal)

    async def run(self) -> Refusal | None:
        """Serve until the connection ends, whoever ends it.

        Returns:
            Why we ended it, if we did; the client was told.

        Raises:
            Refusal: It ends before there is a session; the client was not told yet.
            Disconnected: The peer is gone before there is a session.
        """
        request = await self._first_request()
        if self._ended is not None:
            raise self._ended
        if isinstance(request, Open):
            terms = agree(request.start, self._settings, self._serving.languages)
            self._check_transcript(terms.transcript)
            opened = await self._sessions.open(terms, self._serving.languages)
            session, token, after = opened.session, opened.token, 0
        else:
            resume = request.resume
            session = await self._sessions.resume(resume)
            self._check_transcript(session.manifest.terms.transcript)
            token, after = resume.token, resume.after
        outbox = self._sessions.take(session, after)
        self._tell_from(outbox)
        try:
            self._admit(session)
            await self._send(self._ready(session, token, resumed=isinstance(request, Rejoin)))
            await self._converse(session, outbox)
        except Disconnected:
            pass  # A session waits for its client; nothing else is lost.
        finally:
            self._sessions.leave(session, outbox)
        return outbox.ending if isinstance(outbox.ending, Refusal) else None

    def _tell_from(self, outbox: Outbox) -> None:
        self._outbox = outbox
        if self._ended is not None:  # meanwhile
            outbox.end(self._ended)

    async def _first_request(self) -> Open | Rejoin:
        limit_ms = self._settings.start_timeout_ms
        try:
            async with asyncio.timeout(limit_ms / 1000):
                while True:
                    request = self._conversation.receive(await self._socket.receive())
                    match request:
                        case Open() | Rejoin():
                            return request
                        case Answer(pong=pong):
                            await self._send(pong)
                        case _:
                            pass  # An unknown message: anything else was refused.
        except TimeoutError:
            raise self._conversation.silence(limit_ms) from None

    def _check_transcript(self, transcript: str | None) -> None:
        """Refuse a session that does not speak where its client may."""
        if self._only_into is not None and transcript != self._only_into:
            raise PeerMistake(
                ErrorCode.FORBIDDEN,
                "This link is for one transcript",
                expected=self._only_into,
                got="none" if transcript is None else "another one",
            )

    def _admit(self, session: Session) -> None:
        terms = session.manifest.terms
        credit = session.credit
        self._acked = Credit(0, credit.until)
        self._conversation.admit(
            Admission(
                encoding=terms.encoding,
                next=session.next,
                until=credit.until,
                longest=self._settings.session_ms * terms.sample_rate // 1000,
            )
        )

    async def _converse(self, session: Session, outbox: Outbox) -> None:
        telling = asyncio.create_task(self._tell(session, outbox))
        reading = asyncio.create_task(self._read(session, outbox))
        cut = asyncio.create_task(outbox.cut.wait())
        try:
            await asyncio.wait({telling, reading, cut}, return_when=asyncio.FIRST_COMPLETED)
            if outbox.cut.is_set():
                await asyncio.wait({telling}, timeout=self._settings.close_timeout_ms / 1000)
        finally:
            tasks = (telling, reading, cut)
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, Exception) and not isinstance(outcome, Disconnected):
                raise outcome

    async def _read(self, session: Session, outbox: Outbox) -> None:
        """Do what the client asks for, until it is gone or makes a mistake."""
        limit_ms = self._settings.idle_timeout_ms
        try:
            while not outbox.cut.is_set():
                try:
                    async with asyncio.timeout(limit_ms / 1000):
                        frame = await self._socket.receive()
                except TimeoutError:
                    outbox.end(self._conversation.silence(limit_ms))
                    return
                self._do(self._conversation.receive(frame), session, outbox)
                # `receive` does not wait while frames are there: others shall have their turn.
                await asyncio.sleep(0)
        except Refusal as refusal:
            outbox.end(refusal)

    def _do(self, request: Request | None, session: Session, outbox: Outbox) -> None:
        match request:
            case None:
                pass
            case Hear(pcm=pcm):
                session.hear(pcm)
            case Flush():
                session.flush()
            case Complete():
                session.close(by_client=True)
                outbox.wake.set()
            case Answer(pong=pong):
                outbox.add_pong(pong)
            case Open() | Rejoin():
                raise AssertionError("a conversation takes one start only")
            case _:
                assert_never(request)

    async def _tell(self, session: Session, outbox: Outbox) -> None:
        """Tell the client what there is, until the goodbye."""
        loop = asyncio.get_running_loop()
        stats_due_s = loop.time() + STATS_S
        while True:
            for pong in outbox.take_pongs():
                await self._send(pong)
            await self._tell_entries(session, outbox)
            partial = outbox.take_partial()
            if partial is not None:
                await self._send(partial_message(partial))
            scarce = await self._tell_credit(session)
            if loop.time() >= stats_due_s:
                stats_due_s = loop.time() + STATS_S
                await self._send(_stats(session))
            match outbox.ending:
                case Refusal() as refusal:
                    return await say_goodbye(self._socket, self._subprotocol, refusal)
                # Who resumes a session that is done says `end` again, and is not cut short.
                case Done() as done if outbox.caught_up and self._conversation.ended:
                    await self._tell_credit(session)  # the last of it
                    await self._send(done)
                    return await self._socket.close(CloseCode.DONE)
            await _woken(outbox, HASTE_S if scarce else TICK_S)

    async def _tell_entries(self, session: Session, outbox: Outbox) -> None:
        while not outbox.caught_up:
            page = await session.entries(outbox.sent, PAGE)
            if not page:
                return
            for entry in page:
                if outbox.cut.is_set():
                    return
                await self._send(lasting_message(entry))
                outbox.sent = entry.seq

    async def _tell_credit(self, session: Session) -> bool:
        """Acknowledge what is stored, and give credit to who has little, when that is news.

        Returns:
            Whether the client had little.
        """
        credit = session.credit
        until = self._conversation.grant(credit.until)
        rate = session.manifest.terms.sample_rate
        scarce = self._acked.until - session.next < SCARCE_S * rate
        more = until >= self._acked.until + rate // 10
        if credit.stored > self._acked.stored or (scarce and more):
            self._acked = Credit(max(credit.stored, self._acked.stored), until)
            await self._send(Ack(samples=self._acked.stored, until=until))
        return scarce

    async def _send(self, message: ServerMessage) -> None:
        await self._socket.send(encode(message, self._subprotocol))

    def _ready(self, session: Session, token: str, *, resumed: bool) -> Ready:
        settings, models, terms = self._settings, self._serving.models, session.manifest.terms
        detected = session.language if terms.language == AUTO_LANGUAGE else None
        return Ready(
            session=session.id,
            token=token,
            transcript=terms.transcript,
            sync=None if terms.transcript is None else f"/v1/transcripts/{terms.transcript}/sync",
            next=session.next,
            until=self._acked.until,
            resumed=resumed,
            ended=session.ended,
            language=detected or terms.language,
            lookahead_ms=terms.lookahead_ms,
            max_delay_ms=terms.max_delay_ms,
            diarization=terms.diarization,
            diarization_latency_ms=terms.diarization_latency_ms,
            finals=terms.finals,
            limits=Limits(
                message_bytes=settings.message_bytes,
                resume_ms=settings.resume_ms,
                idle_ms=settings.idle_timeout_ms,
                session_ms=settings.session_ms,
            ),
            models=models if terms.diarization else replace(models, diarizer=None),
        )


async def say_goodbye(socket: Socket, subprotocol: Subprotocol, refusal: Refusal) -> None:
    """Tell a client why its connection ends, and end it.

    Raises:
        Disconnected: It is gone already.
    """
    await socket.send(encode(refusal.as_message(), subprotocol))
    await socket.close(refusal.code.close_code)


async def _woken(outbox: Outbox, limit_s: float) -> None:
    """Wait until there may be something to tell, or it is time to look at the credit."""
    try:
        async with asyncio.timeout(limit_s):
            await outbox.wake.wait()
    except TimeoutError:
        return
    outbox.wake.clear()


def _stats(session: Session) -> Stats:
    received, processed = session.received, session.processed
    return Stats(
        audio_ms=to_ms(received),
        processed_ms=to_ms(processed),
        lag_ms=to_ms(max(0, received - processed)),
        step_ms=to_ms(session.step),
    )
