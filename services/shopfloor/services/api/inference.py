"""The Open Inference Protocol, version 2, over HTTP: for clients and gateways that ask models by themselves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict
from shopfloor.gateway.version import installed_version
from shopfloor.plant import ShopfloorError
from shopfloor.services.api.described import refusals
from shopfloor.services.api.needs import needs
from shopfloor.services.api.wire import PLAIN, answer
from shopfloor.services.inference.message import EXTENSION, HEADER, read
from shopfloor.services.inference.models import Models
from shopfloor.services.inference.refusal import InferenceRefused
from shopfloor.services.security.rights import Right
from starlette.exceptions import HTTPException
from starlette.responses import Response

PREFIX: Final = "/v2"
MOST_BYTES: Final = 4_000_000
_AT_ONCE: Final = 2
_MOST_WAITING: Final = 32
_BINARY: Final = "application/octet-stream"
Answered = Callable[[Request], Coroutine[Any, Any, Response]]


class InferenceError(BaseModel):
    """What every error answers."""

    error: str


class ServerMetadata(BaseModel):
    """The server and what it speaks beyond the protocol."""

    name: str
    version: str
    extensions: list[str]


class Alive(BaseModel):
    """Whether the server answers, and whether its models do."""

    live: bool
    ready: bool | None = None


class ModelReady(BaseModel):
    """Whether a model answers."""

    name: str
    ready: bool


class TensorMetadata(BaseModel):
    """A tensor; -1 is any length."""

    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(BaseModel):
    """What a model wants and gives. `parameters` name its features in order, its unit, its coverage, its classes."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]
    parameters: dict[str, Any]


class ResponseTensor(TensorMetadata):
    """An output: its data, or how many bytes of it follow the JSON."""

    model_config = ConfigDict(extra="allow")

    data: list[Any] | None = None


class InferenceAnswer(BaseModel):
    """Tensors by name: value, low and high; of many classes class, scores and likely."""

    model_name: str
    model_version: str
    id: str | None = None
    parameters: dict[str, Any]
    outputs: list[ResponseTensor]


class ProtocolRoute(APIRoute):
    """A route whose errors are those of the protocol: a status and `{"error": one sentence}`."""

    def get_route_handler(self) -> Answered:
        """As FastAPI's, and what it raises is told."""
        handle = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await handle(request)
            except InferenceRefused as problem:
                return refusal(problem.status, str(problem))
            except HTTPException as problem:
                return refusal(problem.status_code, str(problem.detail))
            except ShopfloorError as problem:
                return refusal(503, str(problem))

        return told


def refusal(status: int, sentence: str) -> Response:
    """An error as the protocol has it."""
    return answer({"error": sentence}, status, {"Retry-After": "1"} if status == 503 else None)


_WORDS: Final = {
    400: "The request cannot be answered.", 401: "No token, or an unknown one.", 403: "This caller may not do this.",
    404: "No such model or version.", 503: "It cannot answer now.",
}  # fmt: skip
_INFER_ERRORS: Final = refusals({413: "More than 4 MB.", 415: "A compressed body."}, InferenceError)
_BODY: Final = {
    "required": True,
    "content": {
        kind: {"schema": {"type": form}} for kind, form in (("application/json", "object"), (_BINARY, "string"))
    },
}
Name = Annotated[str, Path(max_length=200)]
Number = Annotated[str, Path(max_length=20, description="The version, as in 3.")]


def router(models: Models) -> APIRouter:
    """`/v2`: the server, its models, and what they say."""
    routes = APIRouter(
        prefix=PREFIX,
        tags=["inference"],
        responses=refusals(_WORDS, InferenceError),
        route_class=ProtocolRoute,
        dependencies=[needs(Right.SEE)],
    )
    _add_server(routes, models)
    _add_models(routes, models)
    _add_infer(routes, models)

    @routes.api_route("/{path:path}", methods=["GET", "HEAD", "POST", "PUT", "DELETE"], include_in_schema=False)
    def nothing(request: Request) -> Response:
        return refusal(404, f"The protocol has no {request.method} {request.url.path:.200}: see docs/inference.md.")

    return routes


def _add_server(routes: APIRouter, models: Models) -> None:
    @routes.get("/", include_in_schema=False)
    @routes.get("", response_model=ServerMetadata)
    def get_server() -> Response:
        """Say what this server is and which extensions of the protocol it speaks."""
        return answer({"name": "shopfloor", "version": installed_version(), "extensions": [EXTENSION]})

    @routes.get("/health/live", response_model=Alive)
    def get_live() -> Response:
        """Say that the server answers."""
        return answer({"live": True})

    @routes.get("/health/ready", response_model=Alive)
    def get_ready() -> Response:
        """Say whether every model that speaks can be asked."""
        ready = models.ready()
        return answer({"live": True, "ready": ready}, 200 if ready else 503)


def _add_models(routes: APIRouter, models: Models) -> None:
    @routes.get("/models/{name}", response_model=ModelMetadata)
    def get_model(name: Name) -> Response:
        """Say what a model wants and gives; without a version the one that speaks, everywhere or for most assets."""
        return answer(models.metadata(name, None))

    @routes.get("/models/{name}/versions/{number}", response_model=ModelMetadata)
    def get_version(name: Name, number: Number) -> Response:
        """Say what a version wants and gives."""
        return answer(models.metadata(name, number))

    def is_ready(name: str, number: str | None) -> Response:
        ready = models.is_ready(name, number)
        return answer({"name": name, "ready": ready}, 200 if ready else 503)

    @routes.get("/models/{name}/ready", response_model=ModelReady)
    def get_model_ready(name: Name) -> Response:
        """Say whether a model answers; one that abstains does not."""
        return is_ready(name, None)

    @routes.get("/models/{name}/versions/{number}/ready", response_model=ModelReady)
    def get_version_ready(name: Name, number: Number) -> Response:
        """Say whether a version answers."""
        return is_ready(name, number)


def _add_infer(routes: APIRouter, models: Models) -> None:
    """Asked in threads of its own: JSON and trees keep the event loop from nobody, and not many bodies wait."""
    threads, waiting = ThreadPoolExecutor(_AT_ONCE, "inference"), threading.BoundedSemaphore(_MOST_WAITING)
    form: dict[str, Any] = {
        "response_model": InferenceAnswer, "responses": _INFER_ERRORS, "openapi_extra": {"requestBody": _BODY},
    }  # fmt: skip

    async def infer(request: Request, name: str, number: str | None) -> Response:
        if not waiting.acquire(blocking=False):
            raise InferenceRefused(f"{_MOST_WAITING} requests wait already: ask again soon.", 503)
        try:
            body, header = await _body(request), request.headers.get(HEADER)
            work = lambda: models.infer(name, number, read(body, header))  # noqa: E731 (one line for a thread)
            said, headers = await asyncio.get_running_loop().run_in_executor(threads, work)
        finally:
            waiting.release()
        return Response(said, 200, {**headers, **PLAIN}, _BINARY if headers else "application/json")

    @routes.post("/models/{name}/infer", **form)
    async def infer_model(request: Request, name: Name) -> Response:
        """Ask a model about rows of features; without a version the one that speaks, everywhere or for most assets."""
        return await infer(request, name, None)

    @routes.post("/models/{name}/versions/{number}/infer", **form)
    async def infer_version(request: Request, name: Name, number: Number) -> Response:
        """Ask a version about rows of features: as JSON, or with the binary tensor data extension."""
        return await infer(request, name, number)


async def _body(request: Request) -> bytes:
    """The whole body; a compressed or too large one is refused as soon as it is known to be."""
    if request.headers.get("content-encoding", "identity") != "identity":
        raise InferenceRefused("The body is compressed: send it as it is.", 415)
    too_large = InferenceRefused(f"The body is larger than {MOST_BYTES // 1_000_000} MB: send fewer rows at once.", 413)
    said = request.headers.get("content-length", "0")
    if said.isdecimal() and int(said) > MOST_BYTES:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise too_large
    return bytes(body)
