"""Long answers over real HTTP: pages that add up, streams in portions, and no work for nobody."""

from __future__ import annotations

import io
import logging
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv
from pydantic import TypeAdapter
from running_server import CNC, COUNT, POWER, STATE, TEMPERATURE, Running, running, until
from shopfloor.plant import Batch, Kind, Sample
from shopfloor.services.api import read
from shopfloor.services.api.wire import ARROW

S = 1_000_000_000
START = 1_790_000_000
ROWS = 150_000
RANGE = {"start": START * 1000, "end": (START + 1000) * 1000}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("data")) as running_server:
        time = START * S + np.arange(ROWS) * 5_000_000
        for names in (POWER, TEMPERATURE):
            batch = Batch((names,), np.zeros(ROWS, np.int32), time, np.arange(ROWS) * 1.0, np.zeros(ROWS, np.uint32))
            running_server.send(batch)
        running_server.parts.historian.flush()
        running_server.feed(*(Sample(COUNT, (START + n) * S, n) for n in range(7)))
        running_server.feed(*(Sample(COUNT, (START + n) * S, n + 0.5) for n in range(3, 5)), kind=Kind.FLOAT)
        running_server.feed(*(Sample(STATE, (START + n) * S, f"S{n}") for n in range(7)), kind=Kind.TEXT)
        yield running_server


def pages(server: Running, **params: Any) -> Iterator[dict[str, Any]]:
    cursor = None
    while True:
        page = server.get("/history/read", **RANGE, **params, **({"cursor": cursor} if cursor else {}))
        TypeAdapter(read.Page).validate_python(page)
        yield page
        cursor = page["cursor"]
        if cursor is None:
            return


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 100])
def test_pages_add_up_to_what_one_answer_holds(server: Running, limit: int) -> None:
    """Also where two values of one tag share their time, and a page ends between them."""
    found = list(pages(server, tag=[COUNT, STATE], limit=limit))
    assert all(len(page["time"]) <= limit for page in found)
    rows = [row for page in found for row in zip(page["tag"], page["time"], page["value"], strict=True)]
    (whole,) = pages(server, tag=[COUNT, STATE], limit=1000)
    assert rows == list(zip(whole["tag"], whole["time"], whole["value"], strict=True))
    assert len(rows) == 16
    assert rows[-1] == (STATE, (START + 6) * 1000, "S6")


def test_a_selector_and_many_pages(server: Running) -> None:
    found = list(pages(server, tag=f"{CNC}/spindle.*", limit=100_000))
    assert [len(page["time"]) for page in found] == [100_000, 100_000, 100_000]
    assert sum(sum(page["value"]) for page in found) == ROWS * (ROWS - 1)


def test_an_arrow_stream_comes_in_portions(server: Running) -> None:
    with server.client.stream(
        "GET", "/api/v1/history/read", params={"tag": CNC, **RANGE}, headers={"Accept": ARROW}
    ) as it:
        pieces = list(it.iter_raw())
    with pa.ipc.open_stream(b"".join(pieces)) as stream:
        batches = list(stream)
    table = pa.Table.from_batches(batches)
    assert table.num_rows == 2 * ROWS + 16
    assert max(batch.num_rows for batch in batches) <= 131_072
    assert table.column("time").type == pa.timestamp("ns", "UTC")
    assert table.filter(pa.compute.equal(table.column("tag").cast(pa.string()), STATE)).num_rows == 7
    empty = server.client.get("/api/v1/history/read", params={"tag": POWER, "end": 1000}, headers={"Accept": ARROW})
    assert pa.ipc.open_stream(empty.content).read_all().column_names == ["tag", "time", "value", "text", "quality"]


def test_the_work_ends_when_the_client_goes_away(
    server: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The client reads a little of an endless stream and closes its socket: the reading is closed."""
    closed: list[int] = []

    def endless(*_: Any, **__: Any) -> Iterator[pa.Table]:
        table = server.parts.historian.reader.read([POWER], START * S, (START + 300) * S)
        sent = 0
        try:
            while True:
                sent += 1
                yield table
        finally:
            closed.append(sent)

    monkeypatch.setattr(type(server.parts.historian.reader), "portions", endless)
    link = socket.create_connection(("127.0.0.1", server.client.base_url.port or 0))
    request = f"GET /api/v1/history/read?tag={POWER} HTTP/1.1\r\nHost: localhost\r\nAccept: {ARROW}\r\n\r\n"
    with caplog.at_level(logging.INFO):
        with link:
            link.sendall(request.encode())
            assert link.recv(1000).startswith(b"HTTP/1.1 200")
            assert not closed
        until(lambda: closed)
    assert "went away" in caplog.text
    assert "Traceback" not in caplog.text


def test_the_same_values_in_every_file(server: Running) -> None:
    """CSV, Parquet and Arrow hold the same rows, with text, quality and unit; Parquet comes in row groups."""
    rows = {}
    for kind in ("csv", "parquet", "arrow"):
        given = {**RANGE, "tag": [COUNT, POWER, STATE], "format": kind}
        answer = httpx.get(f"{server.url}/api/v1/history/export", params=given)
        assert answer.headers["content-disposition"].startswith('attachment; filename="20260921T'), kind
        rows[kind] = exported(kind, answer.content)
    assert rows["csv"] == rows["parquet"] == rows["arrow"]
    assert len(rows["csv"]) == ROWS + 16
    assert {(row["tag"], row["unit"]) for row in rows["csv"]} == {(COUNT, ""), (POWER, "kW"), (STATE, "")}
    assert rows["csv"][-1]["text"] == "S6"


def exported(kind: str, data: bytes) -> list[dict[str, Any]]:
    if kind == "parquet":
        assert pq.ParquetFile(io.BytesIO(data)).num_row_groups > 1
        table = pq.read_table(io.BytesIO(data))
    elif kind == "arrow":
        table = pa.ipc.open_stream(data).read_all()
    else:
        as_text = csv.ConvertOptions(column_types={"value": pa.float64(), "quality": pa.uint32(), "unit": pa.string()})
        table = csv.read_csv(io.BytesIO(data), convert_options=as_text)
    text = table.column("text").cast(pa.string()).fill_null("")
    time = table.column("time").cast(pa.timestamp("ns", "UTC"))
    table = table.set_column(table.column_names.index("text"), "text", text)
    return list(table.set_column(table.column_names.index("time"), "time", time.cast(pa.int64())).to_pylist())


def test_half_an_answer_is_not_taken_for_a_whole_one(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    from shopfloor.plant import StoreError

    def failing(*_: Any, **__: Any) -> Iterator[pa.Table]:
        yield server.parts.historian.reader.read([POWER], START * S, (START + 1) * S)
        raise StoreError("The disk is gone.")

    monkeypatch.setattr(type(server.parts.historian.reader), "portions", failing)
    with pytest.raises(httpx.RemoteProtocolError):
        server.client.get("/api/v1/history/read", params={"tag": POWER, **RANGE}, headers={"Accept": ARROW})


@pytest.mark.parametrize(
    ("params", "status", "sentence"),
    [
        ({"tag": "delta/frame"}, 404, "No tag fits 'delta/frame'"),
        ({}, 422, "The query value 'tag'"),
        (
            {"tag": POWER, "cursor": "x"},
            422,
            "The cursor is not one of ours: send the one of the last",
        ),
        ({"tag": POWER, "cursor": str(read.Place(COUNT, 1, 1))}, 422, "The cursor belongs to another question"),
        ({"tag": POWER, "limit": 10**6}, 422, "The query value 'limit'"),
    ],
)
def test_every_refusal_is_one_sentence(server: Running, params: dict[str, Any], status: int, sentence: str) -> None:
    answer = server.client.get("/api/v1/history/read", params=params)
    assert (answer.status_code, list(answer.json())) == (status, ["detail"])
    assert sentence in answer.json()["detail"]
