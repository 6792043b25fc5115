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
import os, socket, time
SileroModel.load(packaged_graph())
until = time.monotonic() + float(os.environ["LONGEST_S"])
while time.monotonic() < until and not os.path.exists(os.environ["ASKED"]):
    time.sleep(0.05)
try:
    socket.getaddrinfo("asked.example", 80)
except socket.gaierror:
    pass
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="what is loaded first is named otherwise")
def test_loading_a_model_asks_for_no_address_and_leaves_no_file(tmp_path: Path) -> None:
    source, shim = tmp_path / "shim.c", tmp_path / "shim.so"
    source.write_text(SHIM, encoding="ascii")
    subprocess.run(["cc", "-shared", "-fPIC", "-w", "-o", shim, source], check=True)
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"
    }
    environment |= {
        "LD_PRELOAD": str(shim),
        "ASKED": str(tmp_path / "asked"),
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home),
        "TMPDIR": str(home),
        "LONGEST_S": "5",
    }

    subprocess.run([sys.executable, "-B", "-c", LOAD], env=environment, check=True)

    assert (tmp_path / "asked").read_text(encoding="ascii") == "asked.example\n"
    assert list(home.rglob("*")) == []
