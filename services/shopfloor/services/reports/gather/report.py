"""A report put together: what its server told, and what its stores hold."""

from __future__ import annotations

from shopfloor.services.reports.document import Head, Report, Told
from shopfloor.services.reports.gather.completeness import completeness
from shopfloor.services.reports.gather.made import downtime, energy, oee, orders, rejects, used
from shopfloor.services.reports.gather.stores import Stores
from shopfloor.services.reports.gather.trends import trends
from shopfloor.services.reports.scope import scope


def gather(stores: Stores, head: Head, told: Told) -> Report:
    """Read the stores; the same time read again later may have more values."""
    of = scope(stores, head.place, head.start, head.end)
    each = used(of)
    return Report(
        head=head,
        data=completeness(of, told.accounts),
        oee=oee(of, head.unit, each),
        downtime=downtime(of),
        orders=orders(of),
        rejects=rejects(of),
        alarms=told.alarms,
        charts=told.charts,
        energy=energy(of, each),
        predictions=told.predictions,
        predicted=told.predicted,
        advice=told.advice,
        drift=told.drift,
        setpoints=told.setpoints,
        notes=told.notes,
        trends=trends(of),
    )
