"""The copy in a server that speaks `/api/v2/write`: a real VictoriaMetrics, through the real client."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
from shopfloor.plant import Batch, Kind, Sample
from shopfloor.plant.quality import BAD_SENSOR_FAILURE
from shopfloor.services.historian import Historian, InfluxTarget, Options
from shopfloor.services.historian.lineprotocol import prefix, render
from shopfloor.services.historian.rows import Rows

TAG = "delta/area/line/cell/cnc 01/power"
COUNT = "delta/area/line/cell/cnc 01/parts"
OPTIONS = Options(reserve_bytes=0, group_rows=100, compact_segments=3)


@pytest.fixture(scope="session")
def program() -> str:
    found = shutil.which("victoria-metrics")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("victoria-metrics is not installed: run `apt-get install victoria-metrics`")
        pytest.skip("victoria-metrics is not installed: `apt-get install victoria-metrics` runs this test")
    return found


@contextmanager
def running(program: str, folder: Path, port: int) -> Iterator[str]:
    url = f"http://127.0.0.1:{port}"
    command = [program, f"-storageDataPath={folder}", f"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=10y"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            until(lambda: answers(url))
            yield url
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(30)


def until(happens: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def export(url: str) -> dict[str, list[float]]:
    """Values by series, oldest first."""
    with urllib.request.urlopen(f"{url}/internal/force_flush", timeout=5):
        pass
    with urllib.request.urlopen(f'{url}/api/v1/export?match[]=%7B__name__!=""%7D', timeout=5) as answer:
        series = [json.loads(line) for line in answer]
    return {entry["metric"]["__name__"]: entry["values"] for entry in series}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ramp(start: int) -> Batch:
    time_ = (time.time_ns() // 10**9 - 10_000 + start + np.arange(250, dtype=np.int64)) * 10**9
    value = np.arange(start, start + 250, dtype=np.float64)
    return Batch((TAG,), np.zeros(250, np.int32), time_, value, np.zeros(250, np.uint32))


def test_an_outage_of_the_target_loses_nothing(program: str, tmp_path: Path) -> None:
    port = free_port()
    target = InfluxTarget(f"http://127.0.0.1:{port}", "org", "bucket", "token")
    with Historian.open(tmp_path / "store", options=OPTIONS) as store:
        store.ingest("edge", 1, "s", 250, ramp(0))
        store.flush()
        mirror = store.mirror(target)
        until(lambda: "does not take the copy" in mirror.trouble)
        with running(program, tmp_path / "copy", port) as url:
            until(lambda: not mirror.waiting())
            assert export(url)["power_value"] == [float(i) for i in range(250)]
        store.ingest("edge", 2, "s", 500, ramp(250))
        store.flush()
        until(lambda: bool(mirror.trouble))
    with Historian.open(tmp_path / "store", options=OPTIONS) as store:
        mirror = store.mirror(target)
        now = time.time_ns()
        store.ingest("edge", 3, "s", 501, Batch.of([Sample(COUNT, now, 7)]))
        store.flush()
        with running(program, tmp_path / "copy", port) as url:
            until(lambda: not mirror.waiting())
            copy = export(url)
    assert copy["power_value"] == [float(i) for i in range(500)]
    assert copy["power_quality"] == [0.0] * 500
    assert copy["parts_integer"] == [7.0]


def test_what_the_copy_does_not_have_is_not_compacted(tmp_path: Path) -> None:
    with Historian.open(tmp_path, options=OPTIONS) as store:
        mirror = store.mirror(InfluxTarget(f"http://127.0.0.1:{free_port()}", "org", "bucket", "token"))
        for sequence in range(1, 5):
            batch = Batch.of([Sample(TAG, 1_700_000_000_000_000_000 + sequence, 1.0)])
            store.ingest("edge", sequence, "s", sequence, batch)
            store.flush()
        store.maintain()
        assert store.stats()["segments"] == len(mirror.waiting()) == 4


def test_lines_are_escaped_and_bad_numbers_leave_their_quality() -> None:
    prefixes = [prefix("a b/c,d/e=f/g/h/p,q r")]
    rows = Rows(
        np.zeros(3, np.int32),
        np.arange(3),
        np.array([1.5, math.nan, math.inf]),
        np.array([0, BAD_SENSOR_FAILURE, 1], np.uint32),
    )
    head = r"p\,q\ r,site=a\ b,area=c\,d,line=e\=f,cell=g,asset=h "
    assert render(rows, Kind.FLOAT, prefixes).decode().splitlines() == [
        head + "value=1.5,quality=0i 0",
        head + "quality=2156658688i 1",
        head + "quality=1i 2",
    ]
    text = Rows(np.zeros(1, np.int32), np.arange(1), np.array(['say "no"\\\n'], object), np.zeros(1, np.uint32))
    assert render(text, Kind.TEXT, prefixes).decode() == head + 'text="say \\"no\\"\\\\\\n",quality=0i 0\n'
    ints = Rows(np.zeros(1, np.int32), np.arange(1), np.array([2**62]), np.zeros(1, np.uint32))
    assert render(ints, Kind.INT, prefixes).decode() == head + "integer=4611686018427387904i,quality=0i 0\n"
    assert render(rows.take(slice(0, 0)), Kind.FLOAT, prefixes) == b""
