"""Values: every router that reads them back."""

from __future__ import annotations

from fastapi import APIRouter
from shopfloor.plant import Reader
from shopfloor.services.api import aggregate, history, latest, read, sql
from shopfloor.services.catalog import Catalog
from shopfloor.services.clock import Clock
from shopfloor.services.historian import Calendar, StoreReader


def routers(
    catalog: Catalog, embedded: StoreReader, reader: Reader, calendar: Calendar, clock: Clock
) -> list[APIRouter]:
    """`latest`, `history/read` and `sql` of the embedded store; `history` and `aggregate` of the one for pages."""
    return [
        latest.router(catalog, embedded),
        history.router(catalog, reader, clock),
        read.router(catalog, embedded, clock),
        aggregate.router(catalog, reader, calendar, clock),
        sql.router(catalog, embedded),
    ]
