"""`shopfloor ledger`: accepted, spooled, stored and rejected of every source, asked from a running server."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any, Final

import httpx
from shopfloor.plant import ShopfloorError

_COLUMNS: Final = ("gateway", "source", "accepted", "spooled", "stored", "rejected", "dropped", "duplicates")
TOKEN: Final = "SHOPFLOOR_TOKEN"  # noqa: S105 (the name of a variable)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="the server (default: http://127.0.0.1:8000)")
    parser.add_argument("--json", action="store_true", help="print the server's own answer")
    parser.epilog = f"{parser.epilog}\n\nA server on the network asks for a token: put it into {TOKEN}."


def run(args: argparse.Namespace) -> int:
    """Print the ledger; 1 when it does not balance."""
    ledger = ask(args.url, os.environ.get(TOKEN, ""))
    sys.stdout.write(f"{json.dumps(ledger, indent=1) if args.json else table(ledger)}\n")
    return 0 if ledger["balanced"] else 1


def ask(url: str, token: str = "") -> dict[str, Any]:
    """The ledger of a server."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        reply = httpx.get(f"{url.rstrip('/')}/api/v1/ledger", headers=headers, timeout=10, trust_env=False)
        said = reply.json()
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        raise ShopfloorError(
            f"No server answers at {url} ({problem}): start it, or name another with --url."
        ) from problem
    except ValueError as problem:
        raise ShopfloorError(f"{url} answers, but it is no Shopfloor server: name another with --url.") from problem
    if reply.is_error and isinstance(said, dict) and "detail" in said:
        raise ShopfloorError(str(said["detail"]))
    if reply.is_error or not isinstance(said, dict) or not {"balanced", "sources"} <= said.keys():
        raise ShopfloorError(f"{url} answers, but not with a ledger: name a Shopfloor server with --url.")
    return said


def table(ledger: dict[str, Any]) -> str:
    """The ledger as a table for people, with a sentence below it."""
    rows = [[_cell(source[name]) for name in _COLUMNS] for source in ledger["sources"]]
    widths = [max(len(row[i]) for row in [list(_COLUMNS), *rows]) for i in range(len(_COLUMNS))]
    lines = [_line(row, widths) for row in [list(_COLUMNS), *rows]]
    lines += [s["sentence"] for s in ledger["sources"] if s["sentence"]]
    lines.append("balanced" if ledger["balanced"] else "NOT balanced")
    return "\n".join(lines)


def _cell(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [cell.ljust(w) if i < 2 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))]
    return "  ".join(cells).rstrip()
