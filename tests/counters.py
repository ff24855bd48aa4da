"""Three real OPC UA servers that count, and a gateway's source with its spool, to see what an outage costs.

with counting("node-opcua", port, history=True):
    async with Cut("127.0.0.1", port) as link:
        async with reading(link.port, tmp_path) as run:
            ...
        assert run.lost() == 0
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shopfloor.gateway.conform import Conform
from shopfloor.gateway.opcua import OpcuaOptions, OpcuaSource
from shopfloor.gateway.pipeline import Feed
from shopfloor.gateway.spool import Committer, Spool
from shopfloor.gateway.state import SourceState
from shopfloor.plant import Batch
from shopfloor.plant.quality import is_backfilled

FOREIGN = Path(__file__).parent / "foreign"
ASSET = "delta/water/hall/cell-1/line-1"
SERVERS = ("node-opcua", "asyncua", "python-opcua")


def _node(port: int) -> tuple[list[str], dict[str, str]]:
    folder = FOREIGN / "node_opcua"
    installed = [folder / "node_modules", folder.parents[2] / "build" / "node_opcua" / "node_modules"]
    modules = next((path for path in installed if (path / "node-opcua").is_dir()), None)
    node = shutil.which("node")
    if modules is None or node is None:
        sentence = "node-opcua is not installed: run 'npm ci' in tests/foreign/node_opcua."
        pytest.fail(sentence) if os.environ.get("CI", "").lower() == "true" else pytest.skip(sentence)
    return [node, str(folder / "counters.js")], {"NODE_PATH": str(modules)}


@contextmanager
def counting(
    server: str, port: int, *, variables: int = 20, ms: int = 50, history: bool = False
) -> Iterator[subprocess.Popen[str]]:
    """A server process whose variables count up."""
    more: dict[str, str] = {}
    if server == "node-opcua":
        command, more = _node(port)
    else:
        folder = "asyncua_server" if server == "asyncua" else "python_opcua"
        command = [sys.executable, "-W", "ignore", str(FOREIGN / folder / "counters.py")]
    command += [str(port), str(variables), str(ms), *(["history"] if history else [])]
    process = subprocess.Popen(
        command, env=os.environ | more, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    try:
        while not process.stdout.readline().startswith("ready"):
            assert process.poll() is None, f"the server {server} ended"
        yield process
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


class _NoPlant:
    assets = ()

    def tag(self, path: str) -> None:
        return None


def source(port: int, variables: int = 20, **more: Any) -> OpcuaSource:
    options = {
        "url": f"opc.tcp://127.0.0.1:{port}/foreign",
        "security": "none",
        "publishing_interval": "100ms",
        "queue": 2_000,
        "assets": {"Machines/Line": ASSET},
        "tags": {f"C-{n}": f"c-{n}" for n in range(variables)},
    }
    return OpcuaSource("line", OpcuaOptions.model_validate(options | more))


@dataclass
class Run:
    """A source that is being read into a spool."""

    spool: Spool
    source: OpcuaSource
    feed: Feed
    last: float = 0.0
    arrivals: list[float] = field(default_factory=list)
    late: asyncio.Event = field(default_factory=asyncio.Event)
    rest: list[Batch] = field(default_factory=list)

    def tap(self, batch: Batch) -> None:
        if not is_backfilled(int(batch.quality[0])):
            self.arrivals.append(time.monotonic())
        else:
            self.late.set()

    def batches(self) -> list[Batch]:
        return self.rest or [Batch.from_bytes(row.data) for row in self.spool.peek(rows=1_000_000, size=10**9)]

    def counts(self) -> dict[str, Counter[int]]:
        """How often each count of each tag lies in the spool."""
        found: dict[str, Counter[int]] = {}
        for batch in self.batches():
            for sample in batch:
                found.setdefault(sample.tag, Counter())[int(sample.value)] += 1
        return found

    def lost(self) -> int:
        """Counts between the first and the last of a tag that are not there."""
        return sum(max(one) - min(one) + 1 - len(one) for one in self.counts().values())

    def duplicated(self) -> int:
        """Values that are there more than once."""
        return sum(n - 1 for one in self.counts().values() for n in one.values())

    def doubled(self) -> int:
        """Counts that the store would keep more than once: it keeps one of what has the same tag and time."""
        found = {(sample.tag, int(sample.value), sample.time) for batch in self.batches() for sample in batch}
        return len(found) - sum(len(one) for one in self.counts().values())

    def holes(self) -> dict[str, list[int]]:
        """The counts that are lost."""
        return {tag: sorted(set(range(min(one), max(one))) - set(one)) for tag, one in self.counts().items()}

    def backfilled(self) -> int:
        return sum(int(np.count_nonzero((batch.quality & 0xFFF) == 0x400)) for batch in self.batches())

    async def after(self, moment: float, within: float = 30.0) -> float:
        """Seconds from the moment to the first live value that came later."""
        await until(lambda: self.arrivals and self.arrivals[-1] > moment, within)
        return next(one for one in self.arrivals if one > moment) - moment


@asynccontextmanager
async def reading(source: OpcuaSource, folder: Path) -> AsyncIterator[Run]:
    """Read the source into the spool of the folder, as a gateway does."""
    with Spool.open(folder, "edge") as spool:
        committer = Committer(spool)
        source.marks.restore(spool.marks("line"))
        feed = Feed(source, SourceState("line"), committer, Conform(_NoPlant()))
        run = Run(spool, source, feed)
        feed.taps = (run.tap,)
        async with committer.running():
            task = asyncio.create_task(feed.run())
            try:
                yield run
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
                run.rest = run.batches()


async def until(condition: Callable[[], Any], within: float = 15.0) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"not within {within} s"
        await asyncio.sleep(0.02)


async def _read_forever(port: int, folder: Path) -> None:
    async with reading(source(port), folder) as run:
        await until(lambda: len(run.arrivals) > 3)
        sys.stdout.write("reading\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":  # a gateway that a test can kill
    asyncio.run(_read_forever(int(sys.argv[1]), Path(sys.argv[2])))
