"""Answers for everybody who asks the same within a few seconds: many open pages cost as much as one."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Final

SECONDS: Final = 5.0
_MOST: Final = 64


class _Answer:
    """What was asked, being found out by the first who asked."""

    def __init__(self, until: float) -> None:
        self.until, self.lock = until, threading.Lock()
        self.found: Any = None


class Shared:
    """Keeps each answer for `seconds`; who asks while it is found out waits for it. Safe from any thread.

    >>> asked, shared = [], Shared()
    >>> [shared.tell(("oee", ""), lambda: asked.append(1) or {"oee": 0.8}) for _ in range(3)][-1], len(asked)
    ({'oee': 0.8}, 1)
    """

    def __init__(self, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, _Answer] = OrderedDict()

    def tell(self, question: Hashable, find: Callable[[], Any]) -> Any:
        """The answer to a question; `question` holds whatever else must end an answer, as a count of changes.

        What `find` raises is raised to whoever asked, and not kept.
        """
        one = self._of(question)
        with one.lock:
            if one.found is None:
                one.found = find()
            return one.found

    def _of(self, question: Hashable) -> _Answer:
        now = self._clock()
        with self._lock:
            one = self._kept.get(question)
            if one is None or one.until <= now:
                one = self._kept[question] = _Answer(now + self._seconds)
                self._kept.move_to_end(question)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
            return one
