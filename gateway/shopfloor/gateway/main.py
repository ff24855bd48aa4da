"""`shopfloor gateway`: wires sources, spool and server, and runs until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
from contextlib import suppress
from pathlib import Path

from shopfloor.gateway.commit import Committer
from shopfloor.gateway.conform import Conform
from shopfloor.gateway.forward import Forwarder
from shopfloor.gateway.health import Health, report
from shopfloor.gateway.pipeline import Feed, Pipeline
from shopfloor.gateway.registry import connector
from shopfloor.gateway.server import Server, Token
from shopfloor.gateway.spool import Spool
from shopfloor.gateway.state import SourceState
from shopfloor.plant import ShopfloorError
from shopfloor.plant.config import PlantConfig, load, options, url_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `shopfloor gateway` takes."""
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="plant file (YAML)")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the spool; one gateway each")
    parser.add_argument(
        "--server", type=_address, metavar="URL", help="the server; by default gateway.server of the plant file"
    )
    parser.add_argument(
        "--token-file", type=Path, metavar="FILE", help="the server's secrets/gateway.token, or a copy of it"
    )


def run(args: argparse.Namespace) -> int:
    """Run the gateway; 0 after a clean stop, 2 with one sentence on stderr when it cannot run."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s gateway: %(message)s")
    logging.getLogger("paho").setLevel(logging.CRITICAL)
    try:
        config = load(args.config)
        file = args.token_file or (Path(config.gateway.token_file) if config.gateway.token_file else None)
        asyncio.run(serve(config, args.data, args.server or config.gateway.server, Token(file)))
    except ShopfloorError as problem:
        print(problem, file=sys.stderr)  # noqa: T201
        return 2
    except KeyboardInterrupt:
        return 0
    return 0


def _address(text: str) -> str:
    try:
        url_of("http", "https").func(text)  # type: ignore[call-arg]
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from problem
    return text


async def serve(config: PlantConfig, data: Path, url: str, token: Token) -> None:
    """Run every source of the plant file until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    sources = [(source, connector(source.kind)) for source in config.sources]
    store = config.gateway.spool
    with Spool.open(data, config.gateway.name, store.limit, store.when_full) as spool:
        committer = Committer(spool)
        conform = Conform(config)
        feeds = []
        for source, kind in sources:
            made = kind.build(source.name, options(source, kind.options), config, data)
            if marks := getattr(made, "marks", None):
                marks.restore(spool.marks(source.name))
            state = SourceState(source.name, source.kind, getattr(made, "url", ""))
            feeds.append(Feed(made, state, committer, conform))
        async with Server.open(url, token) as server, committer.running():
            forwarder = Forwarder(spool, server, committer.committed)
            health = Health(config.gateway.name, spool, forwarder, feeds)
            _ready(spool.id)
            await _until(stop, Pipeline(feeds), forwarder, health, server)


async def _until(stop: asyncio.Event, pipeline: Pipeline, forwarder: Forwarder, health: Health, server: Server) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(pipeline.run(), name="pipeline"),
            group.create_task(forwarder.run(), name="forward"),
            group.create_task(report(health, server), name="health"),
        ]
        await stop.wait()
        for task in tasks:
            task.cancel()


def _ready(gateway: str) -> None:
    with suppress(BrokenPipeError):
        print(f"ready {json.dumps({'gateway': gateway})}", flush=True)  # noqa: T201
