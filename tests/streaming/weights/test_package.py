"""What importing `streaming.weights` costs, and where its cache is by default."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from streaming.weights import default_cache


@pytest.mark.slow
def test_importing_brings_no_library() -> None:
    script = "import sys, streaming.weights; print(*sys.modules)"

    loaded = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout.split()

    assert not {"torch", "onnx", "onnxruntime", "numpy", "asyncio", "platformdirs"} & set(loaded)


def test_the_default_cache_is_a_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somebody")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)

    assert default_cache().is_relative_to(Path("/somebody"))
    assert default_cache().name == "trax"
