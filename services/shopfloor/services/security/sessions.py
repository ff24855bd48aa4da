"""Browser sessions: a cookie that stands for a token, so that the token itself is typed once."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Final

from shopfloor.services.security.tokens import digest

COOKIE: Final = "shopfloor_session"
LIFE_S: Final = 12 * 3600.0
_MOST: Final = 10_000


class Sessions:
    """Sessions of this run of the server; they end after 12 h, at log-out, and when the server stops."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._open: dict[str, tuple[str, float]] = {}

    def begin(self, owner: str) -> str:
        """Open a session of a token's owner; returns the cookie's value."""
        self._forget_old()
        session = secrets.token_urlsafe(32)
        self._open[digest(session)] = (owner, self._clock() + LIFE_S)
        return session

    def owner(self, session: str) -> str | None:
        """Whose session it is, or None when it never was or has ended."""
        owner, until = self._open.get(digest(session), ("", 0.0))
        return owner if until > self._clock() else None

    def end(self, session: str) -> None:
        """Log out."""
        self._open.pop(digest(session), None)

    def _forget_old(self) -> None:
        now = self._clock()
        self._open = {key: value for key, value in self._open.items() if value[1] > now}
        while len(self._open) >= _MOST:
            self._open.pop(next(iter(self._open)))
