"""The command `python -m loadtest latency`."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit

from rich.console import Console

from loadtest.clients import trax
from loadtest.comparison import Compared, comparison_table
from loadtest.latency import LatencyReport, measure_latency
from loadtest.options import (
    add_out_folder,
    add_peers,
    add_session_options,
    add_talk,
    caller_of,
    read_talk,
)
from loadtest.plots import plot_latency
from loadtest.progress import watched
from loadtest.recordings import Recording
from loadtest.report import latency_table, write_json
from loadtest.rivals import Rival, Running, ours, theirs
from loadtest.scripted import add_scripted, script_flags
from loadtest.values import server_url, whole


def add_latency(parser: argparse.ArgumentParser) -> None:
    """Give the command its options."""
    parser.set_defaults(carry_out=_latency)
    add_talk(parser)
    parser.add_argument("--streams", type=whole(1), default=1, metavar="N", help="clients at once")
    parser.add_argument(
        "--stagger-ms",
        type=whole(0),
        default=700,
        metavar="MS",
        help="how long after each other they begin (default: 700)",
    )
    add_session_options(parser)
    server = parser.add_mutually_exclusive_group()
    server.add_argument(
        "--url",
        type=server_url,
        help="a server that runs already; default: one of our own, whose use is measured",
    )
    add_scripted(server)
    parser.add_argument("--token", help="its token, if it is not in the URL")
    add_peers(parser)
    parser.add_argument(
        "--rounds",
        type=whole(1),
        default=1,
        metavar="N",
        help="with --against: measure each server so often, in turn; medians are told (default: 1)",
    )
    add_out_folder(parser)


def _latency(options: argparse.Namespace) -> None:
    talk = read_talk(options.files)
    rivals = theirs(options.against, options.language, options.peer_token)
    with ExitStack() as stack:
        rivals.insert(0, _ours(options, script_flags(talk, stack) if options.scripted else ()))
        rounds = [
            [asyncio.run(_measure(talk, rival, options)) for rival in rivals]
            for _ in range(options.rounds if options.against else 1)
        ]
    compared = [
        Compared(rival.name, tuple(each))
        for rival, each in zip(rivals, zip(*rounds, strict=True), strict=True)
    ]
    alone = None if options.against else rounds[0][0]
    Console().print(comparison_table(compared) if alone is None else latency_table(alone))
    if options.out is not None:
        write_json(options.out / "latency.json", alone or {"servers": compared})
        plot_latency(compared, options.out / "latency.png")


def _ours(options: argparse.Namespace, flags: Sequence[str]) -> Rival:
    if options.url is None:
        return ours(caller_of(options, ""), flags=flags)

    @asynccontextmanager
    async def running(_streams: int) -> AsyncIterator[Running]:
        caller = replace(caller_of(options, options.url), token=options.token)
        yield Running(trax(caller), None)

    return Rival(urlsplit(options.url).netloc, running)


async def _measure(talk: Recording, rival: Rival, options: argparse.Namespace) -> LatencyReport:
    names = [f"{rival.name}, client {number + 1}" for number in range(options.streams)]
    async with rival.running(options.streams) as running:
        with watched(names, talk.duration_s) as watch:
            return await measure_latency(
                talk,
                running.client,
                options.streams,
                options.stagger_ms / 1000,
                running.server,
                watch,
            )
