"""A scripted server that speaks the protocol over real sockets, and fails when told to.

What it says follows from the audio alone: for each 100 ms a word, the number of that tenth of a
second, and for each second an utterance. So a test knows what a client must end up with, whatever
happened on the way.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import assert_never

import msgpack
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from server import messages
from server.codes import ErrorCode
from server.wire import Subprotocol, WireError, decode, encode

TOKEN = "open-sesame"
RESUME_TOKEN = "resume-sesame"
NEW_ID = "q9_Tz-3kLw0aXb7c"
WORD_SAMPLES = 1_600
WORDS_IN_UTTERANCE = 10
LIMITS = messages.Limits(
    message_bytes=65_536, resume_ms=60_000, idle_ms=30_000, session_ms=3_600_000
)

Lasting = messages.SpeechStart | messages.Final | messages.UtteranceEnd | messages.Correction


@dataclass(frozen=True, slots=True)
class Cut:
    """The network fails."""


@dataclass(frozen=True, slots=True)
class Close:
    """The server closes without a word."""

    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Say:
    """The server says why, and closes."""

    code: ErrorCode
    retry_after_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a connection ends, after so many client messages (0: before `start` is answered)."""

    after: int
    how: Cut | Close | Say


@dataclass(slots=True)
class Peer:
    """One server with one session at a time.

    Attributes:
        credit: Samples it takes beyond those acknowledged.
        endings: How its connections end, in order; those after the last go well.
        repeats: Events that it sends again after a resume although the client has seen them.
        forgets: Whether it may lose audio that it has not acknowledged, at each cut.
        partials: Whether to send a partial with each word.
        deaf_to_end: Never to finish a session.
        ends: Released once for each `end` that came.
        limits: As in `ready`.
        heard: The session's audio as it came.
        starts: `start` messages that came.
        flushes: Where a `finalize` came.
        pings: Released once for each that came.
        url: Where it listens.
        closed_by_client: Close codes that clients sent.
    """

    credit: int = 160_000
    endings: Sequence[Ending] = ()
    repeats: int = 0
    forgets: bool = False
    partials: bool = False
    deaf_to_end: bool = False
    ends: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    limits: messages.Limits = LIMITS
    width: int = 2
    heard: bytearray = field(default_factory=bytearray)
    starts: list[messages.Start] = field(default_factory=list)
    flushes: list[int] = field(default_factory=list)
    pings: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    url: str = ""
    closed_by_client: list[int] = field(default_factory=list)
    _journal: list[Lasting] = field(default_factory=list)
    _acknowledged: int = 0
    _words: int = 0
    _random: random.Random = field(default_factory=lambda: random.Random(7))

    @property
    def samples(self) -> int:
        """Samples that came."""
        return len(self.heard) // self.width

    async def converse(self, socket: ServerConnection) -> None:
        """Serve one connection."""
        subprotocol = Subprotocol(socket.subprotocol or "")
        ending = self.endings[len(self.starts)] if len(self.starts) < len(self.endings) else None
        line = _Line(socket, subprotocol)
        with suppress(ConnectionClosed):
            if socket.request is None or TOKEN not in socket.request.headers["Authorization"]:
                await line.refuse(Say(ErrorCode.UNAUTHORIZED))
                return
            await self._converse(line, ending)
        if socket.close_code is not None and socket.protocol.close_rcvd_then_sent:
            self.closed_by_client.append(socket.close_code)

    async def _converse(self, line: "_Line", ending: Ending | None) -> None:
        received = 0
        async for frame in line.socket:
            try:
                message = decode(frame, line.subprotocol)
            except WireError as error:
                await line.refuse(Say(error.code), expected=error.expected, got=error.got)
                return
            if isinstance(message, messages.Start):
                self.starts.append(message)
            if ending is not None and received == ending.after:
                if self.forgets:
                    del self.heard[
                        self._random.randint(self._acknowledged, self.samples) * self.width :
                    ]
                await line.end(ending.how)
                return
            received += 1
            if message is not None:
                await self._answer(line, message)

    async def _answer(self, line: "_Line", message: messages.ClientMessage) -> None:
        match message:
            case messages.Start():
                await self._welcome(line, message)
            case messages.Audio(at=at, pcm=pcm):
                await self._hear(line, at, pcm)
            case messages.Finalize():
                self.flushes.append(self.samples)
            case messages.Ping(id=number):
                self.pings.release()
                await line.say(messages.Pong(number))
            case messages.End():
                self.ends.release()
                if not self.deaf_to_end:
                    await self._finish(line)
            case _:
                assert_never(message)

    async def _welcome(self, line: "_Line", start: messages.Start) -> None:
        resume = start.resume
        if resume is not None and resume.token != RESUME_TOKEN:
            await line.refuse(Say(ErrorCode.SESSION_GONE))
            return
        if resume is None:
            self._begin(start)
        made = start.transcript == messages.NEW_TRANSCRIPT
        transcript = NEW_ID if made else start.transcript
        await line.say(
            messages.Ready(
                session="s-1",
                token=RESUME_TOKEN,
                transcript=transcript,
                sync=None if transcript is None else f"/v1/transcripts/{transcript}/sync",
                next=self.samples,
                until=self._acknowledged + self.credit,
                resumed=resume is not None,
                ended=False,
                language=start.language,
                lookahead_ms=600,
                max_delay_ms=start.max_delay_ms,
                diarization=start.diarization,
                diarization_latency_ms=None,
                finals=start.finals,
                limits=self.limits,
                models=messages.Models("scripted", "scripted", None),
            )
        )
        await line.applaud()
        if resume is not None:
            for event in self._journal[max(0, resume.after - self.repeats) :]:
                await line.say(event)

    def _begin(self, start: messages.Start) -> None:
        self.width = start.encoding.sample_bytes
        self.heard.clear()
        self._journal.clear()
        self._acknowledged = self._words = 0

    async def _hear(self, line: "_Line", at: int | None, pcm: bytes) -> None:
        assert at in {self.samples, None}
        self.heard += pcm
        assert self.samples <= self._acknowledged + self.credit
        while (self._words + 1) * WORD_SAMPLES <= self.samples:
            await self._speak(line)
        self._acknowledged = max(self._acknowledged, self.samples - self.credit // 4)
        await line.say(messages.Ack(self._acknowledged, self._acknowledged + self.credit))

    async def _speak(self, line: "_Line") -> None:
        number = self._words
        self._words += 1
        utterance, within = divmod(number, WORDS_IN_UTTERANCE)
        if within == 0:
            await self._keep(line, messages.SpeechStart(0, utterance, number * 100))
        word = messages.Word(f" {number}", number * 100, number * 100 + 90, 900, None)
        if self.partials:
            await line.say(messages.Partial(utterance, 0, (word,)))
        await self._keep(line, messages.Final(0, utterance, (word,)))
        if within == WORDS_IN_UTTERANCE - 1:
            start_ms, end_ms = utterance * 1000, utterance * 1000 + 1000
            await self._keep(line, messages.UtteranceEnd(0, utterance, start_ms, end_ms))

    async def _keep(self, line: "_Line", event: Lasting) -> None:
        event = replace(event, seq=len(self._journal) + 1)
        self._journal.append(event)
        await line.say(event)

    async def _finish(self, line: "_Line") -> None:
        audio_ms = self.samples * 1000 // 16_000
        await line.say(messages.Ack(self.samples, self.samples + self.credit))
        await line.say(messages.Stats(audio_ms, audio_ms, 0, 500))
        utterances = -(-self._words // WORDS_IN_UTTERANCE)
        await line.say(messages.Done(audio_ms, utterances, self._words, 0, 0))
        await line.socket.close(1000)


@dataclass(frozen=True, slots=True)
class _Line:
    """A socket and how it is spoken on."""

    socket: ServerConnection
    subprotocol: Subprotocol

    async def say(self, message: messages.ServerMessage) -> None:
        await self.socket.send(encode(message, self.subprotocol))

    async def applaud(self) -> None:
        """Say something of a later version of the protocol."""
        applause = {"type": "applause", "seq": "three"}
        packed = msgpack.packb(applause)
        await self.socket.send(
            packed if self.subprotocol is Subprotocol.MSGPACK else json.dumps(applause)
        )

    async def end(self, how: Cut | Close | Say) -> None:
        match how:
            case Cut():
                self.socket.transport.abort()
            case Close(code=code, reason=reason):
                await self.socket.close(code, reason)
            case Say():
                await self.refuse(how)
            case _:
                assert_never(how)

    async def refuse(self, why: Say, *, expected: str = "better", got: str = "worse") -> None:
        retry = why.code.retry
        await self.say(
            messages.Error(why.code, "So it is", expected, got, retry, why.retry_after_ms)
        )
        await self.socket.close(why.code.close_code)


@asynccontextmanager
async def listening(peer: Peer) -> AsyncIterator[str]:
    """Serve on a free port; yields the URL as the real server prints it, token and all."""
    names = [str(subprotocol) for subprotocol in Subprotocol]
    async with serve(
        peer.converse,
        "127.0.0.1",
        0,
        subprotocols=names,  # type: ignore[arg-type]  # a NewType of str
        compression=None,
        max_size=1 << 20,
    ) as listener:
        port = next(iter(listener.sockets)).getsockname()[1]
        peer.url = f"http://127.0.0.1:{port}/?token={TOKEN}"
        yield peer.url
