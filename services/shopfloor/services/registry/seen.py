"""What a prediction was made from, kept small: how far back it looked, and marks of the features it saw."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

_HASH: Final = 16
_SPREAD: Final = np.uint32(2_654_435_769)


@dataclass(frozen=True, slots=True)
class Seen:
    """The window of a prediction: its first part or bin ended at `since` (UTC ns), it had `size` of them.

    `marks` is a hash over all features (16 bytes) and one byte for each: the hash says whether anything differs,
    the bytes say what.
    """

    since: int
    size: int
    marks: bytes

    @classmethod
    def of(cls, since: int, size: int, x: NDArray[np.float32]) -> Self:
        """Of the features [f] of one window."""
        return cls(since, size, marks(x))

    def differing(self, x: NDArray[np.float32]) -> list[int] | None:
        """Which features [f] are not those that were seen; None when they are the same to the last bit.

        >>> x = np.array([1.0, 2.0, np.nan], np.float32)
        >>> seen = Seen.of(0, 1, x)
        >>> seen.differing(x), seen.differing(np.array([1.0, 2.5, np.nan], np.float32))
        (None, [1])
        """
        now = marks(x)
        if now == self.marks:
            return None
        if len(now) != len(self.marks):
            return []
        return [i for i, (a, b) in enumerate(zip(now[_HASH:], self.marks[_HASH:], strict=True)) if a != b]


def marks(x: NDArray[np.float32]) -> bytes:
    """The marks of features [f]: every missing value counts as the same."""
    bits = np.where(np.isnan(x), np.float32(np.nan), x).astype("<f4").view("<u4")
    each = ((bits ^ (bits >> np.uint32(15))) * _SPREAD >> np.uint32(24)).astype(np.uint8)
    return hashlib.sha256(bits.tobytes()).digest()[:_HASH] + bytes(each)
