"""`shopfloor restore`: a backup back into an empty data folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from shopfloor.services.backup import restore
from shopfloor.services.commands.progress import Progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("backup", type=Path, help="the folder or .tar file of a backup")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="a new or empty data folder")


def run(args: argparse.Namespace) -> int:
    """Check everything, restore it, and say what is there; 1 when parts of it were damaged before the backup."""
    with Progress("Restoring", "bytes") as told:
        restored = restore(args.backup, args.data, told)
    manifest = restored.manifest
    sys.stdout.write(f"{args.data}: {manifest.contents.text()}, as of {manifest.taken}.\n")
    if not manifest.secrets:
        sys.stdout.write("The backup has no tokens: make new ones, and give gateways the new secrets/gateway.token.\n")
    for sentence in restored.damaged:
        sys.stderr.write(f"{sentence}\n")
    return int(bool(restored.damaged))
