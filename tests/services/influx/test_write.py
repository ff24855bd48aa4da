"""Writing line protocol over HTTP: durable at 204, partly, by whom, and each refusal."""

from __future__ import annotations

import base64
import gzip
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pytest
from running_server import Running, running
from shopfloor.plant import Kind, SinkUnavailable
from shopfloor.plant.quality import BAD_SENSOR_FAILURE
from shopfloor.services.historian import Historian
from shopfloor.services.historian.remote.lineprotocol import prefix, render
from shopfloor.services.historian.rows import Rows
from shopfloor.services.security import Scope

T = 1_700_000_000_000_000_000
CPU = "delta/telegraf/influx/cpu/host=a/load"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as running_server:
        yield running_server


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server for tests that write tags of their own, and ask nothing about the whole."""
    with running(tmp_path_factory.mktemp("shared")) as running_server:
        yield running_server


def write(server: Running, body: bytes | str, path: str = "/api/v2/write?bucket=telegraf", **headers: str) -> Any:
    content = body.encode() if isinstance(body, str) else body
    return server.client.post(path, content=content, headers=headers)


def stored(server: Running, tag: str) -> list[tuple[int, Any, int]]:
    table = server.parts.historian.reader.read([tag], 0, 1 << 62)
    time = table.column("time").cast(pa.int64()).to_pylist()
    pairs = zip(table.column("value").to_pylist(), table.column("text").to_pylist(), strict=True)
    value = [number if text is None else text for number, text in pairs]
    return list(zip(time, value, table.column("quality").to_pylist(), strict=True))


def test_lines_are_stored_when_204_is_answered(server: Running) -> None:
    answer = write(server, f"cpu,host=a load=1.5,up=t,n=7i {T}\ncpu,host=a load=2 {T + 1}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert stored(server, CPU) == [(T, 1.5, 0), (T + 1, 2.0, 0)]
    assert stored(server, CPU.replace("load", "n")) == [(T, 7.0, 0)]
    (source,) = server.get("/ledger")["sources"]
    assert (source["gateway"], source["source"], source["stored"], source["balanced"]) == (
        "influx", "influx:local", 4, True)  # fmt: skip


def test_the_copies_of_a_historian_map_back_exactly(shared: Running) -> None:
    path = "delta/frames/line 1/cell-a/cnc=07/spindle.power"
    status = np.array([0, BAD_SENSOR_FAILURE, 0x4000_0000], np.uint32)
    time, tags = np.arange(3) + T, np.zeros(3, np.int32)
    numbers = render(Rows(tags, time, np.array([1.25, np.nan, -0.0]), status), Kind.FLOAT, [prefix(path)])
    texts = np.array(['say "no"', "two\nlines", "a\\nb\\"], object)
    words = render(Rows(tags, time + 10, texts, status), Kind.TEXT, [prefix(path)])
    ints = render(Rows(tags, time + 20, np.array([1, 2**62, -(2**63)]), status), Kind.INT, [prefix(path)])
    assert write(shared, numbers + words + ints).status_code == 204
    rows = stored(shared, path)
    assert [row[2] for row in rows] == status.tolist() * 3
    assert repr([row[1] for row in rows[:3]]) == "[1.25, nan, -0.0]"
    assert [row[1] for row in rows[3:6]] == texts.tolist()
    assert [row[1] for row in rows[6:]] == [1.0, 2.0**62, -(2.0**63)]


def test_good_lines_are_stored_and_bad_ones_named(server: Running) -> None:
    answer = write(server, f"cpu,host=a load=1 {T}\n# fine\ncpu,host=a load=one {T}\ncpu,host=a load=2 {T + 1}\nbad")
    said = answer.json()
    assert (answer.status_code, said["code"], said["line"]) == (400, "invalid", 3)
    assert said["message"] == said["error"]
    assert said["message"].startswith("partial write: line 3, column 17: a number, 12i, 12u, true, false or a text")
    assert "2 of 4 lines were refused, the others are stored" in said["message"]
    assert [(one["line"], one["column"]) for one in said["errors"]] == [(3, 17), (5, 4)]
    assert [row[1] for row in stored(server, CPU)] == [1.0, 2.0]


def test_a_field_named_quality_is_the_status_of_its_line(shared: Running) -> None:
    write(shared, f"p,host=a v=1,quality={BAD_SENSOR_FAILURE}i {T}\nair quality=3i {T}\nw v=1,quality=0.5 {T}")
    assert stored(shared, "delta/telegraf/influx/p/host=a/v") == [(T, 1.0, BAD_SENSOR_FAILURE)]
    assert stored(shared, "delta/telegraf/influx/air/-/quality") == [(T, 3.0, 0)]
    assert stored(shared, "delta/telegraf/influx/w/-/quality") == [(T, 0.5, 0)]


@pytest.mark.parametrize(
    ("path", "time"),
    [("/write?db=telegraf&precision=s", T // 10**9), ("/write?db=telegraf&precision=ms", T // 10**6),
     ("/api/v2/write?bucket=telegraf&org=any&precision=us", T // 1000), ("/write?db=telegraf&precision=n&rp=x", T),
     ("/write?db=telegraf&precision=m", T // (60 * 10**9)), ("/write?db=telegraf&precision=h", T // (3600 * 10**9))],
)  # fmt: skip
def test_every_precision(shared: Running, path: str, time: int) -> None:
    tag = CPU.replace("host=a", f"host={time}")
    assert write(shared, f"cpu,host={time} load=1 {time}", path).status_code == 204
    ((got, _, _),) = stored(shared, tag)
    assert 0 <= T - got < 3600 * 10**9
    assert write(shared, f"cpu,host={time} load=1", path).status_code == 204
    assert stored(shared, tag)[1][0] <= shared.parts.clock()


def test_gzip_is_understood_and_bounded(server: Running) -> None:
    line = f"cpu,host=a load=1 {T}\n".encode()
    assert write(server, gzip.compress(line), **{"content-encoding": "gzip"}).status_code == 204
    assert len(stored(server, CPU)) == 1
    for body, status, words in (
        (gzip.compress(bytes(60_000_000)), 413, "larger than 25 MB"),
        (gzip.compress(line)[:-4], 400, "cut off"),
        (line, 400, "no gzip"),
    ):
        answer = write(server, body, **{"content-encoding": "gzip"})
        assert (answer.status_code, words in answer.json()["message"]) == (status, True)
    assert write(server, line, **{"content-encoding": "br"}).status_code == 415
    assert write(server, bytes(26_000_000)).status_code == 413
    assert write(server, b"\n" * 1_000_001).status_code == 413


def test_what_is_missing_is_said(shared: Running) -> None:
    assert "?bucket=NAME" in write(shared, "cpu v=1", "/api/v2/write").json()["message"]
    answer = write(shared, "cpu v=1", "/write?db=a&precision=week")
    assert answer.json()["error"] == "The precision 'week' is unknown: write ns, us, ms, s, m or h."
    assert write(shared, "").status_code == 204


def test_a_store_that_cannot_take_it_answers_503_and_loses_nothing(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Historian.ingest

    def full(*_: object, **__: object) -> None:
        raise SinkUnavailable("The disk is full: free space, then it goes on by itself.")

    monkeypatch.setattr(Historian, "ingest", full)
    answer = write(server, f"cpu,host=a load=1 {T}")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "The disk is full" in answer.json()["message"]
    monkeypatch.setattr(Historian, "ingest", real)
    for _ in range(2):
        assert write(server, f"cpu,host=a load=1 {T}").status_code == 204
    assert len(stored(server, CPU)) == 1
    assert server.get("/ledger")["balanced"]


def test_the_ledger_goes_on_after_a_restart(tmp_path: Path) -> None:
    for run in range(2):
        with running(tmp_path) as server:
            assert write(server, f'cpu,host=a load=1 {T + run}\nlog,host=a text="x" {T}').status_code == 204
            (source,) = server.get("/ledger")["sources"]
            assert (source["accepted"], source["stored"], source["balanced"]) == (2 * run + 2,) * 2 + (True,)


def test_many_writers_share_commits_and_every_line_is_stored(server: Running) -> None:
    def send(writer: int) -> None:
        with httpx.Client(base_url=server.url, trust_env=False) as client:
            for i in range(5):
                body = f'cpu,host=h{writer} load={i} {T + i}\nlog,host=h{writer} t="{i}" {T + i}'
                assert client.post("/write?db=telegraf", content=body).status_code == 204

    threads = [threading.Thread(target=send, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for writer in range(6):
        assert [row[1] for row in stored(server, f"delta/telegraf/influx/cpu/host=h{writer}/load")] == list(range(5))
    (source,) = server.get("/ledger")["sources"]
    assert (source["stored"], source["balanced"]) == (60, True)


def basic(word: str) -> str:
    return "Basic " + base64.b64encode(f"anybody:{word}".encode()).decode()


def test_on_a_network_a_token_that_may_write_is_needed(tmp_path: Path) -> None:
    with running(tmp_path, host="0.0.0.0") as server:
        tokens = server.parts.tokens
        full, writer, reader = (
            tokens.create("anna"),
            tokens.create("press", Scope.WRITE),
            tokens.create("g", Scope.READ),
        )
        for header in (f"Token {writer}", f"Bearer {writer}", basic(writer), f"Token {full}", f"token {writer}"):
            assert write(server, f"cpu v=1 {T}", authorization=header).status_code == 204, header
        assert write(server, f"cpu v=1 {T}", f"/write?db=x&u=me&p={writer}").status_code == 204
        answer = write(server, "cpu v=1")
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
        assert "asks for a token" in answer.json()["message"]
        for header in ("Token wrong", "Bearer wrong", basic("wrong"), "Basic !"):
            assert write(server, "cpu v=1", authorization=header).status_code == 401, header
        answer = write(server, "cpu v=1", authorization=f"Token {reader}")
        assert (answer.status_code, "may only read" in answer.json()["message"]) == (403, True)
        headers = {"authorization": f"Bearer {writer}"}
        assert server.client.get("/api/v1/tags", headers=headers).status_code == 403
        assert server.client.get("/api/v1/tags", headers={"authorization": f"Bearer {reader}"}).status_code == 200
        assert {row.source for row in server.parts.historian.ledger()} == {"influx:press", "influx:anna"}


def test_a_foreign_page_may_not_write(shared: Running) -> None:
    assert write(shared, "cpu v=1", origin="https://evil.example").status_code == 403
    assert write(shared, "cpu v=1", host="evil.example").status_code == 403
    assert write(shared, "cpu v=1", authorization="Token wrong").status_code == 401


def test_clients_find_a_server_that_says_what_it_is(shared: Running) -> None:
    for method in ("GET", "HEAD"):
        answer = shared.client.request(method, "/ping")
        assert answer.status_code == 204
        assert answer.headers["x-influxdb-version"].startswith("shopfloor-")
    said = shared.client.get("/health").json()
    assert (said["name"], said["status"]) == ("shopfloor", "pass")
