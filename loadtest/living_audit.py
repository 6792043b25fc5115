"""What stands in a document in the end, against what was said, written, and taken away.

What people typed is known by its characters, which occur once only. Of what was said, each segment
must still say its words, in their order and once: all but the letters that somebody erased there,
and the words that a correction replaced. Which words those are follows from the corrections that
the speaker was told, and from whether what they say instead was ever written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate

from loadtest.arrivals import Arrival
from loadtest.living_account import Account, is_typed
from loadtest.living_replica import Shown
from offline.domain import PassId, PassWord, Segment
from streaming.core.agreement import agreement_key
from trax_client import Correction, Final


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a session said, as the storage has it.

    Attributes:
        live: Name of the pass of its finals.
        finals: Their words.
        again: Name of the pass of its corrections.
        corrections: Their words.
    """

    live: PassId
    finals: Sequence[PassWord]
    again: PassId
    corrections: Sequence[PassWord]

    def words(self, segment: Segment) -> Sequence[PassWord]:
        """Return the words of a segment; none of a pass that is not the session's."""
        passes = {self.live: self.finals, self.again: self.corrections}
        return passes.get(segment.pass_id, ())[segment.first : segment.end]


@dataclass(frozen=True, slots=True)
class Typed:
    """Characters that people wrote.

    Attributes:
        written: How many.
        erased: Of them, how many somebody erased.
        met: Of those, how many somebody else erased than wrote them.
        missing: Nobody erased them, and they are not there.
        doubled: There more than once, or there though somebody erased them.
        strange: There, and nobody wrote them.
    """

    written: int
    erased: int
    met: int
    missing: int
    doubled: int
    strange: int


@dataclass(frozen=True, slots=True)
class Said:
    """Words that machines wrote.

    Attributes:
        words: How many; final words, or those of corrections that were written.
        replaced: Of them, how many corrections replaced.
        whole: Of the others, how many stand as they were said, but for what is typed in between.
        missing: Of the others, how many lack letters that nobody erased.
        doubled: Letters that are there more often than they were said, or in another order.
    """

    words: int
    replaced: int
    whole: int
    missing: int
    doubled: int

    @property
    def touched(self) -> int:
        """Of how many people erased letters."""
        return self.words - self.replaced - self.whole - self.missing


@dataclass(frozen=True, slots=True)
class Findings:
    """All that was compared.

    Attributes:
        typed: Characters in the text.
        noted: Characters in the notes.
        finals: Words of the live pass.
        corrections: Words that corrections wrote into the text.
        untold: Final words that the speaker was told and the storage lacks, or the other way.
        stray: Letters in the text of which it is not known where they are from.
        choices: How many names and speakers people chose.
        overridden: Of what people chose something for, how much says something else.
    """

    typed: Typed
    noted: Typed
    finals: Said
    corrections: Said
    untold: int
    stray: int
    choices: int
    overridden: int

    @property
    def complete(self) -> bool:
        """Whether nothing is missing, doubled, or of unknown origin."""
        people = (self.typed, self.noted)
        machines = (self.finals, self.corrections)
        wrong = [each.missing + each.doubled + each.strange for each in people]
        wrong += [each.missing + each.doubled for each in machines]
        return not any((*wrong, self.untold, self.stray, self.overridden))


def audit(
    stored: Shown, spoken: Spoken, arrivals: Sequence[Arrival], accounts: Sequence[Account]
) -> Findings:
    """Compare a stored document with what everybody did.

    Args:
        stored: The document.
        spoken: What the one session said.
        arrivals: What its speaker was told.
        accounts: Of all editors.
    """
    told = [word.text for final in _finals(arrivals) for word in final.words]
    kept = [word.text for word in spoken.finals]
    ledger = _Ledger.of(stored, spoken, arrivals, accounts)
    return Findings(
        typed=_typed(
            "".join(text for text, _ in stored.text),
            [account.written for account in accounts],
            [{each for _, each in account.erased} for account in accounts],
        ),
        noted=_typed(stored.notes, [account.noted for account in accounts], []),
        finals=ledger.finals(),
        corrections=ledger.corrections(),
        untold=sum(one != other for one, other in zip(told, kept, strict=False))
        + abs(len(told) - len(kept)),
        stray=ledger.stray,
        choices=sum(len(account.chosen) for account in accounts),
        overridden=_overridden(stored, accounts),
    )


def _typed(text: str, written: Sequence[Sequence[str]], erased: Sequence[set[str]]) -> Typed:
    there = Counter(filter(is_typed, text))
    everything = {character for each in written for character in each}
    gone = {character for each in erased for character in each if is_typed(character)}
    own = [set(mine) & by_me for mine, by_me in zip(written, erased, strict=False)]
    return Typed(
        written=len(everything),
        erased=len(gone),
        met=len(gone) - len(set().union(*own) if own else set()),
        missing=len(everything - gone - there.keys()),
        doubled=sum(count - 1 for count in there.values()) + len(gone & there.keys()),
        strange=len(there.keys() - everything),
    )


def _overridden(stored: Shown, accounts: Sequence[Account]) -> int:
    chosen: dict[tuple[str, str], set[str]] = {}
    for account in accounts:
        for name, key, value in account.chosen:
            chosen.setdefault((name, key), set()).add(value)
    wrong = 0
    for (name, key), values in chosen.items():
        found = stored.maps[name].get(key)
        wrong += (found.get("name") if isinstance(found, dict) else found) not in values
    return wrong


@dataclass(frozen=True, slots=True)
class _Change:
    """What a correction says instead of final words; one of the two may be empty."""

    old: range
    new: Segment


@dataclass(slots=True)
class _Ledger:
    """What stands of each segment, and why the rest does not; made by `of`."""

    spoken: Spoken
    standing: dict[Segment, str]
    erased: dict[Segment, Counter[str]]
    stray: int
    replaced: set[int]
    dropped: set[int]

    @classmethod
    def of(
        cls,
        stored: Shown,
        spoken: Spoken,
        arrivals: Sequence[Arrival],
        accounts: Sequence[Account],
    ) -> _Ledger:
        """Sort letters by the segments that they stood in."""
        standing: dict[Segment, str] = {}
        erased: dict[Segment, Counter[str]] = {}
        stray = 0
        for text, attributes in stored.text:
            segment, letters = Segment.parse(dict(attributes).get("g")), _letters(text)
            if segment is not None and spoken.words(segment):
                standing[segment] = standing.get(segment, "") + letters
            else:
                stray += len(letters)
        for name, character in (each for account in accounts for each in account.erased):
            segment = Segment.parse(name)
            if segment is not None:
                erased.setdefault(segment, Counter()).update(_letters(character))
        seen = standing.keys() | erased.keys()
        changes = list(_changes(spoken, arrivals))
        # Words that a correction only removes leave nothing that would tell whether it was done.
        replaced = {word for change in changes if change.new in seen for word in change.old}
        dropped = {
            word for change in changes if change.new.first == change.new.end for word in change.old
        }
        return cls(spoken, standing, erased, stray, replaced, dropped)

    def finals(self) -> Said:
        """Return what became of the words of the live pass."""
        segments = self._segments(self.spoken.live)
        covered = {word for segment in segments for word in range(segment.first, segment.end)}
        never = set(range(len(self.spoken.finals))) - covered - self.replaced - self.dropped
        counted = [self._count(segment) for segment in segments]
        return _sum(counted, len(self.spoken.finals), len(never))

    def corrections(self) -> Said:
        """Return what became of the words of corrections that were written."""
        segments = self._segments(self.spoken.again)
        counted = [self._count(segment) for segment in segments]
        return _sum(counted, sum(segment.end - segment.first for segment in segments), 0)

    def _segments(self, pass_id: PassId) -> list[Segment]:
        seen = self.standing.keys() | self.erased.keys()
        return sorted((each for each in seen if each.pass_id == pass_id), key=lambda s: s.first)

    def _count(self, segment: Segment) -> Said:
        live = segment.pass_id == self.spoken.live
        numbers = range(segment.first, segment.end)
        replaced = [live and number in self.replaced for number in numbers]
        dropped = [live and number in self.dropped for number in numbers]
        words = [_letters(word.text) for word in self.spoken.words(segment)]
        expected = [word for word, gone in zip(words, replaced, strict=True) if not gone]
        there, letters = self.standing.get(segment, ""), "".join(expected)
        excused = self.erased.get(segment, Counter[str]()) + Counter(
            "".join(word for word, may_go in zip(words, dropped, strict=True) if may_go)
        )
        lacking = Counter(letters) - Counter(there) - excused
        surplus = Counter(there) - Counter(letters)
        whole = _whole(expected, there)
        return Said(
            words=len(words),
            replaced=sum(replaced),
            whole=whole,
            missing=len(expected) - whole if lacking else 0,
            doubled=surplus.total() or int(not _is_subsequence(there, letters)),
        )


def _sum(counted: Iterable[Said], words: int, never: int) -> Said:
    counted = list(counted)
    # Words that were replaced before anybody saw their segment are in none that is counted.
    replaced = sum(each.replaced for each in counted)
    seen = sum(each.words for each in counted)
    return Said(
        words=words,
        replaced=replaced + words - seen - never,
        whole=sum(each.whole for each in counted),
        missing=sum(each.missing for each in counted) + never,
        doubled=sum(each.doubled for each in counted),
    )


def _changes(spoken: Spoken, arrivals: Sequence[Arrival]) -> Iterator[_Change]:
    """Yield what corrections said instead of which final words, as the server compared them."""
    heard = [word for final in _finals(arrivals) for word in final.words]
    known = first = 0
    for event in (arrival.event for arrival in arrivals):
        if isinstance(event, Final):
            known += len(event.words)
        elif isinstance(event, Correction):
            inside = [
                number
                for number, word in enumerate(heard[:known])
                if word.lies_in(event.start_ms, event.end_ms)
            ]
            new = spoken.corrections[first : first + len(event.words)]
            if inside:
                start, old = inside[0], spoken.finals[inside[0] : inside[-1] + 1]
                for ours, theirs in _differences(old, new):
                    yield _Change(
                        range(start + ours.start, start + ours.stop),
                        Segment(spoken.again, first + theirs.start, first + theirs.stop),
                    )
            first += len(event.words)


def _differences(old: Sequence[PassWord], new: Sequence[PassWord]) -> Iterator[tuple[range, range]]:
    """Yield which words of a pass another hears as which; case and punctuation word by word."""
    ours, theirs = ([agreement_key(word.text) for word in words] for words in (old, new))
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if tag != "equal":
            yield range(i1, i2), range(j1, j2)
            continue
        for i, j in zip(range(i1, i2), range(j1, j2), strict=True):
            if old[i].text != new[j].text:
                yield range(i, i + 1), range(j, j + 1)


def _finals(arrivals: Iterable[Arrival]) -> list[Final]:
    return [arrival.event for arrival in arrivals if isinstance(arrival.event, Final)]


def _letters(text: str) -> str:
    """Return what machines wrote of a text, without the spaces, which they move."""
    return "".join(each for each in text if not (each.isspace() or is_typed(each)))


def _whole(words: Sequence[str], there: str) -> int:
    """Return how many words still have all their letters."""
    ends = list(accumulate(map(len, words), initial=0))
    matcher = SequenceMatcher(None, "".join(words), there, autojunk=False)
    found = {block.a + at for block in matcher.get_matching_blocks() for at in range(block.size)}
    return sum(
        all(letter in found for letter in range(ends[number], ends[number + 1]))
        for number in range(len(words))
    )


def _is_subsequence(there: str, letters: str) -> bool:
    rest = iter(letters)
    return all(letter in rest for letter in there)
