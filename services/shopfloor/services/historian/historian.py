"""The historian: its parts put together."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from shopfloor.plant import Batch
from shopfloor.services.historian.care.log_checks import check_pages, damaged_database
from shopfloor.services.historian.folder import FolderLock
from shopfloor.services.historian.keeper import Keeper
from shopfloor.services.historian.latest import Latest
from shopfloor.services.historian.log.accounts import Account
from shopfloor.services.historian.log.dictionary import Dictionary
from shopfloor.services.historian.log.log import Log
from shopfloor.services.historian.log.sequence import SourceLedger, Stored
from shopfloor.services.historian.meters import Meters
from shopfloor.services.historian.notifier import Notifier
from shopfloor.services.historian.options import Options
from shopfloor.services.historian.read.long import History
from shopfloor.services.historian.read.reader import StoreReader
from shopfloor.services.historian.remote import Forward, Target, server_reader
from shopfloor.services.historian.remote.aside import SetAside
from shopfloor.services.historian.remote.deliveries import Deliveries
from shopfloor.services.historian.remote.fronted import FrontedReader
from shopfloor.services.historian.replay import Replay
from shopfloor.services.historian.segments import catalogue, pins
from shopfloor.services.historian.shelf import PendingShelf, Shelf
from shopfloor.services.historian.writer import Writer

_log = logging.getLogger(__name__)


class Historian:
    """A time-series store in a folder. Thread-safe; one process at a time.

    >>> import tempfile
    >>> from shopfloor.plant import Batch, Sample
    >>> batch = Batch.of([Sample("delta/frames/line/cell/cnc-01/spindle.power", 1_000, 3.5)])
    >>> with tempfile.TemporaryDirectory() as folder, Historian.open(folder) as store:
    ...     stored = store.ingest("edge-1-00c0ffee", 1, "machining", 1, batch)
    ...     store.reader.read(batch.names, 0, 2_000).column("value").to_pylist()
    [3.5]
    """

    def __init__(
        self, folder: Path, clock: Callable[[], int], options: Options, targets: Sequence[Target] = ()
    ) -> None:
        self._folder = folder
        self._closed = False
        self._forwards: list[Forward] = []
        self._fronted: FrontedReader | None = None
        self._closing = ExitStack()
        self._lock = FolderLock(folder)
        try:
            self._log = Log(folder / "log.db")
        except BaseException:
            self._lock.release()
            raise
        try:
            self._build(clock, options, targets)
        except sqlite3.DatabaseError as problem:
            self._log.close()
            self._lock.release()
            raise damaged_database(self._log.path, problem) from problem
        except BaseException:
            self._log.close()
            self._lock.release()
            raise

    @classmethod
    def open(
        cls,
        folder: Path | str,
        *,
        clock: Callable[[], int] = time.time_ns,
        options: Options | None = None,
        targets: Sequence[Target] = (),
    ) -> Self:
        """Open or make the store in `folder`. `StoreError` says why it cannot be: in use, read-only, damaged.

        Every one of `targets` gets a copy of all values, what is stored already included, for as long as it is open.
        """
        return cls(Path(folder), clock, options or Options(), targets)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop. What is not in a segment yet stays in the log."""
        if self._closed:
            return
        self._closed = True
        for forward in self._forwards:
            forward.close()
        self._closing.close()
        self._replay.close()
        self._keeper.close()
        self._notifier.close()
        self._log.close()
        self._lock.release()

    @property
    def reader(self) -> StoreReader:
        """The way to read back; thread-safe."""
        return self._reader

    def ingest(
        self, gateway: str, sequence: int, source: str, accepted: int, batch: Batch, body: bytes | None = None
    ) -> Stored:
        """Make a batch durable; when this returns it is on the disk.

        `accepted` is the gateway's cumulative count for the source, this batch included. `body` saves work where
        `batch.to_bytes()` is at hand. A repeated sequence stores nothing. Raises `SequenceGap` (send `expected` first),
        `RejectedError` (never), `SinkUnavailable` (later).
        """
        began = time.perf_counter()
        stored = self._writer.store(Account(gateway, sequence, source, accepted, len(batch)), batch, body)
        self.meters.append.since(began)
        return stored

    def note_rejected(
        self, gateway: str, sequence: int, source: str, values: int, accepted: int, sentence: str
    ) -> Stored:
        """Write down that the gateway gave a batch up after `RejectedError`; its sequence goes on."""
        return self._writer.refuse(Account(gateway, sequence, source, accepted, values), sentence)

    def note_dropped(self, gateway: str, first: int, last: int, sources: Mapping[str, tuple[int, int]]) -> Stored:
        """Write down that a full spool gave up the batches `first` to `last`; the sequence goes on after them.

        `sources` holds for each source the values dropped, and all that it had accepted after them.
        """
        hole = [Account(gateway, last, name, accepted, values) for name, (values, accepted) in sources.items()]
        return self._writer.skip(first, hole)

    def subscribe(self, callback: Callable[[Batch], None]) -> Callable[[], None]:
        """Call `callback` with every batch after its commit, on another thread; call the answer to unsubscribe."""
        return self._notifier.subscribe(callback)

    @property
    def missed(self) -> int:
        """Batches of which subscribers were never told, because they were too slow."""
        return self._notifier.passed

    def ledger(self) -> list[SourceLedger]:
        """The account of every source of every gateway."""
        with self._writer.lock:
            return self._log.ledger()

    def sequence(self, gateway: str) -> int:
        """The sequence that a gateway has reached here; 0 when it is not known."""
        with self._writer.lock, self._log.transaction() as db:
            row = db.execute("SELECT last FROM gateways WHERE gateway = ?", (gateway,)).fetchone()
        return int(row[0]) if row else 0

    def stats(self) -> dict[str, Any]:
        """What the store holds and how it is.

        rows, bytes, segments, oldest and newest (UTC ns or None), memory_rows, log_bytes, collapsed, state, sentence,
        damaged, targets (`Forward.told`).
        `state` is ok, full (no space), readonly, failed (something else keeps the store from working; it tries again)
        or damaged (everything else is served; `damaged` names each file and batch).
        """
        segments = self._shelf.segments()
        rows, start, end = self._shelf.memory()
        starts, ends = [s.start for s in segments], [s.end for s in segments]
        if rows:
            starts, ends = [*starts, start], [*ends, end]
        damaged = [segment.damage for segment in segments if segment.damage] + self._replay.damaged
        state, sentence = self._state(damaged)
        return {
            "rows": rows + sum(segment.rows for segment in segments),
            "bytes": sum(_size(path) for segment in segments for path in segment.files()),
            "segments": len(segments),
            "oldest": min(starts, default=None),
            "newest": max(ends, default=None),
            "memory_rows": rows,
            "log_bytes": sum(_size(self._log.path.with_name(self._log.path.name + end)) for end in ("", "-wal")),
            "collapsed": self._keeper.collapsed,
            "state": state,
            "sentence": sentence,
            "damaged": damaged,
            "targets": [forward.told() for forward in self._forwards],
        }

    @property
    def meters(self) -> Meters:
        """How long appending, flushing and compacting took since the store was opened."""
        return self._keeper.meters

    @property
    def history(self) -> History:
        """The way to read back what may lie in a server store: this store's own until `read_from` was called."""
        return self._fronted or self._reader

    def read_from(self, forward: Forward) -> FrontedReader:
        """Read history from the server of a forward from now on, with what it does not have yet from here."""
        server = server_reader(forward.target)
        self._closing.callback(server.close)
        pending = StoreReader(PendingShelf(self._shelf, forward.durable), self._tags, self._latest)
        self._fronted = FrontedReader(forward.target, server, self._reader, pending)
        return self._fronted

    @property
    def forwards(self) -> tuple[Forward, ...]:
        """The copies to server stores, in the order of `targets`."""
        return tuple(self._forwards)

    def set_aside(self) -> list[SetAside]:
        """What server stores refused for good, the values included."""
        return self._deliveries.set_aside()

    def flush(self) -> None:
        """Turn everything in memory into segments, now."""
        self._replay.wait()
        self._keeper.flush()

    def maintain(self) -> None:
        """Do what the background would do next: flush, retention, compaction."""
        self._replay.wait()
        self._keeper.run_once()

    def _state(self, damaged: list[str]) -> tuple[str, str]:
        troubles = [said for said in (self._writer.full, self._keeper.trouble, self._writer.unseen) if said]
        if troubles:
            # SQLite calls a disk that turned read-only an I/O error; who writes files knows better.
            trouble = next((said for said in troubles if said.state != "failed"), troubles[0])
            return trouble.state, trouble.sentence
        if self._replay.problem:
            return "failed", self._replay.problem
        if damaged:
            return "damaged", damaged[0]
        said = [forward.sentence for forward in self._forwards if forward.sentence]
        if self._fronted is not None and self._fronted.trouble:
            said.append(f"{self._fronted.trouble} Until it does, pages show what is kept here.")
        if self._replay.behind:
            return "ok", "The store reads its log back: values are taken, and questions answered as soon as it has."
        return "ok", " ".join(said) or "The store takes and keeps every value."

    def _build(self, clock: Callable[[], int], options: Options, targets: Sequence[Target]) -> None:
        with self._log.transaction() as db:
            check_pages(db, self._log.path)
            segments = catalogue.load(db, self._folder)
        for path in catalogue.sweep(self._folder, segments):
            _log.info("Removed %s, which no segment lists", path)
        pins.sweep(self._folder)
        self._shelf, self._latest = Shelf(segments), Latest()
        self._tags, self._notifier = Dictionary(self._log.tags()), Notifier()
        self._writer = Writer(self._log, self._shelf, self._tags, self._latest, self._notifier.put, options)
        self._deliveries = Deliveries(self._log, self._writer.lock, [target.key for target in targets])
        self._keeper = Keeper(
            self._folder,
            self._log,
            self._shelf,
            self._latest,
            self._writer.lock,
            clock,
            options,
            self._deliveries,
            paths=self._tags.paths,
        )
        self._reader = StoreReader(self._shelf, self._tags, self._latest)
        self._recall()
        self._replay = Replay(self._log, self._writer.lock, self._tags, self._writer.take)
        self._writer.is_behind = lambda: self._replay.behind
        self._shelf.settled = self._latest.settled = self._replay.wait
        self._writer.on_sealed = self._keeper.wake
        self._writer.trouble = lambda: self._keeper.trouble
        self._replay.begin()
        self._keeper.start()
        self._forwards += [Forward(target, self._deliveries, self._shelf, self._tags) for target in targets]

    def _recall(self) -> None:
        """The newest values of what lies in segments: as kept, or read again where that is missing or damaged."""
        kept = self._log.meta("newest")
        if (kept is None and self._shelf.segments()) or (kept is not None and not self._latest.load(kept)):
            _log.info("Reading the newest value of %d tags from the segments", len(self._tags))
            self._reader.fill(self._latest)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
