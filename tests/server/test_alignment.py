"""When words were said that people have edited since."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline.domain import PassId, PassWord, Run, Segment, Turn, TurnId
from server.alignment import AudioSpan, TimedToken, TimedTurn, WordSource, align, span_of
from streaming.core.domain import Permille

LIVE, OTHER = PassId("1"), PassId("2")


def words(texts: Sequence[str], start_ms: int = 1000) -> list[PassWord]:
    """Return words of 300 ms, one every 500 ms."""
    return [
        PassWord(text, start_ms + 500 * index, start_ms + 500 * index + 300, Permille(900 + index))
        for index, text in enumerate(texts)
    ]


ONE_TO_FIVE = {LIVE: words([" one", " two", " three", " four", " five"])}
ALL = Segment(LIVE, 0, 5)


def turn(*runs: Run) -> Turn:
    return Turn(TurnId("t"), None, runs)


def times(*turns: Turn, passes: dict[PassId, list[PassWord]] = ONE_TO_FIVE) -> list[list[str]]:
    """Return each turn's tokens with their times; those of people with a `+`."""
    return [
        [
            f"{'' if token.source else '+'}{token.text}@{token.start_ms}-{token.end_ms}"
            for token in timed.tokens
        ]
        for timed in align(turns, passes)
    ]


def test_text_that_nobody_touched_has_the_times_of_the_pass() -> None:
    said = turn(Run("one two", Segment(LIVE, 0, 2)), Run(" three", Segment(LIVE, 2, 3)))

    assert align([said], ONE_TO_FIVE) == [
        TimedTurn(
            said,
            (
                TimedToken("one", 1000, 1300, Permille(900), WordSource(LIVE, 0)),
                TimedToken(" two", 1500, 1800, Permille(901), WordSource(LIVE, 1)),
                TimedToken(" three", 2000, 2300, Permille(902), WordSource(LIVE, 2)),
            ),
        )
    ]


def test_typed_words_are_nobodys_and_of_no_confidence() -> None:
    [timed] = align([turn(Run("hello", None))], ONE_TO_FIVE)

    assert timed.tokens == (TimedToken("hello", 0, 0, None, None),)


def test_deleted_words_are_left_out() -> None:
    assert times(turn(Run("one four five", ALL))) == [
        ["one@1000-1300", " four@2500-2800", " five@3000-3300"]
    ]


def test_a_replacement_has_the_time_of_the_words_it_replaced() -> None:
    assert times(turn(Run("one 2 5 four five", ALL))) == [
        ["one@1000-1300", "+ 2@1500-1900", "+ 5@1900-2300", " four@2500-2800", " five@3000-3300"]
    ]


def test_an_insertion_lies_between_its_neighbours_by_length() -> None:
    assert times(turn(Run("one and a half two three four five", ALL)))[0][:5] == [
        "one@1000-1300",
        "+ and@1300-1375",
        "+ a@1375-1400",
        "+ half@1400-1500",
        " two@1500-1800",
    ]


def test_a_whole_segment_typed_anew_keeps_its_time() -> None:
    assert times(turn(Run("aa bb", ALL))) == [["+aa@1000-2150", "+ bb@2150-3300"]]


def test_text_at_the_ends_of_a_turn_is_a_moment() -> None:
    before, after = Run("well,", None), Run(" ok?", None)

    assert times(turn(before, Run(" one two three four five", ALL), after))[0] == [
        "+well,@1000-1000",
        " one@1000-1300",
        " two@1500-1800",
        " three@2000-2300",
        " four@2500-2800",
        " five@3000-3300",
        "+ ok?@3300-3300",
    ]


def test_text_typed_without_attributes_replaces_words_too() -> None:
    start, end = Run("one", ALL), Run(" four", ALL)

    assert times(turn(start, Run(" zwei", None), end, Run(" fünf", None))) == [
        ["one@1000-1300", "+ zwei@1500-2300", " four@2500-2800", "+ fünf@3000-3300"]
    ]
    assert times(turn(Run("eins", None), Run(" two three four five", ALL)))[0][:2] == [
        "+eins@1000-1300",
        " two@1500-1800",
    ]


def test_a_segment_is_one_over_the_turns_it_was_divided_into() -> None:
    assert times(turn(Run("one two", ALL)), turn(Run("3 x", ALL)), turn(Run("four five", ALL))) == [
        ["one@1000-1300", " two@1500-1800"],
        ["+3@2000-2150", "+ x@2150-2300"],
        ["four@2500-2800", " five@3000-3300"],
    ]


def test_a_turn_that_people_wrote_is_a_moment_after_the_turn_before_it() -> None:
    human, nothing = turn(Run("a b", None)), turn()
    first, second = turn(Run("one", Segment(LIVE, 0, 1))), turn(Run("five", Segment(LIVE, 4, 5)))

    assert times(human, first, nothing, human, second, human) == [
        ["+a@1000-1000", "+ b@1000-1000"],
        ["one@1000-1300"],
        [],
        ["+a@1300-1300", "+ b@1300-1300"],
        ["five@3000-3300"],
        ["+a@3300-3300", "+ b@3300-3300"],
    ]


def test_words_moved_with_their_attributes_keep_their_times() -> None:
    front, back = Run("one two", Segment(LIVE, 0, 2)), Run(" five", Segment(LIVE, 4, 5))

    assert times(turn(back), turn(front)) == [
        [" five@3000-3300"],
        ["one@1000-1300", " two@1500-1800"],
    ]
    assert times(turn(back, front))[0][0] == " five@3000-3300"


def test_words_copied_with_their_attributes_stand_once_only() -> None:
    tokens = times(turn(Run("one two three four five", ALL), Run(" two", ALL)))[0]

    assert tokens[1] == " two@1500-1800"
    assert tokens[-1] == "+ two@3300-3300"


def test_punctuation_and_case_make_no_word_a_persons() -> None:
    assert times(turn(Run("“ONE”, two... (three) — four: five !", ALL))) == [
        [
            "“ONE”,@1000-1300",
            " two...@1500-1800",
            " (three)@2000-2300",
            " — four:@2500-2800",
            " five !@3000-3300",
        ]
    ]


@pytest.mark.parametrize(
    "segment", [Segment(PassId("9"), 0, 5), Segment(LIVE, 0, 6), Segment(LIVE, 6, 9)]
)
def test_a_segment_that_no_pass_has_is_typed_text(segment: Segment) -> None:
    assert times(turn(Run("one two", segment))) == [["+one@0-0", "+ two@0-0"]]


def test_a_segment_that_shares_words_with_one_before_it_is_typed_text() -> None:
    said = turn(Run("one two", Segment(LIVE, 0, 2)), Run(" two three", Segment(LIVE, 1, 3)))

    assert times(said) == [
        ["one@1000-1300", " two@1500-1800", "+ two@1800-1800", "+ three@1800-1800"]
    ]


def test_a_highlight_inside_of_a_word_does_not_divide_it() -> None:
    parts = (Run("one t", ALL), Run("wo th", ALL, highlight="red"), Run("ree four five", ALL))

    assert times(turn(*parts)) == times(turn(Run("one two three four five", ALL)))


def test_typed_text_in_scripts_without_spaces_is_cut_into_letters() -> None:
    chinese = {LIVE: words(["我们", "去", "北京", "。"])}
    said = turn(Run("我们不想去上海OK。", Segment(LIVE, 0, 4)))

    assert times(said, passes=chinese) == [
        [
            "我们@1000-1300",
            "+不@1300-1400",
            "+想@1400-1500",
            "去@1500-1800",
            "+上@2000-2160",
            "+海@2160-2320",
            "+OK。@2320-2800",
        ]
    ]


def test_words_that_overlap_leave_a_moment_between_them() -> None:
    crossing = [PassWord(" a", 0, 500, Permille(1)), PassWord(" b", 400, 900, Permille(1))]
    said = turn(Run("a x b", Segment(LIVE, 0, 2)))

    assert times(said, passes={LIVE: crossing}) == [["a@0-500", "+ x@400-400", " b@400-900"]]


def test_text_between_words_in_the_wrong_order_is_a_moment() -> None:
    said = turn(Run("five", Segment(LIVE, 4, 5)), Run(" x", None), Run(" one", Segment(LIVE, 0, 1)))

    assert times(said) == [["five@3000-3300", "+ x@1000-1000", " one@1000-1300"]]


def test_a_replacement_keeps_to_the_order_of_its_turn() -> None:
    passes = ONE_TO_FIVE | {OTHER: words([" other"], start_ms=1900)}
    said = turn(
        Run("one", Segment(LIVE, 0, 2)),
        Run(" other", Segment(OTHER, 0, 1)),
        Run(" zwei", Segment(LIVE, 0, 2)),
    )

    assert times(said, passes=passes) == [["one@1000-1300", " other@1900-2200", "+ zwei@1900-1900"]]


def test_text_of_punctuation_alone_is_one_token() -> None:
    assert times(turn(Run(" ?! ", None))) == [["+ ?! @0-0"]]


def test_a_word_without_characters_is_no_token() -> None:
    assert times(turn(Run("a", Segment(LIVE, 0, 2))), passes={LIVE: words(["", "a"])}) == [
        ["a@1500-1800"]
    ]


@pytest.mark.parametrize(
    ("start", "end", "span"),
    [
        (0, 3, AudioSpan(1000, 1300)),
        (2, 4, AudioSpan(1000, 1800)),
        (0, 23, AudioSpan(1000, 3300)),
        (4, 4, AudioSpan(1500, 1800)),
        (3, 3, AudioSpan(1500, 1800)),
        (23, 23, AudioSpan(3000, 3300)),
        (0, 0, AudioSpan(1000, 1300)),
        (-5, 999, AudioSpan(1000, 3300)),
        (999, 1000, AudioSpan(3000, 3300)),
        (9, 2, AudioSpan(2000, 2300)),
    ],
)
def test_a_part_of_a_turn_is_found_in_the_audio(start: int, end: int, span: AudioSpan) -> None:
    [timed] = align([turn(Run("one two three four five", ALL))], ONE_TO_FIVE)

    assert span_of(timed, start, end) == span


def test_an_empty_turn_is_nowhere_in_the_audio() -> None:
    [timed] = align([turn()], ONE_TO_FIVE)

    assert span_of(timed, 0, 0) is None


TEXTS = [" a", " b", " the", " the", "-c", " Dé.", "我们", "去", " ไม่", " –", " x,y"]


@dataclass
class Paper:
    """A transcript that is edited character by character, each with its attributes."""

    chars: list[Run] = field(default_factory=list)

    def turns(self) -> list[Turn]:
        turns: list[list[Run]] = [[]]
        for key, group in groupby(self.chars, key=lambda char: replace(char, text="")):
            text = "".join(char.text for char in group)
            if key.turn is None:
                turns[-1].append(replace(key, text=text))
            else:
                turns.append([])
        return [Turn(None, None, tuple(runs)) for runs in turns]


def two_passes(draw: random.Random) -> dict[PassId, list[PassWord]]:
    return {
        pass_id: words(draw.choices(TEXTS, k=draw.randint(1, 12)), start_ms=draw.randint(0, 3000))
        for pass_id in (LIVE, OTHER)
    }


def written(passes: dict[PassId, list[PassWord]], draw: random.Random) -> Paper:
    """Return what the machine writes of two passes: segments, each perhaps in a new turn."""
    paper = Paper()
    for pass_id, said in passes.items():
        first = 0
        while first < len(said):
            end = min(first + draw.randint(1, 5), len(said))
            text = "".join(word.text for word in said[first:end])
            if draw.random() < 0.5:
                paper.chars.append(Run("\n", turn=TurnId(f"{pass_id}.{first}")))
                text = text.lstrip()
            paper.chars += [Run(char, Segment(pass_id, first, end)) for char in text]
            first = end
    return paper


def edit(paper: Paper, draw: random.Random) -> None:
    """Do what a person may do."""
    chars = paper.chars
    at = draw.randint(0, len(chars))
    part = slice(at, at + draw.randint(1, 6))
    match draw.randrange(6):
        case 0:
            del chars[part]
        case 1:
            inherited = chars[at - 1] if at else Run("x")
            chars[at:at] = [
                replace(inherited, text=char, turn=None) for char in draw.choice([" neu", "a", "!"])
            ]
        case 2:
            chars[at:at] = [Run(char) for char in draw.choice([" typed", "字字", " - ", "\n"])]
        case 3:
            chars.insert(at, Run("\n", turn=TurnId(str(draw.random()))))
        case 4:
            chars[part] = [replace(char, highlight="red") for char in chars[part]]
        case _:
            cut, chars[part] = chars[part], []
            to = draw.randint(0, len(chars))
            chars[to:to] = cut


@pytest.mark.slow
@given(st.randoms(use_true_random=False))
def test_what_nobody_edited_has_exactly_the_times_of_the_passes(draw: random.Random) -> None:
    passes = two_passes(draw)

    timed = align(written(passes, draw).turns(), passes)

    assert [token.source for each in timed for token in each.tokens] == [
        WordSource(pass_id, index) for pass_id, said in passes.items() for index in range(len(said))
    ]
    check(timed, passes)


@pytest.mark.slow
@given(st.randoms(use_true_random=False), st.integers(0, 12))
def test_the_promises_hold_whatever_people_do(draw: random.Random, edits: int) -> None:
    passes = two_passes(draw)
    paper = written(passes, draw)
    for _ in range(edits):
        edit(paper, draw)

    check(align(paper.turns(), passes), passes)


def check(timed: Sequence[TimedTurn], passes: dict[PassId, list[PassWord]]) -> None:
    tokens = [token for each in timed for token in each.tokens]
    sources = [token.source for token in tokens if token.source is not None]
    last_ms = max(word.end_ms for said in passes.values() for word in said)

    assert len(set(sources)) == len(sources)
    assert all(0 <= token.start_ms <= token.end_ms <= last_ms for token in tokens)
    for token in tokens:
        if token.source is not None:
            word = passes[token.source.pass_id][token.source.word]
            assert (token.start_ms, token.end_ms) == (word.start_ms, word.end_ms)
            assert token.confidence == word.confidence
            assert letters(token.text) == letters(word.text)
    for each in timed:
        assert "".join(token.text for token in each.tokens) == each.turn.text
        assert all(token.text for token in each.tokens)
        starts = [token.start_ms for token in each.tokens]
        heard = [token.start_ms for token in each.tokens if token.source is not None]
        for token, after in pairwise(each.tokens):
            assert token.source is not None or token.end_ms <= after.start_ms
        if heard == sorted(heard):
            assert starts == sorted(starts)


def letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


@pytest.mark.slow
def test_three_hours_are_aligned_within_seconds() -> None:
    """27,000 words in 3,000 segments, every third of them edited: 0.3 s on a 2-core machine."""
    spoken = words([f" word{index % 997}" for index in range(27_000)])
    turns = []
    for number in range(300):
        segments = [
            Segment(LIVE, first, first + 9) for first in range(90 * number, 90 * number + 90, 9)
        ]
        texts = ["".join(word.text for word in spoken[s.first : s.end]) for s in segments]
        runs = [
            Run(text[:20] + " typed" + text[30:] if index % 3 == 0 else text, segment)
            for index, (text, segment) in enumerate(zip(texts, segments, strict=True))
        ]
        turns.append(turn(*runs))
    begun_s = time.process_time()

    timed = align(turns, {LIVE: spoken})

    assert time.process_time() - begun_s < 3  # A machine may be slow, and coverage makes it so.
    assert sum(len(each.tokens) for each in timed) > 25_000
