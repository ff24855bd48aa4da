"""Making a batch conform: the kind that the plant file declares, and sizes that the server takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.gateway.spool import Entry
from shopfloor.plant import Batch, Kind
from shopfloor.plant.contracts import Marks, Plant
from shopfloor.plant.quality import BAD_TYPE_MISMATCH, severity

MAX_ROWS: Final = 200_000
MAX_BYTES: Final = 16_000_000
_EMPTY: Final = {Kind.FLOAT: float("nan"), Kind.INT: 0, Kind.TEXT: ""}
_KINDS: Final = tuple(Kind)
_WHOLE: Final = float(2**63)
_NOTHING: Final = np.zeros(0, np.int8)
_NOWHERE: Final = np.zeros(0, np.int32)


@dataclass(frozen=True, slots=True)
class _Plan:
    """For a table of names: the kind of each (its place in `_KINDS`), and its place among the names of that kind.

    Without `of_kind` all have the kind that is declared for them.
    """

    names: tuple[str, ...]
    kind: NDArray[np.int8]
    place: NDArray[np.int32]
    of_kind: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, names: tuple[str, ...], kinds: Sequence[Kind]) -> _Plan:
        kind = np.array([_KINDS.index(one) for one in kinds], np.int8)
        place = np.zeros(len(names), np.int32)
        of_kind = []
        for index in range(len(_KINDS)):
            chosen = np.flatnonzero(kind == index)
            place[chosen] = np.arange(len(chosen))
            of_kind.append(tuple(names[i] for i in chosen.tolist()))
        return cls(names, kind, place, tuple(of_kind))

    def split(self, batch: Batch) -> Iterator[tuple[Kind, Batch]]:
        """The rows of each declared kind, with the names of that kind only."""
        of_row = self.kind[batch.tag]
        for index, kind in enumerate(_KINDS):
            rows = np.flatnonzero(of_row == index)
            if len(rows):
                part = batch.take(rows)
                yield kind, Batch(self.of_kind[index], self.place[part.tag], part.time, part.value, part.quality)


@dataclass(slots=True)
class Conform:
    """Splits and converts batches so that every tag has its declared kind; an undeclared tag keeps its own.

    A value that cannot be converted travels as NaN, 0 or "" with the quality BadTypeMismatch: it is data. What a
    table of names needs is worked out once, as long as it comes as the same object.
    """

    plant: Plant
    _declared: dict[str, Kind | None] = field(default_factory=dict)
    _plans: dict[Kind, _Plan] = field(default_factory=dict)

    def __call__(self, batch: Batch) -> list[Batch]:
        """The same rows, one batch for each kind."""
        kind = batch.kind
        plan = self._plans.get(kind)
        if plan is None or plan.names is not batch.names:
            plan = self._plans[kind] = self._plan(batch.names, kind)
        if not plan.of_kind:
            return [batch]
        return [convert(part, wanted) for wanted, part in plan.split(batch)]

    def _plan(self, names: tuple[str, ...], kind: Kind) -> _Plan:
        wanted = [self._kind(name) or kind for name in names]
        if all(one == kind for one in wanted):
            return _Plan(names, _NOTHING, _NOWHERE, ())
        return _Plan.of(names, wanted)

    def _kind(self, name: str) -> Kind | None:
        if name not in self._declared:
            tag = self.plant.tag(name)
            self._declared[name] = tag.kind if tag else None
        return self._declared[name]


def convert(batch: Batch, kind: Kind) -> Batch:
    """The batch with its values as `kind`.

    >>> from shopfloor.plant import Sample
    >>> convert(Batch.of([Sample("t", 1, 2.0), Sample("t", 2, 2.5)]), Kind.INT).value.tolist()
    [2, 0]
    """
    if batch.kind == kind:
        return batch
    value, fits = _column(batch.value, batch.kind, kind)
    good = severity(batch.quality) < 2
    quality = np.where(~fits & good, np.uint32(BAD_TYPE_MISMATCH), batch.quality).astype(np.uint32)
    return Batch(batch.names, batch.tag, batch.time, value, quality)


def _column(value: NDArray[Any], kind: Kind, wanted: Kind) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    if kind is Kind.INT and wanted is Kind.FLOAT:
        return value.astype(np.float64), np.ones(len(value), bool)
    if kind is Kind.FLOAT and wanted is Kind.INT:
        fits = (value == np.trunc(value)) & (np.abs(value) < _WHOLE)
        return np.where(fits, value, 0).astype(np.int64), fits
    if wanted is Kind.TEXT:
        return np.array([str(one) for one in value.tolist()], object), np.ones(len(value), bool)
    found = [_number(one, wanted) for one in value.tolist()]
    fits = np.array([one is not None for one in found], bool)
    dtype = np.float64 if wanted is Kind.FLOAT else np.int64
    return np.array([_EMPTY[wanted] if one is None else one for one in found], dtype), fits


def _number(text: str, wanted: Kind) -> float | int | None:
    try:
        if wanted is Kind.FLOAT:
            return float(text)
        number = int(text)
    except ValueError:
        return None
    return number if abs(number) < 2**63 else None


def entries(source: str, batch: Batch, marks: Marks | None = None) -> Iterator[Entry]:
    """The batch as spool entries, none larger than the server takes (200,000 rows, 16 MB); `marks` move along."""
    if len(batch) > MAX_ROWS:
        for start in range(0, len(batch), MAX_ROWS):
            yield from entries(source, batch.take(slice(start, start + MAX_ROWS)), marks)
        return
    data = (batch.used() if 2 * len(batch) < len(batch.names) else batch).to_bytes()
    if len(data) > MAX_BYTES and len(batch) > 1:
        half = len(batch) // 2
        yield from entries(source, batch.take(slice(0, half)), marks)
        yield from entries(source, batch.take(slice(half, None)), marks)
    else:
        yield Entry(source, len(batch), data, marks.advance(batch) if marks else None)
