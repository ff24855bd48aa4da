"""Copies in server stores: real ones, through the real client; outages, kills, refusals, and nothing lost."""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import numpy as np
import pytest
from brokers import free_port
from shopfloor.plant import Batch, Kind, Sample
from shopfloor.plant.quality import BAD_SENSOR_FAILURE
from shopfloor.services.cli import main
from shopfloor.services.historian import Historian, Options, Product, Retention, Target
from shopfloor.services.historian.remote.lineprotocol import prefix, render
from shopfloor.services.historian.rows import Rows
from store_servers import Server, server, until

TAG = "delta/area/line/cell/cnc 01/power"
COUNT = "delta/area/line/cell/cnc 01/parts"
STATE = "delta/area/line/cell/cnc 01/state"
OPTIONS = Options(reserve_bytes=0, group_rows=100, compact_segments=3)
NOW = time.time_ns() // 10**9 * 10**9
AWAY = Target(Product.INFLUXDB, f"http://127.0.0.1:{free_port()}", "delta", "plant", settle_s=3)


@pytest.fixture
def influx(tmp_path: Path) -> Iterator[Server]:
    made = server(Product.INFLUXDB, tmp_path / "influx").start()
    made.query("CREATE DATABASE plant")
    yield made
    made.stop()


@pytest.fixture
def victoria(tmp_path: Path) -> Iterator[Server]:
    made = server(Product.VICTORIAMETRICS, tmp_path / "victoria")
    yield made
    made.stop()


def ramp(start: int, count: int = 250) -> Batch:
    time_ = NOW - 10**13 + (start + np.arange(count, dtype=np.int64)) * 10**9
    value = np.arange(start, start + count, dtype=np.float64)
    return Batch((TAG,), np.zeros(count, np.int32), time_, value, np.zeros(count, np.uint32))


def opened(folder: Path, *targets: Target, options: Options = OPTIONS) -> Historian:
    return Historian.open(folder / "store", options=options, targets=targets)


def put(store: Historian, sequence: int, batch: Batch) -> None:
    store.ingest("edge", sequence, "s", 0, batch)
    store.flush()


def all_sent(store: Historian) -> None:
    until(lambda: not any(forward.waiting() for forward in store.forwards))


def numbers(answer: dict[str, object]) -> list[float]:
    series = answer["series"]
    assert isinstance(series, list)
    return [row[1] for one in series for row in one["values"]]


def test_an_outage_of_victoriametrics_loses_nothing(victoria: Server, tmp_path: Path) -> None:
    with opened(tmp_path, victoria.target) as store:
        put(store, 1, ramp(0))
        until(lambda: "does not answer" in store.forwards[0].trouble)
        assert "does not answer" in store.stats()["sentence"]
        victoria.start()
        all_sent(store)
        victoria.stop()
        put(store, 2, ramp(250))
        until(lambda: store.forwards[0].trouble)
    victoria.start()
    with opened(tmp_path, victoria.target) as store:
        put(store, 3, Batch.of([Sample(COUNT, NOW, 7)]))
        put(store, 4, Batch.of([Sample(STATE, NOW, "EXECUTE")]))
        all_sent(store)
        copy = victoria.export()
    assert list(copy["power_value"].values()) == [float(i) for i in range(500)]
    assert list(copy["power_quality"].values()) == [0.0] * 500
    assert list(copy["parts_integer"].values()) == [7.0]
    assert not any(name.startswith("state") for name in copy)


def test_what_victoriametrics_lost_at_a_kill_is_sent_again(victoria: Server, tmp_path: Path) -> None:
    victoria.start()
    with opened(tmp_path, replace(victoria.target, settle_s=30)) as store:
        for sequence in range(3):
            put(store, sequence + 1, ramp(250 * sequence))
        all_sent(store)
        victoria.kill()
        victoria.start()
        until(lambda: store.forwards[0].sent_rows >= 1500)
        all_sent(store)
        assert sorted(victoria.export()["power_value"].values()) == [float(i) for i in range(750)]


def test_what_victoriametrics_holds_long_enough_is_believed(victoria: Server, tmp_path: Path) -> None:
    victoria.start()
    with opened(tmp_path, replace(victoria.target, settle_s=0.3)) as store:
        for sequence in range(4):
            put(store, sequence + 1, ramp(250 * sequence))
        all_sent(store)

        def compacted() -> bool:
            store.maintain()
            return store.stats()["segments"] == 1

        until(compacted)
        assert store.forwards[0].sent_rows == 1000
        assert not store.forwards[0].waiting()


def test_an_influxdb_that_is_killed_loses_nothing(influx: Server, tmp_path: Path) -> None:
    with opened(tmp_path, influx.target) as store:
        put(store, 1, ramp(0))
        all_sent(store)
        influx.kill()
        put(store, 2, ramp(250))
        until(lambda: store.forwards[0].trouble)
        influx.start()
        all_sent(store)
        assert numbers(influx.query("SELECT value FROM power")) == [float(i) for i in range(500)]
        assert store.forwards[0].sent_rows == 500


def test_refused_values_are_named_and_kept_and_all_others_are_taken(influx: Server, tmp_path: Path) -> None:
    influx.query("CREATE RETENTION POLICY days ON plant DURATION 7d REPLICATION 1 DEFAULT")
    old = Batch.of([Sample(TAG, NOW - 30 * 86_400 * 10**9 + i, float(i)) for i in range(130)])
    with opened(tmp_path, influx.target) as store:
        put(store, 1, Batch.of([Sample(COUNT, NOW, 7), Sample(COUNT, NOW + 1, 8)]))
        all_sent(store)
        influx.query("DROP MEASUREMENT parts")
        influx_line = 'parts,site=delta integer="words"'
        assert httpx.post(f"{influx.url}/write", params={"db": "plant"}, content=influx_line).status_code == 204
        put(store, 2, Batch.of([Sample(TAG.replace("power", f"p{i:02d}"), NOW, i) for i in range(60)]))
        put(store, 3, Batch.of([*(Sample(COUNT, NOW + i, i) for i in range(3)), Sample(STATE, NOW, 5)]))
        put(store, 4, old)
        put(store, 5, ramp(0))
        all_sent(store)
        aside = store.set_aside()
        assert [(len(one.batch), one.rows) for one in aside] == [(3, 3), (100, 100), (30, 30)]
        assert sorted(value for one in aside[1:] for value in one.batch.value) == [float(i) for i in range(130)]
        assert "field type conflict" in aside[0].sentence
        assert "retention policy" in aside[1].sentence
        stats = store.stats()
        assert "133 values were set aside" in stats["sentence"]
        (told,) = stats["targets"]
        assert (told["refused"], told["waiting"], told["trouble"]) == (133, 0, "")
        assert "retention policy" in told["said"]
        assert numbers(influx.query("SELECT integer FROM state")) == [5]
        assert len(numbers(influx.query("SELECT value FROM power"))) == 250

        check_the_command(tmp_path, influx)
    data = str(tmp_path)
    assert main(["refused", "--drop", "--data", data]) == 0
    assert main(["refused", "--data", data]) == 0
    with opened(tmp_path, influx.target) as store:
        assert not store.set_aside()
        assert store.stats()["targets"][0]["refused"] == 0


def check_the_command(data: Path, influx: Server) -> None:
    """Beside the open store: what it writes is taken once the cause is away; nothing is dropped under the server."""
    file = data / "again.lp"
    assert main(["refused", str(file), "--data", str(data)]) == 1
    assert main(["refused", "--drop", "--data", str(data)]) == 2
    influx.query("DROP MEASUREMENT parts")
    influx.query("DROP RETENTION POLICY days ON plant")
    influx.query("ALTER RETENTION POLICY autogen ON plant DEFAULT")
    answer = httpx.post(f"{influx.url}/write", params={"db": "plant"}, content=file.read_bytes())
    assert answer.status_code == 204, answer.text
    assert numbers(influx.query("SELECT value FROM power")) == [float(i) for i in range(130)]
    assert numbers(influx.query("SELECT integer FROM parts")) == [0, 1, 2]


def test_portions_that_are_too_large_are_made_smaller(tmp_path: Path) -> None:
    made = server(Product.INFLUXDB, tmp_path / "influx", "max-body-size = 3000").start()
    try:
        made.query("CREATE DATABASE plant")
        with opened(tmp_path, made.target) as store:
            put(store, 1, Batch.of([Sample(STATE, NOW, "x" * 4000), Sample(STATE, NOW + 1, "IDLE")]))
            put(store, 2, ramp(0))
            all_sent(store)
            assert len(numbers(made.query("SELECT value FROM power"))) == 250
            (aside,) = store.set_aside()
            assert (aside.rows, list(aside.batch.value)) == (1, ["x" * 4000])
            assert "Too Large" in aside.sentence
    finally:
        made.stop()


def test_a_database_that_is_not_there_is_explained_and_waited_for(influx: Server, tmp_path: Path) -> None:
    influx.query("DROP DATABASE plant")
    with opened(tmp_path, influx.target) as store:
        put(store, 1, ramp(0))
        until(lambda: store.forwards[0].trouble)
        assert "make 'plant' there, or correct org, bucket and url" in store.forwards[0].trouble
        influx.query("CREATE DATABASE plant")
        all_sent(store)
        assert len(numbers(influx.query("SELECT value FROM power"))) == 250


def test_a_login_is_explained_and_used(tmp_path: Path) -> None:
    made = server(Product.INFLUXDB, tmp_path / "influx", "auth-enabled = true").start()
    try:
        made.query("CREATE USER me WITH PASSWORD 'secret-word' WITH ALL PRIVILEGES")
        login = ("me", "secret-word")
        httpx.post(f"{made.url}/query", data={"q": "CREATE DATABASE plant"}, auth=login).raise_for_status()
        with opened(tmp_path, made.target) as store:
            put(store, 1, ramp(0))
            until(lambda: "token_file" in store.forwards[0].trouble)
        with opened(tmp_path, replace(made.target, token="me:secret-word", compress=True)) as store:
            all_sent(store)
            query = {"q": "SELECT value FROM power", "db": "plant"}
            found = httpx.post(f"{made.url}/query", data=query, auth=login).json()["results"][0]
            assert len(numbers(found)) == 250
            assert "secret-word" not in repr(store.forwards[0].target)

        def told(query: str) -> None:
            httpx.post(f"{made.url}/query", data={"q": query}, auth=login).raise_for_status()

        told("CREATE USER other WITH PASSWORD 'other-word'")
        with opened(tmp_path / "other", replace(made.target, token="other:other-word")) as store:
            put(store, 1, ramp(250))
            until(lambda: "give the token the right to write to 'plant'" in store.forwards[0].trouble)
            assert not store.set_aside()
            told("GRANT ALL ON plant TO other")
            all_sent(store)
            assert "other-word" not in store.stats()["sentence"]
    finally:
        made.stop()


def test_several_targets_each_get_everything(influx: Server, victoria: Server, tmp_path: Path) -> None:
    victoria.start()
    with opened(tmp_path, influx.target, victoria.target, AWAY) as store:
        put(store, 1, ramp(0))
        until(lambda: not store.forwards[0].waiting() and not store.forwards[1].waiting())
        assert len(numbers(influx.query("SELECT value FROM power"))) == 250
        assert len(victoria.export()["power_value"]) == 250
        assert store.forwards[2].waiting()


def test_what_a_target_does_not_have_is_neither_compacted_nor_forgotten(tmp_path: Path) -> None:
    options = replace(OPTIONS, retention=Retention(86_400, 86_400, 86_400))
    with opened(tmp_path, AWAY, options=options) as store:
        for sequence in range(1, 5):
            put(store, sequence, Batch.of([Sample(TAG, 1_700_000_000_000_000_000 + sequence, 1.0)]))
        store.maintain()
        assert store.stats()["segments"] == len(store.forwards[0].waiting()) == 4
    with opened(tmp_path, options=options) as store:
        store.maintain()
        assert store.stats()["segments"] == 0


def test_what_the_only_mirror_of_an_older_version_had_is_not_sent_again(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        put(store, 1, ramp(0))
    with sqlite3.connect(tmp_path / "store" / "log.db") as db:
        db.execute("INSERT INTO mirrored SELECT id FROM segments")
    db.close()
    with opened(tmp_path, AWAY) as store:
        assert not store.forwards[0].waiting()
        put(store, 2, ramp(250))
        assert len(store.forwards[0].waiting()) == 1


class Pausing(ThreadingHTTPServer):
    """Asks for a pause once, then takes everything, as InfluxDB Cloud does."""

    daemon_threads = True
    answers: list[int]


def test_a_pause_that_the_server_asks_for_is_kept(tmp_path: Path) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(pausing.answers.pop(0) if len(pausing.answers) > 1 else pausing.answers[0])
            self.send_header("Retry-After", "1")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with Pausing(("127.0.0.1", 0), Handler) as pausing:
        pausing.answers = [429, 503, 204]
        thread = threading.Thread(target=pausing.serve_forever)
        thread.start()
        target = Target(Product.INFLUXDB, f"http://127.0.0.1:{pausing.server_port}", "delta", "plant", "token")
        try:
            with opened(tmp_path, target) as store:
                put(store, 1, ramp(0))
                until(lambda: "it asks for a pause" in store.forwards[0].trouble)
                all_sent(store)
                until(lambda: not store.forwards[0].trouble)
        finally:
            pausing.shutdown()
            thread.join()


def test_lines_are_escaped_and_bad_numbers_leave_their_quality() -> None:
    prefixes = [prefix("a b/c,d/e=f/g/h/p,q r")]
    rows = Rows(
        np.zeros(4, np.int32),
        np.arange(4),
        np.array([1.5, math.nan, math.inf, 4.0]),
        np.array([0, BAD_SENSOR_FAILURE, 1, BAD_SENSOR_FAILURE], np.uint32),
    )
    head = r"p\,q\ r,site=a\ b,area=c\,d,line=e\=f,cell=g,asset=h "
    assert render(rows, Kind.FLOAT, prefixes).decode().splitlines() == [
        head + "value=1.5,quality=0i 0",
        head + "value=4,quality=2156658688i 3",
        head + "quality=2156658688i 1",
        head + "quality=1i 2",
    ]
    assert head + "bad=4,quality=2156658688i 3" in render(rows, Kind.FLOAT, prefixes, bad="bad").decode().splitlines()
    text = Rows(np.zeros(1, np.int32), np.arange(1), np.array(['say "no"\\\n'], object), np.zeros(1, np.uint32))
    assert render(text, Kind.TEXT, prefixes).decode() == head + 'text="say \\"no\\"\\\\\\n",quality=0i 0\n'
    ints = Rows(np.zeros(1, np.int32), np.arange(1), np.array([2**62]), np.zeros(1, np.uint32))
    assert render(ints, Kind.INT, prefixes).decode() == head + "integer=4611686018427387904i,quality=0i 0\n"
    assert render(rows.take(slice(0, 0)), Kind.FLOAT, prefixes) == b""
