"""Cutting physics of the machining line: Kienzle force, extended Taylor wear in three stages, chatter lobes.

Plain scalar functions: interpreted in real time, compiled in batch.
"""

from __future__ import annotations

import math
from typing import Final

SPEED_0: Final = 200.0
FEED_0: Final = 0.18
WEAR_LIMIT: Final = 0.30
"""Flank wear VB in mm at which a carbide tool is spent (ISO 8688-2)."""

KC11: Final = 1480.0
"""Specific cutting force of austenitic stainless steel, N/mm2, and its chip-thickness exponent (textbook values)."""
MC: Final = 0.25

TOOL_DIAMETER: Final = 0.010
TEETH: Final = 3

FN: Final = 780.0
"""Natural frequency (Hz), stiffness (N/mm) and cutting-force coefficient (N/mm2) of the tool point."""
STIFFNESS: Final = 24000.0
KF: Final = 720.0


def rpm_of(speed: float) -> float:
    """Spindle speed (1/min) for a cutting speed in m/min."""
    return speed / (math.pi * TOOL_DIAMETER)


def cutting_force(depth: float, feed: float, hardness: float) -> float:
    """Kienzle: F = kc1.1 * b * h^(1 - mc), in N, for a depth of cut in mm and a feed in mm/rev."""
    return KC11 * hardness * depth * math.pow(feed / TEETH, 1.0 - MC)


def tool_life(speed: float, feed: float, hardness: float, taylor_n: float, reference: float) -> float:
    """Extended Taylor, V T^n f^m = C, as minutes to the wear limit; `reference` at 200 m/min and 0.18 mm/rev."""
    by_speed = math.pow(speed / SPEED_0, -1.0 / taylor_n)
    return reference * by_speed * math.pow(feed / FEED_0, -1.4) * math.pow(hardness, -2.0)


def _stages(w: float) -> float:
    late = w - 0.72
    late = max(late, 0.0)
    return 1.0 + 0.25 / (0.06 + w) + 14.0 * late * late


def _mean_inverse() -> float:
    steps = 20000
    return sum(1.0 / _stages((i + 0.5) / steps) for i in range(steps)) / steps


STAGE_SCALE: Final = _mean_inverse()


def wear_rate(w: float) -> float:
    """Wear per life at relative wear `w` = VB / limit: running in, steady, accelerated; a life is w from 0 to 1."""
    return STAGE_SCALE * _stages(w)


def stable_depth(rpm: float, damping: float) -> float:
    """Largest depth of cut (mm) without chatter at a spindle speed: one degree of freedom, regenerative lobes.

    b = -1 / (2 Kf Re G) on the lobe that this speed meets. Source: J. Tlusty, and Y. Altintas, Manufacturing
    Automation, 2nd ed., ch. 4.
    """
    tooth = rpm / 60.0 * TEETH
    best = 1e9
    before = 0.0
    for i in range(161):
        r = 1.0005 + i * 0.0025
        real = 1.0 - r * r
        imag = -2.0 * damping * r
        square = real * real + imag * imag
        waves = FN * r / tooth - 1.5 - math.atan2(imag, real) / math.pi
        lobe = math.floor(waves)
        if i > 0 and lobe != before:
            depth = -STIFFNESS * square / (2.0 * KF * real)
            best = min(best, depth)
        before = lobe
    return best


def lowest_stable_depth(damping: float) -> float:
    """Closed form of the lowest point of all lobes: 2 Ks zeta (1 + zeta) / Kf, in mm."""
    return 2.0 * STIFFNESS / KF * damping * (1.0 + damping)
