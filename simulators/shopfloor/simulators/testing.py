"""A short past of a few assets, in one call and in this process: batches as a gateway would hand them over, and truth.

>>> cell = record("potline", ["d/s/potline/r/pot-01"], seed=1, hours=0.5)
>>> sum(len(batch) for batch in cell.batches) > 100, cell.truth.num_rows
(True, 60)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
from shopfloor.plant import Batch
from shopfloor.simulators import lines, truth
from shopfloor.simulators.batch import BatchRunner
from shopfloor.simulators.engine import Simulation
from shopfloor.simulators.history import EVERY, batches

START: int = 1_750_000_000 * 10**9


@dataclass(frozen=True, slots=True)
class Break:
    """A fault to inject: which asset (index), from which hour until which, and for sensor faults the tag."""

    asset: int
    fault: str
    at_hour: float
    until_hour: float | None = None
    severity: float = 1.0
    tag: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """History by exception as batches of full tag paths, hidden truth every 30 s, and start and end in UTC ns."""

    batches: list[Batch]
    truth: pa.Table
    start: int
    end: int


def record(
    line: str, assets: Sequence[str], *, seed: int, hours: float, start: int = START, breaks: Sequence[Break] = ()
) -> Recorded:
    """Let `assets` of a line live for some hours; compiled where numba is installed."""
    spec = lines.load(line)
    simulation = Simulation(spec, assets, seed, start)
    for each in breaks:
        until = None if each.until_hour is None else start + round(each.until_hour * 3.6e12)
        at = start + round(each.at_hour * 3.6e12)
        simulation.inject(each.asset, each.fault, each.severity, at, until=until, tag=each.tag)
    runner = BatchRunner(simulation.snapshot(), spec)
    steps = round(hours * 3600.0 / spec.dt)
    first = -(-runner.n // truth.EVERY) * truth.EVERY
    rows, hidden = runner.report(steps, EVERY, truth.EVERY)
    table = truth.table(spec, assets, first, hidden)
    return Recorded(list(batches(spec, assets, rows)), table, start, start + steps * spec.dt_ns)
