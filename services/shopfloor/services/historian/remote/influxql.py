"""InfluxQL over `/query`, which InfluxDB 1, 2 (with a mapped bucket) and 3 answer: CSV, straight into Arrow.

Source: InfluxDB's InfluxQL reference (quoting of identifiers and strings, GROUP BY time with an offset).
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv
from shopfloor.plant import Kind, StoreError, TagPath
from shopfloor.services.historian.remote.http import Asking, Body
from shopfloor.services.historian.remote.lineprotocol import escaped
from shopfloor.services.historian.remote.target import Target
from shopfloor.services.historian.remote.values import Values, join, numbers_only
from shopfloor.services.historian.rows import Rows, empty
from shopfloor.services.historian.segments.rollup import Rollup, merge, nothing, summarize

_LEVELS: Final = "site, area, line, cell, asset"
_TAGS: Final = 200
"""Assets of one question."""

_RAW: Final = {"value": pa.float64(), "integer": pa.int64(), "text": pa.string(), "quality": pa.int64()}
_WHAT: Final = ("count", "sum", "min", "max", "first", "last")
_BAD: Final = 0x8000_0000


class InfluxQL:
    """`Language` of InfluxDB."""

    def __init__(self, target: Target) -> None:
        self._asking = Asking(target)
        self._bucket = target.bucket

    def close(self) -> None:
        """Hang up."""
        self._asking.close()

    def values(self, tags: Sequence[TagPath], start: int, end: int) -> Values:
        """Every value, sorted by (tag, time)."""
        return self._raw(tags, f"time >= {start} AND time < {end}", "")

    def last(self, tags: Sequence[TagPath], before: int) -> Values:
        """The last value of each tag before a time."""
        return self._raw(tags, f"time < {before}", " ORDER BY time DESC LIMIT 1")

    def count(self, tags: Sequence[TagPath], start: int, end: int) -> int:
        """How many values they have in all."""
        rows = 0
        for chosen in _questions(tags):
            where = f"{_where([tags[at] for at in chosen])} AND time >= {start} AND time < {end}"
            query = f"SELECT count(quality) FROM {_name(tags[chosen[0]].name)} WHERE {where}"  # noqa: S608 (all quoted)
            rows += sum(sum(part["count"].to_pylist()) for _, part in self._ask(query, {"count": pa.int64()}, None))
        return rows

    def summaries(self, tags: Sequence[TagPath], start: int, end: int, every: int) -> Rollup:
        """Summaries of the numbers, made by the server: of usable values, and beside them of all."""
        if end <= start:
            return nothing()
        span = f"time >= {start} AND time < {end}"
        per = f"GROUP BY time({every}ns, {start % every}ns), {_LEVELS} fill(none)"
        parts: list[Rollup] = []
        for chosen in _questions(tags):
            where, name = f"{_where([tags[at] for at in chosen])} AND {span}", _name(tags[chosen[0]].name)
            numbers = [f"{what}({field}) AS {field}_{what}" for field in ("value", "integer") for what in _WHAT]
            usable = f"SELECT {', '.join(numbers)} FROM {name} WHERE {where} AND quality < {_BAD} {per}"  # noqa: S608
            fields = "count(quality) AS count, max(quality) AS worst, count(text) AS texts"
            beside = f"SELECT {fields} FROM {name} WHERE {where} {per}"  # noqa: S608
            place = _places(tags, chosen)
            types = {f"{field}_{what}": pa.float64() for field in ("value", "integer") for what in _WHAT}
            whole = self._columns(beside, dict.fromkeys(("count", "worst", "texts"), pa.float64()), place)
            parts.append(_rollup(self._columns(usable, types, place), whole, start, end, every))
        rollup = merge(parts, every, start)
        return self._mended(rollup, tags, start, end, every)

    def outline(self, tag: TagPath, start: int, end: int, every: int) -> Rollup:
        """The same as `summaries`."""
        return self.summaries([tag], start, end, every)

    def _mended(self, rollup: Rollup, tags: Sequence[TagPath], start: int, end: int, every: int) -> Rollup:
        """Tags that held float64 and int64 in one bucket (`n` is negative there) are summarised from their values."""
        mixed = np.unique(rollup.tag[rollup.n < 0])
        if not len(mixed):
            return rollup
        rows = self.values([tags[at] for at in mixed.tolist()], start, end).numbers()
        again = summarize(rows, every, start).renumber(mixed.astype(np.int32))
        return merge([rollup.take(~np.isin(rollup.tag, mixed)), again], every, start)

    def _raw(self, tags: Sequence[TagPath], span: str, end: str) -> Values:
        parts: list[Values] = []
        for chosen in _questions(tags):
            where, name = f"{_where([tags[at] for at in chosen])} AND {span}", _name(tags[chosen[0]].name)
            query = f"SELECT value, integer, text, quality FROM {name} WHERE {where} GROUP BY {_LEVELS}{end}"  # noqa: S608
            place = _places(tags, chosen)
            found = [_values(index, part) for index, part in self._ask(query, _RAW, place)]
            if any(_unsure(part).any() for part in found):
                found = [self._empty_texts(join(found), name, where, place)]
            parts += found
        return join(parts).sorted() if parts else numbers_only(empty(Kind.FLOAT))

    def _empty_texts(self, values: Values, name: str, where: str, place: dict[str, int]) -> Values:
        """CSV writes a text that is empty as it writes none at all: ask where such texts are."""
        query = f"SELECT text FROM {name} WHERE {where} AND text = '' GROUP BY {_LEVELS}"  # noqa: S608
        found = [(index, part["time"].to_numpy()) for index, part in self._ask(query, {"text": pa.string()}, place)]
        keys = {(t, n) for index, times in found for t, n in zip(index.tolist(), times.tolist(), strict=True)}
        text = values.text.copy()
        for at in np.flatnonzero(_unsure(values)).tolist():
            if (int(values.rows.tag[at]), int(values.rows.time[at])) in keys:
                text[at] = ""
        return Values(values.rows, text)

    def _columns(self, query: str, types: dict[str, Any], place: dict[str, int]) -> dict[str, NDArray[Any]]:
        """The answer as columns: tag, time, and each of `types`; what is null is NaN."""
        parts = list(self._ask(query, types, place))
        tag = [index for index, _ in parts]
        columns = {"tag": np.concatenate(tag) if tag else np.empty(0, np.int32)}
        for name, kind in {"time": np.int64, **dict.fromkeys(types, np.float64)}.items():
            found = [part[name].to_numpy(zero_copy_only=False).astype(kind) for _, part in parts]
            columns[name] = np.concatenate(found) if found else np.empty(0, kind)
        return columns

    def _ask(
        self, query: str, types: dict[str, Any], place: dict[str, int] | None
    ) -> Iterator[tuple[NDArray[np.int32], pa.RecordBatch]]:
        """Each portion of the answer with the tag's place of every row (0 where there is no `place`)."""
        form = {"q": query, "db": self._bucket, "epoch": "ns", "chunked": "true"}
        with self._asking.answer("/query", form, "application/csv") as response:
            body = io.BufferedReader(Body(response), 1 << 18)
            head = body.peek(16)[:16]
            if not head.strip():
                return
            if head.startswith(b"error"):
                said = " ".join(body.read(2000).decode("utf-8", "replace").split())[6:]
                raise StoreError(f"{self._asking.target.url} did not answer a question ({said}).")
            for part in _read_csv(body, types):
                keys = part["tags"].dictionary.to_pylist()
                known = np.array([0 if place is None else place.get(key, -1) for key in keys], np.int32)
                index = known[part["tags"].indices.to_numpy()]
                keep = index >= 0
                yield (index, part) if keep.all() else (index[keep], part.filter(pa.array(keep)))


def _read_csv(body: io.BufferedIOBase, types: dict[str, Any]) -> Iterator[pa.RecordBatch]:
    texts = pa.dictionary(pa.int32(), pa.string())
    options = csv.ConvertOptions(
        column_types={"name": texts, "tags": texts, "time": pa.int64()} | types,
        include_columns=["tags", "time", *types],
        null_values=[""],
        strings_can_be_null=False,
    )
    parse = csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=True)
    with csv.open_csv(body, csv.ReadOptions(block_size=1 << 20), parse, options) as reader:
        yield from reader


def _values(index: NDArray[np.int32], part: pa.RecordBatch) -> Values:
    value = part["value"].to_numpy(zero_copy_only=False).astype(np.float64)
    integer = part["integer"].to_numpy(zero_copy_only=False).astype(np.float64)
    quality = part["quality"].fill_null(0).to_numpy(zero_copy_only=False).astype(np.uint32)
    text = np.full(len(index), None, object)
    if part["text"].nbytes > 4 * (len(index) + 1):
        text = np.array([entry or None for entry in part["text"].to_pylist()], object)
    time = part["time"].to_numpy()
    return Values(Rows(index, time, np.where(np.isnan(value), integer, value), quality), text)


def _unsure(values: Values) -> NDArray[np.bool_]:
    unsure: NDArray[np.bool_] = np.isnan(values.rows.value) & values.is_number()
    return unsure


def _rollup(
    usable: dict[str, NDArray[Any]], whole: dict[str, NDArray[Any]], start: int, end: int, every: int
) -> Rollup:
    """Both answers as one. A bucket with numbers of both kinds gets -1 as `n`."""
    base = _in_order(whole)
    count = len(base["tag"])
    n, sums = np.zeros(count, np.int64), np.zeros(count)
    ends = {what: np.full(count, np.nan) for what in ("min", "max", "first", "last")}
    at = _find(base, usable)
    for field in ("value", "integer"):
        has = np.nan_to_num(usable[f"{field}_count"]).astype(np.int64)
        where = at[has > 0]
        n[where] = np.where(n[where] > 0, -1, has[has > 0])
        sums[where] = usable[f"{field}_sum"][has > 0]
        for what, column in ends.items():
            column[where] = usable[f"{field}_{what}"][has > 0]
    numbers = base["count"].astype(np.int64) - np.nan_to_num(base["texts"]).astype(np.int64)
    rollup = Rollup(
        base["tag"], base["time"], n, np.maximum(numbers - np.maximum(n, 0), 0), sums, ends["min"], ends["max"],
        ends["first"], ends["last"], np.full(count, np.nan), np.maximum(base["time"], start),
        np.minimum(base["time"] + every, end) - 1,
        base["worst"].astype(np.uint32),
    )  # fmt: skip
    return rollup.take((numbers > 0) | (n != 0))


def _in_order(whole: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Sorted by (tag, time)."""
    index = np.lexsort((whole["time"], whole["tag"]))
    return {name: column[index] for name, column in whole.items()}


def _find(base: dict[str, NDArray[Any]], part: dict[str, NDArray[Any]]) -> NDArray[np.int64]:
    """Where in the sorted `base` each (tag, time) of `part` stands."""
    place = {key: at for at, key in enumerate(zip(base["tag"].tolist(), base["time"].tolist(), strict=True))}
    keys = zip(part["tag"].tolist(), part["time"].tolist(), strict=True)
    return np.array([place[key] for key in keys], np.int64)


def _questions(tags: Sequence[TagPath]) -> Iterator[list[int]]:
    """Places of tags that one question can name: of one measurement, and not too many."""
    by_name = sorted(range(len(tags)), key=lambda at: tags[at].name)
    for _, same in groupby(by_name, key=lambda at: tags[at].name):
        places = list(same)
        yield from (places[at : at + _TAGS] for at in range(0, len(places), _TAGS))


def _places(tags: Sequence[TagPath], chosen: Sequence[int]) -> dict[str, int]:
    """A tag's place by what the column `tags` of the answer says: its levels sorted, escaped (InfluxDB) or plain."""
    ways = (escaped, str)
    return {
        ",".join(sorted(f"{level}={way(name)}" for level, name in asdict(tags[at].asset).items())): at
        for way in ways
        for at in chosen
    }


def _where(tags: Sequence[TagPath]) -> str:
    each = (" AND ".join(f"{level} = {_text(name)}" for level, name in asdict(tag.asset).items()) for tag in tags)
    return "(" + " OR ".join(f"({one})" for one in each) + ")"


def _name(name: str) -> str:
    r"""A measurement as InfluxQL writes it.

    >>> print(_name('a "b"'))
    "a \"b\""
    """
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _text(text: str) -> str:
    r"""A string as InfluxQL writes it.

    >>> print(_text("it's"))
    'it\'s'
    """
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
