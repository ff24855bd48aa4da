"""`shopfloor bench store-kill`: the store dies at random moments; what it acknowledged must be there, once and whole.

A third of the rounds end at any moment, a third while a segment of a flush or of a compaction is finished and
published, a third while a backup is taken; in half of those the backup's process dies too, the other backups are
verified.
"""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from shopfloor.plant import Kind
from shopfloor.services.bench.machine import facts, load
from shopfloor.services.bench.store.killed import GATEWAYS, ORIGIN, ROWS, STEP, tags
from shopfloor.services.historian import Historian, Options
from shopfloor.services.historian.care.snapshot import lying
from shopfloor.services.historian.care.verify import verify

MOMENTS: Final = ("edge", "flush", "edge", "compaction", "backup", "backup")
_MOST: Final = {"edge": 60, "flush": 6, "compaction": 3, "backup": 40}
_PATIENCE: Final = 300
"""After so many batches a round no longer waits for its moment: a slow disk may keep compaction away."""
_PACKAGE: Final = "shopfloor.services"
_HOUR: Final = 3_600_000_000_000
_AT_REST: Final = Options(flush_rows=1 << 62, flush_age_s=1e9, compact_segments=1 << 30, reserve_bytes=0)
"""The answers are asked of a store that does nothing meanwhile."""


@dataclass(slots=True)
class Tally:
    """What all rounds found; `last` is the newest stored sequence of each gateway, `seen` what it then answered."""

    acknowledged: int = 0
    lost: int = 0
    torn: int = 0
    changed: int = 0
    backups: int = 0
    damaged: int = 0
    slowest_open_s: float = 0.0
    last: dict[str, int] = field(default_factory=lambda: dict.fromkeys(GATEWAYS, 0))
    seen: dict[str, str] = field(default_factory=dict)

    @property
    def well(self) -> bool:
        """Whether nothing at all was wrong."""
        return self.lost == self.torn == self.changed == self.damaged == 0


def kill(rounds: int, seed: int, folder: Path) -> dict[str, Any]:
    """Kill it `rounds` times; the answer says what was lost, torn, or answered otherwise than before."""
    machine, chance, tally = facts(), random.Random(seed), Tally()  # noqa: S311 (no secret)
    for number in range(1, rounds + 1):
        moment = MOMENTS[(number - 1) % len(MOMENTS)]
        acknowledged = _life(folder, tally, moment, chance)
        _judge(folder / "store", tally, acknowledged, whole=number % 25 == 0 or number == rounds)
        sys.stderr.write(
            f"kill {number:3}  {moment:10}  stored {sum(tally.last.values()) * ROWS:>10,}  load {load()}\n"
        )
    return {
        "name": "store-kill", "title": f"kill -9 of the store {rounds} times", "machine": machine,
        "bar": "no acknowledged value lost, no batch torn, every answer as before", "seed": seed,
        "summary": [{
            "kills": rounds, "values_stored": sum(tally.last.values()) * ROWS,
            "acknowledged": tally.acknowledged * ROWS,
            "lost": tally.lost * ROWS, "torn": tally.torn, "changed": tally.changed, "backups": tally.backups,
            "damaged": tally.damaged, "open_s": round(tally.slowest_open_s, 2), "load": load(),
        }],
        "well": tally.well,
    }  # fmt: skip


def _life(folder: Path, tally: Tally, moment: str, chance: random.Random) -> dict[str, int]:
    """Start it, wait for a random moment, kill it; answers the last acknowledged sequence of each gateway."""
    firsts = {gateway: last + 1 for gateway, last in tally.last.items()}
    acknowledged, times, backup = dict(tally.last), chance.randrange(1, _MOST[moment]), None
    told, killed = 0, False
    with _child("bench.store.killed", {"folder": str(folder / "store"), "firsts": firsts}) as child:
        for line in child.stdout or ():
            word, sequence = line.split()
            if word in acknowledged:
                acknowledged[word] = int(sequence)
            told += 1
            times -= word.startswith("edge" if moment == "backup" else moment)
            if (times == 0 or told == _PATIENCE) and child.poll() is None and not killed:
                killed = True
                backup = _backup(folder, tally) if moment == "backup" else None
                time.sleep(chance.random() * (0.4 if backup else 0.1 if moment == "edge" else 0.03))
                child.kill()
                _end(backup, folder, tally, chance)
    tally.acknowledged = sum(acknowledged.values())
    return acknowledged


def _child(name: str, plan: dict[str, Any]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", f"{_PACKAGE}.{name}", json.dumps(plan)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 (a module of this package)


def _backup(folder: Path, tally: Tally) -> subprocess.Popen[str]:
    command = ["backup", str(folder / f"copy-{tally.backups}"), "--data", str(folder)]
    return subprocess.Popen(  # noqa: S603 (a command of this package)
        [sys.executable, "-m", f"{_PACKAGE}.cli", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def _end(backup: subprocess.Popen[str] | None, folder: Path, tally: Tally, chance: random.Random) -> None:
    """Kill every second backup with the store; verify the others."""
    if backup is None:
        return
    if chance.random() < 0.5:
        backup.kill()
    _, said = backup.communicate()
    if backup.returncode > 0:
        sys.stderr.write(f"The backup failed: {said}")
    tally.damaged += backup.returncode > 0
    if backup.returncode == 0:
        with lying(folder / f"copy-{tally.backups}" / "store") as snapshot:
            tally.damaged += len(list(verify(snapshot)))
    tally.backups += 1


def _judge(store: Path, tally: Tally, acknowledged: dict[str, int], *, whole: bool) -> None:
    """Open it and compare. `whole` reads everything, otherwise what came since the round before the last."""
    began = time.monotonic()
    with Historian.open(store, options=_AT_REST) as opened:
        tally.slowest_open_s = max(tally.slowest_open_s, time.monotonic() - began)
        for account in opened.ledger():
            gateway, before = account.gateway, tally.last[account.gateway]
            found, torn = _found(opened, gateway, 1 if whole else max(1, before))
            tally.torn += torn
            tally.lost += max(acknowledged[gateway] - found, 0)
            tally.changed += found > acknowledged[gateway] + 1
            tally.changed += not account.balanced or account.stored != ROWS * found
            if gateway in tally.seen:
                tally.changed += tally.seen[gateway] != _answers(opened, gateway, before)
            tally.last[gateway], tally.seen[gateway] = found, _answers(opened, gateway, found)
        stats = opened.stats()
        tally.changed += stats["state"] != "ok" or stats["collapsed"] != 0


def _found(store: Historian, gateway: str, first: int) -> tuple[int, int]:
    """The newest sequence up to which every batch from `first` on is whole, and how many are not."""
    start, text = ORIGIN + first * ROWS * STEP, GATEWAYS[gateway] is Kind.TEXT
    table = store.reader.read(tags(gateway), start, 1 << 62, columns=("time", "text" if text else "value"))
    order = np.argsort(table.column("time").cast(pa.int64()).to_numpy())
    row = table.column("time").cast(pa.int64()).to_numpy()[order] - start
    value = _sequences(table.column(1), text=text)[order]
    expected = np.arange(len(row))
    count = len(row) // ROWS
    fine = (
        len(row) % ROWS == 0
        and np.array_equal(row, expected * STEP)
        and np.array_equal(value, first + expected // ROWS)
    )
    return first + count - 1, int(not fine)


def _sequences(column: pa.ChunkedArray, *, text: bool) -> np.ndarray[Any, np.dtype[np.float64]]:
    if not text:
        return np.asarray(column.to_numpy())
    return np.array([float(value.removeprefix("batch ")) for value in column.to_pylist()])


def _answers(store: Historian, gateway: str, last: int) -> str:
    """What every kind of question about the values up to a sequence is answered with, as one hash."""
    reader, names, end = store.reader, list(tags(gateway)), ORIGIN + (last + 1) * ROWS * STEP
    start = ORIGIN // _HOUR * _HOUR
    recent = max(start, end - 30_000_000_000)
    answers = [reader.read(names, recent, end, previous=True), reader.aggregate(names, start, end, 60_000_000_000)]
    if GATEWAYS[gateway] is not Kind.TEXT:
        answers.append(reader.downsample(names[0], start, end, 500))
    return hashlib.sha256("".join(_told(answer) for answer in answers).encode()).hexdigest()


def _told(table: pa.Table) -> str:
    """Sums are exact to the rounding of their order; all else is exact."""
    columns: Sequence[str] = [name for name in table.column_names if name not in {"sum", "value"}]
    exact = [str(table.column(name).to_pylist()) for name in columns if not _is_time(table, name)]
    times = [str(table.column(name).cast(pa.int64()).to_pylist()) for name in columns if _is_time(table, name)]
    rough = [str(np.round(table.column(n).to_numpy(), 6).tolist()) for n in ("sum", "value") if n in table.column_names]
    return "".join([*exact, *times, *rough])


def _is_time(table: pa.Table, name: str) -> bool:
    return bool(pa.types.is_timestamp(table.schema.field(name).type))
