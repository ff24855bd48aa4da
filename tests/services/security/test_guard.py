"""The guard's table: who asks, from where, and each refusal."""

from __future__ import annotations

from pathlib import Path

import pytest
from shopfloor.plant import ConfigError
from shopfloor.services.security import Caller, Guard, Refusal, Request, Sessions, Tokens, check_bind

JSON = {"content-type": "application/json"}
LOCAL = {"host": "localhost:8000"}
ANNA, SESSION, GATEWAY = "<anna>", "<session>", "<gateway>"


def ask(
    folder: Path, *, loopback: bool, method: str = "GET", path: str = "/api/v1/health", client: str = "127.0.0.1",
    headers: dict[str, str] | None = None,
) -> Caller | Refusal:  # fmt: skip
    """Judge a request; <names> in its headers stand for real secrets."""
    tokens, sessions = Tokens(folder), Sessions()
    secrets = {ANNA: tokens.create("anna"), SESSION: sessions.begin("anna"), GATEWAY: "the-gateway-token"}
    filled = {name: fill(value, secrets) for name, value in (headers or {}).items()}
    guard = Guard(tokens, sessions, secrets[GATEWAY], open_on_loopback=loopback)
    return guard.judge(Request(method, path, client, filled))


def fill(text: str, secrets: dict[str, str]) -> str:
    for mark, secret in secrets.items():
        text = text.replace(mark, secret)
    return text


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        ({"headers": LOCAL}, "local"),
        ({"headers": {"host": "127.0.0.1:8000"}}, "local"),
        ({"headers": {"host": "[::1]:8000"}, "client": "::1"}, "local"),
        ({"headers": LOCAL, "client": "::ffff:127.0.0.1"}, "local"),
        ({"method": "POST", "headers": LOCAL | JSON}, "local"),
        ({"method": "POST", "headers": LOCAL | JSON | {"origin": "http://localhost:8000"}}, "local"),
        ({"method": "POST", "headers": LOCAL | JSON | {"origin": "http://127.0.0.1:5173"}}, "local"),
        ({"method": "WEBSOCKET", "headers": LOCAL | {"origin": "http://localhost:8000"}}, "local"),
        ({"method": "WEBSOCKET", "headers": LOCAL}, "local"),
        ({"headers": {"host": "plant.example", "authorization": f"Bearer {ANNA}"}, "client": "10.0.0.7"}, "anna"),
        ({"headers": {"host": "plant.example", "cookie": f"shopfloor_session={SESSION}"}, "client": "10.0.0.7"},
         "anna"),
        ({"method": "POST", "path": "/api/v1/ingest", "headers": {"authorization": f"Bearer {GATEWAY}"},
          "client": "10.0.0.7"}, "gateway"),
        ({"method": "POST", "path": "/api/v1/gateways/edge-1/health",
          "headers": {"authorization": f"bearer {GATEWAY}"}}, "gateway"),
        ({"path": "/login", "client": "10.0.0.7", "headers": {"host": "plant.example"}}, "anybody"),
    ],
)  # fmt: skip
def test_who_is_let_in_on_loopback(tmp_path: Path, request_: dict[str, object], name: str) -> None:
    assert ask(tmp_path, loopback=True, **request_) == Caller(name)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("request_", "status", "words"),
    [
        ({"headers": {"host": "evil.example"}}, 403, "to the name localhost only"),
        ({"headers": {}}, 403, "to the name localhost only"),
        ({"headers": {"host": "localhost.evil.example"}}, 403, "to the name localhost only"),
        ({"headers": LOCAL, "client": "10.0.0.7"}, 401, "asks for a token"),
        ({"headers": LOCAL, "client": ""}, 401, "asks for a token"),
        ({"headers": LOCAL | {"x-forwarded-for": "10.0.0.7"}}, 401, "forwarded request"),
        ({"headers": LOCAL | {"forwarded": "for=10.0.0.7"}}, 401, "forwarded request"),
        ({"headers": LOCAL | {"authorization": "Bearer wrong"}}, 401, "unknown or was revoked"),
        ({"method": "POST", "headers": LOCAL | JSON | {"origin": "https://evil.example"}}, 403, "may not ask"),
        ({"method": "POST", "headers": LOCAL | JSON | {"origin": "null"}}, 403, "may not ask"),
        ({"method": "POST", "headers": {"host": "evil.example", "origin": "http://evil.example"} | JSON}, 403,
         "localhost only"),
        ({"method": "POST", "headers": LOCAL}, 415, "is JSON"),
        ({"method": "POST", "headers": LOCAL | {"content-type": "text/plain"}}, 415, "is JSON"),
        ({"method": "WEBSOCKET", "headers": LOCAL | {"origin": "https://evil.example"}}, 403, "may not ask"),
        ({"path": "/api/v1/ingest", "headers": LOCAL}, 401, "Gateways alone"),
        ({"path": "/api/v1/ingest/rejected", "headers": LOCAL | {"authorization": f"Bearer {ANNA}"}}, 403,
         "not the one of this server"),
        ({"path": "/api/v1/gateways/edge-1/health", "headers": {"authorization": "Basic x"}}, 401, "Gateways alone"),
        ({"headers": {"host": "plant.example", "authorization": f"Bearer {GATEWAY}"}}, 401, "unknown"),
        ({"headers": {"host": "plant.example", "cookie": "shopfloor_session=wrong"}}, 403, "localhost only"),
        ({"headers": {"host": "plant.example", "cookie": "=;;\x00"}}, 403, "localhost only"),
    ],
)  # fmt: skip
def test_each_refusal_on_loopback(tmp_path: Path, request_: dict[str, object], status: int, words: str) -> None:
    verdict = ask(tmp_path, loopback=True, **request_)  # type: ignore[arg-type]
    assert isinstance(verdict, Refusal)
    assert verdict.status == status
    assert words in verdict.sentence


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/api/v1/health", "/api/v1/live", "/web/docs.js"])
@pytest.mark.parametrize("client", ["127.0.0.1", "10.0.0.7"])
def test_on_a_network_everything_asks_for_a_token(tmp_path: Path, path: str, client: str) -> None:
    verdict = ask(tmp_path, loopback=False, path=path, client=client, headers=LOCAL)
    assert isinstance(verdict, Refusal)
    assert verdict.status == 401


def test_on_a_network_a_foreign_loopback_page_is_foreign(tmp_path: Path) -> None:
    headers = {"host": "plant.example", "origin": "http://localhost:3000", "authorization": f"Bearer {ANNA}"}
    verdict = ask(tmp_path, loopback=False, method="POST", headers=headers | JSON)
    assert isinstance(verdict, Refusal)
    headers["origin"] = "http://plant.example"
    assert ask(tmp_path / "other", loopback=False, method="POST", headers=headers | JSON) == Caller("anna")


def test_a_session_ends_with_time_log_out_and_its_token(tmp_path: Path) -> None:
    now = [0.0]
    tokens, sessions = Tokens(tmp_path), Sessions(lambda: now[0])
    tokens.create("anna")
    guard = Guard(tokens, sessions, "g", open_on_loopback=False)

    def caller(session: str) -> Caller | Refusal:
        return guard.judge(Request("GET", "/", "10.0.0.7", {"cookie": f"shopfloor_session={session}"}))

    one, two, three = (sessions.begin("anna") for _ in range(3))
    assert caller(one) == Caller("anna")
    sessions.end(one)
    assert isinstance(caller(one), Refusal)
    now[0] = 13 * 3600
    assert isinstance(caller(two), Refusal)
    three = sessions.begin("anna")
    assert caller(three) == Caller("anna")
    Tokens(tmp_path).revoke("anna")
    assert isinstance(caller(three), Refusal)


def test_a_network_address_is_refused_until_there_is_a_token() -> None:
    check_bind("127.0.0.1", has_token=False)
    check_bind("0.0.0.0", has_token=True)
    for host in ("0.0.0.0", "10.0.0.7", "::", "plant.example"):
        with pytest.raises(ConfigError, match="make a token first with `shopfloor token create NAME`"):
            check_bind(host, has_token=False)
