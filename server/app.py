"""The one place where a server's objects are made, and what becomes of them at start and stop."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp

from offline.child import Hire
from offline.queue import JobQueue
from server.access import Access
from server.api.resource import Premises as ApiPremises
from server.api.routes import api_routes
from server.api.workbench import Workbench
from server.audio_store import AudioStore
from server.auth import Gate
from server.collector import Collector
from server.corrections import Corrections
from server.defaults import usable_cores
from server.describing import catch_up
from server.disk import Disk
from server.errors import AudioStoreError, StartError
from server.health import Health, SecurityHeaders, explain, upgrade_required
from server.hearing import Hiring
from server.jobs import Jobs
from server.lifecycle import Lifecycle, Serving, Stopping, restart
from server.memory import give_back
from server.messages import Models
from server.page import Page
from server.passes import passes_of
from server.planner import Planner
from server.recordings import Archive
from server.rehearing import Rehearings
from server.rooms import Rooms
from server.sessions import Sessions
from server.settings import Settings
from server.storage.jobs import Bounds
from server.storage.store import Store
from server.store_threads import StoreThreads
from server.stream import StreamEndpoint
from server.sync import SyncEndpoint
from server.telemetry import Telemetry
from server.transcripts import Transcripts
from server.upload_files import UploadFiles, longest_upload
from server.uploads import UploadLimits, Uploads, UploadSpace
from server.visits import Visits
from server.worker import Workers
from streaming.engines.loading import EngineConfig, EngineSet, load
from streaming.pool import Pool
from streaming.runner import SessionRunner

logger = logging.getLogger(__name__)

MOST_WORKERS = 8
"""Windows recognised at once at most, where nobody says how many."""

GOODBYE_S = 2.0
"""How long clients may take to hear that the server stops."""

LoadEngines = Callable[[EngineConfig], EngineSet]


@dataclass(frozen=True, slots=True)
class Premises:
    """What the endpoints and the application share from the start."""

    settings: Settings
    lifecycle: Lifecycle
    telemetry: Telemetry
    disk: Disk
    threads: StoreThreads
    planner: Planner
    archive: Archive
    queue: JobQueue


class Application:
    """One server without its listening socket. Its owner calls `load`, and `aclose` at the end.

    Attributes:
        asgi: What a web server runs. It answers before the models are loaded: it is alive, but
            not ready.
    """

    def __init__(
        self, premises: Premises, asgi: ASGIApp, load_engines: LoadEngines, hire: Hire
    ) -> None:
        self.asgi = asgi
        self._settings = premises.settings
        self._lifecycle = premises.lifecycle
        self._telemetry = premises.telemetry
        self._disk = premises.disk
        self._threads = premises.threads
        self._planner = premises.planner
        self._archive = premises.archive
        self._queue = premises.queue
        self._load_engines = load_engines
        self._hire = hire
        self._store: Store | None = None
        self._pool: Pool | None = None
        self._jobs: Jobs | None = None
        self._corrections: Corrections | None = None
        self._workers: Workers | None = None
        self._uploads: Uploads | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def load(self) -> None:
        """Load the models, which takes seconds, and begin to serve.

        Raises:
            StorageError: The database cannot be used.
            StreamingError: A model cannot be had as it was asked for.
        """
        store = await self._threads.write(lambda: Store(self._settings.database_url))
        self._store = store
        rooms = Rooms(
            store, self._threads, self._planner, transcript_bytes=self._settings.transcript_bytes
        )
        self._jobs = jobs = self._open_jobs(store)
        rehearings = Rehearings(store, self._threads, jobs, passes_of(self._settings))
        transcripts = Transcripts(store, self._threads, rooms, rehearings)
        engines = await _in_thread(lambda: self._load_engines(engine_config(self._settings)))
        self._pool = pool = Pool(engines)
        sessions = Sessions(
            self._settings,
            self._archive,
            self._disk,
            self._telemetry,
            lambda settings, origin: SessionRunner(pool, settings, origin=origin),
            transcripts,
        )
        names = engines.names
        models = Models(recognizer=names.recognizer, vad=names.vad, diarizer=names.diarizer)
        visits = Visits(store.links, self._threads)
        self._tasks = [
            asyncio.create_task(work)
            for work in (
                self._telemetry.listen_to_the_loop(),
                visits.look_after(),
                Collector(lambda: self._lifecycle.connections == 0).run(),
                give_back(),
            )
        ]
        sessions.start()
        if self._settings.workers:
            self._workers = await self._employ(jobs)
        jobs.start()
        self._corrections = Corrections(store, self._threads, rooms, jobs)
        self._corrections.start()
        self._uploads = uploads = self._open_uploads(store, rooms, jobs)
        await uploads.start()
        self._tasks += [
            asyncio.create_task(work)
            for work in (uploads.look_after(), catch_up(store, self._threads))
        ]
        self._lifecycle.state = Serving(
            sessions,
            rooms,
            store,
            visits,
            jobs,
            uploads,
            models,
            engines.languages,
            lambda: pool.queue_depth,
        )
        logger.info(
            "ready",
            extra={
                "recognizer": models.recognizer,
                "computes": engines.computes,
                "windows_at_once": engines.recognizer_workers,
                "windows_together": engines.recognizer_batch,
            },
        )

    def _open_jobs(self, store: Store) -> Jobs:
        bounds = Bounds.of(self._settings.waiting_jobs)
        return Jobs(store, self._threads, self._queue, self._telemetry, bounds)

    async def _employ(self, jobs: Jobs) -> Workers:
        loop = asyncio.get_running_loop()

        def told() -> None:
            with suppress(RuntimeError):  # The loop is closed: the server stopped meanwhile.
                loop.call_soon_threadsafe(jobs.notice)

        return await self._disk.run(
            lambda: Workers(self._settings, self._queue, self._hire, told=told)
        )

    def _open_uploads(self, store: Store, rooms: Rooms, jobs: Jobs) -> Uploads:
        settings = self._settings
        limits = UploadLimits(settings.upload_bytes, longest_upload(settings.upload_hours))
        space = UploadSpace(UploadFiles(settings.data_dir), self._disk)
        return Uploads(store, self._threads, rooms, jobs, space, limits)

    async def drain(self) -> None:
        """Take nothing new, tell clients to come back later, and let go of their sessions."""
        if self._workers is not None:
            self._workers.stop()
        state, self._lifecycle.state = self._lifecycle.state, Stopping()
        if isinstance(state, Serving):
            logger.info("stopping", extra={"connections": self._lifecycle.connections})
            state.jobs.drain()
            await state.sessions.aclose(restart())
            if self._corrections is not None:
                await self._corrections.aclose()
            await state.rooms.aclose()
        try:
            async with asyncio.timeout(GOODBYE_S):
                await self._lifecycle.quiet()
        except TimeoutError:
            logger.info("clients cut off", extra={"connections": self._lifecycle.connections})

    async def aclose(self) -> None:
        """Free everything, after `drain`."""
        for task in self._tasks:
            task.cancel()
        if self._pool is not None:
            await self._pool.aclose()
        if self._workers is not None:
            await self._disk.run(self._workers.close)
        if self._uploads is not None:
            await self._disk.run(self._uploads.close)
        if self._jobs is not None:
            await self._jobs.aclose()
        self._queue.close()
        self._planner.close()
        self._disk.close()
        self._threads.close()
        if self._store is not None:
            self._store.close()


def build_app(
    settings: Settings,
    token: str,
    load_engines: LoadEngines = load,
    hire: Hire | None = None,
) -> Application:
    """Make a server.

    Args:
        settings: Of the server.
        token: What clients must present.
        load_engines: Tests give engines of their own.
        hire: What workers' children do; tests give something of their own.
    """
    lifecycle, telemetry = Lifecycle(), Telemetry()
    disk, threads = Disk(), StoreThreads()
    gate = Gate(token, settings.allowed_origins)
    access, archive = Access(gate, lifecycle, threads), _archive(settings)
    stream = StreamEndpoint(settings, gate, access, lifecycle, telemetry)
    sync = SyncEndpoint(settings, gate, access, lifecycle)
    health, page = Health(lifecycle, telemetry), Page()
    api = ApiPremises(
        gate, access, lifecycle, threads, disk, Workbench(), archive, settings.cache_dir
    )
    asgi = Starlette(
        routes=[
            Route("/", page.index),
            Route("/assets/{name}", page.asset),
            Route("/healthz", health.alive),
            Route("/readyz", health.ready),
            Route("/metrics", health.metrics),
            Route("/v1/stream", upgrade_required),
            WebSocketRoute("/v1/stream", stream),
            WebSocketRoute("/v1/transcripts/{transcript}/sync", sync),
            *api_routes(api),
        ],
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers={HTTPException: explain},
    )
    premises = Premises(
        settings,
        lifecycle,
        telemetry,
        disk,
        threads,
        Planner(),
        archive,
        _queue(settings),
    )
    return Application(premises, asgi, load_engines, hire or Hiring(settings))


def _archive(settings: Settings) -> Archive:
    """Return where sessions are recorded.

    Raises:
        StartError: The object store's address is wrong.
    """
    if settings.recordings_url is None:
        return Archive(settings.data_dir)
    try:
        return Archive(settings.data_dir, AudioStore(settings.recordings_url))
    except AudioStoreError as error:
        raise StartError(f"--recordings-url (TRAX_RECORDINGS_URL): {error}") from error


def _queue(settings: Settings) -> JobQueue:
    """Return what wakes workers up.

    Raises:
        StartError: Redis' address is wrong.
    """
    try:
        return JobQueue(settings.redis_url)
    except ValueError as error:
        raise StartError(f"--redis-url (TRAX_REDIS_URL): {error}") from error


def engine_config(settings: Settings) -> EngineConfig:
    """Return what is to be loaded."""
    return EngineConfig(
        live_model=settings.live_model,
        cache=settings.cache_dir,
        device=settings.device,
        compute_type=settings.compute_type,
        most_workers=min(MOST_WORKERS, usable_cores()),
        recognizer_workers=settings.recognizer_workers,
        diarization=settings.diarization,
    )


async def _in_thread(work: Callable[[], EngineSet]) -> EngineSet:
    """Run `work` in a daemon thread, so that a request to stop need not wait for it."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[EngineSet] = loop.create_future()

    def settle(engines: EngineSet | None, error: BaseException | None) -> None:
        if result.cancelled():
            return
        if engines is not None:
            result.set_result(engines)
        elif error is not None:
            result.set_exception(error)

    def run() -> None:
        engines, error = None, None
        try:
            engines = work()
        except BaseException as raised:  # noqa: BLE001 - it is raised again in the loop
            error = raised
        with suppress(RuntimeError):  # The loop is closed: the server stopped meanwhile.
            loop.call_soon_threadsafe(settle, engines, error)

    threading.Thread(target=run, name="loading", daemon=True).start()
    return await result
