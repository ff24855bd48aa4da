"""What happens in a pot: the current of the line, waves, the mass balance of the bath, its heat and its ledge."""

from __future__ import annotations

from collections.abc import Sequence

from shopfloor.simulators.line import Row
from shopfloor.simulators.lines.potline_cell import ALUMINA_PER_METAL, BATH_KG, METAL_PER_KAH, cell_voltage, liquidus
from shopfloor.simulators.lines.potline_layout import (
    ACD,
    ALF3,
    ALUMINA,
    BATH_C,
    C_CURRENT,
    C_RIPPLE,
    C_WAVES,
    DAY,
    EFFICIENCY,
    F_CRUST,
    F_SPIKE,
    LEDGE,
    LINE_KA,
    LIQUIDUS,
    MADE,
    METAL,
    P_BATH,
    P_CRITICAL,
    P_DISSOLVE,
    P_EFFICIENCY,
    P_EXTERNAL,
    P_NOISE,
    P_SIDE,
    P_TOP,
    SET_ALF3,
    SLUDGE,
    WAVES,
    WORK,
)
from shopfloor.simulators.noise import drift, uniform


def line_current(plant: int, n: int) -> float:
    """The current of the whole line: slow drift, load cuts by the grid, ripple of the rectifiers. kA."""
    slow = 1.4 * drift(plant, n, C_CURRENT, 3600) + 0.25 * drift(plant, n, C_RIPPLE, 9)
    window = n // 21600
    inside = n - window * 21600
    if uniform(plant, window, C_CURRENT) < 0.12 and 3000 <= inside < 5400:
        slow -= 9.0
    return LINE_KA + slow


def acd_for(volts: float, x: Row, p: Sequence[float]) -> float:
    """The distance of anode and cathode (cm) at which the pot has this voltage."""
    low, high = 2.0, 9.0
    for _ in range(40):
        mid = 0.5 * (low + high)
        if cell_voltage(LINE_KA, mid, x[ALUMINA], x[BATH_C], p[P_EXTERNAL], p[P_BATH], p[P_CRITICAL]) < volts:
            low = mid
        else:
            high = mid
    return low


def disturbance(x: Row, p: Sequence[float], f: Sequence[float], key: int, n: int) -> float:
    """Waves of the metal, work on the pot, spikes: volts."""
    squeezed = max(0.0, 4.1 - x[ACD]) * 9.0
    muddy = max(0.0, x[SLUDGE] - 160.0) * 0.03
    starved = max(0.0, 2.15 - x[ALUMINA]) * 9.0
    level = p[P_NOISE] + squeezed + muddy + starved + 14.0 * x[WORK] + 45.0 * f[F_SPIKE]
    x[WAVES] += (level * (1.0 + 0.22 * drift(key, n, C_WAVES, 900)) - x[WAVES]) / 60.0
    return 0.001 * x[WAVES] * drift(key, n, C_WAVES + 40, 20)


def alumina(x: Row, p: Sequence[float], fed: float, amperes: float) -> None:
    """The distance of anode and cathode (cm) at which the pot has this voltage."""
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


def heat(x: Row, u: Row, p: Sequence[float], f: Sequence[float], volts: float, amperes: float, dt: float) -> None:
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
