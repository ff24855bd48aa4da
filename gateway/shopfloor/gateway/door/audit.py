"""The audit of writes: what was asked of which device, by whom, and what came of it.

The intent is on disk (SQLite, WAL, synchronous=FULL) before the device is asked, the outcome after it has answered. An
intent that a crash left without an outcome gets one when the audit is opened again: nobody knows. Every row carries the
SHA-256 of the row before it and of itself, so that a row that was changed, moved or taken out shows.

The chain proves nothing against someone who can write the file and computes it anew: for that, keep `head()` elsewhere.
"""

from __future__ import annotations

import builtins
import json
import logging
import math
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from shopfloor.plant import StoreError, chain, quality
from shopfloor.plant.contracts import Outcome, Setpoint

_logger = logging.getLogger(__name__)
_SCHEMA: Final = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS entry (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, intent INTEGER NOT NULL, body TEXT NOT NULL, hash TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS entry_intent ON entry (intent);
"""
_LONGEST: Final = 500
_MANY: Final = 100
STOPPED: Final = (
    "The gateway stopped before the device had answered: nobody knows whether the device took the value; look at it."
)


@dataclass(frozen=True, slots=True)
class Record:
    """One setpoint and its fate. `state` is done, refused, unknown, or open while the device is being asked.

    `time` is UTC ns; `status` an OPC UA StatusCode (None while open).
    """

    sequence: int
    time: int
    by: str
    reason: str
    source: str
    tag: str
    asked: Any
    state: str
    status: int | None = None
    sentence: str = ""
    before: Any = None
    after: Any = None


@dataclass(slots=True)
class Audit:
    """A file of one gateway. Its methods block for a commit and may be called from any thread.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder, Audit.open(Path(folder)) as audit:
    ...     intent = audit.intend(Setpoint("a/b/c/d/e/t", 2.0), "machining", "ada", "less chatter")
    ...     audit.close(intent, Outcome(0, 2.0, "It holds 2.", 1.0))
    ...     [(record.by, record.before, record.after, record.state) for record in audit.newest(5)], audit.verify()
    ([('ada', 1.0, 2.0, 'done')], '')
    """

    file: Path
    clock: Callable[[], int] = time.time_ns
    _db: sqlite3.Connection | None = None
    _broken: StoreError | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    @contextmanager
    def open(cls, folder: Path, clock: Callable[[], int] = time.time_ns) -> Iterator[Self]:
        """The audit in the gateway's data folder; what a crash left open is closed as unknown.

        A file that cannot be used shuts the door, not the gateway: every call raises `StoreError`, values go on.
        """
        audit = cls(folder / "audit.sqlite", clock)
        try:
            audit._begin()
        except StoreError as problem:
            _logger.error("%s", problem)  # noqa: TRY400 (a sentence, no trace)
            audit._broken = problem
        try:
            yield audit
        finally:
            if audit._db is not None:
                audit._db.close()

    def _begin(self) -> None:
        with self._explained():
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.file, check_same_thread=False, isolation_level=None, timeout=10)
            self._db.executescript(_SCHEMA)
        for intent in self._unanswered():
            self.close(intent, Outcome(quality.BAD_COMMUNICATION_ERROR, None, STOPPED))

    def intend(self, setpoint: Setpoint, source: str, by: str, reason: str) -> int:
        """Note what is about to be asked, and answer the number of the intent. When this returns, it is on disk."""
        return self._append(None, _asked(setpoint, source, by, reason))

    def close(self, intent: int, outcome: Outcome) -> None:
        """Note what came of an intent."""
        self._append(intent, _answered(outcome))

    def refuse(self, setpoint: Setpoint, source: str, by: str, reason: str, outcome: Outcome) -> None:
        """Note a setpoint that never went to a device."""
        self._append(None, {**_asked(setpoint, source, by, reason), **_answered(outcome), "state": "refused"})

    def newest(self, n: int) -> list[Record]:
        """The newest `n` setpoints, the newest first."""
        with self._explained(), self._lock:
            rows = self._open.execute(
                "SELECT a.sequence, a.body, b.body FROM entry a LEFT JOIN entry b"
                " ON b.intent = a.sequence AND b.sequence != a.sequence"
                " WHERE a.intent = a.sequence ORDER BY a.sequence DESC LIMIT ?",
                (n,),
            ).fetchall()
        return [_record(sequence, json.loads(asked), json.loads(answer or "{}")) for sequence, asked, answer in rows]

    def head(self) -> tuple[int, str]:
        """Number and hash of the newest row: whoever keeps it elsewhere can prove later that nothing was rewritten."""
        with self._explained(), self._lock:
            return self._head()

    def verify(self, head: tuple[int, str] | None = None) -> str:
        """Empty when every row is as it was written (and `head`, noted earlier, is among them), or what is wrong."""
        with self._explained(), self._lock:
            rows = self._open.execute("SELECT sequence, intent, body, hash FROM entry ORDER BY sequence").fetchall()
            last = self._last()
        return chain.fault([((sequence, *parts), noted) for sequence, *parts, noted in rows], last, head)

    def _append(self, intent: int | None, body: dict[str, Any]) -> int:
        with self._explained(), self._lock:
            self._open.execute("BEGIN IMMEDIATE")
            try:
                sequence, before = self._last() + 1, self._head()[1]
                text = chain.text({"time": self.clock(), **body})
                of = sequence if intent is None else intent
                self._open.execute(
                    "INSERT INTO entry VALUES (?, ?, ?, ?)",
                    (sequence, of, text, chain.link(before, sequence, of, text)),
                )
                self._open.execute("COMMIT")
            except BaseException:
                self._open.execute("ROLLBACK")
                raise
        return sequence

    @property
    def _open(self) -> sqlite3.Connection:
        assert self._db is not None  # noqa: S101 (`open` comes first, and says when it failed)
        return self._db

    def _head(self) -> tuple[int, str]:
        row = self._open.execute("SELECT sequence, hash FROM entry ORDER BY sequence DESC LIMIT 1").fetchone()
        return (row[0], row[1]) if row else (0, chain.FIRST)

    def _last(self) -> int:
        row = self._open.execute("SELECT seq FROM sqlite_sequence WHERE name = 'entry'").fetchone()
        return int(row[0]) if row else 0

    def _unanswered(self) -> builtins.list[int]:
        return [record.sequence for record in self.newest(-1) if record.state == "open"]

    @contextmanager
    def _explained(self) -> Iterator[None]:
        if self._broken is not None:
            raise self._broken
        try:
            yield
        except (sqlite3.Error, OSError) as problem:
            raise StoreError(
                f"The audit of writes {self.file} cannot be used ({problem}): see to the disk and the permissions;"
                " until then nothing is written to a device."
            ) from problem


def _asked(setpoint: Setpoint, source: str, by: str, reason: str) -> dict[str, Any]:
    return {
        "tag": setpoint.tag[:_LONGEST],
        "asked": _plain(setpoint.value),
        "source": source,
        "by": by[:_LONGEST],
        "reason": reason[:_LONGEST],
    }


def _answered(outcome: Outcome) -> dict[str, Any]:
    return {
        "status": outcome.status,
        "sentence": outcome.sentence,
        "before": _plain(outcome.before),
        "after": _plain(outcome.read_back),
        "state": "unknown" if is_unknown(outcome) else "done" if not outcome.status >> 31 else "refused",
    }


def is_unknown(outcome: Outcome) -> bool:
    """Whether nobody knows if the device took the value."""
    return outcome.status in {quality.BAD_COMMUNICATION_ERROR, quality.BAD_TIMEOUT}


def _plain(value: object) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value[:_MANY]]
    if value is None or isinstance(value, bool) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, int):
        return value if value.bit_length() <= 64 else f"a number of {value.bit_length()} bits"
    return str(value)[:_LONGEST]


def _record(sequence: int, asked: dict[str, Any], answer: dict[str, Any]) -> Record:
    both = {"state": "open"} | asked | {key: value for key, value in answer.items() if key != "time"}
    return Record(sequence, **both)
