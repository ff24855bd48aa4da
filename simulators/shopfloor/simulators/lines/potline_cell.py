"""Electrochemistry of one Hall-Heroult cell: Faraday, the U-shaped voltage curve, the liquidus of the bath.

Plain scalar functions: interpreted in real time, compiled in batch.
"""

from __future__ import annotations

import math
from typing import Final

FARADAY: Final = 96485.33212
METAL_PER_KAH: Final = 26.9815385 / (3.0 * FARADAY) * 3600.0
"""kg of aluminium per kA and hour at full current efficiency: 0.3356."""
ALUMINA_PER_METAL: Final = 101.961 / (2.0 * 26.9815385)
"""kg of alumina consumed per kg of metal, by stoichiometry: 1.889."""
BATH_KG: Final = 7200.0
ANODE_CM2: Final = 375000.0
THERMAL_V: Final = 8.314462 * 1233.0 / (2.0 * FARADAY)
"""R T / (2 F) at 960 degrees C."""
CRITICAL: Final = 1.80


def energy_per_kg(volts: float, efficiency: float) -> float:
    """Specific energy in kWh per kg of metal: 2.980 V / CE."""
    return volts / (METAL_PER_KAH * efficiency)


def critical_alumina(factor: float) -> float:
    """Dissolved alumina (%) at which the anodes passivate at nominal current density."""
    return CRITICAL * factor


def cell_voltage(
    amperes: float, acd: float, alumina: float, bath_c: float, external: float, bath: float, critical: float
) -> float:
    """Volts of a pot at `amperes` kA, ACD in cm, alumina in %: low alumina raises the overvoltage, high the bath.

    Source: Haupin's structure (reversible potential, anodic reaction and concentration overvoltage, ohmic parts),
    with the critical current density rising with the root of the alumina content.
    """
    density = amperes * 1000.0 / ANODE_CM2
    root = math.sqrt(alumina)
    limit = 0.80 * (root - 0.55) / (math.sqrt(CRITICAL * critical) - 0.55) * 1.045
    share = min(density / limit if limit > 0.0 else 1.0, 0.985)
    reaction = 1.08 * THERMAL_V * math.log(density / (0.0029 * math.exp(0.56 * math.log(alumina))))
    concentration = -1.5 * THERMAL_V * math.log(1.0 - share)
    conductivity = (2.24 - 0.040 * alumina) * (1.0 + 0.0009 * (bath_c - 960.0)) / bath
    ohmic = amperes * 1000.0 * (acd / (conductivity * ANODE_CM2) + external * 1e-6)
    return 1.223 + reaction + concentration + ohmic


def liquidus(alf3: float, alumina: float) -> float:
    """Liquidus of the bath in degrees C for excess AlF3 and alumina in %, with 5 % CaF2.

    Source: A. Solheim et al., Light Metals 1995.
    """
    calcium = 5.0
    both = calcium * alf3
    dissolved = 7.93 * alumina / (1.0 + 0.0936 * alumina - 0.0017 * alumina * alumina - 0.0023 * alf3 * alumina)
    fluoride = 0.50 * alf3 - 0.13 * math.exp(2.2 * math.log(alf3))
    return (
        1011.0
        + fluoride
        - 3.45 * calcium / (1.0 + 0.0173 * calcium)
        + 0.124 * both
        - 0.00542 * both * math.sqrt(both)
        - dissolved
    )
