"""Which words of a segment still stand in the text that people edit, and where.

A segment's text is what a pass wrote, until somebody types into it or deletes from it. Both sides
are cut into lexemes, which are aligned::

    words of the pass    " Twenty"  "-one"     " green,"  " bottles"
    lexemes               twenty      one        green      bottles
                             |         |           |
    text                 " Twenty    -one        green     bottle"

A lexeme is a run of letters and digits. In scripts that put no spaces between words it is a single
letter, so that a word need not be found to be compared. What lies between lexemes, which is space
and punctuation, never decides whether a word stands, only whether it stands exactly.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import islice

from offline.domain import PassWord

SPACELESS_SCRIPTS = (
    "BALINESE",
    "CJK",
    "HALFWIDTH KATAKANA",
    "HIRAGANA",
    "IDEOGRAPHIC",
    "JAVANESE",
    "KATAKANA",
    "KHMER",
    "LAO",
    "MYANMAR",
    "TAI",
    "THAI",
    "TIBETAN",
)
"""How the Unicode names of letters begin whose languages put no spaces between words."""


@dataclass(frozen=True, slots=True)
class StandingWord:
    """A word of a segment that is still in the text.

    Attributes:
        word: Its index among the segment's words.
        text: Index of the text it stands in.
        start: Code point in that text at which it begins, with as much of the word's own space
            and punctuation as stands there.
        end: Code point after its last.
        exact: The text there is the word's to the character. At the start of a text the word's
            leading space may be missing: nobody writes a space after the newline of a turn.
    """

    word: int
    text: int
    start: int
    end: int
    exact: bool


@dataclass(frozen=True, slots=True)
class _Lexeme:
    key: str
    owner: int  # Index of the text, or of the word, that it was cut from.
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Place:
    """The first and last lexeme of a word, and the lexemes that these are in a text."""

    first: _Lexeme
    last: _Lexeme
    first_found: _Lexeme
    last_found: _Lexeme

    def widen(self, word: str, text: str, floor: int) -> tuple[int, int]:
        """Return the place with what else of the word stands around its lexemes."""
        start, end = self.first_found.start, self.last_found.end
        lead, rest = word[: self.first.start], word[self.last.end :]
        start -= _common_prefix(lead[::-1], text[max(floor, start - len(lead)) : start][::-1])
        end += _common_prefix(rest, text[end : end + len(rest)])
        return start, end


def shape(text: str) -> str:
    """Return a text's kinds of characters, one letter for each code point.

    `w`: letter or digit; `c`: the same of a script without spaces; `m`: accent, vowel sign or
    joiner, which belongs to the letter before it; `s`: space; `p`: anything else.
    """
    return "".join(map(_kind, text))


def standing(texts: Sequence[str], words: Sequence[PassWord]) -> list[StandingWord]:
    """Return the words that still stand, in their order, each at most once.

    A word stands where all its lexemes follow one another in one text, whatever became of case and
    punctuation. Of a word without letters the punctuation has to stand by itself, between spaces.

    Args:
        texts: The pieces of text that carry the segment, in their order.
        words: The segment's words.
    """
    return _unedited(texts, words) or _edited(texts, words)


def _unedited(texts: Sequence[str], words: Sequence[PassWord]) -> list[StandingWord]:
    """Return all words, if the texts are nothing but these; else nothing."""
    found: list[StandingWord] = []
    text = start = 0
    for index, word in enumerate(words if texts else ()):
        while start == len(texts[text]) and text + 1 < len(texts):
            text, start = text + 1, 0
        length = _length_at(texts[text], start, word.text)
        if length is None:
            return []
        found.append(StandingWord(index, text, start, start + length, exact=True))
        start += length
    rest = sum(map(len, texts[text:])) - start
    return [] if rest else found


def _length_at(text: str, start: int, word: str) -> int | None:
    if text.startswith(word, start):
        return len(word)
    bare = word.lstrip()
    return len(bare) if start == 0 and text.startswith(bare) else None


def _edited(texts: Sequence[str], words: Sequence[PassWord]) -> list[StandingWord]:
    ours = [_lexemes(word.text, index) for index, word in enumerate(words)]
    theirs = [lexeme for index, text in enumerate(texts) for lexeme in _lexemes(text, index)]
    found: list[StandingWord] = []
    for place in _find([lexemes for lexemes in ours if lexemes], theirs):
        word, text = place.first.owner, place.first_found.owner
        before = found[-1] if found else None
        # Of " a-" and "-b", both of "a-b", the first has the hyphen.
        floor = before.end if before is not None and before.text == text else 0
        start, end = place.widen(words[word].text, texts[text], floor)
        here = texts[text][start:end]
        bare = words[word].text.lstrip() if start == 0 else None
        found.append(StandingWord(word, text, start, end, here in {words[word].text, bare}))
    return found


def _find(words: Sequence[list[_Lexeme]], theirs: Sequence[_Lexeme]) -> list[_Place]:
    """Return where words are found whole.

    Words that are found in part do not stand, and the rest is aligned without them: in scripts
    without spaces they have a letter or two in common with any text, and so hide other words.
    """
    keys = [lexeme.key for lexeme in theirs]
    while True:
        partners = iter(_align([lexeme.key for word in words for lexeme in word], keys))
        found = [(word, list(islice(partners, len(word)))) for word in words]
        left = [word for word, at in found if max(at) < 0 or _is_whole(at, theirs)]
        if len(left) == len(words):
            return [
                _Place(word[0], word[-1], theirs[at[0]], theirs[at[-1]])
                for word, at in found
                if at[0] >= 0
            ]
        words = left


def _align(ours: Sequence[str], theirs: Sequence[str]) -> list[int]:
    """Return the index of each of our lexemes among theirs, rising; -1 where it is missing."""
    # Most edits are few, and aligning costs the square of the length: what is equal is left out.
    head = _common_prefix(ours, theirs)
    tail = _common_prefix(ours[head:][::-1], theirs[head:][::-1])
    our_end, their_end = len(ours) - tail, len(theirs) - tail
    partners = [*range(head), *[-1] * (our_end - head), *range(their_end, len(theirs))]
    matcher = SequenceMatcher(None, ours[head:our_end], theirs[head:their_end], autojunk=False)
    for block in matcher.get_matching_blocks():
        start, found = head + block.a, head + block.b
        partners[start : start + block.size] = range(found, found + block.size)
    return partners


def _is_whole(at: Sequence[int], theirs: Sequence[_Lexeme]) -> bool:
    follow = list(at) == list(range(at[0], at[0] + len(at)))
    return follow and theirs[at[0]].owner == theirs[at[-1]].owner


def _common_prefix(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


_LEXEME = re.compile(r"w[wm]*|cm*|(?<![^s])p[pm]*(?![^s])")


def _lexemes(text: str, owner: int) -> list[_Lexeme]:
    return [
        _Lexeme(text[found.start() : found.end()].casefold(), owner, found.start(), found.end())
        for found in _LEXEME.finditer(shape(text))
    ]


@lru_cache(maxsize=4096)
def _kind(char: str) -> str:
    if char.isspace():
        return "s"
    category = unicodedata.category(char)
    if category[0] == "M" or category == "Cf":
        return "m"
    if not char.isalnum():
        return "p"
    return "c" if unicodedata.name(char, "").startswith(SPACELESS_SCRIPTS) else "w"
