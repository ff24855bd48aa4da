"""What a route needs: the right that its caller must have, named where the route is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import Depends
from fastapi.params import Depends as Dependency
from shopfloor.services.security import Caller
from shopfloor.services.security.rights import Right, may, refusal
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection


@dataclass(frozen=True)
class Need:
    """A dependency of a route: refuses with 403 whoever lacks the right."""

    right: Right

    async def __call__(self, connection: HTTPConnection) -> None:
        """Check the caller that the guard found."""
        demand(connection, self.right)


def needs(right: Right) -> Dependency:
    """The dependency that a route or a whole router declares."""
    found: Dependency = Depends(Need(right))
    return found


def demand(connection: HTTPConnection, right: Right) -> None:
    """Refuse whoever lacks a right, and note it for the audit."""
    connection.state.right = right
    caller = who(connection)
    if not may(caller.role, right):
        raise HTTPException(403, refusal(caller.name, caller.role, right))


def who(connection: HTTPConnection) -> Caller:
    """Who asks."""
    caller: Caller = connection.state.who
    return caller


def changed(connection: HTTPConnection, before: Any, after: Any) -> None:
    """Tell the audit what a write found and what it left."""
    connection.state.change = {"before": before, "after": after}
