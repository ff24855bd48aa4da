"""How the API speaks: JSON without NaN, times in epoch milliseconds, every error one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import numpy as np
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from numpy.typing import NDArray
from pydantic import BaseModel
from shopfloor.plant import ConfigError, RejectedError, ShopfloorError, SinkUnavailable, StoreError
from shopfloor.services.alarms import AlarmUnknown
from shopfloor.services.answers import NotAnswered, NotTaken
from shopfloor.services.api.described import Responses, refusals
from shopfloor.services.catalog import Unknown
from shopfloor.services.errands import GatewayUnknown
from shopfloor.services.maintenance.work_order import MaintenanceUnknown
from shopfloor.services.production import ProductionUnknown
from shopfloor.services.registry.words import ModelUnknown
from shopfloor.services.reports.kept import ReportUnknown
from starlette.exceptions import HTTPException
from starlette.responses import Response

API: Final = "/api/v1"
ARROW: Final = "application/vnd.apache.arrow.stream"
RETRY_S: Final = 1
PLAIN: Final = {"Content-Encoding": "identity"}
"""Not to be compressed: it would keep the event loop from everybody else."""
_LARGE: Final = 2_000_000
_UNKNOWN: Final = (
    Unknown, AlarmUnknown, GatewayUnknown, MaintenanceUnknown, ModelUnknown, ProductionUnknown, ReportUnknown,
)  # fmt: skip
"""Names that are not there: 404."""


class Problem(BaseModel):
    """What every error answers."""

    detail: str


def refused(said: Mapping[int, str]) -> Responses:
    """Statuses that answer a `Problem`, each with its description."""
    return refusals(said, Problem)


ERRORS: Final = refused(
    {
        401: "No token, or an unknown one.",
        403: "This caller may not do this.",
        422: "The request cannot be understood.",
        503: "The store cannot serve now; Retry-After says when to ask again.",
    }
)
TOO_LARGE: Final = refused({413: "More than 2 MB."})
NO_JSON: Final = TOO_LARGE | refused({400: "The body cannot be read.", 415: "The body is not said to be JSON."})
NOT_FOUND: Final = refused({404: "Unknown name; the sentence says the closest one."})
DEVICE: Final = refused(
    {
        409: "The device has refused; the sentence says why.",
        504: "The device was not reached: nothing has changed here.",
    }
)


def answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Encode as JSON; NaN and infinities become null.

    >>> answer({"value": float("nan")}).body
    b'{"value":null}'
    """
    body = msgspec.json.encode(value)
    if len(body) > _LARGE:
        headers = {**(headers or {}), **PLAIN}
    return Response(body, status, headers, "application/json")


def problem(status: int, sentence: str, **headers: str) -> Response:
    """An error in one sentence."""
    return answer({"detail": sentence}, status, headers)


def times_ms(ns: NDArray[np.int64]) -> list[float]:
    """Nanoseconds as epoch milliseconds, to the microsecond."""
    ms: list[float] = (np.round(ns / 1_000) / 1_000).tolist()
    return ms


def add_errors(app: FastAPI) -> None:
    """Teach an application to answer every error with one sentence."""
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(ShopfloorError, _told)
    app.add_exception_handler(Exception, _failed)


async def _told(_: Request, error: Exception) -> Response:
    if isinstance(error, _UNKNOWN):
        return problem(404, str(error))
    if isinstance(error, NotTaken | NotAnswered):
        return problem(409 if isinstance(error, NotTaken) else 504, str(error))
    if isinstance(error, SinkUnavailable | StoreError):
        return problem(503, str(error), **{"Retry-After": str(RETRY_S)})
    return problem(422 if isinstance(error, RejectedError | ConfigError | ValueError) else 500, str(error))


async def _refused(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 500)
    detail = str(getattr(error, "detail", error))
    if status == 404 and detail == "Not Found":
        detail = f"There is no {request.url.path}: see /docs for what there is."
    if status == 400:
        detail = f"The body of {request.method} {request.url.path} cannot be read: send JSON as UTF-8, as /docs says."
    if status == 405:
        detail = f"{request.method} is not what {request.url.path} understands: see /docs."
    return problem(status, detail, **(getattr(error, "headers", None) or {}))


async def _invalid(_: Request, error: Exception) -> Response:
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    first = problems[0] if problems else {"loc": ("request",), "msg": str(error)}
    place, *path = first["loc"]
    if first.get("type") == "json_invalid":
        return problem(422, f"The body is no JSON at byte {path[-1] if path else 0}: see /docs for what is expected.")
    name = ".".join(str(part) for part in path) or "its content"
    said = first.get("input")
    given = f" is {said!r:.80}" if isinstance(said, str | int | float) else ""
    return problem(422, f"The {place} value {name!r}{given}: {first['msg'][0].lower()}{first['msg'][1:]}; see /docs.")


async def _failed(request: Request, _: Exception) -> Response:
    return problem(500, f"The server failed at {request.url.path}: its log says why.")
