"""Health: what the gateway tells the server about itself and its sources, once a second."""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from shopfloor.gateway.forward import Forwarder
from shopfloor.gateway.pipeline import Feed
from shopfloor.gateway.server import Server, TokenRefused
from shopfloor.gateway.sources import Sources
from shopfloor.gateway.spool import Spool
from shopfloor.gateway.state import State
from shopfloor.gateway.version import installed_version
from shopfloor.plant import Batch, RejectedError, SinkUnavailable
from shopfloor.plant.counted import counted


def resident_bytes() -> int:
    """Memory that this process holds now, in bytes."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    return pages * resource.getpagesize()


class Tap(Protocol):
    """Where committed values go besides the server, at its own pace; it never holds up a source."""

    def tap(self, batch: Batch) -> None:
        """Note a batch that was committed."""
        ...

    async def run(self) -> None:
        """Pass on until cancelled."""
        ...

    def report(self) -> dict[str, Any]:
        """How it does, for people."""
        ...


@dataclass(slots=True)
class Health:
    """Reads the counters; times are ms since 1970."""

    name: str
    spool: Spool
    forwarder: Forwarder
    sources: Sources
    configuration: Callable[[], dict[str, Any]]
    sinks: Mapping[str, Tap] = field(default_factory=dict)

    def report(self) -> dict[str, Any]:
        """The health of this gateway as it goes to the server."""
        return {
            "name": self.name,
            "pid": os.getpid(),
            "version": installed_version(),
            "time": time.time_ns() / 1e6,
            "rss_bytes": resident_bytes(),
            "cpu_s": time.process_time(),
            "spool": {
                "batches": self.spool.tally.batches,
                "values": self.spool.tally.values,
                "bytes": self.spool.tally.bytes,
                "limit_bytes": self.spool.limit,
                "when_full": str(self.spool.when_full),
                "detail": self.forwarder.sentence,
            },
            "configuration": self.configuration(),
            "sinks": {name: sink.report() for name, sink in self.sinks.items()},
            "sources": [self._source(feed) for feed in self.sources.feeds],
        }

    def _source(self, feed: Feed) -> dict[str, Any]:
        state, counts = feed.state, self.spool.tally.of(feed.state.name)
        good, uncertain, bad = state.severities
        trouble = getattr(feed.source, "malformed_sentence", "") or getattr(feed.source, "detail", "")
        if counts.dropped:
            gone = counted(counts.dropped, "value was", "values were")
            trouble = trouble or f"{gone} dropped, because the spool was full."
        progress = getattr(feed.source, "progress", None)
        if not state.values:
            trouble = trouble or "Connected, but no value has come yet: does the device send what the plant file names?"
        return {
            "name": state.name,
            "kind": state.kind,
            "url": state.url,
            "state": str(state.state),
            "detail": (progress.sentence if progress else "")
            or state.detail
            or (trouble if state.state is State.CONNECTED else ""),
            "tags": len(state.tags),
            "values_per_s": round(state.rate.mark(state.values), 1),
            "newest_time": state.newest_time / 1e6 if state.newest_time else None,
            "good": good,
            "uncertain": uncertain,
            "bad": bad,
            "reconnects": state.reconnects,
            "accepted": counts.accepted,
            "spooled": counts.spooled,
            "rejected": counts.rejected,
            "dropped": counts.dropped,
            "backfilled": getattr(feed.source, "backfilled", 0),
            "gaps": getattr(feed.source, "gaps", 0),
            "malformed": getattr(feed.source, "malformed", 0),
        }


async def report(health: Health, server: Server, every_s: float = 1.0) -> None:
    """Tell the server until cancelled. A server that does not listen is no reason to stop."""
    while True:
        sentence = ""
        try:
            await server.report_health(health.spool.id, health.report())
        except (SinkUnavailable, TokenRefused, RejectedError) as problem:
            sentence = str(problem)
        health.forwarder.hear(sentence)
        await asyncio.sleep(every_s)
