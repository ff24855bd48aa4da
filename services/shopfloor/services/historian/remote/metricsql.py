"""VictoriaMetrics' own API: `/api/v1/export` for values, MetricsQL for outlines.

A tag is up to four series: `…_value`, `…_integer`, `…_bad` (numbers of bad quality) and `…_quality`, which every value
has. Times are milliseconds; what was sent twice is there twice, and is taken once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from shopfloor.plant import Kind, StoreError, TagPath
from shopfloor.services.historian.options import HOUR
from shopfloor.services.historian.remote.http import Asking
from shopfloor.services.historian.remote.target import Target
from shopfloor.services.historian.remote.values import Values, join, numbers_only
from shopfloor.services.historian.rows import Rows, empty
from shopfloor.services.historian.segments.rollup import Rollup, merge, nothing, summarize

_MS: Final = 1_000_000
_TAGS: Final = 50
_FIELDS: Final = ("value", "integer", "bad", "quality")
_PORTION: Final = 2_000_000
_BACK: Final = (HOUR, 24 * HOUR, 7 * 24 * HOUR, 60 * 24 * HOUR, 20 * 366 * 24 * HOUR)
"""How far back `last` looks, step by step."""

_AHEAD: Final = 24 * HOUR
"""How far in the future a value may lie, from a clock that is wrong, to be the latest."""

_OVER: Final = ("min", "max", "avg", "count", "first", "last")


class _Series(msgspec.Struct):
    metric: dict[str, str]
    values: list[float | None]
    timestamps: list[int]


class _Found(msgspec.Struct):
    metric: dict[str, str]
    values: list[tuple[float, str]] = []
    value: tuple[float, str] = (0.0, "0")


class _Data(msgspec.Struct):
    result: list[_Found]


class _Answer(msgspec.Struct):
    data: _Data


_series = msgspec.json.Decoder(_Series)
_answer = msgspec.json.Decoder(_Answer)


class MetricsQL:
    """`Language` of VictoriaMetrics."""

    def __init__(self, target: Target) -> None:
        self._asking = Asking(target)

    def close(self) -> None:
        """Hang up."""
        self._asking.close()

    def values(self, tags: Sequence[TagPath], start: int, end: int) -> Values:
        """Every value, sorted by (tag, time), each time once. There are no texts here."""
        parts = [numbers_only(empty(Kind.FLOAT))]
        if end > start:
            for first in range(0, len(tags), _TAGS):
                parts += self._values(tags, range(first, min(first + _TAGS, len(tags))), start, end)
        return join(parts).sorted()

    def last(self, tags: Sequence[TagPath], before: int) -> Values:
        """The last value of each tag before a time, looking further back only for the tags not found yet."""
        before = min(before, time.time_ns() + _AHEAD)
        found: list[Values] = []
        missing, border = list(range(len(tags))), before
        for back in _BACK:
            lower = max(before - back, 0)
            moments = self._moments([tags[at] for at in missing], lower, border) if missing else {}
            for at, moment in [(missing[place], moment) for place, moment in moments.items()]:
                rows = self.values([tags[at]], moment, moment + _MS).rows
                found.append(numbers_only(rows.renumber(np.array([at], np.int32))))
                missing.remove(at)
            border = lower
        return join([numbers_only(empty(Kind.FLOAT)), *found]).sorted()

    def count(self, tags: Sequence[TagPath], start: int, end: int) -> int:
        """How many values they have in all, those that were sent twice counted twice."""
        start, end = max(start, 0), min(end, time.time_ns() + _AHEAD)  # no window may be longer than about that
        rows = 0
        for first in range(0, len(tags) if start < end else 0, _TAGS):
            names = [_selector(tag, ("quality",)) for tag in tags[first : first + _TAGS]]
            each = ", ".join(f"count_over_time({name}[{_span(start, end)}])" for name in names)
            found = self._ask("/api/v1/query", {"query": f"sum(union({each}))", "time": _seconds(end - 1)})
            rows += int(float(found[0].value[1])) if found else 0
        return rows

    def summaries(self, tags: Sequence[TagPath], start: int, end: int, every: int) -> Rollup:
        """Summaries of the numbers, from the values themselves, a portion of time after the other."""
        parts: list[Rollup] = [nothing()]
        for first, last in self._portions(tags, start, end, every):
            parts.append(summarize(self.values(tags, first, last).rows, every, start))
        return merge(parts, every, start)

    def outline(self, tag: TagPath, start: int, end: int, every: int) -> Rollup:
        """Summaries of the usable numbers made by the server, in buckets of whole milliseconds."""
        every = max(every // _MS, 1) * _MS
        start = start // _MS * _MS
        over = ", ".join(f'"{what}_over_time"' for what in _OVER)
        window = f"[{every // _MS}ms]"
        worst = self._range(f"max_over_time({_selector(tag, ('quality',))}{window})", start, end, every)
        columns: dict[str, dict[int, float]] = {}
        for field in ("integer", "value"):
            query = f"aggr_over_time(({over}), {_selector(tag, (field,))}{window})"
            for name, points in self._range(query, start, end, every).items():
                columns.setdefault(name.removesuffix("_over_time"), {}).update(points)
        return _outlined(columns, worst.get("", {}), every)

    def _values(self, tags: Sequence[TagPath], places: Sequence[int], start: int, end: int) -> list[Values]:
        place = {(tags[at].name, *asdict(tags[at].asset).values()): at for at in places}
        found: dict[int, dict[str, _Series]] = {}
        for series in self._export([_selector(tags[at], _FIELDS) for at in places], start, end):
            name, _, field = series.metric["__name__"].rpartition("_")
            levels = [series.metric.get(level, "") for level in ("site", "area", "line", "cell", "asset")]
            if (at := place.get((name, *levels))) is not None:
                found.setdefault(at, {})[field] = series
        return [numbers_only(_rows(at, series, start, end)) for at, series in found.items()]

    def _export(self, selectors: Sequence[str], start: int, end: int) -> Iterator[_Series]:
        form = {"match[]": selectors, "start": _seconds(start - _MS), "end": _seconds(end + _MS)}
        with self._asking.answer("/api/v1/export", form) as response:
            for line in response.iter_lines():
                if line:
                    yield self._read(_series, line)

    def _moments(self, tags: Sequence[TagPath], start: int, end: int) -> dict[int, int]:
        """When each tag had its last value in [start, end), in ns, by its place."""
        moments: dict[int, int] = {}
        for first in range(0, len(tags), _TAGS):
            names = [_selector(tag, ("quality",)) for tag in tags[first : first + _TAGS]]
            window = f"[{_span(start, end)}]"
            query = "union(" + ", ".join(
                f'label_set(tlast_over_time({name}{window}), "place", "{first + at}")' for at, name in enumerate(names)
            ) + ")"  # fmt: skip
            for found in self._ask("/api/v1/query", {"query": query, "time": _seconds(end - 1), "nocache": "1"}):
                moments[int(found.metric["place"])] = round(float(found.value[1]) * 1000) * _MS
        return moments

    def _portions(self, tags: Sequence[TagPath], start: int, end: int, every: int) -> Iterator[tuple[int, int]]:
        rows = self.count(tags, start, end) if end > start else 0
        portions = max(-(-rows // _PORTION), 1)
        width = max(-(-(end - start) // portions // every), 1) * every
        for first in range(start, end, width):
            yield first, min(first + width, end)

    def _range(self, query: str, start: int, end: int, every: int) -> dict[str, dict[int, float]]:
        """Points by the start of their bucket in ns, by the label `rollup`."""
        first = start + every - _MS
        last = first + (end - 1 - start) // every * every
        form = {"query": query, "start": _seconds(first), "end": _seconds(last), "step": f"{every // _MS}ms"}
        found = self._ask("/api/v1/query_range", form | {"nocache": "1"})
        return {
            one.metric.get("rollup", ""): {round(t * 1000) * _MS + _MS - every: float(v) for t, v in one.values}
            for one in found
        }

    def _ask(self, path: str, form: dict[str, str]) -> list[_Found]:
        with self._asking.answer(path, form) as response:
            answer: _Answer = self._read(_answer, response.read())
        return answer.data.result

    def _read(self, decoder: msgspec.json.Decoder[Any], data: str | bytes) -> Any:
        try:
            return decoder.decode(data)
        except msgspec.DecodeError as problem:
            raise StoreError(
                f"{self._asking.target.url} answered something else than expected ({problem})."
            ) from problem


def _rows(at: int, series: dict[str, _Series], start: int, end: int) -> Rows:
    """The series of one tag side by side; a time that has a quality alone is a number that is none."""
    columns = {field: _once(one) for field, one in series.items()}
    time = np.unique(np.concatenate([times for times, _ in columns.values()]))
    value, quality = np.full(len(time), np.nan), np.zeros(len(time), np.uint32)
    for field, (times, values) in columns.items():
        column: NDArray[Any] = quality if field == "quality" else value
        column[np.searchsorted(time, times)] = values
    rows = Rows(np.full(len(time), at, np.int32), time * _MS, value, quality)
    return rows.take((rows.time >= start) & (rows.time < end))


def _once(series: _Series) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Times in ms and values, each time once: what came last."""
    time = np.array(series.timestamps, np.int64)
    value = np.array(series.values, np.float64)
    order = np.argsort(time, kind="stable")
    time, value = time[order], value[order]
    last = np.append(time[1:] != time[:-1], True)
    return time[last], value[last]


def _outlined(columns: dict[str, dict[int, float]], worst: dict[int, float], every: int) -> Rollup:
    times = sorted(worst)
    n, mean, low, high, first, last = (
        np.array([columns.get(name, {}).get(time, np.nan) for time in times])
        for name in ("count", "avg", "min", "max", "first", "last")
    )
    count, time = np.nan_to_num(n).astype(np.int64), np.array(times, np.int64)
    quality = np.array([worst[time] for time in times]).astype(np.uint32)
    bad = (quality >> 31).astype(np.int64)
    total = np.nan_to_num(mean) * count
    tag = np.zeros(len(times), np.int32)
    unknown = np.full(len(times), np.nan)
    return Rollup(tag, time, count, bad, total, low, high, first, last, unknown, time, time + every - 1, quality)


def _selector(tag: TagPath, fields: Sequence[str]) -> str:
    r"""What chooses the series of a tag.

    >>> _selector(TagPath.parse("a/b/c/d/e/power"), ("value",))
    '{__name__="power_value",site="a",area="b",line="c",cell="d",asset="e"}'
    """
    levels = ",".join(f"{level}={_text(name)}" for level, name in asdict(tag.asset).items())
    each = (f"{{__name__={_text(f'{tag.name}_{field}')},{levels}}}" for field in fields)
    return next(each) if len(fields) == 1 else _any_of(tag, fields, levels)


def _any_of(tag: TagPath, fields: Sequence[str], levels: str) -> str:
    plain = "".join(c if c.isalnum() or c == "_" or ord(c) > 127 else f"\\{c}" for c in tag.name)
    pattern = _text(f"{plain}_({'|'.join(fields)})")
    return f"{{__name__=~{pattern},{levels}}}"


def _text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _seconds(time: int) -> str:
    """UTC ns as seconds with milliseconds, cut off.

    >>> _seconds(1_500_999_999), _seconds(-1)
    ('1.500', '0.000')
    """
    ms = max(time, 0) // _MS
    return f"{ms // 1000}.{ms % 1000:03d}"


def _span(start: int, end: int) -> str:
    """A window that ends at the last ms before `end` and holds `start`."""
    return f"{max((end - 1) // _MS - start // _MS + 1, 1)}ms"
