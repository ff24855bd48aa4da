"""What people do with orders, and what each has made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from shopfloor.plant import Reader
from shopfloor.services.historian import Calendar
from shopfloor.services.production.kpi import Counts
from shopfloor.services.production.machine import Machine, ProductionRefused, ProductionUnknown
from shopfloor.services.production.order import Order, OrderState, Run
from shopfloor.services.production.order_store import OrderStore
from shopfloor.services.production.performance import counted
from shopfloor.services.production.planned import PlannedTime
from shopfloor.services.production.records import Note
from shopfloor.services.production.store import ProductionStore

_ALWAYS: Final = PlannedTime(Calendar())
"""What is made for an order counts in breaks too."""

_STEPS: Final[Mapping[str, tuple[tuple[OrderState, ...], OrderState]]] = {
    "start": ((OrderState.PLANNED, OrderState.STOPPED), OrderState.RUNNING),
    "stop": ((OrderState.RUNNING,), OrderState.STOPPED),
    "complete": ((OrderState.RUNNING, OrderState.STOPPED), OrderState.COMPLETED),
}
"""From which states each step leads where."""


class Orders:
    """The orders of a plant. One order at most runs at a machine."""

    def __init__(
        self, store: ProductionStore, machines: Mapping[str, Machine], reader: Reader, clock: Callable[[], int]
    ) -> None:
        self._records, self._store = store, OrderStore(store)
        self._machines, self._reader, self._clock = machines, reader, clock

    def all(self, start: int = 0, end: int = 1 << 62) -> list[Order]:
        """The orders of [start, end), the newest first: those that ran or were planned in it."""
        ran = {run.number for run in self._store.runs(start, end)}
        return [one for one in self._store.orders() if one.number in ran or start <= one.created < end]

    def order(self, number: str) -> Order:
        """An order by its number."""
        found = self._store.order(number)
        if found is None:
            raise ProductionUnknown(
                f"There is no order {number[:100]!r}: ask /api/v1/production/orders for those that are."
            )
        return found

    def runs(self, number: str) -> list[Run]:
        """When an order ran, the oldest first."""
        return self._store.runs(number=number)

    def create(self, order: Order) -> Order:
        """A new order, planned."""
        if not self.machines(order):
            raise ProductionRefused(
                f"There is no machine at {order.place[:200]!r}: write the path of a machine or a line."
            )
        with self._store.together():
            if self._store.order(order.number):
                raise ProductionRefused(f"The order {order.number!r} is there already: choose another number.")
            fresh = replace(order, state=OrderState.PLANNED, created=self._clock())
            self._store.put(fresh)
            self._note(fresh, order.by, "order", f"Order {order.number}: {order.quantity} {order.item}.")
        return fresh

    def step(self, number: str, step: str, by: str, comment: str = "") -> Order:
        """Start, stop or complete an order; what is said of it stays with it."""
        allowed, state = _STEPS[step]
        with self._store.together():
            order = self.order(number)
            if order.state not in allowed:
                raise ProductionRefused(f"The order {number} is {order.state}: it cannot {step} now.")
            if step == "start":
                self._check_free(order)
                self._store.begin(number, self._clock())
            else:
                self._store.finish(number, self._clock())
            changed = replace(order, state=state, comment="; ".join(filter(None, (order.comment, comment))))
            self._store.put(changed)
            self._note(order, by, step, f"Order {number} is {state} now. {comment}".strip())
        return changed

    def at(self, asset: str, moment: int) -> Order | None:
        """The order that ran at a machine at a moment (UTC ns)."""
        runs = self._store.runs(moment, moment + 1)
        found = (self._store.order(run.number) for run in reversed(runs))
        return next((order for order in found if order and order.covers(asset)), None)

    def machines(self, order: Order) -> list[Machine]:
        """The machines that work for an order."""
        return [one for path, one in self._machines.items() if order.covers(path) and one.production.count]

    def counts(self, order: Order, runs: Sequence[Run]) -> Counts:
        """What was made for an order in its runs."""
        total = Counts()
        for run in runs:
            end = self._clock() if run.end is None else run.end
            entries = self._records.entries(run.start, end + 1)
            for machine in self.machines(order):
                mine = [one for one in entries if one.asset == machine.path]
                total += counted(self._reader, machine, _ALWAYS, run.start, end, mine)
        return total

    def _check_free(self, order: Order) -> None:
        for other in self._store.orders():
            near = other.covers(order.place) or order.covers(other.place)
            if other.state is OrderState.RUNNING and near:
                raise ProductionRefused(f"The order {other.number} runs at {other.place}: stop or complete it first.")

    def _note(self, order: Order, by: str, what: str, sentence: str) -> None:
        self._store.note(Note(self._clock(), by, what, order.place, sentence))
