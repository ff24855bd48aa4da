"""Line 2: an aluminium potline of Hall-Heroult cells, served over MQTT JSON.

What is hidden: dissolved alumina, sludge, ledge, superheat, blocked feeders. What is seen: the tags below; bath
temperature, metal height and chemistry only by hand or from the laboratory, hours late.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from shopfloor.simulators.line import Fact, FaultSpec, Line, Param, Row, SetpointSpec
from shopfloor.simulators.lines.potline_cell import (
    ALUMINA_PER_METAL,
    BATH_KG,
    METAL_PER_KAH,
    cell_voltage,
    critical_alumina,
    energy_per_kg,
    liquidus,
)
from shopfloor.simulators.lines.potline_tags import TAGS
from shopfloor.simulators.noise import drift, normal, uniform

NORMAL, OVERFEED, UNDERFEED, TAPPING, ANODE_CHANGE, ANODE_EFFECT = range(6)
LINE_KA: Final = 300.0
SHOT_KG: Final = 1.8
EXTRAPOLATED_V: Final = 1.65
"""Voltage at zero current by which a pot controller turns voltage into pseudo-resistance."""
OVER: Final = 1.30
UNDER: Final = 0.70
SLOPE_LIMIT: Final = 0.15
"""Rise of the pseudo-resistance, uOhm/h, that ends an underfeed."""

OHM_PER_CM: Final = 1.25
"""What the controller expects of a centimetre of beam, uOhm."""

STATES: Final = (
    "mode", "left", "alumina", "sludge", "bath_c", "ledge", "acd", "alf3", "metal_kg", "beam", "anode_age",
    "feed_clock", "shots", "blocked_until", "blocked", "spike", "work_until", "work", "effect_until", "effects",
    "r_fast", "r_slow", "r_slope", "kwh", "bath_seen", "metal_seen", "alf3_seen", "alf3_sample", "alf3_due", "tapped",
    "liquidus", "efficiency", "metal_made", "quench", "waves", "late", "bias_v",
)  # fmt: skip
(
    MODE, LEFT, ALUMINA, SLUDGE, BATH_C, LEDGE, ACD, ALF3, METAL, BEAM, ANODE_AGE,
    FEED_CLOCK, SHOTS, BLOCKED_UNTIL, BLOCKED, SPIKE, WORK_UNTIL, WORK, EFFECT_UNTIL, EFFECTS,
    R_FAST, R_SLOW, R_SLOPE, KWH, BATH_SEEN, METAL_SEEN, ALF3_SEEN, ALF3_SAMPLE, ALF3_DUE, TAPPED,
    LIQUIDUS, EFFICIENCY, MADE, QUENCH, WAVES, LATE, BIAS_V,
) = range(len(STATES))  # fmt: skip

PARAMS: Final = (
    Param("plant_key", 0.0, "-", "key of what all pots share: the line current"),
    Param("external", 2.35, "uOhm", "cathode, anodes and bus bars", spread=0.05),
    Param("resistivity", 1.0, "-", "bath of this pot against nominal", spread=0.02),
    Param("efficiency", 0.945, "-", "current efficiency at 8 K superheat", spread=0.006),
    Param("top_loss", 372.0, "kW", "heat that leaves through the crust and the anodes", spread=0.03),
    Param("side", 29.0, "kW/K", "from bath to ledge per kelvin of superheat", spread=0.06),
    Param("critical", 1.0, "-", "alumina at which this pot goes on anode effect, against nominal", spread=0.05),
    Param("noise", 9.0, "mV", "voltage noise of a quiet pot", spread=0.20),
    Param("blocks", 0.26, "1/d", "blocked feeders per day", spread=0.45),
    Param("dissolve", 1.0, "-", "how well this pot dissolves its feed", spread=0.025),
)
P_PLANT, P_EXTERNAL, P_BATH, P_EFFICIENCY, P_TOP, P_SIDE, P_CRITICAL, P_NOISE, P_BLOCKS, P_DISSOLVE = range(len(PARAMS))

SETPOINTS: Final = (
    SetpointSpec("setpoint.voltage", "V", 4.20, 3.95, 4.50),
    SetpointSpec("setpoint.feed", "%", 100.0, 60.0, 140.0),
    SetpointSpec("setpoint.alf3", "kg/d", 38.0, 0.0, 100.0),
)
SET_V, SET_FEED, SET_ALF3 = range(len(SETPOINTS))

FAULTS: Final = (
    FaultSpec("feeder_block", "The point feeders are blocked: shots are counted and little arrives.", ("resistance",)),
    FaultSpec("anode_spike", "A spike under an anode touches the metal: noise, and less metal.", ("noise",)),
    FaultSpec("crust_open", "The crust is broken open: the pot loses heat.", ("duct.temperature",)),
)
F_BLOCK, F_SPIKE, F_CRUST = range(len(FAULTS))

(
    Y_V, Y_KA, Y_R, Y_NOISE, Y_DUCT, Y_FEED, Y_BEAM, Y_BATH, Y_KWH, Y_STATE, Y_EFFECT, Y_SHOTS, Y_BATH_C, Y_METAL,
    Y_ALF3, Y_TAPPED,
) = range(16)  # fmt: skip

(
    C_INIT, C_CURRENT, C_RIPPLE, C_BLOCK, C_BLOCK_S, C_BLOCK_HOW, C_EFFECT, C_QUENCH, C_WAVES, C_BATH, C_METAL, C_LAB,
    C_TAP, C_ANODE, C_R, C_LATE, C_DUCT, C_BLOCK_LEVEL,
) = range(1, 19)  # fmt: skip

DAY: Final = 86400


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
    x[ACD] = _acd_for(u[SET_V], x, p)
    x[R_FAST] = x[R_SLOW] = (u[SET_V] - EXTRAPOLATED_V) / LINE_KA * 1000.0


def _acd_for(volts: float, x: Row, p: Sequence[float]) -> float:
    low, high = 2.0, 9.0
    for _ in range(40):
        mid = 0.5 * (low + high)
        if cell_voltage(LINE_KA, mid, x[ALUMINA], x[BATH_C], p[P_EXTERNAL], p[P_BATH], p[P_CRITICAL]) < volts:
            low = mid
        else:
            high = mid
    return low


def step(x: Row, u: Row, p: Sequence[float], f: Sequence[float], y: Row, key: int, n: int) -> None:
    """One second of one pot."""
    amperes = _current(int(p[P_PLANT]), n)
    volts = cell_voltage(amperes, x[ACD], x[ALUMINA], x[BATH_C], p[P_EXTERNAL], p[P_BATH], p[P_CRITICAL])
    volts += _disturbance(x, p, f, key, n)
    if x[MODE] == ANODE_EFFECT:
        volts += 22.0 + 5.0 * drift(key, n, C_EFFECT, 12)
    _measure(x, volts, amperes, key, n)
    _calendar(x, key, n)
    _anode_effect(x, p, key, n)
    fed = _feed(x, u, p, f, key, n)
    _alumina(x, p, fed, amperes)
    if n % 10 == key % 10:
        _heat(x, u, p, f, volts, amperes, 10.0)
    if n % 240 == key % 240:
        _regulate(x, u)
    _by_hand(x, key, n)
    _readings(x, u, f, y, key, n, volts, amperes)


def _current(plant: int, n: int) -> float:
    """The current of the whole line: slow drift, load cuts by the grid, ripple of the rectifiers. kA."""
    slow = 1.4 * drift(plant, n, C_CURRENT, 3600) + 0.25 * drift(plant, n, C_RIPPLE, 9)
    window = n // 21600
    inside = n - window * 21600
    if uniform(plant, window, C_CURRENT) < 0.12 and 3000 <= inside < 5400:
        slow -= 9.0
    return LINE_KA + slow


def _disturbance(x: Row, p: Sequence[float], f: Sequence[float], key: int, n: int) -> float:
    """Waves of the metal, work on the pot, spikes: volts."""
    squeezed = max(0.0, 4.1 - x[ACD]) * 9.0
    muddy = max(0.0, x[SLUDGE] - 160.0) * 0.03
    starved = max(0.0, 2.15 - x[ALUMINA]) * 9.0
    level = p[P_NOISE] + squeezed + muddy + starved + 14.0 * x[WORK] + 45.0 * f[F_SPIKE]
    x[WAVES] += (level * (1.0 + 0.22 * drift(key, n, C_WAVES, 900)) - x[WAVES]) / 60.0
    return 0.001 * x[WAVES] * drift(key, n, C_WAVES + 40, 20)


def _measure(x: Row, volts: float, amperes: float, key: int, n: int) -> None:
    """Pseudo-resistance in uOhm, its two filters, and the slope the controller looks at, in uOhm/h."""
    r = (volts - EXTRAPOLATED_V) / amperes * 1000.0
    if x[MODE] == ANODE_EFFECT:
        return
    x[R_FAST] += (r - x[R_FAST]) / 200.0
    if n % 60 == key % 60:
        x[R_SLOPE] = 0.91 * x[R_SLOPE] + 0.09 * (x[R_FAST] - x[R_SLOW]) * 60.0
        x[R_SLOW] = x[R_FAST]


def _calendar(x: Row, key: int, n: int) -> None:
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


def _anode_effect(x: Row, p: Sequence[float], key: int, n: int) -> None:
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


def _feed(x: Row, u: Row, p: Sequence[float], f: Sequence[float], key: int, n: int) -> float:
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


def _alumina(x: Row, p: Sequence[float], fed: float, amperes: float) -> None:
    """Mass balance of the bath: fed, dissolved from sludge, consumed by Faraday's law."""
    superheat = min(max(x[BATH_C] - x[LIQUIDUS], 0.0), 20.0)
    ease = p[P_DISSOLVE] * (0.90 + 0.008 * superheat) * (1.0 - 0.05 * max(0.0, x[ALUMINA] - 2.5))
    ease = min(max(ease, 0.6), 1.0)
    back = x[SLUDGE] * 1.6e-5 * (1.0 + 0.10 * superheat) * max(0.0, 1.0 - x[ALUMINA] / 6.0)
    metal = METAL_PER_KAH * amperes / 3600.0 * x[EFFICIENCY]
    x[SLUDGE] += fed * (1.0 - ease) - back
    x[ALUMINA] += (fed * ease + back - ALUMINA_PER_METAL * metal) / BATH_KG * 100.0
    x[ALUMINA] = max(x[ALUMINA], 0.3)
    x[METAL] += metal
    x[MADE] += metal


def _heat(x: Row, u: Row, p: Sequence[float], f: Sequence[float], volts: float, amperes: float, dt: float) -> None:
    """Heat balance of bath and metal with a ledge that freezes and melts; chemistry; current efficiency."""
    x[LIQUIDUS] = liquidus(x[ALF3], x[ALUMINA])
    superheat = x[BATH_C] - x[LIQUIDUS]
    heating = volts if volts < 6.0 else 6.0 + 0.2 * (volts - 6.0)
    gain = amperes * (heating - 2.03 - 0.25) - p[P_TOP] * (1.0 + 0.30 * f[F_CRUST])
    side = p[P_SIDE] * superheat
    wall = 1750.0 / (4.0 + 0.35 * x[LEDGE])
    x[BATH_C] += (gain - side) * dt / 24000.0
    x[LEDGE] += (wall - side) * dt / 36000.0
    x[LEDGE] = min(max(x[LEDGE], 1.0), 25.0)
    x[ALF3] += (u[SET_ALF3] - 38.0 - 4.2 * (x[ALF3] - 12.3)) * 100.0 / 9500.0 * dt / DAY
    loss = 0.0016 * (superheat - 8.0) + 0.010 * max(0.0, 4.2 - x[ACD]) + 0.0006 * x[WAVES] * 0.5
    x[EFFICIENCY] = min(max(p[P_EFFICIENCY] - loss + 0.0027, 0.80), 0.97)
    x[ACD] += (0.000012 - 0.000011 * amperes / LINE_KA) * dt


def _regulate(x: Row, u: Row) -> None:
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


def _by_hand(x: Row, key: int, n: int) -> None:
    """Measured by people: bath temperature every 8 h, metal daily, the laboratory's AlF3 hours after its sample."""
    shift = n // 28800
    if n - shift * 28800 == 3600 + int(5400.0 * uniform(key, shift, C_BATH)):
        x[BATH_SEEN] = x[BATH_C] + 3.0 * normal(key, shift, C_BATH)
    day = n // DAY
    clock = n - day * DAY
    if clock == 15000 + int(3600.0 * uniform(key, day, C_METAL)):
        x[METAL_SEEN] = x[METAL] / 950.0 + 0.3 * normal(key, day, C_METAL)
    if clock == 7200 + int(3600.0 * uniform(key, day, C_LAB)):
        x[ALF3_SAMPLE] = x[ALF3] + 0.25 * normal(key, day, C_LAB)
        x[ALF3_DUE] = n + 14400.0 + math.floor(10800.0 * uniform(key, day + 1, C_LAB))
    if x[ALF3_DUE] > 0.0 and n >= x[ALF3_DUE]:
        x[ALF3_SEEN] = x[ALF3_SAMPLE]
        x[ALF3_DUE] = 0.0


def _readings(x: Row, u: Row, f: Sequence[float], y: Row, key: int, n: int, volts: float, amperes: float) -> None:
    effect = 1.0 if x[MODE] == ANODE_EFFECT else 0.0
    x[KWH] += volts * amperes / 3600.0
    y[Y_V] = volts
    y[Y_KA] = amperes
    y[Y_R] = (volts - EXTRAPOLATED_V) / amperes * 1000.0
    y[Y_NOISE] = x[WAVES] + 160.0 * effect
    y[Y_DUCT] = _duct(x, f, key, n, effect)
    y[Y_FEED] = _commanded(x, u)
    y[Y_BEAM] = x[BEAM]
    y[Y_BATH] = 19.5 + 0.25 * (x[BATH_C] - 955.0) - 0.15 * (x[LEDGE] - 9.0)
    y[Y_KWH] = x[KWH]
    y[Y_STATE] = x[MODE]
    y[Y_EFFECT] = effect
    y[Y_SHOTS] = x[SHOTS]
    y[Y_BATH_C] = x[BATH_SEEN]
    y[Y_METAL] = x[METAL_SEEN]
    y[Y_ALF3] = x[ALF3_SEEN]
    y[Y_TAPPED] = x[TAPPED]


def _duct(x: Row, f: Sequence[float], key: int, n: int, effect: float) -> float:
    opened = 14.0 * x[WORK] + 40.0 * f[F_CRUST]
    return 118.0 + 1.2 * (x[BATH_C] - 955.0) + opened + 35.0 * effect + 1.2 * drift(key, n, C_DUCT, 5400)


def _commanded(x: Row, u: Row) -> float:
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
