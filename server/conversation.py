"""What one client may say, and when: `clients/PROTOCOL.md`, sections 3, 6 and 9, without I/O.

A conversation is fed the frames of one connection and returns what each asks for; whoever owns it
does that, and tells it what was granted::

    conversation = Conversation(subprotocol, message_bytes=131_072)
    request = conversation.receive(frame)         # Open, or Rejoin
    conversation.admit(Admission(...))            # `ready` goes out
    request = conversation.receive(frame)         # Hear, Flush, Complete, Answer or None
    conversation.grant(until)                     # `ack` goes out

                  receive(start)                admit             receive(end)
    WAITING_FOR_START ---------> WAITING_FOR_US -----> LISTENING -------------> ENDED

Whatever breaks the rules raises `PeerMistake`, after which the conversation is over. It has no
clock: its owner waits, and has `silence` say what to answer when nothing came.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import assert_never

from server.codes import ErrorCode
from server.errors import PeerMistake
from server.messages import Audio, ClientMessage, Encoding, End, Finalize, Ping, Pong, Resume, Start
from server.wire import Subprotocol, WireError, decode


@dataclass(frozen=True, slots=True)
class Open:
    """A new session is asked for."""

    start: Start


@dataclass(frozen=True, slots=True)
class Rejoin:
    """A session of before is asked for."""

    resume: Resume


@dataclass(frozen=True, slots=True)
class Hear:
    """Audio that continues the audio before it: whole samples, at least one, no repeats."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class Flush:
    """Everything heard so far is to become final."""


@dataclass(frozen=True, slots=True)
class Complete:
    """No more audio comes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Nothing is asked for but this answer."""

    pong: Pong


Request = Open | Rejoin | Hear | Flush | Complete | Answer


@dataclass(frozen=True, slots=True)
class Admission:
    """What a client was granted in `ready`. Indices and lengths count the client's own samples.

    Attributes:
        encoding: Of its audio.
        next: Index of the sample wanted next.
        until: Audio before this index may be sent. May lie beyond `longest`, so that a client
            that goes on for too long is told, instead of waiting for credit for ever.
        longest: No session may have more samples than this.
    """

    encoding: Encoding
    next: int
    until: int
    longest: int


class Patience(Enum):
    """What a conversation waits for."""

    START = auto()
    """The first message: the whole wait is limited, whatever else is said meanwhile."""
    ANYTHING = auto()
    """Any message at all: each begins the wait anew."""


class _Phase(Enum):
    WAITING_FOR_START = auto()
    WAITING_FOR_US = auto()
    LISTENING = auto()
    ENDED = auto()


class Conversation:
    """The client's side of one connection; owned by that connection."""

    def __init__(self, subprotocol: Subprotocol, *, message_bytes: int) -> None:
        """Wait for `start`.

        Args:
            subprotocol: What was agreed on in the handshake.
            message_bytes: Largest frame allowed.
        """
        self._subprotocol = subprotocol
        self._message_bytes = message_bytes
        self._phase = _Phase.WAITING_FOR_START
        self._admission = Admission(Encoding.PCM_S16LE, 0, 0, 0)
        self._next = 0
        self._until = 0

    @property
    def patience(self) -> Patience:
        """What is being waited for."""
        if self._phase is _Phase.WAITING_FOR_START:
            return Patience.START
        return Patience.ANYTHING

    @property
    def ended(self) -> bool:
        """Whether the client said that no more audio comes, on this connection."""
        return self._phase is _Phase.ENDED

    @property
    def next(self) -> int:
        """Index of the client's sample wanted next."""
        return self._next

    def admit(self, admission: Admission) -> None:
        """The session that was asked for is there: audio may come."""
        self._phase = _Phase.LISTENING
        self._admission = admission
        self._next = admission.next
        self._until = admission.until

    def grant(self, until: int) -> int:
        """Give credit up to an index, and return the credit there is; it never shrinks."""
        self._until = max(self._until, until)
        return self._until

    def silence(self, waited_ms: int) -> PeerMistake:
        """Return what a client is told that said nothing for as long as it may."""
        if self.patience is Patience.START:
            return PeerMistake(
                ErrorCode.START_TIMEOUT,
                "No session was started",
                expected=f"start within {waited_ms} ms",
                got="none",
            )
        return PeerMistake(
            ErrorCode.IDLE_TIMEOUT,
            "The client fell silent",
            expected=f"a message, such as ping, at least every {waited_ms} ms",
            got="none",
        )

    def receive(self, frame: bytes | str) -> Request | None:
        """Return what a frame asks for; `None` for unknown messages and mere repeats.

        Raises:
            PeerMistake: The frame is too large, cannot be read, or may not come now.
        """
        self._check_size(frame)
        try:
            message = decode(frame, self._subprotocol)
        except WireError as error:
            raise PeerMistake(
                error.code,
                "A message cannot be read" if error.field is None else f"Wrong {error.field}",
                expected=error.expected,
                got=error.got,
            ) from error
        return None if message is None else self._receive(message)

    def _receive(self, message: ClientMessage) -> Request | None:
        match message:
            case Start():
                return self._start(message)
            case Audio():
                self._check_order("audio")
                return self._audio(message)
            case Finalize():
                self._check_order("finalize")
                return Flush()
            case End():
                return self._end()
            case Ping(id=number):
                return Answer(Pong(number))
            case _:
                assert_never(message)

    def _check_size(self, frame: bytes | str) -> None:
        # Text of n characters has n..4n bytes: most frames need no counting.
        size_bytes = len(frame)
        if isinstance(frame, str) and size_bytes * 4 > self._message_bytes:
            size_bytes = len(frame.encode())
        if size_bytes > self._message_bytes:
            raise PeerMistake(
                ErrorCode.TOO_LARGE,
                "A message is too large",
                expected=f"at most {self._message_bytes} bytes",
                got=f"{size_bytes} bytes",
            )

    def _start(self, start: Start) -> Request:
        if self._phase is not _Phase.WAITING_FOR_START:
            raise PeerMistake(
                ErrorCode.START_TWICE,
                "The session began already",
                expected="one start for each connection",
                got="another one",
            )
        self._phase = _Phase.WAITING_FOR_US
        return Open(start) if start.resume is None else Rejoin(start.resume)

    def _end(self) -> Request | None:
        if self._phase is _Phase.ENDED:
            return None
        self._check_order("end")
        self._phase = _Phase.ENDED
        return Complete()

    def _check_order(self, kind: str) -> None:
        if self._phase is _Phase.ENDED:
            raise PeerMistake(
                ErrorCode.AUDIO_AFTER_END,
                "The session ended already",
                expected="only ping or end after end",
                got=kind,
            )
        if self._phase is not _Phase.LISTENING:
            raise PeerMistake(
                ErrorCode.AUDIO_BEFORE_START,
                "No session was started yet",
                expected="start, and nothing before ready came",
                got=kind,
            )

    def _audio(self, audio: Audio) -> Hear | None:
        width = self._admission.encoding.sample_bytes
        if len(audio.pcm) % width:
            raise PeerMistake(
                ErrorCode.MALFORMED,
                "The audio ends within a sample",
                expected=f"a multiple of {width} bytes",
                got=f"{len(audio.pcm)} bytes",
            )
        at = self._next if audio.at is None else audio.at
        if at > self._next:
            raise PeerMistake(
                ErrorCode.SAMPLE_GAP,
                "Audio is missing",
                expected=f"audio from sample {self._next}",
                got=f"from sample {at}",
            )
        end = at + len(audio.pcm) // width
        self._check_room(end)
        if end <= self._next:
            return None
        fresh = audio.pcm[(self._next - at) * width :]
        self._next = end
        return Hear(fresh)

    def _check_room(self, end: int) -> None:
        if end > self._admission.longest:
            raise PeerMistake(
                ErrorCode.TOO_LARGE,
                "The session is too long",
                expected=f"at most {self._admission.longest} samples",
                got=f"audio up to sample {end}",
            )
        if end > self._until:
            raise PeerMistake(
                ErrorCode.TOO_FAST,
                "Audio came faster than it was asked for",
                expected=f"audio up to sample {self._until}",
                got=f"up to sample {end}",
            )
