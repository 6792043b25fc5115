"""Nothing that we load has threads of its own that wait busily."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

LOOK = """
import importlib, sys
importlib.import_module(sys.argv[1])
import numpy, scipy.linalg, threadpoolctl
libraries = threadpoolctl.threadpool_info()
print({each["num_threads"] for each in libraries if each["user_api"] == "blas"})
"""


@pytest.mark.parametrize("module", ["server.app", "offline.accurate", "loadtest.__main__"])
def test_matrices_are_multiplied_in_the_calling_thread(module: str) -> None:
    environment = {name: value for name, value in os.environ.items() if "NUM_THREADS" not in name}

    looked = subprocess.run(
        [sys.executable, "-c", LOOK, module],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert looked.stdout == "{1}\n"
