"""Passwords: scrypt (RFC 7914) with its cost noted beside each hash, and what is too weak to be one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from shopfloor.plant import ConfigError

LEAST: Final = 12
MOST: Final = 200
_DIFFERENT: Final = 5


@dataclass(frozen=True, slots=True)
class Cost:
    """What a guess costs: N, r and p of scrypt. The default takes 32 MiB and a fifth of a CPU second (OWASP, 2024)."""

    n: int = 1 << 15
    r: int = 8
    p: int = 3


COST: Final = Cost()


def hashed(password: str, cost: Cost = COST) -> str:
    """A password as it is kept: `scrypt$n$r$p$salt$hash`.

    >>> matches("a long enough one", hashed("a long enough one", Cost(n=16)))
    True
    """
    salt = os.urandom(16)
    return f"scrypt${cost.n}${cost.r}${cost.p}${_text(salt)}${_text(_derived(password, salt, cost))}"


def matches(password: str, kept: str) -> bool:
    """Whether a password is the one that was kept; what cannot be read is nobody's."""
    try:
        _, n, r, p, salt, expected = kept.split("$")
        found = _derived(password, base64.b64decode(salt), Cost(int(n), int(r), int(p)))
        return hmac.compare_digest(found, base64.b64decode(expected))
    except ValueError:
        return False


def is_of(kept: str, cost: Cost) -> bool:
    """Whether a kept hash has this cost; one that has not is made anew when its password is shown.

    >>> is_of(hashed("x", Cost(n=16)), Cost(n=32))
    False
    """
    return kept.split("$")[1:4] == [str(cost.n), str(cost.r), str(cost.p)]


def check(name: str, password: str) -> None:
    """Refuse what is too weak: length and difference count, not kinds of characters (NIST SP 800-63B).

    >>> check("anna", "anna-anna-anna")
    Traceback (most recent call last):
    shopfloor.plant.errors.ConfigError: The password holds the name of the account: choose one that does not.
    """
    if not LEAST <= len(password) <= MOST:
        raise ConfigError(f"The password has {len(password)} characters: {LEAST} to {MOST} are needed.")
    if name.lower() in password.lower():
        raise ConfigError("The password holds the name of the account: choose one that does not.")
    if len(set(password)) < _DIFFERENT or _is_run(password):
        raise ConfigError("The password repeats itself or counts on: choose several words that do not belong together.")


def _is_run(password: str) -> bool:
    """Whether each character follows the one before it, as in 123456789012."""
    steps = {ord(b) - ord(a) for a, b in pairwise(password)}
    return steps <= {1, -9} or steps <= {-1, 9}


def _derived(password: str, salt: bytes, cost: Cost) -> bytes:
    memory = 2 * 128 * cost.n * cost.r + (1 << 20)
    return hashlib.scrypt(password.encode(), salt=salt, n=cost.n, r=cost.r, p=cost.p, maxmem=memory, dklen=32)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
