"""Voices become the speakers whom the transcript has at the same time."""

from __future__ import annotations

from offline.casting import cast
from offline.domain import PassId, PassWord, Run, Segment, SpeakerId, TurnId
from offline.page import Page
from offline.results import HeardVoice, HeardWord
from offline.view import View
from streaming.core.domain import Permille

LIVE, OTHER = PassId("1"), PassId("9")
VOICES = [HeardVoice(b"", 60_000), HeardVoice(b"", 60_000)]
ONE, TWO, THREE = SpeakerId("s1"), SpeakerId("s2"), SpeakerId("s3")


def said(start: int, end: int) -> list[PassWord]:
    return [PassWord(f" w{n}", 100 * n, 100 * n + 100, Permille(900)) for n in range(start, end)]


def view(*turns: tuple[SpeakerId | None, PassId, int, int]) -> View:
    """Return a text of turns, each with words of a pass, of which word n begins at n * 100 ms."""
    runs: list[Run] = [Run("typed")]
    speakers: dict[TurnId, SpeakerId] = {}
    for number, (speaker, pass_id, first, end) in enumerate(turns):
        turn = TurnId(f"t{number}")
        text = "".join(word.text for word in said(first, end))
        runs += [Run("\n", turn=turn), Run(text, Segment(pass_id, first, end)), Run(" typed")]
        if speaker is not None:
            speakers[turn] = speaker
    passes = {LIVE: said(0, 100), OTHER: said(0, 100)}
    return View(Page.of(runs, passes), speakers, frozenset(), passes, lambda _start, _end: True)


def heard(*voices: int | None) -> list[HeardWord]:
    return [HeardWord(word, voice) for word, voice in zip(said(0, 100), voices, strict=False)]


def test_a_voice_is_the_speaker_with_whom_it_agrees_longest() -> None:
    text = view((ONE, LIVE, 0, 4), (TWO, LIVE, 4, 8))

    assert cast(text, {LIVE}, {}, heard(1, 1, 1, 0, 0, 0, 0, 0), VOICES, {}) == {1: ONE, 0: TWO}


def test_each_voice_is_a_speaker_of_its_own() -> None:
    text = view((ONE, LIVE, 0, 8))

    assert cast(text, {LIVE}, {}, heard(0, 0, 0, 0, 0, 1, 1, 1), VOICES, {}) == {0: ONE}


def test_a_speaker_who_is_two_voices_by_machines_is_one_by_the_longer() -> None:
    text = view((ONE, LIVE, 0, 3), (TWO, LIVE, 3, 8))

    assert cast(text, {LIVE}, {}, heard(0, 0, 0, 0, 0, 0, 0, 0), VOICES, {}) == {0: TWO}


def test_what_people_say_of_a_turn_stands_above_machines() -> None:
    text = view((ONE, LIVE, 0, 4))

    assert cast(text, {LIVE}, {TurnId("t0"): THREE}, heard(0, 0), VOICES, {}) == {0: THREE}


def test_other_microphones_turns_of_nobody_and_other_times_do_not_count() -> None:
    text = view((ONE, OTHER, 0, 4), (None, LIVE, 0, 4), (TWO, LIVE, 50, 60))

    assert cast(text, {LIVE}, {}, heard(0, 0, None, 1), VOICES, {}) == {}


def test_a_voice_that_hardly_agrees_is_somebody_else() -> None:
    text = view((ONE, LIVE, 0, 1))

    assert cast(text, {LIVE}, {}, heard(*(20 * (0,))), VOICES, {}) == {}
