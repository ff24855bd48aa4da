"""Scores: what every version said of every window, live or as a shadow, and what turned out to be true, later.

A prediction has the id of its bundle, asset and window: the same one is kept once. A label joins the windows of its
asset by their part, or those that end within [start, end]. It is an interval: a truth that is not known yet, such as
the life of a tool that still cuts, is [what is certain, infinity], and is replaced by the truth when that comes.
"""

from __future__ import annotations

import hashlib
import math
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant import StoreError
from shopfloor.services.records import connected
from shopfloor.services.registry.marks import KEEP_BESIDE, WRITE_LABEL, Marks
from shopfloor.services.registry.marks import SCHEMA as MARKS
from shopfloor.services.registry.questions import BESIDE, DAYS, KEPT_ROWS, OF_NEWEST, OF_OLDEST, SCHEMA
from shopfloor.services.registry.scope import covers
from shopfloor.services.registry.seen import Seen

Floats = NDArray[np.float64]
_DAY: Final = 86_400 * 10**9
KEPT: Final = 90 * _DAY
_MOST: Final = 2_000
_TRIAL: Final = 10_000
_TIDY: Final = 1_000


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a version said of one window. `value` is None where it failed. `window_end` UTC ns, `latency_us` per row."""

    name: str
    number: int
    sha: str
    asset: str
    window_end: int
    live: bool
    value: float | None
    low: float | None
    high: float | None
    latency_us: float
    part: str = ""
    seen: Seen | None = None

    @property
    def id(self) -> str:
        """The id of the prediction: the same for the same bundle, asset and window."""
        return hashlib.sha256(f"{self.sha}\n{self.asset}\n{self.window_end}".encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class Label:
    """A truth within [low, high]; both are equal when it is exact. `known`: UTC ns at which it came."""

    name: str
    asset: str
    low: float
    high: float
    known: int
    part: str = ""
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Beside:
    """What a version said of a window, and what the version that spoke then (`champion`, None where none) said."""

    asset: str
    window_end: int
    live: bool
    value: float | None
    low: float | None
    high: float | None
    champion: int | None
    champion_value: float | None
    champion_low: float | None
    champion_high: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Windows with their truth, [n] each, in the order in which it came. `against` is NaN where it is missing."""

    asset: NDArray[np.str_]
    window_end: NDArray[np.int64]
    value: Floats
    low: Floats
    high: Floats
    against: Floats
    truth_low: Floats
    truth_high: Floats

    def __len__(self) -> int:
        return len(self.value)


@dataclass(slots=True)
class Scores:
    """A file of one registry. Its methods may be called from any thread."""

    _db: sqlite3.Connection
    _lock: threading.Lock
    marks: Marks
    _written: int = 0
    _days: dict[tuple[str, int], dict[tuple[str, int], tuple[int, float]]] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator[Self]:
        """Open or make the file in the registry's folder; one that cannot be used raises `StoreError`."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            db = connected(folder / "scores.sqlite", SCHEMA + MARKS, "NORMAL", "DEFERRED")
        except (sqlite3.Error, OSError) as problem:
            raise StoreError(f"The scores in {folder} cannot be used ({problem}): see to the disk.") from problem
        lock = threading.Lock()
        try:
            yield cls(db, lock, Marks(db, lock))
        finally:
            db.close()

    def write(self, predictions: Iterable[Prediction]) -> None:
        """Keep predictions, and what they were made from; one that is there already stays as it is."""
        predictions = list(predictions)
        looked = [
            (p.name, p.number, p.asset, p.window_end, p.seen.since, p.seen.size, p.seen.marks)
            for p in predictions
            if p.seen is not None
        ]
        rows = [
            (p.name, p.number, p.asset, p.window_end, p.part, p.id, p.sha, p.live, _finite(p.value), _finite(p.low),
             _finite(p.high), p.latency_us)
            for p in predictions
        ]  # fmt: skip
        with self._lock, self._db:
            self._db.executemany("INSERT OR IGNORE INTO prediction VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
            self._db.executemany("INSERT OR IGNORE INTO looked VALUES (?, ?, ?, ?, ?, ?, ?)", looked)
            self._written += 1
            if rows and self._written % _TIDY == 1:
                self._forget(max(row[3] for row in rows) - KEPT)

    def label(self, labels: Iterable[Label]) -> None:
        """Keep truths; a newer one for the same part or time replaces the older, but not what a person marked."""
        rows = [(la.name, la.asset, la.part, la.start, la.end, la.low, la.high, la.known) for la in labels]
        with self._lock, self._db:
            self._db.executemany(WRITE_LABEL, rows)
            self._db.executemany(KEEP_BESIDE, rows)

    def labelled(self, name: str, number: int, against: int | None, scope: str, since: int = 0) -> Labelled:
        """Windows of a version that ended at or after `since`, with the newest truths, 2,000 at most."""
        asked = {"name": name, "number": number, "against": against or -1, "since": since, "most": _MOST}
        return self._joined(OF_NEWEST, asked, scope)

    def trial(self, name: str, number: int, against: int | None, scope: str, since: int = 0) -> Labelled:
        """The first 10,000 windows of a version, since `since`, whose truth is known and on which both versions spoke.

        Later looks see the same windows again and more: what is concluded from them may be looked at at any time.
        Without `against` they are those of `labelled`.
        """
        if against is None:
            return self.labelled(name, number, against, scope, since)
        with self._lock:
            (first,) = self._db.execute(
                "SELECT MIN(window_end) FROM prediction WHERE name = ? AND number = ? AND window_end >= ?",
                (name, number, since),
            ).fetchone()
        asked = {"name": name, "number": number, "against": against, "since": since, "most": _TRIAL, "first": first}
        return self._joined(OF_OLDEST, asked, scope)

    def _joined(self, several: Iterable[str], asked: dict[str, Any], scope: str) -> Labelled:
        with self._lock:
            rows = [row for question in several for row in self._db.execute(question, asked)]
        rows.sort(key=lambda row: -row[9])
        chosen = {(row[0], row[1]): row for row in rows if covers(scope, row[0])}
        return _columns(sorted(chosen.values(), key=lambda row: (row[8], row[1], row[0])))

    def days(self, name: str, number: int, scope: str, span: int) -> dict[tuple[str, int], tuple[int, float]]:
        """By asset and day (days since 1970, UTC): how many windows were scored, and the highest value.

        Of the newest `span` nanoseconds. Days that are over are counted once, and remembered.
        """
        newest = (self.newest(name, number) or 0) // _DAY
        known = self._days.get((name, number), {})
        since = max(newest - span // _DAY, max((day for _, day in known), default=-1) + 1)
        asked = {"name": name, "number": number, "since": since * _DAY, "day": _DAY}
        with self._lock:
            rows = self._db.execute(DAYS, asked).fetchall()
        found = {**known, **{(asset, day): (n, most) for asset, day, n, most in rows}}
        found = {key: one for key, one in found.items() if key[1] >= newest - span // _DAY}
        self._days[name, number] = {key: one for key, one in found.items() if key[1] < newest - 1}
        return {key: one for key, one in found.items() if covers(scope, key[0])}

    def find(self, prediction: str) -> Prediction | None:
        """A kept prediction by its id, with what it was made from where that was kept too."""
        return next(iter(self._predictions("p.id = ?", (prediction,), 1)), None)

    def recorded(self, name: str, number: int, asset: str, start: int, end: int, most: int = 100) -> list[Prediction]:
        """The newest kept predictions of a version for an asset, of windows that ended in [start, end) UTC ns."""
        asked = (name, number, asset, start, end)
        where = "p.name = ? AND p.number = ? AND p.asset = ? AND p.window_end >= ? AND p.window_end < ?"
        return self._predictions(where, asked, most)

    def newest(self, name: str, number: int) -> int | None:
        """When the newest kept window of a version ended (UTC ns), None when none is kept."""
        asked = "SELECT MAX(window_end) FROM prediction WHERE name = ? AND number = ?"
        with self._lock:
            found: int | None = self._db.execute(asked, (name, number)).fetchone()[0]
        return found

    def beside(self, name: str, number: int, others: Sequence[int], most: int) -> list[Beside]:
        """The newest windows of a version, each with what that of `others` said of it which spoke then."""
        asked = BESIDE.format(others=", ".join(str(int(n)) for n in others if n != number))
        with self._lock:
            rows = self._db.execute(asked, (name, number, most)).fetchall()
        return [Beside(row[0], row[1], bool(row[2]), *row[3:]) for row in rows]

    def truths(self, name: str, since: int) -> list[Label]:
        """The truths of a model that became known at or after `since` (UTC ns), the oldest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT asset, low, high, known, part, start, end FROM label WHERE name = ? AND known >= ?"
                " ORDER BY known",
                (name, since),
            ).fetchall()
        return [Label(name, *row) for row in rows]

    def _predictions(self, where: str, asked: tuple[Any, ...], most: int) -> list[Prediction]:
        with self._lock:
            rows = self._db.execute(KEPT_ROWS.format(where=where), (*asked, most)).fetchall()
        return [_prediction(row) for row in rows]

    def health(self, name: str, number: int, scope: str, since: int = 0, most: int = 2_000) -> tuple[int, int, float]:
        """Of the newest windows: how many, how many failed, and the 99th percentile of ms per row (NaN of none)."""
        with self._lock:
            rows = self._db.execute(
                "SELECT asset, value, latency_us FROM prediction WHERE name = ? AND number = ? AND window_end >= ?"
                " ORDER BY window_end DESC LIMIT ?",
                (name, number, since, most),
            ).fetchall()
        rows = [row for row in rows if covers(scope, row[0])]
        p99 = float(np.quantile([row[2] for row in rows], 0.99)) / 1e3 if rows else math.nan
        return len(rows), sum(row[1] is None for row in rows), p99

    def _forget(self, border: int) -> None:
        self._db.execute("DELETE FROM prediction WHERE window_end < ?", (border,))
        self._db.execute("DELETE FROM seen WHERE window_end < ?", (border,))
        self._db.execute("DELETE FROM looked WHERE window_end < ?", (border,))
        self._db.execute("DELETE FROM label WHERE known < ?", (border,))


def _prediction(row: tuple[Any, ...]) -> Prediction:
    seen = None if row[11] is None else Seen(*row[11:])
    fields: tuple[Any, ...] = (*row[:5], bool(row[5]), *row[6:11], seen)
    return Prediction(*fields)


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value


def _columns(rows: list[Any]) -> Labelled:
    table = list(zip(*rows, strict=True)) or [()] * 9
    numbers = [np.array([math.nan if v is None else v for v in table[i]], np.float64) for i in range(2, 8)]
    value, low, high, against, truth_low, truth_high = numbers
    return Labelled(
        np.array(table[0], np.str_), np.array(table[1], np.int64), value, low, high, against, truth_low, truth_high
    )


NOTHING: Final = _columns([])
