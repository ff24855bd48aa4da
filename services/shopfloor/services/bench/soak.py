"""`shopfloor bench soak`: memory of the real gateway at a steady rate, looked at every ten seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from shopfloor.services.bench.clients import Place
from shopfloor.services.bench.machine import facts, load
from shopfloor.services.bench.rig import standing
from shopfloor.services.bench.worker import Worker, module, started
from shopfloor.services.supervision.ports import free_port

_HZ: Final = 20.0
_EVERY_S: Final = 10.0
_WARM_S: Final = 60.0
_LIMIT_MB: Final = 300.0
_FLAT_MB_PER_HOUR: Final = 20.0


def soak(seconds: float, rate: int, place: Place) -> dict[str, Any]:
    """Run for a while; flat means that memory grows by less than 20 MB in an hour after the first minute."""
    machine, items = facts(), max(1, round(rate / _HZ))
    plan = {"port": free_port(), "items": items, "hz": _HZ}
    with (
        started("columnar-server", module("columnar", plan), place.folder, patience_s=180) as source,
        standing(place.folder / "rig", source.ready, items, 500, 200) as rig,
        rig.gateway() as gateway,
    ):
        before, begun = gateway.usage().cpu_s, time.monotonic()
        samples = _watch(gateway, seconds)
        cpu, took = gateway.usage().cpu_s - before, time.monotonic() - begun
        ledger = rig.ledger()
    slope, most = _slope(samples, seconds), max(mb for _, mb in samples)
    stored = ledger["store"]["rows"]
    return {
        "name": "soak", "title": f"{seconds / 60:g} minutes at {rate:,} values/s", "machine": machine,
        "bar": "memory flat, below 300 MB", "samples": samples,
        "summary": [{
            "minutes": round(took / 60, 1), "values_stored": stored, "values_per_s": round(stored / took),
            "cpu_percent": round(cpu / took * 100, 1), "first_mb": samples[0][1], "last_mb": samples[-1][1],
            "most_mb": most, "mb_per_hour": slope, "ledger": "balances" if ledger["balanced"] else "does NOT balance",
            "load": load(),
        }],
        "well": bool(ledger["balanced"] and most < _LIMIT_MB and slope < _flat(seconds)),
    }  # fmt: skip


def _watch(gateway: Worker, seconds: float) -> list[tuple[float, float]]:
    samples, begun = [], time.monotonic()
    while (at := time.monotonic() - begun) < seconds:
        mb = round(gateway.usage().rss / 1e6, 1)
        samples.append((round(at, 1), mb))
        sys.stderr.write(f"{at:7.0f} s  {mb:7.1f} MB  load {load()}\n")
        time.sleep(min(_EVERY_S, seconds - at))
    return samples


def _slope(samples: Sequence[tuple[float, float]], seconds: float) -> float:
    """MB per hour, by least squares over what comes after the first minute (or third of a short run)."""
    warm = min(_WARM_S, seconds / 3)
    later = np.array([one for one in samples if one[0] >= warm])
    if len(later) < 2:
        return 0.0
    return round(float(np.polyfit(later[:, 0], later[:, 1], 1)[0]) * 3600, 1)


def _flat(seconds: float) -> float:
    """A short run cannot tell a slope from noise of a megabyte: it is allowed more."""
    return max(_FLAT_MB_PER_HOUR, 10 * 3600 / seconds)
