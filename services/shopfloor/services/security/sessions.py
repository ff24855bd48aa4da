"""Browser sessions: a cookie that stands for an account, a token or an identity, so that it is shown once.

They are kept in the database of accounts and outlive a restart. One ends when its person signs out, when somebody ends
it, 12 h after it began, and with a role that can change the plant after 30 min in which its person did nothing (or as
the plant file says). Viewers and operators stay: a line that must be watched does not go dark (IEC 62443-3-3, SR 2.5).
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from shopfloor.services.security.database import Database
from shopfloor.services.security.rights import Role
from shopfloor.services.security.tokens import digest, same

COOKIE: Final = "shopfloor_session"
CSRF_COOKIE: Final = "shopfloor_csrf"
LIFE_S: Final = 12 * 3600.0
IDLE_S: Final = 1800.0
STAY: Final = frozenset({Role.VIEWER, Role.OPERATOR, Role.WRITER})
_TOUCH_S: Final = 10.0
_MOST: Final = 10_000
_COLUMNS: Final = "id, owner, way, role, began, used, until, address, agent"


@dataclass(frozen=True, slots=True)
class Session:
    """Whose session, how its person signed in ("account", "token", "oidc"), from where; times are UTC seconds.

    `role` is that of an identity of elsewhere; accounts and tokens have theirs in their own place.
    """

    id: str
    owner: str
    way: str
    role: str
    began: float
    used: float
    until: float
    address: str
    agent: str


def csrf(session: str) -> str:
    """What a page of ours shows beside the cookie; a page of elsewhere can read neither.

    >>> len(csrf("a session")), csrf("a session") == csrf("another")
    (43, False)
    """
    return hashlib.sha256(f"csrf {session}".encode()).hexdigest()[:43]


def is_csrf(shown: str, session: str) -> bool:
    """Whether what is shown belongs to the session; compares in constant time."""
    return same(shown, digest(csrf(session)))


class Sessions:
    """The sessions of a server: each lasts `life_s` at most, and without use `idle_s` (seconds)."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float] = time.time,
        *,
        life_s: float = LIFE_S,
        idle_s: float = IDLE_S,
    ) -> None:
        self._db, self._clock = database, clock
        self.life_s, self.idle_s = life_s, idle_s

    def begin(self, owner: str, way: str = "token", *, role: str = "", address: str = "", agent: str = "") -> str:
        """Open a session; returns the cookie's value, of which only a digest is kept."""
        now, session = self._clock(), secrets.token_urlsafe(32)
        self._db.change("DELETE FROM session WHERE until <= ?", now)
        oldest = "DELETE FROM session WHERE id IN (SELECT id FROM session ORDER BY began DESC LIMIT -1 OFFSET ?)"
        self._db.change(oldest, _MOST - 1)
        row = (digest(session), owner, way, role, now, now, now + self.life_s, address, agent[:200])
        self._db.change(f"INSERT INTO session ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", *row)  # noqa: S608
        return session

    def find(self, session: str) -> Session | None:
        """The session of a cookie, or None when it never was or has ended."""
        rows = self._db.ask(f"SELECT {_COLUMNS} FROM session WHERE id = ?", digest(session))  # noqa: S608
        found = self._limited(rows[0]) if rows else None
        return found if found and found.until > self._clock() else None

    def is_idle(self, session: Session, role: Role) -> bool:
        """Whether its person has done nothing for too long, for a role that can change the plant."""
        return role not in STAY and self._clock() - session.used > self.idle_s

    def _limited(self, row: tuple[Any, ...]) -> Session:
        """A limit that was made shorter holds for open sessions too."""
        session = Session(*row)
        return replace(session, until=min(session.until, session.began + self.life_s))

    def use(self, session: Session) -> None:
        """Its person did something."""
        if self._clock() - session.used > _TOUCH_S:
            self._db.change("UPDATE session SET used = ? WHERE id = ?", self._clock(), session.id)

    def list(self) -> list[Session]:
        """Open sessions, the newest first."""
        every = f"SELECT {_COLUMNS} FROM session WHERE until > ? ORDER BY began DESC"  # noqa: S608
        found = [self._limited(row) for row in self._db.ask(every, self._clock())]
        return [session for session in found if session.until > self._clock()]

    def end(self, session: str) -> None:
        """Sign out."""
        self._db.change("DELETE FROM session WHERE id = ?", digest(session))

    def revoke(self, number: str) -> int:
        """End a session by its id; how many ended."""
        return self._db.change("DELETE FROM session WHERE id = ?", number)

    def end_way(self, way: str) -> int:
        """End all sessions of one way in that is no more; how many ended."""
        return self._db.change("DELETE FROM session WHERE way = ?", way) if self.list() else 0

    def end_all(self, owner: str, way: str = "account", but: str = "") -> int:
        """Sign somebody out everywhere, or everywhere but in the session of one id; how many ended."""
        return self._db.change("DELETE FROM session WHERE owner = ? AND way = ? AND id <> ?", owner, way, but)
