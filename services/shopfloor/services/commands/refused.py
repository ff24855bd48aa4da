"""`shopfloor refused`: the values that server stores refused for good, to look at, to send again, to drop."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from shopfloor.services.commands.export import form_of, opened
from shopfloor.services.exchange.outputs import OUTPUTS
from shopfloor.services.historian.care.snapshot import held
from shopfloor.services.historian.remote import aside
from shopfloor.services.historian.remote.aside import SetAside
from shopfloor.services.historian.rows import Rows


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("file", nargs="?", help="write the values into a new file; - writes to standard output")
    parser.add_argument("--format", choices=OUTPUTS, help="default: by the file's name; csv to standard output")
    parser.add_argument("--data", type=Path, default=Path("data"), metavar="DIR", help="data folder of the server")
    parser.add_argument("--drop", action="store_true", help="forget them afterwards; the server must be stopped")


def run(args: argparse.Namespace) -> int:
    """Name them, and write or drop them; 1 when there are some and they stay."""
    with held(args.data / "store") as snapshot:
        found = aside.listed(snapshot.db)
    for one in found:
        sys.stderr.write(f"{_line(one)}\n")
    if args.file:
        _write(args.file, form_of(args), found)
    if args.drop:
        aside.drop(args.data / "store")
    count = sum(one.rows for one in found)
    sys.stderr.write(f"{count:,} values {'were dropped' if args.drop else 'are set aside'}.\n")
    return int(count > 0 and not args.drop)


def _line(one: SetAside) -> str:
    first, last = (f"{datetime.fromtimestamp(ns / 1e9, UTC):%Y-%m-%d %H:%M:%S}" for ns in (one.start, one.end))
    tags = ", ".join(one.batch.names[:3]) + (f" and {len(one.batch.names) - 3} more" * (len(one.batch.names) > 3))
    return f"{one.target}: {one.rows:,} values of {tags}, {first} to {last} UTC: {one.sentence}"


def _write(file: str, form: str, found: Sequence[SetAside]) -> None:
    names = list(dict.fromkeys(name for one in found for name in one.batch.names))
    with opened(file) as out:
        output = OUTPUTS[form](out, names)
        for batch in (one.batch for one in found):
            tag = np.array([names.index(name) for name in batch.names], np.int32)[batch.tag]
            output.write(batch.kind, Rows(tag, batch.time, batch.value, batch.quality))
        output.finish()
