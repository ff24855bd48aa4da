"""Values: every router that reads them back."""

from __future__ import annotations

from fastapi import APIRouter
from shopfloor.services.api import aggregate, export, history, latest, read, sql, states
from shopfloor.services.catalog import Catalog
from shopfloor.services.clock import Clock
from shopfloor.services.historian import Calendar, History, StoreReader


def routers(
    catalog: Catalog, embedded: StoreReader, reader: History, calendar: Calendar, clock: Clock
) -> list[APIRouter]:
    """`latest` of the embedded store, which knows the newest values; all others of the one that pages read."""
    return [
        latest.router(catalog, embedded),
        history.router(catalog, reader, clock),
        read.router(catalog, reader, clock),
        export.router(catalog, reader, clock),
        aggregate.router(catalog, reader, calendar, clock),
        states.router(catalog, reader, calendar, clock),
        sql.router(catalog, reader),
    ]
