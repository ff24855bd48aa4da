"""The door for questions of InfluxDB's clients: InfluxQL at `/query`, and the lists that clients ask for first."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from fastapi import APIRouter, Request
from shopfloor.services.api.influx.writing import ERRORS, BodyError, headers, refusal, told
from shopfloor.services.api.needs import needs
from shopfloor.services.api.wire import answer
from shopfloor.services.clock import Clock
from shopfloor.services.historian import Historian
from shopfloor.services.influx.ql import shape
from shopfloor.services.influx.ql.answer import answer as series_of
from shopfloor.services.influx.ql.index import Index
from shopfloor.services.influx.ql.lexer import QueryError
from shopfloor.services.influx.ql.parser import parse
from shopfloor.services.influx.ql.series import Store
from shopfloor.services.influx.ql.shape import EPOCHS, Result
from shopfloor.services.security.rights import Right
from starlette.responses import Response

_FORM: Final = "application/x-www-form-urlencoded"
_CSV: Final = ("application/csv", "text/csv")
_NO_FLUX: Final = "Flux is not spoken here: ask in InfluxQL at /query?db=NAME&q=SELECT…"


@dataclass(frozen=True, slots=True)
class Questions:
    """What answering needs."""

    historian: Historian
    index: Index
    site: str
    clock: Clock

    def ask(self, asked: Mapping[str, str], accept: str) -> Response:
        """The answer to a request; a query that cannot be parsed raises `BodyError`."""
        store = Store(self.historian.reader, self.index, self._span, self.clock())
        epoch = asked.get("epoch", "")
        if epoch and epoch not in EPOCHS:
            raise BodyError(400, "invalid", f"The epoch {epoch!r:.40} is unknown: write ns, u, ms, s, m or h.")
        try:
            statements = parse(asked.get("q", ""), store.now, _bound(asked.get("params", "")))
        except QueryError as problem:
            raise BodyError(400, "invalid", f"error parsing query: {problem}") from problem
        results: list[Result] = []
        for number, statement in enumerate(statements):
            try:
                results.append(Result(number, series_of(store, statement, asked.get("db", ""))))
            except QueryError as problem:
                results.append(Result(number, [], str(problem)))
        return _respond(results, asked, accept)

    def _span(self) -> tuple[int, int]:
        stats = self.historian.stats()
        oldest, newest = stats["oldest"], stats["newest"]
        return (0, 0) if oldest is None else (oldest, newest + 1)


def router(questions: Questions) -> APIRouter:
    """`/query`, and the lists of `/api/v2`."""
    routes = APIRouter(
        tags=["influx"],
        responses={code: said for code, said in ERRORS.items() if code != 413},
        dependencies=[needs(Right.SEE)],
    )
    threads = ThreadPoolExecutor(4, "influxql")

    async def act(request: Request) -> Response:
        async def ask() -> Response:
            asked, accept = await _asked(request), request.headers.get("accept", "")
            return await asyncio.get_running_loop().run_in_executor(threads, lambda: questions.ask(asked, accept))

        return await told(ask)

    @routes.get("/query", response_model=dict[str, Any])
    async def query(request: Request) -> Response:
        """Answer InfluxQL: SELECT of fields or aggregates and SHOW, in InfluxDB's JSON or CSV."""
        return await act(request)

    @routes.post("/query", response_model=dict[str, Any], responses={413: ERRORS[413]})
    async def post_query(request: Request) -> Response:
        """Answer InfluxQL; the parameters stand in the URL or in a form."""
        return await act(request)

    @routes.post("/api/v2/query", include_in_schema=False)
    def flux() -> Response:
        return refusal(400, "invalid", _NO_FLUX)

    @routes.get("/api/v2/buckets", response_model=dict[str, Any])
    def buckets(name: str = "") -> Response:
        """The buckets; each name is one, because a bucket is there when something is written to it."""
        names = [name] if name else questions.index.databases()
        return answer(
            {"buckets": [_bucket(one) for one in names], "links": {"self": "/api/v2/buckets"}}, 200, headers()
        )

    @routes.get("/api/v2/orgs", response_model=dict[str, Any])
    def organisations(org: str = "") -> Response:
        """The only organisation; it answers to every name."""
        return answer(
            {"orgs": [{"id": _id("org"), "name": org or questions.site}], "links": {"self": "/api/v2/orgs"}},
            200,
            headers(),
        )

    return routes


def _bucket(name: str) -> dict[str, Any]:
    return {"id": _id(name), "orgID": _id("org"), "name": name, "type": "user", "retentionRules": []}


def _id(name: str) -> str:
    """Sixteen hexadecimal digits, as InfluxDB's identifiers are."""
    return name.encode().hex()[:16].ljust(16, "0")


async def _asked(request: Request) -> dict[str, str]:
    """The parameters of the URL and of a form."""
    asked = dict(request.query_params)
    if request.method == "POST":
        body = await request.body()
        if request.headers.get("content-type", "").startswith(_FORM):
            asked |= dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        elif body and "q" not in asked:
            asked["q"] = body.decode("utf-8", "replace")
    if not asked.get("q"):
        raise BodyError(400, "invalid", 'missing required parameter "q": add ?q=SELECT…')
    return asked


def _bound(params: str) -> dict[str, Any]:
    try:
        bound = json.loads(params) if params else {}
    except ValueError as problem:
        raise QueryError(f"the parameter 'params' is no JSON ({problem})") from problem
    if not isinstance(bound, dict):
        raise QueryError("the parameter 'params' is no JSON object: write it as {\"name\": value}")
    return bound


def _respond(results: list[Result], asked: Mapping[str, str], accept: str) -> Response:
    if any(kind in accept for kind in _CSV):
        text = shape.table([shape.timed(result, asked.get("epoch") or "ns") for result in results])
        return Response(text, 200, headers(), "text/csv")
    results = [shape.timed(result, asked.get("epoch", "")) for result in results]
    if asked.get("chunked") == "true":
        size = asked.get("chunk_size", "")
        portion = int(size) if size.isdecimal() and int(size) > 0 else shape.CHUNK
        lines = [_json({"results": [piece]}, asked) for result in results for piece in shape.chunks(result, portion)]
        return Response(b"".join(lines), 200, headers(), "application/json")
    return Response(
        _json({"results": [shape.body(result) for result in results]}, asked), 200, headers(), "application/json"
    )


def _json(value: Any, asked: Mapping[str, str]) -> bytes:
    body = msgspec.json.encode(value)
    return (msgspec.json.format(body, indent=4) if asked.get("pretty") == "true" else body) + b"\n"
