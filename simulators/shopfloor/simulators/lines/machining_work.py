"""The working day of a machine: loading, cutting, tool changes, set-ups and breaks, one part after the other."""

from __future__ import annotations

import math
from collections.abc import Sequence

from shopfloor.simulators.line import Row
from shopfloor.simulators.lines.machining_cutting import SPEED_0, cutting_force, rpm_of, stable_depth, tool_life
from shopfloor.simulators.lines.machining_layout import (
    ABORTED,
    ALARM,
    BEGUN,
    C_BAD_LOT,
    C_CHANGE,
    C_LOAD,
    C_LOT,
    C_NOTICE,
    C_PROBE,
    C_SETUP,
    C_SHIFT,
    C_WAIT,
    C_WAIT_S,
    CHATTER,
    COMPLETE,
    COUNT,
    CUT_S,
    CUT_SECONDS,
    CYCLE,
    DEPTH,
    ENDED,
    EXECUTE,
    F_CHATTER,
    FEED,
    FORCE,
    HARDNESS,
    HELD,
    IDLE,
    LAST_DIMENSION,
    LAST_PART,
    LEFT,
    LIFE,
    LOCAL,
    LOT,
    LOT_SECONDS,
    NEXT_SETUP,
    P_DAMPING,
    P_LIFE,
    P_PLANT,
    P_STIFF,
    P_TAYLOR,
    PART,
    PHASE,
    PROBE_DELAY,
    PROBE_DIM,
    PROBE_DUE,
    PROBE_PART,
    PROGRAM,
    RPM,
    SHIFT,
    SPEED,
    STARTING,
    STOPPED,
    TOOL_FACTOR,
    TOOL_LIMIT,
    TOOL_LIMIT_SET,
    TOOL_MINUTES,
    TOOL_SHOWN,
    WANTS_TOOL,
    WEAR,
    enter,
)
from shopfloor.simulators.lines.machining_tool import dimension, fresh_tool
from shopfloor.simulators.noise import normal, uniform


def next_phase(x: Row, u: Row, p: Sequence[float], f: Sequence[float], key: int, n: int) -> None:
    """What follows when the time of a phase is over."""
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
        enter(x, HELD, 150.0 + math.floor(120.0 * uniform(key, n, C_CHANGE)))
        x[WANTS_TOOL] = 1.0
    else:
        _after_stop(x, key, n)


def _decide(x: Row, key: int, n: int) -> None:
    """What the operator does after a part: change the tool, set up another program, have a break, load the next."""
    rest = pause(key, n)
    if x[WANTS_TOOL] > 0.0:
        enter(x, HELD, 120.0 + math.floor(110.0 * uniform(key, n, C_CHANGE)))
    elif n >= x[NEXT_SETUP]:
        enter(x, STOPPED, 420.0 + math.floor(600.0 * uniform(key, n, C_SETUP)))
        x[NEXT_SETUP] = n + 18000.0 + math.floor(14000.0 * uniform(key, n + 1, C_SETUP))
        x[PROGRAM] = math.floor(3.0 * uniform(key, n + 2, C_SETUP))
    elif rest > 0:
        enter(x, IDLE, rest)
    elif uniform(key, n, C_WAIT) < 0.02:
        enter(x, IDLE, 60.0 + math.floor(300.0 * uniform(key, n, C_WAIT_S)))
    else:
        enter(x, IDLE, 7.0 + math.floor(9.0 * uniform(key, n, C_LOAD)))


def _after_stop(x: Row, key: int, n: int) -> None:
    if x[WANTS_TOOL] > 0.0:
        fresh_tool(x, key)
        x[WANTS_TOOL] = 0.0
        x[ALARM] = 0.0
    enter(x, IDLE, 6.0 + math.floor(6.0 * uniform(key, n, C_LOAD)))


def pause(key: int, n: int) -> int:
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


def material(x: Row, p: Sequence[float], key: int, n: int) -> None:
    """Lots are shared by all machines, and each machine turns to the next one at its own hour."""
    plant = int(p[P_PLANT])
    lot = (n + int(LOT_SECONDS * uniform(key, 0, C_LOT))) // LOT_SECONDS
    x[LOT] = lot % 1000000
    hardness = 1.0 + 0.045 * normal(plant, lot, C_LOT)
    if uniform(plant, lot, C_BAD_LOT) < 0.08:
        hardness += 0.14
    x[HARDNESS] = min(max(hardness, 0.85), 1.3)


def begin_part(x: Row, u: Row, p: Sequence[float], f: Sequence[float], key: int, n: int) -> None:
    """Setpoints, program and lot take effect with the part."""
    material(x, p, key, n)
    program = int(x[PROGRAM])
    x[PART] += 1.0
    x[BEGUN] = n
    x[RPM] = rpm_of(u[SPEED])
    x[CUT_S] = math.floor(CUT_SECONDS[program] * (SPEED_0 * 0.18) / (u[SPEED] * u[FEED]) + 0.5)
    x[FORCE] = cutting_force(DEPTH[program], u[FEED], x[HARDNESS]) * p[P_STIFF]
    x[LIFE] = tool_life(u[SPEED], u[FEED], x[HARDNESS], p[P_TAYLOR], p[P_LIFE]) * x[TOOL_FACTOR]
    limit = stable_depth(x[RPM], p[P_DAMPING] * (1.0 - 0.72 * f[F_CHATTER]))
    x[CHATTER] = min(max(DEPTH[program] / limit - 1.0, 0.0), 2.0)
    enter(x, STARTING, 3.0)


def _finish_part(x: Row, u: Row, p: Sequence[float], key: int, n: int) -> None:
    """The part is done: its dimension, and whether the operator notices that the tool is spent."""
    part = int(x[PART])
    x[COUNT] += 1.0
    x[CYCLE] = n - x[ENDED] if n - x[ENDED] < 600.0 else n - x[BEGUN]
    x[ENDED] = n
    x[TOOL_SHOWN] = x[TOOL_MINUTES]
    x[LAST_PART] = part
    x[LAST_DIMENSION] = dimension(x, u, p, key, part)
    if part % 10 == 3:
        x[PROBE_PART] = part
        x[PROBE_DIM] = x[LAST_DIMENSION] + 0.8 * normal(key, part, C_PROBE)
        x[PROBE_DUE] = n + PROBE_DELAY
    spent = x[WEAR] > x[TOOL_LIMIT] and uniform(key, n, C_NOTICE) < 0.5
    if spent or x[TOOL_MINUTES] >= u[TOOL_LIMIT_SET]:
        x[WANTS_TOOL] = 1.0
    enter(x, COMPLETE, 3.0)
