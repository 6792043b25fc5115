"""What is said in a session that is played from a script, for `scripted` engines and for tests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from streaming.core.domain import (
    SAMPLE_RATE,
    Permille,
    Samples,
    Span,
    Speaker,
    Turn,
    Word,
    from_ms,
)

_BREATH = from_ms(300)
"""Words of one speaker that are closer than this are one turn."""

_CONFIDENCE = Permille(900)


@dataclass(frozen=True, slots=True)
class Script:
    """What is said, on the session clock. Make one with `of` or `from_json`.

    Attributes:
        words: In time order, not overlapping, each of at least one sample; without speaker.
        turns: Who speaks when, in time order of their starts. Speakers are called `S1`, `S2` ...
            in order of their first word; turns of different speakers may overlap.
        language: ISO 639-1 code that a detection finds.
    """

    words: tuple[Word, ...]
    turns: tuple[Turn, ...]
    language: str = "en"

    @classmethod
    def of(cls, words: Iterable[Word], language: str = "en") -> Script:
        """Make a script of words with speakers, in any order; those of several may overlap.

        Where words overlap, the earlier one is cut short, because a recognizer's words never
        overlap. Turns keep the times as given. A word without a speaker belongs to no turn.
        """
        spoken = sorted(words, key=lambda word: (word.span.start, word.span.end))
        return cls(tuple(_one_after_another(spoken)), tuple(_turns(spoken)), language)

    @classmethod
    def from_json(cls, text: str, language: str = "en") -> Script:
        """Read a list of `{"word", "start", "end", "speaker"}`, times in seconds.

        This is the format of `X.words.json` beside recordings with known words (`tests/data`).
        Each word gets a space before it, as Whisper writes words.

        Raises:
            ValueError: The text is not such a list.
        """
        try:
            rows = [
                (str(row["word"]), float(row["start"]), float(row["end"]), str(row["speaker"]))
                for row in json.loads(text)
            ]
        except (KeyError, TypeError) as error:
            raise ValueError(f"expected a list of words with times, missing: {error}") from error
        return cls.of(
            (
                Word(
                    f" {word}",
                    Span(Samples(round(start * SAMPLE_RATE)), Samples(round(end * SAMPLE_RATE))),
                    _CONFIDENCE,
                    Speaker(speaker),
                )
                for word, start, end, speaker in rows
            ),
            language,
        )

    def shifted(self, by: Samples) -> Script:
        """Return this script with everything `by` later."""
        return replace(
            self,
            words=tuple(replace(word, span=_later(word.span, by)) for word in self.words),
            turns=tuple(replace(turn, span=_later(turn.span, by)) for turn in self.turns),
        )

    def repeated(self, length: Samples, times: int) -> Script:
        """Return this script `times` in a row, each `length` after the one before.

        Raises:
            ValueError: Something in the script ends after `length`.
        """
        spans = [word.span for word in self.words] + [turn.span for turn in self.turns]
        end = max((span.end for span in spans), default=Samples(0))
        if end > length:
            raise ValueError(f"expected a length of at least {end}, got {length}")
        copies = [self.shifted(Samples(n * length)) for n in range(times)]
        return replace(
            self,
            words=tuple(word for copy in copies for word in copy.words),
            turns=tuple(turn for copy in copies for turn in copy.turns),
        )


def _later(span: Span, by: Samples) -> Span:
    return Span(Samples(span.start + by), Samples(span.end + by))


def _one_after_another(spoken: Sequence[Word]) -> Iterable[Word]:
    """Yield words sorted by start without speaker, cut so that they do not overlap."""
    starts: list[int] = []
    for word in spoken:
        starts.append(max(word.span.start, starts[-1] + 1) if starts else word.span.start)
    for index, word in enumerate(spoken):
        start, end = starts[index], word.span.end
        if index + 1 < len(starts):
            end = min(end, Samples(starts[index + 1]))
        span = Span(Samples(start), Samples(max(start + 1, end)))
        yield replace(word, span=span, speaker=None)


def _turns(spoken: Iterable[Word]) -> Iterable[Turn]:
    """Return the turns of words sorted by start, sorted by start."""
    names: dict[Speaker, Speaker] = {}
    turns: list[Turn] = []
    newest: dict[Speaker, int] = {}
    for word in spoken:
        if word.speaker is None or word.span.length == 0:
            continue
        name = names.setdefault(word.speaker, Speaker(f"S{len(names) + 1}"))
        index = newest.get(name)
        if index is not None and word.span.start - turns[index].span.end <= _BREATH:
            span = turns[index].span
            turns[index] = Turn(Span(span.start, max(span.end, word.span.end)), name)
        else:
            newest[name] = len(turns)
            turns.append(Turn(word.span, name))
    return turns
