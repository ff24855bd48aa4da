"""The ledger: accepted, spooled, stored and rejected of every source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from fastapi import APIRouter
from pydantic import BaseModel
from shopfloor.services.api.needs import needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, answer
from shopfloor.services.ledger import Account
from shopfloor.services.security.rights import Right
from starlette.responses import Response


class StoreRows(BaseModel):
    """The whole store."""

    rows: int


class LedgerAnswer(BaseModel):
    """Whether every source balances, and each account."""

    balanced: bool
    sources: list[Account]
    store: StoreRows


def router(accounts: Callable[[], list[Account]], rows: Callable[[], int]) -> APIRouter:
    """`GET ledger`."""
    routes = Routes(tags=["plant"], responses=ERRORS, dependencies=[needs(Right.SEE)])

    @routes.get("/ledger", response_model=LedgerAnswer)
    def get_ledger() -> Response:
        """Account for every value that was accepted."""
        sources = accounts()
        balanced = all(source.balanced for source in sources)
        return answer({"balanced": balanced, "sources": [asdict(s) for s in sources], "store": {"rows": rows()}})

    return routes
