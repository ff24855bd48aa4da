"""Tells subscribers about committed batches, on a thread of its own, so that nobody slows the ingest."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from shopfloor.plant import Batch

_log = logging.getLogger(__name__)
LIMIT_ROWS: Final = 2_000_000


class Notifier:
    """Calls every subscriber with every batch, in the order of commits.

    When subscribers fall behind by more than `LIMIT_ROWS` values the oldest waiting batch is passed over, with a line
    in the log: the store itself holds everything.
    """

    def __init__(self) -> None:
        self._subscribers: list[Callable[[Batch], None]] = []
        self._waiting: deque[Batch] = deque()
        self._waiting_rows = 0
        self.passed = 0
        """Batches that were passed over since the start."""
        self._said = 0
        self._wake = threading.Condition()
        self._open = True
        self._thread: threading.Thread | None = None

    def subscribe(self, callback: Callable[[Batch], None]) -> Callable[[], None]:
        """Call `callback` with every batch from now on; call the answer to end it."""
        with self._wake:
            self._subscribers.append(callback)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="historian-notify", daemon=True)
                self._thread.start()

        def unsubscribe() -> None:
            with self._wake:
                if callback in self._subscribers:
                    self._subscribers.remove(callback)

        return unsubscribe

    def put(self, batch: Batch) -> None:
        """A batch was committed."""
        with self._wake:
            if not self._subscribers:
                return
            self._waiting.append(batch)
            self._waiting_rows += len(batch)
            while self._waiting_rows > LIMIT_ROWS and len(self._waiting) > 1:
                self._waiting_rows -= len(self._waiting.popleft())
                self.passed += 1
            self._wake.notify()

    def close(self) -> None:
        """Deliver what waits, then stop."""
        with self._wake:
            self._open = False
            self._wake.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(5)

    def _run(self) -> None:
        while (batch := self._next()) is not None:
            for callback in tuple(self._subscribers):
                try:
                    callback(batch)
                except Exception:  # noqa: BLE001 (whatever a subscriber does, the store goes on)
                    _log.exception("A subscriber of the store failed at a batch of %d values", len(batch))

    def _next(self) -> Batch | None:
        with self._wake:
            self._wake.wait_for(lambda: self._waiting or not self._open)
            if self.passed > self._said:
                _log.warning("Subscribers are too slow: %d batches were not delivered", self.passed - self._said)
                self._said = self.passed
            if not self._waiting:
                return None
            batch = self._waiting.popleft()
            self._waiting_rows -= len(batch)
            return batch
