"""What is said in the sessions of these tests, and by which rules they are heard.

The rules are written out, so that no test depends on defaults that measurements may move.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from streaming.core.domain import Permille, Samples, Span, Speaker, Word, from_ms
from streaming.core.endpointing import EndpointRules
from streaming.core.settings import FinalsMode, LiveRules, SessionSettings
from streaming.engines.script import Script

TEXTS = (" yes", " no", " oh")
"""Said again and again, so that words are not told apart by their text alone."""

ENDPOINTS = EndpointRules(
    begin=0.5,
    go_on=0.35,
    lead=from_ms(250),
    minimum=from_ms(96),
    pause=from_ms(700),
    breath=from_ms(200),
    long=from_ms(20_000),
    longest=from_ms(28_000),
)

CUTTING = replace(ENDPOINTS, breath=from_ms(700), long=from_ms(4_000), longest=from_ms(8_000))
"""Cuts utterances of 8 s. No talk of `talks` goes on for 4 s, so there is a pause to cut in."""

LIVE = LiveRules(
    step=from_ms(500),
    closing_silence=from_ms(200),
    longest_window=from_ms(14_000),
    context=from_ms(6_000),
    sure=950,
    overlooked=from_ms(1_000),
    doubtful=1000,
    language_after=from_ms(2_000),
    language_surely_after=from_ms(6_000),
    language_confidence=500,
    waiting_passes=4,
)

TRIMMING = replace(
    LIVE,
    step=from_ms(250),
    longest_window=from_ms(3_000),
    context=from_ms(1_000),
    sure=800,
    overlooked=from_ms(300),
    waiting_passes=1,
)
"""Listens often, is soon sure of words, trims live windows, drops passes as soon as possible."""

SETTINGS = SessionSettings(
    lookahead=from_ms(600),
    max_delay=from_ms(4_000),
    language="en",
    hotwords=(),
    finals=FinalsMode.WORD,
    partials=True,
    diarization=True,
    diarization_latency=from_ms(2_000),
    capacity=from_ms(60_000),
    endpoints=ENDPOINTS,
    live=LIVE,
)


def word(text: str, start: int, end: int, speaker: str | None = None) -> Word:
    """Return a word; times in samples."""
    span = Span(Samples(start), Samples(end))
    return Word(text, span, Permille(900), None if speaker is None else Speaker(speaker))


def word_ms(text: str, start_ms: int, end_ms: int, speaker: str | None = "ann") -> Word:
    """Return a word of a script; times in milliseconds."""
    return word(text, from_ms(start_ms), from_ms(end_ms), speaker)


def text_of(words: Iterable[Word]) -> str:
    """Return what the words say."""
    return "".join(each.text for each in words)


@dataclass(frozen=True, slots=True)
class Talk:
    """A script, and how much audio there is of it."""

    script: Script
    length: Samples

    @property
    def text(self) -> str:
        """What is said."""
        return text_of(self.script.words)


SENTENCE = Talk(
    Script.of(word_ms(f" w{n}", 500 + 300 * n, 750 + 300 * n) for n in range(10)), from_ms(5_000)
)
"""Ten words of a quarter of a second each, from 0.5 to 3.45 s, and silence to the end."""


def in_a_row(talk: Talk, times: int) -> Talk:
    """Return a talk said several times."""
    return Talk(talk.script.repeated(talk.length, times), Samples(talk.length * times))


@st.composite
def talks(
    draw: st.DrawFn, *, least_blocks: int = 0, most_blocks: int = 7, monologue: bool = False
) -> Talk:
    """Draw talks of three voices: blocks of words under 4 s, with pauses of 320 ms and more.

    In a monologue the pauses are all too short to end an utterance.
    """
    words: list[Word] = []
    now = draw(st.integers(0, 20_000))
    for _ in range(draw(st.integers(least_blocks, most_blocks))):
        block_end = now + from_ms(3_500)
        for _ in range(draw(st.integers(1, 6))):
            length = draw(st.integers(from_ms(160), from_ms(700)))
            if now + length > block_end:
                break
            text = draw(st.sampled_from((*TEXTS, f" w{len(words)}")))
            words.append(word(text, now, now + length, draw(st.sampled_from("aaabc"))))
            now += max(from_ms(40), length + draw(st.integers(-from_ms(80), from_ms(250))))
        now = max(each.span.end for each in words)
        short = st.integers(from_ms(320), from_ms(550))
        now += draw(short if monologue else short | st.integers(0, 30_000).map(_pause))
    end = max((each.span.end for each in words), default=0)
    return Talk(Script.of(words), Samples(end + draw(st.just(0) | st.integers(0, 30_000))))


def _pause(more: int) -> int:
    return from_ms(550) + more


def settings_of_sessions(*, diarization: bool | None = None) -> st.SearchStrategy[SessionSettings]:
    """Draw settings, with every rule written out; `diarization` as given, or either."""
    endpoints = st.sampled_from((ENDPOINTS, CUTTING))
    return st.builds(
        replace,
        st.just(SETTINGS),
        lookahead=st.sampled_from((0, 300, 600, 2_000)).map(from_ms),
        max_delay=st.sampled_from((1_000, 4_000)).map(from_ms),
        language=st.sampled_from(("en", None)),
        finals=st.sampled_from(FinalsMode),
        partials=st.booleans() | st.just(True),
        diarization=st.booleans() if diarization is None else st.just(diarization),
        diarization_latency=st.sampled_from((500, 2_000, 5_000)).map(from_ms),
        capacity=st.sampled_from((38_000, 60_000)).map(from_ms),
        endpoints=endpoints,
        live=st.sampled_from((LIVE, TRIMMING)),
    )
