"""LocalAgreement-2: words on which two successive passes agree are stable.

A live pass hears a window that ends in the middle of speech, so its last words waver. The longest
common prefix of two successive hypotheses does not (LocalAgreement-n of Liu, Spanakis and Niehues,
"Low-Latency Sequence-to-Sequence Speech Recognition and Translation by Partial Hypothesis
Selection", Interspeech 2020; with Whisper: Macháček, Dabre and Bojar, "Turning Whisper into
Real-Time Transcription System", 2023). A stable word becomes final once the session's look-ahead
has been heard after its end; a word that nobody agrees on becomes final after the session's
longest delay, so that nothing waits for ever.
"""

from __future__ import annotations

from collections.abc import Sequence

from streaming.core.domain import Samples, Word


def agreement_key(text: str) -> str:
    """Return what of a word counts when two passes are compared: letters and digits, folded.

    A word of punctuation alone keeps its text, so that it never equals nothing.
    """
    folded = "".join(c for c in text.casefold() if c.isalnum() or c == "'")
    return folded or text.strip()


def common_prefix(first: Sequence[Word], second: Sequence[Word]) -> int:
    """Return how many words from the first on two hypotheses share."""
    count = 0
    for one, other in zip(first, second, strict=False):
        if agreement_key(one.text) != agreement_key(other.text):
            break
        count += 1
    return count


class Agreement:
    """Hypotheses of one utterance, and how much of them is settled; owned by its utterance."""

    def __init__(self, lookahead: Samples, max_delay: Samples) -> None:
        """Begin with nothing heard.

        Args:
            lookahead: Audio to be heard after a stable word before it is final.
            max_delay: Audio heard after any word from which it is final, agreed or not.
        """
        self._lookahead = lookahead
        self._max_delay = max_delay
        self._pending: tuple[Word, ...] = ()
        self._stable = 0

    @property
    def pending(self) -> tuple[Word, ...]:
        """Words of the newest hypothesis that are not final."""
        return self._pending

    @property
    def stable(self) -> int:
        """How many pending words, from the first, two passes agree on."""
        return self._stable

    def push(self, words: Sequence[Word], heard_until: Samples) -> tuple[Word, ...]:
        """Take the hypothesis of a pass, and return the words that became final by it.

        Args:
            words: All words after those that are final.
            heard_until: End of the window that the pass heard.
        """
        stable = common_prefix(self._pending, words)
        final = 0
        for index, word in enumerate(words):
            waited = heard_until - word.span.end
            agreed = index < stable and waited >= self._lookahead
            if not agreed and waited < self._max_delay:
                break
            final = index + 1
        self._pending = tuple(words[final:])
        self._stable = max(0, stable - final)
        return tuple(words[:final])

    def consider(self, words: Sequence[Word]) -> None:
        """Take a hypothesis that no word may become final by."""
        self._stable = common_prefix(self._pending, words)
        self._pending = tuple(words)

    def close(self) -> tuple[Word, ...]:
        """Return what was pending, final now: nothing more will be heard."""
        words, self._pending, self._stable = self._pending, (), 0
        return words
