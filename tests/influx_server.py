"""A real InfluxDB 1 on free ports, to compare answers with."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

_CONFIG = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
[http]
bind-address = "127.0.0.1:{port}"
log-enabled = false
[monitor]
store-enabled = false
"""


def program() -> str:
    """Path of influxd; where it is not installed the test is skipped, or fails in CI."""
    found = shutil.which("influxd")
    if found is None:
        sentence = "influxd is not installed: run `apt-get install influxdb`"
        pytest.fail(sentence) if os.environ.get("CI", "").lower() == "true" else pytest.skip(sentence)
    return found


@contextmanager
def influx(folder: Path) -> Iterator[str]:
    """The URL of a server that lives until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    port, rpc = _free_port(), _free_port()
    (folder / "influxdb.conf").write_text(_CONFIG.format(folder=folder, port=port, rpc=rpc))
    command = [program(), "-config", str(folder / "influxdb.conf")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        url = f"http://127.0.0.1:{port}"
        try:
            _await(url)
            yield url
        finally:
            server.terminate()
            server.wait(30)


def _await(url: str) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            httpx.get(f"{url}/ping", trust_env=False)
        except httpx.TransportError:
            assert time.monotonic() < end, "influxd does not answer"
            time.sleep(0.05)
        else:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
