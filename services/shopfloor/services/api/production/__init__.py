"""Production over HTTP: one router per noun."""

from fastapi import APIRouter
from shopfloor.services.api.production import best, downtime, energy, export, genealogy, oee, orders, process, scrap
from shopfloor.services.production import Production
from shopfloor.services.thinking import Thinking


def routers(production: Production, brain: Thinking) -> list[APIRouter]:
    """All of them."""
    nouns = (oee, best, process, downtime, scrap, orders, energy, export)
    return [*(noun.router(production) for noun in nouns), genealogy.router(production, brain)]


__all__ = ["routers"]
