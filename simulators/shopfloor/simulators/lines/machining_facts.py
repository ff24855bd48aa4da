"""Measurements on simulated machines, for the published facts of the machining line."""

from __future__ import annotations

import math
from typing import Final

from shopfloor.simulators.lines import machining_layout as m
from shopfloor.simulators.lines.machining import init
from shopfloor.simulators.lines.machining_cutting import WEAR_LIMIT, tool_life
from shopfloor.simulators.lines.machining_tool import wear
from shopfloor.simulators.lines.machining_work import begin_part

SPEEDS: Final = (165.0, 200.0, 240.0)
TOOLS: Final = 16


def simulated_life(speed: float, key: int) -> float:
    """Cutting minutes of one simulated tool from new to the wear limit, at one speed, without scatter of lots."""
    p = [param.value for param in m.PARAMS]
    x, u = [0.0] * len(m.STATES), [spec.default for spec in m.SETPOINTS]
    f = [0.0] * len(m.FAULTS)
    init(x, u, p, key, 0)
    u[m.SPEED] = speed
    begin_part(x, u, p, f, key, 0)
    x[m.LIFE] = tool_life(speed, u[m.FEED], 1.0, p[m.P_TAYLOR], p[m.P_LIFE])
    x[m.WEAR], x[m.TOOL_MINUTES], x[m.PHASE], x[m.CHATTER] = 0.0, 0.0, m.EXECUTE, 0.0
    n = 0
    while x[m.WEAR] < WEAR_LIMIT:
        n += 1
        wear(x, f, key, n, 24.0)
    return x[m.TOOL_MINUTES]


def simulated_taylor_exponent() -> float:
    """N of V T^n = C by least squares of log V on log T over simulated lives."""
    speed = [math.log(v) for v in SPEEDS]
    life = [sum(math.log(simulated_life(v, key)) for key in range(TOOLS)) / TOOLS for v in SPEEDS]
    mean_v, mean_t = sum(speed) / len(speed), sum(life) / len(life)
    top = sum((t - mean_t) * (v - mean_v) for t, v in zip(life, speed, strict=True))
    return -top / sum((t - mean_t) ** 2 for t in life)
