"""A gateway that sends so many tags so often, straight to the server."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import httpx
import numpy as np
from shopfloor.plant import Batch
from shopfloor.services.bench.rig import ASSET, Rig

HZ: Final = 10.0


def tags(count: int) -> list[str]:
    """The tags that are sent."""
    return [f"{ASSET}/t{number}" for number in range(count)]


@contextmanager
def feeding(rig: Rig, count: int, samples: int = 1) -> Iterator[None]:
    """Send `samples` values of each tag ten times a second until the block ends."""
    over = threading.Event()
    thread = threading.Thread(target=_feed, args=(rig, tags(count), samples, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10)


def _feed(rig: Rig, names: list[str], samples: int, over: threading.Event) -> None:
    token = (rig.folder / "server/secrets/gateway.token").read_text().strip()
    index = np.tile(np.arange(len(names), dtype=np.int32), samples)
    headers = {
        "Authorization": f"Bearer {token}", "X-Gateway": "bench-00000001", "X-Source": "load",
        "Content-Type": "application/vnd.apache.arrow.stream",
    }  # fmt: skip
    sequence, accepted, due = time.time_ns() // 1_000_000, 0, time.monotonic()
    with httpx.Client(base_url=rig.url, trust_env=False, timeout=30, headers=headers) as http:
        while not over.wait(max(0.0, due - time.monotonic())):
            due += 1 / HZ
            sequence, accepted = sequence + 1, accepted + len(index)
            times = time.time_ns() + np.repeat(np.arange(samples) * 1_000, len(names))
            value = np.sin(times / 1e9) + index
            batch = Batch(tuple(names), index, times, value, np.zeros(len(index), np.uint32))
            counts = {"X-Sequence": str(sequence), "X-Accepted": str(accepted)}
            http.post("/api/v1/ingest", content=batch.to_bytes(), headers=counts).raise_for_status()
