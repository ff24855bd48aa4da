"""Taking a backup: the store at one moment, then the small files beside it."""

from __future__ import annotations

import io
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from shopfloor.gateway.version import installed_version
from shopfloor.plant import StoreError
from shopfloor.services.backup.manifest import FORMAT, STORE, Entry, Manifest
from shopfloor.services.backup.source import open_backup
from shopfloor.services.backup.target import FolderTarget, Target, TarTarget
from shopfloor.services.historian.care.contents import contents
from shopfloor.services.historian.care.snapshot import LOG, Snapshot, held
from shopfloor.services.historian.segments.segment import Segment

Tell = Callable[[int, int], None]
PARTS: Final = ("alarms", "audit", "brain", "registry", "quality", "production", "notify", "reports", "gateways.json")
"""What a server keeps beside its store: alarms and events, the audit of writes, models with their
audit, limits of control charts, stops and scrap, its gateways' reports, messages to people."""
SECRETS: Final = "secrets"
_SQLITE: Final = b"SQLite format 3\0"
_PASSING: Final = ("-wal", "-shm", "-journal", ".part", ".new", ".tmp", ".lock")


def take(
    data: Path, place: Path, *, since: Path | None = None, secrets: bool = False, tell: Tell = lambda *_: None
) -> Manifest:
    """Back the data folder of a server up into `place`, a new folder or a new file `*.tar`.

    The server may run: the backup is one moment of its store, and nobody waits for it. Files that the folder backup
    `since` has are linked from there. Tokens come along with `secrets` only. `tell` hears (bytes done, bytes in all).
    """
    try:
        return _take(data, place, since, secrets=secrets, tell=tell)
    except OSError as problem:
        raise StoreError(
            f"The backup {place} cannot be written ({problem.strerror}): free space or name another place,"
            " and delete what is there of it."
        ) from problem


def _take(data: Path, place: Path, since: Path | None, *, secrets: bool, tell: Tell) -> Manifest:
    earlier = _earlier(since)
    with held(data / STORE) as snapshot:
        done, total = 0, sum(segment_file.stat().st_size for segment_file in _files(snapshot))

        def told(count: int) -> None:
            nonlocal done
            done += count
            tell(done, max(total, done))

        with _target(place, told) as target:
            entries = [_segment(target, file, rows, snapshot, since, earlier) for file, rows in _listed(snapshot)]
            log = snapshot.db.serialize()
            entries.append(target.put(f"{STORE}/{LOG}", io.BytesIO(log), len(log), time.time_ns()))
            parts = (_part(target, data, file) for file in _beside(data, secrets=secrets))
            entries += [part for part in parts if part is not None]
            manifest = Manifest(
                FORMAT, datetime.now(UTC).isoformat(timespec="seconds"), installed_version(), secrets,
                contents(snapshot), _missing(snapshot), tuple(entries),
            )  # fmt: skip
            target.finish(manifest)
    return manifest


def _earlier(since: Path | None) -> dict[str, Entry]:
    if since is None:
        return {}
    with open_backup(since) as backup:
        return {entry.name: entry for entry in backup.manifest.files}


def _target(place: Path, told: Callable[[int], None]) -> FolderTarget | TarTarget:
    place.parent.mkdir(parents=True, exist_ok=True)
    return TarTarget(place, told) if place.suffix == ".tar" else FolderTarget(place, told)


def _listed(snapshot: Snapshot) -> Iterator[tuple[Path, int]]:
    """Every file of every segment that is there, with the rows of those that hold values."""
    for segment in snapshot.segments:
        for file in segment.files():
            if file.is_file():
                yield file, segment.rows if file == segment.path else 0


def _files(snapshot: Snapshot) -> list[Path]:
    return [file for file, _ in _listed(snapshot)]


def _missing(snapshot: Snapshot) -> tuple[str, ...]:
    def lost(segment: Segment) -> list[Path]:
        return [file for file in segment.files() if not file.is_file()]

    return tuple(f"{STORE}/{snapshot.name(file)}" for segment in snapshot.segments for file in lost(segment))


def _segment(
    target: Target, file: Path, rows: int, snapshot: Snapshot, since: Path | None, earlier: dict[str, Entry]
) -> Entry:
    """A segment's file never changes: with name, size and time of the earlier one it is the same."""
    name, stat = f"{STORE}/{snapshot.name(file)}", file.stat()
    known = earlier.get(name)
    same = known is not None and (known.bytes, known.mtime_ns) == (stat.st_size, stat.st_mtime_ns)
    if since is not None and known is not None and same and target.share(since, known):
        return known
    with file.open("rb") as data:
        return target.put(name, data, stat.st_size, stat.st_mtime_ns, rows)


def _beside(data: Path, *, secrets: bool) -> Iterator[Path]:
    for part in (*PARTS, SECRETS) if secrets else PARTS:
        place = data / part
        files = sorted(place.rglob("*")) if place.is_dir() else [place]
        yield from (file for file in files if file.is_file() and not file.name.endswith(_PASSING))


def _part(target: Target, data: Path, file: Path) -> Entry | None:
    """A small file as it is now; None when it has gone since it was listed."""
    try:
        with file.open("rb") as opened:
            body = opened.read()
            mtime_ns = file.stat().st_mtime_ns
    except FileNotFoundError:
        return None
    if body.startswith(_SQLITE):
        body = _database(file)
    return target.put(file.relative_to(data).as_posix(), io.BytesIO(body), len(body), mtime_ns)


def _database(file: Path) -> bytes:
    """A database that is in use, as it is at one moment."""
    try:
        with closing(sqlite3.connect(":memory:")) as memory:
            with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as source:
                source.backup(memory)
            return memory.serialize()
    except sqlite3.Error as problem:
        raise StoreError(f"{file} cannot be read ({problem}): it is no part of this backup until it can.") from problem
