"""What every import is told: how to understand its files, and through which door the values go."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
from shopfloor.plant import Kind, QuestionError, StoreError
from shopfloor.services.exchange.columns import Reading
from shopfloor.services.exchange.doors import Door, ServerDoor, StoreDoor
from shopfloor.services.exchange.moments import UNITS
from shopfloor.services.historian import Historian

DoorFor = Callable[[str, str], Door]
"""The door of an import, by its name and its source in the ledger."""


def asked(args: argparse.Namespace) -> tuple[object, ...]:
    """What changes how a file is understood, and so is part of its name."""
    return args.map, args.asset, args.kind, args.unit, args.zone, args.delimiter, args.decimal


def reading_of(args: argparse.Namespace) -> Reading:
    """The reading that the options say; `QuestionError` for a `--map` that renames nothing."""
    names = dict(pair.rpartition("=")[::2] for pair in args.map)
    if "" in names or any("=" not in pair for pair in args.map):
        raise QuestionError(f"--map {' '.join(args.map)[:200]}: write NAME=NEW, as in Timestamp=time.")
    kind = None if args.kind is None else Kind(args.kind)
    return Reading(kind, UNITS[args.unit], args.zone, args.decimal, args.asset.strip("/"), names)


@contextmanager
def doors(args: argparse.Namespace) -> Iterator[DoorFor]:
    """Doors into the server of `--url`, or else into the store of `--data`."""
    if args.url is None:
        if not args.data.is_dir():
            raise StoreError(f"There is no data folder {args.data}: name one with --data, or a server with --url.")
        with Historian.open(args.data / "store") as store:
            yield lambda name, source: StoreDoor(store, name, source)
        return
    file = args.token_file or args.data / "secrets" / "gateway.token"
    try:
        token = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise StoreError(
            f"The gateway token {file} cannot be read ({problem}): name it with --token-file."
        ) from problem
    try:
        with httpx.Client(base_url=args.url, timeout=60, trust_env=False) as client:
            yield lambda name, source: ServerDoor(client, token, name, source)
    except httpx.InvalidURL as problem:
        raise QuestionError(f"{args.url} is no address ({problem}): write http://127.0.0.1:8000.") from problem
