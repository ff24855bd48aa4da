"""A small plant with a past, simulated in memory; the brain learns from some of its assets and judges others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from shopfloor.models import toy
from shopfloor.models.bundle import Bundle, load
from shopfloor.models.columns import DAY, HOUR, MINUTE, SECOND, Columns, Steps
from shopfloor.models.inputs import MACHINE, POT
from shopfloor.models.train import History, seal, train
from shopfloor.plant import Asset, AssetPath
from shopfloor.services.brain.diary import Diary
from shopfloor.services.brain.follow import lines
from shopfloor.services.brain.live import Live
from shopfloor.services.brain.serving import Fixed
from shopfloor.simulators import lines as sim_lines
from shopfloor.simulators.batch import BatchRunner
from shopfloor.simulators.engine import Simulation

END = 20_700 * DAY
KINDS = {"machining": MACHINE, "potline": POT}
SEED = 11


def simulated(line: str, path: str, start: int, end: int, fault: tuple[str, float, int] | None = None) -> Simulated:
    """One asset from `start` to `end` as a historian would hold it, and its hidden states every 30 s."""
    physics = sim_lines.load(line)
    simulation = Simulation(physics, [path], SEED, start)
    if fault:
        simulation.inject(path, fault[0], fault[1], at=fault[2])
    (rows,), hidden = BatchRunner(simulation.snapshot(), physics).report((end - start) // SECOND, 600, 30)
    return Simulated(columns_of(physics, rows), dict(zip(physics.truth, hidden[0].T, strict=True)))


def columns_of(physics: Any, rows: Any) -> dict[str, Steps]:
    """The rows of one asset by tag, bad values as NaN."""
    order = np.argsort(rows.tag, kind="stable")
    edges = np.searchsorted(rows.tag[order], np.arange(len(physics.tags) + 1))
    columns: dict[str, Steps] = {}
    for k, tag in enumerate(physics.tags):
        chosen = order[edges[k] : edges[k + 1]]
        value: Any = np.where(rows.quality[chosen] >> 30 >= 2, np.nan, rows.value[chosen])
        if tag.kind == "text":
            value = np.array([tag.render(code) for code in value.tolist()], object)
        columns[tag.name] = Steps(rows.n[chosen] * physics.dt_ns, value)
    return columns


@dataclass(frozen=True)
class Simulated:
    columns: Columns
    truth: dict[str, Any]


@dataclass
class MemoryReader:
    """Answers from columns in memory, and knows nothing of the time after `now`."""

    columns: dict[str, Columns]
    now: int
    asked: list[str] = field(default_factory=list)

    def read(self, tags: Sequence[str], start: int, end: int, *, previous: bool = False) -> pa.Table:
        self.asked += tags
        return toy.table(self.columns, start, min(end, self.now), names=tags)

    def latest(self, tags: Sequence[str]) -> pa.Table:
        assets = {tag.rpartition("/")[0] for tag in tags}
        shown = {asset: self.columns[asset] for asset in assets if asset in self.columns}
        return toy.table(shown, self.now - 1, self.now, names=tags)


def learned(line: str, paths: Sequence[str], days: float, folder: Path) -> dict[str, Bundle]:
    """Bundles learned from these assets' days before `END`."""
    start = END - int(days * DAY)
    history = History(start, END)
    for path in paths:
        history.add(path, KINDS[line], simulated(line, path, start, END).columns)
    names = seal(folder, train(history, lambda *_: None))
    return {name: load(folder / name) for name in names}


def judged(
    line: str, worlds: dict[str, Simulated], bundles: dict[str, Bundle], last: int, folder: Path, step: int = 2 * MINUTE
) -> list[dict[str, Any]]:
    """Every prediction from `END` to `last`, as it came, by a brain that looks a day back."""
    reader = MemoryReader({path: world.columns for path, world in worlds.items()}, END - DAY + HOUR)
    assets = [Asset(AssetPath.parse(path), KINDS[line], path) for path in sorted(worlds)]
    diary = Diary(folder / "diary")
    live = Live(reader, lines(assets), Fixed(bundles), diary, lambda: reader.now)
    live.lines[0].cursor = END - DAY + 20 * MINUTE
    said: list[dict[str, Any]] = []
    while reader.now < last:
        reader.now += HOUR if reader.now < END else step
        said += live.tick()
    diary.close()
    return [p for p in said if p["time"] * 1e6 >= END]
