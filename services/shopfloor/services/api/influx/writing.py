"""The doors for clients of InfluxDB: writing, and being asked whether one is there."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request
from pydantic import BaseModel
from shopfloor.gateway.version import installed_version
from shopfloor.plant import SinkUnavailable, StoreError
from shopfloor.plant.config import InfluxDoorSection, PlantConfig
from shopfloor.services.api.described import refusals
from shopfloor.services.api.needs import needs
from shopfloor.services.api.wire import RETRY_S, answer
from shopfloor.services.clock import Clock
from shopfloor.services.historian import Historian
from shopfloor.services.influx.intake import Intake
from shopfloor.services.influx.lines import UNITS, Mistake, parse
from shopfloor.services.influx.names import Names
from shopfloor.services.influx.values import values
from shopfloor.services.security.rights import Right
from starlette.responses import Response

WRITES: Final = ("/write", "/api/v2/write")
MOST_BYTES: Final = 25_000_000
MOST_LINES: Final = 1_000_000
_MOST_TOLD: Final = 100


class BodyError(ValueError):
    """A body or parameter that cannot be taken: the status and code to answer, and a sentence."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.code = status, code


class InfluxProblem(BaseModel):
    """What every error answers to a client of InfluxDB: `message` to those of version 2, `error` to those of 1."""

    code: str
    message: str
    error: str


class Alive(BaseModel):
    """How InfluxDB 2 says that it is there."""

    name: str
    message: str
    status: str
    checks: list[str]
    version: str
    commit: str


ERRORS: Final = refusals(
    {
        400: "Something cannot be understood; the sentence says what, where and what was expected.",
        401: "No token, or an unknown one.",
        403: "This caller may not do this.",
        413: "The body is too large.",
        503: "The store cannot serve now; Retry-After says when to try again.",
    },
    InfluxProblem,
)
_ENCODED: Final = refusals({415: "The body is encoded in an unknown way."}, InfluxProblem)
_WRITE_ERRORS: Final = ERRORS | _ENCODED | {204: {"description": "Every line is durable."}}


@dataclass(frozen=True, slots=True)
class Door:
    """What writing needs."""

    names: Names
    section: InfluxDoorSection
    intake: Intake
    clock: Clock

    def write(self, caller: str, bucket: str, unit: int, body: bytes) -> Response:
        """Store the lines of a body; 204 means that all of them are durable."""
        lines = parse(body, unit, self.clock())
        found = values(lines, self.names, bucket, self.section.quality)
        if found.batches:
            self.intake.store(caller, found.batches)
        mistakes = sorted(lines.mistakes + found.mistakes, key=lambda mistake: mistake.line)
        refused = lines.refused + len({mistake.line for mistake in found.mistakes})
        return partly(mistakes, refused, lines.count) if refused else Response(None, 204, headers())


def open_door(config: PlantConfig, historian: Historian, clock: Clock) -> Door:
    """The door of a plant."""
    section = config.server.influx
    return Door(Names(section, config.plant.site), section, Intake(historian), clock)


def router(door: Door) -> APIRouter:
    """`POST /write` and `/api/v2/write`, `/ping`, `/health`, and the lists of buckets and organisations."""
    routes = APIRouter(tags=["influx"])
    threads = ThreadPoolExecutor(4, "influx")

    @routes.post(
        "/write", dependencies=[needs(Right.VALUES)], status_code=204, response_model=None, responses=_WRITE_ERRORS
    )
    @routes.post(
        "/api/v2/write",
        dependencies=[needs(Right.VALUES)],
        status_code=204,
        response_model=None,
        responses=_WRITE_ERRORS,
    )
    async def write(request: Request) -> Response:
        """Store line protocol, as InfluxDB does: `bucket` or `db`, `precision`; gzip is understood."""
        return await told(lambda: _write(request, door, threads))

    @routes.head("/ping", dependencies=[needs(Right.OPEN)], include_in_schema=False)
    @routes.get("/ping", dependencies=[needs(Right.OPEN)], status_code=204, response_model=None)
    def ping() -> Response:
        """Whether a server is there."""
        return Response(None, 204, headers())

    @routes.get("/health", dependencies=[needs(Right.OPEN)], response_model=Alive)
    def health() -> Response:
        """Whether it takes values, as clients of InfluxDB 2 ask."""
        said = {"name": "shopfloor", "message": "ready for queries and writes", "status": "pass", "checks": []}
        return answer({**said, "version": headers()["X-Influxdb-Version"], "commit": ""}, 200, headers())

    return routes


async def told(act: Callable[[], Any]) -> Response:
    """What `act` answers, or its error in InfluxDB's form."""
    try:
        return await act()  # type: ignore[no-any-return]
    except BodyError as problem:
        return refusal(problem.status, problem.code, str(problem))
    except (SinkUnavailable, StoreError) as problem:
        return refusal(503, "unavailable", str(problem), retry_s=RETRY_S)


def headers() -> dict[str, str]:
    """What every answer says of this server: it is no InfluxDB."""
    return {"X-Influxdb-Version": f"shopfloor-{installed_version()}", "X-Influxdb-Build": "Shopfloor"}


def refusal(
    status: int, code: str, sentence: str, *, more: dict[str, Any] | None = None, retry_s: int | None = None
) -> Response:
    """An error as clients of InfluxDB 1 (`error`) and 2 (`code`, `message`) read it."""
    body = {"code": code, "message": sentence, "error": sentence} | (more or {})
    return answer(body, status, headers() | ({"Retry-After": str(retry_s)} if retry_s else {}))


def partly(mistakes: list[Mistake], refused: int, count: int) -> Response:
    """Some lines, or all of them, were refused: which, where and why."""
    first = mistakes[0]
    others = "" if refused == count else "partial write: "
    rest = f" ({refused} of {count} lines were refused{'' if refused == count else ', the others are stored'})"
    errors = [{"line": m.line, "column": m.column, "message": m.sentence} for m in mistakes[:_MOST_TOLD]]
    return refusal(400, "invalid", f"{others}{first}{rest}", more={"line": first.line, "errors": errors})


async def _write(request: Request, door: Door, threads: ThreadPoolExecutor) -> Response:
    query = request.query_params
    bucket = query.get("bucket") or query.get("db") or ""
    if not bucket:
        raise BodyError(400, "invalid", "The request names no bucket: add ?bucket=NAME, or ?db=NAME at /write.")
    precision = query.get("precision", "ns")
    if precision not in UNITS:
        raise BodyError(400, "invalid", f"The precision {precision!r:.40} is unknown: write ns, us, ms, s, m or h.")
    body = await _body(request)
    if body.count(b"\n") > MOST_LINES:
        raise _too_large()
    caller = request.scope["state"]["caller"]
    unit = UNITS[precision]
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(threads, lambda: door.write(caller, bucket, unit, body))


async def _body(request: Request) -> bytes:
    """The body as it was before it was compressed."""
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding not in {"identity", "gzip"}:
        raise BodyError(415, "invalid", f"The encoding {encoding!r:.40} is unknown: send gzip, or no encoding.")
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MOST_BYTES:
            raise _too_large()
        chunks.append(chunk)
    body = b"".join(chunks)
    return await asyncio.to_thread(unzip, body) if encoding == "gzip" else body


def unzip(body: bytes) -> bytes:
    """Undo gzip, up to the limit; anything else raises `BodyError`."""
    engine = zlib.decompressobj(31)
    try:
        plain = engine.decompress(body, MOST_BYTES + 1)
    except zlib.error as problem:
        raise BodyError(
            400, "invalid", f"The body is no gzip ({problem}): send it as Content-Encoding says."
        ) from problem
    if len(plain) > MOST_BYTES:
        raise _too_large()
    if not engine.eof:
        raise BodyError(400, "invalid", "The body is a gzip that was cut off: send it again.")
    return plain


def _too_large() -> BodyError:
    most = f"{MOST_BYTES // 10**6} MB or {MOST_LINES} lines"
    return BodyError(413, "request too large", f"The body is larger than {most}: send fewer lines at once.")
