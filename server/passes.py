"""From a server's settings to the accurate pass."""

from __future__ import annotations

from offline.accurate import AccuratePass, Ear
from offline.cache import ResultCache
from offline.diarization import EngineDiarizer, OfflineDiarizer
from offline.errors import PassesError
from offline.kept_diarization import KeptDiarizer
from offline.passes import DEFAULT, Passes
from offline.voiced import VoicedPass
from server.errors import SettingsError
from server.setting import problem
from server.settings import Settings
from streaming.engines.diarizers import load_recording_diarizer
from streaming.engines.recognizers import SCRIPTED, Machine

RESULTS = "results"
"""Folder, in that of the cache, of what accurate passes found out."""

MB = 1_000_000


def passes_of(settings: Settings) -> Passes:
    """Return the passes that are in force.

    Raises:
        SettingsError: The file that describes them cannot be read or understood.
    """
    if settings.passes is None:
        return DEFAULT
    try:
        return Passes.parse(settings.passes.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, PassesError) as error:
        expected = "a file that describes passes"
        raise SettingsError([problem("passes", expected, f"{settings.passes}: {error}")]) from error


def results_of(settings: Settings) -> ResultCache:
    """Return where results are kept."""
    return ResultCache(settings.cache_dir / RESULTS, settings.results_cache_mb * MB)


def accurate_pass(settings: Settings) -> VoicedPass:
    """Return what hears tasks, and tells voices apart if it may; loads no model before it hears.

    Raises:
        SettingsError: As `passes_of`.
    """
    # One worker: a task's windows are heard one after another, and the live side needs the cores.
    machine = Machine(settings.cache_dir, settings.device, settings.compute_type)
    ear = Ear(passes_of(settings), settings.live_model, machine)
    results = results_of(settings)

    def load_diarizer() -> OfflineDiarizer:
        engine = load_recording_diarizer(settings.live_model, settings.cache_dir, results)
        return EngineDiarizer(engine)

    def keep_diarizer() -> OfflineDiarizer:
        return KeptDiarizer(load_diarizer, results)

    accurate = AccuratePass(ear, results)
    if not settings.diarization:  # Jobs that wait may be from when it was on.
        return VoicedPass(accurate, None)
    # What a script plays has nothing to do with the audio.
    scripted = settings.live_model.startswith(SCRIPTED)
    return VoicedPass(accurate, load_diarizer if scripted else keep_diarizer)
