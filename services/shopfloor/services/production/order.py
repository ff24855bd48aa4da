"""Production orders: what is to be made where, and the runs in which it was."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class OrderState(StrEnum):
    """The life of an order: planned, then running and stopped in turns, until it is completed."""

    PLANNED = "planned"
    RUNNING = "running"
    STOPPED = "stopped"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class Order:
    """An order; `place` is the path of a machine or a part of the plant, `lots` the material given to it.

    `comment` is what was said of it, step by step.
    """

    number: str
    item: str
    place: str
    quantity: int
    lots: tuple[str, ...] = ()
    state: OrderState = OrderState.PLANNED
    created: int = 0
    by: str = ""
    comment: str = ""

    def covers(self, asset: str) -> bool:
        """Whether a machine works for it."""
        return f"{asset}/".startswith(f"{self.place}/")


@dataclass(frozen=True, slots=True)
class Run:
    """A time (UTC ns; `end` None: it lasts) in which an order ran."""

    number: str
    start: int
    end: int | None
