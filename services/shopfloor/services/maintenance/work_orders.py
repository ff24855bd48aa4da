"""What people do with work orders, and where these are kept: one small SQLite file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from shopfloor.services.maintenance.work_order import (
    Found,
    MaintenanceRefused,
    MaintenanceUnknown,
    WorkOrder,
    WorkState,
)
from shopfloor.services.records import Records

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS work_orders (
    number INTEGER PRIMARY KEY AUTOINCREMENT, asset TEXT NOT NULL, what TEXT NOT NULL, why TEXT, due INTEGER,
    who TEXT NOT NULL, state TEXT NOT NULL, created INTEGER NOT NULL, by TEXT NOT NULL, changed INTEGER NOT NULL,
    changed_by TEXT NOT NULL, found TEXT NOT NULL, note TEXT NOT NULL, mark INTEGER
);
CREATE INDEX IF NOT EXISTS work_orders_state ON work_orders (state, created);
"""
_COLUMNS: Final = "asset, what, why, due, who, state, created, by, changed, changed_by, found, note, mark"
STEPS: Final[Mapping[str, tuple[tuple[WorkState, ...], WorkState]]] = {
    "start": ((WorkState.OPEN,), WorkState.IN_WORK),
    "done": ((WorkState.OPEN, WorkState.IN_WORK), WorkState.DONE),
    "take-back": ((WorkState.OPEN, WorkState.IN_WORK), WorkState.TAKEN_BACK),
}
"""From which states each step leads where."""


class WorkOrders(Records):
    """`<folder>/work-orders.db`; an order is on disk when a method returns. `clock` tells UTC ns.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as at, WorkOrders(Path(at), lambda: 7) as orders:
    ...     made = orders.create("a/b/c/d/m-1", "Change the tool", None, None, "Li", "Anna")
    ...     done = orders.step(made.number, "done", "Li", found=Found.WORN, note="It was dull.")
    >>> made.state, done.state, done.found, done.changed_by
    (<WorkState.OPEN: 'open'>, <WorkState.DONE: 'done'>, <Found.WORN: 'worn'>, 'Li')
    """

    def __init__(self, folder: Path, clock: Callable[[], int]) -> None:
        super().__init__(folder / "work-orders.db", _SCHEMA, "work orders")
        self._clock = clock

    def create(
        self, asset: str, what: str, why: Mapping[str, Any] | None, due: int | None, who: str, by: str
    ) -> WorkOrder:  # fmt: skip
        """A new order, open."""
        now = self._clock()
        order = WorkOrder(0, asset, what, why, due, who, WorkState.OPEN, now, by, now, by)
        marks = ", ".join("?" * len(_COLUMNS.split(", ")))
        made = self.do(f"INSERT INTO work_orders ({_COLUMNS}) VALUES ({marks})", _row(order))  # noqa: S608 (constants)
        return replace(order, number=int(made.lastrowid or 0))

    def order(self, number: int) -> WorkOrder:
        """An order by its number."""
        rows = self.do(f"SELECT number, {_COLUMNS} FROM work_orders WHERE number = ?", (number,))  # noqa: S608
        found = next((_order(row) for row in rows), None)
        if found is None:
            raise MaintenanceUnknown(
                f"There is no work order {number}: ask /api/v1/work-orders?state=all for those that are."
            )
        return found

    def all(self, states: Sequence[WorkState] = (), asset: str = "", limit: int = 1_000) -> list[WorkOrder]:
        """Orders in some states (none: in any) at or below a place, the newest first."""
        wanted = json.dumps([state.value for state in states or tuple(WorkState)])
        rows = self.do(
            f"SELECT number, {_COLUMNS} FROM work_orders WHERE state IN (SELECT value FROM json_each(?1))"  # noqa: S608
            " AND (?2 = '' OR asset = ?2 OR substr(asset, 1, length(?2) + 1) = ?2 || '/')"
            " ORDER BY created DESC, number DESC LIMIT ?3",
            (wanted, asset, limit),
        )
        return [_order(row) for row in rows]

    def step(
        self, number: int, step: str, by: str, *, found: Found = Found.NOT_SAID, note: str = ""
    ) -> WorkOrder:  # fmt: skip
        """Start an order, end it with what was found, or take it back."""
        allowed, state = STEPS[step]
        with self.together():
            order = self.order(number)
            if order.state not in allowed:
                raise MaintenanceRefused(
                    f"Work order {number} is {order.state.value.replace('-', ' ')}: make a new one."
                )
            now, said = self._clock(), note or order.note
            after = replace(order, state=state, changed=now, changed_by=by, found=found, note=said)
            self._put(after)
        return after

    def marked(self, order: WorkOrder, mark: int) -> WorkOrder:
        """The order, with the mark that it left."""
        after = replace(order, mark=mark)
        self._put(after)
        return after

    def _put(self, order: WorkOrder) -> None:
        names = ", ".join(f"{name} = ?" for name in _COLUMNS.split(", "))
        self.do(f"UPDATE work_orders SET {names} WHERE number = ?", (*_row(order), order.number))  # noqa: S608


def _row(order: WorkOrder) -> tuple[Any, ...]:
    why = None if order.why is None else json.dumps(order.why)
    return (
        order.asset, order.what, why, order.due, order.who, order.state.value, order.created, order.by, order.changed,
        order.changed_by, order.found.value, order.note, order.mark,
    )  # fmt: skip


def _order(row: Sequence[Any]) -> WorkOrder:
    number, asset, what, why, due, who, state, created, by, changed, changed_by, found, note, mark = row
    frozen = None if why is None else json.loads(why)
    return WorkOrder(
        number, asset, what, frozen, due, who, WorkState(state), created, by, changed, changed_by, Found(found), note,
        mark,
    )  # fmt: skip
