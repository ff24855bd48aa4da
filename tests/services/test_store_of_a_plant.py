"""`store` in the plant file: pages read history from a server store; its outage or death takes nothing from them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pytest
from running_server import CNC, PLANT, POWER, STATE, Running, S, running
from running_server import COUNT as PARTS
from shopfloor.plant import Batch, Sample, StoreError
from shopfloor.plant.config import PlantConfig, loads
from shopfloor.services.api.wire import ARROW
from shopfloor.services.historian import Product
from shopfloor.services.historian.remote import fetched
from store_servers import Server, server, until

COUNT = 50
NOW = time.time_ns() // S * S - 600 * S
SECTION = 'store: {{kind: {kind}, server: {{url: "{url}", org: delta, bucket: plant}}, retention: 1d}}'


@pytest.fixture(params=[*Product])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    made = server(request.param, tmp_path / "server").start()
    if made.product is Product.INFLUXDB:
        made.query("CREATE DATABASE plant")
    yield made
    made.stop()


def plant(made: Server) -> PlantConfig:
    return loads(PLANT + SECTION.format(kind=made.product.value, url=made.url), "plant.yaml")


def put(at: Running, first: int, days_ago: int = 0) -> None:
    start = NOW + first * S - days_ago * 86_400 * S
    at.feed(*(Sample(POWER, start + i * S, float(first + i)) for i in range(COUNT)))


def history(at: Running, tag: str = POWER, days: float = 40.0, **more: Any) -> dict[str, Any]:
    query = {"tag": tag, "start": (NOW - days * 86_400 * S) / 1e6, "end": NOW / 1e6 + 600_000}
    answer = at.client.get("/api/v1/history", params=query | more)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def sent(at: Running, made: Server) -> None:
    at.parts.historian.flush()
    until(lambda: not at.parts.historian.forwards[0].waiting())
    made.show()


def test_pages_read_what_only_the_server_has_and_what_it_does_not_have_yet(target: Server, tmp_path: Path) -> None:
    with running(tmp_path / "data", plant(target)) as at:
        put(at, 0, days_ago=30)
        at.feed(Sample(STATE, NOW, "EXECUTE"))
        sent(at, target)
        put(at, COUNT)
        assert history(at)["value"] == [float(i) for i in range(2 * COUNT)]
        assert history(at, STATE)["value"] == ["EXECUTE"]
        drawn = history(at, points=1_000)
        assert (drawn["low"][0], drawn["high"][-1]) == (0.0, 2 * COUNT - 1)


def test_an_outage_of_the_server_is_said_and_survived(target: Server, tmp_path: Path) -> None:
    with running(tmp_path / "data", plant(target)) as at:
        put(at, 0)
        sent(at, target)
        target.kill()
        put(at, COUNT)
        at.parts.historian.flush()
        assert history(at)["value"] == [float(i) for i in range(2 * COUNT)], "the embedded store answers alone"
        until(lambda: "does not answer" in at.parts.historian.stats()["sentence"])
        target.start()
        until(lambda: not at.parts.historian.forwards[0].waiting())
        target.show()
        until(lambda: history(at)["value"] == [float(i) for i in range(2 * COUNT)])
        until(lambda: at.parts.historian.stats()["sentence"] == "The store takes and keeps every value.")


ROWS = 150_000
OLD = NOW - 30 * 86_400 * S
SPAN = {"start": (OLD - S) / 1e6, "end": NOW / 1e6 + 600_000}


def fill(at: Running, made: Server) -> None:
    """What only the server has: values of a month ago. What is still here: the newest ones, and a text."""
    at.feed(Sample(PARTS, OLD, 7))
    time_ = OLD + np.arange(ROWS, dtype=np.int64) * 5_000_000
    at.send(Batch((POWER,), np.zeros(ROWS, np.int32), time_, np.arange(ROWS) * 1.0, np.zeros(ROWS, np.uint32)))
    sent(at, made)
    historian = at.parts.historian
    if made.product is Product.INFLUXDB:
        historian.maintain()
        assert not historian.reader.read([POWER, PARTS], 0, NOW).num_rows, "retention has forgotten it here"
    at.feed(*(Sample(POWER, NOW + i * S, 0.5) for i in range(3)), Sample(PARTS, NOW, 8))
    at.feed(Sample(STATE, NOW, "EXECUTE"))


def ask(at: Running, query: str, **more: Any) -> httpx.Response:
    return at.client.post("/api/v1/sql", json={"query": query, **more})


def test_long_answers_come_from_the_server(target: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In pages that add up, in one stream of portions, and in SQL; nothing is there twice, and nothing is missing."""
    with running(tmp_path / "data", plant(target)) as at:
        fill(at, target)
        check_pages(at)
        check_stream(at)
        check_sql(at, monkeypatch)
        check_outage(at, target)


def check_pages(at: Running) -> None:
    found, cursor, sizes = [], None, []
    while cursor is not None or not found:
        query = {"tag": CNC, "limit": 70_000, **SPAN} | ({"cursor": cursor} if cursor else {})
        page = at.get("/history/read", **query)
        found += zip(page["tag"], page["value"], strict=True)
        cursor = page["cursor"]
        sizes.append(len(page["time"]))
    assert sizes == [70_000, 70_000, ROWS + 6 - 140_000]
    assert [value for tag, value in found if tag == POWER] == [*map(float, range(ROWS)), 0.5, 0.5, 0.5]
    assert [value for tag, value in found if tag != POWER] == ["EXECUTE", 7.0, 8.0]


def check_stream(at: Running) -> None:
    answer = at.client.get("/api/v1/history/read", params={"tag": CNC, **SPAN}, headers={"Accept": ARROW})
    with pa.ipc.open_stream(answer.content) as stream:
        batches = list(stream)
    table = pa.Table.from_batches(batches)
    assert table.num_rows == ROWS + 6
    assert len(batches) > 2
    assert max(batch.num_rows for batch in batches) <= 2 * 65_536
    assert pa.compute.sum(table.column("value")).as_py() == ROWS * (ROWS - 1) / 2 + 1.5 + 15


def check_sql(at: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    total = [[ROWS + 3, ROWS * (ROWS - 1) / 2 + 1.5]]
    query = f"SELECT count(*), sum(value) FROM samples WHERE tag = '{POWER}'"
    assert ask(at, query).json()["rows"] == total
    cut = ask(at, query, tags=[POWER], start=OLD / 1e6 + 5, end=OLD / 1e6 + 20).json()["rows"]
    assert cut == [[3, 6.0]]
    joined = "SELECT name, n, max FROM hours JOIN tags USING (tag) ORDER BY name, time"
    found = ask(at, joined, tags=[POWER, PARTS], **SPAN).json()["rows"]
    assert sum(n for name, n, _ in found if name == "spindle.power") == ROWS + 3
    assert [row for row in found if row[0] == "part.count"] == [["part.count", 1, 7], ["part.count", 1, 8]]
    assert ask(at, f"SELECT text FROM latest WHERE tag = '{STATE}'").json()["rows"] == [["EXECUTE"]]
    with monkeypatch.context() as small:
        small.setattr(fetched, "MOST_ROWS", 1000)
        small.setattr(fetched, "MOST_BUCKETS", 100)
        refused(ask(at, query), "fetches at most 1,000 values, and these tags have more in this time: give fewer tags")
        refused(ask(at, "SELECT * FROM minutes", **SPAN), "The minutes of 3 tags over so long a time are too many")
        assert ask(at, query, tags=[POWER], start=NOW / 1e6).json()["rows"] == [[3, 1.5]]
    refused(ask(at, "SELECT * FROM hours"), "hours need to know where to begin: give start with the query")


def refused(answer: httpx.Response, sentence: str) -> None:
    assert answer.status_code == 422, answer.text
    assert sentence in answer.json()["detail"]


def check_outage(at: Running, made: Server) -> None:
    """Half an answer is none: not at the start, and not in the middle."""
    portions = at.parts.historian.history.portions([POWER], OLD, NOW, rows=20_000)
    assert next(portions).num_rows <= 40_000
    made.kill()
    with pytest.raises(StoreError, match="does not answer"):
        list(portions)
    for answer in (
        at.client.get("/api/v1/history/read", params={"tag": POWER, **SPAN}),
        ask(at, "SELECT count(*) FROM samples"),
        ask(at, "SELECT * FROM hours", tags=[POWER], **SPAN),
    ):
        assert answer.status_code == 503
        assert "does not answer" in answer.json()["detail"]
    assert history(at, points=100)["value"], "pages show what is kept here"
