"""`shopfloor gateway`: the command."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from contextlib import suppress
from pathlib import Path

from shopfloor.gateway import loop
from shopfloor.gateway.edge import serve
from shopfloor.plant import ShopfloorError
from shopfloor.plant.config import url_of


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
    try:
        loop.run(serve(args.config, args.data, args.server, args.token_file, _ready))
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


def _ready(gateway: str) -> None:
    with suppress(BrokenPipeError):
        print(f"ready {json.dumps({'gateway': gateway})}", flush=True)  # noqa: T201
