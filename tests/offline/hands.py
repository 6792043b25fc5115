"""What children do in tests: hear, dawdle, crash, eat memory. Named, because they are pickled."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from offline.child import Hear
from offline.domain import PassWord
from offline.errors import LanguageError, NoStage, Unheard
from offline.jobs import Failure, FailureCode, JobKind, Task
from offline.results import HeardWord, Hearing
from streaming.core.domain import Permille
from streaming.errors import EngineError

Progress = Callable[[float], None]
Earlier = Sequence[Sequence[PassWord]]

DEADLINE_S = 60.0
NO_AUDIO = Failure(FailureCode.NO_AUDIO, "audio expected, got none", retry=False)


def heard(task: Task, text: str = "heard") -> Hearing:
    """Return one word, and who heard it."""
    word = PassWord(text, task.start_ms, task.start_ms + 100, Permille(900))
    return Hearing(task.start_ms, task.start_ms + 100, (HeardWord(word),))


def _unreached() -> EngineError:
    error = EngineError("whisper-none: weights expected, got none")
    error.__cause__ = ConnectionError("no route")
    return error


_ERRORS: dict[str | None, Callable[[], Exception]] = {
    "unheard": lambda: Unheard(NO_AUDIO),
    "foreign": lambda: LanguageError("foreign", "whisper-none", frozenset({"en"})),
    "xx": lambda: LanguageError("xx", "whisper-none", frozenset({"en"})),
    "stageless": lambda: NoStage("recording"),
    "modelless": lambda: EngineError("whisper-none: weights expected, got none"),
    "crowded": lambda: EngineError("whisper-none: mkl_malloc: failed to allocate memory"),
    "crammed": lambda: RuntimeError("std::bad_alloc"),
    "lonely": _unreached,
    "wrong": ArithmeticError,
}


@dataclass(frozen=True)
class Does:
    """Does what the task's language says; `gate` is a file without which it goes on.

    A child that waits makes the file `gate.begun` first.
    """

    gate: Path = Path("/nonexistent")

    def __call__(self) -> Hear:
        return self.hear

    def hear(self, task: Task, earlier: Earlier, progress: Progress) -> Hearing:
        progress(0.25)
        match task.language:
            case "pid":
                return heard(task, str(os.getpid()))
            case "nice":
                score = Path("/proc/self/oom_score_adj").read_text(encoding="ascii").strip()
                return heard(task, f"{os.nice(0)} {score}")
            case "earlier":
                return heard(task, " ".join(word.text for row in earlier for word in row))
            case "waits":
                self._wait(task, progress)
            case "deaf":  # waits, and takes no notice of anybody
                self._wait(task, lambda _part: None)
            case "holds":  # as a library may that keeps Python from doing anything
                (self.gate.with_suffix(".begun")).write_text(str(os.getpid()), encoding="ascii")
                ctypes.PyDLL(None).sleep(1000)
            case _:
                self._fail(task)
        return heard(task)

    def _fail(self, task: Task) -> None:
        """Fail as told, if told so."""
        match task.language:
            case "dies":
                os.kill(os.getpid(), signal.SIGKILL)
            case "once" if not self.gate.exists():
                self.gate.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            case "eats":
                _ = [bytearray(16_000_000) for _ in range(1000)]
            case what if what in _ERRORS:
                error = _ERRORS[what]()
                raise error

    def _wait(self, task: Task, progress: Progress) -> None:
        begun = self.gate.with_suffix(f".{task.kind.value}.begun")
        begun.write_text(str(os.getpid()), encoding="ascii")
        give_up_s = time.monotonic() + 60
        while self.gate.exists() and time.monotonic() < give_up_s:
            progress(0.5)
            time.sleep(0.01)


@dataclass(frozen=True)
class DoesByHotword(Does):
    """Does what the first hotword says: a server takes any, but no language that is none."""

    def hear(self, task: Task, earlier: Earlier, progress: Progress) -> Hearing:
        what = task.hotwords[0] if task.hotwords else None
        return super().hear(replace(task, language=what), earlier, progress)


def unpicklable() -> Hear:
    """Be hired, and end at once."""
    raise SystemExit(3)


def wait_for(holds: Callable[[], bool], within_s: float = DEADLINE_S) -> None:
    """Wait for another process."""
    give_up_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < give_up_s
        time.sleep(0.01)


def alive(pid: int) -> bool:
    """Whether a process runs, and is not only waited for."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def task(what: str, kind: JobKind = JobKind.STRETCH) -> Task:
    return Task(kind, "transcript-aaaaaaaaaa", "session1", 0, 30_000, language=what)
