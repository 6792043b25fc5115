"""Lines of a growing transcript that are unlikely to change any more."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from trax_client.folding import SpokenWord, Transcript, Turn, group_turns


class SettlingLines:
    """Hands out each line once, in order, when it has settled.

    A line is one speaker's part of one utterance. It may change as long as corrections and
    revised speakers may come: it has settled once its utterance is over and the server has heard
    `patience_ms` more. What comes even later is not shown; an endless wait would be worse.

    Args:
        transcript: Read, never changed.
        patience_ms: Audio heard after a line.
    """

    def __init__(self, transcript: Transcript, patience_ms: int) -> None:
        self._transcript = transcript
        self._patience_ms = patience_ms
        self._taken_until_ms = -1

    def take(self, processed_ms: int) -> Sequence[Turn]:
        """Return lines that have settled by now."""
        settled: list[Turn] = []
        for line in self.rest():
            going_on = line.words[0].utterance == self._transcript.open_utterance
            if going_on or line.end_ms + self._patience_ms > processed_ms:
                break
            settled.append(line)
        self._forget(settled)
        return settled

    def take_all(self) -> Sequence[Turn]:
        """Return all lines that are left: nothing more comes."""
        rest = self.rest()
        self._forget(rest)
        return rest

    def rest(self) -> Sequence[Turn]:
        """Return the lines that have not been taken."""
        words = self._transcript.words
        first = len(words)
        while first and words[first - 1].word.end_ms > self._taken_until_ms:
            first -= 1
        return [
            line
            for _, utterance in groupby(words[first:], key=_utterance_of)
            for line in group_turns(tuple(utterance))
        ]

    def _forget(self, lines: Sequence[Turn]) -> None:
        if lines:
            self._taken_until_ms = lines[-1].end_ms


def _utterance_of(spoken: SpokenWord) -> int:
    return spoken.utterance


def clock(ms: int) -> str:
    """Return a time as people read it: `4:07`, `1:04:07`."""
    minutes, seconds = divmod(ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
