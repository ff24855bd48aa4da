"""The tool in the spindle: how it wears, breaks and is replaced, and what it makes of the part."""

from __future__ import annotations

import math
from collections.abc import Sequence

from shopfloor.simulators.line import Row
from shopfloor.simulators.lines.machining_cutting import WEAR_LIMIT, wear_rate
from shopfloor.simulators.lines.machining_layout import (
    ABORTED,
    ALARM,
    ALARM_BREAKAGE,
    BEARING,
    BROKEN_LATCH,
    C_BREAK,
    C_REPAIR,
    C_REPEAT,
    C_TOOL_LIFE,
    C_TOOL_LIMIT,
    C_TOOL_SET,
    C_TOOL_VIB,
    C_WEAR,
    CHATTER,
    CONCENTRATION,
    COOLANT_C,
    F_BREAK,
    F_WORN,
    HARDNESS,
    LIFE,
    OFFSET,
    P_BIAS,
    P_GROWTH,
    SPINDLE_C,
    TOOL,
    TOOL_CHANGES,
    TOOL_FACTOR,
    TOOL_LIMIT,
    TOOL_MINUTES,
    TOOL_SET,
    TOOL_SHOWN,
    TOOL_VIB,
    WEAR,
    WORN_LATCH,
    enter,
)
from shopfloor.simulators.noise import drift, normal, uniform


def fresh_tool(x: Row, key: int) -> None:
    """A new tool in the spindle: how long it will last, and how it is set, is its own."""
    x[TOOL] += 1.0
    tool = int(x[TOOL])
    x[TOOL_CHANGES] += 1.0
    x[TOOL_MINUTES] = x[TOOL_SHOWN] = 0.0
    x[WEAR] = WEAR_LIMIT * 0.03
    x[TOOL_FACTOR] = math.exp(0.17 * normal(key, tool, C_TOOL_LIFE))
    x[TOOL_LIMIT] = WEAR_LIMIT * math.exp(0.07 * normal(key, tool, C_TOOL_LIMIT))
    x[TOOL_SET] = 4.0 * normal(key, tool, C_TOOL_SET)
    x[TOOL_VIB] = math.exp(0.10 * normal(key, tool, C_TOOL_VIB))


def release(x: Row, f: Sequence[float]) -> None:
    """A fault that is over may come again, also when nothing was cut between."""
    if f[F_WORN] == 0.0:
        x[WORN_LATCH] = 0.0
    if f[F_BREAK] == 0.0:
        x[BROKEN_LATCH] = 0.0


def wear(x: Row, f: Sequence[float], key: int, n: int, flow: float) -> None:
    """One second of cutting wears the tool, and may break it."""
    dry = max(0.0, 1.0 - flow / 14.0)
    lean = max(0.0, 5.5 - x[CONCENTRATION])
    rate = max(0.3, 1.0 + 0.30 * drift(key, n, C_WEAR, 1500)) * (1.0 + 3.0 * dry + 0.25 * lean + 0.8 * x[CHATTER])
    if f[F_WORN] > 0.0:
        if x[WORN_LATCH] == 0.0:
            x[WORN_LATCH] = x[TOOL]
        if x[WORN_LATCH] == x[TOOL]:
            rate *= 1.0 + 7.0 * f[F_WORN]
    w = x[WEAR] / WEAR_LIMIT
    x[WEAR] += WEAR_LIMIT * wear_rate(w) * rate / (x[LIFE] * 60.0)
    x[TOOL_MINUTES] += 1.0 / 60.0
    _break(x, f, key, n, w)


def _break(x: Row, f: Sequence[float], key: int, n: int, w: float) -> None:
    hazard = w * w
    hazard = hazard * hazard * hazard * hazard
    forced = f[F_BREAK] > 0.0 and x[BROKEN_LATCH] == 0.0
    if forced or uniform(key, n, C_BREAK) < 1.2e-6 + 3.5e-5 * hazard:
        x[BROKEN_LATCH] = 1.0
        x[ALARM] = ALARM_BREAKAGE
        enter(x, ABORTED, 240.0 + math.floor(500.0 * uniform(key, n, C_REPAIR)))


def dimension(x: Row, u: Row, p: Sequence[float], key: int, part: int) -> float:
    """Deviation from nominal in um: wear, thermal growth, deflection, tool setting, chatter, repeatability."""
    w = x[WEAR] / WEAR_LIMIT
    grown = p[P_GROWTH] * (x[SPINDLE_C] - 36.0) - 0.8 * (x[COOLANT_C] - 26.0)
    bent = 45.0 * (x[HARDNESS] - 1.0) * (0.7 + 0.6 * w)
    scatter = (2.6 + 9.0 * x[CHATTER] + 14.0 * max(0.0, x[BEARING] - 0.3)) * normal(key, part, C_REPEAT)
    return u[OFFSET] - 12.0 * p[P_BIAS] + x[TOOL_SET] + w * (16.0 + 18.0 * w) + grown + bent + scatter
