"""Tests of `streaming.engines.diart_clustering`, which runs diart's own code."""

import subprocess
import sys

import numpy as np
import numpy.typing as npt
import pytest

from streaming.engines.diart_clustering import (
    ClusteringFactory,
    ClusteringSettings,
    OnlineClustering,
    Scores,
)
from streaming.errors import EngineError

SETTINGS = ClusteringSettings(
    tau_active=0.6, rho_update=0.3, delta_new=0.7, voices=4, centroid_norm=10.0
)
ANN, BEN, CAT = np.eye(3, 192, dtype=np.float32)
NOBODY = np.full(192, np.nan, dtype=np.float32)

HEAVY = ("torch", "torchaudio", "pyannote.audio", "lightning", "pandas", "sklearn", "matplotlib")


@pytest.fixture(scope="module")
def factory() -> ClusteringFactory:
    return ClusteringFactory.load()


@pytest.fixture
def clustering(factory: ClusteringFactory) -> OnlineClustering:
    return factory.clustering(SETTINGS)


def active(*parts: float) -> Scores:
    """Return a window in which each local speaker is active for a part of the time."""
    frames = (np.arange(100)[:, None] + 0.5) / 100
    return (frames < np.array(parts)).astype(np.float32)


def rows(*voices: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.stack(voices)


def near(voice: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return a vector of length 1 that is nearer to `voice` than to `other`."""
    mixed = 0.9 * voice + 0.3 * other
    unit: npt.NDArray[np.float32] = (mixed / np.linalg.norm(mixed)).astype(np.float32)
    return unit


def test_local_speakers_of_a_first_window_become_voices(clustering: OnlineClustering) -> None:
    assert clustering.assign(active(0.5, 0.4, 0), rows(BEN, ANN, NOBODY)) == {0: 0, 1: 1}


def test_a_voice_is_known_again_under_another_local_number(clustering: OnlineClustering) -> None:
    clustering.assign(active(0.5, 0.4, 0), rows(ANN, BEN, NOBODY))

    again = clustering.assign(active(0.4, 0, 0.5), rows(near(BEN, ANN), NOBODY, near(ANN, BEN)))

    assert again == {0: 1, 2: 0}


def test_a_voice_unlike_all_others_is_new(clustering: OnlineClustering) -> None:
    clustering.assign(active(0.5, 0.4, 0), rows(ANN, BEN, NOBODY))

    assert clustering.assign(active(0.5, 0, 0), rows(CAT, NOBODY, NOBODY)) == {0: 2}


def test_a_short_remark_makes_no_new_voice(clustering: OnlineClustering) -> None:
    clustering.assign(active(0.5, 0, 0), rows(ANN, NOBODY, NOBODY))

    assert clustering.assign(active(0.2, 0, 0), rows(CAT, NOBODY, NOBODY)) == {0: 0}


def test_a_window_without_embeddings_assigns_nobody(clustering: OnlineClustering) -> None:
    assert clustering.assign(active(0, 0, 0), rows(NOBODY, NOBODY, NOBODY)) == {}
    assert clustering.assign(active(0.5, 0, 0), rows(NOBODY, NOBODY, NOBODY)) == {}


def test_there_are_never_more_voices_than_allowed(clustering: OnlineClustering) -> None:
    people = np.eye(8, 192, dtype=np.float32)
    voices = {
        voice
        for person in people
        for voice in clustering.assign(active(0.5, 0, 0), rows(person, NOBODY, NOBODY)).values()
    }

    assert voices == set(range(SETTINGS.voices))


def test_sessions_do_not_share_voices(factory: ClusteringFactory) -> None:
    one, other = factory.clustering(SETTINGS), factory.clustering(SETTINGS)
    one.assign(active(0.5, 0, 0), rows(ANN, NOBODY, NOBODY))

    assert other.assign(active(0.5, 0, 0), rows(BEN, NOBODY, NOBODY)) == {0: 0}


def test_a_voice_that_changes_slowly_stays_known_after_hours(clustering: OnlineClustering) -> None:
    """Without a bound, the sum of the first hours would keep the centroid where it was."""
    for _ in range(500):
        clustering.assign(active(0.5, 0, 0), rows(ANN, NOBODY, NOBODY))
    for part in np.linspace(0, np.pi / 2, 200):
        changed = (np.cos(part) * ANN + np.sin(part) * BEN).astype(np.float32)
        assert clustering.assign(active(0.5, 0, 0), rows(changed, NOBODY, NOBODY)) == {0: 0}


@pytest.mark.slow
@pytest.mark.parametrize("first", ["sys", "torch"])
def test_nothing_heavy_is_imported_and_nothing_is_left_behind(first: str) -> None:
    script = f"""
import {first}, sys
before = set(sys.modules)
from streaming.engines.diart_clustering import ClusteringFactory
ClusteringFactory.load()
new = set(sys.modules) - before
assert not new & {set(HEAVY)}, new & {set(HEAVY)}
assert not any(name.split('.')[0] in ('diart', 'pyannote') for name in new)
import torch
torch.zeros(1)
import pyannote.core.notebook
"""
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)


def test_a_missing_diart_is_an_engine_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "diart", None)

    with pytest.raises(EngineError, match="diart"):
        ClusteringFactory.load()
