"""What is set aside now, kept beside the alarms."""

from __future__ import annotations

from collections.abc import Iterable

from shopfloor.services.alarms.aside import Aside, AsideKind
from shopfloor.services.alarms.database import Database


class Asides:
    """At most one of each kind per condition key. The caller locks."""

    def __init__(self, database: Database) -> None:
        self._do = database.do
        rows = self._do("SELECT key, kind, by, since, until, reason, alarm FROM asides")
        self._of: dict[str, dict[AsideKind, Aside]] = {}
        for key, kind, *rest in rows:
            self._remember(Aside(key, AsideKind(kind), *rest))

    def put(self, aside: Aside) -> None:
        """Set aside; one of the same kind is replaced."""
        row = (aside.key, aside.kind.value, aside.by, aside.since, aside.until, aside.reason, aside.alarm)
        self._do("INSERT OR REPLACE INTO asides VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        self._remember(aside)

    def remove(self, key: str, kind: AsideKind) -> Aside | None:
        """Bring back; what it was, or None."""
        aside = self._of.get(key, {}).get(kind)
        if aside is not None:
            self._do("DELETE FROM asides WHERE key = ? AND kind = ?", (key, kind.value))
            del self._of[key][kind]
        return aside

    def of(self, key: str, kind: AsideKind) -> Aside | None:
        """What of this kind lies over a condition."""
        return self._of.get(key, {}).get(kind)

    def kinds(self, key: str) -> tuple[AsideKind, ...]:
        """All that lies over a condition."""
        return tuple(self._of.get(key, ()))

    def top(self, key: str) -> Aside | None:
        """The strongest that lies over a condition."""
        mine = self._of.get(key, {})
        return next((mine[kind] for kind in AsideKind if kind in mine), None)

    def all(self) -> list[Aside]:
        """The strongest of each condition, the newest first."""
        tops = (self.top(key) for key in self._of)
        return sorted((aside for aside in tops if aside), key=lambda aside: -aside.since)

    def over(self, now: int) -> Iterable[Aside]:
        """Those whose time is over (UTC ns)."""
        return [
            aside
            for mine in self._of.values()
            for aside in mine.values()
            if aside.until is not None and aside.until <= now
        ]

    def _remember(self, aside: Aside) -> None:
        self._of.setdefault(aside.key, {})[aside.kind] = aside
