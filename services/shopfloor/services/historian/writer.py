"""The one way in: group commit of batches from many threads."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant import Batch, BatchError, RejectedError, SinkUnavailable, StoreError
from shopfloor.services.historian import log as book
from shopfloor.services.historian.dictionary import Dictionary
from shopfloor.services.historian.latest import Latest
from shopfloor.services.historian.log import Account, Log
from shopfloor.services.historian.options import Options
from shopfloor.services.historian.rows import Rows
from shopfloor.services.historian.sequence import SequenceGap, Stored
from shopfloor.services.historian.shelf import Shelf

_LAST_TIME = int(np.datetime64("2262-01-01", "ns").astype(np.int64))


@dataclass(slots=True)
class _Request:
    account: Account
    batch: Batch | None
    body: bytes
    sentence: str = ""
    ids: NDArray[np.int32] | None = None
    log_id: int = 0
    answer: Stored | None = None
    error: StoreError | RejectedError | SinkUnavailable | None = None

    @property
    def is_done(self) -> bool:
        return self.answer is not None or self.error is not None


class Writer:
    """Commits batches; one fsync serves all threads that wait for it. `lock` guards the database."""

    def __init__(
        self,
        log: Log,
        shelf: Shelf,
        tags: Dictionary,
        latest: Latest,
        notify: Callable[[Batch], None],
        options: Options,
    ) -> None:
        self.lock = threading.Lock()
        self.full = ""
        self._log, self._shelf, self._tags, self._latest = log, shelf, tags, latest
        self._notify, self._options = notify, options
        self._pending_lock = threading.Lock()
        self._pending: list[_Request] = []
        self._checked = -1.0
        self.on_sealed: Callable[[], None] = lambda: None
        self.trouble: Callable[[], str] = lambda: ""

    def replay(self) -> int:
        """Read back what the log holds and no segment has; answers how many values."""
        rows = 0
        for log_id, gateway, sequence, body in self._log.rows():
            try:
                batch = Batch.from_bytes(body)
            except BatchError as problem:
                raise StoreError(
                    f"{self._log.path}: batch {sequence} of gateway {gateway} is damaged ({problem})."
                ) from problem
            ids = np.array([self._tags.find(name) for name in batch.names], np.int32)
            self._take(batch, ids, log_id)
            rows += len(batch)
        return rows

    def store(self, account: Account, batch: Batch, body: bytes | None) -> Stored:
        """Make a batch durable."""
        if len(batch) and not 0 <= int(batch.time.min()) <= int(batch.time.max()) < _LAST_TIME:
            raise RejectedError("A batch has a time before 1970 or after 2261: correct the clock of its device.")
        self._await_room()
        return self._commit(_Request(account, batch, body or batch.to_bytes()))

    def refuse(self, account: Account, sentence: str) -> Stored:
        """Write down that a gateway gave a batch up."""
        return self._commit(_Request(account, None, b"", sentence))

    def _await_room(self) -> None:
        if not self._shelf.wait_for_room(self._options.backlog, self._options.patience_s):
            raise SinkUnavailable(self.full or self.trouble() or "The store's disk is slower than the flow: try again.")
        self._check_space(time.monotonic())

    def _check_space(self, now: float) -> None:
        folder = self._log.path.parent
        if now - self._checked > 1.0 or self.full:
            self._checked = now
            try:
                free = shutil.disk_usage(folder).free
            except OSError as problem:
                raise SinkUnavailable(f"{folder} cannot be reached ({problem}): mount it again.") from problem
            if free < self._options.reserve_bytes:
                self.full = f"The disk of {folder} is full ({free} bytes left): free space, then it goes on by itself."
                raise SinkUnavailable(self.full)

    def _commit(self, request: _Request) -> Stored:
        with self._pending_lock:
            self._pending.append(request)
        with self.lock:
            if not request.is_done:
                self._commit_pending()
        if request.error is not None:
            raise request.error
        return request.answer or Stored(0, duplicate=False)

    def _commit_pending(self) -> None:
        with self._pending_lock:
            requests, self._pending = self._pending, []
        try:
            with self._log.transaction() as db:
                for request in requests:
                    _enter(db, request, self._tags)
        except (SinkUnavailable, StoreError) as problem:
            self._tags.forget()
            self.full = str(problem)
            for request in requests:
                request.answer, request.error = None, type(problem)(str(problem))
            return
        self._tags.settle()
        self.full = ""
        for request in requests:
            if request.log_id and request.batch is not None and request.ids is not None:
                self._take(request.batch, request.ids, request.log_id)
                self._notify(request.batch)

    def _take(self, batch: Batch, ids: NDArray[np.int32], log_id: int) -> None:
        rows = Rows(ids[batch.tag], batch.time, batch.value, batch.quality)
        self._latest.update(rows, batch.kind)
        if self._shelf.append(rows, batch.kind, log_id) >= self._options.flush_rows:
            self._shelf.seal()
            self.on_sealed()


def _enter(db: sqlite3.Connection, request: _Request, tags: Dictionary) -> None:
    """Do what a request asks, in the transaction of its group."""
    account = request.account
    try:
        if book.is_repeated(db, account):
            book.repeat(db, account)
            request.answer = Stored(0, duplicate=True)
        elif request.batch is None:
            book.reject(db, account, request.sentence)
            request.answer = Stored(0, duplicate=False)
        else:
            request.ids = tags.learn(db, request.batch.names, request.batch.kind)
            request.log_id = book.append(db, account, request.body)
            request.answer = Stored(account.values, duplicate=False)
    except (RejectedError, SequenceGap) as problem:
        request.error = problem
