"""Client of the Trax real-time transcription server: audio in, words with speakers out.

    async with trax_client.connect(language="en") as session:
        ...

Files in reading order: `events` (what comes), `session` (what one uses), `folding` (what was
said up to now), `errors`. Below: `link` carries a session over connections, `dialogue`,
`outbox` and `continuation` are the protocol without a socket, `renewal` asks what arrived of a
session that is gone, `inbox` is events not read yet, `wire` the codec,
`requests` what it encodes, `fields` how it reads, `sockets`, `address` and `backoff` how, where
and when to connect. The command `trax-client` stands on top: `cli`, with audio from `sources` and
the screen in `screen`.

Shared transcripts: `library` lists, fills and exports them over HTTP, in `records`, by `uploading`
where files are sent; `transcript` opens
one, to be read and edited while it is spoken. It is not imported here, since it needs pycrdt.
Below: `document` is what a transcript says, `changes` how one follows it, `replica` our copy of
it, `replication` keeps that the same as the server's, by messages of `frames`.

A chunk of audio: `Session.send` -> `Outbox` -> `Link` -> socket; kept in the outbox until
acknowledged. An event: socket -> `Link` -> `Dialogue` (once only) -> `Inbox` -> iteration of the
`Session`.
"""

from trax_client.backoff import Reconnect
from trax_client.errors import (
    ConnectionLost,
    EventsMissed,
    Forbidden,
    NotFound,
    NotSaved,
    ProtocolViolation,
    Refused,
    ServerFailed,
    ServerUnreachable,
    SessionError,
    SessionGone,
    SuggestionOutdated,
    TraxError,
    Unauthorized,
    Unavailable,
)
from trax_client.events import (
    Correction,
    Done,
    Event,
    Final,
    Language,
    Partial,
    Ready,
    Speaker,
    SpeechStart,
    Stats,
    UtteranceEnd,
    Word,
)
from trax_client.folding import SpokenWord, Transcript, Turn
from trax_client.library import Hearing, Library
from trax_client.session import Session, SessionStats, connect

__all__ = [
    "ConnectionLost",
    "Correction",
    "Done",
    "Event",
    "EventsMissed",
    "Final",
    "Forbidden",
    "Hearing",
    "Language",
    "Library",
    "NotFound",
    "NotSaved",
    "Partial",
    "ProtocolViolation",
    "Ready",
    "Reconnect",
    "Refused",
    "ServerFailed",
    "ServerUnreachable",
    "Session",
    "SessionError",
    "SessionGone",
    "SessionStats",
    "Speaker",
    "SpeechStart",
    "SpokenWord",
    "Stats",
    "SuggestionOutdated",
    "Transcript",
    "TraxError",
    "Turn",
    "Unauthorized",
    "Unavailable",
    "UtteranceEnd",
    "Word",
    "connect",
]
