"""Production over HTTP: one router per noun."""

from fastapi import APIRouter
from shopfloor.services.api.production import downtime, oee, scrap
from shopfloor.services.production import Production


def routers(production: Production) -> list[APIRouter]:
    """All of them."""
    return [oee.router(production), downtime.router(production), scrap.router(production)]


__all__ = ["routers"]
