"""Diarization of whole recordings, with pyannote.audio's method and clustering.

1. The models look at windows of the recording (`local_speakers`): which of at most three local
   speakers is active in each frame, and what each of them sounds like.
2. Local speakers that talk alone for a second or more are clustered: `AgglomerativeClustering` of
   pyannote.audio. The clusters are the recording's *voices*.
3. In each window every local speaker is given to a voice of its own, such that they fit best.
4. In each frame as many voices are active as the windows say on average, those with most votes.

Source: Bredin, "pyannote.audio 2.1 speaker diarization pipeline: principle, benchmark, and recipe",
Interspeech 2023; pyannote.audio 4.0.7, `pipelines/speaker_diarization.py`.

Its pipeline is not called as a whole, because it holds several copies of all windows in memory (5
GB for ten hours), runs the embedding model once for each local speaker, wants its models as
networks of torch, and has no place to keep what was computed. In method it differs as follows: the
diarization error in percent, without collar, on the three conversations of `tests/data`, on six
talks composed in the same way of other readings, and on 3.5 minutes of AMI meetings::

                                                              talks   others   meetings
    windows of 10 s, average linkage, constrained assignment   8.9     9.4        62
    windows of 5 s                                             9.0     7.7        60
    voices by windows of 5 s, how many speak by both           8.8     7.9        50
    ... and pauses up to 0.5 s filled                          7.3     6.9        50

With centroid linkage, which pyannote uses, the number of voices changes with every change of the
threshold (4 to 6 for four people, DER up to 17); average linkage finds the right one on all nine
talks with any threshold from 0.55 to 0.7. `pytest tests/streaming/engines/test_pyannote.py -m
models` repeats the last row on the first three: 9.2, 8.4 and 4.8 as filled here, where nobody else
speaks in the pause.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from streaming.core.domain import Pcm, Samples, Span, Speaker, Turn, Voice
from streaming.core.ports import Diarization
from streaming.engines.local_speakers import (
    LONG,
    SHORT,
    Classes,
    LocalSpeakerModels,
    LocalSpeakers,
    ResultStore,
    Windows,
    stretches,
)
from streaming.engines.onnx import OnnxModel
from streaming.engines.segmentation import FRAME_LENGTH, FRAME_STEP, LOCAL_SPEAKERS, POWERSET
from streaming.errors import EngineError

THRESHOLD = 0.62
"""Cosine distance, on average over all pairs, up to which two clusters are one voice."""

LEAST_WINDOWS = 12
"""Of a voice; smaller clusters join the nearest one."""

LEAST_ALONE = 0.2
"""Part of a window in which a local speaker must talk alone to be clustered (pyannote's)."""

MOST_CLUSTERED = 4000
"""Local speakers that are clustered, spread evenly: memory and time grow with the square. 150 MB
and 2 s at this number, which half an hour of talk reaches."""

MOST_VOICES = 20
"""As of a live session; local speakers of smaller voices go to the nearest one of these."""

PAUSE = Samples(8000)
"""A voice that goes on after so short a pause did not stop, unless somebody else spoke in it."""

_LONG_WEIGHT = 2
"""What a long window says of how many speak counts twice: it is what the model was trained on."""

_LISTENING = 0.98
"""The part of the work that the models do."""

_VERSION = b"local speakers 1"
"""To be changed with everything that changes what is kept."""

_BEFORE_FRAME = (FRAME_LENGTH - FRAME_STEP) // 2
"""Samples that a frame sees before the step that it stands for, which is the one around its centre.
"""

_BLOCK = 65_536
"""Frames that are sorted at a time."""

_NOBODY = -2
"""Voice of a local speaker that is silent."""

Similarities = npt.NDArray[np.float32]


class _Clustering(Protocol):
    """What we use of pyannote.audio's `AgglomerativeClustering`."""

    def cluster(
        self, embeddings: npt.NDArray[np.float64], *, min_clusters: int, max_clusters: int
    ) -> npt.NDArray[np.intp]: ...
    def constrained_argmax(self, soft_clusters: Similarities) -> npt.NDArray[np.int8]: ...


@dataclass(frozen=True, slots=True)
class PyannoteDiarizer:
    """Tells the voices of whole recordings apart; stateless, so that one serves all.

    An hour of speech takes 5 minutes of one core. Beside the 0.5 GB that its libraries take, it
    needs 250 MB while the models run, and 40 MB for each hour (ten: 0.9 GB in all).

    Attributes:
        models: Look at the audio.
        clustering_class: pyannote.audio's `AgglomerativeClustering`.
        store: Where results of the models are kept, so that none is computed twice.
    """

    models: LocalSpeakerModels
    clustering_class: Callable[..., Any]
    store: ResultStore | None = None

    @classmethod
    def load(
        cls, *, segmentation: Path, embedding: Path, store: ResultStore | None = None
    ) -> PyannoteDiarizer:
        """Load both models from their folders, and import pyannote.audio, which takes 6 s.

        Call it before other threads import anything.

        Args:
            segmentation: Folder of `segmentation.onnx`.
            embedding: Folder of `campplus.onnx`.
            store: Where results of the models are kept.

        Raises:
            EngineError: A file is missing or no such model, or pyannote.audio is not installed.
        """
        models = LocalSpeakerModels(
            OnnxModel(segmentation / "segmentation.onnx"), OnnxModel(embedding / "campplus.onnx")
        )
        return cls(models, _import_clustering().AgglomerativeClustering, store)

    def diarize(
        self,
        read: Callable[[Span], Pcm],
        samples: Samples,
        progress: Callable[[float], None],
    ) -> Diarization:
        """Return who speaks when in a recording, and what each voice sounds like.

        Args:
            read: Returns a stretch of the recording, asked for some 20 s at a time, in order.
            samples: How long the recording is; it may have no speech in it, or no length.
            progress: Is told what part is done, 0..1; what it raises ends the work.

        Returns:
            Turns by start, of `S1`, `S2` ... in the order in which they speak. All of it is fixed.
        """
        parts: list[LocalSpeakers] = []
        spans = stretches(samples)
        for number, span in enumerate(spans):
            progress(_LISTENING * number / len(spans))
            parts.append(self._hear(read(span), span, samples))
        if not parts:
            progress(1.0)
            return Diarization((), samples)
        progress(_LISTENING)
        heard = LocalSpeakers.joined(parts)
        voices, weights = self._voices(heard)
        votes = _votes(heard, self._assigned(heard, voices), len(voices), samples)
        active = _filled(_elected(votes, _speaking(heard, len(votes))))
        progress(1.0)
        return _diarization(active, voices, weights, samples)

    def _hear(self, pcm: Pcm, span: Span, samples: Samples) -> LocalSpeakers:
        if self.store is None:
            return self.models.hear(pcm, span, samples)
        at_end = span.end == samples
        facts = _VERSION + repr(samples - span.start if at_end else None).encode()
        key = hashlib.sha256(facts + np.ascontiguousarray(pcm).tobytes()).hexdigest()
        kept = self.store.get(key)
        if kept is not None:
            return LocalSpeakers.decode(kept)
        heard = self.models.hear(pcm, span, samples)
        self.store.keep(key, heard.encode())
        return heard

    def _voices(self, heard: LocalSpeakers) -> tuple[Similarities, list[float]]:
        """Return what each voice sounds like, `(voices, 192)`, and in how many windows.

        Without a local speaker who can be clustered all that is said is of one voice, which sounds
        like nothing.
        """
        rows = _clustered(heard)
        if not len(rows):
            return np.zeros((1, heard.embeddings.shape[2]), dtype=np.float32), [0.0]
        every = -(-len(rows) // MOST_CLUSTERED)
        chosen = rows[::every]
        labels = self._clustering(every).cluster(
            chosen.copy(), min_clusters=1, max_clusters=len(chosen)
        )
        sizes = np.bincount(labels)
        largest = np.argsort(-sizes, kind="stable")[:MOST_VOICES]
        means = np.stack([chosen[labels == label].mean(axis=0) for label in largest])
        voices = (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32)
        return voices, [float(size * every) for size in sizes[largest]]

    def _clustering(self, every: int = 1) -> _Clustering:
        clustering = self.clustering_class(metric="cosine")
        clustering.instantiate(
            {
                "method": "average",
                "threshold": THRESHOLD,
                "min_cluster_size": max(1, LEAST_WINDOWS // every),
            }
        )
        made: _Clustering = clustering
        return made

    def _assigned(self, heard: LocalSpeakers, voices: Similarities) -> npt.NDArray[np.int8]:
        """Return the voice of each local speaker of the short windows, `(windows, 3)`."""
        silent = ~np.stack(
            [POWERSET[:, local][heard.short].any(axis=1) for local in range(LOCAL_SPEAKERS)], axis=1
        )
        alike = heard.embeddings.astype(np.float32) @ voices.T
        alike[np.isnan(alike)] = -1.0
        alike[silent] = -3.0
        assigned = self._clustering().constrained_argmax(alike)
        # More local speakers than voices: two of them are one that the model split.
        left = assigned == _NOBODY
        assigned[left] = alike.argmax(axis=2)[left]
        assigned[silent] = _NOBODY
        return assigned


def _clustered(heard: LocalSpeakers) -> npt.NDArray[np.float64]:
    """Return the embeddings of the local speakers that talk alone for long enough."""
    # The first classes after silence are those of one local speaker each.
    alone = np.stack(
        [(heard.short == 1 + local).sum(axis=1) for local in range(LOCAL_SPEAKERS)], axis=1
    )
    enough = (alone >= LEAST_ALONE * SHORT.frames) & ~np.isnan(heard.embeddings).any(axis=2)
    return heard.embeddings[enough].astype(np.float64)


def _votes(
    heard: LocalSpeakers, assigned: npt.NDArray[np.int8], voices: int, samples: int
) -> npt.NDArray[np.uint8]:
    """Return how many short windows hear each voice in each frame, `(frames, voices)`."""
    frames = max(0, samples - _BEFORE_FRAME) // FRAME_STEP
    votes = np.zeros((frames, voices), dtype=np.uint8)
    for number, (classes, theirs) in enumerate(zip(heard.short, assigned, strict=True)):
        stretch = votes[number * SHORT.hop :][: SHORT.frames]
        active = POWERSET[classes[: len(stretch)]].astype(np.bool_)
        for voice in set(theirs.tolist()) - {_NOBODY}:
            stretch[:, voice] += active[:, theirs == voice].any(axis=1)
    return votes


def _speaking(heard: LocalSpeakers, frames: int) -> npt.NDArray[np.uint8]:
    """Return how many people speak in each frame, as the windows say on average."""
    total = np.zeros(frames, dtype=np.float32)
    weight = np.zeros(frames, dtype=np.float32)
    for windows, classes, weighs in ((SHORT, heard.short, 1), (LONG, heard.long, _LONG_WEIGHT)):
        said, looked = _counted(windows, classes, frames)
        total += weighs * said / np.maximum(looked, 1)
        weight += weighs * (looked > 0)
    return np.rint(total / np.maximum(weight, 1)).astype(np.uint8)


def _counted(
    windows: Windows, classes: Classes, frames: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return how many local speakers all windows count in each frame, and how many windows look."""
    said = np.zeros(frames, dtype=np.float32)
    looked = np.zeros(frames, dtype=np.float32)
    simultaneous = POWERSET.sum(axis=1)
    for number, window in enumerate(classes):
        stretch = slice(number * windows.hop, number * windows.hop + windows.frames)
        there = len(said[stretch])
        said[stretch] += simultaneous[window[:there]]
        looked[stretch] += 1
    return said, looked


def _elected(
    votes: npt.NDArray[np.uint8], speaking: npt.NDArray[np.uint8]
) -> npt.NDArray[np.bool_]:
    """Return which voices are active in each frame, `(frames, voices)`: those with most votes."""
    active = np.zeros(votes.shape, dtype=np.bool_)
    for start in range(0, len(votes), _BLOCK):
        there = slice(start, start + _BLOCK)
        order = np.argsort(255 - votes[there], axis=1, kind="stable")
        for rank in range(min(votes.shape[1], LOCAL_SPEAKERS)):
            frames = np.flatnonzero(speaking[there] > rank)
            chosen = order[frames, rank]
            active[start + frames, chosen] = votes[start + frames, chosen] > 0
    return active


def _filled(active: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return who is active once short pauses count as speech."""
    somebody = np.cumsum(active.any(axis=1))
    filled = active.copy()
    for voice in range(active.shape[1]):
        runs = list(_runs(active[:, voice]))
        for (_, end), (start, _) in pairwise(runs):
            nobody_else = somebody[start - 1] == somebody[end - 1]
            if nobody_else and (start - end) * FRAME_STEP <= PAUSE:
                filled[end:start, voice] = True
    return filled


def _runs(active: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Yield each run of frames in which somebody is active: its first frame, and its end."""
    changes = np.diff(np.pad(active.astype(np.int8), 1))
    firsts, ends = np.flatnonzero(changes == 1), np.flatnonzero(changes == -1)
    yield from zip(firsts.tolist(), ends.tolist(), strict=True)


def _diarization(
    active: npt.NDArray[np.bool_], voices: Similarities, weights: list[float], samples: Samples
) -> Diarization:
    """Return the turns, and the voices that have any, named in the order of their first turns."""
    found = [
        (first, end, voice)
        for voice in range(active.shape[1])
        for first, end in _runs(active[:, voice])
    ]
    found.sort()
    names: dict[int, Speaker] = {}
    for _, _, voice in found:
        names.setdefault(voice, Speaker(f"S{len(names) + 1}"))
    turns = (Turn(_span(first, end, samples), names[voice]) for first, end, voice in found)
    return Diarization(
        tuple(turns),
        samples,
        tuple(
            Voice(name, voices[voice].astype("<f4").tobytes(), weights[voice])
            for voice, name in names.items()
        ),
    )


def _span(first: int, end: int, samples: int) -> Span:
    """Return the time of some frames."""
    start, stop = (FRAME_STEP * frame + _BEFORE_FRAME for frame in (first, end))
    return Span(Samples(start), Samples(min(stop, samples)))


def _import_clustering() -> ModuleType:
    """Import what we use of pyannote.audio, without what it would do besides.

    It reports its use to its authors unless told not to, and warns of a missing torchcodec, which
    only reads files. On a busy machine more threads of torch are several times slower. Its
    torchaudio may be built for CUDA beside a torch that is not; then the one module of it that
    loads a library is put aside.

    Raises:
        EngineError: It is not installed, or cannot be imported.
    """
    os.environ["PYANNOTE_METRICS_ENABLED"] = "false"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import torch

            torch.set_num_threads(1)
            if torch.version.cuda is None and "torchaudio" not in sys.modules:
                sys.modules["torchaudio._extension"] = _no_extension()
            return importlib.import_module("pyannote.audio.pipelines.clustering")
    except ImportError as error:
        raise EngineError(f"pyannote.audio expected, but not to be imported: {error}") from error


def _no_extension() -> ModuleType:
    """Return a stand-in for torchaudio's module that loads its compiled part."""
    module = ModuleType("torchaudio._extension")
    module.__dict__.update(
        _IS_TORCHAUDIO_EXT_AVAILABLE=False,
        _IS_ALIGN_AVAILABLE=False,
        _IS_RNNT_AVAILABLE=False,
        _check_cuda_version=lambda: None,
        fail_if_no_align=lambda function: function,
    )
    return module
