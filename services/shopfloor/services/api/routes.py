"""Routes, each whole in itself.

FastAPI looks an address up twice for each level of `include_router`: that took longer than to answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, FastAPI
from shopfloor.services.api.wire import API


class Routes(APIRouter):
    """Routes below `/api/v1`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(prefix=API, **options)


def serve(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Serve the routes of routers; those of the first are found soonest."""
    for router in routers:
        app.router.routes.extend(router.routes)
