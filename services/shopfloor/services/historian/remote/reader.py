"""Reading from a server store: `plant.Reader` in whatever language the server speaks."""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from typing import Final

import pyarrow as pa
from shopfloor.plant import PathError, TagPath
from shopfloor.services.historian.read.answers import COLUMNS, chosen, columns_of, picture, rollup_table
from shopfloor.services.historian.read.cuts import cuts
from shopfloor.services.historian.remote.values import Language, join

RAW_POINTS: Final = 50_000
"""Up to so many values a picture is chosen from the values themselves."""

PORTION: Final = 65_536
"""About so many rows of a long answer are in memory at once."""

_FAR: Final = 2**62


class ServerReader:
    """`plant.Reader` of a server store. Thread-safe; an answer that cannot be had raises `StoreError`.

    Rows are sorted by tag in the order asked, then by time. int64 values answer as float64 in `value`.
    """

    def __init__(self, language: Language) -> None:
        self._language = language

    def close(self) -> None:
        """Hang up."""
        self._language.close()

    def count(self, tags: Sequence[str], start: int, end: int) -> int:
        """About how many values the tags have in [start, end)."""
        return self._language.count(_known(tags)[1], start, end)

    def latest(self, tags: Sequence[str]) -> pa.Table:
        """Newest value of each tag: tag, time, value, text, quality."""
        names, paths = _known(tags)
        return self._language.last(paths, _FAR).table(names)

    def read(
        self,
        tags: Sequence[str],
        start: int,
        end: int,
        *,
        previous: bool = False,
        columns: Sequence[str] = COLUMNS,
    ) -> pa.Table:
        """Every value in [start, end), as `plant.Reader.read` says."""
        names, paths = _known(tags)
        values = self._language.values(paths, start, end)
        if previous:
            values = join([self._language.last(paths, start), values]).sorted()
        return values.table(names, columns)

    def portions(self, tags: Sequence[str], start: int, end: int, rows: int = PORTION) -> Generator[pa.Table]:
        """What `read` answers, as `LongReader.portions` says; each portion is a question of its own."""
        names, paths = _known(tags)
        for part, first, last in cuts(names, start, end, rows, self.count):
            at = names.index(part[0])
            values = self._language.values(paths[at : at + len(part)], first, last)
            if len(values):
                yield values.table(names, first=at)

    def downsample(self, tag: str, start: int, end: int, points: int) -> pa.Table:
        """About `points` values that draw the same picture, as `plant.Reader.downsample` says."""
        _, paths = _known([tag])
        points = max(points, 2)
        if paths and self._language.count(paths, start, end) > max(RAW_POINTS, points):
            every = -(-(end - start) // points)
            every = -(-every // 1_000_000) * 1_000_000  # every server knows milliseconds
            return picture(self._language.outline(paths[0], start, end, every), every)
        rows = self._language.values(paths, start, end).numbers()
        return chosen(rows, points)

    def aggregate(self, tags: Sequence[str], start: int, end: int, every: int, *, of: Collection[str] = ()) -> pa.Table:
        """Per tag and bucket of `every` ns counted from `start`, as the embedded store answers it.

        A server does not tell the times of the first and last value of a bucket: `first_time` and `last_time` are
        the bucket's own first and last moment where only it was asked.
        """
        names, paths = _known(tags)
        return columns_of(rollup_table(names, self._language.summaries(paths, start, end, every), 0), of)


def _known(tags: Sequence[str]) -> tuple[list[str], list[TagPath]]:
    """The tags that can be anywhere at all: what is no path has no values."""
    found: dict[str, TagPath] = {}
    for tag in tags:
        try:
            found[tag] = TagPath.parse(tag)
        except PathError:
            continue
    return list(found), list(found.values())
