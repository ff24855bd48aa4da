"""Reading a store's folder from another process, a notebook say, while its server runs on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shopfloor.services.historian.care.snapshot import Snapshot, held
from shopfloor.services.historian.latest import Latest
from shopfloor.services.historian.log.dictionary import Dictionary
from shopfloor.services.historian.log.logged import Logged, logged
from shopfloor.services.historian.read.reader import StoreReader
from shopfloor.services.historian.shelf import Shelf


@dataclass(frozen=True, slots=True)
class Folder:
    """One moment of a store: everything that was acknowledged until then, whatever is flushed and compacted meanwhile.

    `files` are the Parquet files (columns tag, time, value, quality; see `tags` for the numbers of tags). They stay
    until the block ends. What was acknowledged in the last minutes is not in them yet; `reader` knows it from the log.
    """

    reader: StoreReader
    files: tuple[Path, ...]
    tags: dict[int, str]


@contextmanager
def open_folder(path: Path | str) -> Iterator[Folder]:
    """Hold a store still and read it, whether a server has it open or not; nothing of it is changed.

    The folder must be writable by this user: links in its `pins` keep the files. `StoreError` says why it cannot be.

    >>> import tempfile
    >>> from shopfloor.plant import Batch, Sample
    >>> from shopfloor.services.historian import Historian
    >>> with tempfile.TemporaryDirectory() as place, Historian.open(place) as store:
    ...     _ = store.ingest("edge", 1, "s", 1, Batch.of([Sample("delta/frames/line/cell/cnc-01/power", 5, 3.5)]))
    ...     with open_folder(place) as folder:
    ...         folder.reader.latest().column("value").to_pylist()
    [3.5]
    """
    with held(Path(path)) as snapshot:
        whole = [segment for segment in snapshot.segments if not segment.damage]
        shelf, latest = Shelf(snapshot.segments), Latest()
        tags = Dictionary(snapshot.db.execute("SELECT id, path, kinds FROM tags ORDER BY id").fetchall())
        reader = StoreReader(shelf, tags, latest)
        kept = snapshot.db.execute("SELECT value FROM meta WHERE key = 'newest'").fetchone()
        if kept is None or not latest.load(kept[0]):
            reader.fill(latest)
        _replay(snapshot, shelf, tags, latest)
        yield Folder(reader, tuple(segment.path for segment in whole), dict(enumerate(tags.paths)))


def _replay(snapshot: Snapshot, shelf: Shelf, tags: Dictionary, latest: Latest) -> None:
    """Take up what is in the log and in no segment; what is damaged there is passed over: the server tells of it."""
    for found in logged(snapshot.db, tags.find, snapshot.log):
        if isinstance(found, Logged):
            shelf.append(found.rows, found.batch.kind, found.entry.id)
            latest.update(found.rows, found.batch.kind)
