"""Capability and performance of a process, with confidence intervals, and whether they may be believed.

Cp and Cpk take the deviation within subgroups, Pp and Ppk that of all values (ISO 22514-2, AIAG SPC). Intervals of Cp
and Pp are those of chi-square, those of Cpk and Ppk those of Bissell (Applied Statistics 39, 1990), as in section
6.1.6 of the NIST/SEMATECH e-Handbook.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant.config import SpecificationSection
from shopfloor.services.quality.normal import anderson_darling, chi_square_quantile, quantile

LEVEL: Final = 0.95
ODD: Final = 0.05


@dataclass(frozen=True, slots=True)
class Index:
    """A capability index and its confidence interval at the level 0.95."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Capability:
    """What a process can do within its specification. Two-sided indices are None where one limit is missing.

    `p_value` is that of Anderson and Darling's test; `normal` says whether it leaves the indices their meaning, None
    where there are too few values to say. `outside` is the share of values beyond the specification, as counted.
    """

    n: int
    mean: float
    sigma_within: float
    sigma_overall: float
    cp: Index | None
    cpk: Index | None
    pp: Index | None
    ppk: Index | None
    p_value: float | None
    normal: bool | None
    outside: float


def capability(
    values: NDArray[np.float64], spec: SpecificationSection, sigma_within: float, freedom: float
) -> Capability | None:
    """Indices of single values; `freedom` are the degrees of freedom of `sigma_within`. None below two values.

    >>> values = np.array([9.0, 10.0, 11.0] * 40)
    >>> said = capability(values, SpecificationSection(low=4, high=16), 1.0, 100.0)
    >>> round(said.cp.value, 2), round(said.cp.low, 2), round(said.cpk.value, 2), said.normal
    (2.0, 1.72, 2.0, False)
    """
    if len(values) < 2:
        return None
    n, mean, overall = len(values), float(np.mean(values)), float(np.std(values, ddof=1))
    low, high = -np.inf if spec.low is None else spec.low, np.inf if spec.high is None else spec.high
    p_value = anderson_darling(values)
    return Capability(
        n, mean, sigma_within, overall,
        potential(spec, sigma_within, freedom), actual(spec, mean, sigma_within, n, freedom),
        potential(spec, overall, n - 1), actual(spec, mean, overall, n, n - 1),
        p_value, None if p_value is None else p_value >= ODD, float(np.mean((values < low) | (values > high))),
    )  # fmt: skip


def potential(spec: SpecificationSection, sigma: float, freedom: float) -> Index | None:
    """Cp or Pp: the width of the specification in six standard deviations.

    >>> potential(SpecificationSection(low=0, high=6), 1.0, 99).low.__round__(3)
    0.861
    """
    if spec.low is None or spec.high is None or not sigma > 0:
        return None
    value, tail = (spec.high - spec.low) / (6.0 * sigma), (1.0 - LEVEL) / 2.0
    ends = (math.sqrt(chi_square_quantile(share, freedom) / freedom) for share in (tail, 1.0 - tail))
    return Index(value, *(value * end for end in ends))


def actual(spec: SpecificationSection, mean: float, sigma: float, n: int, freedom: float) -> Index | None:
    """Cpk or Ppk: the distance of the mean from the nearer limit in three standard deviations."""
    if not sigma > 0:
        return None
    sides = [] if spec.high is None else [spec.high - mean]
    sides += [] if spec.low is None else [mean - spec.low]
    value = min(sides) / (3.0 * sigma)
    half = quantile(0.5 + LEVEL / 2.0) * math.sqrt(1.0 / (9.0 * n) + value * value / (2.0 * freedom))
    return Index(value, value - half, value + half)
