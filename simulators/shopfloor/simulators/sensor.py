"""The sensor chain: lag, noise, saturation, resolution, faults and their OPC UA quality.

Two forms with the same arithmetic and the same bytes: `sense` for one value (compiled, in batch) and `sense_all` for
columns (real time).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant import Kind
from shopfloor.plant.quality import BAD_SENSOR_FAILURE, GOOD, UNCERTAIN_SENSOR_NOT_ACCURATE, UNCERTAIN_UNITS_EXCEEDED
from shopfloor.simulators.line import SENSOR_FAULTS, Line
from shopfloor.simulators.noise import SUBS, bell, draw, mix, stream

OK: Final = 0
STUCK: Final = 1
NOISY: Final = 2
LOST: Final = 3
MODES: Final = {spec.name: mode for mode, spec in enumerate(SENSOR_FAULTS, STUCK)}

SPELL: Final = 1800
"""Steps of a window in which at most one sensor of an asset misbehaves by itself."""
SPELL_CHANCE: Final = 0.0015
_SPELL_CHANNEL: Final = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Sensors:
    """Columns [tag] of a line's sensors. `rate` 0 marks tags on change; `scale` is 1 / resolution (0 = exact)."""

    rate: NDArray[np.int64]
    alpha: NDArray[np.float64]
    noise: NDArray[np.float64]
    scale: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    deadband: NDArray[np.float64]
    sampled: NDArray[np.int64]

    @classmethod
    def of(cls, line: Line) -> Sensors:
        """The sensors that `line` declares."""
        tags = line.tags

        def column(values: list[float]) -> NDArray[np.float64]:
            return np.array(values, np.float64)

        return cls(
            np.array([t.rate for t in tags], np.int64),
            column([line.dt / (t.lag_s + line.dt) if t.lag_s else 1.0 for t in tags]),
            column([t.noise for t in tags]),
            column([float(round(1.0 / t.resolution)) if t.resolution else 0.0 for t in tags]),
            column([t.low for t in tags]),
            column([t.high for t in tags]),
            column([t.deadband for t in tags]),
            np.array([i for i, t in enumerate(tags) if t.rate and t.kind is Kind.FLOAT], np.int64),
        )


def spell(key: int, n: int, tags: int) -> int:
    """What goes wrong by itself at step `n`: 0, or sensor number * 4 + mode. Sensors fail rarely and for minutes."""
    window = n // SPELL
    lane = stream(key, _SPELL_CHANNEL)
    h = draw(lane, window)
    if h >= SPELL_CHANCE * 4294967296.0:
        return 0
    h = mix(h)
    begin = h % 900
    offset = n - window * SPELL
    if offset < begin or offset >= begin + 120 + (h >> 10) % 700:
        return 0
    return ((h >> 20) % tags) * 4 + 1 + (h >> 4) % 3


def quantise(value: float, scale: float) -> float:
    """The nearest step of a converter with `scale` steps per unit (0: exact)."""
    if scale == 0.0 or math.isnan(value):
        return value
    return math.floor(value * scale + 0.5) / scale


def saturation(value: float, low: float, high: float) -> int:
    """Quality of a reading whose true value lies beyond the range of its sensor: uncertain."""
    if value < low or value > high:
        return UNCERTAIN_UNITS_EXCEEDED
    return GOOD


def sense(
    value: float, lane: int, n: int, noise: float, low: float, high: float, scale: float, mode: int
) -> tuple[float, int]:
    """One reading (value, StatusCode) of a lagged `value`; a stuck sensor is the caller's business."""
    if mode == LOST:
        return math.nan, BAD_SENSOR_FAILURE
    spread = noise
    if mode == NOISY:
        spread = noise * 10.0
    reading = value + spread * bell(lane, n)
    quality = saturation(value, low, high)
    reading = max(reading, low)
    reading = min(reading, high)
    if mode == NOISY:
        quality = UNCERTAIN_SENSOR_NOT_ACCURATE
    return quantise(reading, scale), quality


def lanes(keys: NDArray[np.int64], tags: NDArray[np.int64], subs: int) -> NDArray[np.int64]:
    """Noise streams [asset, tag, sub] of the sensors of some tags."""
    channel = tags[None, :, None] * SUBS + np.arange(subs)[None, None, :]
    with np.errstate(over="ignore"):
        lane: Any = stream(keys[:, None, None], channel)  # type: ignore[arg-type]
    result: NDArray[np.int64] = lane
    return result


def sense_all(
    value: NDArray[np.float64],
    lane: NDArray[np.int64],
    n: int,
    sensors: Sensors,
    tags: NDArray[np.int64],
    mode: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.uint32]]:
    """Readings [asset, tag, sub] and StatusCodes [asset, tag, 1]; `value` and `mode` are [asset, tag]."""
    mode = mode[:, tags, None]
    noise, scale = sensors.noise[tags][None, :, None], sensors.scale[tags][None, :, None]
    low, high = sensors.low[tags][None, :, None], sensors.high[tags][None, :, None]
    lagged = value[:, tags, None]
    spread = np.where(mode == NOISY, noise * 10.0, noise)
    reading = lagged + spread * bell(lane, n)  # type: ignore[arg-type]
    quality = np.where((lagged < low) | (lagged > high), UNCERTAIN_UNITS_EXCEEDED, GOOD)
    quality = np.where(mode == NOISY, UNCERTAIN_SENSOR_NOT_ACCURATE, quality)
    quality = np.where(mode == LOST, BAD_SENSOR_FAILURE, quality)
    reading = np.minimum(np.maximum(reading, low), high)
    exact = scale == 0.0
    reading = np.where(exact, reading, np.floor(reading * scale + 0.5) / np.where(exact, 1.0, scale))
    return np.where(mode == LOST, np.nan, reading), quality.astype(np.uint32)
