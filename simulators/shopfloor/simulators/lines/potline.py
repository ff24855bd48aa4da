"""Line 2: an aluminium potline of Hall-Heroult cells, served over MQTT JSON.

What is hidden: dissolved alumina, sludge, ledge, superheat, blocked feeders. What is seen: the tags below; bath
temperature, metal height and chemistry only by hand or from the laboratory, hours late.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from shopfloor.simulators.line import Fact, Line, Row
from shopfloor.simulators.lines.potline_cell import cell_voltage, energy_per_kg, liquidus
from shopfloor.simulators.lines.potline_control import anode_effect, calendar, feed, measure, regulate
from shopfloor.simulators.lines.potline_layout import (
    ACD,
    ALF3,
    ALF3_SEEN,
    ALUMINA,
    ANODE_AGE,
    ANODE_EFFECT,
    BATH_C,
    BATH_SEEN,
    BEAM,
    C_EFFECT,
    C_INIT,
    EFFICIENCY,
    EXTRAPOLATED_V,
    FAULTS,
    KWH,
    LEDGE,
    LEFT,
    LINE_KA,
    LIQUIDUS,
    METAL,
    METAL_SEEN,
    MODE,
    OVERFEED,
    P_BATH,
    P_CRITICAL,
    P_EFFICIENCY,
    P_EXTERNAL,
    P_NOISE,
    P_PLANT,
    PARAMS,
    R_FAST,
    R_SLOW,
    SET_V,
    SETPOINTS,
    SHOTS,
    SLUDGE,
    STATES,
    TAPPED,
    UNDERFEED,
    WAVES,
)
from shopfloor.simulators.lines.potline_physics import acd_for, alumina, disturbance, heat, line_current
from shopfloor.simulators.lines.potline_readings import by_hand, readings
from shopfloor.simulators.lines.potline_tags import TAGS
from shopfloor.simulators.noise import drift, uniform


def init(x: Row, u: Row, p: Sequence[float], key: int, n: int) -> None:  # noqa: ARG001
    """A pot in the middle of its life, somewhere in its feeding cycle."""
    x[MODE] = UNDERFEED if uniform(key, 1, C_INIT) < 0.5 else OVERFEED
    x[LEFT] = 600.0 + math.floor(1800.0 * uniform(key, 2, C_INIT))
    x[ALUMINA] = 2.5 + 0.6 * uniform(key, 3, C_INIT)
    x[SLUDGE] = 40.0 + 60.0 * uniform(key, 4, C_INIT)
    x[ALF3] = 11.5 + 1.6 * uniform(key, 5, C_INIT)
    x[LIQUIDUS] = liquidus(x[ALF3], x[ALUMINA])
    x[BATH_C] = x[LIQUIDUS] + 8.0
    x[LEDGE] = 9.0
    x[METAL] = 17000.0 + 2400.0 * uniform(key, 6, C_INIT)
    x[BEAM] = 120.0 + 180.0 * uniform(key, 7, C_INIT)
    x[ANODE_AGE] = math.floor(110000.0 * uniform(key, 8, C_INIT))
    x[SHOTS] = math.floor(40000.0 * uniform(key, 9, C_INIT))
    x[KWH] = math.floor(400000.0 * uniform(key, 10, C_INIT))
    x[EFFICIENCY] = p[P_EFFICIENCY]
    x[BATH_SEEN] = x[METAL_SEEN] = x[ALF3_SEEN] = x[TAPPED] = math.nan
    x[WAVES] = p[P_NOISE]
    u[SET_V] = 4.15 + 0.01 * math.floor(11.0 * uniform(key, 11, C_INIT))
    x[ACD] = acd_for(u[SET_V], x, p)
    x[R_FAST] = x[R_SLOW] = (u[SET_V] - EXTRAPOLATED_V) / LINE_KA * 1000.0


def step(x: Row, u: Row, p: Sequence[float], f: Sequence[float], y: Row, key: int, n: int) -> None:
    """One second of one pot."""
    amperes = line_current(int(p[P_PLANT]), n)
    volts = cell_voltage(amperes, x[ACD], x[ALUMINA], x[BATH_C], p[P_EXTERNAL], p[P_BATH], p[P_CRITICAL])
    volts += disturbance(x, p, f, key, n)
    if x[MODE] == ANODE_EFFECT:
        volts += 22.0 + 5.0 * drift(key, n, C_EFFECT, 12)
    measure(x, volts, amperes, key, n)
    calendar(x, key, n)
    anode_effect(x, p, key, n)
    fed = feed(x, u, p, f, key, n)
    alumina(x, p, fed, amperes)
    if n % 10 == key % 10:
        heat(x, u, p, f, volts, amperes, 10.0)
    if n % 240 == key % 240:
        regulate(x, u)
    by_hand(x, key, n)
    readings(x, u, f, y, key, n, volts, amperes)


def starvation_ratio() -> float:
    """Seconds from a stopped feed to the anode effect in the simulation, against the mass balance of the bath."""
    from shopfloor.simulators.lines.potline_facts import starvation_ratio as measured

    return measured()


FACTS: Final = (
    Fact("kWh/kg per volt at full current efficiency", lambda: energy_per_kg(1.0, 1.0), 2.980, 0.0005, "Faraday"),
    Fact("kWh/kg at 4.2 V and 94 %", lambda: energy_per_kg(4.2, 0.94), 13.31, 0.01, "Faraday; cells run at 13 to 15"),
    Fact("starved pot: time to the anode effect against the mass balance", starvation_ratio, 1.0, 0.25, "mass balance"),
)


LINE: Final = Line(
    id="potline",
    title="Potline",
    companion="",
    dt=1.0,
    tags=TAGS,
    setpoints=SETPOINTS,
    faults=FAULTS,
    params=PARAMS,
    states=STATES,
    truth=("alumina", "sludge", "bath_c", "liquidus", "ledge", "acd", "efficiency", "blocked", "effects", "metal_made"),
    step=step,
    init=init,
    facts=FACTS,
)
