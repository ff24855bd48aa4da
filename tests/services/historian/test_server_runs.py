"""Telling one run of VictoriaMetrics from the next: by scripted `/metrics`, and by a real server."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from shopfloor.plant import Batch
from shopfloor.services.historian import Historian, Options, Product, Target
from shopfloor.services.historian.remote.run import Run
from shopfloor.services.historian.remote.sender import Sender
from store_servers import Server, server, until

TAG = "delta/area/line/cell/cnc 01/power"
STARTED = 1_700_000_000


class Scripted(ThreadingHTTPServer):
    """A server whose run is what the test says; it remembers the lines that it took."""

    daemon_threads = True
    started: int = STARTED
    looks: int = 0
    now: int = STARTED + 60
    tells: bool = True
    lines: tuple[bytes, ...] = ()

    def metrics(self) -> bytes:
        self.looks += 1
        looks = f'vm_http_requests_total{{path="/metrics"}} {self.looks}\n'
        return f"{looks}vm_app_start_timestamp {self.started}\n".encode() if self.tells else b"up 1\n"

    @property
    def target(self) -> Target:
        return Target(Product.VICTORIAMETRICS, f"http://127.0.0.1:{self.server_port}", settle_s=0.3)


@contextmanager
def scripted() -> Iterator[Scripted]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(200, made.metrics())

        def do_POST(self) -> None:
            made.lines += (self.rfile.read(int(self.headers["Content-Length"])),)
            self._say(204, b"")

        def date_time_string(self, timestamp: float | None = None) -> str:
            return formatdate(made.now, usegmt=True)

        def _say(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with Scripted(("127.0.0.1", 0), Handler) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        try:
            yield made
        finally:
            made.shutdown()
            thread.join()


@pytest.fixture
def victoria(tmp_path: Path) -> Iterator[Server]:
    made = server(Product.VICTORIAMETRICS, tmp_path / "victoria")
    yield made
    made.stop()


def look(sender: Sender) -> Run:
    run = sender.run()
    assert run is not None
    return run


def opened(folder: Path, target: Target) -> Historian:
    return Historian.open(folder / "store", options=Options(reserve_bytes=0), targets=[target])


def put(store: Historian) -> None:
    zeros = np.zeros(3, np.int32)
    store.ingest("edge", 1, "s", 0, Batch((TAG,), zeros, np.arange(3) + time.time_ns(), zeros * 1.0, zeros * 0))
    store.flush()


def test_a_run_goes_on_while_its_looks_grow() -> None:
    with scripted() as made, Sender(made.target) as sender:
        first = look(sender)
        made.looks += 5
        assert look(sender).goes_on_from(first.word)
        assert look(sender).goes_on_from(str(STARTED)), "written down by an older version"
        made.looks = 0
        assert not look(sender).goes_on_from(first.word), "as many looks as at the first one"
        made.started += 1
        made.looks = 50
        assert not look(sender).goes_on_from(first.word)


def test_a_run_is_young_in_the_second_of_its_start() -> None:
    with scripted() as made, Sender(made.target) as sender:
        made.now = STARTED
        assert look(sender).young
        made.now = STARTED + 1
        assert not look(sender).young
        made.tells = False
        assert sender.run() is None


def test_a_server_gets_nothing_in_the_second_of_its_start(tmp_path: Path) -> None:
    with scripted() as made:
        made.now = STARTED
        with opened(tmp_path, made.target) as store:
            put(store)
            until(lambda: made.looks > 2)
            assert not made.lines
            assert not store.forwards[0].trouble
            made.now = STARTED + 1
            until(lambda: not store.forwards[0].waiting())
            assert len(made.lines) == 1


def test_what_a_run_took_is_sent_to_the_next_with_the_same_stamp(tmp_path: Path) -> None:
    with scripted() as made:
        made.looks = 100
        with opened(tmp_path, made.target) as store:
            put(store)
            until(lambda: len(made.lines) == 1)
        made.looks = 0
        with opened(tmp_path, made.target) as store:
            until(lambda: len(made.lines) == 2)
            until(store.forwards[0].durable)
    assert made.lines[0] == made.lines[1]


def test_two_runs_of_victoriametrics_within_one_second_are_told_apart(victoria: Server) -> None:
    for _ in range(30):
        with Sender(victoria.target) as sender:
            victoria.start()
            first = look(sender)
            victoria.kill()
            victoria.start()
            second = look(sender)
            assert not second.goes_on_from(first.word)
            until(lambda word=second.word: look(sender).goes_on_from(word))
            victoria.kill()
        if first.stamp == second.stamp:
            return
