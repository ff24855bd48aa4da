"""Where alarms and events are kept: one small SQLite file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Self

from shopfloor.plant import Event, EventKind
from shopfloor.services.alarms.alarm import Acknowledgement, Alarm, Condition
from shopfloor.services.alarms.database import Database
from shopfloor.services.alarms.journal import Occurrence
from shopfloor.services.alarms.state import OPEN, AlarmKind, State

_OCCURRENCES: Final = """
SELECT raised.id, alarms.id, alarms.condition, raised.sentence, raised.time AS began, (
    SELECT back.time FROM events AS back
    WHERE json_extract(back.detail, '$.alarm') = alarms.id AND back.id > raised.id AND back.kind = 'alarm-returned'
    ORDER BY back.id LIMIT 1) AS ended
FROM events AS raised JOIN alarms ON alarms.id = json_extract(raised.detail, '$.alarm')
WHERE raised.kind = 'alarm-raised' AND raised.id > ?3 AND began < ?2 AND (ended IS NULL OR ended > ?1)
ORDER BY raised.id
"""
_COLUMNS: Final = "id, state, since, returned, by, seen, note, condition, first_out, realarmed"


class AlarmStore:
    """Alarms and events in `<folder>/alarms.db`; durable when a method returns; safe to call from any thread."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder)
        self._do = self.database.do

    def __enter__(self) -> Self:
        self.database.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.database.__exit__()

    def insert(self, condition: Condition, since: int) -> Alarm:
        """A new active alarm."""
        row = (condition.key, condition.asset, State.ACTIVE.value, since, json.dumps(asdict(condition)))
        cursor = self._do("INSERT INTO alarms (key, asset, state, since, condition) VALUES (?, ?, ?, ?, ?)", row)
        return Alarm(int(cursor.lastrowid or 0), condition, State.ACTIVE, since)

    def foresee(self, condition: Condition) -> Alarm:
        """A row for an alarm that never came: closed, since 0; no list has it."""
        row = (condition.key, condition.asset, State.CLOSED.value, json.dumps(asdict(condition)))
        cursor = self._do("INSERT INTO alarms (key, asset, state, since, condition) VALUES (?, ?, ?, 0, ?)", row)
        return Alarm(int(cursor.lastrowid or 0), condition, State.CLOSED, 0)

    def update(self, alarm: Alarm) -> None:
        """Write what may change in the life of an alarm."""
        seen = alarm.acknowledged
        self._do(
            "UPDATE alarms SET state=?, since=?, returned=?, by=?, seen=?, note=?, condition=?, first_out=?,"
            " realarmed=? WHERE id=?",
            (
                alarm.state.value,
                alarm.since,
                alarm.returned,
                seen.by if seen else None,
                seen.time if seen else None,
                seen.note if seen else None,
                json.dumps(asdict(alarm.condition)),
                alarm.first_out,
                alarm.realarmed,
                alarm.id,
            ),
        )

    def open_alarms(self) -> list[Alarm]:
        """All alarms that are not closed, oldest first."""
        marks = ",".join("?" * len(OPEN))
        rows = self._do(
            f"SELECT {_COLUMNS} FROM alarms WHERE state IN ({marks}) ORDER BY id",  # noqa: S608 (question marks)
            tuple(state.value for state in OPEN),
        )
        return [_alarm(row) for row in rows]

    def alarms(self, asset: str | None, limit: int) -> list[Alarm]:
        """The newest alarms, open or closed."""
        rows = self._do(
            f"SELECT {_COLUMNS} FROM alarms WHERE since > 0 AND (?1 IS NULL OR asset = ?1)"  # noqa: S608 (a constant)
            " ORDER BY since DESC, id DESC LIMIT ?2",
            (asset, limit),
        )
        return [_alarm(row) for row in rows]

    def began(self, start: int, end: int) -> list[tuple[str, int]]:
        """Assets and moments of the alarms that began in [start, end) UTC ns, without those that a model raised."""
        rows = self._do(
            "SELECT asset, since FROM alarms WHERE since > 0 AND since >= ? AND since < ? AND asset IS NOT NULL"
            " AND json_extract(condition, '$.kind') != ?",
            (start, end, AlarmKind.MODEL.value),
        )
        return [(asset, since) for asset, since in rows]

    def alarm(self, number: int) -> Alarm | None:
        """One alarm by its number."""
        rows = self._do(f"SELECT {_COLUMNS} FROM alarms WHERE id = ?", (number,))  # noqa: S608 (a constant)
        return next((_alarm(row) for row in rows), None)

    def newest(self, key: str) -> Alarm | None:
        """The newest alarm of a condition."""
        rows = self._do(
            f"SELECT {_COLUMNS} FROM alarms WHERE key = ? ORDER BY id DESC LIMIT 1",  # noqa: S608 (a constant)
            (key,),
        )
        return next((_alarm(row) for row in rows), None)

    def newest_of_each(self) -> dict[str, Alarm]:
        """The newest alarm of every condition, by its key."""
        newest = "SELECT max(id) FROM alarms GROUP BY key"
        rows = self._do(f"SELECT {_COLUMNS} FROM alarms WHERE id IN ({newest})")  # noqa: S608 (constants)
        return {alarm.condition.key: alarm for alarm in map(_alarm, rows)}

    def forget(self, before: int) -> None:
        """Delete closed alarms that returned before a time (UTC ns), and the events before it."""
        with self.database.together():
            self._do(
                "DELETE FROM alarms WHERE state = 'closed' AND coalesce(returned, since) < ?"
                " AND id NOT IN (SELECT alarm FROM asides)",
                (before,),
            )
            self._do("DELETE FROM events WHERE time < ?", (before,))

    def mark(self, tag: str, time: int) -> None:
        """Note how far (UTC ns) the statements of a device have been followed."""
        self._do("INSERT OR REPLACE INTO followed VALUES (?, ?)", (tag, time))

    def followed(self) -> dict[str, int]:
        """How far the statements of each device have been followed."""
        return dict(self._do("SELECT tag, time FROM followed").fetchall())

    def record(self, event: Event) -> None:
        """Write an event."""
        self._do(
            "INSERT INTO events (time, kind, subject, sentence, detail) VALUES (?, ?, ?, ?, ?)",
            (event.time, event.kind.value, event.subject, event.sentence, json.dumps(event.detail)),
        )

    def events(self, start: int, end: int, subject: str | None, limit: int) -> list[Event]:
        """The newest events of a time range (UTC ns, end exclusive), newest first."""
        rows = self._do(
            "SELECT time, kind, subject, sentence, detail FROM events"
            " WHERE time >= ?1 AND time < ?2 AND (?3 IS NULL OR subject = ?3) ORDER BY time DESC, id DESC LIMIT ?4",
            (start, end, subject, limit),
        )
        return [Event(time, EventKind(kind), who, said, json.loads(detail)) for time, kind, who, said, detail in rows]

    def occurrences(self, start: int, end: int, after: int) -> Iterator[Occurrence]:
        """Every time that an alarm was there within a time range (UTC ns, end exclusive), as they were recorded.

        Only those with a greater number than `after`. Read while you iterate: soon, and by one thread.
        """
        for number, alarm, condition, sentence, began, ended in self._do(_OCCURRENCES, (start, end, after)):
            yield Occurrence(number, alarm, _condition(condition), sentence, began, ended)


def _alarm(row: tuple[Any, ...]) -> Alarm:
    number, state, since, returned, by, seen, note, condition, first, realarmed = row
    acknowledged = Acknowledgement(by, seen, note or "") if by is not None else None
    return Alarm(number, _condition(condition), State(state), since, returned, acknowledged, bool(first), realarmed)


def _condition(text: str) -> Condition:
    words = json.loads(text)
    words["kind"] = AlarmKind(words["kind"])
    return Condition(**words)
