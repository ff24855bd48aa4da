"""Metrics: the store and its ledger for Prometheus, at the path where it looks for them."""

from __future__ import annotations

from fastapi import APIRouter
from shopfloor.services.api.needs import needs
from shopfloor.services.historian import Historian
from shopfloor.services.metrics import CONTENT_TYPE, text
from shopfloor.services.security.rights import Right
from starlette.responses import Response


def router(historian: Historian) -> APIRouter:
    """`GET /metrics`."""
    routes = APIRouter(dependencies=[needs(Right.SEE)])

    @routes.get("/metrics", include_in_schema=False)
    def get_metrics() -> Response:
        """Give sizes, durations, states and the ledger in the text format of Prometheus."""
        body = text(historian.stats(), historian.ledger(), historian.meters)
        return Response(body, headers={"Content-Type": CONTENT_TYPE})

    return routes
