"""What stands in a document in the end, against what was said, written, and taken away.

What people typed is known by its characters, which occur once only. Of what was said, each segment
must still say its words, in their order and once: all but the letters that somebody erased there,
and the words that a correction replaced. Which words those are is told by the decisions that are
stored with the document: a correction that was applied has to stand there itself, and what it
replaced must be gone.

Which segment a letter belongs to is an attribute, and for Yjs attributes are marks between letters:
where several people type and erase between two words at once, a letter may come to stand on the
other side of a mark. So what one segment lacks may stand, or may have been erased, as a letter too
many elsewhere. Such letters are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import accumulate

from loadtest.arrivals import Arrival
from loadtest.living_account import Account, is_typed
from loadtest.living_replica import Shown
from offline.decisions import Decision, Hunk, Outcome
from offline.domain import PassId, PassWord, Segment, WordRef
from trax_client import Final, Word


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a session said, as the storage has it.

    Attributes:
        live: Name of the pass of its final words.
        passes: The words of this pass, and of those that corrected it.
        decisions: What became of corrections.
    """

    live: PassId
    passes: Mapping[PassId, Sequence[PassWord]]
    decisions: Sequence[Decision]

    def words(self, segment: Segment) -> Sequence[PassWord]:
        """Return the words of a segment; none of a pass that there is not."""
        return self.passes.get(segment.pass_id, ())[segment.first : segment.end]

    def applied(self) -> list[Hunk]:
        """Return the corrections that are in the text."""
        hunks = (
            Hunk.parse(decision.hunk)
            for decision in self.decisions
            if decision.outcome is Outcome.APPLIED
        )
        return [hunk for hunk in hunks if hunk is not None]


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
        moved: Letters that stand, or stood, as those of another segment than they were written in.
        choices: How many names and speakers people chose.
        overridden: Of what people chose something for, how much says something else.
    """

    typed: Typed
    noted: Typed
    finals: Said
    corrections: Said
    untold: int
    stray: int
    moved: int
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
    told = [word.text for word in _finals(arrivals)]
    kept = [word.text for word in spoken.passes[spoken.live]]
    ledger = _Ledger.of(stored, spoken, accounts)
    return Findings(
        typed=_typed(
            "".join(text for text, _ in stored.text),
            [account.written for account in accounts],
            [{each.character for each in account.erased} for account in accounts],
        ),
        noted=_typed(stored.notes, [account.noted for account in accounts], []),
        finals=ledger.finals(),
        corrections=ledger.corrected(),
        untold=sum(one != other for one, other in zip(told, kept, strict=False))
        + abs(len(told) - len(kept)),
        stray=ledger.stray.total(),
        moved=sum(each.total() for each in ledger.moved.values()),
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


@dataclass(slots=True)
class _Ledger:
    """What stands of each segment, and why the rest does not; made by `of`.

    Attributes:
        spoken: What was said.
        standing: Letters in the text, by segment.
        erased: Letters that people erased there.
        stray: Letters of no segment.
        gone: Letters that people erased in no segment.
        replaced: Words in whose place others stand, or that were not said after all.
        corrections: Words that stand in their place.
        surplus: Letters that a segment has too many and no other one lacks.
        moved: Letters that a segment lacks and another one, or none, has or had too many.
    """

    spoken: Spoken
    standing: dict[Segment, str]
    erased: dict[Segment, Counter[str]]
    stray: Counter[str]
    gone: Counter[str]
    replaced: set[WordRef]
    corrections: set[WordRef]
    surplus: dict[Segment, Counter[str]] = field(default_factory=dict)
    moved: dict[Segment, Counter[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, stored: Shown, spoken: Spoken, accounts: Sequence[Account]) -> _Ledger:
        """Sort letters by the segments that they stood in."""
        applied = spoken.applied()
        replaced = {ref for hunk in applied for ref in hunk.old}
        corrections = {ref for hunk in applied for ref in _refs(hunk.new)}
        written = corrections | _all_refs(spoken.live, spoken)
        standing: dict[Segment, str] = {}
        erased: dict[Segment, Counter[str]] = {}
        stray, gone = Counter[str](), Counter[str]()
        for text, attributes in stored.text:
            segment, letters = Segment.parse(dict(attributes).get("g")), _letters(text)
            if segment is not None and written.issuperset(_refs(segment)):
                standing[segment] = standing.get(segment, "") + letters
            else:
                stray.update(letters)
        once = {each.identity: each for account in accounts for each in account.erased}
        for each in once.values():
            segment = Segment.parse(each.segment)
            if segment is not None and written.issuperset(_refs(segment)):
                erased.setdefault(segment, Counter()).update(_letters(each.character))
            else:
                gone.update(_letters(each.character))
        ledger = cls(spoken, standing, erased, stray, gone, replaced, corrections)
        ledger._find_moved()
        return ledger

    def _find_moved(self) -> None:
        """Look for what segments lack among what others have, or had, too many."""
        excess = [self.stray, self.gone]
        for segment in self.standing.keys() | self.erased.keys():
            there = Counter(self.standing.get(segment, ""))
            said = Counter(_letters("".join(word.text for word in self.spoken.words(segment))))
            self.surplus[segment] = there - Counter("".join(self._expected(segment)))
            excess += [self.surplus[segment], self._erased(segment) - (said - there)]
        for segment in self.surplus:
            self.moved[segment] = Counter()
            for letter in self._lacking(segment).elements():
                source = next((each for each in excess if each[letter] > 0), None)
                if source is not None:
                    source[letter] -= 1
                    self.moved[segment][letter] += 1

    def finals(self) -> Said:
        """Return what became of the words of the live pass."""
        return self._said(_all_refs(self.spoken.live, self.spoken))

    def corrected(self) -> Said:
        """Return what became of the words that corrections wrote."""
        return self._said(self.corrections)

    def _said(self, words: set[WordRef]) -> Said:
        seen = self.standing.keys() | self.erased.keys()
        segments = [segment for segment in seen if words.issuperset(_refs(segment))]
        counted = [self._count(segment) for segment in segments]
        covered = {ref for segment in segments for ref in _refs(segment)}
        never = len(words - covered - self.replaced)
        return Said(
            words=len(words),
            replaced=len(words & self.replaced),
            whole=sum(each.whole for each in counted),
            missing=sum(each.missing for each in counted) + never,
            doubled=sum(each.doubled for each in counted),
        )

    def _count(self, segment: Segment) -> Said:
        expected, there = self._expected(segment), self.standing.get(segment, "")
        whole, letters = _whole(expected, there), "".join(expected)
        own = Counter(there) <= Counter(letters)
        return Said(
            words=segment.end - segment.first,
            replaced=segment.end - segment.first - len(expected),
            whole=whole,
            missing=len(expected) - whole if self._lacking(segment) else 0,
            doubled=self.surplus[segment].total()
            or int(own and not _is_subsequence(there, letters)),
        )

    def _expected(self, segment: Segment) -> list[str]:
        """Return the letters of each word of a segment that no correction replaced."""
        said = zip(_refs(segment), self.spoken.words(segment), strict=True)
        return [_letters(word.text) for ref, word in said if ref not in self.replaced]

    def _erased(self, segment: Segment) -> Counter[str]:
        return self.erased.get(segment, Counter[str]())

    def _lacking(self, segment: Segment) -> Counter[str]:
        """Return the letters that a segment lacks though nobody erased or moved them."""
        expected = Counter("".join(self._expected(segment)))
        explained = Counter(self.standing.get(segment, "")) + self._erased(segment)
        return expected - explained - self.moved[segment]


def _all_refs(pass_id: PassId, spoken: Spoken) -> set[WordRef]:
    return {WordRef(pass_id, number) for number in range(len(spoken.passes[pass_id]))}


def _refs(segment: Segment) -> list[WordRef]:
    return [WordRef(segment.pass_id, number) for number in range(segment.first, segment.end)]


def _finals(arrivals: Iterable[Arrival]) -> list[Word]:
    return [
        word
        for arrival in arrivals
        if isinstance(arrival.event, Final)
        for word in arrival.event.words
    ]


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
