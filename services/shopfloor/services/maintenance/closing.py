"""The end of a work order tells the truth behind the prediction that it was made for: a mark, and so a label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shopfloor.plant import ShopfloorError
from shopfloor.services.maintenance.maintenance import Maintenance
from shopfloor.services.maintenance.risk import BY_RUNNING, UNITS
from shopfloor.services.maintenance.work_order import Found, WorkOrder
from shopfloor.services.registry.marking import Word, mark

_WORDS: Final[Mapping[Found, str]] = {
    Found.WORN: "was worn",
    Found.NOT_WORN: "was not worn",
    Found.EARLY: "replaced early",
}


def close(maintenance: Maintenance, number: int, by: str, found: Found, note: str) -> tuple[WorkOrder, str]:
    """End an order with what was found; answers it, and in a sentence why nothing was marked, where nothing was."""
    order = maintenance.orders.step(number, "done", by, found=found, note=note)
    if order.why is None or found is Found.NOT_SAID:
        return order, ""
    word = word_of(maintenance, order, order.why)
    if word is None:
        return order, "What was found does not say whether this prediction was right: mark it by hand."
    try:
        moment = round(order.why["time"] * 1e6)
        left = mark(maintenance.registry, str(order.why["model"]), order.asset, moment, word)
    except ShopfloorError as problem:
        return order, f"The order is done, and its prediction was not marked: {problem}"
    return maintenance.orders.marked(order, left.id), ""


def word_of(maintenance: Maintenance, order: WorkOrder, why: Mapping[str, Any]) -> Word | None:
    """What an end says of the prediction; None where it does not say."""
    note = f"Work order {order.number}: {_WORDS[order.found]}. {order.note}".strip()
    unit = UNITS.get(str(why["unit"]))
    if unit is not None:
        lived = _lived(maintenance, order, why) / unit
        return life(order.found, lived, why, order.changed_by, note)
    card = maintenance.card(str(why["model"]))
    if order.found is Found.EARLY or card is None or card.kind in {"regression", "classes"}:
        return None
    came = 1.0 if order.found is Found.WORN else 0.0
    return Word((why["status"] != "ok") == bool(came), order.changed_by, came, came, note=note)


def life(found: Found, lived: float, why: Mapping[str, Any], by: str, note: str) -> Word:
    """A worn part lived so long after the prediction; any other would have lived at least so long.

    >>> word = life(Found.EARLY, 12.0, {"low": 5.0, "high": 10.0}, "Li", "")
    >>> (word.is_right, word.low, word.high)
    (False, 12.0, None)
    """
    low, high = why["low"], why["high"]
    short = high is None or lived <= high
    if found is Found.WORN:
        return Word(short and (low is None or lived >= low), by, lived, lived, note=note)
    return Word(short, by, lived, None, note=note)


def _lived(maintenance: Maintenance, order: WorkOrder, why: Mapping[str, Any]) -> int:
    """How long (ns) the part was used between the prediction and the end of the work."""
    start = round(float(why["time"]) * 1e6)
    if why["target"] in BY_RUNNING:
        return maintenance.ran(order.asset, start, order.changed)
    return max(order.changed - start, 0)
