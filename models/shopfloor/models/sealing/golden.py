"""The last proof: asked again, a bundle must answer what it answered where it was made, in the time it may take."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.scorer import judged
from shopfloor.models.sealing.opened import Bundle

Floats = NDArray[np.float64]
Describe = Callable[[NDArray[Any]], NDArray[Any]]
TOLERANCE: Final = 1e-6
"""Golden answers may differ by this share of their standard deviation."""
_TRIES: Final = 7
_MEGABYTE: Final = 1e6


def check_budget(bundle: Bundle) -> None:
    """Raise `ValueError` when one row takes more CPU time, or the files more bytes, than the bundle itself allows."""
    budget = bundle.manifest.budget
    if bundle.size > budget.memory_mb * _MEGABYTE:
        raise ValueError(f"it holds {bundle.size / _MEGABYTE:.1f} MB, its budget is {budget.memory_mb:g} MB")
    took = np.inf
    for _ in range(_TRIES):
        took = min(took, row_us(bundle))
        if took <= budget.row_us:
            return
    raise ValueError(f"one row takes {took:.0f} us, its budget is {budget.row_us:g} us")


def row_us(bundle: Bundle) -> float:
    """CPU microseconds that one golden row takes alone, this time."""
    row = bundle.arrays["golden"][:1]
    start = time.thread_time_ns()
    judged(bundle, row)
    return (time.thread_time_ns() - start) / 1e3


def check_golden(bundle: Bundle, describe: Describe | None = None) -> None:
    """Raise `ValueError` unless raw windows give golden rows, these the models' answers, and these the scores.

    `describe` is the feature spec's function over raw windows [n, window, tags]; what it makes are the last golden
    rows. Without it the first link is not checked.
    """
    golden = bundle.arrays["golden"]
    if describe is not None and "golden.window" in bundle.arrays:
        rows = describe(bundle.arrays["golden.window"])
        if rows.dtype != golden.dtype or not np.array_equal(rows, golden[-len(rows) :], equal_nan=True):
            raise ValueError("its golden windows give other features than sealed")
    for model in bundle.programs:
        _compare(bundle.outputs(model, golden), bundle.arrays[f"golden {model}"], f"the model {model}")
    _compare(judged(bundle, golden), bundle.arrays["golden scores"], "its calibration")


def _compare(said: Floats, sealed: Floats, what: str) -> None:
    if said.shape != sealed.shape:
        raise ValueError(f"{what} answers {said.shape} where {sealed.shape} was sealed")
    scale = max(float(np.std(sealed)), 1e-9)
    off = np.abs(said - sealed) / scale
    if not bool((off <= TOLERANCE).all()):
        raise ValueError(f"{what} answers otherwise than sealed, by up to {np.max(off):.2g} sd")
