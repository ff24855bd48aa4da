"""Machines whose power and heat rise before each bad part, and, where it is asked for, before an overload alarm."""

from __future__ import annotations

import numpy as np
from running_server import CNC, Running
from shopfloor.plant import Batch

S = 1_000_000_000
TAGS = ("spindle.power", "spindle.temperature")
ASSETS = tuple(CNC.replace("01", f"0{number}") for number in (1, 2, 3))


def feed(server: Running, start: int, end: int, every: int = 10, *, times: int = 20, overload: bool = False) -> None:
    """All values in [start, end) UTC ns, `every` seconds apart; each machine is strained `times` times."""
    for seed, asset in enumerate(ASSETS):
        random = np.random.default_rng(seed)
        time = np.arange(start, end, every * S)
        strain, ends = np.zeros(len(time)), np.sort(random.choice(np.arange(60, len(time) - 60, 45), times, False))
        for at in ends:
            strain[at - 12 : at] = np.linspace(0.5, 4.0, 12)
        power, heat = 5 + random.normal(0, 0.4, len(time)) + strain, 40 + random.normal(0, 0.5, len(time)) + 2 * strain
        bad = np.zeros(len(time), np.int64)
        bad[ends] = 1
        if overload:
            power[ends] = 16.0
        cuts = np.sort(np.r_[ends + 1, ends + 2]) if overload else []
        _send(server, f"{asset}/spindle.power", time, power, cuts)
        _send(server, f"{asset}/spindle.temperature", time, heat)
        _send(server, f"{asset}/part.count", time, np.cumsum(bad))


def _send(server: Running, path: str, time: np.ndarray, value: np.ndarray, cuts: np.ndarray | tuple[()] = ()) -> None:
    """In batches that end at the cuts: of a past, alarms look at the newest value of each batch."""
    for rows in np.split(np.arange(len(time)), cuts):
        zeros = np.zeros(len(rows), np.int32)
        server.send(Batch((path,), zeros, time[rows], value[rows], zeros.astype(np.uint32)))
