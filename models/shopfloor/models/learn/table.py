"""Tables: columns by name, from CSV or Parquet, or as they are in memory."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv, parquet
from shopfloor.models.learn.roles import LearnError, Roles

Table = Mapping[str, NDArray[Any]]
"""Columns of one length: numbers, texts (`object`) or timestamps (`datetime64`)."""


def read_table(file: Path) -> dict[str, NDArray[Any]]:
    """Read a CSV file with a header, or a Parquet file; what is neither raises `LearnError`."""
    try:
        table = parquet.read_table(file) if file.suffix == ".parquet" else csv.read_csv(file)
    except FileNotFoundError as problem:
        raise LearnError(f"{file} does not exist: expected a CSV or Parquet file.") from problem
    except (OSError, pa.ArrowException) as problem:
        reason = str(problem).splitlines()[0].rstrip(".")
        raise LearnError(f"{file} cannot be read as a table with a header: {reason}.") from problem
    if not table.num_rows:
        raise LearnError(f"{file} holds no rows: expected a header and at least one row for each moment.")
    return {name.strip(): column(table[name]) for name in table.column_names}


def column(values: pa.ChunkedArray | pa.Array) -> NDArray[Any]:
    """An Arrow column as numbers (missing: NaN), texts or timestamps in ns.

    >>> column(pa.array([1, None])).tolist()
    [1.0, nan]
    """
    kind = values.type
    if pa.types.is_dictionary(kind):
        values = values.cast(kind.value_type)
        kind = values.type
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return np.asarray(values.cast(pa.timestamp("ns", tz=getattr(kind, "tz", None))).to_numpy(), "datetime64[ns]")
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind):
        return np.asarray(values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), np.float64)
    return np.array(values.cast(pa.string()).to_pylist(), dtype=object)


def check_columns(table: Table, roles: Roles) -> None:
    """Raise `LearnError` when a role names a column that the table lacks, or lengths differ."""
    for name in roles.named:
        if name not in table:
            close = get_close_matches(name, list(table), n=1)
            hint = f" Did you mean {close[0]!r}?" if close else f" It has {', '.join(list(table)[:12])}."
            raise LearnError(f"The table has no column {name!r}.{hint}")
    if len({len(values) for values in table.values()}) > 1:
        raise LearnError("The columns of the table have different lengths: expected one value of each in every row.")


def is_text(values: NDArray[Any]) -> bool:
    """Whether a column holds texts."""
    return values.dtype.kind in "OUS"


def codes(values: NDArray[Any]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Each value as the rank of its text, and the texts.

    >>> codes(np.array(["b", "a", "b"]))[0].tolist()
    [1, 0, 1]
    """
    texts = np.array([words(value) for value in values.tolist()], dtype=object)
    known, code = np.unique(texts, return_inverse=True)
    return code.astype(np.int64), tuple(str(one) for one in known)


def words(value: Any) -> str:
    """A value as people write it: whole numbers without a point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
