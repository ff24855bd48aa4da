"""What features are made as: float32, so that training, the compiled trees and live scoring agree to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.columns import Floats

Matrix = NDArray[np.float32]


def divide(a: Any, b: Any) -> Floats:
    """A / b, NaN where b is nothing.

    >>> divide([1.0, 1.0], [2.0, 0.0]).tolist()
    [0.5, nan]
    """
    a, b = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64))
    result: Floats = np.divide(a, b, out=np.full(a.shape, np.nan), where=np.abs(b) > 1e-12)
    return result
