"""What is searched for in a text: its words, in a form that both databases index alike.

SQLite's FTS5 and PostgreSQL's text search each split texts in a way of their own, and neither
splits Chinese, Japanese or Thai. So we split: a text becomes the set of its words without case and
accents; where a script has no spaces, every two neighbouring characters are a word, as in Lucene's
CJKAnalyzer. The databases store and index that set as it is. A query is split in the same way, and
finds the texts that have words which begin with each of its words, in any order.

Positions are not kept. That is what keeps the index small (a meeting of three hours has some 4,000
different words, 30 kB) and within PostgreSQL's limits (16,383 positions, 256 for each word); the
price is that nobody can search for a phrase.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

TERM_CHARS = 64
"""A longer word is found by its beginning. PostgreSQL takes 2046 bytes."""

TERMS_BYTES = 1_000_000
"""Of a text's different words, what comes first. PostgreSQL takes 1,048,575 bytes."""

QUERY_TERMS = 32
"""Of a query's words, the first; nobody types more, and each costs a look into the index."""

_UNSPACED = re.compile(
    "(["
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f"  # Burmese
    "\u1780-\u17ff"  # Khmer
    "\u3040-\u30ff\u31f0-\u31ff"  # Hiragana, Katakana
    "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "]+)"
)
_ACCENTS = range(0x300, 0x370)


class _Letters(dict[int, int | str | None]):
    """For `str.translate`: letters, digits and marks stay, accents go, all else separates."""

    def __missing__(self, code: int) -> int | str | None:
        kind = unicodedata.category(chr(code))[0]
        if code in _ACCENTS:
            kept: int | str | None = None
        else:
            kept = code if kind in "LMN" else " "
        self[code] = kept
        return kept


def terms(text: str) -> list[str]:
    """Return the different words of a text, in the order in which they first come."""
    folded = unicodedata.normalize("NFKD", text).casefold().translate(_Letters())
    words = unicodedata.normalize("NFC", folded).split()
    return list(dict.fromkeys(term for word in words for term in _split(word)))


def as_column(text: str) -> str:
    """Return what is stored of a text to find it by: its words, with spaces between them."""
    joined = " ".join(terms(text)).encode()
    if len(joined) <= TERMS_BYTES:
        return joined.decode()
    return joined[: joined.rindex(b" ", 0, TERMS_BYTES + 1)].decode()


def as_fts5(query: str) -> str:
    """Return a query in the language of FTS5; without words it finds nothing.

    https://sqlite.org/fts5.html#full_text_query_syntax
    """
    return " ".join(f'"{term}"*' for term in terms(query)[:QUERY_TERMS]) or '""'


def as_tsquery(query: str) -> str:
    """Return a query in PostgreSQL's language; without words it finds nothing.

    https://www.postgresql.org/docs/current/datatype-textsearch.html#DATATYPE-TSQUERY
    """
    return " & ".join(f"'{term}':*" for term in terms(query)[:QUERY_TERMS])


def _split(word: str) -> Iterator[str]:
    # Odd parts are those of scripts without spaces. Their last character stands alone, so that
    # each character begins a term, and a query of one character finds it.
    for index, part in enumerate(_UNSPACED.split(word)):
        if index % 2:
            yield from (part[at : at + 2] for at in range(len(part)))
        elif part:
            yield part[:TERM_CHARS]
