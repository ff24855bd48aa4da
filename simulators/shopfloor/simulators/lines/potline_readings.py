"""What is known of a pot: the tags of its controller, and late what people and the laboratory measure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from shopfloor.simulators.line import Row
from shopfloor.simulators.lines.potline_control import commanded
from shopfloor.simulators.lines.potline_layout import (
    ALF3,
    ALF3_DUE,
    ALF3_SAMPLE,
    ALF3_SEEN,
    ANODE_EFFECT,
    BATH_C,
    BATH_SEEN,
    BEAM,
    C_BATH,
    C_DUCT,
    C_LAB,
    C_METAL,
    DAY,
    EXTRAPOLATED_V,
    F_CRUST,
    KWH,
    LEDGE,
    METAL,
    METAL_SEEN,
    MODE,
    SHOTS,
    TAPPED,
    WAVES,
    WORK,
    Y_ALF3,
    Y_BATH,
    Y_BATH_C,
    Y_BEAM,
    Y_DUCT,
    Y_EFFECT,
    Y_FEED,
    Y_KA,
    Y_KWH,
    Y_METAL,
    Y_NOISE,
    Y_R,
    Y_SHOTS,
    Y_STATE,
    Y_TAPPED,
    Y_V,
)
from shopfloor.simulators.noise import drift, normal, uniform


def by_hand(x: Row, key: int, n: int) -> None:
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


def readings(x: Row, u: Row, f: Sequence[float], y: Row, key: int, n: int, volts: float, amperes: float) -> None:
    """The tags of this second; the energy counter goes on."""
    effect = 1.0 if x[MODE] == ANODE_EFFECT else 0.0
    x[KWH] += volts * amperes / 3600.0
    y[Y_V] = volts
    y[Y_KA] = amperes
    y[Y_R] = (volts - EXTRAPOLATED_V) / amperes * 1000.0
    y[Y_NOISE] = x[WAVES] + 160.0 * effect
    y[Y_DUCT] = _duct(x, f, key, n, effect)
    y[Y_FEED] = commanded(x, u)
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
