"""Nothing that we load tells anybody about it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
    int file = open(getenv("ASKED"), O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (name && file >= 0 && write(file, name, strlen(name)) >= 0) write(file, "\n", 1);
    if (file >= 0) close(file);
    return EAI_NONAME;
}
"""
"""Notes the names of which an address is wanted, and has none."""

LOAD = """
from streaming.engines.silero import SileroModel, packaged_graph
SileroModel.load(packaged_graph())
"""

WAIT = """
import os, socket, time
until = time.monotonic() + 20
while time.monotonic() < until and not os.path.exists(os.environ["ASKED"]):
    time.sleep(0.05)
try:
    socket.getaddrinfo("ours.example", 80)
except socket.gaierror:
    pass
"""
"""onnxruntime's telemetry asked 10 s after it was loaded. At last we ask, to prove the shim."""


def run(code: str, home: Path, **variables: str) -> None:
    """Run Python where all that programs keep of their own lies in one folder."""
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ORT_")}
    own = {"HOME": str(home), "XDG_CACHE_HOME": str(home), "TMPDIR": str(home)}
    subprocess.run([sys.executable, "-B", "-c", code], env=kept | own | variables, check=True)


@pytest.mark.slow
def test_loading_a_model_leaves_no_file(tmp_path: Path) -> None:
    run(LOAD, tmp_path / "home")

    assert list((tmp_path / "home").rglob("*")) == []


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="what is loaded first is named otherwise")
def test_loading_a_model_asks_for_no_address(tmp_path: Path) -> None:
    source, shim, asked = (tmp_path / name for name in ("shim.c", "shim.so", "asked"))
    source.write_text(SHIM, encoding="ascii")
    subprocess.run(["cc", "-shared", "-fPIC", "-w", "-o", shim, source], check=True)

    run(LOAD + WAIT, tmp_path / "home", LD_PRELOAD=str(shim), ASKED=str(asked))

    assert asked.read_text(encoding="ascii") == "ours.example\n"
