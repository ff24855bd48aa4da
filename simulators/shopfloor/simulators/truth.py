"""The truth: hidden states and injected faults, kept where neither gateway nor store can see them.

Parquet files in a folder of the simulator's own state; only tests and experiments read them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from shopfloor.simulators.checkpoint import save_atomically
from shopfloor.simulators.engine import Simulation
from shopfloor.simulators.line import Line

EVERY: Final = 30
"""Steps between two rows of truth."""
FLUSH: Final = 120
"""Rows of truth per asset that a live simulation gathers before it writes a file."""


def table(line: Line, assets: Sequence[str], first: int, rows: NDArray[np.float64]) -> pa.Table:
    """Columns time (UTC ns), asset, and each hidden state of `line.truth`; `rows` is [asset, row, state].

    `first` is the step of the first row; rows follow each other every `EVERY` steps.
    """
    count = rows.shape[1]
    time = (first + EVERY * np.arange(count, dtype=np.int64)) * line.dt_ns
    columns: dict[str, Any] = {
        "time": pa.array(np.tile(time, len(assets))).view(pa.timestamp("ns", "UTC")),
        "asset": pa.DictionaryArray.from_arrays(
            pa.array(np.repeat(np.arange(len(assets), dtype=np.int32), count)), pa.array(list(assets), pa.string())
        ),
    }
    for k, name in enumerate(line.truth):
        columns[name] = pa.array(rows[:, :, k].ravel())
    return pa.table(columns)


def write(folder: Path, name: str, content: pa.Table) -> None:
    """Write one file of truth; a file that appears is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f"{name}.tmp"
    pq.write_table(content, beside, compression="zstd")
    beside.replace(folder / f"{name}.parquet")


def read(folder: Path) -> pa.Table:
    """All truth of a folder, sorted by (asset, time); an empty folder raises `FileNotFoundError`."""
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise FileNotFoundError(f"{folder} holds no truth: let the simulator run for a while.")
    plain = [pq.read_table(file) for file in files]
    whole = pa.concat_tables(t.set_column(1, "asset", t["asset"].cast(pa.string())) for t in plain)
    return whole.sort_by([("asset", "ascending"), ("time", "ascending")])


def remaining_life(truth: pa.Table) -> NDArray[np.float64]:
    """Cutting minutes left of the tool in the spindle, for each row of a machining truth; NaN while unfinished."""
    asset = truth["asset"].cast(pa.string()).dictionary_encode().combine_chunks().indices.to_numpy()
    tool = truth["tool"].to_numpy()
    minutes = truth["tool_minutes"].to_numpy()
    edge = np.flatnonzero((np.diff(asset) != 0) | (np.diff(tool) != 0))
    last = np.append(edge, len(tool) - 1)
    run = np.searchsorted(last, np.arange(len(tool)))
    finished = np.append(asset[edge] == asset[edge + 1], False)
    result: NDArray[np.float64] = np.where(finished[run], minutes[last[run]] - minutes, np.nan)
    return result


def anode_effects(truth: pa.Table) -> pa.Table:
    """Rows of a potline truth at which a pot's count of anode effects has risen: asset and time (to `EVERY` s)."""
    asset = truth["asset"].cast(pa.string())
    effects = truth["effects"].to_numpy()
    risen = np.zeros(len(effects), bool)
    same = pc.equal(asset.slice(1), asset.slice(0, len(effects) - 1)).to_numpy(zero_copy_only=False)
    risen[1:] = (np.diff(effects) > 0) & same
    return truth.filter(pa.array(risen)).select(["asset", "time"])


class TruthLog:
    """Truth of a live simulation. `observe` after every step; `close` writes what is left."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._rows: list[list[list[float]]] = []
        self._first = 0
        self._injections: tuple[Any, ...] = ()

    def observe(self, simulation: Simulation) -> None:
        """Keep the hidden states of the step that was just taken, when it is time to."""
        n = simulation.time // simulation.line.dt_ns - 1
        if simulation.injections != self._injections:
            self._injections = simulation.injections
            self._note_faults(simulation)
        if n % EVERY:
            return
        if self._rows and n != self._first + EVERY * len(self._rows):
            self.flush(simulation)
        self._first = self._first if self._rows else n
        self._rows.append(simulation.hidden())
        if len(self._rows) >= FLUSH:
            self.flush(simulation)

    def flush(self, simulation: Simulation) -> None:
        """Write what was gathered."""
        if self._rows:
            rows = np.array(self._rows).transpose(1, 0, 2)
            write(self.folder, f"live-{self._first:012d}", table(simulation.line, simulation.assets, self._first, rows))
            self._rows = []

    def _note_faults(self, simulation: Simulation) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        labels = [{**asdict(each), "asset": simulation.assets[each.asset]} for each in simulation.injections]
        save_atomically(self.folder / "faults.json", json.dumps(labels, indent=1).encode())
