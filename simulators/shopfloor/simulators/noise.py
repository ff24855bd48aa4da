"""Counter-based noise: a pure function of (key, step, channel), so nothing has to be stored or replayed.

The same integers and the same arithmetic interpreted, in numpy columns and compiled: products may wrap in 64 bits,
but only their low 32 bits are kept. Mixing function: lowbias32, C. Wellons, "Prospecting for hash functions" (2018).
"""

from __future__ import annotations

import hashlib
import math
from typing import Final

MASK: Final = 0xFFFFFFFF
BELL_SCALE: Final = 1.0 / math.sqrt(4.0 * (256.0 * 256.0 - 1.0) / 12.0)
SUBS: Final = 64
"""Channels reserved for each tag: one per sub-sample."""


def key_of(seed: int, name: str) -> int:
    """Key of an asset (or of anything that has a name) in the plant with this seed: 32 bits.

    >>> key_of(1, "cnc-01") == key_of(1, "cnc-01") != key_of(2, "cnc-01")
    True
    """
    return int.from_bytes(hashlib.blake2s(f"{seed}/{name}".encode(), digest_size=4).digest(), "little")


def mix(h: int) -> int:
    """Scramble 32 bits."""
    h = h ^ (h >> 16)
    h = (h * 0x7FEB352D) & MASK
    h = h ^ (h >> 15)
    h = (h * 0x846CA68B) & MASK
    return h ^ (h >> 16)


def stream(key: int, channel: int) -> int:
    """Key of one channel of an asset."""
    return mix((key + channel * 0x9E3779B1) & MASK)


def draw(lane: int, n: int) -> int:
    """32 random bits of a `stream` at step `n`."""
    return mix(mix((n & MASK) ^ lane) ^ ((lane * 0x85EBCA6B) & MASK))


def bell(lane: int, n: int) -> float:
    """Cheap noise of mean 0 and deviation 1, within 3.5: the sum of four bytes. No libm, so it vectorises exactly."""
    h = draw(lane, n)
    return ((h & 255) + ((h >> 8) & 255) + ((h >> 16) & 255) + (h >> 24) - 510) * BELL_SCALE


def uniform(key: int, n: int, channel: int) -> float:
    """A number in (0, 1).

    >>> 0.0 < uniform(7, 123, 1) < 1.0
    True
    """
    return (draw(stream(key, channel), n) + 0.5) / 4294967296.0


def normal(key: int, n: int, channel: int) -> float:
    """A standard normal number (Box-Muller), for the scatter of lots, tools and pots."""
    lane = stream(key, channel)
    radius = math.sqrt(-2.0 * math.log((draw(lane, n) + 0.5) / 4294967296.0))
    return radius * math.cos(2.0 * math.pi * (draw(lane ^ 0x5BD1E995, n) + 0.5) / 4294967296.0)


def drift(key: int, n: int, channel: int, period: int) -> float:
    """Smooth noise of deviation about 1 that wanders within `period` steps; a function of time, not of the past."""
    k = n // period
    lane = stream(key, channel)
    t = (n - k * period) / period
    t = t * t * (3.0 - 2.0 * t)
    return 1.16 * (bell(lane, k) * (1.0 - t) + bell(lane, k + 1) * t)
