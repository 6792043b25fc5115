"""Captions fit on a screen and go with the audio."""

import random
from collections import defaultdict
from itertools import pairwise
from unicodedata import east_asian_width

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline.domain import PassWord, Run, Segment, SpeakerId, Turn
from server.exports.captions import LIMIT_MS, SHORTEST_MS, Caption, Naming, captions
from server.exports.transcript import ExportedTranscript
from server.exports.wording import one_line, speaker_name
from streaming.core.domain import Permille
from tests.server.exports.transcripts import (
    ADA,
    BOB,
    LIVE,
    TALK,
    exported,
    hostile_transcripts,
    transcript,
)


def texts(said: ExportedTranscript, naming: Naming = Naming.APART) -> list[str]:
    return ["/".join(caption.lines) for caption in captions(said, naming)]


def monologue(text: str, every_ms: int = 300) -> ExportedTranscript:
    return transcript([(ADA, text)], every_ms=every_ms)


def test_a_short_turn_is_one_caption() -> None:
    assert captions(monologue("Good morning."), Naming.APART) == [
        Caption(1000, 1800, ("Good morning.",), ADA)
    ]


def test_two_lines_are_about_as_long() -> None:
    assert texts(monologue("one two three four five six seven eight nine ten")) == [
        "one two three four five/six seven eight nine ten"
    ]


def test_a_line_ends_with_punctuation_if_it_can() -> None:
    assert texts(monologue("well, we have time enough for everybody, and for questions")) == [
        "well, we have time enough for everybody,/and for questions"
    ]
    assert texts(monologue("well, we have time enough for everybody and all questions")) == [
        "well, we have time enough for/everybody and all questions"
    ]


def test_a_caption_ends_with_a_sentence_rather_than_full() -> None:
    words = "We could have done it much later than that. But nobody wanted to wait for so long."

    assert texts(monologue(f"{words} Nobody at all.")) == [
        "We could have done it/much later than that.",
        "But nobody wanted to wait for so long./Nobody at all.",
    ]


def test_a_caption_ends_with_a_clause_if_no_sentence_ends() -> None:
    words = "we could have done it so very much later than that, but nobody wanted to wait any more"

    assert texts(monologue(words)) == [
        "we could have done it so/very much later than that,",
        "but nobody wanted to wait any more",
    ]


def test_a_caption_ends_where_it_has_to_if_nothing_ends() -> None:
    line = "word word word word word word word word"

    assert texts(monologue("word " * 20)) == [f"{line}/{line}", "word word word word"]


def test_a_long_pause_ends_a_caption() -> None:
    words = [PassWord(" one", 0, 300, Permille(1)), PassWord(" two", 1800, 2000, Permille(1))]
    said = exported([Turn(None, ADA, (Run("one two", Segment(LIVE, 0, 2)),))], words)

    assert captions(said, Naming.APART) == [
        Caption(0, 800, ("one",), ADA),
        Caption(1800, 2600, ("two",), ADA),
    ]


def test_no_caption_lasts_longer_than_a_reader_waits() -> None:
    found = captions(monologue("a b c d e f g h", every_ms=1400), Naming.APART)

    assert [caption.end_ms - caption.start_ms for caption in found] == [5900, 3100]


def test_a_word_that_lasts_for_ever_is_shown_for_a_while() -> None:
    said = exported(
        [Turn(None, ADA, (Run("hm", Segment(LIVE, 0, 1)),))],
        [PassWord(" hm", 0, 60_000, Permille(1))],
    )

    assert captions(said, Naming.APART) == [Caption(0, LIMIT_MS, ("hm",), ADA)]


def test_a_short_caption_stays_until_the_same_speaker_goes_on() -> None:
    said = transcript([(ADA, "a"), (ADA, "b"), (BOB, "c"), (ADA, "d")], every_ms=400)

    assert captions(said, Naming.APART) == [
        Caption(1000, 1400, ("a",), ADA),
        Caption(1400, 2200, ("b",), ADA),
        Caption(1800, 2600, ("c",), BOB),
        Caption(2200, 3000, ("d",), ADA),
    ]


def test_text_without_a_time_is_shown_too() -> None:
    said = transcript([(ADA, "a"), (ADA, "[x]"), (ADA, "b")], every_ms=300)

    assert captions(said, Naming.APART) == [
        Caption(1000, 1300, ("a",), ADA),
        Caption(1300, 1301, ("x",), ADA),
        Caption(1301, 2101, ("b",), ADA),
    ]


def test_letters_of_east_asian_scripts_are_twice_as_wide() -> None:
    assert texts(transcript([(ADA, f"[{'字' * 43}]")])) == ["字" * 21 + "/" + "字" * 21, "字"]


def test_lines_end_between_letters_only_in_scripts_without_spaces() -> None:
    typed = "[" + "漢" * 18 + "、Python漢字" + "]"

    assert texts(transcript([(ADA, typed)])) == ["漢" * 12 + "/" + "漢" * 6 + "、Python漢字"]


def test_words_of_a_pass_without_space_between_them_stay_together() -> None:
    words = [PassWord(" " + "a" * 40, 0, 300, Permille(1)), PassWord("-one", 300, 400, Permille(1))]
    said = exported([Turn(None, ADA, (Run(f"x {'a' * 37}-one", Segment(LIVE, 0, 2)),))], words)

    assert texts(said) == ["x/" + "a" * 37 + "-one"]


def test_a_word_wider_than_a_line_is_divided() -> None:
    assert texts(monologue("x" * 100, every_ms=0)) == ["x" * 42 + "/" + "x" * 42, "x" * 16]


def test_a_change_of_speaker_is_named() -> None:
    assert texts(transcript(TALK), Naming.IN_TEXT) == [
        "Ada: Good morning, everybody.",
        "Bob: Hello Ada! really Shall we begin?",
        "I have slides.",
        "Ada: Yes.",
    ]


def test_nobody_is_named_after_somebody_only() -> None:
    said = transcript([(None, "a"), (ADA, "b"), (None, "c"), (None, "d")])

    assert texts(said, Naming.IN_TEXT) == ["a", "Ada: b", "?: c", "d"]


def test_a_long_name_is_cut_short() -> None:
    said = transcript([(ADA, "word " * 10)], ada="N" * 30 + " " + "N" * 200)

    assert captions(said, Naming.IN_TEXT)[0].lines[0] == "N" * 30 + ": word word"


def test_an_empty_transcript_has_no_captions() -> None:
    assert captions(transcript([(ADA, " ")]), Naming.IN_TEXT) == []


def width(line: str) -> int:
    return sum(2 if east_asian_width(char) in "FW" else 1 for char in line)


def check(found: list[Caption]) -> None:
    latest: dict[SpeakerId | None, Caption] = {}
    for caption in found:
        assert 1 <= len(caption.lines) <= 2
        assert all(line == line.strip() and 0 < width(line) <= 42 for line in caption.lines)
        assert 0 < caption.end_ms - caption.start_ms <= LIMIT_MS
        before = latest.get(caption.speaker)
        if before is not None:
            assert before.end_ms <= caption.start_ms
            if before.end_ms < caption.start_ms:
                assert before.end_ms - before.start_ms >= SHORTEST_MS
        latest[caption.speaker] = caption
    assert all(one.start_ms <= other.start_ms for one, other in pairwise(found))


@pytest.mark.slow
@given(hostile_transcripts(), st.sampled_from(Naming))
def test_captions_fit_and_do_not_overlap_whatever_is_said(
    said: ExportedTranscript, naming: Naming
) -> None:
    check(captions(said, naming))


@pytest.mark.slow
@given(hostile_transcripts())
def test_captions_say_everything(said: ExportedTranscript) -> None:
    written: dict[SpeakerId | None, list[str]] = defaultdict(list)
    for timed in said.turns:
        written[timed.turn.speaker] += one_line(timed.turn.text).split()
    shown: dict[SpeakerId | None, list[str]] = defaultdict(list)
    for caption in captions(said, Naming.APART):
        shown[caption.speaker] += " ".join(caption.lines).split()

    for speaker, parts in written.items():
        assert sorted("".join(shown[speaker])) == sorted("".join(parts))


@pytest.mark.slow
@given(st.randoms(use_true_random=False))
def test_a_reader_always_knows_who_speaks(draw: random.Random) -> None:
    words: list[PassWord] = []
    turns = []
    at_ms = 0
    for _ in range(draw.randint(1, 6)):
        count = draw.randint(1, 40)
        first = len(words)
        words += [
            PassWord(" word", at_ms + 250 * index, at_ms + 250 * index + 200, Permille(1))
            for index in range(count)
        ]
        run = Run(" word" * count, Segment(LIVE, first, len(words)))
        turns.append(Turn(None, draw.choice([None, ADA, BOB]), (run,)))
        at_ms += draw.choice([250 * count, 250, 0])  # The next waits, interrupts, or talks as well.
    said = exported(turns, words)
    known: str | None = None

    for caption in captions(said, Naming.IN_TEXT):
        name, colon, _ = caption.lines[0].partition(": ")
        known = name if colon else known
        assert (known or "?") == (speaker_name(said, caption.speaker) or "?")
