"""Ports: free ones, kept from start to start so that devices stay where they were."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from pathlib import Path

from shopfloor.plant import ConfigError


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether nobody listens on a port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def check_free(port: int) -> int:
    """The port (a free one for 0); a taken one raises one sentence."""
    if port == 0:
        return free_port()
    if not is_free(port):
        raise ConfigError(
            f"Port {port} of 127.0.0.1 is taken by another program: stop that one, or choose another with --port."
        )
    return port


def kept_ports(file: Path, names: Iterable[str]) -> dict[str, int]:
    """A free port for each name: the one of the last start when it is free still."""
    ports = {name: port if is_free(port) else free_port() for name, port in _read(file, names).items()}
    file.write_text(json.dumps(ports) + "\n")
    return ports


def _read(file: Path, names: Iterable[str]) -> dict[str, int]:
    try:
        kept = json.loads(file.read_text())
    except (OSError, ValueError):
        kept = {}
    return {name: int(kept.get(name) or free_port()) for name in names}
