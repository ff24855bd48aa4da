"""Measurements on simulated pots, for the published facts of the potline."""

from __future__ import annotations

from shopfloor.simulators.lines import potline_layout as pot
from shopfloor.simulators.lines.potline import LINE, init, step
from shopfloor.simulators.lines.potline_cell import (
    ALUMINA_PER_METAL,
    BATH_KG,
    METAL_PER_KAH,
    critical_alumina,
)


def starvation_ratio() -> float:
    """Simulated seconds to the anode effect of pots without feed, over what the bath's alumina lasts (mean of 5)."""
    return sum(_one(key) for key in range(1, 6)) / 5.0


def _one(key: int) -> float:
    p = [param.value for param in pot.PARAMS]
    x, u = [0.0] * len(pot.STATES), [spec.default for spec in pot.SETPOINTS]
    y, f = [0.0] * len(LINE.tags), [0.0] * len(pot.FAULTS)
    init(x, u, p, key, 0)
    f[pot.F_BLOCK] = 1.0
    x[pot.ALUMINA], x[pot.SLUDGE] = 3.0, 0.0
    per_hour = ALUMINA_PER_METAL * METAL_PER_KAH * pot.LINE_KA * x[pot.EFFICIENCY]
    balance = (3.0 - critical_alumina(1.0)) / 100.0 * BATH_KG / per_hour * 3600.0
    n = 0
    while x[pot.EFFECTS] == 0.0 and n < 20000:
        n += 1
        step(x, u, p, f, y, key, n)
    return n / balance
