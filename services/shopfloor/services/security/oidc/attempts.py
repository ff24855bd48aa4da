"""Sign-ins that were begun: what a browser must bring back, kept by the server alone, good for ten minutes and once."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from shopfloor.services.security.tokens import digest, same

LIFE_S: Final = 600.0
_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sign-in under way. `state` ties the answer to it, `nonce` the token, `verifier` the code (RFC 7636)."""

    back: str
    until: float
    state: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def challenge(self) -> str:
        """What the provider is shown of the verifier: its SHA-256 (S256).

        >>> Attempt("", 0, verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").challenge  # RFC 7636, appendix B
        'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
        """
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


class Attempts:
    """The sign-ins under way, each bound to one browser by a cookie; any thread may ask."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open: OrderedDict[str, Attempt] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, back: str) -> tuple[str, Attempt]:
        """The cookie's value and the attempt; `back` is where the provider sends the browser afterwards."""
        cookie, attempt = secrets.token_urlsafe(32), Attempt(back, self._clock() + LIFE_S)
        with self._lock:
            self._open[digest(cookie)] = attempt
            while len(self._open) > _MOST:
                self._open.popitem(last=False)
        return cookie, attempt

    def take(self, cookie: str, state: str) -> Attempt | None:
        """The attempt of this browser, which is over now; None for one that is unknown, too old, or another's."""
        with self._lock:
            attempt = self._open.pop(digest(cookie), None)
        if attempt is None or attempt.until < self._clock() or not same(state, digest(attempt.state)):
            return None
        return attempt
