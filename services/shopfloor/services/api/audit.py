"""The audit of writes, for admins: filtered, and checked as a whole."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel
from shopfloor.plant.chain import Head
from shopfloor.services.api.needs import needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, answer
from shopfloor.services.clock import to_ms
from shopfloor.services.security import Right
from shopfloor.services.security.trail import Trail, Wanted
from starlette.exceptions import HTTPException
from starlette.responses import Response

_LATEST_MS: Final = 8e12
_ANY: Final = 1 << 62


class EntryView(BaseModel):
    """A write or a sign-in: who, in which role, what, from where, and what it found and left; `time` is epoch ms."""

    number: int
    time: float
    who: str
    role: str
    way: str
    right: str
    method: str
    path: str
    status: int
    address: str
    asked: Any
    before: Any
    after: Any


class Whole(BaseModel):
    """Whether the audit is as it was written; `head`, noted elsewhere, shows one that was written anew."""

    whole: bool
    sentence: str
    entries: int
    head: str


def router(trail: Trail) -> APIRouter:
    """`GET audit` and `GET audit/check`."""
    routes = Routes(tags=["security"], responses=ERRORS, dependencies=[needs(Right.AUDIT)])

    @routes.get("/audit", response_model=list[EntryView])
    def get_entries(
        who: Annotated[str, Query(max_length=100)] = "",
        right: Annotated[Right | None, Query(description="Only what takes this right.")] = None,
        path: Annotated[str, Query(max_length=300, description="A part of the path.")] = "",
        start: Annotated[float, Query(ge=0, le=_LATEST_MS, description="Epoch ms.")] = 0,
        end: Annotated[float, Query(ge=0, le=_LATEST_MS, description="Epoch ms.")] = _LATEST_MS,
        below: Annotated[int, Query(ge=1, le=_ANY, description="Only numbers below this one: the next page.")] = _ANY,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
    ) -> Response:
        """List entries, the newest first."""
        what = right.value if right else ""
        wanted = Wanted(round(start * 1e6), round(end * 1e6), who, what, path, below, limit)
        return answer([_view(number, body) for number, body in trail.entries(wanted)])

    @routes.get("/audit/check", response_model=Whole)
    def check(
        head: Annotated[str, Query(max_length=90, description="A head that was noted elsewhere.")] = "",
    ) -> Response:
        """Check every entry, their order and their end."""
        fault, (number, sha) = trail.fault(_head(head)), trail.head()
        sentence = fault or f"The audit is whole: {number} entries."
        return answer({"whole": not fault, "sentence": sentence, "entries": number, "head": f"{number}:{sha}"})

    return routes


def _head(text: str) -> Head | None:
    number, _, sha = text.partition(":")
    if text and not number.isdecimal():
        raise HTTPException(422, f"{text!r} is no head: expected number:hash, as an earlier check answered it.")
    return (int(number), sha) if text else None


def _view(number: int, body: dict[str, Any]) -> dict[str, Any]:
    return {**{key: body[key] for key in body if key != "from"}, "number": number, "time": to_ms(body["time"]),
            "address": body["from"]}  # fmt: skip
