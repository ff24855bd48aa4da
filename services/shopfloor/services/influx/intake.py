"""Storing what clients write: durable when `store` returns, counted in the ledger, one commit for all who wait."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shopfloor.plant import Batch, Kind, ShopfloorError, SinkUnavailable
from shopfloor.plant.batch import concat
from shopfloor.services.historian import Historian

GATEWAY: Final = "influx"
"""The name under which the ledger counts these values, as if a gateway had sent them."""
_MOST_ROWS: Final = 500_000


@dataclass(slots=True)
class _Request:
    source: str
    batches: Sequence[Batch]
    is_done: bool = False
    error: ShopfloorError | None = None

    @property
    def rows(self) -> int:
        return sum(len(batch) for batch in self.batches)


class Intake:
    """Stores batches of many threads. Values that come again replace themselves and are counted again."""

    def __init__(self, historian: Historian) -> None:
        self._historian = historian
        self._writing = threading.Lock()
        self._pending_lock = threading.Lock()
        self._pending: list[_Request] = []
        self._sequence: int | None = None
        self._accepted: dict[str, int] = {}

    def store(self, caller: str, batches: Sequence[Batch]) -> None:
        """Make batches durable as the source `influx:<caller>`. Raises `SinkUnavailable` or `StoreError`: try again."""
        request = _Request(f"{GATEWAY}:{caller}", batches)
        with self._pending_lock:
            self._pending.append(request)
        with self._writing:
            while not request.is_done:
                self._store_group(self._next_group())
        if request.error is not None:
            raise request.error

    def _next_group(self) -> list[_Request]:
        """Those who wait, the first of them first, up to about `_MOST_ROWS` values."""
        with self._pending_lock:
            group: list[_Request] = []
            rows = 0
            while self._pending and (not group or rows + self._pending[0].rows <= _MOST_ROWS):
                rows += self._pending[0].rows
                group.append(self._pending.pop(0))
        return group

    def _store_group(self, group: list[_Request]) -> None:
        for source in dict.fromkeys(request.source for request in group):
            requests = [request for request in group if request.source == source]
            error: ShopfloorError | None = SinkUnavailable("The store came to no answer: send the same lines again.")
            try:
                for kind in Kind:
                    self._store_kind(source, [b for r in requests for b in r.batches if b.kind is kind])
                error = None
            except ShopfloorError as problem:
                error = problem
            finally:
                self._sequence = None if error else self._sequence
                for request in requests:
                    request.error, request.is_done = error, True

    def _store_kind(self, source: str, batches: list[Batch]) -> None:
        if not batches:
            return
        if self._sequence is None:
            self._recall()
        batch = concat(batches)
        sequence, accepted = (self._sequence or 0) + 1, self._accepted.get(source, 0) + len(batch)
        if self._historian.ingest(GATEWAY, sequence, source, accepted, batch).duplicate:
            raise SinkUnavailable("The store counts further than this server knew: send the same lines again.")
        self._sequence, self._accepted[source] = sequence, accepted

    def _recall(self) -> None:
        """Take up the counters where the store has them."""
        self._sequence = self._historian.sequence(GATEWAY)
        ledger = self._historian.ledger()
        self._accepted = {row.source: row.accepted for row in ledger if row.gateway == GATEWAY}
