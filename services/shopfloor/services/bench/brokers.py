"""MQTT brokers on free loopback ports: mosquitto, and the NATS server that the demo brings along."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shopfloor.services.bench.cache import binary
from shopfloor.services.bench.worker import Worker, WorkerFailed, started
from shopfloor.services.supervision.ports import free_port

_MOSQUITTO: Final = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_queued_messages 0
max_inflight_messages 0
"""
_NATS: Final = """\
server_name: bench
host: 127.0.0.1
port: {other}
jetstream {{ store_dir: "{folder}" }}
mqtt {{ host: 127.0.0.1, port: {port} }}
"""
_PATIENCE_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class Broker:
    """A running broker."""

    worker: Worker
    port: int

    @property
    def url(self) -> str:
        """As in mqtt://127.0.0.1:1883."""
        return f"mqtt://127.0.0.1:{self.port}"


@contextmanager
def mosquitto(folder: Path) -> Iterator[Broker]:
    """A mosquitto that keeps everything in memory."""
    user = f"user {os.environ.get('USER', 'root')}\n" if os.geteuid() == 0 else ""
    with _broker("mosquitto", ["-c"], _MOSQUITTO + user, folder) as broker:
        yield broker


@contextmanager
def nats(folder: Path) -> Iterator[Broker]:
    """A NATS server with its MQTT listener and JetStream on disk."""
    with _broker("nats-server", ["-c"], _NATS, folder) as broker:
        yield broker


@contextmanager
def _broker(name: str, options: Sequence[str], text: str, folder: Path) -> Iterator[Broker]:
    path, port = binary(name), free_port()
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / f"{name}.conf"
    config.write_text(text.format(port=port, other=free_port(), folder=folder / "jetstream"))
    with started(name, [path, *options, str(config)], folder, announces=False) as worker:
        _wait(worker, port)
        yield Broker(worker, port)


def _wait(worker: Worker, port: int) -> None:
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end and worker.process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise WorkerFailed(f"{worker.name} does not listen on port {port}: {worker.log.read_text()[-500:]}")
