"""The command `trax-client`."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, contextmanager
from functools import partial
from pathlib import Path

from trax_client.address import find_address
from trax_client.errors import (
    ConnectionLost,
    ServerUnreachable,
    TraxError,
    Unauthorized,
    Unavailable,
)
from trax_client.session import Session, connect
from trax_client.sources import FileSource, Source, SourceError, check_file, open_microphone
from trax_client.transcript_commands import OutputError, add_transcript_commands
from trax_client.views import JsonView, Latency, PlainView, View

MakeView = Callable[[Session, str], View]
"""Makes the view of a session under that heading."""

OpenConnection = Callable[[], AbstractAsyncContextManager[Session]]

PATIENCE_S = 60.0
"""How long to wait for room on a server that has none."""

DONE, USAGE, NO_CONNECTION, REFUSED, INTERRUPTED = 0, 2, 3, 4, 130

EXIT_CODES = f"""\
exit codes:
  {DONE:<3}  done, also after one Ctrl-C
  {USAGE:<3}  wrong options; a file is missing, or cannot be decoded or written; no microphone
  {NO_CONNECTION:<3}  the server cannot be reached, or was lost for good
  {REFUSED:<3}  the server refused: token, an option, no room, its own failure
  {INTERRUPTED:<3}  broken off by a second Ctrl-C

environment:
  TRAX_URL    the URL that the server prints, with or without ?token=
  TRAX_TOKEN  the token, when it is not in the URL
"""


class UsageError(Exception):
    """Options or the installation do not allow what was asked for."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; mistakes become one line on standard error."""
    options = _parser().parse_args(arguments)
    try:
        asyncio.run(_run(options))
    except (TraxError, SourceError, UsageError, OutputError) as error:
        print(f"trax-client: {_sentence(error)}", file=sys.stderr)
        return _exit_code(error)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has left, such as `head`; Python would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return DONE


async def _run(options: argparse.Namespace) -> None:
    try:
        find_address(options.url, options.token, os.environ)
    except ValueError as error:
        raise UsageError(str(error)) from error
    await options.run(options)


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split())
    match error:
        case Unauthorized():
            return f"{text} (give --token, TRAX_TOKEN, or the whole URL that the server printed)"
        case ServerUnreachable():
            return f"{text} (is the server running there? --url or TRAX_URL say where it is)"
        case _:
            return text


def _exit_code(error: Exception) -> int:
    match error:
        case ServerUnreachable() | ConnectionLost():
            return NO_CONNECTION
        case TraxError():
            return REFUSED
        case _:
            return USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trax-client",
        description="Transcribe audio with a Trax server, and see what it keeps.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    stream = commands.add_parser(
        "stream",
        help="transcribe files or the microphone, live",
        description="Transcribe files, one after another, or the microphone.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    source = stream.add_argument_group("audio").add_mutually_exclusive_group(required=True)
    source.add_argument(
        "files", nargs="*", type=Path, default=[], metavar="FILE", help="any format"
    )
    source.add_argument("--mic", action="store_true", help="the default microphone")
    stream.add_argument(
        "--pace",
        choices=["real-time", "fast"],
        default="real-time",
        help="send files as if they were spoken now (default), or as fast as the server takes them",
    )
    stream.add_argument("--json", action="store_true", help="print one event a line, as JSON")
    _add_server(stream)
    _add_session_options(stream.add_argument_group("session"))
    stream.set_defaults(run=_stream)
    transcripts = commands.add_parser(
        "transcripts", help="list, show, follow, export, make and delete shared transcripts"
    )
    add_transcript_commands(transcripts, _add_server)
    return parser


def _add_server(parser: argparse.ArgumentParser) -> None:
    server = parser.add_argument_group("server")
    server.add_argument("--url", help="URL that the server prints [TRAX_URL]")
    server.add_argument("--token", help="token, if it is not in the URL [TRAX_TOKEN]")


def _add_session_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--language", default="auto", help="ISO 639-1 code (default: detect it)")
    group.add_argument(
        "--lookahead-ms",
        type=int,
        metavar="MS",
        help="audio heard after a word before it is final, 0..5000: less is faster, more is surer",
    )
    group.add_argument("--no-diarization", action="store_true", help="do not tell speakers apart")
    group.add_argument(
        "--hotword", action="append", default=[], metavar="WORD", help="favour a word; repeatable"
    )
    group.add_argument(
        "--finals",
        choices=["word", "utterance"],
        default="word",
        help="words final one by one and corrected later, or later and for good",
    )
    group.add_argument("--no-partials", action="store_true", help="only words that are final")
    group.add_argument(
        "--transcript",
        metavar="ID|new",
        help="transcript of the server to write into, or a new one for each file",
    )
    group.add_argument(
        "--person", metavar="NAME", help="the only person who speaks: do not tell speakers apart"
    )
    group.add_argument("--microphone", metavar="NAME", help="what to call it in the transcript")


async def _stream(options: argparse.Namespace) -> None:
    for path in options.files:
        check_file(path)
    make_view = _view(options)
    real_time = options.mic or options.pace == "real-time"
    with _Interrupt.caught() as interrupt:
        for opened in _sources(options):
            connection = partial(
                connect,
                options.url,
                options.token,
                transcript=options.transcript,
                person=options.person,
                microphone=options.microphone,
                language=options.language,
                lookahead_ms=options.lookahead_ms,
                diarization=not options.no_diarization,
                hotwords=options.hotword,
                partials=not options.no_partials,
                finals=options.finals,
            )
            await _transcribe(opened(), connection, make_view, interrupt, real_time=real_time)
            if interrupt.came:
                break


def _view(options: argparse.Namespace) -> MakeView:
    if options.json:
        return lambda _session, _name: JsonView(sys.stdout)
    if not sys.stdout.isatty():
        return lambda _session, name: PlainView(sys.stdout, sys.stderr, name)
    try:
        from rich.console import Console  # noqa: PLC0415 - a tenth of a second; `--help` is instant

        from trax_client.screen import Screen  # noqa: PLC0415
    except ImportError as error:
        raise UsageError(f"the screen needs pip install 'trax-client[cli]' ({error})") from error
    return partial(Screen, Console())


def _sources(options: argparse.Namespace) -> Iterator[Callable[[], Source]]:
    """Yield what opens each source; a later file is opened when its turn has come."""
    if options.mic:
        yield open_microphone
    for path in options.files:
        yield partial(FileSource, path, real_time=options.pace == "real-time")


class _Interrupt:
    """Ctrl-C: the first one ends the audio and lets the rest come, the second breaks off."""

    def __init__(self, task: asyncio.Task[object]) -> None:
        self.came = False
        self.feeding: asyncio.Task[None] | None = None
        self._task = task

    @classmethod
    @contextmanager
    def caught(cls) -> Iterator[_Interrupt]:
        """Catch Ctrl-C for the current task."""
        task = asyncio.current_task()
        assert task is not None, "run by asyncio.run"
        interrupt = cls(task)
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, interrupt.strike)
        try:
            yield interrupt
        finally:
            loop.remove_signal_handler(signal.SIGINT)

    def strike(self) -> None:
        """Take one Ctrl-C."""
        if self.came or self.feeding is None:
            self._task.cancel()
        else:
            self.came = True
            self.feeding.cancel()


async def _transcribe(
    source: Source,
    connection: OpenConnection,
    make_view: MakeView,
    interrupt: _Interrupt,
    *,
    real_time: bool,
) -> None:
    """Carry one source through one session."""
    loop, latency = asyncio.get_running_loop(), Latency()
    async with AsyncExitStack() as stack:
        session = await _admitted(stack, connection)
        view = make_view(session, _heading(source, session))
        if real_time:
            latency.begin(loop.time())
        feeding = interrupt.feeding = asyncio.create_task(_feed(source, session))
        try:
            async for event in session:
                latency.take(event, loop.time())
                view.show(event)
        finally:
            feeding.cancel()
            await asyncio.wait([feeding])
            failure = None if feeding.cancelled() else feeding.exception()
            view.finish(latency)
    if failure is not None:
        raise failure


def _heading(source: Source, session: Session) -> str:
    """Return what is heard, and where others read along."""
    if session.transcript is None:
        return source.name
    return f"{source.name} (transcript {session.transcript}, {session.info.sync})"


async def _admitted(stack: AsyncExitStack, connection: OpenConnection) -> Session:
    """Enter a session; where there is no room, come again when the server says so."""
    loop = asyncio.get_running_loop()
    give_up_s = loop.time() + PATIENCE_S
    while True:
        try:
            return await stack.enter_async_context(connection())
        except Unavailable as full:
            wait_s = full.retry_after_s
            if not wait_s or loop.time() + wait_s > give_up_s:
                raise
            print(f"trax-client: {full.message}, again in {wait_s:g} s", file=sys.stderr)
            await asyncio.sleep(wait_s)


async def _feed(source: Source, session: Session) -> None:
    try:
        # Closed here, not some time later: a microphone should be let go of at once.
        async with aclosing(source.blocks()) as blocks:
            async for block in blocks:
                await session.send(block)
    finally:
        # Also when the source breaks off or is interrupted: what was heard shall be finished.
        await session.end()
