# ruff: noqa: T201 (a program for people)
"""What OEE of a month costs: machines of the simulated line for 35 days, in a store of their own.

    python tests/bench/oee_month.py [machines]

Prints CPU milliseconds of one answer, for the first time after a start and again, and what late data costs.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from shopfloor.plant import Batch, Sample
from shopfloor.plant.config import load
from shopfloor.services.historian import Historian
from shopfloor.services.plants import demo_plant
from shopfloor.services.production import Production
from shopfloor.services.production.planned import Span
from shopfloor.services.production.records import Stop
from shopfloor.simulators import lines
from shopfloor.simulators.batch import BatchRunner, Rows
from shopfloor.simulators.engine import Simulation
from shopfloor.simulators.history import batches

S = 1_000_000_000
DAY = 86_400 * S
N0 = 1_790_000_000
DAYS = 35
NOW = N0 * S + DAYS * DAY
SIMULATED = 2
"""Machines that are simulated; the others repeat what they did."""
TAGS = ("state", "part.count", "program", "probe.dimension", "probe.part")


def fill(store: Historian, assets: list[str]) -> None:
    """What the machines reported of their production."""
    line = lines.load("machining")
    runner = BatchRunner(Simulation(line, assets[:SIMULATED], 5, N0 * S).snapshot(), line)
    codes = [line.tag_index(name) for name in TAGS]
    rows = [_only(kept, codes) for kept in runner.report(DAYS * 86_400, 600, 0)[0]]
    accepted = 0
    for sequence, batch in enumerate(batches(line, assets, [rows[i % SIMULATED] for i in range(len(assets))]), 1):
        accepted += len(batch)
        store.ingest("bench-00c0ffee", sequence, "bench", accepted, batch)
    store.flush()


def _only(kept: Rows, codes: list[int]) -> Rows:
    mine = np.isin(kept.tag, codes)
    return Rows(kept.tag[mine], kept.n[mine], kept.value[mine], kept.quality[mine])


def stand(production: Production, assets: list[str]) -> None:
    """31 stops a day of each machine, as many as the simulated line has, half of them with a reason."""
    with production.store.together():
        for number in range(DAYS * 31):
            start = N0 * S + number * DAY // 31
            for asset in assets:
                reason = "Tool/Tool change" if number % 2 else ""
                production.store.add_stop(Stop(0, asset, start, start + 300 * S, "down", reason))


def cpu(production: Production, assets: list[str], span: Span) -> float:
    """Milliseconds of CPU for one answer of all machines."""
    began = time.process_time()
    production.performance(assets, span)
    return (time.process_time() - began) * 1e3


def main(machines: int, folder: Path) -> None:
    config = load(demo_plant(), environ={})
    assets = [str(asset.path) for asset in config.assets][:machines]
    with Historian.open(folder / "store", clock=lambda: NOW) as store:
        fill(store, assets)
        with Production.open(config, store.reader, folder / "production", lambda: NOW) as production:
            production._watcher.stop()  # its thread would be counted
            stand(production, assets)
            for hours in (8, 24, 7 * 24, 30 * 24):
                span = Span(NOW - hours * DAY // 24 - 1_234 * S, NOW - 1_234 * S)
                each = [cpu(production, assets, span) for _ in range(6)]
                print(f"{hours:4} h: first {each[0]:7.1f} ms, again {min(each[1:]):7.1f} ms")
            late = Batch.of([Sample(f"{assets[0]}/state", NOW - 3 * DAY, "HELD")])
            production.watch(late)
            print(f"after late data of one machine: {cpu(production, assets, span):7.1f} ms")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 20, Path(place))
