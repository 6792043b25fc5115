"""The Deepgram live protocol, which Deepgram and others (WhisperLiveKit among them) serve.

Audio goes to `/v1/listen` as raw 16-bit samples, `CloseStream` ends it. `Results` with `is_final`
stand and are never sent again; those without replace each other. Words have times of their own: a
recording without truth can be measured. With truth, words end when it says, as for everybody.
The server's closing the connection is the end: `Metadata` comes then, but from some at the
beginning as well.
"""

from __future__ import annotations

from collections.abc import Mapping

from loadtest.normalization import normalize
from loadtest.peers.messages import PeerFailed, objects_of, read_object, seconds_of, text_of
from loadtest.peers.screen import Screen
from loadtest.scoring import Token
from streaming.core.domain import SAMPLE_RATE


class Deepgram:
    """What one connection says; a `Dialect`."""

    timed = True
    ends_by_closing = True
    farewell = '{"type": "CloseStream"}'

    def __init__(self) -> None:
        """Have heard nothing yet."""
        self._standing: list[Token] = []

    def address(self, url: str, language: str) -> str:
        """Return where to connect; what the URL asks for stays."""
        asked = f"encoding=linear16&sample_rate={SAMPLE_RATE}&channels=1&interim_results=true"
        return f"{url}{'&' if '?' in url else '?'}{asked}&language={language}"

    def hear(self, message: str | bytes, at_s: float, screen: Screen) -> bool:
        """Take a message; return whether it was the last.

        Raises:
            PeerFailed: The server says so, or it is no message.
        """
        fields = read_object(message)
        match text_of(fields, "type"):
            case "Results":
                words = _words(fields)
                if fields.get("is_final") is True:
                    self._standing += words
                    words = []
                screen.show(at_s, self._standing, words)
            case "Error":
                failure = text_of(fields, "description") or text_of(fields, "message")
                raise PeerFailed(f"the Deepgram server failed: {failure or 'it does not say why'}")
            case _:
                pass  # `Metadata`, `SpeechStarted` and others have no words.
        return False


def _words(fields: Mapping[str, object]) -> list[Token]:
    channel = fields.get("channel")
    alternatives = objects_of(channel if isinstance(channel, dict) else {}, "alternatives")
    best: Mapping[str, object] = next(alternatives, {})
    found: list[Token] = []
    for word in objects_of(best, "words"):
        start_s, end_s = seconds_of(word, "start"), seconds_of(word, "end")
        if start_s is None or end_s is None:
            continue  # A word without a place cannot be counted.
        text = text_of(word, "punctuated_word") or text_of(word, "word")
        speaker = word.get("speaker")
        named = None if speaker is None else str(speaker)
        found += [Token(each, start_s, end_s, named) for each in normalize(text)]
    return found
