"""The guard's table: who asks, from where, and each refusal."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from shopfloor.services.security import Caller, Guard, Refusal, Request, Role, Tokens
from shopfloor.services.security.doors import open_doors
from shopfloor.services.security.passwords import Cost
from shopfloor.services.security.sessions import Sessions, csrf

JSON = {"content-type": "application/json"}
LOCAL = {"host": "localhost:8000"}
ANNA, SESSION, CSRF, GATEWAY = "<anna>", "<session>", "<csrf>", "<gateway>"
CHEAP = Cost(n=16, r=1, p=1)
OF_SESSION = {"host": "plant.example", "cookie": f"shopfloor_session={SESSION}"}


def ask(
    folder: Path, *, loopback: bool, method: str = "GET", path: str = "/api/v1/health", client: str = "127.0.0.1",
    headers: dict[str, str] | None = None,
) -> Caller | Refusal:  # fmt: skip
    """Judge a request; <names> in its headers stand for real secrets."""
    with open_doors(folder, open_on_loopback=loopback, cost=CHEAP) as doors:
        token, session = doors.tokens.create("anna"), doors.sessions.begin("anna")
        secrets = {ANNA: token, SESSION: session, CSRF: csrf(session), GATEWAY: "the-gateway-token"}
        filled = {name: fill(value, secrets) for name, value in (headers or {}).items()}
        guard = Guard(doors, secrets[GATEWAY], open_on_loopback=loopback)
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
        ({"method": "POST", "headers": OF_SESSION | JSON | {"x-csrf-token": CSRF}, "client": "10.0.0.7"}, "anna"),
        ({"method": "WEBSOCKET", "headers": OF_SESSION | {"origin": "http://plant.example"}, "client": "10.0.0.7"},
         "anna"),
        ({"method": "POST", "path": "/api/v1/ingest", "headers": {"authorization": f"Bearer {GATEWAY}"},
          "client": "10.0.0.7"}, "gateway"),
        ({"method": "POST", "path": "/api/v1/gateways/edge-1/health",
          "headers": {"authorization": f"bearer {GATEWAY}"}}, "gateway"),
        ({"path": "/login", "client": "10.0.0.7", "headers": {"host": "plant.example"}}, "anybody"),
    ],
)  # fmt: skip
def test_who_is_let_in_on_loopback(tmp_path: Path, request_: dict[str, object], name: str) -> None:
    caller = ask(tmp_path, loopback=True, **request_)  # type: ignore[arg-type]
    assert isinstance(caller, Caller), caller
    assert caller.name == name


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
        ({"method": "POST", "headers": OF_SESSION | JSON}, 403, "X-CSRF-Token"),
        ({"method": "POST", "headers": OF_SESSION | JSON | {"x-csrf-token": "wrong"}}, 403, "X-CSRF-Token"),
        ({"method": "WEBSOCKET", "headers": OF_SESSION}, 403, "send its Origin"),
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
    assert isinstance(ask(tmp_path / "other", loopback=False, method="POST", headers=headers | JSON), Caller)


def test_a_session_ends_with_time_want_of_use_sign_out_and_its_token(tmp_path: Path) -> None:
    now = [1e9]
    with open_doors(tmp_path, open_on_loopback=False, cost=CHEAP) as opened:
        doors = replace(opened, sessions=Sessions(opened.sessions._db, lambda: now[0]))
        for name, role in (("anna", Role.ADMIN), ("ben", Role.OPERATOR)):
            doors.accounts.create(name, "correct horse battery", role)
        guard = Guard(doors, "g", open_on_loopback=False)

        def caller(session: str, method: str = "GET") -> Caller | Refusal:
            headers = {"cookie": f"shopfloor_session={session}", "x-csrf-token": csrf(session)} | JSON
            return guard.judge(Request(method, "/", "10.0.0.7", headers))

        def name(session: str, method: str = "GET") -> str:
            found = caller(session, method)
            return found.name if isinstance(found, Caller) else ""

        one, two = (doors.sessions.begin(who, "account") for who in ("anna", "ben"))
        assert (name(one), name(two)) == ("anna", "ben")
        now[0] += 1700
        assert name(one, "POST") == "anna"  # a write is use of the session, a page that asks for values is not
        now[0] += 1700
        assert name(one) == "anna"
        now[0] += 200
        assert (name(one), name(two)) == ("", "ben")  # whoever watches a line is not sent away from it
        doors.accounts.set_role("ben", Role.VIEWER)
        found = caller(two)
        assert isinstance(found, Caller)
        assert found.role is Role.VIEWER
        now[0] += 12 * 3600
        assert name(two) == ""
        three, four = (doors.sessions.begin("ben", "account") for _ in range(2))
        doors.sessions.end(three)
        assert (name(three), name(four)) == ("", "ben")
        doors.accounts.disable("ben")
        assert name(four) == ""
        doors.tokens.create("cara")
        now[0] = time.time() + 1
        five = doors.sessions.begin("cara")
        assert name(five) == "cara"
        Tokens(tmp_path).revoke("cara")
        assert name(five) == ""


def test_with_an_account_this_machine_signs_in_as_well(tmp_path: Path) -> None:
    with open_doors(tmp_path, open_on_loopback=True, cost=CHEAP) as doors:
        guard = Guard(doors, "g", open_on_loopback=True)
        request = Request("GET", "/", "127.0.0.1", LOCAL)
        assert isinstance(guard.judge(request), Caller)
        doors.accounts.create("anna", "correct horse battery", Role.ADMIN)
        assert isinstance(guard.judge(request), Refusal)
