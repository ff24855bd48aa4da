"""The public keys of a provider, asked for again when a token names one that is not among them yet (rotation)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from shopfloor.services.security.oidc.proof import Key

STALE_S: Final = 3_600.0
PAUSE_S: Final = 10.0
"""Least time between two questions because of an unknown key: forged tokens do not make us ask without end."""


class Keys:
    """Keys by id; `ask` fetches all of them."""

    def __init__(self, ask: Callable[[], list[Key]], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask, self._clock = ask, clock
        self._keys: list[Key] = []
        self._asked = float("-inf")
        self._lock = threading.Lock()

    def find(self, kid: str | None) -> list[Key]:
        """The keys of an id; all of them when a token names none.

        >>> Keys(lambda: [{"kid": "a"}]).find("a")
        [{'kid': 'a'}]
        """
        with self._lock:
            age = self._clock() - self._asked
            if age > STALE_S or (age > PAUSE_S and not self._of(kid)):
                self._keys, self._asked = self._ask(), self._clock()
            return self._of(kid)

    def _of(self, kid: str | None) -> list[Key]:
        return [key for key in self._keys if kid is None or key.get("kid") == kid]
