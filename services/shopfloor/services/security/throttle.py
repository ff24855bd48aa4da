"""Sign-in, slowed down for whoever guesses, and never shut for those who belong.

Wrong passwords count for an account, for an address, and for both together. After a few the next try waits, twice as
long each time: at most a minute, and for an account from anywhere at most 4 s. Whoever signed in as an account from an
address before is not slowed down by what others try: strangers cannot lock a plant out of its own screens.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

FREE: Final = 5
FREE_OF_ADDRESS: Final = 30
LONGEST_S: Final = 60.0
LONGEST_OF_ACCOUNT_S: Final = 4.0
_FORGET_S: Final = 900.0
_MOST: Final = 10_000


@dataclass(slots=True)
class _Tries:
    wrong: int = 0
    last: float = 0.0


class Throttle:
    """Counts wrong passwords of the last quarter of an hour, in memory; any thread may ask."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: OrderedDict[tuple[str, str], _Tries] = OrderedDict()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, account: str, address: str) -> float:
        """Seconds until a try is looked at; 0: now."""
        with self._lock:
            known = (account, address) in self._known
            mine = self._left((account, address), FREE) if account else 0.0
            if known:
                return mine
            anywhere = self._left((account, ""), FREE, LONGEST_OF_ACCOUNT_S) if account else 0.0
            return max(mine, anywhere, self._left(("", address), FREE_OF_ADDRESS))

    def wrong(self, account: str, address: str) -> None:
        """A try that failed."""
        with self._lock:
            for key in {("", address), (account, address)} | ({(account, "")} if account else set()):
                if self._left_of_memory(key) <= 0:
                    self._tries.pop(key, None)
                tries = self._tries.setdefault(key, _Tries())
                tries.wrong, tries.last = tries.wrong + 1, self._clock()
                self._tries.move_to_end(key)
            while len(self._tries) > _MOST:
                self._tries.popitem(last=False)

    def right(self, account: str, address: str) -> None:
        """A try that succeeded: this place knows the account."""
        with self._lock:
            self._tries.pop((account, address), None)
            self._known[(account, address)] = None
            self._known.move_to_end((account, address))
            while len(self._known) > _MOST:
                self._known.popitem(last=False)

    def _left(self, key: tuple[str, str], free: int, longest: float = LONGEST_S) -> float:
        tries = self._tries.get(key)
        if tries is None or tries.wrong < free or self._left_of_memory(key) <= 0:
            return 0.0
        return max(0.0, tries.last + min(longest, 2.0 ** min(tries.wrong - free, 6)) - self._clock())

    def _left_of_memory(self, key: tuple[str, str]) -> float:
        tries = self._tries.get(key)
        return tries.last + _FORGET_S - self._clock() if tries else 0.0
