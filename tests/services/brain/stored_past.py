"""A real store that holds the past of small worlds, as a gateway would have brought it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from shopfloor.models.columns import Columns, Steps
from shopfloor.plant import Batch
from shopfloor.services.historian import Historian


class Bringing:
    """Brings columns of assets into a store, batch by batch."""

    def __init__(self, store: Historian) -> None:
        self.store, self.sequence, self.accepted = store, 0, 0

    def bring(self, assets: Mapping[str, Columns], start: int = 0, end: int = 1 << 62) -> None:
        """Every value in [start, end) UTC ns."""
        for text in (False, True):
            rows = {
                f"{asset}/{name}": steps.before(end).since(start) if start else steps.before(end)
                for asset, columns in assets.items()
                for name, steps in columns.items()
                if (steps.value.dtype == object) == text and not name.startswith("truth.")
            }
            if rows:
                self._send({name: _from(steps, start) for name, steps in rows.items()}, text=text)

    def _send(self, rows: Mapping[str, Steps], *, text: bool) -> None:
        names = tuple(rows)
        tag = np.repeat(np.arange(len(names), dtype=np.int32), [len(s.time) for s in rows.values()])
        time = np.concatenate([s.time for s in rows.values()])
        value = np.concatenate([s.value for s in rows.values()])
        order = np.argsort(time, kind="stable")
        for at in np.array_split(order, max(len(order) // 200_000, 1)):
            if not len(at):
                continue
            self.sequence += 1
            self.accepted += len(at)
            quality = np.zeros(len(at), np.uint32) if text else np.where(np.isnan(value[at]), 1 << 31, 0)
            self.store.ingest(
                "edge", self.sequence, "s", self.accepted,
                Batch(names, tag[at], time[at], value[at], quality.astype(np.uint32)),
            )  # fmt: skip


def _from(steps: Steps, start: int) -> Steps:
    row = int(np.searchsorted(steps.time, start, "left"))
    return Steps(steps.time[row:], steps.value[row:])
