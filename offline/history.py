"""What became of all that passes heard in one transcript, in forms that plans look things up in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from offline.decisions import Alias, Decision, Hunk, Outcome, refs
from offline.domain import Segment, WordRef


class History:
    """All decisions of a transcript, and which words tell the times of others.

    Grows with each plan that was carried out, at a cost for what is new only: three hours of
    speech have thousands of decisions, and are corrected in hundreds of plans. Owned by whoever
    carries out the plans; these read it.
    """

    def __init__(
        self,
        decisions: Iterable[Decision] = (),
        aliases: Mapping[WordRef, WordRef] | None = None,
    ) -> None:
        """Begin with what is known already, the first decision first."""
        self._decisions: list[Decision] = []
        self._aliases: dict[WordRef, WordRef] = {}
        self._aliased: dict[WordRef, list[WordRef]] = {}
        self._heard: set[WordRef] = set()
        self._replacements: dict[WordRef, WordRef | None] = {}
        self._echoes: set[WordRef] = set()
        self._gone: set[WordRef] = set()
        self._kept: dict[WordRef, list[Segment]] = {}
        self._suggested: dict[str, Hunk] = {}
        self._proposed: set[str] = set()
        self._disputed: dict[WordRef, Segment] = {}
        self.add(decisions, (Alias(old, new) for old, new in (aliases or {}).items()))

    @property
    def decisions(self) -> Sequence[Decision]:
        """What became of all hunks."""
        return self._decisions

    @property
    def aliases(self) -> Mapping[WordRef, WordRef]:
        """For words in the text, the later words that tell their times."""
        return self._aliases

    @property
    def replacements(self) -> Mapping[WordRef, WordRef | None]:
        """What took the place of words that machines took out of the text themselves.

        `None` for those that were not said after all.
        """
        return self._replacements

    @property
    def echoes(self) -> Collection[WordRef]:
        """Words that are not in the text, because those of another microphone are."""
        return self._echoes

    @property
    def gone(self) -> Collection[WordRef]:
        """Words that machines took out of the text, or did not write."""
        return self._gone

    @property
    def suggested(self) -> Mapping[str, Hunk]:
        """Hunks that people were to decide about, by their names."""
        return self._suggested

    @property
    def proposed(self) -> Collection[str]:
        """Those of them where nothing that people wrote was in the way."""
        return self._proposed

    @property
    def disputed(self) -> Mapping[WordRef, Segment]:
        """Words that passes heard otherwise, though that could not be written, and as what."""
        return self._disputed

    def add(self, decisions: Iterable[Decision], aliases: Iterable[Alias]) -> None:
        """Take note of what came of a plan."""
        for decision in decisions:
            self._decisions.append(decision)
            hunk = Hunk.parse(decision.hunk)
            if hunk is None:
                continue
            new = refs(hunk.new)
            self._heard.update(new)
            if decision.outcome is Outcome.APPLIED:
                self._replacements.update(dict.fromkeys(hunk.old, new[0] if new else None))
                self._gone.update(hunk.old)
                continue
            if decision.outcome is Outcome.PROPOSED:
                self._suggested[decision.hunk] = hunk
                self._proposed.add(decision.hunk)
                continue
            if decision.outcome is Outcome.SUGGESTED:
                self._suggested[decision.hunk] = hunk
            elif hunk.echo:
                self._echoes.update(new)
                self._gone.update(new)
            else:
                for word in hunk.old:
                    self._kept.setdefault(word, []).append(hunk.new)
            for word in hunk.old:
                self._disputed[word] = hunk.new
        for alias in aliases:
            self._aliases[alias.old] = alias.new
            self._aliased.setdefault(alias.new, []).append(alias.old)

    def is_decided(self, word: WordRef) -> bool:
        """Return whether a word that a pass heard was dealt with, whatever became of it since."""
        return word in self._heard or bool(self.timed_by(word))

    def is_superseded(self, word: WordRef) -> bool:
        """Return whether a pass heard others for a word, which took its place or are echoes too."""
        return word in self._replacements or any(
            self._echoes.issuperset(refs(new)) for new in self._kept.get(word, ())
        )

    def timed_by(self, word: WordRef) -> list[WordRef]:
        """Return the words that have the times of this one."""
        return [old for old in self._aliased.get(word, ()) if self._aliases[old] == word]
