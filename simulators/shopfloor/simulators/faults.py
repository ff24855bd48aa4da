"""Faults that somebody injected: what, where, how bad, from when until when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from shopfloor.simulators.line import Line
from shopfloor.simulators.sensor import MODES

FOREVER = 1 << 60


@dataclass(frozen=True, slots=True)
class Injection:
    """One fault of one asset in the steps `begin` <= n < `end`. `tag` is set for sensor faults only."""

    asset: int
    fault: str
    severity: float
    begin: int
    end: int = FOREVER
    tag: str = ""


def severities(line: Line, assets: int, injections: Sequence[Injection], n: int) -> NDArray[np.float64]:
    """Severity [asset, fault] of the faults of the process at step `n`."""
    result = np.zeros((assets, max(len(line.faults), 1)))
    for each in injections:
        if each.begin <= n < each.end and not each.tag:
            result[each.asset, line.fault_index(each.fault)] = each.severity
    return result


def modes(line: Line, assets: int, injections: Sequence[Injection], n: int) -> NDArray[np.int64]:
    """Sensor mode [asset, tag] at step `n`, as injected."""
    result = np.zeros((assets, len(line.tags)), np.int64)
    for each in injections:
        if each.begin <= n < each.end and each.tag:
            result[each.asset, line.tag_index(each.tag)] = MODES[each.fault] if each.severity > 0 else 0
    return result


def next_edge(injections: Sequence[Injection], n: int) -> int:
    """The first step after `n` at which some injection begins or ends."""
    return min((edge for each in injections for edge in (each.begin, each.end) if edge > n), default=FOREVER)
