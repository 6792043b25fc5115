"""The one place that says when two texts are the same words.

Every word error rate and every alignment of this package compares texts in this form: lower case,
`mr.` and its kind written out as people say them, typographic apostrophes made plain, and all
other characters but letters, digits and apostrophes taken for spaces. Accents stay. Numbers are
left as written: the conversations of `tests/data` have none.
"""

from __future__ import annotations

import re

_SPOKEN = {"mr": "mister", "mrs": "missus", "dr": "doctor", "vs": "versus"}
"""Abbreviations that recognizers write for words that truths spell out."""

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*'?")


def normalize(text: str) -> tuple[str, ...]:
    """Return the words of a text, comparable; perhaps none."""
    plain = text.lower().replace("’", "'")
    return tuple(_SPOKEN.get(word, word) for word in _WORD.findall(plain))
