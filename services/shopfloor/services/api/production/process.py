"""Continuous processes: what they gave, the yield, the energy for it, and upsets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel
from shopfloor.services.api.needs import needs
from shopfloor.services.api.production.oee import SpanView
from shopfloor.services.api.production.words import At, End, Place, Start, span_of, told_span
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.shared import Shared
from shopfloor.services.api.wire import ERRORS, NOT_FOUND, answer
from shopfloor.services.historian import Periods, time_in_state
from shopfloor.services.historian.options import NS
from shopfloor.services.production import Production
from shopfloor.services.production.kpi import Counts, kpis
from shopfloor.services.production.planned import Span
from shopfloor.services.production.process import NOTHING, Processed, Yielded, processed
from shopfloor.services.production.times import NOTHING as NO_TIME
from shopfloor.services.production.times import Times
from shopfloor.services.security.rights import Right
from starlette.responses import Response


class ProcessView(BaseModel):
    """A unit, or a line of them; `output` is in `unit`, of so many `portions`.

    `throughput` is the output an hour of one unit, `yields` its share of what theory allows, `energy_per_output` in kWh
    for one `unit`: these three are of the times between portions. `upset` is in seconds; availability is APT / PBT.
    """

    path: str
    title: str
    doing: str
    output: float
    portions: int
    throughput: float | None
    yields: float | None
    energy_per_output: float | None
    upsets: int
    upset: float
    upsets_per_day: float | None
    availability: float | None
    states: dict[str, float]


class LineProcess(ProcessView):
    """A line with the words for its indicators and its units."""

    unit: str
    names: dict[str, str]
    units: list[ProcessView]


class ProcessOf(SpanView):
    """A time and the processes in it."""

    lines: list[LineProcess]


def view(path: str, title: str, of: Yielded, time: Times, states: dict[str, float], doing: str = "") -> dict[str, Any]:
    """A unit or a line as the API shows it."""
    return {
        "path": path, "title": title, "doing": doing, "output": of.output, "portions": of.portions,
        "throughput": of.throughput, "yields": of.yields, "energy_per_output": of.energy_per_output,
        "upsets": of.upsets, "upset": of.upset / NS, "upsets_per_day": of.upsets_per_day,
        "availability": kpis(time, Counts()).availability, "states": states,
    }  # fmt: skip


def states_of(production: Production, paths: Sequence[str], span: Span) -> dict[str, dict[str, float]]:
    """Seconds of each unit in each state."""
    tags = {production.machines[path].tag(production.machines[path].production.state): path for path in paths}
    found: dict[str, dict[str, float]] = {path: {} for path in paths}
    held = time_in_state(
        production.reader, list(tags), Periods(np.array([span.start, span.end], np.int64)), now=production.clock()
    )
    for row in held.select(["group", "state", "seconds"]).to_pylist():
        found[tags[row["group"]]][row["state"] or ""] = row["seconds"]
    return found


def line_view(production: Production, line: str, parts: Sequence[Processed], span: Span) -> dict[str, Any]:
    """A line, its words, and its units."""
    paths = [one.path for one in parts]
    states = states_of(production, paths, span)
    together = {
        name: sum(one.get(name, 0.0) for one in states.values())
        for name in sorted({k for one in states.values() for k in one})
    }
    machine = production.machines[paths[0]]
    process = machine.production.process
    tag = production.tag(machine.tag(process.output)) if process else None
    whole = sum((one.yielded for one in parts), NOTHING)
    time = sum((one.times for one in parts), NO_TIME)
    return view(line, line.rsplit("/", 1)[-1], whole, time, together) | {
        "unit": tag.unit if tag else "", "names": process.names.model_dump() if process else {},
        "units": [view(one.path, one.title, one.yielded, one.times, states[one.path], one.doing) for one in parts],
    }  # fmt: skip


def lines_of(production: Production, place: str, span: Span) -> list[dict[str, Any]]:
    """The processes at a place, by line."""
    now, open_ = production.clock(), production.planned.open(span.start, span.end)
    lines: dict[str, list[Processed]] = {}
    for path in production.under(place):
        machine = production.machines[path]
        if machine.production.process:
            found = processed(production.reader, machine, open_, span.start, span.end, now)
            lines.setdefault(machine.line, []).append(found)
    return [line_view(production, line, parts, span) for line, parts in lines.items()]


def router(production: Production) -> APIRouter:
    """`GET production/process`."""
    shared = Shared()
    routes = Routes(tags=["production"], responses=ERRORS | NOT_FOUND, dependencies=[needs(Right.SEE)])

    @routes.get("/production/process", response_model=ProcessOf)
    def get_process(place: Place = "", at: At = None, start: Start = None, end: End = None) -> Response:
        """Tell output, yield, energy and upsets of continuous processes, for a shift or a time of your own."""

        def found() -> dict[str, Any]:
            span = span_of(production, at, start, end)
            return told_span(production, span) | {"lines": lines_of(production, place, span)}

        return answer(shared.tell((place, at, start, end, production.store.changes), found))

    return routes
