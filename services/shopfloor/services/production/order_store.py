"""Where orders are kept: beside the other records of production."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from shopfloor.services.production.order import Order, OrderState, Run
from shopfloor.services.production.store import ProductionStore

_COLUMNS: Final = "number, item, place, quantity, lots, state, created, by, comment"


class OrderStore:
    """Orders and their runs in the store of production, whose schema has them."""

    def __init__(self, store: ProductionStore) -> None:
        self._do, self.together, self.note = store.do, store.together, store.note

    def orders(self) -> list[Order]:
        """All orders, the newest first."""
        rows = self._do(f"SELECT {_COLUMNS} FROM orders ORDER BY created DESC, number")  # noqa: S608 (a constant)
        return [_order(row) for row in rows]

    def order(self, number: str) -> Order | None:
        """One order."""
        rows = self._do(f"SELECT {_COLUMNS} FROM orders WHERE number = ?", (number,))  # noqa: S608 (a constant)
        return next((_order(row) for row in rows), None)

    def put(self, order: Order) -> None:
        """Write an order, new or changed."""
        values = (order.number, order.item, order.place, order.quantity, json.dumps(order.lots), order.state.value)
        self._do(
            f"INSERT OR REPLACE INTO orders ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?)",  # noqa: S608 (a constant)
            (*values, order.created, order.by, order.comment),
        )

    def begin(self, number: str, moment: int) -> None:
        """A run begins (UTC ns)."""
        self._do("INSERT INTO runs (number, start, end) VALUES (?, ?, NULL)", (number, moment))

    def finish(self, number: str, moment: int) -> None:
        """The open run ends, if there is one."""
        self._do("UPDATE runs SET end = ? WHERE number = ? AND end IS NULL", (moment, number))

    def runs(self, start: int = 0, end: int = 1 << 62, number: str | None = None) -> list[Run]:
        """The runs that touch [start, end), the oldest first."""
        rows = self._do(
            "SELECT number, start, end FROM runs WHERE start < ?2 AND (end IS NULL OR end > ?1)"
            " AND (?3 IS NULL OR number = ?3) ORDER BY start",
            (start, end, number),
        )
        return [Run(*row) for row in rows]


def _order(row: Sequence[Any]) -> Order:
    number, item, place, quantity, lots, state, created, by, comment = row
    return Order(number, item, place, quantity, tuple(json.loads(lots)), OrderState(state), created, by, comment)
