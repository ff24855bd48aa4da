"""Sending lines: `/api/v2/write` through influxdb-client, `/write` where the server is an InfluxDB 1.x."""

from __future__ import annotations

import gzip
import json
import re
from contextlib import ExitStack
from http import HTTPStatus
from http.client import responses
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import httpx
from shopfloor.plant import RejectedError, SinkUnavailable
from shopfloor.services.historian.remote.run import Run
from shopfloor.services.historian.remote.target import Target

if TYPE_CHECKING:
    from influxdb_client.client.write_api import WriteApi

_DROPPED: Final = re.compile(r"dropped=(\d+)")
_REFUSED: Final[set[int]] = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}
_NEXT: Final[dict[int, str]] = {
    HTTPStatus.UNAUTHORIZED: "put a token that may write to {bucket!r} into the target's token_file",
    HTTPStatus.FORBIDDEN: "give the token the right to write to {bucket!r}",
    HTTPStatus.NOT_FOUND: "make {bucket!r} there, or correct org, bucket and url of the target in the plant file",
    HTTPStatus.TOO_MANY_REQUESTS: "it asks for a pause",
    HTTPStatus.SERVICE_UNAVAILABLE: "it asks for a pause",
}


class Away(SinkUnavailable):
    """The target took nothing now. `after` is how many seconds it asked to be left alone, if it did."""

    def __init__(self, sentence: str, after: float | None = None) -> None:
        super().__init__(sentence)
        self.after = after


class Refused(RejectedError):  # noqa: N818
    """The target will never take some of these lines: `dropped` of them, None when it does not say how many."""

    def __init__(self, sentence: str, dropped: int | None = None) -> None:
        super().__init__(sentence)
        self.dropped = dropped


class Sender:
    """One target's door for lines. Not thread-safe; `close` it."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._stack = ExitStack()
        self._http = self._stack.enter_context(
            httpx.Client(base_url=target.url, timeout=target.timeout_s, headers=target.headers())
        )
        self._api: WriteApi | None = None
        self._old = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._stack.close()

    def send(self, lines: bytes) -> None:
        """Have the lines stored. Raises `Away` (send them again) or `Refused` (some of them never)."""
        if not lines:
            return
        if not self._old and self._send_v2(lines):
            return
        self._send_v1(lines)

    def run(self) -> Run | None:
        """The run of the server, as it says itself; None where it does not tell.

        Raises `Away` when it does not answer.
        """
        try:
            answer = self._http.get("/metrics")
        except (httpx.HTTPError, OSError) as problem:
            raise Away(self._silent(problem)) from problem
        return Run.told(answer.text, answer.headers) if answer.status_code == HTTPStatus.OK else None

    def _send_v2(self, lines: bytes) -> bool:
        """Whether the server has `/api/v2/write`."""
        from influxdb_client.client.exceptions import InfluxDBError
        from urllib3.exceptions import HTTPError

        try:
            self._client().write(self._target.bucket, self._target.org, lines)
        except InfluxDBError as problem:
            status, headers = int(getattr(problem, "status", 0) or 0), dict(getattr(problem, "headers", None) or {})
            version = next((v for name, v in headers.items() if name.lower() == "x-influxdb-version"), "")
            if status == HTTPStatus.NOT_FOUND and version.removeprefix("v").startswith("1."):
                self._old = True
                return False
            raise self._problem(status, _text(getattr(problem, "body", "")), headers) from problem
        except (HTTPError, OSError) as problem:
            raise Away(self._silent(problem)) from problem
        return True

    def _send_v1(self, lines: bytes) -> None:
        headers = {"Content-Encoding": "gzip"} if self._target.compress else {}
        body = gzip.compress(lines, 3) if self._target.compress else lines
        query = {"db": self._target.bucket, "precision": "ns"}
        try:
            answer = self._http.post("/write", params=query, content=body, headers=headers)
        except (httpx.HTTPError, OSError) as problem:
            raise Away(self._silent(problem)) from problem
        if not answer.is_success:
            raise self._problem(answer.status_code, answer.text, dict(answer.headers))

    def _client(self) -> WriteApi:
        if self._api is None:
            from influxdb_client import InfluxDBClient
            from influxdb_client.client.write_api import SYNCHRONOUS

            target = self._target
            client = InfluxDBClient(
                target.url, target.token or None, org=target.org, timeout=int(target.timeout_s * 1000),
                retries=False, enable_gzip=target.compress,
            )  # fmt: skip
            client.api_client.default_headers |= target.headers()
            self._stack.enter_context(client)
            self._api = self._stack.enter_context(client.write_api(write_options=SYNCHRONOUS))
        return self._api

    def _silent(self, problem: Exception) -> str:
        return f"{self._target.url} does not answer ({short(problem)}): what is stored here is sent when it does."

    def _problem(self, status: int, body: str, headers: dict[str, Any]) -> Away | Refused:
        said = _message(body) or responses.get(status, "without a word")
        if status in _REFUSED:
            found = _DROPPED.search(said)
            return Refused(f"{self._target.url} refused it ({said}).", int(found.group(1)) if found else None)
        next_ = _NEXT.get(status, "it will be tried again").format(bucket=self._target.bucket)
        after = next((v for name, v in headers.items() if name.lower() == "retry-after"), "")
        sentence = f"{self._target.url} does not take values ({status}, {said}): {next_}."
        return Away(sentence, float(after) if str(after).isdigit() else None)


def _text(body: str | bytes | None) -> str:
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else body or ""


def short(problem: Exception) -> str:
    """What an exception says, in one line."""
    return " ".join((str(problem) or type(problem).__name__).split())[:200]


def _message(body: str) -> str:
    """What a server wrote about its refusal.

    >>> _message('{"error": "database not found"}'), _message("404 page not found")
    ('database not found', '404 page not found')
    """
    try:
        said = json.loads(body)
        text = str(said.get("message") or said.get("error") or body)
    except (ValueError, AttributeError):
        text = body
    return " ".join(text.split())[:300]
