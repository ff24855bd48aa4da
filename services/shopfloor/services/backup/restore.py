"""Restoring a backup into an empty data folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shopfloor.plant import StoreError
from shopfloor.services.backup.manifest import STORE, Entry, Manifest
from shopfloor.services.backup.source import Backup, open_backup
from shopfloor.services.historian import Historian, Options
from shopfloor.services.historian.care.snapshot import LOG
from shopfloor.services.lock import owned

Tell = Callable[[int, int], None]
_AT_REST: Final = Options(flush_rows=1 << 62, flush_age_s=1e9, compact_segments=1 << 30, reserve_bytes=0)
_LOCK: Final = "server.lock"


@dataclass(frozen=True, slots=True)
class Restored:
    """What is there now, and a sentence for each thing that was damaged already when the backup was taken."""

    manifest: Manifest
    damaged: tuple[str, ...]


def restore(place: Path, data: Path, tell: Tell = lambda *_: None) -> Restored:
    """Check every file of a backup, copy them into the empty folder `data`, open the store and count what is there.

    Nothing is written unless the whole backup is whole; what was written goes again when the restore fails.
    """
    with open_backup(place) as backup:
        _check_empty(data)
        if faults := backup.faults(tell):
            raise StoreError("\n".join([*faults, f"Nothing was restored: {len(faults)} files of {place} are damaged."]))
        with owned(data, "server"):
            try:
                _copy(backup, data, tell)
                return Restored(backup.manifest, _compare(backup.manifest, data))
            except BaseException:
                _clear(data)
                raise


def _check_empty(data: Path) -> None:
    if not data.exists():
        return
    if not data.is_dir() or any(path.name != _LOCK for path in data.iterdir()):
        raise StoreError(f"{data} is not empty: restore into a new folder; nothing there is ever overwritten.")


def _copy(backup: Backup, data: Path, tell: Tell) -> None:
    """The log comes last: before it, there is no store."""
    done, total = 0, sum(entry.bytes for entry in backup.manifest.files)
    for entry in sorted(backup.manifest.files, key=lambda entry: entry.name == f"{STORE}/{LOG}"):
        _write(backup, entry, data / entry.name)
        done += entry.bytes
        tell(done, total)


def _write(backup: Backup, entry: Entry, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o755 if entry.name.startswith(STORE) else 0o700)
        mode = 0o644 if entry.name.startswith(STORE) else 0o600
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
            backup.copy(entry, out.write)
            out.flush()
            os.fsync(out.fileno())
        os.utime(path, ns=(entry.mtime_ns, entry.mtime_ns))
    except OSError as problem:
        raise StoreError(
            f"{path} cannot be written ({problem.strerror}): free space, or name another folder."
        ) from problem


def _compare(manifest: Manifest, data: Path) -> tuple[str, ...]:
    """Open the store, with nothing to do in the background, and count it; answers what the store calls damaged."""
    with Historian.open(data / STORE, options=_AT_REST) as store:
        stats, tags = store.stats(), len(store.reader.tags())
    rows, damaged, expected = int(stats["rows"]), tuple(map(str, stats["damaged"])), manifest.contents
    if tags != expected.tags or (rows != expected.rows and not damaged):
        raise StoreError(
            f"The restored store has {rows:,} values of {tags:,} tags, the backup {expected.rows:,} of"
            f" {expected.tags:,}: nothing was restored; report this."
        )
    return damaged


def _clear(data: Path) -> None:
    for path in data.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != _LOCK:
            path.unlink(missing_ok=True)
