"""The files of the models: which there are, how to get them, and whether they are what they should.

Reading order: `weight` (what a weight is), `catalogue` (which there are), `location` (from a name
in the settings to a folder), `verification` (checksums), then what a fetch does: `fetching`,
`downloading`, `placement`, `locking`, `manifest`, and `conversion` with `probes` (from PyTorch to
ONNX; the only module here that imports torch, and only a fetch imports it).

    from streaming.weights import default_cache, fetch, locate, overview, verify

    cache = default_cache()
    fetch(["whisper-base", "campplus"], cache)   # raises a WeightsError, or all is well
    for verdict in overview(cache):              # quick; verify((), cache) reads every byte
        print(verdict.weight.name, verdict.state.value, verdict.weight.licence)
    match locate("whisper-base", cache):
        case CataloguedModel(folder=folder): ...  # folder / "model.bin" is verified
        case LocalModel(path): ...                # somebody's own files
        case HubModel(name): ...                  # for faster-whisper to resolve

In the cache there is one folder for each weight, with the names of the catalogue:

    whisper-base/      model.bin config.json tokenizer.json vocabulary.txt
    whisper-tiny.en/   the same
    segmentation-3.0/  segmentation.onnx
    campplus/          campplus.onnx

and licence texts, `manifest.json` beside what was converted, and `.verified.json`. `conversion`
describes inputs and outputs of the two ONNX files.
"""

from __future__ import annotations

from pathlib import Path

from streaming.weights.catalogue import CATALOGUE
from streaming.weights.fetching import (
    Fetcher,
    Phase,
    Progress,
    fetch,
    ignore_progress,
)
from streaming.weights.location import (
    CataloguedModel,
    HubModel,
    LocalModel,
    Located,
    locate,
    overview,
    verify,
)
from streaming.weights.verification import (
    Damaged,
    FileVerdict,
    Missing,
    Present,
    State,
    Verdict,
)
from streaming.weights.weight import Weight

__all__ = [
    "CATALOGUE",
    "CataloguedModel",
    "Damaged",
    "Fetcher",
    "FileVerdict",
    "HubModel",
    "LocalModel",
    "Located",
    "Missing",
    "Phase",
    "Present",
    "Progress",
    "State",
    "Verdict",
    "Weight",
    "default_cache",
    "fetch",
    "ignore_progress",
    "locate",
    "overview",
    "verify",
]


def default_cache() -> Path:
    """Return this system's usual folder for a user's caches, `~/.cache/trax` on Linux."""
    # Late: 30 ms that nobody needs who sets TRAX_CACHE_DIR.
    from platformdirs import user_cache_path  # noqa: PLC0415

    return user_cache_path("trax")
