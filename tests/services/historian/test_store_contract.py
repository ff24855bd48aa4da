"""The contract of stores: embedded, InfluxDB, VictoriaMetrics, our own server, and each behind the embedded one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import running_server
from shopfloor.plant import Batch
from shopfloor.services.historian import Historian, Options, Product, Target
from shopfloor.services.historian.read.long import LongReader
from shopfloor.services.historian.remote import server_reader
from shopfloor.services.historian.testing import check_store
from store_servers import Server, server, until


@dataclass
class Rig:
    """A store behind the embedded one, written as the product writes it."""

    store: Historian
    reading: LongReader
    precision: int = 1
    texts: bool = True
    exact: bool = True
    sequence: int = 0
    flush: bool = True

    def put(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            self.sequence += 1
            self.store.ingest("edge", self.sequence, "s", 0, batch)
        if self.flush:
            self.store.flush()
            until(lambda: not any(forward.waiting() for forward in self.store.forwards))

    def reader(self) -> LongReader:
        return self.reading


@dataclass(frozen=True)
class Shopfloor:
    """Our own server, written to and asked as if it were an InfluxDB."""

    target: Target
    product: Product = Product.INFLUXDB

    def show(self) -> None: ...


Back = Server | Shopfloor


@pytest.fixture(params=[*Product, "shopfloor"])
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Back]:
    if request.param == "shopfloor":
        with running_server.running(tmp_path / "server") as ours:
            yield Shopfloor(Target(Product.INFLUXDB, ours.url, "delta", "plant"))
        return
    made = server(request.param, tmp_path / "server").start()
    if made.product is Product.INFLUXDB:
        made.query("CREATE DATABASE plant")
    yield made
    made.stop()


def of(made: Back) -> dict[str, bool | int]:
    victoria = made.product is Product.VICTORIAMETRICS
    return {"precision": made.target.precision, "texts": not victoria, "exact": not victoria}


class Settled:
    """A reader of VictoriaMetrics that first makes it show what it took."""

    def __init__(self, made: Back, reader: LongReader) -> None:
        self._made, self._reader = made, reader

    def __getattr__(self, name: str) -> object:
        self._made.show()
        return getattr(self._reader, name)


def test_the_embedded_store_keeps_the_contract(tmp_path: Path) -> None:
    with Historian.open(tmp_path, options=Options(reserve_bytes=0)) as store:
        check_store(Rig(store, store.reader))


def test_a_server_store_keeps_the_contract(running: Back, tmp_path: Path) -> None:
    with (
        closing(server_reader(running.target)) as reader,
        Historian.open(tmp_path / "store", options=Options(reserve_bytes=0), targets=[running.target]) as store,
    ):
        check_store(Rig(store, Settled(running, reader), **of(running)))


@pytest.mark.parametrize("flush", [True, False], ids=["in the server", "still here"])
def test_a_server_store_behind_the_embedded_one_keeps_the_contract(running: Back, tmp_path: Path, flush: bool) -> None:
    with Historian.open(tmp_path / "store", options=Options(reserve_bytes=0), targets=[running.target]) as store:
        reader = Settled(running, store.read_from(store.forwards[0]))
        about = of(running) | {"texts": True, "exact": of(running)["exact"] or not flush}
        check_store(Rig(store, reader, **about, flush=flush))
