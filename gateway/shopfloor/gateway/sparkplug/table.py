"""What the births of one edge node said of its metrics."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.gateway.sparkplug.datatypes import COMPOUND, kind_of
from shopfloor.plant import Kind

_PLANS: Final = 256
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


@dataclass(frozen=True, slots=True)
class Plan:
    """How to read a payload that refers to these metrics in this order."""

    groups: tuple[Group, ...]
    compounds: tuple[tuple[int, Slot], ...]


@dataclass(slots=True)
class Table:
    """The metrics of a node and of its devices, by alias and by name."""

    slots: list[Slot] = field(default_factory=list)
    _aliases: dict[int, Slot] = field(default_factory=dict)
    _names: dict[str, dict[str, Slot]] = field(default_factory=dict)
    _plans: dict[tuple[str, tuple[Key, ...]], Plan] = field(default_factory=dict)

    def clear(self, device: str | None = None) -> None:
        """Forget the metrics of one device ("" is the node itself), or all of them."""
        gone = [slot for slot in self.slots if device is None or slot.device == device]
        self.slots = [slot for slot in self.slots if device is not None and slot.device != device]
        for slot in gone:
            if slot.alias is not None and self._aliases.get(slot.alias) is slot:
                del self._aliases[slot.alias]
            self._names.get(slot.device, {}).pop(slot.metric, None)
        self._plans.clear()

    def add(self, slot: Slot) -> None:
        """Note what a birth says of a metric."""
        self.slots.append(slot)
        if slot.alias is not None:
            self._aliases[slot.alias] = slot
        self._names.setdefault(slot.device, {})[slot.metric] = slot

    def disown(self, alias: int) -> Slot | None:
        """Take an alias from the metric that has it, if any: two metrics that share one cannot be told apart."""
        slot = self._aliases.pop(alias, None)
        if slot is not None:
            slot.alias = None
        return slot

    def of(self, device: str) -> list[Slot]:
        """The metrics of a device, or of the node itself ("")."""
        return [slot for slot in self.slots if slot.device == device]

    def plan(self, device: str, metrics: Sequence[Any], skip: Collection[Key] = ()) -> Plan:
        """How to read these metrics; `UnknownMetricError` when no birth explains one that is not to be skipped."""
        keys: tuple[Key, ...] = tuple([metric.alias for metric in metrics])
        if 0 in keys:
            keys = tuple(metric.alias if metric.HasField("alias") else metric.name for metric in metrics)
        plan = self._plans.get((device, keys))
        if plan is None:
            if len(self._plans) >= _PLANS:
                self._plans.clear()
            plan = self._plans[device, keys] = self._planned(device, keys, skip)
        return plan

    def _planned(self, device: str, keys: Sequence[Key], skip: Collection[Key]) -> Plan:
        groups: dict[tuple[int, str], list[tuple[int, Slot]]] = {}
        compounds = []
        for position, slot in enumerate(self._slots(device, keys, skip)):
            if slot is None or slot.tag < 0:
                continue
            if slot.code in COMPOUND:
                compounds.append((position, slot))
            else:
                groups.setdefault((slot.code, slot.value_field), []).append((position, slot))
        made = (Group.of(code, name, members, len(keys)) for (code, name), members in groups.items())
        return Plan(tuple(made), tuple(compounds))

    def _slots(self, device: str, keys: Sequence[Key], skip: Collection[Key]) -> list[Slot | None]:
        names = self._names.get(device, {})
        slots = [names.get(key) if isinstance(key, str) else self._aliases.get(key) for key in keys]
        unknown = [key for key, slot in zip(keys, slots, strict=True) if slot is None and key not in skip]
        if unknown:
            raise UnknownMetricError(unknown)
        return slots
