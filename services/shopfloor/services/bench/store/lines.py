"""Batches as line protocol, for the servers: one Arrow expression per batch."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from shopfloor.plant import Batch

MEASUREMENT = "m"
"""As short as it goes: a long name would cost the servers time to read."""


def prefix(path: str) -> str:
    """What stands before the fields of a tag.

    >>> prefix("bench/day/line-0/cell/asset-001/slow-002")
    'm,area=day,asset=asset-001,t=slow-002 v='
    """
    _, area, _, _, asset, tag = path.split("/")
    return f"{MEASUREMENT},area={area},asset={asset},t={tag} v="


class Lines:
    """Renders batches; the prefixes of the names that it saw last are kept."""

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()
        self._prefixes = pa.array([], pa.string())

    def render(self, batch: Batch) -> bytes:
        """Value and quality as the fields v (float64) and q (integer), the time in ns."""
        if batch.names != self._names:
            self._names, self._prefixes = batch.names, pa.array([prefix(name) for name in batch.names], pa.string())
        value, quality, time = (
            pc.cast(pa.array(column), pa.string()) for column in (batch.value, batch.quality, batch.time)
        )
        heads = self._prefixes.take(pa.array(batch.tag))
        lines = pc.binary_join_element_wise(heads, value, ",q=", quality, "i ", time, "\n", "")
        length = int(np.frombuffer(lines.buffers()[1], np.int32)[len(lines)])
        return bytes(memoryview(lines.buffers()[2])[:length])
