"""Work orders: what shall be seen to at an asset, and why; the life of one, and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shopfloor.plant import ShopfloorError


class MaintenanceUnknown(ShopfloorError):  # noqa: N818 (a state of the world)
    """A work order that is not known."""


class MaintenanceRefused(ShopfloorError, ValueError):  # noqa: N818 (an answer)
    """Something that cannot be done now, with the reason."""


class WorkState(StrEnum):
    """The life of a work order: open, in work, done; or taken back before it was done."""

    OPEN = "open"
    IN_WORK = "in-work"
    DONE = "done"
    TAKEN_BACK = "taken-back"


class Found(StrEnum):
    """What was found when the work was done: the truth behind the prediction that it was ordered for."""

    WORN = "worn"
    NOT_WORN = "not-worn"
    EARLY = "early"
    NOT_SAID = ""


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """A work order. Times are UTC ns; `due` None: whenever there is time.

    `why` is the prediction as it stood when the order was made, frozen, or None; `mark` the number of the mark that
    its end left on that prediction.
    """

    number: int
    asset: str
    what: str
    why: Mapping[str, Any] | None
    due: int | None
    who: str
    state: WorkState
    created: int
    by: str
    changed: int
    changed_by: str
    found: Found = Found.NOT_SAID
    note: str = ""
    mark: int | None = None
