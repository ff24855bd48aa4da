"""Files that a page may name: a password or a key that somebody put there for it, and none of the machine's others.

Whoever may make a connection chooses where its password goes: without this a page could send any file to any address.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from shopfloor.plant import ConfigError

FOLDER: Final = "files"
_KEYS: Final = frozenset(
    {"password_file", "ca_file", "token_file", "certificate", "private_key", "server_certificate", "user_certificate"}
    | {"user_key", "folder"}
)


def check(given: Mapping[str, Any], data: Path) -> None:
    """Refuse options of a page that name a file outside the gateway's `files` folder."""
    allowed = (data / FOLDER).resolve()
    for key in sorted(_KEYS & given.keys()):
        if given[key] is not None and not Path(str(given[key])).resolve().is_relative_to(allowed):
            raise ConfigError(
                f"{key!r} names {str(given[key])[:120]!r}: a page may use files of {allowed} only; put a copy there, or"
                " describe this connection in the plant file."
            )
