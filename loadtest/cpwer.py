"""Words and speakers at once: the concatenated minimum-permutation word error rate (cpWER).

As meeteval computes it: all that one person said is compared with all that one voice was heard to
say, with voices matched to people as it suits best (Watanabe et al., "CHiME-6 Challenge: Tackling
Multispeaker Speech Recognition for Unsegmented Recordings", CHiME 2020). A word of the wrong voice
is two errors.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from loadtest.scoring import Token

NOBODY = "nobody"
"""The voice of words that were given to none."""


@dataclass(frozen=True, slots=True)
class SpokenErrors:
    """Counts that can be added up over recordings.

    Attributes:
        words: Words that were said.
        errors: How many of them, and how many more, are wrong.
    """

    words: int = 0
    errors: int = 0

    def __add__(self, other: SpokenErrors) -> SpokenErrors:
        """Return the counts of both."""
        return SpokenErrors(self.words + other.words, self.errors + other.errors)

    @property
    def rate(self) -> float:
        """Errors for each word that was said."""
        return self.errors / self.words if self.words else 0.0


def spoken_errors(said: Iterable[Token], heard: Iterable[Token]) -> SpokenErrors:
    """Compare words with their speakers."""
    # A second of imports, for reports with speakers only.
    from meeteval.wer import cp_word_error_rate  # noqa: PLC0415

    found = cp_word_error_rate(
        _by_speaker(said), _by_speaker(heard), reference_sort=False, hypothesis_sort=False
    )
    return SpokenErrors(int(found.length), int(found.errors))


def _by_speaker(tokens: Iterable[Token]) -> dict[str, str]:
    texts: dict[str, list[str]] = {}
    for token in sorted(tokens, key=lambda token: (token.start_s, token.end_s)):
        texts.setdefault(token.speaker or NOBODY, []).append(token.text)
    return {speaker: " ".join(words) for speaker, words in texts.items()} or {NOBODY: ""}
