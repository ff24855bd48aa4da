"""`store.influxdb` in the plant file: every stored value goes on to another server, with its token."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from running_server import PLANT, POWER, S, running
from shopfloor.plant import ConfigError, Sample
from shopfloor.plant.config import PlantConfig, loads

SECTION = """
store: {{influxdb: {{url: "http://127.0.0.1:{port}", org: delta, bucket: plant, token_file: {token}}}}}
"""


class Receiver(ThreadingHTTPServer):
    """Answers as InfluxDB does to a write, and keeps what was written."""

    daemon_threads = True
    written: list[tuple[str, str]]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            server.written += [(self.headers["Authorization"], line) for line in body.splitlines()]
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with Receiver(("127.0.0.1", 0), Handler) as server:
        server.written = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def plant(port: int, token: Path) -> PlantConfig:
    return loads(PLANT + SECTION.format(port=port, token=token), "plant.yaml")


def test_stored_values_reach_the_mirror_of_the_plant_file(receiver: Receiver, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("secret-of-the-mirror\n")
    with running(tmp_path / "data", plant(receiver.server_port, token)) as server:
        server.feed(Sample(POWER, time.time_ns(), 7.5), Sample(POWER, time.time_ns() + S, 8.5))
        server.parts.historian.flush()
        deadline = time.monotonic() + 20
        while len(receiver.written) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
    assert {authorization for authorization, _ in receiver.written} == {"Token secret-of-the-mirror"}
    assert [("7.5" in line, "8.5" in line) for _, line in receiver.written] == [(True, False), (False, True)]


def test_a_token_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    config = plant(1, tmp_path / "no-token")
    with pytest.raises(ConfigError, match=r"cannot be read from .*no-token"), running(tmp_path / "data", config):
        pass
