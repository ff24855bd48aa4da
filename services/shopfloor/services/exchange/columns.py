"""Text in columns into batches; what cannot be understood is refused row by row, with its reason."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from shopfloor.plant import Batch, Kind, PathError, TagPath
from shopfloor.services.exchange.moments import UNITS, times
from shopfloor.services.historian.rows import DTYPES

_LAST: Final = int(np.datetime64("2262-01-01", "ns").astype(np.int64))
_WORDS: Final = {"": "0", "good": "0", "uncertain": str(0x40000000), "bad": str(0x80000000)}
_NUMBER: Final = r"(?i)^\s*[+-]?(nan|inf(inity)?|\d+\.?\d*(e[+-]?\d+)?|\.\d+(e[+-]?\d+)?)\s*$"
_TRUTHS: Final = {"true": "1", "false": "0"}
Refused = tuple[int, str]
"""Number of a line, and why it was refused."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is to be understood.

    `kind` of values that do not say theirs (None: numbers are float64, all else is text); `unit` of whole numbers as
    times (ns); `zone` of times without one; `names` renames columns and tags; `asset` is put before names without a /.
    `read_times` makes UTC ns of texts, `unit` and `zone`; what it cannot read raises `pa.ArrowInvalid`.
    """

    kind: Kind | None = None
    unit: int = UNITS["ns"]
    zone: str = "UTC"
    decimal: str = "."
    asset: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    read_times: Callable[[pa.StringArray, int, str], NDArray[np.int64]] = times


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Rows as they were read: numbers of their lines, and texts (or, of a Parquet file, what stands there)."""

    line: NDArray[np.int64]
    tag: pa.Array
    time: pa.Array
    value: pa.Array
    quality: pa.Array | None = None
    kind: pa.Array | None = None


def as_row(cells: Sequence[str], width: int, line: int | str, sentence: str) -> str:
    """A refused row as a line of CSV, with its number and the reason in columns of their own."""
    out = io.StringIO()
    csv.writer(out).writerow([*cells, *[""] * (width - len(cells)), line, sentence])
    return out.getvalue()


def understand(columns: Columns, reading: Reading) -> tuple[list[Batch], list[Refused]]:
    """A batch of each kind, and what was refused."""
    why: dict[int, str] = {}
    names, tag = _tags(columns.tag, reading, why)
    time = _each(columns.time, partial(_times, reading), np.int64, "the time", why)
    for row in np.flatnonzero((time < 0) | (time >= _LAST)).tolist():
        why.setdefault(row, "its time is before 1970 or after 2261")
    quality = np.zeros(len(time), np.uint32)
    if columns.quality is not None:
        quality = _each(columns.quality, _qualities, np.uint32, "the quality", why)
    batches = []
    for rows, value in _values(columns, reading, why):
        keep = np.array([row not in why for row in rows.tolist()], bool) if why else np.ones(len(rows), bool)
        kept = rows[keep]
        if len(kept):
            batches.append(Batch(names, tag[kept], time[kept], value[keep], quality[kept]).used())
    return batches, [(int(columns.line[row]), sentence) for row, sentence in sorted(why.items())]


def _tags(texts: pa.Array, reading: Reading, why: dict[int, str]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    coded = pc.dictionary_encode(pc.fill_null(pc.cast(texts, pa.string()), ""))
    found = [_path(str(name), reading) for name in coded.dictionary.to_pylist()]
    index = coded.indices.to_numpy()
    for number, name in enumerate(found):
        if sentence := _no_path(name):
            why.update(dict.fromkeys(np.flatnonzero(index == number).tolist(), sentence))
    names = tuple(dict.fromkeys(found))
    place = {name: number for number, name in enumerate(names)}
    return names, np.array([place[name] for name in found], np.int32)[index]


def _path(name: str, reading: Reading) -> str:
    name = reading.names.get(name, name)
    return f"{reading.asset}/{name}" if reading.asset and "/" not in name else name


def _no_path(name: str) -> str:
    try:
        TagPath.parse(name)
    except PathError as problem:
        return f"{str(problem)[:300]} (--map NAME=PATH and --asset PATH give names a path)"
    return ""


def _times(reading: Reading, texts: pa.Array) -> NDArray[np.int64]:
    if pa.types.is_timestamp(texts.type) and texts.type.tz is None:
        texts = pc.assume_timezone(texts, reading.zone)
    if pa.types.is_timestamp(texts.type):
        texts = pc.cast(texts, pa.timestamp("ns", "UTC"))
        return np.asarray(pc.cast(texts, pa.int64()))
    if pa.types.is_integer(texts.type):
        return np.asarray(pc.multiply_checked(pc.cast(texts, pa.int64()), reading.unit))
    return reading.read_times(pc.utf8_trim_whitespace(texts), reading.unit, reading.zone)


def _qualities(texts: pa.Array) -> NDArray[np.uint32]:
    if pa.types.is_string(texts.type) and len(texts) == 1:
        text = str(texts[0]).strip().lower()
        number = _WORDS.get(text, text)
        texts = pa.array([str(int(number, 16)) if number.startswith("0x") else number])
    return np.asarray(pc.cast(texts, pa.uint32()))


def _values(columns: Columns, reading: Reading, why: dict[int, str]) -> list[tuple[NDArray[np.int64], NDArray[Any]]]:
    """(rows, their values) of every kind that occurs."""
    found = []
    for kind, rows in _kinds(columns, reading, why):
        part = columns.value if len(rows) == len(columns.value) else columns.value.take(pa.array(rows))
        if kind is None:
            found += _guessed(part, rows, reading, why)
        else:
            of = dict[int, str]()
            values = _each(part, partial(_VALUES[kind], reading), DTYPES[kind], f"the {kind.value} value", of)
            why |= {int(rows[row]): sentence for row, sentence in of.items() if int(rows[row]) not in why}
            found.append((rows, values))
    return found


def _kinds(columns: Columns, reading: Reading, why: dict[int, str]) -> list[tuple[Kind | None, NDArray[np.int64]]]:
    arrow = columns.value.type
    if columns.kind is None:
        own = Kind.INT if pa.types.is_integer(arrow) else None if pa.types.is_string(arrow) else Kind.FLOAT
        return [(reading.kind or own, np.arange(len(columns.value)))]
    coded = pc.dictionary_encode(pc.fill_null(columns.kind, ""))
    index, found = coded.indices.to_numpy(), list[tuple[Kind | None, NDArray[np.int64]]]()
    for number, name in enumerate(coded.dictionary.to_pylist()):
        rows = np.flatnonzero(index == number)
        if name in set(Kind) or not name:
            found.append((Kind(name) if name else reading.kind, rows))
        else:
            why.update(dict.fromkeys(rows.tolist(), f"the kind {name[:50]!r} is none: {', '.join(Kind)}"))
    return found


def _guessed(
    part: pa.Array, rows: NDArray[np.int64], reading: Reading, why: dict[int, str]
) -> list[tuple[NDArray[np.int64], NDArray[Any]]]:
    """Numbers are float64, everything else is text, nothing at all is refused."""
    like = pc.replace_substring(part, reading.decimal, ".")
    number = pc.fill_null(pc.match_substring_regex(like, _NUMBER), False).to_numpy(zero_copy_only=False)
    of = dict[int, str]()
    numbers = _each(part.filter(pa.array(number)), partial(_floats, reading), np.float64, "the value", of)
    why |= {int(rows[number][row]): sentence for row, sentence in of.items()}
    words = np.array(pc.fill_null(part.filter(pa.array(~number)), "").to_pylist(), object)
    empty = rows[~number][words == ""]
    why |= dict.fromkeys(empty.tolist(), "the value is empty (--kind text takes it as it is)")
    return [(rows[number], numbers), (rows[~number], words)]


def _floats(reading: Reading, texts: pa.Array) -> NDArray[np.float64]:
    if pa.types.is_string(texts.type):
        texts = pc.utf8_ltrim(pc.utf8_trim_whitespace(texts), "+")
        if reading.decimal != ".":
            texts = pc.replace_substring(texts, reading.decimal, ".")
        if len(texts) == 1:
            texts = pa.array([_TRUTHS.get(str(texts[0]).lower(), str(texts[0]))])
    return np.asarray(pc.cast(texts, pa.float64()).to_numpy(zero_copy_only=False))


def _ints(_: Reading, texts: pa.Array) -> NDArray[np.int64]:
    plain = pc.utf8_trim_whitespace(texts) if pa.types.is_string(texts.type) else texts
    return np.asarray(pc.cast(plain, pa.int64()))


def _texts(_: Reading, texts: pa.Array) -> NDArray[np.object_]:
    return np.array(pc.cast(texts, pa.string()).to_pylist(), object)


_VALUES: Final = {Kind.FLOAT: _floats, Kind.INT: _ints, Kind.TEXT: _texts}


def _each(
    texts: pa.Array,
    read: Callable[[pa.Array], NDArray[Any]],
    dtype: Any,
    what: str,
    why: dict[int, str],
    first: int = 0,
) -> NDArray[Any]:
    """Read all at once; where that fails, halves of it, down to the rows that are wrong."""
    try:
        if not texts.null_count:
            return read(texts)
        reason = "it is missing"
    except (pa.ArrowException, ValueError) as problem:
        reason = _reason(problem)
    if len(texts) == 1:
        why.setdefault(first, f"{what} {str(texts[0])[:50]!r} cannot be read: {reason}")
        return np.zeros(1, dtype)
    middle = len(texts) // 2
    return np.concatenate([
        _each(texts.slice(0, middle), read, dtype, what, why, first),
        _each(texts.slice(middle), read, dtype, what, why, first + middle),
    ])  # fmt: skip


def _reason(problem: Exception) -> str:
    said = str(problem)
    if "doesn't exist in timezone" in said or "is ambiguous in timezone" in said:
        return "there is no such time in its zone, or there are two: write it with its offset"
    return "it is none"
