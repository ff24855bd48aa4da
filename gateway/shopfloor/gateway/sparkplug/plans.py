"""Metrics as births describe them, and how payloads that refer to them are read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from shopfloor.gateway.sparkplug.datatypes import COMPOUND, kind_of
from shopfloor.plant import Kind

Key = int | str
"""How a payload refers to a metric: by its alias, or by its name."""


class UnknownMetricError(LookupError):
    """A payload refers to metrics that no birth has explained: `keys`."""

    def __init__(self, keys: Collection[Key]) -> None:
        super().__init__(", ".join(map(repr, keys)))
        self.keys = keys


@dataclass(slots=True)
class Slot:
    """One metric. `tag` is its path's number, or -1 when it is not asked for; `value_field` is where its value travels.

    `leaves` are the numbers and kinds of the tags that an array, a data set or a template was flattened to.
    """

    device: str
    metric: str
    tag: int
    path: str
    code: int
    value_field: str
    alias: int | None = None
    leaves: dict[str, tuple[int, Kind]] = field(default_factory=dict)

    @property
    def tags(self) -> Iterator[tuple[int, Kind]]:
        """Every tag that this metric fills."""
        if self.leaves:
            yield from self.leaves.values()
        elif self.tag >= 0:
            yield self.tag, Kind.FLOAT if self.code in COMPOUND else kind_of(self.code)


@dataclass(frozen=True, slots=True)
class Group:
    """The metrics of a payload that share a data type and a field; `rows` is None when these are all of them."""

    code: int
    value_field: str
    kind: Kind
    tags: NDArray[np.int32]
    rows: NDArray[np.int64] | None
    pick: Any

    @classmethod
    def of(cls, code: int, name: str, members: Sequence[tuple[int, Slot]], length: int) -> Group:
        """The group of some metrics (position in the payload, slot) of a payload of `length` metrics."""
        tags = np.array([slot.tag for _, slot in members], np.int32)
        if len(members) == length:
            return cls(code, name, kind_of(code), tags, None, list)
        rows = [position for position, _ in members]
        pick = itemgetter(*rows) if len(rows) > 1 else lambda metrics: (metrics[rows[0]],)
        return cls(code, name, kind_of(code), tags, np.array(rows, np.int64), pick)


@dataclass(slots=True)
class Plan:
    """How to read a payload that refers to these metrics in this order, and how often that was asked for."""

    groups: tuple[Group, ...]
    compounds: tuple[tuple[int, Slot], ...]
    asked: int = 0
