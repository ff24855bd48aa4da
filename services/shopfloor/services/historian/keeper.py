"""The keeper: one background thread that flushes, compacts and forgets."""

from __future__ import annotations

import itertools
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import pyarrow as pa
from shopfloor.plant import SinkUnavailable, StoreError
from shopfloor.services.historian.latest import Latest
from shopfloor.services.historian.log import log as book
from shopfloor.services.historian.log.log import Log
from shopfloor.services.historian.memtable import Memtable
from shopfloor.services.historian.meters import Meters
from shopfloor.services.historian.options import HOUR, Options, Retention
from shopfloor.services.historian.remote.deliveries import Deliveries
from shopfloor.services.historian.segments import catalogue
from shopfloor.services.historian.segments.compaction import candidates, closings, compact, neighbours
from shopfloor.services.historian.segments.retention import Ages, Past, without
from shopfloor.services.historian.segments.segment import DamagedError, Segment
from shopfloor.services.historian.segments.segment_writer import day_of, discard, flush
from shopfloor.services.historian.shelf import Shelf
from shopfloor.services.historian.trouble import Trouble, explain

_log = logging.getLogger(__name__)
_RETRY_S: Final = {"Flushing": (1.0, 10.0), "Deleting old days": (5.0, 300.0), "Compaction": (5.0, 300.0)}
"""How long each work pauses after its first failure, and at most; every further failure doubles the pause."""

_SPARE_PAGES: Final = 1024
_SHRINK_PAGES: Final = 64
"""Free pages of 16 kB that the log keeps for the next minutes, and how many it gives back at a time."""


class _ClosingError(Exception):
    """The store closes: what was begun is given up."""


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
        deliveries: Deliveries,
        *,
        paths: Sequence[str],
    ) -> None:
        self.meters = Meters()
        self.collapsed = int(log.meta("collapsed") or 0)
        self._folder, self._log, self._shelf, self._latest = folder, log, shelf, latest
        self._writing, self._clock, self._options, self._deliveries = writing, clock, options, deliveries
        self._paths, self._ages = paths, Ages(options.retention)
        self._wake = threading.Event()
        self._closing = False
        self._working, self._flushing = threading.Lock(), threading.Lock()
        self._came: dict[str, float] = {}
        self._opened = time.monotonic()
        self._troubles: dict[str, Trouble] = {}
        self._pauses: dict[str, tuple[float, float]] = {}
        self._thread = threading.Thread(target=self._run, name="historian-keeper", daemon=True)
        with log.transaction() as db:
            self._ids = itertools.count(catalogue.next_id(db))

    @property
    def trouble(self) -> Trouble | None:
        """What keeps it from working, if anything."""
        for trouble in tuple(self._troubles.values()):
            return trouble
        if not self._closing and self._thread.ident is not None and not self._thread.is_alive():
            return Trouble("failed", "The store no longer works in the background: restart the server.")
        return None

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
        self._flush_sealed()

    def run_once(self) -> None:
        """Flush what is sealed or old, delete what is past its time, compact what is small.

        A day that is over is taken for quiet: its segments become one.
        """
        self._came.clear()
        self._opened = -self._options.quiet_s
        for work in self._works().values():
            with self._working:
                work()

    def _works(self) -> dict[str, Callable[[], None]]:
        return {"Flushing": self._flush_due, "Deleting old days": self._forget, "Compaction": self._compact}

    def _run(self) -> None:
        while not self._closing:
            for name, work in self._works().items():
                self._attempt(name, work)
            self._wake.wait(min(1.0, self._options.flush_age_s))
            self._wake.clear()

    def _attempt(self, name: str, work: Callable[[], None]) -> None:
        """Do a work unless it pauses after a failure; a failure of one never keeps the others from their turn."""
        again, _ = self._pauses.get(name, (0.0, 0.0))
        if time.monotonic() < again:
            return
        try:
            with self._working:
                work()
        except Exception as problem:  # noqa: BLE001 (a thread that ends silently would lose the plant's memory)
            self._note(name, problem)
        else:
            self._pauses.pop(name, None)
            if self._troubles.pop(name, None):
                _log.warning("%s goes on.", name)

    def _note(self, name: str, problem: Exception) -> None:
        first, most = _RETRY_S[name]
        pause = min(self._pauses.get(name, (0.0, first / 2))[1] * 2, most)
        self._pauses[name] = (time.monotonic() + pause, pause)
        trouble = explain(problem, self._folder, name)
        if trouble != self._troubles.get(name):
            expected = isinstance(problem, (OSError, StoreError, SinkUnavailable))
            _log.error("%s", trouble.sentence, exc_info=None if expected else problem)
        self._troubles[name] = trouble

    def _flush_due(self) -> None:
        if self._shelf.active_age(time.monotonic()) >= self._options.flush_age_s:
            self._shelf.seal()
        self._flush_sealed()
        self._shrink()

    def _flush_sealed(self) -> None:
        with self._flushing:
            while not self._closing and (memtable := self._shelf.oldest_sealed()) is not None:
                self._flush(memtable)

    def _shrink(self) -> None:
        """Give the log's free pages back, a little at a time, so that no batch waits for it."""
        more = True
        while more and not self._closing and self._shelf.oldest_sealed() is None:
            with self._writing:
                more = self._log.shrink(_SHRINK_PAGES, _SPARE_PAGES)

    def _flush(self, memtable: Memtable) -> None:
        began = time.perf_counter()
        segments, collapsed = flush(memtable, self._folder, self._ids, self._options)
        try:
            self._publish(memtable, segments, collapsed)
        except BaseException:
            discard(segments)
            raise
        self.meters.flush.since(began)
        del memtable
        pa.default_memory_pool().release_unused()

    def _publish(self, memtable: Memtable, segments: list[Segment], collapsed: int) -> None:
        with self._writing:
            with self._log.transaction() as db:
                catalogue.add(db, segments)
                book.forget(db, memtable.log_spans)
                db.execute("INSERT OR REPLACE INTO meta VALUES ('newest', ?)", (self._latest.to_bytes(),))
                self._count(db, collapsed)
            self._shelf.publish(memtable, segments)
            self._came.update((segment.day, time.monotonic()) for segment in segments)
            self.collapsed += collapsed

    def _count(self, db: sqlite3.Connection, collapsed: int) -> None:
        total = str(self.collapsed + collapsed).encode()
        db.execute("INSERT OR REPLACE INTO meta VALUES ('collapsed', ?)", (total,))

    def _compact(self) -> None:
        free = self._deliveries.durable()
        try:
            for group in _one_by_one(candidates(self._shelf.segments(), self._options.compact_segments, free)):
                self._merge(group, final=False)
            over = day_of(self._clock() - HOUR)
            for group in _one_by_one(closings(self._shelf.segments(), over, free)):
                if self._is_quiet(group[0].day):
                    self._merge(group, final=True)
        except _ClosingError:
            return

    def _is_quiet(self, day: str) -> bool:
        return time.monotonic() - self._came.get(day, self._opened) >= self._options.quiet_s

    def _merge(self, group: Sequence[Segment], *, final: bool) -> None:
        began = time.perf_counter()
        try:
            merged, collapsed = compact(
                group, self._folder, next(self._ids), self._options, final=final, meanwhile=self._meanwhile
            )
        except DamagedError as problem:
            _log.error("%s", problem)
            return
        try:
            self._replace(group, [merged], collapsed)
        except BaseException:
            discard([merged])
            raise
        self.meters.compaction.since(began)

    def _meanwhile(self) -> None:
        """A long compaction neither keeps memory from the disk nor the store from closing."""
        if self._closing:
            raise _ClosingError
        self._flush_sealed()

    def _forget(self) -> None:
        if self._options.retention == Retention():
            return
        free, now = self._deliveries.durable(), self._clock()
        past = cache(lambda day: self._ages.past(day, now, self._paths))
        try:
            for group in neighbours(self._shelf.segments(), free):
                if len(group) > 1 and any(past(group[0].day).touches(segment) for segment in group):
                    self._merge(group, final=True)
            for segment in self._shelf.segments():
                if (free is None or segment.id in free or segment.damage) and past(segment.day).touches(segment):
                    self._shorten(segment, past(segment.day))
        except _ClosingError:
            return

    def _shorten(self, segment: Segment, past: Past) -> None:
        """Put a segment without what is past its time where it was; a damaged one goes when all of it is."""
        rest: Segment | None = None
        if not segment.damage:
            try:
                rest = without(segment, past, self._folder, next(self._ids), self._options, self._meanwhile)
            except DamagedError as problem:
                _log.error("%s", problem)
                return
        elif not past.rows.all():
            return
        new = [] if rest is None else [rest]
        try:
            self._replace([segment], new)
        except BaseException:
            discard(new)
            raise

    def _replace(self, old: Sequence[Segment], new: list[Segment], collapsed: int = 0) -> None:
        with self._writing:
            with self._log.transaction() as db:
                catalogue.remove(db, old)
                catalogue.add(db, new)
                self._deliveries.replaced(db, old, new)
                self._count(db, collapsed)
            self.collapsed += collapsed
            self._deliveries.committed(old, new)
            self._shelf.replace(old, new)
        for segment in old:
            segment.retire()


def _one_by_one(groups: list[list[Segment]]) -> Iterator[list[Segment]]:
    """Each in turn, and let go of it: the files that were replaced are deleted once nobody holds their segments."""
    while groups:
        yield groups.pop(0)
