"""`shopfloor repair`: save what can be read of a store whose database has bad pages, and name the rest."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from shopfloor.plant.counted import counted
from shopfloor.services.historian.care.repair import repair


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument(
        "--data", type=Path, default=Path("data"), metavar="DIR",
        help="data folder of a server that is stopped (default: data)",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Repair and name what is lost; 1 when something is."""
    done = repair(args.data / "store", f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    if done.aside is None:
        sys.stdout.write("The database has no bad page: nothing was changed.\n")
        return 0
    for sentence in done.lost:
        sys.stdout.write(f"{sentence}\n")
    sys.stdout.write(f"{counted(len(done.lost), 'part')} lost; the damaged files are kept in {done.aside}\n")
    return int(bool(done.lost))
