"""What the sensors of a machine see: power, loads, vibration, coolant and heat, counters and the late probe."""

from __future__ import annotations

import math
from collections.abc import Sequence

from shopfloor.simulators.line import Row
from shopfloor.simulators.lines.machining_cutting import WEAR_LIMIT
from shopfloor.simulators.lines.machining_layout import (
    ALARM,
    ALARM_BEARING,
    ALARM_BREAKAGE,
    ALARM_COOLANT,
    BEARING,
    BEARING_C,
    C_FILL,
    C_FORCE,
    C_VIB,
    C_WEATHER,
    CHATTER,
    CLOG,
    CONCENTRATION,
    COOLANT_C,
    COUNT,
    CUT_S,
    CYCLE,
    EXECUTE,
    F_BEARING,
    F_COOLANT,
    FEED,
    FORCE,
    KWH,
    LEFT,
    LOCAL,
    LOT,
    P_PLANT,
    P_VIB,
    PART,
    PATTERN,
    PHASE,
    PROBE_DIM,
    PROBE_DUE,
    PROBE_PART,
    PROGRAM,
    RPM,
    SHIFT,
    SHOWN_DIM,
    SHOWN_PART,
    SPINDLE_C,
    STARTING,
    TOOL,
    TOOL_CHANGES,
    TOOL_SHOWN,
    TOOL_VIB,
    WEAR,
    Y_ALARM,
    Y_BEARING_C,
    Y_CHANGES,
    Y_CONCENTRATION,
    Y_COOLANT_C,
    Y_COUNT,
    Y_CYCLE,
    Y_FEED,
    Y_FLOW,
    Y_KWH,
    Y_LOAD,
    Y_LOT,
    Y_MINUTES,
    Y_PART,
    Y_POWER,
    Y_PROBE_DIM,
    Y_PROBE_PART,
    Y_PROGRAM,
    Y_SPEED,
    Y_SPINDLE_C,
    Y_STATE,
    Y_TOOL,
    Y_TORQUE,
    Y_VIB,
    Y_X,
    Y_Y,
    Y_Z,
)
from shopfloor.simulators.noise import drift, normal


def coolant(x: Row, f: Sequence[float], key: int, n: int) -> float:
    """Flow in l/min; the tank thins out, the filter clogs, and the operator sees to both in time."""
    x[CONCENTRATION] -= 9e-6
    x[CLOG] += 8e-7
    if n % SHIFT == 7200 and (x[CONCENTRATION] < 5.3 or x[CLOG] > 0.55):
        x[CONCENTRATION] = 7.8 + 0.25 * normal(key, n, C_FILL)
        x[CLOG] = 0.05
    if x[PHASE] != EXECUTE and x[PHASE] != STARTING:
        return 0.0
    return 24.0 * (1.0 - 0.45 * x[CLOG]) * (1.0 - 0.93 * f[F_COOLANT]) * (1.0 + 0.015 * drift(key, n, C_FILL, 20))


def readings(x: Row, u: Row, p: Sequence[float], y: Row, key: int, n: int, flow: float) -> None:
    """Loads, power and vibration of this second."""
    turning = 1.0 if x[PHASE] == EXECUTE or x[PHASE] == STARTING else 0.0
    cut = _engagement(x)
    w = x[WEAR] / WEAR_LIMIT
    force = x[FORCE] * cut * (1.0 + 0.30 * w + 0.05 * w * w * w) * (1.0 + 0.02 * drift(key, n, C_FORCE, 240))
    torque = force * 0.005 + 0.25 * turning + 0.5 * x[BEARING] * turning
    power = torque * x[RPM] * turning * 2.0 * math.pi / 60000.0 + 0.15
    y[Y_SPEED] = x[RPM] * turning
    y[Y_TORQUE] = torque
    y[Y_POWER] = power
    y[Y_LOAD] = power / 7.5 * 100.0
    y[Y_X] = 6.0 * turning + force * 0.030 * (1.0 + 0.12 * w)
    y[Y_Y] = 6.0 * turning + force * 0.026
    y[Y_Z] = 9.0 + force * 0.016 * (1.0 + 0.45 * w)
    y[Y_FEED] = u[FEED] * x[RPM] * (1.0 if cut > 0.0 else 0.0)
    y[Y_FLOW] = flow
    y[Y_VIB] = _vibration(x, p, key, n, turning, cut, w)


def _engagement(x: Row) -> float:
    """How deep the cutter stands in the material at this point of the program, 0 to about 1.15."""
    if x[PHASE] != EXECUTE:
        return 0.0
    at = int(6.0 * (1.0 - x[LEFT] / x[CUT_S]))
    return PATTERN[int(x[PROGRAM])][min(max(at, 0), 5)]


def _vibration(x: Row, p: Sequence[float], key: int, n: int, turning: float, cut: float, w: float) -> float:
    if turning == 0.0:
        return 0.05
    running = 0.35 + 3.2 * x[BEARING] * x[BEARING] * (1.0 + 0.15 * drift(key, n, C_VIB, 60))
    cutting = cut * (0.55 + 0.75 * w * w) * x[TOOL_VIB] * (1.0 + 0.08 * drift(key, n, C_VIB + 40, 90))
    return p[P_VIB] * (running + cutting + (5.0 * x[CHATTER] if cut > 0.0 else 0.0))


def heat(x: Row, p: Sequence[float], f: Sequence[float], n: int, power: float, flow: float) -> None:
    """First-order bodies: spindle 25 min, bearing 12 min, coolant tank 50 min."""
    day = 2.0 * math.pi * (n + LOCAL) / 86400.0
    room = 22.5 - 2.5 * math.cos(day) + 1.2 * drift(int(p[P_PLANT]), n, C_WEATHER, 14400)
    turning = 1.0 if x[PHASE] == EXECUTE or x[PHASE] == STARTING else 0.0
    cooling = 0.55 + 0.45 * flow / 24.0 if turning > 0.0 else 1.0
    x[SPINDLE_C] += (room + (6.0 * turning + 5.4 * power) / cooling - x[SPINDLE_C]) / 1500.0
    hot = 9.0 * turning + 60.0 * x[BEARING] * x[BEARING] * turning
    x[BEARING_C] += (0.4 * room + 0.6 * x[SPINDLE_C] + hot - x[BEARING_C]) / 720.0
    x[COOLANT_C] += (room + 1.5 + 1.6 * power + 14.0 * f[F_COOLANT] * turning - x[COOLANT_C]) / 3000.0
    x[BEARING] += turning * (1.2e-8 * (1.0 + 6.0 * x[BEARING]) + f[F_BEARING] * max(0.0, 0.95 - x[BEARING]) / 1500.0)
    x[KWH] += (1.7 + power / 0.86 + 0.9 * turning) / 3600.0


def office(x: Row, y: Row, n: int) -> None:
    """Counters, ids, alarms and the late results of the probe."""
    if x[PROBE_DUE] > 0.0 and n >= x[PROBE_DUE]:
        x[SHOWN_PART] = x[PROBE_PART]
        x[SHOWN_DIM] = x[PROBE_DIM]
        x[PROBE_DUE] = 0.0
    if x[ALARM] != ALARM_BREAKAGE:
        x[ALARM] = 0.0
        if x[PHASE] == EXECUTE and y[Y_FLOW] < 8.0:
            x[ALARM] = ALARM_COOLANT
        elif x[BEARING_C] > 75.0:
            x[ALARM] = ALARM_BEARING
    y[Y_SPINDLE_C], y[Y_BEARING_C], y[Y_COOLANT_C] = x[SPINDLE_C], x[BEARING_C], x[COOLANT_C]
    y[Y_CONCENTRATION], y[Y_KWH] = x[CONCENTRATION], x[KWH]
    y[Y_STATE], y[Y_PROGRAM], y[Y_LOT] = x[PHASE], x[PROGRAM], x[LOT]
    y[Y_COUNT], y[Y_PART], y[Y_CYCLE] = x[COUNT], x[PART], x[CYCLE]
    y[Y_TOOL], y[Y_MINUTES], y[Y_CHANGES] = x[TOOL], x[TOOL_SHOWN], x[TOOL_CHANGES]
    y[Y_PROBE_PART], y[Y_PROBE_DIM], y[Y_ALARM] = x[SHOWN_PART], x[SHOWN_DIM], x[ALARM]
