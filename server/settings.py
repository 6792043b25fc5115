"""Everything that can be set, in one frozen value; read once, in `__main__`, and checked whole.

Each field says in its `Setting` what it means, its unit, its range and why it has its default.
`options.py` makes flags, environment variables and README's table of it, so none of them can
differ from what the code does.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, get_type_hints

from server.defaults import cache_folder, data_folder, usable_cores
from server.errors import SettingsError
from server.job_settings import JobSettings
from server.setting import (
    FILES,
    GROUPS,
    LOAD,
    LOGS,
    MODELS,
    NETWORK,
    SESSIONS,
    TRANSCRIPTS,
    Setting,
    problem,
)

_REDIS = ("redis://", "rediss://", "unix://")

SMALLEST_TOKEN = 16
"""Characters of a token given by hand: shorter ones can be guessed over a network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(JobSettings):
    """How one server runs. Immutable, and valid once it exists.

    Raises:
        SettingsError: Names every field that is out of range.
    """

    host: Annotated[
        str,
        Setting(
            "Address to listen on. The default is reached from this machine only; any other "
            "needs a token of your own and, on open networks, a proxy that speaks TLS.",
            NETWORK,
        ),
    ] = "127.0.0.1"
    port: Annotated[
        int, Setting("Port to listen on; 0 takes a free one.", NETWORK, low=0, high=65_535)
    ] = 8000
    token: Annotated[
        str | None,
        Setting(
            "What clients must present. Without one, a token is made at the first start and "
            "kept in the data folder, so that clients can reconnect after a restart. Prefer the "
            "variable: other users of a machine can read flags.",
            NETWORK,
            default="made at the first start",
        ),
    ] = None
    allowed_origins: Annotated[
        tuple[str, ...],
        Setting(
            "Web pages, besides our own, whose scripts may connect (`https://notes.example`), "
            "separated by commas. Browsers send an origin, other clients do not.",
            NETWORK,
            default="none",
        ),
    ] = ()
    data_dir: Annotated[
        Path,
        Setting(
            "Where sessions are recorded and the token is kept.",
            FILES,
            default="`trax` in the user's data folder",
        ),
    ] = field(default_factory=data_folder)
    cache_dir: Annotated[
        Path,
        Setting(
            "Where fetched models are kept.", FILES, default="`trax` in the user's cache folder"
        ),
    ] = field(default_factory=cache_folder)
    results_cache_mb: Annotated[
        int,
        Setting(
            "Room in the cache folder for what accurate passes found out, so that a job that is "
            "repeated or goes on redoes nothing. An hour of audio takes about a megabyte; 0 keeps "
            "nothing.",
            FILES,
            unit="MB",
            low=0,
            high=1_000_000,
        ),
    ] = 512
    retention_days: Annotated[
        int,
        Setting(
            "How long finished sessions, audio and words, stay on disk. An hour of audio takes "
            "115 MB.",
            FILES,
            unit="days",
            low=0,
            high=36_500,
        ),
    ] = 30
    live_model: Annotated[
        str,
        Setting(
            "Recognizer of the live pass: a name that `trax models list` shows, a name on a "
            "model hub, or a path.",
            MODELS,
        ),
    ] = "whisper-base"
    passes: Annotated[
        Path | None,
        Setting(
            "TOML file that says which passes correct the live words, and how, in place of the "
            "usual ones; `trax passes` shows what is in force.",
            MODELS,
            default="none: the usual passes",
        ),
    ] = None
    device: Annotated[
        str, Setting("Where the recognizer computes.", MODELS, allowed=("auto", "cpu", "cuda"))
    ] = "auto"
    compute_type: Annotated[
        str,
        Setting(
            "Arithmetic of the recognizer, as CTranslate2 names it. `auto` is the fastest that "
            "the device has: on a CPU `int8_float32`.",
            MODELS,
        ),
    ] = "auto"
    recognizer_workers: Annotated[
        int | None,
        Setting(
            "Windows recognised at the same time, each on one core; on a GPU by itself as many as "
            "gain, which is tried at the start.",
            MODELS,
            low=1,
            high=256,
            default="one a core, at most 8",
        ),
    ] = None
    max_sessions: Annotated[
        int,
        Setting(
            "Sessions at the same time; one more is told to come back later (1013). With four a "
            "core the default model keeps real time, also where speakers are told apart; its "
            "passes become rarer then. `python -m loadtest` measures a machine.",
            LOAD,
            low=1,
            high=100_000,
            default="four a core",
        ),
    ] = field(default_factory=lambda: 4 * usable_cores())
    max_lag_ms: Annotated[
        int,
        Setting(
            "New sessions are also refused while the running ones are further behind than this "
            "(their median), so that those that run recover.",
            LOAD,
            unit="ms",
            low=500,
            high=600_000,
        ),
    ] = 6_000
    retry_after_ms: Annotated[
        int,
        Setting(
            "When a client that was refused for lack of room is told to try again.",
            LOAD,
            unit="ms",
            low=100,
            high=600_000,
        ),
    ] = 5_000
    backlog_ms: Annotated[
        int,
        Setting(
            "Audio that one session holds in memory, heard and unheard: the credit a client "
            "gets. 64 kB a second.",
            LOAD,
            unit="ms",
            low=40_000,
            high=600_000,
        ),
    ] = 60_000
    lookahead_ms: Annotated[
        int,
        Setting(
            "Audio heard after a word before it is final, where the client does not say: more "
            "is surer and later.",
            SESSIONS,
            unit="ms",
            low=0,
            high=5_000,
        ),
    ] = 300
    diarization: Annotated[
        bool,
        Setting(
            "Whether this server tells speakers apart at all, also in files and passages. Without, "
            "it needs less computing, and no models for it.",
            SESSIONS,
        ),
    ] = True
    session_ms: Annotated[
        int,
        Setting(
            "Longest session, in audio. A working day.",
            SESSIONS,
            unit="ms",
            low=1_000,
            high=7 * 86_400_000,
        ),
    ] = 8 * 3_600_000
    resume_ms: Annotated[
        int,
        Setting(
            "How long a session whose client is gone waits for it; then it is finished. Counts "
            "anew when the server starts.",
            SESSIONS,
            unit="ms",
            low=0,
            high=86_400_000,
        ),
    ] = 120_000
    start_timeout_ms: Annotated[
        int,
        Setting(
            "How long a new connection may take to say `start`.",
            SESSIONS,
            unit="ms",
            low=100,
            high=300_000,
        ),
    ] = 10_000
    idle_timeout_ms: Annotated[
        int,
        Setting(
            "How long a client may say nothing, not even `ping`, before its connection is "
            "closed. Its session waits for it all the same.",
            SESSIONS,
            unit="ms",
            low=100,
            high=3_600_000,
        ),
    ] = 60_000
    close_timeout_ms: Annotated[
        int,
        Setting(
            "How long a client that is being told goodbye may take to read it.",
            SESSIONS,
            unit="ms",
            low=10,
            high=60_000,
        ),
    ] = 2_000
    message_bytes: Annotated[
        int,
        Setting(
            "Largest message a client may send: four seconds of 16 kHz audio in 16 bits. Clients "
            "send every 100 ms or so.",
            SESSIONS,
            unit="bytes",
            low=4_096,
            high=4 * 1024 * 1024,
        ),
    ] = 128 * 1024
    unread_events: Annotated[
        int,
        Setting(
            "Events that a client may leave unread before its connection is closed. They are on "
            "disk and not lost.",
            SESSIONS,
            low=1,
            high=1_000_000,
        ),
    ] = 2_000
    max_connections: Annotated[
        int,
        Setting(
            "Connections at the same time, of all kinds, with sessions or without.",
            LOAD,
            low=1,
            high=100_000,
        ),
    ] = 1_000
    database: Annotated[
        str | None,
        Setting(
            "Where transcripts are kept: `sqlite:///FILE`, or `postgresql+psycopg://USER:PASSWORD@"
            "HOST/NAME`. Prefer the variable where there is a password in it.",
            TRANSCRIPTS,
            default="`transcripts.sqlite` in the data folder",
        ),
    ] = None
    recordings_url: Annotated[
        str | None,
        Setting(
            "Object store that the audio of finished sessions is moved to: `s3://BUCKET/PREFIX`, "
            "`gs://`, `az://` or `file:///FOLDER`. Credentials come from the environment.",
            FILES,
            default="none: it stays in the data folder",
        ),
    ] = None
    transcript_bytes: Annotated[
        int,
        Setting(
            "Largest shared document. Three hours of speech take half a megabyte, and what people "
            "edit adds to it.",
            TRANSCRIPTS,
            unit="bytes",
            low=1024 * 1024,
            high=1024 * 1024 * 1024,
        ),
    ] = 64 * 1024 * 1024
    update_bytes: Annotated[
        int,
        Setting(
            "Largest change of a document that an editor may send at once, such as all that it "
            "wrote while it was offline.",
            TRANSCRIPTS,
            unit="bytes",
            low=64 * 1024,
            high=256 * 1024 * 1024,
        ),
    ] = 4 * 1024 * 1024
    unread_bytes: Annotated[
        int,
        Setting(
            "Changes of a document that an editor may leave unread before it is sent away, to "
            "synchronise anew.",
            TRANSCRIPTS,
            unit="bytes",
            low=64 * 1024,
            high=256 * 1024 * 1024,
        ),
    ] = 4 * 1024 * 1024
    log_level: Annotated[
        str,
        Setting("How much is logged.", LOGS, allowed=("debug", "info", "warning", "error")),
    ] = "info"
    log_format: Annotated[
        str,
        Setting(
            "`text` for people, `json` for programs: one object a line.",
            LOGS,
            allowed=("text", "json"),
        ),
    ] = "text"

    def __post_init__(self) -> None:
        """Check every field, then what several fields say together."""
        problems = [
            problem(name, about.range + (f" {about.unit}" if about.unit else ""), str(value))
            for name, about in about_settings().items()
            if not about.allows(value := getattr(self, name))
        ]
        problems += self._contradictions()
        if problems:
            raise SettingsError(problems)

    @property
    def database_url(self) -> str:
        """Where transcripts are kept."""
        return self.database or f"sqlite:///{self.data_dir.absolute() / 'transcripts.sqlite'}"

    @property
    def loopback(self) -> bool:
        """Whether only this machine can connect."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def _contradictions(self) -> list[str]:
        found: list[str] = []
        if not self.loopback and self.token is None:
            found.append(
                problem("token", f"a token of your own when listening on {self.host}", "none")
            )
        if self.token is not None and not _strong(self.token):
            expected = f"at least {SMALLEST_TOKEN} visible ASCII characters"
            found.append(problem("token", expected, f"{len(self.token)} characters"))
        if self.redis_url is not None and not self.redis_url.startswith(_REDIS):
            found.append(problem("redis_url", " or ".join(_REDIS) + " and a host", "another URL"))
        if self.redis_url is None and self.workers == 0:
            found.append(problem("workers", "at least 1 where there is no Redis", "0"))
        return found


def about_settings() -> dict[str, Setting]:
    """Return what each field means, by name, group after group."""
    hints = get_type_hints(Settings, include_extras=True)
    found: dict[str, Setting] = {f.name: hints[f.name].__metadata__[0] for f in fields(Settings)}
    return dict(sorted(found.items(), key=lambda item: GROUPS.index(item[1].group)))


def _strong(token: str) -> bool:
    return len(token) >= SMALLEST_TOKEN and all("!" <= character <= "~" for character in token)
