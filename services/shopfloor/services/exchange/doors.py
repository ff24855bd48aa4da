"""Where imported batches go: into a store that stands still, or through the ingest door of a running server.

Both know a batch by the name of its import and its sequence: what was stored before is stored once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Protocol

import httpx
from shopfloor.gateway.server import ARROW
from shopfloor.plant import Batch, ShopfloorError, SinkUnavailable
from shopfloor.services.historian import Historian

_PATIENCE_S: Final = 120.0


class Door(Protocol):
    """Takes a batch; True when it was stored before. `accepted` counts all values up to this batch."""

    def store(self, sequence: int, accepted: int, batch: Batch) -> bool:
        """When it returns, the batch is durable."""
        ...


class StoreDoor:
    """An open store of this process."""

    def __init__(self, historian: Historian, name: str, source: str) -> None:
        self._historian, self._name, self._source = historian, name, source

    def store(self, sequence: int, accepted: int, batch: Batch) -> bool:
        """Store it."""
        stored = self._historian.ingest(self._name, sequence, self._source, accepted, batch)
        return stored.duplicate


class ServerDoor:
    """A running server. What it cannot take now is sent again for two minutes."""

    def __init__(
        self, client: httpx.Client, token: str, name: str, source: str, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self._client, self._wait = client, wait
        self._headers = {
            "Authorization": f"Bearer {token}", "X-Gateway": name, "X-Source": _plain(source), "Content-Type": ARROW,
        }  # fmt: skip

    def store(self, sequence: int, accepted: int, batch: Batch) -> bool:
        """Send it until the server has it, or says that it never will."""
        headers = {**self._headers, "X-Sequence": str(sequence), "X-Accepted": str(accepted)}
        body, deadline, pause = batch.to_bytes(), time.monotonic() + _PATIENCE_S, 0.2
        while True:
            try:
                return self._send(headers, body)
            except SinkUnavailable:
                if time.monotonic() > deadline:
                    raise
            self._wait(pause)
            pause = min(2 * pause, 5.0)

    def _send(self, headers: dict[str, str], body: bytes) -> bool:
        try:
            reply = self._client.post("/api/v1/ingest", content=body, headers=headers)
        except httpx.HTTPError as problem:
            raise SinkUnavailable(
                f"{self._client.base_url} does not answer ({problem}): start the server."
            ) from problem
        if reply.status_code == 503:
            raise SinkUnavailable(_said(reply))
        if reply.is_error:
            raise ShopfloorError(_said(reply))
        return bool(reply.json()["duplicate"])


def _plain(source: str) -> str:
    """A header carries ASCII alone."""
    return source.encode("ascii", "backslashreplace").decode()


def _said(reply: httpx.Response) -> str:
    try:
        return str(reply.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{reply.url} answers {reply.status_code}: it is no Shopfloor server; name another with --url."
