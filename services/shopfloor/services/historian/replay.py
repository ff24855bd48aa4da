"""Reading the log back after a start: what was committed and is in no segment yet.

What takes long goes on in the background. Batches that come meanwhile are committed at once and read back behind the
others, so that values are seen in the order of their commits; whoever reads waits until all is there.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from itertools import accumulate
from typing import Final

from shopfloor.plant import Batch, BatchError, SinkUnavailable, StoreError
from shopfloor.services.historian.log import log as book
from shopfloor.services.historian.log.dictionary import Dictionary
from shopfloor.services.historian.log.log import Log
from shopfloor.services.historian.log.logged import Damaged, Entry, damaged, decoded
from shopfloor.services.historian.rows import Rows

_log = logging.getLogger(__name__)
PATIENCE_S: Final = 0.25
"""How long a start waits for the log to be read back before that goes on in the background."""

_PORTION: Final = 32
_ROWS: Final = 60_000
Take = Callable[[Batch, Rows, int], None]


class Replay:
    """Reads the log back, in the order of commits. `writing` is the lock of the database, and of `behind`.

    While `behind` is set, whoever commits a batch leaves it to be read back. What is damaged is set aside.
    """

    def __init__(self, log: Log, writing: threading.Lock, tags: Dictionary, take: Take) -> None:
        self.behind = True
        self.done = threading.Event()
        self.damaged: list[str] = []
        self.problem = ""
        self._log, self._writing, self._tags, self._take = log, writing, tags, take
        self._bad: list[Damaged] = []
        self._last = 0
        self._closing = False
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Read back for at most `PATIENCE_S`; what is left is read in the background."""
        until = time.monotonic() + PATIENCE_S
        while self.behind and time.monotonic() < until:
            self._step()
        if self.behind:
            self._thread = threading.Thread(target=self._run, name="historian-replay", daemon=True)
            self._thread.start()

    def wait(self) -> None:
        """Until all is there. `StoreError` where that can no longer be."""
        self.done.wait()
        if self.behind:
            raise StoreError(self.problem or "The store was closed before its log was read back: open it again.")

    def close(self) -> None:
        """Stop; what was not read back stays in the log."""
        self._closing = True
        if self._thread is not None:
            self._thread.join()
        self.done.set()

    def _run(self) -> None:
        try:
            while self.behind and not self._closing:
                self._step()
        except Exception as problem:  # noqa: BLE001 (whoever waits for this thread must hear of it)
            self.problem = f"The log cannot be read back ({type(problem).__name__}: {problem}): restart the server."
            _log.exception("%s", self.problem)
        self.done.set()

    def _step(self) -> None:
        """The next portion; with none left, the end."""
        with self._writing:
            entries = self._log.entries(self._last, _PORTION)
            before = [0, *accumulate(entry.values or 0 for entry in entries)]
            found = [(entry, self._body(entry)) for entry, rows in zip(entries, before, strict=False) if rows < _ROWS]
            if not found:
                self._set_aside()
                self.behind = False
                self.done.set()
        for entry, body in found:
            if body is not None:
                self._read(entry, body)
            self._last = entry.id

    def _body(self, entry: Entry) -> bytes | None:
        try:
            return self._log.body(entry)
        except BatchError as problem:
            self._bad.append(damaged(entry, problem, self._log.path))
            return None

    def _read(self, entry: Entry, body: bytes) -> None:
        found = decoded(entry, body, self._tags.find, self._log.path)
        if isinstance(found, Damaged):
            self._bad.append(found)
        else:
            self._take(found.batch, found.rows, entry.id)

    def _set_aside(self) -> None:
        self.damaged = [bad.sentence for bad in self._bad]
        for bad in self._bad:
            _log.error("%s", bad.sentence)
            try:
                with self._log.transaction() as db:
                    book.set_aside(db, bad.entry, bad.sentence)
            except (SinkUnavailable, StoreError) as problem:
                _log.warning("The ledger does not show it yet: %s", problem)
