"""`shopfloor verify`: is every stored value what was written? Of a data folder or of a backup."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from shopfloor.plant import StoreError
from shopfloor.services.backup import MANIFEST, open_backup
from shopfloor.services.backup.manifest import Entry
from shopfloor.services.backup.source import Backup
from shopfloor.services.commands.progress import Progress
from shopfloor.services.historian.care.contents import contents
from shopfloor.services.historian.care.snapshot import Snapshot, held, lying
from shopfloor.services.historian.care.verify import unlisted, verify
from shopfloor.services.historian.folder import FolderLock
from shopfloor.services.historian.segments.segment import DamagedError

_STORE = "store"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument(
        "--data", type=Path, default=Path("data"), metavar="DIR|BACKUP",
        help="data folder, its server may run; or a backup (default: data)",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Check everything and name each damaged part; 1 when there is one."""
    is_backup = args.data.is_file() or (args.data / MANIFEST).is_file()
    faults = 0
    for sentence in _backup(args.data) if is_backup else _store(args.data / _STORE):
        sys.stdout.write(f"{sentence}\n")
        faults += 1
    sys.stdout.write(f"{faults} damaged parts\n" if faults else "ok\n")
    return int(faults > 0)


def _is_open(store: Path) -> bool:
    """Whether a server has it open, and writes files that no segment lists yet."""
    try:
        FolderLock(store).release()
    except StoreError:
        return True
    return False


def _backup(place: Path) -> Iterator[str]:
    """Every file by its SHA-256, then the store: that of a tar is unpacked beside it for as long as that takes."""
    with open_backup(place) as backup:
        with Progress("Checking files", "bytes") as told:
            faults = backup.faults(told)
        yield from (f"{fault} Take another backup, and use an earlier one meanwhile." for fault in faults)
        if not faults:
            with _unpacked(backup) as folder:
                yield from _snapshot(lying(folder / _STORE))


@contextmanager
def _unpacked(backup: Backup) -> Iterator[Path]:
    """The folder of a backup. `StoreError` says why a tar cannot be unpacked."""
    if backup.place.is_dir():
        yield backup.place
        return
    try:
        with TemporaryDirectory(prefix=f"{backup.place.name}-", dir=backup.place.resolve().parent) as folder:
            for entry in backup.manifest.files:
                if entry.name.startswith(f"{_STORE}/"):
                    _unpack(backup, entry, Path(folder) / entry.name)
            yield Path(folder)
    except OSError as problem:
        raise StoreError(
            f"{backup.place} cannot be unpacked beside itself ({problem}): its files are what was written; to check"
            " more, make room there, or restore it into a new folder and verify that."
        ) from problem


def _unpack(backup: Backup, entry: Entry, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        backup.copy(entry, file.write)


def _store(store: Path) -> Iterator[str]:
    yield from _snapshot(held(store))


def _snapshot(opened: AbstractContextManager[Snapshot]) -> Iterator[str]:
    try:
        yield from _checked(opened)
    except DamagedError as problem:
        yield str(problem)


def _checked(opened: AbstractContextManager[Snapshot]) -> Iterator[str]:
    with opened as snapshot:
        sys.stderr.write(f"{snapshot.store}: {contents(snapshot).text()}\n")
        with Progress("Checking", "values") as told:
            yield from verify(snapshot, told)
        if left := [] if _is_open(snapshot.store) else unlisted(snapshot):
            sys.stderr.write(f"{len(left)} files belong to no segment: left by a crash; the next start deletes them.\n")
