"""`shopfloor backup`: a copy of a data folder at one moment, while its server runs on."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from shopfloor.plant.counted import counted
from shopfloor.services.backup import take
from shopfloor.services.commands.progress import Progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("place", type=Path, help="a new folder, or a new file that ends in .tar")
    parser.add_argument("--data", type=Path, default=Path("data"), metavar="DIR", help="data folder of the server")
    parser.add_argument("--since", type=Path, metavar="DIR", help="an earlier backup folder: link what it has already")
    parser.add_argument("--secrets", action="store_true", help="take tokens along; keep such a backup locked away")


def run(args: argparse.Namespace) -> int:
    """Take it, and say what it holds; 1 when files of the store were lost before."""
    with Progress("Backing up", "bytes") as told:
        manifest = take(args.data, args.place, since=args.since, secrets=args.secrets, tell=told)
    size = sum(entry.bytes for entry in manifest.files)
    sys.stdout.write(
        f"{args.place}: {manifest.contents.text()}, {size:,} bytes in {counted(len(manifest.files), 'file')}.\n"
    )
    if not args.secrets:
        sys.stdout.write("Tokens are not in it: a restored server makes new ones (--secrets takes them along).\n")
    for name in manifest.missing:
        sys.stderr.write(f"{args.data / name} is missing and not in this backup: restore it from an earlier one.\n")
    return int(bool(manifest.missing))
