"""From the metrics of a payload to columns, by the table that its births gave: no question for the type of each value.

A value is read from the field that its metric used at birth. A field that is not set reads as zero, so only zeros are
asked what they are: a zero, a null, or a value that came in another field.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.gateway.sparkplug.arrival import Arrival
from shopfloor.gateway.sparkplug.columns import Columns, Part
from shopfloor.gateway.sparkplug.datatypes import empty, kind_of, leaves, scalar, signed
from shopfloor.gateway.sparkplug.plans import Group, Key, Slot
from shopfloor.gateway.sparkplug.table import Table
from shopfloor.plant import Kind, quality

_LATEST_MS: Final = (2**63 - 1) // 1_000_000
_NS: Final = 1_000_000
_FITTING: Final = {
    Kind.FLOAT: frozenset({"float_value", "double_value", "boolean_value"}),
    Kind.INT: frozenset({"int_value", "long_value"}),
    Kind.TEXT: frozenset({"string_value", "bytes_value", "long_value"}),
}
_READ: Final[dict[str, Callable[[Iterable[Any]], list[Any]]]] = {
    "int_value": lambda metrics: [metric.int_value for metric in metrics],
    "long_value": lambda metrics: [metric.long_value for metric in metrics],
    "float_value": lambda metrics: [metric.float_value for metric in metrics],
    "double_value": lambda metrics: [metric.double_value for metric in metrics],
    "boolean_value": lambda metrics: [metric.boolean_value for metric in metrics],
    "string_value": lambda metrics: [metric.string_value for metric in metrics],
    "bytes_value": lambda metrics: [metric.bytes_value for metric in metrics],
}
"""An attribute that is named in the code is found twice as fast as one that is named by a value."""
_HISTORICAL: Final = b"\x28\x01"
_QUALITY: Final = b"Quality"
_GOOD, _STALE = 192, 500


def fits(code: int, field: str) -> bool:
    """Whether a value of this scalar data type may travel in this field."""
    return field in _FITTING[kind_of(code)]


def decode(arrival: Arrival, table: Table, device: str, columns: Columns, skip: Collection[Key] = ()) -> int:
    """Put the values of a payload into the columns and answer the newest time among its live ones (UTC ns).

    `UnknownMetricError` when no birth explains a metric that is not to be skipped: then nothing was put there.
    """
    if arrival.layout is not None and table.knows(device, arrival.data, arrival.layout):
        known = arrival.layout.read(arrival.data, columns)
        if known is not None:
            table.hits += 1
            return _newest(known, arrival.layout.status)
    metrics = list(arrival.payload.metrics)
    plan = table.plan(device, metrics, skip)
    times = _times(metrics, arrival)
    status = _statuses(arrival.data, metrics)
    for group in plan.groups:
        _read(group, metrics, times, status, columns)
    for position, slot in plan.compounds:
        flatten(slot, metrics[position], int(times[position]), int(status[position]), columns)
    table.learn(device, arrival.data, plan, status)
    return _newest(times, status)


def _newest(times: NDArray[np.int64], status: NDArray[np.uint32]) -> int:
    return int(times.max(where=(status & quality.BACKFILLED) == 0, initial=0))


def _times(metrics: Sequence[Any], arrival: Arrival) -> NDArray[np.int64]:
    given = np.array([metric.timestamp for metric in metrics], np.uint64)
    missing = (given == 0) | (given > _LATEST_MS)
    times: NDArray[np.int64] = given.astype(np.int64) * _NS
    if missing.any():
        common = arrival.sent
        times[missing] = common * _NS if 0 < common <= _LATEST_MS else arrival.time
    return times


def _statuses(data: bytes, metrics: Sequence[Any]) -> NDArray[np.uint32]:
    """The status of each metric. A payload without these bytes has neither a quality nor a historical value."""
    status = np.zeros(len(metrics), np.uint32)
    if _QUALITY in data:
        status[:] = [_quality(metric) for metric in metrics]
    if _HISTORICAL in data:
        status[[metric.is_historical for metric in metrics]] |= np.uint32(quality.BACKFILLED)
    return status


def _quality(metric: Any) -> int:
    properties = metric.properties
    for key, value in zip(properties.keys, properties.values, strict=False):
        if key == "Quality":
            return status_of(value.int_value or value.long_value)
    return quality.GOOD


def status_of(code: int) -> int:
    """The status of a quality property: 192 good, 0 bad, 500 stale; others by the two bits of OPC Classic.

    >>> [hex(status_of(code)) for code in (192, 0, 500, 64)]
    ['0x0', '0x80000000', '0x40900000', '0x40000000']
    """
    if code == _STALE:
        return quality.UNCERTAIN_LAST_USABLE
    return {_GOOD: quality.GOOD, 64: quality.UNCERTAIN}.get(code & 0xC0, quality.BAD)


def _read(
    group: Group, metrics: list[Any], times: NDArray[np.int64], status: NDArray[np.uint32], columns: Columns
) -> None:
    chosen = group.pick(metrics)
    if group.rows is not None:
        times, status = times[group.rows], status[group.rows]
    raw = _READ[group.value_field](chosen)
    value, odd = _converted(group, raw)
    for row in [row for row, one in enumerate(raw) if not one]:
        odd[row] = chosen[row].WhichOneof("value") != group.value_field
    if not odd.any():
        columns.add(group.kind, Part(group.tags, times, value, status))
        return
    for row in np.flatnonzero(odd).tolist():
        one, worse = value_of(chosen[row], group.code)
        columns.single(int(group.tags[row]), int(times[row]), one, worst(int(status[row]), worse))
    usual = ~odd
    columns.add(group.kind, Part(group.tags[usual], times[usual], value[usual], status[usual]))


def _converted(group: Group, raw: list[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """The column of a group, and which of its rows are no value of the kind."""
    odd = np.zeros(len(raw), bool)
    if group.kind is Kind.FLOAT:
        return np.array(raw, np.float64), odd
    if group.kind is Kind.TEXT:
        return np.array([scalar(group.code, one) for one in raw] if raw else [], object), odd
    whole = np.array(raw, np.uint64)
    bits = signed(group.code)
    if bits:
        return whole.astype(f"u{bits // 8}").view(f"i{bits // 8}").astype(np.int64), odd
    return whole.view(np.int64), whole >= 2**63


def value_of(metric: Any, code: int) -> tuple[float | int | str, int]:
    """One value of a scalar data type with its status, whichever field it came in."""
    field = metric.WhichOneof("value")
    if field is None:
        return empty(kind_of(code)), quality.BAD
    if not fits(code, field):
        return empty(kind_of(code)), quality.BAD_TYPE_MISMATCH
    return scalar(code, getattr(metric, field)), quality.GOOD


def worst(one: int, other: int) -> int:
    """The worse of two statuses; what is backfilled stays so."""
    mark = (one | other) & quality.BACKFILLED
    return max(one & ~mark, other & ~mark) | mark


def flatten(slot: Slot, metric: Any, time: int, status: int, columns: Columns) -> None:
    """Put the leaves of an array, a data set or a template into the columns; one that is null is bad as a whole."""
    field = metric.WhichOneof("value")
    try:
        found = list(leaves(slot.code, getattr(metric, field))) if field else []
    except (ValueError, AttributeError, TypeError):
        found, status = [], worst(status, quality.BAD_DECODING)
    for end, value in found:
        number = columns.paths.number(slot.path + end)
        slot.leaves.setdefault(end, (number, _KIND[type(value)]))
        columns.single(number, time, value, status)
    if not found:
        for number, kind in list(slot.tags):
            columns.single(number, time, empty(kind), worst(status, quality.BAD))


_KIND: Final = {float: Kind.FLOAT, int: Kind.INT, str: Kind.TEXT}
