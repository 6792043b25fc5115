"""Transcripts to export: two people in a few turns, and hostile ones for property tests."""

from collections.abc import Sequence

from hypothesis import strategies as st

from offline.domain import PassId, PassWord, Run, Segment, Speaker, SpeakerId, Turn, TurnId
from server.alignment import align
from server.exports.transcript import ExportedTranscript
from streaming.core.domain import Permille

STARTED_MS = 1_795_384_440_000
"""2026-11-22 21:54 UTC."""

ADA, BOB = SpeakerId("s1"), SpeakerId("s2")
LIVE = PassId("1")

Said = tuple[SpeakerId | None, str]
"""Who said what; words in `[brackets]` are typed by people."""


def transcript(
    said: Sequence[Said] = (),
    *,
    ada: str = "Ada",
    bob: str = "Bob",
    title: str = "Weekly",
    start_ms: int = 1000,
    every_ms: int = 500,
) -> ExportedTranscript:
    """Return a transcript with a word of 300 ms every 500, from second 1 on."""
    words: list[PassWord] = []
    turns: list[Turn] = []
    for index, (speaker, text) in enumerate(said):
        first = len(words)
        for word in text.split():
            if not word.startswith("["):
                at_ms = start_ms + every_ms * len(words)
                words.append(PassWord(f" {word}", at_ms, at_ms + 300, Permille(900)))
        segment = Segment(LIVE, first, len(words)) if len(words) > first else None
        shown = text.replace("[", "").replace("]", "")
        turns.append(Turn(TurnId(f"t{index}"), speaker, (Run(shown, segment),) if shown else ()))
    return exported(turns, words, ada=ada, bob=bob, title=title)


def exported(
    turns: Sequence[Turn],
    words: Sequence[PassWord],
    *,
    ada: str = "Ada",
    bob: str = "Bob",
    title: str = "Weekly",
) -> ExportedTranscript:
    """Return a transcript of one pass's words."""
    return ExportedTranscript(
        id="T-1",
        title=title,
        language="en",
        started_ms=STARTED_MS,
        duration_ms=max((word.end_ms for word in words), default=0),
        speakers={ADA: Speaker(ADA, ada, "#aa0000"), BOB: Speaker(BOB, bob)},
        turns=align(turns, {LIVE: words}),
    )


TALK: Sequence[Said] = (
    (ADA, "Good morning, everybody."),
    (BOB, "Hello Ada! [really] Shall we begin?"),
    (BOB, "I have slides."),
    (ADA, "Yes."),
)

NASTY = (
    "",
    " ",
    "\n\n",
    "-->",
    "00:00:01.000 --> 00:00:02.000",
    "<b>",
    "</v>",
    "<v Eve>",
    "&amp;",
    "&",
    "{\\an8}",
    "\\N",
    "\\",
    "\x00\x07\x1f",
    "\x85",
    "\u2028",
    "\u202eevil",
    "\u2067",
    "\u200f",
    "\u00a0",
    "\ufffe",
    "\ud800",
    '"',
    "'",
    "**",
    "__",
    "# ",
    "- ",
    "1. ",
    "2)",
    "===",
    "---",
    "```",
    "~~~",
    "> ",
    "|",
    "[a](b)",
    "![x](y)",
    "[a]: b",
    "$x$",
    "<!-- ",
    "<script>",
    "http://a.b",
    "NOTE",
    "WEBVTT",
    "STYLE",
    "42",
    "漢字かな",
    "ไทย",
    "e\u0301",
    "👩‍👩‍👧",
    "שלום",
    "word",
    "Long" * 30,
    "    ",
    "\t",
    "\r\n",
    ",",
)
"""Texts that mean something in one format or another."""

nasty_texts = st.lists(st.sampled_from(NASTY) | st.text(max_size=4), max_size=8).map(
    " ".join
) | st.lists(st.sampled_from(NASTY), max_size=5).map("".join)


@st.composite
def hostile_transcripts(draw: st.DrawFn) -> ExportedTranscript:
    """Return a transcript whose names, title and text try to break its file."""
    words = [
        PassWord(f" {draw(st.sampled_from(NASTY))}", 400 * index, 400 * index + 300, Permille(500))
        for index in range(draw(st.integers(0, 6)))
    ]
    half = len(words) // 2
    segments = [Segment(LIVE, 0, half), Segment(LIVE, half, len(words))]
    turns = []
    for index in range(draw(st.integers(0, 4))):
        segment = (
            segments[index] if index < 2 and segments[index].first < segments[index].end else None
        )
        machine = (
            "" if segment is None else "".join(w.text for w in words[segment.first : segment.end])
        )
        runs = [Run(machine, segment)] if machine else []
        typed = draw(nasty_texts)
        if typed:
            runs.append(Run(typed, None, highlight=draw(st.none() | st.just("red") | nasty_texts)))
        speaker = draw(st.sampled_from([None, ADA, BOB, SpeakerId(draw(nasty_texts))]))
        turns.append(Turn(TurnId(str(index)), speaker, tuple(runs)))
    return exported(
        turns, words, ada=draw(nasty_texts), bob=draw(nasty_texts), title=draw(nasty_texts)
    )
