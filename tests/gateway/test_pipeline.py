"""The pipeline: acknowledges after the commit, reconnects, waits when the spool is full, lets live values first."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shopfloor.gateway.backoff import Backoff
from shopfloor.gateway.conform import Conform, convert
from shopfloor.gateway.pipeline import Feed
from shopfloor.gateway.spool import Committer, Spool
from shopfloor.gateway.state import Rate, SourceState, State
from shopfloor.plant import Batch, Kind, Sample, SourceLost, Tag

TAG = "delta/frames/machining/cell-a/cnc-01/load"


class Device:
    """A source in memory that remembers what was acknowledged."""

    def __init__(self, batches: list[Batch | SourceLost], background: bool = False) -> None:
        self.left = batches
        self.acknowledged = 0
        self.opened = 0
        self.background = background

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[Batch]]:
        self.opened += 1
        generator = self._read()
        try:
            yield generator
        finally:
            await generator.aclose()

    async def _read(self) -> Any:
        while self.left:
            first = self.left[0]
            if isinstance(first, SourceLost):
                self.left.pop(0)
                raise first
            yield first
            self.left.pop(0)
            self.acknowledged += 1


def batch(n: int) -> Batch:
    return Batch((TAG,), np.zeros(n, np.int32), np.arange(n), np.full(n, 0.5), np.zeros(n, np.uint32))


@asynccontextmanager
async def feeding(spool: Spool, device: Device, plant: Any) -> AsyncIterator[Feed]:
    committer = Committer(spool)
    feed = Feed(device, SourceState("machining"), committer, Conform(plant), Backoff(0.01, 0.05, random.Random(1)))
    async with committer.running():
        task = asyncio.create_task(feed.run())
        try:
            yield feed
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def test_it_reads_through_lost_links_until_the_end(
    tmp_path: Path, plant: Any, wait_until: Callable[..., Any]
) -> None:
    device = Device([batch(2), SourceLost("The cable is out."), batch(3), SourceLost("Again."), batch(4)])
    with Spool.open(tmp_path, "edge") as spool:
        async with feeding(spool, device, plant) as feed:
            await wait_until(lambda: feed.state.state is State.FINISHED)
        assert (feed.state.reconnects, feed.state.values, device.acknowledged) == (2, 9, 3)
        assert spool.tally.of("machining").accepted == 9


async def test_a_full_spool_stops_the_device_and_loses_nothing(
    tmp_path: Path, plant: Any, wait_until: Callable[..., Any]
) -> None:
    device = Device([batch(100) for _ in range(10)])
    with Spool.open(tmp_path, "edge", 10_000) as spool:
        async with feeding(spool, device, plant) as feed:
            await wait_until(lambda: feed.state.state is State.WAITING)
            assert feed.state.detail.startswith("The spool is full (")
            held = device.acknowledged
            assert 0 < held < 10
            await asyncio.sleep(0.3)
            assert device.acknowledged == held
            taken = 0
            while feed.state.state is not State.FINISHED:
                rows = spool.peek()
                taken += sum(row.values for row in rows)
                spool.forget(rows)
                await asyncio.sleep(0.02)
            taken += sum(row.values for row in spool.peek())
        assert taken == 1_000
        assert device.acknowledged == 10


async def test_a_full_disk_acknowledges_nothing_and_recovers(
    tmp_path: Path, plant: Any, wait_until: Callable[..., Any]
) -> None:
    device = Device([batch(20_000)])
    with Spool.open(tmp_path, "edge") as spool:
        pages = spool._db.execute("PRAGMA page_count").fetchone()[0]
        spool._db.execute(f"PRAGMA max_page_count = {pages + 1}")
        async with feeding(spool, device, plant) as feed:
            await wait_until(lambda: "is full: free some space" in feed.state.detail)
            assert device.acknowledged == 0
            spool._db.execute("PRAGMA max_page_count = 1000000")
            await wait_until(lambda: device.acknowledged == 1)
        assert spool.tally.of("machining").accepted == 20_000


async def test_history_waits_while_the_spool_holds_more_than_a_little(
    tmp_path: Path, plant: Any, wait_until: Callable[..., Any]
) -> None:
    big = batch(150_000)
    device = Device([big for _ in range(6)], background=True)
    with Spool.open(tmp_path, "edge") as spool:
        async with feeding(spool, device, plant) as feed:
            await wait_until(lambda: spool.tally.batches >= 2)
            await asyncio.sleep(0.3)
            assert spool.tally.batches <= 3
            while feed.state.state is not State.FINISHED:
                spool.forget(spool.peek())
                await asyncio.sleep(0.01)
        assert spool.tally.of("machining").accepted == 900_000


async def test_a_stop_between_commit_and_question_acknowledges_nothing(tmp_path: Path, plant: Any) -> None:
    device = Device([batch(2)])
    async with device.open() as batches:
        await anext(batches)
    assert device.acknowledged == 0


def test_declared_kinds_are_kept_and_misfits_are_marked(plant: Any) -> None:
    plant.tags[TAG] = Tag("load", Kind.INT)
    tags, values = np.array([0, 1, 0], np.int32), np.array([2.0, 3.5, 4.5])
    mixed = Batch((TAG, "a/b/c/d/e/free"), tags, np.arange(3), values, np.zeros(3, np.uint32))
    parts = {part.kind: part for part in Conform(plant)(mixed)}
    assert parts[Kind.FLOAT].value.tolist() == [3.5]
    assert parts[Kind.INT].value.tolist() == [2, 0]
    assert parts[Kind.INT].quality.tolist() == [0, 0x80740000]


@pytest.mark.parametrize(
    ("given", "kind", "value", "misfits"),
    [
        ([1, 2], Kind.FLOAT, [1.0, 2.0], 0),
        (["1", "x"], Kind.INT, [1, 0], 1),
        (["1.5", ""], Kind.FLOAT, [1.5, None], 1),
        ([1.5, 2.5], Kind.TEXT, ["1.5", "2.5"], 0),
    ],
)
def test_conversions(given: list[Any], kind: Kind, value: list[Any], misfits: int) -> None:
    found = convert(Batch.of(Sample("t", n, one) for n, one in enumerate(given)), kind)
    assert [None if str(one) == "nan" else one for one in found.value.tolist()] == value
    assert int((found.quality > 0).sum()) == misfits


def test_the_rate_is_over_the_last_seconds() -> None:
    now = [0.0]
    rate = Rate(5.0, lambda: now[0])
    values = []
    for second in range(10):
        now[0] = float(second)
        values.append(rate.mark(second * 100))
    assert values[-1] == pytest.approx(100.0)
    now[0] = 30.0
    assert rate.mark(900) < 40


def test_waits_grow_to_the_cap_and_start_again() -> None:
    backoff = Backoff(0.2, 30.0, random.Random(3))
    waits = [backoff.next() for _ in range(12)]
    assert waits[0] <= 0.2
    assert 15.0 <= waits[-1] <= 30.0
    backoff.reset()
    assert backoff.next() <= 0.2


async def test_taps_see_every_batch_once_it_is_committed(
    tmp_path: Path, plant: Any, wait_until: Callable[..., Any]
) -> None:
    seen: list[tuple[int, int]] = []
    device = Device([batch(2), batch(3)])
    with Spool.open(tmp_path, "edge") as spool:
        async with feeding(spool, device, plant) as feed:
            feed.taps = [lambda one: seen.append((len(one), spool.tally.of("machining").accepted))]
            await wait_until(lambda: feed.state.state is State.FINISHED)
    assert seen == [(2, 2), (3, 5)]


def test_a_mixed_batch_is_split_alike_every_time() -> None:
    class Declared:
        assets = ()

        def tag(self, path: str) -> Tag | None:
            kind = {"t/float": Kind.FLOAT, "t/text": Kind.TEXT}.get(path)
            return Tag(path, kind=kind) if kind else None

    conform = Conform(Declared())
    samples = [Sample(f"t/{name}", n, n, n) for n, name in enumerate(["own", "float", "text", "float", "own"])]
    mixed = Batch.of(samples, Kind.INT)
    first, second = conform(mixed), conform(mixed.take(slice(1, None)))
    assert [(part.kind, [(s.tag, s.time, s.value, s.quality) for s in part]) for part in first] == [
        (Kind.FLOAT, [("t/float", 1, 1.0, 1), ("t/float", 3, 3.0, 3)]),
        (Kind.INT, [("t/own", 0, 0, 0), ("t/own", 4, 4, 4)]),
        (Kind.TEXT, [("t/text", 2, "2", 2)]),
    ]
    assert [part.names for part in first] == [("t/float",), ("t/own",), ("t/text",)]
    assert all(one.names is two.names for one, two in zip(first, second, strict=True))
    (same,) = conform(mixed.rename(["t/a", "t/b", "t/c"]))
    assert list(same) == list(mixed.rename(["t/a", "t/b", "t/c"]))
