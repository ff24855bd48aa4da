"""What the births of one edge node said of its metrics."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.gateway.sparkplug.datatypes import COMPOUND
from shopfloor.gateway.sparkplug.layout import Layout
from shopfloor.gateway.sparkplug.plans import Group, Key, Plan, Slot, UnknownMetricError

_PLANS: Final = 256
_AGAIN: Final = 2
_TRIES: Final = 8
_USE: Final = 64


@dataclass(slots=True)
class Table:
    """The metrics of a node and of its devices, by alias and by name."""

    slots: list[Slot] = field(default_factory=list)
    _aliases: dict[int, Slot] = field(default_factory=dict)
    _names: dict[str, dict[str, Slot]] = field(default_factory=dict)
    _plans: dict[tuple[str, tuple[Key, ...]], Plan] = field(default_factory=dict)
    _layouts: dict[tuple[str, int], Layout] = field(default_factory=dict)
    hits: int = 0
    _learnt: int = 0

    def clear(self, device: str | None = None) -> None:
        """Forget the metrics of one device ("" is the node itself), or all of them."""
        gone = [slot for slot in self.slots if device is None or slot.device == device]
        self.slots = [slot for slot in self.slots if device is not None and slot.device != device]
        for slot in gone:
            if slot.alias is not None and self._aliases.get(slot.alias) is slot:
                del self._aliases[slot.alias]
            self._names.get(slot.device, {}).pop(slot.metric, None)
        self._plans.clear()
        self._layouts.clear()
        self.hits = self._learnt = 0

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
        plan.asked += 1
        return plan

    def layout(self, device: str, data: bytes) -> Layout | None:
        """The known form that a payload has, if any."""
        layout = self._layouts.get((device, len(data)))
        return layout if layout is not None and layout.fits(data) else None

    def knows(self, device: str, data: bytes, layout: Layout) -> bool:
        """Whether a layout that was found earlier is still in force: no birth came in between."""
        return self._layouts.get((device, len(data))) is layout

    def learn(self, device: str, data: bytes, plan: Plan, status: NDArray[np.uint32]) -> None:
        """Learn the form of a payload whose metrics came before, as long as what was learnt before is of use."""
        if plan.asked < _AGAIN or self._learnt > _TRIES + self.hits // _USE:
            return
        self._learnt += 1
        layout = Layout.learn(data, plan, status)
        if layout is not None:
            self._layouts[device, len(data)] = layout

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
