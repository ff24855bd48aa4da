"""The same strict headers on every answer: each route, each refusal, pages and their files, streams and downloads."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from running_server import POWER, Running, running
from shopfloor.services.app import create_app
from test_rights import walked

WANTED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
MORE = [
    ("GET", "/", {}),
    ("GET", "/alarms", {}),
    ("GET", "/favicon.svg", {}),
    ("GET", "/no-such-file.js", {}),
    ("GET", "/web/no-such-file", {}),
    ("GET", "/api/v1/no-such-thing", {}),
    ("GET", "/api/v1/login/oidc", {}),
    ("GET", f"/api/v1/events/stream?tags={POWER}", {}),
    ("GET", f"/api/v1/history/export?tags={POWER}&start=0&end=1&format=csv", {}),
    ("GET", "/api/v1/alarms/transitions.csv", {}),
    ("DELETE", "/api/v1/accounts", {}),
    ("POST", "/api/v1/login", {"content": "x" * 3_000_000}),
    ("POST", "/api/v1/login", {"content": "{"}),
    ("POST", "/api/v1/login", {"headers": {"Content-Type": "text/plain"}}),
    ("POST", "/api/v1/login", {"headers": {"Origin": "https://evil.example"}}),
    ("GET", "/api/v1/health", {"headers": {"Authorization": "Bearer of nobody"}}),
]
"""What no route of the table shows: files, errors, a stream, a download."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("headers"), host="0.0.0.0") as server:
        yield server


def strict(answer: httpx.Response) -> None:
    framed = answer.url.path.startswith("/api/v1/reports/") and answer.headers["content-type"].startswith("text/html")
    found = {name: answer.headers.get(name) for name in WANTED}
    wanted = WANTED | ({"x-frame-options": "SAMEORIGIN"} if framed else {})
    assert found == wanted, (answer.request.method, answer.url, answer.status_code)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert ("frame-ancestors 'self'" if framed else "frame-ancestors 'none'") in policy
    assert not framed or "script-src" not in policy  # what is shown in a frame of our own page runs nothing
    assert "unsafe" not in policy
    assert "cache-control" in answer.headers
    assert "server" not in answer.headers or "uvicorn" in answer.headers["server"]


def test_every_route_answers_with_strict_headers(server: Running) -> None:
    seen = set()
    headers = {"Authorization": f"Bearer {server.parts.tokens.create('all')}", "Content-Type": "application/json"}
    for route, methods in walked(create_app(server.parts)):
        path = re.sub(r"{[^}]*}", "none", route.path)
        for method in sorted(methods - {"HEAD", "WEBSOCKET"}):
            body = {"content": "{}"} if method == "POST" else {}
            with server.client.stream(method, path, headers=headers, timeout=60, **body) as answer:
                strict(answer)
                seen.add(answer.status_code)
    assert {200, 403, 404, 422} <= seen


@pytest.mark.parametrize(("method", "path", "more"), MORE)
def test_pages_files_errors_streams_and_downloads_do_too(
    server: Running, method: str, path: str, more: dict[str, dict[str, str]]
) -> None:
    token = {info.name for info in server.parts.tokens.list()}
    if "again" in token:
        server.parts.tokens.revoke("again")
    shown = server.parts.tokens.create("again")
    headers = {"Authorization": f"Bearer {shown}", "Content-Type": "application/json", **more.get("headers", {})}
    with server.client.stream(method, path, headers=headers, content=more.get("content")) as answer:
        strict(answer)
    with server.client.stream(method, path, headers={**headers, "X-Forwarded-Proto": "https"}) as answer:
        assert answer.headers["strict-transport-security"].startswith("max-age=")
