"""`shopfloor bench kill`: the gateway dies at random moments in full flow; what it acknowledged must be stored."""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
from shopfloor.services.bench.clients import Place
from shopfloor.services.bench.machine import facts, load
from shopfloor.services.bench.rig import Rig, standing
from shopfloor.services.bench.worker import module, started
from shopfloor.services.supervision.ports import free_port

_HZ: Final = 20.0
_PUBLISH_MS: Final = 200
_QUEUE: Final = 40
_LIFE_S: Final = (0.3, 2.5)


def kill(rounds: int, rate: int, seed: int, place: Place) -> dict[str, Any]:
    """Kill it `rounds` times; the answer says how many acknowledged values are not stored, which must be none."""
    machine, chance, items = facts(), random.Random(seed), max(1, round(rate / _HZ))  # noqa: S311 (no secret)
    note = place.folder / "acknowledged"
    plan = {"port": free_port(), "items": items, "hz": _HZ, "note": str(note)}
    with (
        started("columnar-server", module("columnar", plan), place.folder, patience_s=180) as source,
        standing(place.folder / "rig", source.ready, items, _PUBLISH_MS, _QUEUE) as rig,
    ):
        lives = [_life(rig, number, chance) for number in range(1, rounds + 1)]
        with rig.gateway():
            time.sleep(3)
            acknowledged = _acknowledged(note)
        with rig.gateway():
            ledger = rig.drained()
        lost, twice = _compare(rig, items, acknowledged)
    balanced = all(one["balanced"] for one in lives) and ledger["balanced"]
    return {
        "name": "kill", "title": f"kill -9 of the gateway {rounds} times at {rate:,} values/s", "machine": machine,
        "bar": "no acknowledged value lost, the ledger balances after each kill", "lives": lives,
        "summary": [{
            "kills": rounds, "values_stored": ledger["store"]["rows"], "acknowledged": len(acknowledged) * items,
            "lost": lost, "twice": twice, "ledger": "balances" if balanced else "does NOT balance",
            "load": load(),
        }],
        "well": balanced and not lost,
    }  # fmt: skip


def _life(rig: Rig, number: int, chance: random.Random) -> dict[str, Any]:
    """One life of a gateway, from its start to its end by SIGKILL at a random moment after values began to flow."""
    before = rig.stored()
    with rig.gateway() as gateway:
        while rig.stored() == before:
            time.sleep(0.1)
        lived = chance.uniform(*_LIFE_S)
        time.sleep(lived)
        gateway.process.kill()
        gateway.process.wait()
    ledger = rig.ledger()
    sys.stderr.write(
        f"kill {number:3}  lived {lived:4.1f} s  stored {ledger['store']['rows']:>12,}"
        f"  {'balanced' if ledger['balanced'] else 'NOT balanced'}  load {load()}\n"
    )
    return {"lived_s": round(lived, 2), "stored": ledger["store"]["rows"], "balanced": ledger["balanced"]}


def _acknowledged(note: Path) -> set[int]:
    """The ticks of which the server was told that they are safe."""
    return {int(line) for line in note.read_text().splitlines()} if note.exists() else set()


def _compare(rig: Rig, items: int, acknowledged: set[int]) -> tuple[int, int]:
    """Values that were acknowledged and are not stored, and values that are stored twice."""
    wanted, lost, twice = np.array(sorted(acknowledged)), 0, 0
    for _, ticks in rig.values([f"t{index}" for index in range(items)]):
        lost += int(np.isin(wanted, ticks, invert=True).sum())
        twice += len(ticks) - len(np.unique(ticks))
    return lost, twice
