"""Tests of `loadtest living`: that what is missing or doubled is counted, and the command."""

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadtest import cli, living_command
from loadtest.arrivals import Arrival
from loadtest.cli import _parser
from loadtest.living import LivingReport
from loadtest.living_account import EDITORS, Account, Alphabet, Erased, is_typed
from loadtest.living_audit import Findings, Said, Spoken, Typed, audit
from loadtest.living_replica import Shown
from offline.decisions import Decision, Outcome
from offline.domain import PassId, PassWord
from streaming.core.domain import Permille
from tests.loadtest.spoken import final, words
from tests.loadtest.test_commands import run

A, B, C, D = "一丁七万"
"""What editors type."""

TOLD = [final(0, "one two three four"), final(0, "five six", start_ms=1600)]


def heard(text: str) -> tuple[PassWord, ...]:
    """Return what `tests.loadtest.spoken` says, as the storage has it."""
    return tuple(
        PassWord(word.text, word.start_ms, word.end_ms, Permille(word.confidence))
        for word in words(text)
    )


SPOKEN = Spoken(PassId("1"), {PassId("1"): heard("one two three four five six")}, ())


def shown(*stretches: tuple[str, str | None], notes: str = "", **maps: dict[str, Any]) -> Shown:
    """Return a document with stretches of some segments."""
    text = tuple((text, () if g is None else (("g", g),)) for text, g in stretches)
    empty: dict[str, dict[str, Any]] = {"hturns": {}, "speakers": {}}
    return Shown(text, notes, empty | maps)


def found(
    stored: Shown,
    *accounts: Account,
    spoken: Spoken = SPOKEN,
    told: Sequence[Arrival] = TOLD,
) -> Findings:
    return audit(stored, spoken, told, accounts)


def erased(segment: str | None, letters: str) -> list[Erased]:
    """Return letters that somebody erased; those of one call are never the same as each other."""
    return [Erased(segment, each, (1, number)) for number, each in enumerate(letters)]


PLAIN = [("\n", None), ("one two three four", "1:0:4"), (" five six", "1:4:6")]
WHOLE = shown(*PLAIN)


def test_words_stand_whole_with_what_people_type_between_and_inside_of_them() -> None:
    stored = shown(("one t", "1:0:4"), (f"w{A}o three\nfour", "1:0:4"), (" five six", "1:4:6"))

    findings = found(stored, Account(written=[A]))

    assert findings.finals == Said(6, replaced=0, whole=6, missing=0, doubled=0)
    assert findings.typed == Typed(1, erased=0, met=0, missing=0, doubled=0, strange=0)
    assert findings.complete
    assert found(WHOLE).complete


def test_a_word_is_missing_unless_somebody_erased_its_letters() -> None:
    stored = shown(("one thre four", "1:0:4"), (" five six", "1:4:6"))

    some = found(stored, Account(erased=erased("1:0:4", " two")))
    assert (some.finals.missing, some.finals.touched, some.complete) == (2, 0, False)

    all_of_it = found(stored, Account(erased=erased("1:0:4", " twoe")))
    assert (all_of_it.finals.missing, all_of_it.finals.touched, all_of_it.complete) == (0, 2, True)


def test_a_letter_may_be_erased_or_stand_as_one_of_another_segment() -> None:
    stored = shown(("one two thre four", "1:0:4"), (" five six", "1:4:6"))
    for segment in ("1:4:6", None):
        findings = found(stored, Account(erased=erased(segment, "e")))
        assert (findings.finals.missing, findings.moved, findings.complete) == (0, 1, True)

    # Where two erase the same letter, there was one.
    somebody = Account(erased=erased("1:4:6", "e"))
    assert found(shown(*PLAIN[:2], (" fiv six", "1:4:6")), somebody, somebody).complete
    shorter = shown(("one two thre four", "1:0:4"), (" fiv six", "1:4:6"))
    assert found(shorter, somebody, somebody).finals.missing == 1

    beside = shown(("one two thre four", "1:0:4"), ("e five six", "1:4:6"))
    findings = found(beside)
    assert (findings.finals.doubled, findings.moved, findings.complete) == (0, 1, True)
    alone = shown(("one two thre four", "1:0:4"), ("e", None), (" five six", "1:4:6"))
    assert (found(alone).stray, found(alone).complete) == (0, True)


def test_words_that_were_never_written_are_missing() -> None:
    findings = found(shown(("one two three four", "1:0:4")))

    assert (findings.finals.missing, findings.finals.whole) == (2, 4)


def test_words_that_stand_twice_or_in_another_order_are_doubled() -> None:
    twice = shown(("one two three four", "1:0:4"), (" five six five", "1:4:6"))
    turned = shown(("two one three four", "1:0:4"), (" five six", "1:4:6"))

    assert found(twice).finals.doubled == 4
    assert found(turned).finals.doubled == 1
    assert not found(turned).complete


def test_letters_of_no_known_segment_are_of_unknown_origin() -> None:
    stored = shown(("x", None), ("y z", "7:0:2"), *PLAIN)

    assert found(stored).stray == 3


def corrected(text: str, hunk: str, outcome: Outcome = Outcome.APPLIED) -> Spoken:
    """Return what is stored when words were heard again, and one hunk was decided."""
    passes = {**SPOKEN.passes, PassId("2"): heard(text)}
    return Spoken(SPOKEN.live, passes, [Decision(PassId("2"), hunk, outcome)])


def test_words_are_replaced_where_a_correction_was_applied() -> None:
    spoken = corrected("one too three four", "1.1-2>2.1-2")
    done = shown(("one", "1:0:4"), (" too", "2:1:2"), (" three four", "1:0:4"), *PLAIN[2:])

    findings = found(done, spoken=spoken)
    assert findings.finals == Said(6, replaced=1, whole=5, missing=0, doubled=0)
    assert findings.corrections == Said(1, replaced=0, whole=1, missing=0, doubled=0)
    assert findings.complete

    both = shown(("one two", "1:0:4"), (" too", "2:1:2"), (" three four", "1:0:4"), *PLAIN[2:])
    assert found(both, spoken=spoken).finals.doubled == 3

    neither = shown(("one three four", "1:0:4"), *PLAIN[2:])
    assert found(neither, spoken=spoken).corrections.missing == 1
    assert found(neither, Account(erased=erased("2:1:2", "too")), spoken=spoken).complete


def test_words_stay_where_a_correction_was_not_applied() -> None:
    spoken = corrected("one too three four", "1.1-2>2.1-2", Outcome.SUGGESTED)

    assert found(WHOLE, spoken=spoken).complete
    neither = shown(("one three four", "1:0:4"), *PLAIN[2:])
    assert found(neither, spoken=spoken).finals.missing == 1
    done = shown(("one", "1:0:4"), (" too", "2:1:2"), (" three four", "1:0:4"), *PLAIN[2:])
    findings = found(done, spoken=spoken)  # "too" where "two" is said: two letters may be those
    assert (findings.stray, findings.finals.missing, findings.moved) == (1, 1, 2)


def test_words_must_go_that_a_correction_does_not_have() -> None:
    spoken = corrected("one three four", "1.1-2>2.1-1")
    gone = shown(("one three four", "1:0:4"), *PLAIN[2:])

    assert found(gone, spoken=spoken).complete
    assert found(WHOLE, spoken=spoken).finals.doubled == 3


def test_typed_characters_are_there_once_unless_somebody_erased_them() -> None:
    ann = Account(written=[A, B], erased=erased(None, C))
    ben = Account(written=[C], erased=erased(None, B))

    fine = found(shown((A, None), *PLAIN), ann, ben)
    assert (fine.typed, fine.complete) == (Typed(3, 2, 2, 0, 0, 0), True)

    assert found(WHOLE, ann, ben).typed.missing == 1
    assert found(shown((A + A, None), *PLAIN), ann, ben).typed.doubled == 1
    assert found(shown((A + B, None), *PLAIN), ann, ben).typed.doubled == 1
    assert found(shown((A + D, None), *PLAIN), ann, ben).typed.strange == 1


def test_notes_and_what_people_chose_must_be_there() -> None:
    account = Account(noted=[A], chosen=[("speakers", "s1", "Ann"), ("hturns", "t", "s2")])
    maps: dict[str, dict[str, Any]] = {
        "speakers": {"s1": {"name": "Ann"}},
        "hturns": {"t": "s2"},
    }
    fine = replace(WHOLE, notes=A, maps=maps)

    assert found(fine, account).complete
    assert found(replace(fine, notes=""), account).noted.missing == 1
    lost = replace(fine, maps=maps | {"hturns": {"t": "s1"}})
    assert found(lost, account).overridden == 1


def test_the_speaker_is_told_what_is_stored() -> None:
    assert found(WHOLE, told=TOLD[:1]).untold == 2
    other = [final(0, "one two three for"), TOLD[1]]
    assert found(WHOLE, told=other).untold == 1


def test_stretches_are_joined_as_far_as_they_are_alike() -> None:
    told = {"text": [["a", {}], ["b", {}], ["c", {"hl": "red", "g": "1:0:1"}]], "notes": "n"}

    read = Shown.read({**told, "maps": {"turns": {}}})

    assert read.text == (("ab", ()), ("c", (("g", "1:0:1"), ("hl", "red"))))


def test_no_two_editors_write_the_same_character() -> None:
    chance = random.Random(0)
    everything = [
        character
        for editor in range(EDITORS)
        for character in Alphabet.of(editor).characters(chance)
    ]

    assert len(everything) == len(set(everything)) > 60_000
    assert all(map(is_typed, everything))
    assert not any(map(is_typed, "Aé 한\n"))


FINE = LivingReport(
    seconds=1.0,
    seed=0,
    kills=0,
    cuts=(0, 0, 0, 0),
    edits=(1, 1, 1),
    connections=(1, 1, 1),
    partials=(1, 1, 1),
    findings=found(WHOLE),
    differing=0,
)


@pytest.mark.parametrize(
    "wrong", [replace(FINE, differing=1), replace(FINE, findings=found(shown(("one", "1:0:4"))))]
)
def test_anything_missing_or_different_fails_the_command(
    wrong: LivingReport, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def measure(*_arguments: object) -> LivingReport:
        return wrong

    monkeypatch.setattr(living_command, "measure_living", measure)

    assert cli.run(["living", "--real"]) == 1
    assert "nothing missing and nothing doubled expected" in capsys.readouterr().err
    assert FINE.complete


@pytest.mark.parametrize("minutes", ["0", "-1", "1000"])
def test_editors_run_out_of_characters_in_too_long_a_time(
    minutes: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        _parser().parse_args(["living", "--minutes", minutes])
    assert "--minutes" in capsys.readouterr().err


@pytest.mark.slow
async def test_nothing_is_missing_when_the_server_is_killed_too(tmp_path: Path) -> None:
    result = tmp_path / "result.json"

    code, out, errors = await run(*("living", "--minutes", "0.5", "--kills", "--out", result))

    assert code == 0, errors + out
    assert "what stands in the end" in out
    report: dict[str, Any] = json.loads(result.read_text())
    assert report["complete"]
    assert report["kills"] > 0
    assert report["findings"]["finals"]["words"] > 20
