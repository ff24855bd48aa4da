"""`shopfloor server`: stores, judges, predicts, and serves the API and the pages."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import uvicorn
from shopfloor.plant import ConfigError
from shopfloor.plant.arguments import port
from shopfloor.plant.config import load
from shopfloor.services.app import create_app, open_parts
from shopfloor.services.live import LiveProtocol
from shopfloor.services.lock import check_space, owned
from shopfloor.services.security import Setup

_LEAST_SPACE: Final = 256_000_000
_GRACE_S: Final = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of the server."""
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="plant file, as in plant.yaml")
    parser.add_argument("--data", type=Path, default=Path("data"), metavar="DIR", help="data folder (default: data)")
    parser.add_argument("--host", metavar="ADDRESS", help="address to listen on, instead of the plant file's")
    parser.add_argument("--port", type=port, metavar="N", help="port to listen on, instead of the plant file's; 0: any")


def run(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    config = load(args.config)
    host = args.host or config.server.host
    number = config.server.port if args.port is None else args.port
    with owned(args.data, "server"), listener(host, number) as bound:
        check_space(args.data, _LEAST_SPACE)
        with open_parts(config, args.data, host=host) as parts:
            _invite(parts.doors.setup, number)
            server = Server(uvicorn.Config(
                create_app(parts), loop="uvloop", ws=LiveProtocol, log_level="warning", access_log=False,
                proxy_headers=False, server_header=False, timeout_graceful_shutdown=_GRACE_S, ws_max_size=1 << 20,
                ws_per_message_deflate=False,
            ))  # fmt: skip
            server.run([bound])
    return 0


def _invite(setup: Setup, port: int) -> None:
    """Say on the console how the first account is made, where nobody could come in without one."""
    code = setup.code()
    if setup.is_open:
        sys.stderr.write(
            f"Nobody has an account yet. Open port {port} of this machine in a browser and make the first admin"
            f" with the set-up code {code}, which holds once and until the server stops.\n"
        )
        sys.stderr.flush()


def listener(host: str, port: int) -> socket.socket:
    """A listening socket; a taken port or foreign address raises one sentence."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(256)
    except OSError as problem:
        bound.close()
        raise ConfigError(_sentence(host, port, problem)) from problem
    return bound


class Server(uvicorn.Server):
    """Says `ready` on standard output as soon as it answers; a signal ends it and nothing else.

    uvicorn itself raises the signal again when it has stopped, which would end the process before its parts are closed.
    """

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at SIGINT and SIGTERM."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            sys.stdout.write(f"ready {json.dumps({'server': f'http://{shown}:{port}'})}\n")
            sys.stdout.flush()


def _sentence(host: str, port: int, problem: OSError) -> str:
    if isinstance(problem, PermissionError):
        return f"Port {port} may not be listened on by this user: choose one above 1023 with --port."
    if problem.errno in {98, 48}:
        return f"Port {port} of {host} is taken by another program: stop that one, or choose another with --port."
    return f"{host}:{port} cannot be listened on ({problem.strerror or problem}): expected an address of this machine."
