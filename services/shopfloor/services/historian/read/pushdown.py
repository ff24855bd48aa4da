"""Totals by DuckDB, straight over the files of segments that lie apart in time."""

# ruff: noqa: S608 (names of our own files and numbers are all that is put into SQL here)

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant.quality import BAD
from shopfloor.services.historian.read.samples import between
from shopfloor.services.historian.read.sql import quoted
from shopfloor.services.historian.read.totals import Totals
from shopfloor.services.historian.segments.segment import Segment

if TYPE_CHECKING:
    import duckdb

_USABLE: Final = f"quality < {BAD} AND NOT isnan(value::DOUBLE)"
_SQL: Final = {
    "n": f"count(*) FILTER ({_USABLE})",
    "bad": f"count(*) FILTER (NOT ({_USABLE}))",
    "sum": f"coalesce(sum(value::DOUBLE) FILTER ({_USABLE}), 0.0)",
    "min": f"coalesce(min(value::DOUBLE) FILTER ({_USABLE}), 'nan'::DOUBLE)",
    "max": f"coalesce(max(value::DOUBLE) FILTER ({_USABLE}), 'nan'::DOUBLE)",
    "quality": "max(quality)",
}
_DTYPES: Final = {"n": np.int64, "bad": np.int64, "quality": np.uint32}
_SETTINGS: Final = ("threads = 2", "memory_limit = '512MB'", "temp_directory = ''", "TimeZone = 'UTC'")


def totals(
    segments: Sequence[Segment],
    wanted: NDArray[np.bool_],
    spans: Sequence[tuple[int, int]],
    grid: tuple[int, int],
    names: Sequence[str],
) -> Totals:
    """Columns of `totals.MERGE` of the wanted tags (a mask) in these spans, in the buckets of the grid.

    The segments must be of one numeric kind, and repeat nothing in these spans. `duckdb.Error` when it cannot.
    """
    every, origin = grid
    low, high = min(start for start, _ in spans), max(end for _, end in spans) - 1
    one = (low - origin) // every == (high - origin) // every
    bucket = f"{(low - origin) // every}::BIGINT" if one else f"(epoch_ns(time) - ({origin})) // {every}"
    columns = ", ".join(f"{_SQL[name]} AS {name}" for name in names)
    files = ", ".join(f"'{quoted(str(segment.path))}'" for segment in segments)
    text = (
        f"SELECT tag, {bucket} AS bucket, {columns} FROM read_parquet([{files}])"
        f" WHERE {_tags(wanted)} AND ({_times(segments, spans)}) GROUP BY ALL"
    )
    found = _database().cursor().execute(text).fetchnumpy()
    of = {name: np.asarray(found[name], _DTYPES.get(name, np.float64)) for name in names}
    return Totals(np.asarray(found["tag"], np.int32), np.asarray(found["bucket"], np.int64) * every + origin, of)


def _tags(wanted: NDArray[np.bool_]) -> str:
    """A range where the tags lie side by side: DuckDB skips row groups by it."""
    ids = np.flatnonzero(wanted).tolist()
    side_by_side = len(ids) == ids[-1] - ids[0] + 1
    within = f"tag BETWEEN {ids[0]} AND {ids[-1]}"
    return within if side_by_side else f"{within} AND tag IN ({', '.join(map(str, ids))})"


def _times(segments: Sequence[Segment], spans: Sequence[tuple[int, int]]) -> str:
    """Nothing to compare where one span holds all files."""
    low, high = min(segment.start for segment in segments), max(segment.end for segment in segments)
    if any(start <= low and high < end for start, end in spans):
        return "true"
    return " OR ".join(f"({between(span)})" for span in spans)


@lru_cache(maxsize=1)
def _database() -> duckdb.DuckDBPyConnection:
    """One for the process: making one takes longer than many questions do."""
    import duckdb

    db = duckdb.connect(":memory:")
    for setting in _SETTINGS:
        db.execute(f"SET {setting}")
    return db
