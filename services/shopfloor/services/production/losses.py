"""The loss tree: where planned time went, in ns that add up exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shopfloor.services.production.kpi import Counts
from shopfloor.services.production.times import Times
from shopfloor.services.production.visits import MINOR, UNKNOWN

NO_REASON: Final = ""
_AVAILABILITY: Final = ("down", "setup", "idle", "blocked", "starved", MINOR, UNKNOWN)


@dataclass(frozen=True, slots=True)
class Loss:
    """A part of the planned time (ns). `of` is the factor that it lowers; `reasons` are its parts, where told."""

    kind: str
    of: str
    ns: int
    reasons: Mapping[str, int]


def loss_tree(time: Times, count: Counts, reasons: Mapping[str, Mapping[str, int]]) -> list[Loss]:
    """All parts of the planned operation time, the effective one last; `reasons` says how long by kind and reason.

    Speed loss is what the machine ran longer than planned for what it made; it is negative where it ran faster.

    >>> from shopfloor.services.production.times import NOTHING
    >>> shift = Times({**NOTHING.held, "running": 300, "down": 60, "planned-stop": 20})
    >>> tree = loss_tree(shift, Counts(pq=10, sq=1, planned_run=250), {"down": {"Tool/Tool broken": 40}})
    >>> [(loss.kind, loss.ns, dict(loss.reasons)) for loss in tree if loss.ns and loss.kind == "down"]
    [('down', 60, {'Tool/Tool broken': 40, '': 20})]
    >>> {loss.kind: loss.ns for loss in tree if loss.ns}
    {'planned-stop': 20, 'down': 60, 'speed': 50, 'scrap': 25, 'effective': 225}
    """
    run = round(count.planned_run)
    per_part = count.planned_run / count.pq if count.pq else 0.0
    scrap, rework = round(per_part * count.sq), round(per_part * count.rq)
    rows = [("planned-stop", "planning", time.held["planned-stop"])]
    rows += [(kind, "availability", time.held[kind]) for kind in _AVAILABILITY]
    rows += [("speed", "effectiveness", time.apt - run), ("scrap", "quality", scrap), ("rework", "quality", rework)]
    rows.append(("effective", "", run - scrap - rework))
    return [Loss(kind, of, ns, _told(ns, reasons.get(kind, {}))) for kind, of, ns in rows]


def _told(ns: int, reasons: Mapping[str, int]) -> dict[str, int]:
    """Reasons, the longest first, and what has none yet; no more than the loss itself."""
    told, left = {}, ns
    for reason, length in sorted(reasons.items(), key=lambda one: -one[1]):
        told[reason] = min(length, left)
        left -= told[reason]
    return {reason: length for reason, length in told.items() if length} | ({NO_REASON: left} if told and left else {})
