"""The keeper: one background thread that flushes, compacts and forgets."""

from __future__ import annotations

import errno
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
from shopfloor.plant import SinkUnavailable, StoreError
from shopfloor.services.historian import catalogue
from shopfloor.services.historian.compaction import candidates, compact
from shopfloor.services.historian.latest import Latest
from shopfloor.services.historian.log import Log
from shopfloor.services.historian.memtable import Memtable
from shopfloor.services.historian.options import DAY, Options
from shopfloor.services.historian.segment import Segment
from shopfloor.services.historian.segment_writer import day_of, discard, flush
from shopfloor.services.historian.shelf import Shelf

_log = logging.getLogger(__name__)
_RETRY_S = 2.0


class Keeper:
    """Works in the background; `run_once` does all that is due now.

    `writing` is the lock of the database; files are written outside of it.
    """

    def __init__(
        self,
        folder: Path,
        log: Log,
        shelf: Shelf,
        latest: Latest,
        writing: threading.Lock,
        clock: Callable[[], int],
        options: Options,
    ) -> None:
        self.trouble = ""
        self.collapsed = int(log.meta("collapsed") or 0)
        self.has_mirror = False
        self._folder, self._log, self._shelf, self._latest = folder, log, shelf, latest
        self._writing, self._clock, self._options = writing, clock, options
        self._wake = threading.Event()
        self._closing = False
        self._working = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="historian-keeper", daemon=True)
        with log.transaction() as db:
            self._next_id = catalogue.next_id(db)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def wake(self) -> None:
        """There is something to do."""
        self._wake.set()

    def close(self) -> None:
        """Finish the step at hand and stop."""
        self._closing = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def flush(self) -> None:
        """Turn everything in memory into segments, now."""
        self._shelf.seal()
        with self._working:
            while (memtable := self._shelf.oldest_sealed()) is not None:
                self._flush(memtable)

    def run_once(self) -> None:
        """Flush what is sealed or old, compact what is small, delete what is past its time."""
        if self._shelf.active_age(time.monotonic()) >= self._options.flush_age_s:
            self._shelf.seal()
        with self._working:
            while not self._closing and (memtable := self._shelf.oldest_sealed()) is not None:
                self._flush(memtable)
            self._forget()
            self._compact()

    def _run(self) -> None:
        while not self._closing:
            try:
                self.run_once()
                self.trouble = ""
            except (OSError, pa.ArrowException, StoreError, SinkUnavailable) as problem:
                sentence = _explain(problem, self._folder)
                if sentence != self.trouble:
                    _log.error("%s", sentence)
                self.trouble = sentence
                self._wake.clear()
            self._wake.wait(_RETRY_S if self.trouble else min(1.0, self._options.flush_age_s))
            self._wake.clear()

    def _flush(self, memtable: Memtable) -> None:
        segments, collapsed = flush(memtable, self._folder, self._next_id, self._options)
        try:
            self._publish(memtable, segments, collapsed)
        except (StoreError, SinkUnavailable):
            discard(segments)
            raise
        del memtable
        pa.default_memory_pool().release_unused()

    def _publish(self, memtable: Memtable, segments: list[Segment], collapsed: int) -> None:
        with self._writing:
            with self._log.transaction() as db:
                catalogue.add(db, segments)
                db.execute("DELETE FROM log WHERE id <= ?", (memtable.last_log_id,))
                db.execute("INSERT OR REPLACE INTO meta VALUES ('latest', ?)", (self._latest.to_bytes(),))
                self._count(db, collapsed)
            self._next_id += len(segments)
            self._shelf.publish(memtable, segments)
            self.collapsed += collapsed

    def _count(self, db: sqlite3.Connection, collapsed: int) -> None:
        total = str(self.collapsed + collapsed).encode()
        db.execute("INSERT OR REPLACE INTO meta VALUES ('collapsed', ?)", (total,))

    def _compact(self) -> None:
        with self._writing:
            mirrored = self._log.mirrored() if self.has_mirror else None
        for group in candidates(self._shelf.segments(), self._options.compact_segments, mirrored):
            if self._closing or self._shelf.oldest_sealed() is not None:
                return
            merged, collapsed = compact(group, self._folder, self._next_id, self._options)
            try:
                self._replace(group, [merged], collapsed)
            except (StoreError, SinkUnavailable):
                discard([merged])
                raise

    def _forget(self) -> None:
        if self._options.retention_days is None:
            return
        oldest = day_of(self._clock() - int(self._options.retention_days * DAY))
        gone = [segment for segment in self._shelf.segments() if segment.day < oldest]
        if gone:
            self._replace(gone, [])

    def _replace(self, old: Sequence[Segment], new: list[Segment], collapsed: int = 0) -> None:
        with self._writing:
            with self._log.transaction() as db:
                catalogue.remove(db, old)
                catalogue.add(db, new)
                for segment in new if self.has_mirror else []:
                    catalogue.mark_mirrored(db, segment.id)
                self._count(db, collapsed)
            self._next_id += len(new)
            self.collapsed += collapsed
            self._shelf.replace(old, new)
        for segment in old:
            segment.retire()


def _explain(problem: Exception, folder: Path) -> str:
    if isinstance(problem, OSError) and problem.errno == errno.ENOSPC:
        return f"The disk of {folder} is full: free space, then it goes on by itself."
    if isinstance(problem, (StoreError, SinkUnavailable)):
        return str(problem)
    return f"{folder} cannot be written ({problem}): make it writable, then it goes on by itself."
