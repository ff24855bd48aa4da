"""What a demonstration was begun with. Its past follows from that, so it stays for the life of its data folder."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final

from shopfloor.plant import ConfigError
from shopfloor.simulators.plants import seconds

NO_HISTORY: Final = "0"
_FILE: Final = "demo.json"
_DEFAULTS: Final[dict[str, Any]] = {"seed": 1, "history": "7d"}


def span(text: str) -> str:
    """A duration of history, or none; for argparse.

    >>> span("12h"), span("none"), span("0d")
    ('12h', '0', '0')
    """
    return text if text != "none" and seconds(text) else NO_HISTORY


def origin(args: argparse.Namespace, data: Path) -> None:
    """Complete the arguments with what the data folder was begun with; a contradiction raises `ConfigError`."""
    kept = _read(data / _FILE)
    for name, default in _DEFAULTS.items():
        asked, known = getattr(args, name), kept.get(name)
        if asked is not None and known is not None and asked != known:
            raise ConfigError(
                f"The plant in {data} was begun with --{name} {known} and cannot change to {asked}:"
                f" leave --{name} out, or begin another plant with --data."
            )
        setattr(args, name, next(value for value in (known, asked, default) if value is not None))
    (data / _FILE).write_text(json.dumps({name: getattr(args, name) for name in _DEFAULTS}) + "\n")


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return {n: v for n, v in found.items() if isinstance(v, type(_DEFAULTS.get(n)))} if isinstance(found, dict) else {}
