"""The server as the gateway sees it: a few requests over kept-alive HTTP connections, every answer named."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from shopfloor.gateway.spool import Hole, Row
from shopfloor.plant import RejectedError, ShopfloorError, SinkUnavailable

ARROW: Final = "application/vnd.apache.arrow.stream"


_ADVICE: Final = (
    "copy secrets/gateway.token from the server's data folder and name the copy with --token-file;"
    " values wait in the spool."
)


class TokenRefused(ShopfloorError):  # noqa: N818 (a state, as operators name it)
    """The server does not accept this gateway's token."""


class SequenceGap(ShopfloorError):  # noqa: N818
    """The server expects another sequence."""

    def __init__(self, expected: int) -> None:
        super().__init__(f"The server expects batch {expected}.")
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Token:
    """The secret that the server knows this gateway by, read anew for each connection so that it can be replaced."""

    file: Path | None = None

    def headers(self) -> dict[str, str]:
        """The authorization header, or none when no token was given; `TokenRefused` when its file holds none."""
        if self.file is None:
            return {}
        try:
            token = self.file.read_text("ascii").strip()
        except OSError as problem:
            raise TokenRefused(self._unusable(problem.strerror or str(problem))) from problem
        except UnicodeDecodeError as problem:
            raise TokenRefused(self._unusable("it holds no text")) from problem
        if not token.isprintable() or " " in token:
            raise TokenRefused(self._unusable("it holds more than one word"))
        return {"Authorization": f"Bearer {token}"}

    def _unusable(self, why: str) -> str:
        return f"The token file {self.file} cannot be used ({why}): {_ADVICE}"


@dataclass(slots=True)
class Server:
    """Requests to one server."""

    url: str
    token: Token
    http: httpx.AsyncClient

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, token: Token, patience_s: float = 30.0) -> AsyncIterator[Server]:
        """Keep one connection alive while the block runs. Environment proxies are never used."""
        limits = httpx.Limits(max_connections=24, keepalive_expiry=60.0)
        async with httpx.AsyncClient(
            base_url=url, trust_env=False, limits=limits, timeout=httpx.Timeout(patience_s, connect=5.0)
        ) as http:
            yield cls(url, token, http)

    async def ingest(self, gateway: str, row: Row) -> bool:
        """Send a batch; when this returns it is durable there. Answers whether the server had it already."""
        headers = {
            "X-Gateway": gateway,
            "X-Sequence": str(row.sequence),
            "X-Source": row.source,
            "X-Accepted": str(row.accepted),
            "Content-Type": ARROW,
        }
        answer = await self._post("/api/v1/ingest", headers, content=row.data)
        return bool(answer.get("duplicate"))

    async def report_rejected(self, gateway: str, row: Row) -> None:
        """Tell the server that a refused batch was put aside, so that the sequence goes on."""
        body = {
            "gateway": gateway,
            "sequence": row.sequence,
            "source": row.source,
            "values": row.values,
            "accepted": row.accepted,
            "sentence": row.refused,
        }
        await self._post("/api/v1/ingest/rejected", {}, json=body)

    async def report_dropped(self, gateway: str, hole: Hole) -> None:
        """Tell the server of batches that a full spool dropped, so that the sequence goes on."""
        sources = [
            {"source": source, "values": values, "accepted": accepted}
            for source, (values, accepted) in hole.accounts.items()
        ]
        body = {"gateway": gateway, "first": hole.first, "last": hole.sequence, "sources": sources}
        await self._post("/api/v1/ingest/dropped", {}, json=body)

    async def report_health(self, gateway: str, health: Mapping[str, Any]) -> None:
        """Tell the server how the gateway does."""
        await self._post(f"/api/v1/gateways/{gateway}/health", {}, json=health)

    async def take_errands(self, gateway: str, wait_s: float, doing: Sequence[str]) -> dict[str, Any]:
        """What people want of this gateway: `errands` (id, kind, body), and the ids that are `gone`; may wait.

        `doing` are those that it has and has not finished.
        """
        body = {"wait_s": wait_s, "doing": doing}
        return await self._post(f"/api/v1/gateways/{gateway}/errands", {}, json=body)

    async def answer_errand(
        self, gateway: str, number: str, parts: Sequence[Mapping[str, Any]], end: Mapping[str, Any] | None
    ) -> bool:
        """Send parts of an answer, and how it `end`s; False when nobody waits for it any more."""
        body = {"parts": parts, "end": end}
        answer = await self._post(f"/api/v1/gateways/{gateway}/errands/{number}", {}, json=body)
        return bool(answer.get("wanted"))

    async def _post(self, path: str, headers: dict[str, str], **body: Any) -> dict[str, Any]:
        try:
            answer = await self.http.post(path, headers=headers | self.token.headers(), **body)
        except httpx.ConnectError as problem:
            raise SinkUnavailable(f"No server answers at {self.url}: values wait in the spool.") from problem
        except httpx.HTTPError as problem:
            name = type(problem).__name__
            raise SinkUnavailable(f"The link to the server {self.url} broke ({name}): values wait.") from problem
        return self._judge(answer)

    def _judge(self, answer: httpx.Response) -> dict[str, Any]:
        if answer.status_code in {401, 403}:
            raise TokenRefused(
                f"The server {self.url} refuses the token of this gateway (HTTP {answer.status_code}): {_ADVICE}"
            )
        content = _json(answer)
        if answer.status_code == 409 and isinstance(content.get("expected"), int):
            raise SequenceGap(content["expected"])
        if answer.status_code == 422:
            raise RejectedError(_detail(answer, content))
        if answer.status_code == 413:
            raise RejectedError(f"The batch is larger than the server takes: {_detail(answer, content)}")
        if not answer.is_success:
            raise SinkUnavailable(
                f"The server {self.url} cannot take values now (HTTP {answer.status_code}: {_detail(answer, content)});"
                " they wait in the spool."
            )
        return content


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _detail(answer: httpx.Response, content: Mapping[str, Any]) -> str:
    detail = content.get("detail")
    return detail if isinstance(detail, str) else str(detail or answer.reason_phrase)
