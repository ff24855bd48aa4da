"""The one way in: group commit of batches from many threads."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from shopfloor.plant import Batch, RejectedError, SinkUnavailable, StoreError
from shopfloor.services.historian.latest import Latest
from shopfloor.services.historian.log import accounts
from shopfloor.services.historian.log.accounts import Account
from shopfloor.services.historian.log.dictionary import Dictionary
from shopfloor.services.historian.log.log import Log, append
from shopfloor.services.historian.log.sequence import SequenceGap, Stored
from shopfloor.services.historian.options import Options
from shopfloor.services.historian.rows import Rows, numbered
from shopfloor.services.historian.shelf import Shelf
from shopfloor.services.historian.trouble import Trouble, explain

_log = logging.getLogger(__name__)
_LAST_TIME = int(np.datetime64("2262-01-01", "ns").astype(np.int64))


@dataclass(slots=True)
class _Request:
    account: Account
    batch: Batch | None
    body: bytes
    sentence: str = ""
    hole: Sequence[Account] = ()
    rows: Rows | None = None
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
        self.full: Trouble | None = None
        self.unseen: Trouble | None = None
        self.is_behind: Callable[[], bool] = lambda: False
        self._log, self._shelf, self._tags, self._latest = log, shelf, tags, latest
        self._notify, self._options = notify, options
        self._pending_lock = threading.Lock()
        self._pending: list[_Request] = []
        self._checked = -1.0
        self.on_sealed: Callable[[], None] = lambda: None
        self.trouble: Callable[[], Trouble | None] = lambda: None

    def store(self, account: Account, batch: Batch, body: bytes | None) -> Stored:
        """Make a batch durable."""
        if len(batch) and not 0 <= int(batch.time.min()) <= int(batch.time.max()) < _LAST_TIME:
            raise RejectedError("A batch has a time before 1970 or after 2261: correct the clock of its device.")
        self._await_room()
        return self._commit(_Request(account, batch, body or batch.to_bytes()))

    def refuse(self, account: Account, sentence: str) -> Stored:
        """Write down that a gateway gave a batch up."""
        return self._commit(_Request(account, None, b"", sentence))

    def skip(self, first: int, hole: Sequence[Account]) -> Stored:
        """Write down that a gateway dropped its batches from `first` to the sequence of these accounts."""
        return self._commit(_Request(replace(hole[0], sequence=first), None, b"", hole=hole))

    def _await_room(self) -> None:
        if not self._shelf.wait_for_room(self._options.backlog, self._options.patience_s):
            trouble = self.full or self.trouble()
            raise SinkUnavailable(
                trouble.sentence if trouble else "The store's disk is slower than the flow: try again."
            )
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
                sentence = f"The disk of {folder} is full ({free} bytes left): free space, then it goes on by itself."
                self.full = Trouble("full", sentence)
                raise SinkUnavailable(sentence)

    def _commit(self, request: _Request) -> Stored:
        with self._pending_lock:
            self._pending.append(request)
        with self.lock:
            if not request.is_done:
                self._commit_pending()
        if request.error is not None:
            raise request.error
        if request.answer is None:
            raise SinkUnavailable("The store did not come to an answer about a batch: it will be tried again.")
        return request.answer

    def _commit_pending(self) -> None:
        with self._pending_lock:
            requests, self._pending = self._pending, []
        try:
            with self._log.transaction() as db:
                for request in requests:
                    _enter(db, request, self._tags)
        except Exception as problem:  # noqa: BLE001 (whatever it is, nobody may take it for an acknowledgement)
            self._fail(requests, problem)
            return
        self._tags.settle()
        self.full = None
        for request in requests:
            if request.log_id and request.batch is not None and request.rows is not None:
                self._show(request.batch, request.rows, request.log_id)

    def _fail(self, requests: list[_Request], problem: Exception) -> None:
        """Nothing of the group was committed: everybody tries again."""
        self._tags.forget()
        self.full = explain(problem, self._log.path.parent, "Storing a batch")
        if not isinstance(problem, (SinkUnavailable, StoreError)):
            _log.exception("%s", self.full.sentence)
        again = StoreError if isinstance(problem, StoreError) else SinkUnavailable
        for request in requests:
            request.answer, request.error = None, again(self.full.sentence)

    def _show(self, batch: Batch, rows: Rows, log_id: int) -> None:
        """Make a committed batch readable. Should that fail, its log row stays until the next start reads it back."""
        try:
            if not self.is_behind():
                self.take(batch, rows, log_id)
            self._notify(batch)
        except Exception as problem:  # noqa: BLE001 (the batch is durable: its sender must hear so)
            why = f"{type(problem).__name__}: {problem}"
            self.unseen = Trouble("failed", f"Stored values cannot be read before the server is restarted ({why}).")
            _log.exception("%s", self.unseen.sentence)

    def take(self, batch: Batch, rows: Rows, log_id: int) -> None:
        """Make the rows of a log row readable; nobody else does so at the same time."""
        full = self._shelf.append(rows, batch.kind, log_id) >= self._options.flush_rows
        self._latest.update(rows, batch.kind)
        if full:
            self._shelf.seal()
            self.on_sealed()


def _enter(db: sqlite3.Connection, request: _Request, tags: Dictionary) -> None:
    """Do what a request asks, in the transaction of its group."""
    account = request.account
    try:
        if accounts.is_repeated(db, account):
            accounts.repeat(db, account)
            request.answer = Stored(0, duplicate=True)
        elif request.hole:
            for dropped in request.hole:
                accounts.drop(db, dropped)
            request.answer = Stored(0, duplicate=False)
        elif request.batch is None:
            accounts.reject(db, account, request.sentence)
            request.answer = Stored(0, duplicate=False)
        else:
            request.rows = numbered(request.batch, tags.learn(db, request.batch.names, request.batch.kind))
            request.log_id = append(db, account, request.body)
            request.answer = Stored(account.values, duplicate=False)
    except SequenceGap as gap:
        accounts.note_gap(db, account)
        request.error = gap
    except RejectedError as problem:
        request.error = problem
