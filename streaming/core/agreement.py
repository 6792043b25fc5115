"""LocalAgreement-2, and words that need none: what of a hypothesis is certain enough to be final.

A live pass hears a window that ends in the middle of speech, so its last words waver. The longest
common prefix of two successive hypotheses does not (LocalAgreement-n of Liu, Spanakis and Niehues,
"Low-Latency Sequence-to-Sequence Speech Recognition and Translation by Partial Hypothesis
Selection", Interspeech 2020; with Whisper: Macháček, Dabre and Bojar, "Turning Whisper into
Real-Time Transcription System", 2023). A stable word becomes final once the session's look-ahead
has been heard after its end; a word that nobody agrees on becomes final after the session's
longest delay, so that nothing waits for ever.

A second pass tells nothing new of a word that the first was sure of: such a word becomes final
after the look-ahead alone. Errors of 1035 words and median delay with a look-ahead of 0.3 s: 173
and 0.81 s if all words wait for agreement, 172 and 0.69 s if those below 800 permille do, 179 and
0.65 s with 600, 214 and 0.60 s if none does (`docs/performance.md`).
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

    def __init__(self, lookahead: Samples, max_delay: Samples, sure: int) -> None:
        """Begin with nothing heard.

        Args:
            lookahead: Audio to be heard after a stable or a sure word before it is final.
            max_delay: Audio heard after any word from which it is final, agreed or not.
            sure: Confidence, in permille, from which a word is sure.
        """
        self._lookahead = lookahead
        self._max_delay = max_delay
        self._sure = sure
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
            certain = index < stable or word.confidence >= self._sure
            if waited < (self._lookahead if certain else self._max_delay):
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
