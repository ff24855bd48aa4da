"""The gateway under measurement: a real source, pipeline, spool and forwarder; only the server is nowhere.

What counts are the bytes that were committed in the spool and handed to the forwarder, read back afterwards: the values
between `start` and `stop` by the time of their commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, cast

import numpy as np
from numpy.typing import NDArray
from shopfloor.gateway import loop
from shopfloor.gateway.conform import Conform
from shopfloor.gateway.forward import Forwarder
from shopfloor.gateway.pipeline import Feed
from shopfloor.gateway.registry import connector
from shopfloor.gateway.server import Server
from shopfloor.gateway.spool import Committer, Entry, Row, Spool
from shopfloor.gateway.state import SourceState, State
from shopfloor.plant import Asset, Batch, Kind, Tag
from shopfloor.services.bench.grid import Grid, account
from shopfloor.services.bench.tell import Window, delays, plan, say

_POLL_S: Final = 0.02
_SIZE: Final = 4
_ASSET: Final = "bench/load/line/cell/device"


@dataclass(frozen=True, slots=True)
class Undeclared:
    """A plant that declares no tag: every value keeps the kind it has."""

    assets: Sequence[Asset] = ()

    def tag(self, path: str) -> Tag | None:
        """Nothing is declared."""
        return None


@dataclass
class ClockedCommitter(Committer):
    """Notes when each entry was on disk, UTC ns."""

    times: list[int] = field(default_factory=list)

    async def commit(self, entries: Sequence[Entry]) -> None:
        """Commit and look at the clock."""
        await super().commit(entries)
        self.times.extend([time.time_ns()] * len(entries))


@dataclass(slots=True)
class Nowhere:
    """Takes every batch as a server would, and keeps its bytes in a file to be counted later."""

    file: IO[bytes]
    count: int = 0

    async def ingest(self, gateway: str, row: Row) -> bool:
        """Take one batch; it never was here before."""
        self.file.write(len(row.data).to_bytes(_SIZE, "big"))
        self.file.write(row.data)
        self.count += row.values
        return False


async def measure(asked: Mapping[str, Any], folder: Path) -> None:
    """Run the gateway until the window is over, then say what arrived."""
    window = Window.listening()
    kind = connector(asked["kind"])
    source = kind.build("bench", kind.options(**_options(asked)), Undeclared(), folder)
    with Spool.open(folder, "bench") as spool, (folder / "forwarded").open("wb+") as file:
        committer = ClockedCommitter(spool)
        nowhere = Nowhere(file)
        feed = Feed(source, SourceState("bench", asked["kind"], ""), committer, Conform(Undeclared()))
        forwarder = Forwarder(spool, cast("Server", nowhere), committer.committed)
        begun = time.perf_counter()
        async with committer.running():
            tasks = [asyncio.create_task(feed.run()), asyncio.create_task(forwarder.run())]
            await _until(lambda: feed.state.state is State.CONNECTED, tasks)
            connected = time.perf_counter() - begun
            await _until(lambda: nowhere.count >= asked.get("first", 1), tasks)
            say("ready", {"subscribe_s": round(connected, 3)})
            with _profiled(window, asked.get("profile", "")):
                await window.over()
            await _stop(tasks)
        say("result", _result(asked, file, committer.times, window))


def _options(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The source's keys of the plant file; the nodes of a load are counted here, they would not fit a command line."""
    if "node" not in asked:
        return dict(asked["options"])
    nodes = [{"node": asked["node"].format(i), "tag": f"{_ASSET}/t{i}"} for i in range(asked["items"])]
    return {**asked["options"], "nodes": nodes}


@contextlib.contextmanager
def _profiled(window: Window, file: str) -> Iterator[None]:
    """With `file`, write a cProfile of the event loop between `start` and `stop` into it."""
    if not file:
        yield
        return
    import cProfile

    window.begun.wait()
    with cProfile.Profile() as profile:
        yield
    profile.dump_stats(file)


async def _until(done: Callable[[], bool], tasks: Sequence[asyncio.Task[None]]) -> None:
    while not done():
        for task in tasks:
            if task.done():
                task.result()
        await asyncio.sleep(_POLL_S)


async def _stop(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _result(asked: Mapping[str, Any], file: IO[bytes], times: Sequence[int], window: Window) -> dict[str, Any]:
    grid = Grid(asked["start"], asked["period"])
    tags, ticks, late = [], [], []
    for committed, batch in zip(times, _batches(file), strict=False):
        if window.start <= committed < window.stop:
            tags.append(_numbers(batch))
            ticks.append(_ticks(batch, grid, asked))
            late.append((committed - batch.time) / 1e9)
    if not tags:
        return {"values": 0, "gaps": 0, "duplicates": 0, "cpu_s": window.cpu_s, **delays(np.array([]))}
    tag, tick, age = np.concatenate(tags), np.concatenate(ticks), np.concatenate(late)
    tag, tick, age = tag[tick >= 0], tick[tick >= 0], age[tick >= 0]
    counted = account(tag, tick)
    answer = {
        "values": counted.values, "gaps": counted.gaps, "duplicates": counted.duplicates, "cpu_s": window.cpu_s,
        **delays(age),
    }  # fmt: skip
    return {**answer, "kept": _kept(tag, tick), "times": list(times)} if asked.get("keep") else answer


def _kept(tag: NDArray[np.int64], tick: NDArray[np.int64]) -> dict[str, list[int]]:
    """Every tick that came, by the number of its tag."""
    return {str(number): tick[tag == number].tolist() for number in np.unique(tag).tolist()}


def _numbers(batch: Batch) -> NDArray[np.int64]:
    """The number behind the last `t` of each value's tag."""
    return np.array([int(name.rpartition("/t")[2]) for name in batch.names], np.int64)[batch.tag]


def _ticks(batch: Batch, grid: Grid, asked: Mapping[str, Any]) -> NDArray[np.int64]:
    """From the values where they are sequence numbers without a grid (MQTT), else from the source times."""
    if asked.get("by_value"):
        return batch.value.astype(np.int64)
    first = batch.time < grid.start
    if batch.kind is Kind.FLOAT:
        first |= batch.value < 0
    return np.where(first, -1, grid.ticks(batch.time))


def _batches(file: IO[bytes]) -> Iterator[Batch]:
    file.seek(0)
    while size := file.read(_SIZE):
        yield Batch.from_bytes(file.read(int.from_bytes(size, "big")))


def main() -> None:
    """Measure what the bench asked for, in the current folder."""
    logging.basicConfig(level=logging.WARNING)
    loop.run(measure(plan(), Path.cwd()))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main()
