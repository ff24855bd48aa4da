"""Arrays as bytes and back, without anything that can run."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray


def pack(arrays: dict[str, NDArray[Any]]) -> bytes:
    """Arrays as npz.

    >>> unpack(pack({"a": np.arange(3)}))["a"].tolist()
    [0, 1, 2]
    """
    out = io.BytesIO()
    np.savez(out, **arrays)  # type: ignore[arg-type]
    return out.getvalue()


def unpack(data: bytes) -> dict[str, NDArray[Any]]:
    """What `pack` gave; anything else raises `ValueError` or `OSError`."""
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}
