"""Time in state: how long tags held each of their states, in the periods of a calendar, by part of the plant."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from shopfloor.plant import Reader
from shopfloor.services.historian.options import HOUR, NS
from shopfloor.services.historian.read.answers import TIME, dictionary
from shopfloor.services.historian.read.calendar import Periods
from shopfloor.services.historian.segments.condense import (
    NO_STATE,
    UNKNOWN,
    hours,
    last_of_hours,
    number_codes,
    text_codes,
    without_states,
)
from shopfloor.services.historian.selector import group_of

Ints = NDArray[np.int64]
_HELD: Final = pa.schema([("tag", pa.string()), ("period", pa.int32()), ("state", pa.string()), ("ns", pa.int64())])


@runtime_checkable
class StateReader(Protocol):
    """A reader that knows condensed rows."""

    def states(self, tags: Sequence[str], edges: Ints) -> Iterable[pa.Table]:
        """What `read` with `previous` answers, or fewer rows that hold each state as long between any two `edges`.

        From the hour (UTC) of the first edge to that of the last one; all rows of a tag are in one table.
        """
        ...


def time_in_state(
    reader: Reader, tags: Sequence[str], periods: Periods, by: str = "tag", *, now: int | None = None
) -> pa.Table:
    """One row per part of the plant, period and state: how long its tags held it, until `now` (UTC ns) at most.

    Columns: group, time and end (of the period), shift (its name, where it has one), state, seconds, and share (of all
    that its tags held in the period). A state is a text, or a whole number as a text; null is the time in which it is
    not known: before the first value, from a bad value or a number with a fraction to the next value, and in an hour
    (UTC) in which the tag took a fraction or more than 32 different values, from its first to its last value there.
    Tags of which nothing but such hours is known have no rows. Sorted by group in the order of `tags`, time, and state.

    >>> import tempfile
    >>> from shopfloor.plant import Batch, Sample
    >>> from shopfloor.services.historian import Calendar, Historian
    >>> tag = "delta/frames/line/cell/cnc-01/state"
    >>> visits = [Sample(tag, 0, "EXECUTE"), Sample(tag, 600 * NS, "HELD"), Sample(tag, 900 * NS, "EXECUTE")]
    >>> with tempfile.TemporaryDirectory() as folder, Historian.open(folder) as store:
    ...     _ = store.ingest("edge", 1, "s", 3, Batch.of(visits))
    ...     hour = Calendar().periods("hour", 0, HOUR)
    ...     time_in_state(store.reader, [tag], hour).select(["state", "seconds"]).to_pylist()
    [{'state': 'EXECUTE', 'seconds': 3300.0}, {'state': 'HELD', 'seconds': 300.0}]
    """
    stop = min(int(periods.edges[-1]), time.time_ns() if now is None else now)
    edges = np.append(periods.edges[periods.edges < stop], stop)
    tables = _tables(reader, tags, edges) if len(edges) > 1 else []
    held = pa.concat_tables([_HELD.empty_table(), *(_held(table, edges) for table in tables if len(table))])
    return _answer(held, tags, periods, by)


def _tables(reader: Reader, tags: Sequence[str], edges: Ints) -> Iterable[pa.Table]:
    if isinstance(reader, StateReader):
        return reader.states(tags, edges)
    return [reader.read(tags, *whole_hours(edges), previous=True)]


def whole_hours(edges: Ints) -> tuple[int, int]:
    """The hours (UTC) in which edges lie: start and end of them all."""
    return int(edges[0]) // HOUR * HOUR, -(-int(edges[-1]) // HOUR) * HOUR


def _held(table: pa.Table, edges: Ints) -> pa.Table:
    """How long (ns) each tag held each state in each period: what `_HELD` says."""
    column = table.column("tag").unify_dictionaries().combine_chunks()
    names = column.dictionary.to_pylist()
    tag = column.indices.to_numpy().astype(np.int32)
    moment = table.column("time").cast(pa.int64()).to_numpy()
    code, texts = _codes(table)
    starts, group = hours(tag, moment)
    none = without_states(group, code)[group]
    code[none & ~last_of_hours(starts, len(tag))] = NO_STATE
    parts = _spans(tag, moment, code, edges)
    if none.any():
        known = np.zeros(len(names), bool)
        known[tag[(code >= 0) & ~none & (moment >= edges[0])]] = True
        known[np.setdiff1d(tag, tag[code == NO_STATE])] = True
        shown = known[parts[0]]
        parts = parts[0][shown], parts[1][shown], parts[2][shown], parts[3][shown]
    tag, period, code, ns = _summed(*parts, len(texts) + 1, len(edges))
    states = pa.array([*texts, None], pa.string()).take(pa.array(np.where(code < 0, len(texts), code)))
    return pa.table([pa.array(names, pa.string()).take(pa.array(tag)), period.astype(np.int32), states, ns], _HELD)


def _codes(table: pa.Table) -> tuple[Ints, list[str]]:
    """A code for each row, and the texts of the states; a number and a text that look alike are one state."""
    text = table.column("text").combine_chunks()
    quality = table.column("quality").to_numpy()
    code, numbers = number_codes(table.column("value").to_numpy().astype(np.float64, copy=False), quality)
    said = [str(int(number)) for number in numbers.tolist()]
    if text.null_count == len(text):
        return code, said
    is_text = text.is_valid().to_numpy(zero_copy_only=False)
    text_code, texts = text_codes(text.drop_null(), quality[is_text])
    place = {name: at for at, name in enumerate(dict.fromkeys([*said, *texts]))}
    move = np.array([place[name] for name in texts] + [NO_STATE, UNKNOWN], np.int64)
    code[is_text] = move[text_code]
    return code, list(place)


def _spans(tag: NDArray[np.int32], moment: Ints, code: Ints, edges: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Tag, period, code and ns of each row's share of each period; before the first row of a tag it is unknown."""
    start, stop = int(edges[0]), int(edges[-1])
    first = np.append(True, tag[1:] != tag[:-1])
    heads = np.flatnonzero(first & (moment < stop))
    begin = np.concatenate([np.maximum(moment, start), np.full(len(heads), start)])
    until = np.where(np.append(first[1:], True), stop, np.append(moment[1:], 0))
    until = np.minimum(np.concatenate([until, moment[heads]]), stop)
    held = np.flatnonzero(until > begin)
    begin, until = begin[held], until[held]
    low, high = np.searchsorted(edges, begin, "right") - 1, np.searchsorted(edges, until, "left")
    count = high - low
    row = np.repeat(np.arange(len(held)), count)
    period = np.arange(len(row)) - np.repeat(np.cumsum(count) - count - low, count)
    ns = np.minimum(until[row], edges[period + 1]) - np.maximum(begin[row], edges[period])
    place = held[row]
    return (
        np.concatenate([tag, tag[heads]]).astype(np.int64)[place],
        period,
        np.concatenate([np.maximum(code, UNKNOWN), np.full(len(heads), UNKNOWN)])[place],
        ns,
    )


def _summed(tag: Ints, period: Ints, code: Ints, ns: Ints, codes: int, periods: int) -> tuple[Ints, Ints, Ints, Ints]:
    """The sum of each tag, period and code (-1 up to `codes` - 2)."""
    key = (tag * periods + period) * codes + code + 1
    cells, place = np.unique(key, return_inverse=True)
    sums = np.zeros(len(cells), np.int64)
    np.add.at(sums, place, ns)
    return cells // codes // periods, cells // codes % periods, cells % codes - 1, sums


def _answer(held: pa.Table, tags: Sequence[str], periods: Periods, by: str) -> pa.Table:
    names = list(dict.fromkeys(group_of(tag, by) for tag in tags))
    place = {name: at for at, name in enumerate(names)}
    own = held.column("tag").combine_chunks().dictionary_encode()
    moves = np.array([place[group_of(tag, by)] for tag in own.dictionary.to_pylist()], np.int32)
    group = moves[own.indices.to_numpy()] if len(own) else np.empty(0, np.int32)
    seconds, rest = np.divmod(held.column("ns").to_numpy(), NS)  # in ns, the sum of a large plant is too large
    columns = {"group": group, "period": held["period"], "state": held["state"], "seconds": seconds, "rest": rest}
    table = pa.table(columns).group_by(["group", "period", "state"], use_threads=False)
    table = table.aggregate([("seconds", "sum"), ("rest", "sum")])
    table = table.sort_by([(name, "ascending") for name in ("group", "period", "state")])
    return _labelled(table, names, periods)


def _labelled(table: pa.Table, names: list[str], periods: Periods) -> pa.Table:
    group, period = table.column("group").to_numpy(), table.column("period").to_numpy()
    seconds = table.column("seconds_sum").to_numpy() + table.column("rest_sum").to_numpy() / NS
    columns: dict[str, Any] = {
        "group": dictionary(names, group),
        "time": pa.array(periods.edges[period]).view(TIME),
        "end": pa.array(periods.edges[period + 1]).view(TIME),
    }
    if periods.names:
        columns["shift"] = pa.array(periods.names, pa.string()).take(pa.array(period))
    cell = group.astype(np.int64) * len(periods.edges) + period
    _, place = np.unique(cell, return_inverse=True)
    share = seconds / np.bincount(place, seconds)[place]
    return pa.table(columns | {"state": table.column("state"), "seconds": seconds, "share": share})
