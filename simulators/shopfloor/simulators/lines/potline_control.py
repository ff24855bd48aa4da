"""The controller of a pot and the people at it: demand feeding, the beam, tapping, anode changes, anode effects."""

from __future__ import annotations

import math
from collections.abc import Sequence

from shopfloor.simulators.line import Row
from shopfloor.simulators.lines.potline_cell import ALUMINA_PER_METAL, METAL_PER_KAH, critical_alumina
from shopfloor.simulators.lines.potline_layout import (
    ACD,
    ALUMINA,
    ANODE_AGE,
    ANODE_CHANGE,
    ANODE_EFFECT,
    BATH_C,
    BEAM,
    BLOCKED,
    BLOCKED_UNTIL,
    C_ANODE,
    C_BLOCK,
    C_BLOCK_HOW,
    C_BLOCK_S,
    C_EFFECT,
    C_LATE,
    C_QUENCH,
    C_TAP,
    DAY,
    EFFECT_UNTIL,
    EFFECTS,
    EXTRAPOLATED_V,
    F_BLOCK,
    FEED_CLOCK,
    LEFT,
    LINE_KA,
    METAL,
    MODE,
    NORMAL,
    OHM_PER_CM,
    OVER,
    OVERFEED,
    P_BLOCKS,
    P_CRITICAL,
    R_FAST,
    R_SLOPE,
    R_SLOW,
    SET_FEED,
    SET_V,
    SHOT_KG,
    SHOTS,
    SLOPE_LIMIT,
    SLUDGE,
    TAPPED,
    TAPPING,
    UNDER,
    UNDERFEED,
    WORK,
)
from shopfloor.simulators.noise import normal, uniform


def measure(x: Row, volts: float, amperes: float, key: int, n: int) -> None:
    """Pseudo-resistance in uOhm, its two filters, and the slope the controller looks at, in uOhm/h."""
    r = (volts - EXTRAPOLATED_V) / amperes * 1000.0
    if x[MODE] == ANODE_EFFECT:
        return
    x[R_FAST] += (r - x[R_FAST]) / 200.0
    if n % 60 == key % 60:
        x[R_SLOPE] = 0.91 * x[R_SLOPE] + 0.09 * (x[R_FAST] - x[R_SLOW]) * 60.0
        x[R_SLOW] = x[R_FAST]


def calendar(x: Row, key: int, n: int) -> None:
    """Tapping once a day and an anode change every 32 h, by people who come late."""
    x[ANODE_AGE] += 1.0
    x[WORK] *= 0.99985
    x[LEFT] -= 1.0
    if x[MODE] == ANODE_EFFECT:
        return
    tap_at = 20000 + int(50000.0 * uniform(key, 0, C_TAP)) + int(3600.0 * uniform(key, n // DAY, C_LATE))
    if n % DAY == tap_at and x[MODE] != ANODE_CHANGE:
        _mode(x, TAPPING, 1200.0)
        return
    if x[ANODE_AGE] >= 115200.0 and x[MODE] != TAPPING and n % 3600 == int(3600.0 * uniform(key, n // DAY, C_ANODE)):
        _mode(x, ANODE_CHANGE, 900.0)
        x[ANODE_AGE] = 0.0
        x[WORK] = 1.0
        x[BATH_C] -= 3.0
        x[SLUDGE] += 25.0
        return
    if x[MODE] == TAPPING:
        _tap(x, key, n)
    if x[LEFT] <= 0.0:
        _next_mode(x)


def _tap(x: Row, key: int, n: int) -> None:
    """Metal out; the beam follows the sinking metal, not perfectly."""
    if x[LEFT] != 1.0:
        return
    metal = math.floor(max(0.0, x[METAL] - 17000.0) + 60.0 * normal(key, n, C_TAP))
    x[TAPPED] = max(metal, 0.0)
    x[METAL] -= x[TAPPED]
    x[ACD] += 0.12 * normal(key, n + 1, C_TAP)


def _mode(x: Row, mode: int, seconds: float) -> None:
    x[MODE] = mode
    x[LEFT] = seconds


def _next_mode(x: Row) -> None:
    """Demand feeding: underfeed until the resistance climbs the lean side of its curve, then overfeed."""
    if x[MODE] == OVERFEED:
        _mode(x, UNDERFEED, 9000.0)
    elif x[MODE] == UNDERFEED:
        _mode(x, OVERFEED, 2100.0)
    else:
        _mode(x, NORMAL, 600.0) if x[MODE] != NORMAL else _mode(x, UNDERFEED, 9000.0)


def anode_effect(x: Row, p: Sequence[float], key: int, n: int) -> None:
    """An effect begins where alumina is short, and ends when it is quenched; a steep resistance ends an underfeed."""
    if x[MODE] == ANODE_EFFECT:
        if n >= x[EFFECT_UNTIL]:
            x[EFFECT_UNTIL] = 0.0
            x[BLOCKED_UNTIL] = 0.0
            x[R_SLOPE] = 0.0
            _mode(x, OVERFEED, 2100.0)
        return
    short = critical_alumina(p[P_CRITICAL]) - x[ALUMINA]
    if short > 0.0 and uniform(key, n, C_EFFECT) < 0.002 + 0.1 * short:
        x[EFFECTS] += 1.0
        x[EFFECT_UNTIL] = n + 110.0 + math.floor(200.0 * uniform(key, n, C_QUENCH))
        _mode(x, ANODE_EFFECT, 0.0)
    elif x[MODE] == UNDERFEED and x[LEFT] < 7800.0 and x[R_SLOPE] > SLOPE_LIMIT:
        _mode(x, OVERFEED, 2100.0)


def feed(x: Row, u: Row, p: Sequence[float], f: Sequence[float], key: int, n: int) -> float:
    """Alumina that falls into the bath this second, kg. The controller counts shots; a blocked feeder spills them."""
    factor = 1.0
    if x[MODE] == OVERFEED:
        factor = OVER
    elif x[MODE] == UNDERFEED:
        factor = UNDER
    elif x[MODE] == ANODE_EFFECT:
        factor = 3.2
    elif x[MODE] == ANODE_CHANGE:
        factor = 0.8
    demand = ALUMINA_PER_METAL * METAL_PER_KAH * LINE_KA * 0.94 / 3600.0
    x[FEED_CLOCK] += factor * u[SET_FEED] / 100.0 * demand
    _blocks(x, p, key, n)
    if x[FEED_CLOCK] < SHOT_KG:
        return 0.0
    x[FEED_CLOCK] -= SHOT_KG
    x[SHOTS] += 1.0
    lost = x[BLOCKED] if x[BLOCKED] > f[F_BLOCK] else f[F_BLOCK]
    if x[MODE] == ANODE_EFFECT:
        lost = 0.3 * lost
    return SHOT_KG * (1.0 - lost)


def _blocks(x: Row, p: Sequence[float], key: int, n: int) -> None:
    """Feeders block by themselves; somebody clears them, later or sooner."""
    if n % 300 == key % 300 and x[BLOCKED_UNTIL] <= n:
        x[BLOCKED] = 0.0
        if uniform(key, n, C_BLOCK) < p[P_BLOCKS] * 300.0 / DAY:
            x[BLOCKED_UNTIL] = n + 1200.0 + math.floor(7200.0 * uniform(key, n, C_BLOCK_S))
            x[BLOCKED] = 0.35 + 0.6 * uniform(key, n, C_BLOCK_HOW)
    if x[BLOCKED_UNTIL] == 0.0:
        x[BLOCKED] = 0.0


def regulate(x: Row, u: Row) -> None:
    """The controller moves the beam when the resistance leaves its band, never during work on the pot."""
    if x[MODE] == ANODE_EFFECT or x[MODE] == TAPPING or x[MODE] == ANODE_CHANGE:
        return
    want = (u[SET_V] - EXTRAPOLATED_V) / LINE_KA * 1000.0
    if x[MODE] == UNDERFEED:
        want += 0.05
    off = want - x[R_FAST]
    if off > 0.16 or off < -0.16:
        move = min(max(0.35 * off, -0.15), 0.15)
        x[ACD] += move
        x[BEAM] += 10.0 * move
        x[R_FAST] += OHM_PER_CM * move
        x[R_SLOW] += OHM_PER_CM * move
    x[BEAM] -= 0.035
    if x[BEAM] < 40.0:
        x[BEAM] += 260.0


def commanded(x: Row, u: Row) -> float:
    """Feed rate as the controller commands it, kg/h."""
    factor = 1.0
    if x[MODE] == OVERFEED:
        factor = OVER
    elif x[MODE] == UNDERFEED:
        factor = UNDER
    elif x[MODE] == ANODE_EFFECT:
        factor = 3.2
    elif x[MODE] == ANODE_CHANGE:
        factor = 0.8
    return factor * u[SET_FEED] / 100.0 * ALUMINA_PER_METAL * METAL_PER_KAH * LINE_KA * 0.94
