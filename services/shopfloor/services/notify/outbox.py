"""The outbox: messages on disk until somebody has taken them, each at least once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from shopfloor.services.notify.message import Message
from shopfloor.services.records import Records

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS told (key TEXT PRIMARY KEY, step TEXT NOT NULL, time INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, step TEXT NOT NULL, way TEXT NOT NULL, target TEXT NOT NULL,
    message TEXT NOT NULL, many INTEGER NOT NULL, created INTEGER NOT NULL,
    due INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    sent INTEGER, problem TEXT
);
CREATE INDEX IF NOT EXISTS messages_due ON messages (due) WHERE sent IS NULL;
"""
POSTED: Final = "report/"
"""How the keys of messages begin that are about no alarm; a name of a route has no such sign."""
_FIRST_NS: Final = 10 * 1_000_000_000
_LONGEST_NS: Final = 600 * 1_000_000_000
_KEPT_NS: Final = 30 * 86_400 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class Letter:
    """A message on its way: `step` is the route and the number of its step, or the key of what was posted."""

    id: int
    step: str
    way: str
    target: str
    message: Message
    attempts: int

    @property
    def posted(self) -> bool:
        """Whether it is about something else than alarms."""
        return self.step.startswith(POSTED)

    @property
    def of(self) -> str:
        """What it belongs to, in words."""
        return f"the {self.step.replace('/', ' ')}" if self.posted else f"the route {self.step}"


class Outbox(Records):
    """`<folder>/outbox.db`; safe from any thread. Times are UTC ns."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "outbox.db", _SCHEMA, "messages")

    def untold(self, keys: Iterable[str]) -> set[str]:
        """Those of the keys for which no message was ever written."""
        return {key for key in keys if self.do("SELECT 1 FROM told WHERE key = ?", (key,)).fetchone() is None}

    def write(
        self, step: str, keys: Iterable[str], targets: Iterable[tuple[str, str]], message: Message, now: int
    ) -> None:
        """Put a message in for each (way, target), and note what it tells: both, or neither."""
        text = json.dumps(asdict(message))
        with self.together():
            for key in keys:
                self.do("INSERT OR IGNORE INTO told VALUES (?, ?, ?)", (key, step, now))
            for way, target in targets:
                self.do(
                    "INSERT INTO messages (step, way, target, message, many, created, due)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (step, way, target, text, message.data.get("kind") == "alarms", now, now),
                )

    def written(self, step: str, since: int) -> tuple[int, int]:
        """How many messages about one alarm, and about many, a step has had since a time."""
        sql = (
            "SELECT count(*), coalesce(sum(many), 0) FROM ("
            "SELECT message, created, max(many) AS many FROM messages WHERE step = ? AND created > ?"
            " GROUP BY message, created)"
        )
        every, many = self.do(sql, (step, since)).fetchone()
        return every - many, many

    def due(self, now: int) -> list[Letter]:
        """What is to be sent now, the oldest first."""
        sql = (
            "SELECT id, step, way, target, message, attempts FROM messages WHERE sent IS NULL AND due <= ?"
            " ORDER BY id LIMIT 100"
        )
        rows = self.do(sql, (now,)).fetchall()
        return [Letter(n, step, way, to, Message(**json.loads(text)), tried) for n, step, way, to, text, tried in rows]

    def sent(self, letter: Letter, now: int) -> None:
        """Somebody has taken it."""
        self.do("UPDATE messages SET sent = ?, problem = NULL WHERE id = ?", (now, letter.id))

    def failed(self, letter: Letter, problem: str, now: int) -> None:
        """Nobody took it: it waits, longer after every try, ten minutes at most."""
        wait = min(_FIRST_NS << min(letter.attempts, 10), _LONGEST_NS)
        sql = "UPDATE messages SET attempts = attempts + 1, problem = ?, due = ? WHERE id = ?"
        self.do(sql, (problem, now + wait, letter.id))

    def state(self) -> dict[str, Any]:
        """How many wait, how many were sent, and why the oldest that waits was not taken."""
        waiting, sent = self.do("SELECT sum(sent IS NULL), sum(sent IS NOT NULL) FROM messages").fetchone()
        row = self.do("SELECT problem FROM messages WHERE sent IS NULL AND problem IS NOT NULL ORDER BY id").fetchone()
        return {"waiting": waiting or 0, "sent": sent or 0, "problem": row[0] if row else ""}

    def letters(self, key: str) -> list[dict[str, Any]]:
        """The messages of a key: to whom, when sent (UTC ns), and why not."""
        rows = self.do("SELECT target, sent, problem FROM messages WHERE step = ? ORDER BY id", (key,)).fetchall()
        return [{"to": target, "sent": sent, "problem": problem or ""} for target, sent, problem in rows]

    def forget(self, now: int) -> None:
        """Delete what was sent or told a month ago."""
        self.do("DELETE FROM messages WHERE sent IS NOT NULL AND sent < ?", (now - _KEPT_NS,))
        self.do("DELETE FROM told WHERE time < ?", (now - 12 * _KEPT_NS,))
