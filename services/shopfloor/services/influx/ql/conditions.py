"""WHERE on tags and fields: which series it leaves, and of those which rows.

As InfluxDB answers: a field that a row does not hold, and one of another type than what it is compared with, fits no
comparison, not even !=. A tag that a series does not have is ''.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from shopfloor.plant import Kind
from shopfloor.plant.quality import BAD
from shopfloor.services.influx.ql.index import Entry, Index, Place, matches
from shopfloor.services.influx.ql.lexer import QueryError
from shopfloor.services.influx.ql.reads import Read
from shopfloor.services.influx.ql.syntax import Both, Compare, Condition

Mask = NDArray[np.bool_]
USABLE: Final = Compare("quality", "<", float(BAD))
"""What aggregates of the plant's own numbers leave out anyway."""
_ACTS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def matching(index: Index, entries: list[Entry], condition: Condition) -> list[Entry]:
    """The series that a condition leaves; their `only` is what their rows must still fit."""
    if condition is None or not entries:
        return entries
    tags = {tag for entry in entries for tag in entry.tags}
    condition = _resolved(condition, {name for entry in entries for name in index.fields(entry)} - tags)
    possible, certain = _masks(entries, condition)
    return [
        entry if sure else replace(entry, only=condition)
        for entry, may, sure in zip(entries, possible.tolist(), certain.tolist(), strict=True)
        if may
    ]


def by_tags(index: Index, entries: list[Entry], condition: Condition) -> list[Entry]:
    """The series that a condition on tags leaves; one on fields raises `QueryError`."""
    found = matching(index, entries, condition)
    for compare in (c for entry in found for c in compares(entry.only) if c.is_field):
        raise QueryError(f"{compare.name!r:.60} is a field: SHOW takes conditions on tags, SELECT on fields too")
    return found


def compares(condition: Condition) -> Iterator[Compare]:
    """Every comparison in a condition."""
    if isinstance(condition, Both):
        yield from compares(condition.left)
        yield from compares(condition.right)
    elif condition is not None:
        yield condition


def without(condition: Condition, implied: Compare) -> Condition:
    """The condition without a comparison that is joined by AND and holds anyway."""
    if not isinstance(condition, Both) or condition.operator != "AND":
        return None if condition == implied else condition
    left, right = without(condition.left, implied), without(condition.right, implied)
    return right if left is None else left if right is None else Both("AND", left, right)


@dataclass(frozen=True, slots=True, eq=False)
class Sieve:
    """The rows of one series that fit its `only`."""

    entry: Entry
    fields: Mapping[str, Place]

    @property
    def paths(self) -> list[str]:
        """The tags that must be read to know."""
        return [self.fields[c.name].path for c in compares(self.entry.only) if c.is_field and c.name in self.fields]

    @property
    def asks_quality(self) -> bool:
        """Whether the condition says itself which qualities are meant."""
        return any(self.fields[c.name].is_quality for c in compares(self.entry.only) if c.name in self.fields)

    def fits(self, found: Mapping[str, Read], times: NDArray[np.int64]) -> Mask:
        """At which of these times the condition is true."""
        return self._fits(self.entry.only, found, times)

    def _fits(self, condition: Condition, found: Mapping[str, Read], times: NDArray[np.int64]) -> Mask:
        if isinstance(condition, Both):
            left, right = self._fits(condition.left, found, times), self._fits(condition.right, found, times)
            return left & right if condition.operator == "AND" else left | right
        if condition is None:
            return np.ones(len(times), bool)
        if not condition.is_field:
            return np.full(len(times), _by_tag([self.entry], condition)[0])
        place = self.fields.get(condition.name)
        read = None if place is None else found.get(place.path)
        if place is None or read is None:
            return np.zeros(len(times), bool)
        at = np.minimum(np.searchsorted(read.time, times), len(read.time) - 1)
        return np.asarray((read.time[at] == times) & _by_field(read, place, condition)[at], bool)


def sieve(entry: Entry, fields: Mapping[str, Place]) -> Sieve | None:
    """What to sift the rows of a series with; None when all of them fit."""
    return None if entry.only is None else Sieve(entry, fields)


def _resolved(condition: Both | Compare, fields: Collection[str]) -> Both | Compare:
    """The condition with each comparison knowing whether it is one of a field."""
    if isinstance(condition, Compare):
        return replace(condition, is_field=condition.name in fields)
    sides = (None if side is None else _resolved(side, fields) for side in (condition.left, condition.right))
    return Both(condition.operator, *sides)


def _masks(entries: list[Entry], condition: Condition) -> tuple[Mask, Mask]:
    """For which series the condition may be true for some row, and for which it is for every row."""
    if isinstance(condition, Both):
        (may, sure), (may_too, sure_too) = _masks(entries, condition.left), _masks(entries, condition.right)
        return (may & may_too, sure & sure_too) if condition.operator == "AND" else (may | may_too, sure | sure_too)
    if condition is None or condition.is_field:
        return np.ones(len(entries), bool), np.full(len(entries), condition is None)
    mask = _by_tag(entries, condition)
    return mask, mask


def _by_tag(entries: list[Entry], compare: Compare) -> Mask:
    values = [entry.tags.get(compare.name, "") for entry in entries]
    if not isinstance(compare.value, str) or compare.operator not in {"=", "!=", "=~", "!~"}:
        return np.zeros(len(entries), bool)
    if compare.operator in {"=~", "!~"}:
        return np.asarray(matches(values, compare.value) == (compare.operator == "=~"), bool)
    return np.array([(value == compare.value) == (compare.operator == "=") for value in values], bool)


def _by_field(read: Read, place: Place, compare: Compare) -> Mask:
    is_text = place.kind is Kind.TEXT
    if is_text != isinstance(compare.value, str):
        return np.zeros(len(read.time), bool)
    if isinstance(compare.value, str):
        return _by_text(read, compare.operator, compare.value)
    numbers = read.quality if place.is_quality else read.value
    return np.asarray(_ACTS[compare.operator](numbers, compare.value) & ~np.isnan(numbers), bool)


def _by_text(read: Read, sign: str, value: str) -> Mask:
    if read.text is None or sign not in {"=", "!=", "=~", "!~"}:
        return np.zeros(len(read.time), bool)
    texts = pa.array(read.text, pa.string())
    held = pc.is_valid(texts).to_numpy(zero_copy_only=False)
    if sign in {"=~", "!~"}:
        hit = matches(texts.fill_null(""), value)
    else:
        hit = pc.equal(texts.fill_null(""), value).to_numpy(zero_copy_only=False)
    return np.asarray(held & (hit == (sign in {"=", "=~"})), bool)
