"""Tests of `offline.passes`."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from offline.errors import PassesError
from offline.jobs import JobKind
from offline.passes import DEFAULT, LIVE, Moment, Passes, Stage
from streaming.core.ports import Search, Way

UTTERANCE = Stage("utterance", Moment.UTTERANCE, model=LIVE)
DOCUMENT = (Path(__file__).parents[2] / "docs" / "passes.md").read_text(encoding="utf-8")
FIRST = '[[stage]]\nname = "utterance"\nwhen = "utterance"\n'


def stage(name: str, when: str, *options: str) -> str:
    return "\n".join(("[[stage]]", f'name = "{name}"', f'when = "{when}"', *options, ""))


@pytest.mark.parametrize("kind", JobKind)
def test_by_default_each_job_is_heard_by_one_stage(kind: JobKind) -> None:
    (stage,) = DEFAULT.of(kind)

    assert stage.when is (Moment.STRETCH if kind is JobKind.STRETCH else Moment.RECORDING)
    assert stage.model == "auto"


def test_what_a_file_leaves_out_has_its_default() -> None:
    passes = Passes.parse(FIRST + stage("recording", "recording"))

    assert passes.stages == (UTTERANCE, Stage("recording", Moment.RECORDING))
    assert passes.of(JobKind.STRETCH) == ()


def test_a_third_stage_with_another_model_is_a_few_lines() -> None:
    text = FIRST + stage("quick", "recording")
    text += stage(
        "slow",
        "recording",
        'model = "large-v3"',
        "beams = 8",
        "context = true",
        "uncertain_only = true",
        "temperatures = [0, 0.5]",
        "no_speech = 0.7",
        'ways = ["plain"]',
    )

    quick, slow = Passes.parse(text).of(JobKind.UPLOAD)

    assert quick == Stage("quick", Moment.RECORDING)
    assert slow == Stage(
        "slow",
        Moment.RECORDING,
        model="large-v3",
        search=Search(beams=8, temperatures=(0.0, 0.5), no_speech=0.7, ways=(Way.PLAIN,)),
        context=True,
        uncertain_only=True,
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stage", "TOML expected"),
        ("", "a list of"),
        ("stage = 1", "a list of"),
        ("stage = [1]", "a stage expected"),
        ("other = 1\n" + FIRST, "other"),
        (stage("", "recording"), "name"),
        (stage("Two words", "recording"), "name"),
        (stage("soon", "tomorrow"), "soon: when of utterance, stretch, recording"),
        (FIRST + 'model = "whisper-base"', "utterance: no more than"),
        (FIRST + stage("a", "recording", "beam = 5"), "a: options of model, .*'beam'"),
        (FIRST + stage("a", "recording", "beams = 0"), r"a: beams: 1\.\.20 expected, got 0"),
        (FIRST + stage("a", "recording", "beams = 21"), "got 21"),
        (FIRST + stage("a", "recording", "beams = true"), "got True"),
        (FIRST + stage("a", "recording", "beams = 1.5"), "got 1.5"),
        (FIRST + stage("a", "recording", "context = 1"), "context: true or false expected, got 1"),
        (FIRST + stage("a", "recording", "model = 1"), "model: a text expected"),
        (FIRST + stage("a", "recording", 'model = ""'), "model: a text expected, got ''"),
        (FIRST + stage("a", "recording", 'model = " "'), "model: a text expected, got ' '"),
        (FIRST + stage("a", "recording", "no_speech = true"), "no_speech: a number expected"),
        (FIRST + stage("a", "recording", "temperatures = []"), "temperatures: a list"),
        (
            FIRST + stage("a", "recording", "temperatures = [true]"),
            r"temperatures: a list of 1\.\.8 numbers expected",
        ),
        (FIRST + stage("a", "recording", f"temperatures = {[0.5] * 9}"), "a list of 1..8 numbers"),
        (
            FIRST + stage("a", "recording", "temperatures = [-5.0, 1e300]"),
            r"a: temperatures: 0\.\.1 expected, got -5\.0",
        ),
        (FIRST + stage("a", "recording", "temperatures = [0.0, 1e300]"), r"got 1e\+300"),
        (FIRST + stage("a", "recording", "no_speech = nan"), r"no_speech: 0\.\.1 .*got nan"),
        (FIRST + stage("a", "recording", "no_speech = 1.01"), "got 1.01"),
        (FIRST + stage("a", "recording", "log_probability = 0.1"), r"-100\.\.0 expected"),
        (FIRST + stage("a", "recording", "log_probability = -inf"), "got -inf"),
        (FIRST + stage("a", "recording", "compression = inf"), r"1\.\.100 expected, got inf"),
        (FIRST + stage("a", "recording", f"compression = {'9' * 400}"), "got inf"),
        (FIRST + stage("a", "recording", f"compression = {'9' * 5_000}"), "TOML expected"),
        (
            FIRST + stage("a", "recording", 'ways = ["plain", "plain"]'),
            "ways: a list of timed, plain",
        ),
        (FIRST + stage("a", "recording", 'ways = ["sung"]'), "'sung'"),
        (stage("a", "recording"), "one stage of the moment utterance expected"),
        (FIRST + FIRST, "one stage of the moment utterance"),
        (stage("a", "recording") + FIRST, "in|then"),
        (FIRST + stage("a", "recording") + stage("b", "stretch"), "got utterance, recording"),
        (FIRST + 2 * stage("a", "recording"), "'a' twice"),
        (FIRST + "".join(stage(f"s{n}", "recording") for n in range(16)), "at most 16 stages"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_what_was_expected(text: str, said: str) -> None:
    with pytest.raises(PassesError, match=said):
        Passes.parse(text)


def test_the_document_says_what_a_file_may_say() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)
    told = dict(re.findall(r"^\| `(\w+)` \|(.*?)\|", DOCUMENT, re.MULTILINE))
    stages = Passes.parse(example).stages
    own = {each.name for each in (*fields(Stage), *fields(Search))} - {"search"}
    (stage,) = Passes.parse(FIRST + '[[stage]]\nname = "a"\nwhen = "recording"').stages[1:]

    assert [stage.name for stage in stages][-1] == "second-opinion"
    assert told.keys() == own
    for name, value in told.items():
        if value.strip():
            holder = stage.search if hasattr(stage.search, name) else stage
            assert json.loads(value.strip(" `")) == _plain(getattr(holder, name))


def _plain(value: object) -> object:
    """Return a default as TOML and JSON write it."""
    if isinstance(value, tuple):
        return [each.value if isinstance(each, Way) else each for each in value]
    return value
