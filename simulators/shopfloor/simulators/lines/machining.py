"""Line 1: CNC machine tools that cut frames of phones, served over OPC UA.

What is hidden: the wear of the tool, how long this very tool lasts, the hardness of the material lot (it looks like
wear in the power), thermal growth, the bearing. What is seen: the tags below. Physics in `machining_cutting`
and `machining_tool`, the working day in `machining_work`, where everything stands in `machining_layout`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from shopfloor.simulators.line import Fact, Line, Row
from shopfloor.simulators.lines.machining_cutting import (
    SPEED_0,
    WEAR_LIMIT,
    cutting_force,
    lowest_stable_depth,
    stable_depth,
    tool_life,
)
from shopfloor.simulators.lines.machining_layout import (
    ALARMS,
    BEARING,
    BEARING_C,
    C_INIT,
    CLOG,
    CONCENTRATION,
    COOLANT_C,
    COUNT,
    CYCLE,
    EXECUTE,
    FAULTS,
    IDLE,
    KWH,
    LAST_DIMENSION,
    LAST_PART,
    LEFT,
    NEXT_SETUP,
    P_LIFE,
    PARAMS,
    PART,
    PHASE,
    PROGRAM,
    SETPOINTS,
    SHOWN_DIM,
    SHOWN_PART,
    SPEED,
    SPINDLE_C,
    STATES,
    TOOL,
    TOOL_CHANGES,
    TOOL_MINUTES,
    TOOL_SHOWN,
    WEAR,
    Y_POWER,
)
from shopfloor.simulators.lines.machining_readings import coolant, heat, office, readings
from shopfloor.simulators.lines.machining_tags import TAGS
from shopfloor.simulators.lines.machining_tool import fresh_tool, release, wear
from shopfloor.simulators.lines.machining_work import material, next_phase
from shopfloor.simulators.noise import uniform


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
    material(x, p, key, n)
    fresh_tool(x, key)
    x[WEAR] = WEAR_LIMIT * (0.07 + 0.6 * uniform(key, 12, C_INIT))
    x[TOOL_MINUTES] = x[TOOL_SHOWN] = math.floor(100.0 * x[WEAR] / WEAR_LIMIT * p[P_LIFE] * 0.8) / 100.0


def step(x: Row, u: Row, p: Sequence[float], f: Sequence[float], y: Row, key: int, n: int) -> None:
    """One second of one machine."""
    x[LEFT] -= 1.0
    if x[LEFT] <= 0.0:
        next_phase(x, u, p, f, key, n)
    flow = coolant(x, f, key, n)
    release(x, f)
    if x[PHASE] == EXECUTE:
        wear(x, f, key, n, flow)
    readings(x, u, p, y, key, n, flow)
    heat(x, p, f, n, y[Y_POWER], flow)
    office(x, y, n)


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
    alarms=ALARMS,
)
