"""Energy: kWh of lines and machines, per good part, and the load while they stand."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from shopfloor.services.api.needs import needs
from shopfloor.services.api.production.words import At, End, Place, Start, span_of, told_span
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.shared import Shared
from shopfloor.services.api.wire import ERRORS, NOT_FOUND, answer
from shopfloor.services.historian.options import NS
from shopfloor.services.production import Production
from shopfloor.services.production.energy import NONE, Energy
from shopfloor.services.security.rights import Right
from starlette.responses import Response


class EnergyView(BaseModel):
    """kWh of a machine or a line; `base_load` is the mean power in kW while it stood longer than a minor stop."""

    path: str
    title: str
    total: float
    running: float
    standing: float
    stood: float
    base_load: float | None
    good: float
    per_good: float | None


class LineEnergy(EnergyView):
    """A line and its machines."""

    machines: list[EnergyView]


class EnergyOf(BaseModel):
    """A time and the energy of the lines in it."""

    start: float
    end: float
    shift: str
    day: str
    shift_end: float
    before: float
    after: float | None
    lines: list[LineEnergy]


def view(path: str, title: str, of: Energy, good: float) -> dict[str, Any]:
    """A machine or a line as the API shows it."""
    return {
        "path": path, "title": title, "total": of.total, "running": of.running, "standing": of.standing,
        "stood": of.stood / NS, "base_load": of.base_load, "good": good,
        "per_good": of.total / good if good > 0 else None,
    }  # fmt: skip


def router(production: Production) -> APIRouter:
    """`GET production/energy`."""
    shared = Shared()
    routes = Routes(tags=["production"], responses=ERRORS | NOT_FOUND, dependencies=[needs(Right.SEE)])

    @routes.get("/production/energy", response_model=EnergyOf)
    def get_energy(place: Place = "", at: At = None, start: Start = None, end: End = None) -> Response:
        """Tell the energy of every line and machine that counts it, for a shift or a time of your own."""

        def found() -> dict[str, Any]:
            span = span_of(production, at, start, end)
            paths = [path for path in production.under(place) if production.machines[path].production.energy]
            each = production.used(paths, span)
            used = {one.path: energy or NONE for one, energy in each}
            lines = [
                view(line.path, line.title, sum((used[one.path] for one in parts), NONE), line.counts.gq)
                | {"machines": [view(one.path, one.title, used[one.path], one.counts.gq) for one in parts]}
                for line, parts in production.lines([one for one, _ in each])
            ]
            return told_span(production, span) | {"lines": lines}

        return answer(shared.tell((place, at, start, end, production.store.changes), found))

    return routes
