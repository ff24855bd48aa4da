"""The first start on a network: a code on the console lets one person make the first admin, once."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from typing import Final

from shopfloor.services.security.tokens import digest, same

_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


class Setup:
    """Open until there is an account or a token: who holds the code may make the first admin."""

    def __init__(self, is_wanted: Callable[[], bool]) -> None:
        self._is_wanted = is_wanted
        self._digest = ""
        self._lock = threading.Lock()

    def code(self) -> str:
        """A new code, to be shown on the console and nowhere else; the one before it holds no more."""
        code = "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))
        self._digest = digest(code)
        return code

    @property
    def is_open(self) -> bool:
        """Whether the first account is still to be made with a code."""
        return bool(self._digest) and self._is_wanted()

    def take(self, code: str, make: Callable[[], None]) -> bool:
        """Make the first account with the code, which then holds no more; False: it is another code."""
        with self._lock:
            if not self.is_open or not same(code.strip().upper(), self._digest):
                return False
            make()
            self._digest = ""
        return True
