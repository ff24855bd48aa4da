"""Line 1: CNC machine tools that cut frames of phones, served over OPC UA.

What is hidden: the wear of the tool, how long this very tool lasts, the hardness of the material lot (it looks like
wear in the power), thermal growth, the bearing. What is seen: the tags below. Physics in `machining_cutting`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from shopfloor.simulators.line import Fact, FaultSpec, Line, Param, Row, SetpointSpec
from shopfloor.simulators.lines.machining_cutting import (
    SPEED_0,
    WEAR_LIMIT,
    cutting_force,
    lowest_stable_depth,
    rpm_of,
    stable_depth,
    tool_life,
    wear_rate,
)
from shopfloor.simulators.lines.machining_tags import TAGS
from shopfloor.simulators.noise import drift, normal, uniform

STOPPED, IDLE, STARTING, EXECUTE, COMPLETE, HELD, ABORTED = range(7)
CUT_SECONDS: Final = (66.0, 84.0, 74.0)
DEPTH: Final = (2.2, 2.5, 2.8)
PATTERN: Final = (
    (0.80, 1.05, 1.15, 0.95, 1.10, 0.85),
    (0.90, 1.10, 0.95, 1.15, 1.05, 0.80),
    (1.05, 0.85, 1.10, 1.00, 0.85, 1.15),
)
ALARM_BREAKAGE: Final = 201
ALARM_COOLANT: Final = 305
ALARM_BEARING: Final = 410
TOLERANCE_UM: Final = 30.0
PROBE_DELAY: Final = 300
LOT_SECONDS: Final = 5 * 3600
SHIFT: Final = 8 * 3600
LOCAL: Final = 8 * 3600

STATES: Final = (
    "phase", "left", "cut_s", "begun", "ended", "part", "count", "program", "lot", "hardness",
    "tool", "tool_minutes", "tool_shown", "tool_changes", "wear", "tool_factor", "tool_limit", "tool_set", "tool_vib",
    "rpm", "force", "life", "chatter", "spindle_c", "bearing_c", "coolant_c", "concentration", "clog", "bearing",
    "kwh", "probe_part", "probe_dim", "probe_due", "shown_part", "shown_dim", "last_part", "last_dimension",
    "cycle", "alarm", "wants_tool", "next_setup", "worn_latch", "broken_latch",
)  # fmt: skip
(
    PHASE, LEFT, CUT_S, BEGUN, ENDED, PART, COUNT, PROGRAM, LOT, HARDNESS,
    TOOL, TOOL_MINUTES, TOOL_SHOWN, TOOL_CHANGES, WEAR, TOOL_FACTOR, TOOL_LIMIT, TOOL_SET, TOOL_VIB,
    RPM, FORCE, LIFE, CHATTER, SPINDLE_C, BEARING_C, COOLANT_C, CONCENTRATION, CLOG, BEARING,
    KWH, PROBE_PART, PROBE_DIM, PROBE_DUE, SHOWN_PART, SHOWN_DIM, LAST_PART, LAST_DIMENSION,
    CYCLE, ALARM, WANTS_TOOL, NEXT_SETUP, WORN_LATCH, BROKEN_LATCH,
) = range(len(STATES))  # fmt: skip

PARAMS: Final = (
    Param("plant_key", 0.0, "-", "key of what all machines share"),
    Param("taylor_n", 0.25, "-", "carbide 0.2 to 0.3"),
    Param("life", 104.0, "min", "nominal minutes to VB 0.3 mm at 200 m/min and 0.18 mm/rev", spread=0.10),
    Param("stiffness", 1.0, "-", "power and force of this machine against nominal", spread=0.06),
    Param("vibration", 1.0, "-", "level of this machine's vibration", spread=0.16),
    Param("bias", 1.0, "-", "how far this fixture sets the part, against 12 um", spread=0.30),
    Param("growth", 1.35, "um/K", "thermal growth of the column per kelvin of the spindle", spread=0.15),
    Param("damping", 0.042, "-", "damping of the tool point", spread=0.05),
)
P_PLANT, P_TAYLOR, P_LIFE, P_STIFF, P_VIB, P_BIAS, P_GROWTH, P_DAMPING = range(len(PARAMS))

SETPOINTS: Final = (
    SetpointSpec("setpoint.speed", "m/min", SPEED_0, 140.0, 240.0),
    SetpointSpec("setpoint.feed", "mm/rev", 0.18, 0.10, 0.28),
    SetpointSpec("setpoint.offset", "um", 0.0, -40.0, 40.0),
    SetpointSpec("setpoint.tool_limit", "min", 200.0, 20.0, 300.0),
)
SPEED, FEED, OFFSET, TOOL_LIMIT_SET = range(len(SETPOINTS))

FAULTS: Final = (
    FaultSpec("worn_tool", "The tool in the spindle wears up to eight times as fast.", ("spindle.power",)),
    FaultSpec("breakage", "The tool breaks in the next cut.", ("alarm.code", "state")),
    FaultSpec("chatter", "A loose holder takes the damping away: the cut chatters.", ("vibration.rms",)),
    FaultSpec("coolant_loss", "The coolant runs dry.", ("coolant.flow", "coolant.temperature")),
    FaultSpec("bearing", "The spindle bearing is damaged and gets worse.", ("vibration.rms", "bearing.temperature")),
)
F_WORN, F_BREAK, F_CHATTER, F_COOLANT, F_BEARING = range(len(FAULTS))

(
    Y_SPEED, Y_LOAD, Y_POWER, Y_X, Y_Y, Y_Z, Y_VIB, Y_FEED, Y_FLOW, Y_TORQUE,
    Y_SPINDLE_C, Y_BEARING_C, Y_COOLANT_C, Y_CONCENTRATION, Y_KWH,
    Y_STATE, Y_PROGRAM, Y_LOT, Y_COUNT, Y_PART, Y_CYCLE, Y_TOOL, Y_MINUTES, Y_CHANGES, Y_PROBE_PART, Y_PROBE_DIM,
    Y_ALARM,
) = range(27)  # fmt: skip

(
    C_INIT, C_LOAD, C_WAIT, C_WAIT_S, C_TOOL_LIFE, C_TOOL_LIMIT, C_TOOL_SET, C_TOOL_VIB, C_NOTICE, C_CHANGE, C_BREAK,
    C_REPAIR, C_SETUP, C_REPEAT, C_PROBE, C_LOT, C_BAD_LOT, C_WEAR, C_WEATHER, C_FORCE, C_SHIFT, C_VIB, C_CHATTER,
    C_FILL,
) = range(1, 25)  # fmt: skip


def init(x: Row, u: Row, p: Sequence[float], key: int, n: int) -> None:
    """A machine in the middle of its life: some tool in the spindle, some coolant in the tank."""
    x[PHASE] = IDLE
    x[LEFT] = 1.0 + math.floor(60.0 * uniform(key, 1, C_INIT))
    x[PART] = x[COUNT] = 1000.0 + math.floor(8000.0 * uniform(key, 2, C_INIT))
    x[PROGRAM] = math.floor(3.0 * uniform(key, 3, C_INIT))
    x[TOOL] = 100.0 + math.floor(800.0 * uniform(key, 4, C_INIT))
    x[TOOL_CHANGES] = 20.0 + math.floor(60.0 * uniform(key, 5, C_INIT))
    x[NEXT_SETUP] = n + math.floor(25000.0 * uniform(key, 6, C_INIT))
    x[SPINDLE_C] = x[BEARING_C] = 30.0
    x[COOLANT_C] = 24.0
    x[CONCENTRATION] = 5.6 + 2.4 * uniform(key, 7, C_INIT)
    x[CLOG] = 0.5 * uniform(key, 8, C_INIT)
    x[BEARING] = 0.04 + 0.14 * uniform(key, 9, C_INIT)
    x[KWH] = 1000.0 + math.floor(9000.0 * uniform(key, 10, C_INIT))
    x[SHOWN_PART] = x[SHOWN_DIM] = x[LAST_PART] = x[LAST_DIMENSION] = x[CYCLE] = math.nan
    u[SPEED] = SPEED_0 + 5.0 * math.floor(5.0 * uniform(key, 11, C_INIT) - 2.0)
    _material(x, p, key, n)
    _fresh_tool(x, key)
    x[WEAR] = WEAR_LIMIT * (0.07 + 0.6 * uniform(key, 12, C_INIT))
    x[TOOL_MINUTES] = x[TOOL_SHOWN] = math.floor(100.0 * x[WEAR] / WEAR_LIMIT * p[P_LIFE] * 0.8) / 100.0


def step(x: Row, u: Row, p: Sequence[float], f: Sequence[float], y: Row, key: int, n: int) -> None:
    """One second of one machine."""
    x[LEFT] -= 1.0
    if x[LEFT] <= 0.0:
        _next_phase(x, u, p, f, key, n)
    flow = _coolant(x, f, key, n)
    if x[PHASE] == EXECUTE:
        wear(x, f, key, n, flow)
    _readings(x, u, p, y, key, n, flow)
    _heat(x, p, f, n, y[Y_POWER], flow)
    _office(x, y, n)


def _next_phase(x: Row, u: Row, p: Sequence[float], f: Sequence[float], key: int, n: int) -> None:
    phase = x[PHASE]
    if phase == IDLE:
        begin_part(x, u, p, f, key, n)
    elif phase == STARTING:
        x[PHASE] = EXECUTE
        x[LEFT] = x[CUT_S]
    elif phase == EXECUTE:
        _finish_part(x, u, p, key, n)
    elif phase == COMPLETE:
        _decide(x, key, n)
    elif phase == ABORTED:
        _to(x, HELD, 150.0 + math.floor(120.0 * uniform(key, n, C_CHANGE)))
        x[WANTS_TOOL] = 1.0
    else:
        _after_stop(x, key, n)


def _to(x: Row, phase: int, seconds: float) -> None:
    x[PHASE] = phase
    x[LEFT] = seconds


def _decide(x: Row, key: int, n: int) -> None:
    """What the operator does after a part: change the tool, set up another program, have a break, load the next."""
    pause = _pause(key, n)
    if x[WANTS_TOOL] > 0.0:
        _to(x, HELD, 120.0 + math.floor(110.0 * uniform(key, n, C_CHANGE)))
    elif n >= x[NEXT_SETUP]:
        _to(x, STOPPED, 420.0 + math.floor(600.0 * uniform(key, n, C_SETUP)))
        x[NEXT_SETUP] = n + 18000.0 + math.floor(14000.0 * uniform(key, n + 1, C_SETUP))
        x[PROGRAM] = math.floor(3.0 * uniform(key, n + 2, C_SETUP))
    elif pause > 0:
        _to(x, IDLE, pause)
    elif uniform(key, n, C_WAIT) < 0.02:
        _to(x, IDLE, 60.0 + math.floor(300.0 * uniform(key, n, C_WAIT_S)))
    else:
        _to(x, IDLE, 7.0 + math.floor(9.0 * uniform(key, n, C_LOAD)))


def _after_stop(x: Row, key: int, n: int) -> None:
    if x[WANTS_TOOL] > 0.0:
        _fresh_tool(x, key)
        x[WANTS_TOOL] = 0.0
        x[ALARM] = 0.0
    _to(x, IDLE, 6.0 + math.floor(6.0 * uniform(key, n, C_LOAD)))


def _pause(key: int, n: int) -> int:
    """Seconds left of a break or a change of shift, staggered over the machines; 0 while at work."""
    local = (n + LOCAL) % SHIFT
    shift = (n + LOCAL) // SHIFT
    change = int(1500.0 * uniform(key, 0, C_SHIFT))
    meal = 10000 + int(7000.0 * uniform(key, shift, C_SHIFT))
    if change <= local < change + 480:
        return change + 480 - local
    if meal <= local < meal + 1200:
        return meal + 1200 - local
    return 0


def _material(x: Row, p: Sequence[float], key: int, n: int) -> None:
    """Lots are shared by all machines, and each machine turns to the next one at its own hour."""
    plant = int(p[P_PLANT])
    lot = (n + int(LOT_SECONDS * uniform(key, 0, C_LOT))) // LOT_SECONDS
    x[LOT] = lot % 1000000
    hardness = 1.0 + 0.045 * normal(plant, lot, C_LOT)
    if uniform(plant, lot, C_BAD_LOT) < 0.08:
        hardness += 0.14
    x[HARDNESS] = min(max(hardness, 0.85), 1.3)


def _fresh_tool(x: Row, key: int) -> None:
    x[TOOL] += 1.0
    tool = int(x[TOOL])
    x[TOOL_CHANGES] += 1.0
    x[TOOL_MINUTES] = x[TOOL_SHOWN] = 0.0
    x[WEAR] = WEAR_LIMIT * 0.03
    x[TOOL_FACTOR] = math.exp(0.17 * normal(key, tool, C_TOOL_LIFE))
    x[TOOL_LIMIT] = WEAR_LIMIT * math.exp(0.07 * normal(key, tool, C_TOOL_LIMIT))
    x[TOOL_SET] = 4.0 * normal(key, tool, C_TOOL_SET)
    x[TOOL_VIB] = math.exp(0.10 * normal(key, tool, C_TOOL_VIB))


def begin_part(x: Row, u: Row, p: Sequence[float], f: Sequence[float], key: int, n: int) -> None:
    """Setpoints, program and lot take effect with the part."""
    _material(x, p, key, n)
    program = int(x[PROGRAM])
    x[PART] += 1.0
    x[BEGUN] = n
    x[RPM] = rpm_of(u[SPEED])
    x[CUT_S] = math.floor(CUT_SECONDS[program] * (SPEED_0 * 0.18) / (u[SPEED] * u[FEED]) + 0.5)
    x[FORCE] = cutting_force(DEPTH[program], u[FEED], x[HARDNESS]) * p[P_STIFF]
    x[LIFE] = tool_life(u[SPEED], u[FEED], x[HARDNESS], p[P_TAYLOR], p[P_LIFE]) * x[TOOL_FACTOR]
    limit = stable_depth(x[RPM], p[P_DAMPING] * (1.0 - 0.72 * f[F_CHATTER]))
    x[CHATTER] = min(max(DEPTH[program] / limit - 1.0, 0.0), 2.0)
    _to(x, STARTING, 3.0)


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
    else:
        x[WORN_LATCH] = 0.0
    w = x[WEAR] / WEAR_LIMIT
    x[WEAR] += WEAR_LIMIT * wear_rate(w) * rate / (x[LIFE] * 60.0)
    x[TOOL_MINUTES] += 1.0 / 60.0
    _break(x, f, key, n, w)


def _break(x: Row, f: Sequence[float], key: int, n: int, w: float) -> None:
    hazard = w * w
    hazard = hazard * hazard * hazard * hazard
    if f[F_BREAK] == 0.0:
        x[BROKEN_LATCH] = 0.0
    forced = f[F_BREAK] > 0.0 and x[BROKEN_LATCH] == 0.0
    if forced or uniform(key, n, C_BREAK) < 1.2e-6 + 3.5e-5 * hazard:
        x[BROKEN_LATCH] = 1.0
        x[ALARM] = ALARM_BREAKAGE
        _to(x, ABORTED, 240.0 + math.floor(500.0 * uniform(key, n, C_REPAIR)))


def _finish_part(x: Row, u: Row, p: Sequence[float], key: int, n: int) -> None:
    """The part is done: its dimension, and whether the operator notices that the tool is spent."""
    part = int(x[PART])
    x[COUNT] += 1.0
    x[CYCLE] = n - x[ENDED] if n - x[ENDED] < 600.0 else n - x[BEGUN]
    x[ENDED] = n
    x[TOOL_SHOWN] = x[TOOL_MINUTES]
    x[LAST_PART] = part
    x[LAST_DIMENSION] = _dimension(x, u, p, key, part)
    if part % 10 == 3:
        x[PROBE_PART] = part
        x[PROBE_DIM] = x[LAST_DIMENSION] + 0.8 * normal(key, part, C_PROBE)
        x[PROBE_DUE] = n + PROBE_DELAY
    spent = x[WEAR] > x[TOOL_LIMIT] and uniform(key, n, C_NOTICE) < 0.5
    if spent or x[TOOL_MINUTES] >= u[TOOL_LIMIT_SET]:
        x[WANTS_TOOL] = 1.0
    _to(x, COMPLETE, 3.0)


def _dimension(x: Row, u: Row, p: Sequence[float], key: int, part: int) -> float:
    """Deviation from nominal in um: wear, thermal growth, deflection, tool setting, chatter, repeatability."""
    w = x[WEAR] / WEAR_LIMIT
    grown = p[P_GROWTH] * (x[SPINDLE_C] - 36.0) - 0.8 * (x[COOLANT_C] - 26.0)
    bent = 45.0 * (x[HARDNESS] - 1.0) * (0.7 + 0.6 * w)
    scatter = (2.6 + 9.0 * x[CHATTER] + 14.0 * max(0.0, x[BEARING] - 0.3)) * normal(key, part, C_REPEAT)
    return u[OFFSET] - 12.0 * p[P_BIAS] + x[TOOL_SET] + w * (16.0 + 18.0 * w) + grown + bent + scatter


def _coolant(x: Row, f: Sequence[float], key: int, n: int) -> float:
    """Flow in l/min; the tank thins out, the filter clogs, and the operator sees to both in time."""
    x[CONCENTRATION] -= 9e-6
    x[CLOG] += 8e-7
    if n % SHIFT == 7200 and (x[CONCENTRATION] < 5.3 or x[CLOG] > 0.55):
        x[CONCENTRATION] = 7.8 + 0.25 * normal(key, n, C_FILL)
        x[CLOG] = 0.05
    if x[PHASE] != EXECUTE and x[PHASE] != STARTING:
        return 0.0
    return 24.0 * (1.0 - 0.45 * x[CLOG]) * (1.0 - 0.93 * f[F_COOLANT]) * (1.0 + 0.015 * drift(key, n, C_FILL, 20))


def _readings(x: Row, u: Row, p: Sequence[float], y: Row, key: int, n: int, flow: float) -> None:
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


def _heat(x: Row, p: Sequence[float], f: Sequence[float], n: int, power: float, flow: float) -> None:
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


def _office(x: Row, y: Row, n: int) -> None:
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


def taylor_exponent() -> float:
    """Slope of log speed against log life of simulated tools: -n of Taylor's law, by regression."""
    from shopfloor.simulators.lines.machining_facts import simulated_taylor_exponent

    return simulated_taylor_exponent()


FACTS: Final = (
    Fact("Taylor exponent of simulated lives", taylor_exponent, 0.25, 0.01, "carbide tools: n about 0.2 to 0.3"),
    Fact(
        "+20 % speed leaves this share of a carbide tool's life",
        lambda: tool_life(240.0, 0.18, 1.0, 0.25, 100.0) / tool_life(200.0, 0.18, 1.0, 0.25, 100.0),
        0.482,
        0.001,
        "1.2 ** (-1 / 0.25)",
    ),
    Fact(
        "twice the chip thickness takes this much more force",
        lambda: cutting_force(2.0, 0.2, 1.0) / cutting_force(2.0, 0.1, 1.0),
        2.0**0.75,
        1e-9,
        "Kienzle 1952, mc = 0.25",
    ),
    Fact(
        "lowest chatter limit over all speeds, against 2 Ks zeta (1 + zeta)",
        lambda: min(stable_depth(4000.0 + 5.0 * i, 0.04) for i in range(800)) / lowest_stable_depth(0.04),
        1.0,
        0.01,
        "Tlusty; Altintas, Manufacturing Automation, ch. 4",
    ),
)

LINE: Final = Line(
    id="machining",
    title="CNC cell",
    companion="MachineTool",
    dt=1.0,
    tags=TAGS,
    setpoints=SETPOINTS,
    faults=FAULTS,
    params=PARAMS,
    states=STATES,
    truth=(
        "wear",
        "tool",
        "tool_minutes",
        "tool_limit",
        "hardness",
        "chatter",
        "bearing",
        "last_part",
        "last_dimension",
    ),
    step=step,
    init=init,
    facts=FACTS,
)
