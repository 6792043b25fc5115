"""WhisperLiveKit's own protocol, as of its release 0.2.26.

Audio goes to `/asr` as it is (the server must run with `--pcm-input`), and an empty message ends
it. What comes back is the whole text each time: `lines` that stand, cut by speakers, and after
them `buffer_diarization` (words that stand, whose speaker does not) and `buffer_transcription`
(words that may change). `ready_to_stop` is the end.

No word has times, lines have them in whole seconds. When a word ended is therefore taken from the
truth, by alignment, and a recording without truth cannot be measured.
"""

from __future__ import annotations

from loadtest.normalization import normalize
from loadtest.peers.messages import PeerFailed, objects_of, read_object, text_of
from loadtest.peers.screen import Screen
from loadtest.scoring import Token


class WhisperLiveKit:
    """What one connection says; a `Dialect`."""

    timed = False
    ends_by_closing = False
    farewell = b""

    def address(self, url: str, language: str) -> str:
        """Return where to connect."""
        return f"{url}{'&' if '?' in url else '?'}language={language}"

    def hear(self, message: str | bytes, at_s: float, screen: Screen) -> bool:
        """Take a message; return whether it was the last.

        Raises:
            PeerFailed: The server says so, or it is no message.
        """
        fields = read_object(message)
        kind = text_of(fields, "type")
        if kind == "ready_to_stop":
            return True
        if failure := text_of(fields, "error"):
            raise PeerFailed(f"WhisperLiveKit failed: {failure}")
        # `config` comes first; other types than none are of features that nobody asked for.
        if not kind:
            lines = [text_of(line, "text") for line in objects_of(fields, "lines")]
            standing = [*lines, text_of(fields, "buffer_diarization")]
            tentative = text_of(fields, "buffer_transcription")
            screen.show(at_s, _tokens(" ".join(standing)), _tokens(tentative))
        return False


def _tokens(text: str) -> list[Token]:
    nowhere = float("nan")
    return [Token(word, nowhere, nowhere, None) for word in normalize(text)]
