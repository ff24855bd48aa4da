"""What a token is for."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

_WRITES: Final = frozenset({"/write", "/api/v2/write"})
_ALIVE: Final = frozenset({"/ping", "/health"})
_ASKS: Final = re.compile(
    r"/query|/api/v2/query|/api/v1/(login|aggregate|states|sql|history(/.*)?)|/v2/models/[^/]+(/versions/[^/]+)?/infer"
)
"""Requests that read although they are POSTs: the question is too long for a URL."""
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS", "WEBSOCKET"})


class Scope(StrEnum):
    """A token may do everything, or only read, or only write values as a client of InfluxDB does.

    >>> Scope.WRITE.allows("POST", "/write"), Scope.READ.allows("POST", "/write"), Scope.READ.allows("POST", "/query")
    (True, False, True)
    """

    FULL = "full"
    READ = "read"
    WRITE = "write"

    def allows(self, method: str, path: str) -> bool:
        """Whether a token of this scope may ask this."""
        if self is Scope.WRITE:
            return path in _WRITES or path in _ALIVE
        return self is Scope.FULL or method in _READING or _ASKS.fullmatch(path) is not None
