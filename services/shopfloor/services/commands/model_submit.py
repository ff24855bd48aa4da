"""`shopfloor models submit`: send a sealed bundle to a server, where it is judged as a shadow."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from shopfloor.models.sealing.canonical import pack
from shopfloor.models.sealing.folder import read

HELP: Final = "send a sealed bundle; it is judged beside what speaks, as a shadow"
Send = Callable[[str, bytes], Any]


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """The command line."""
    sub.add_argument("bundle", type=Path, metavar="BUNDLE", help="a .shopfloor file or the folder of a bundle")
    sub.add_argument("--scope", default="*", metavar="SELECTOR", help="as in 'delta/frames/*/cell-a' (default: *, all)")
    sub.add_argument("--by", required=True, metavar="PERSON", help="who sends it")
    sub.add_argument("--why", default="", metavar="SENTENCE", help="why, for the audit")


def run(args: argparse.Namespace, send: Send) -> int:
    """Send it; what cannot be read raises `RefusedBundle`, what the server refuses its sentence."""
    content = pack(dict(sorted(read(args.bundle).items())))
    said = send(f"registry/bundles?{urlencode({key: getattr(args, key) for key in ('scope', 'by', 'why')})}", content)
    sys.stdout.write(f"{told(said)}\n")
    return 0


def told(said: dict[str, Any]) -> str:
    """An upload, for people.

    >>> said = {"name": "wear", "number": 2, "scope": "*", "stage": "shadow", "sentence": "It is."}
    >>> print(told({**said, "identity": "ab" * 32}))
    wear, version 2: shadow on * (abababababab)
    It is.
    """
    head = f"{said['name']}, version {said['number']}: {said['stage']} on {said['scope']} ({said['identity'][:12]})"
    return f"{head}\n{said['sentence']}"
