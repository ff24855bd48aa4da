"""`store` in the plant file: pages read history from a server store; its outage or death takes nothing from them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running_server import PLANT, POWER, STATE, Running, S, running
from shopfloor.plant import Sample
from shopfloor.plant.config import PlantConfig, loads
from shopfloor.services.historian import Product
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
