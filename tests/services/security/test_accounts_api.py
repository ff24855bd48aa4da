"""Accounts over real HTTP and real sockets: sign-in, roles at work, sessions, and the audit of it all."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
import websockets
from running_server import POWER, Running, running, until
from shopfloor.plant import Sample
from shopfloor.services.security.passwords import Cost
from shopfloor.services.security.rights import Role
from shopfloor.services.security.trail import FILE
from websockets.asyncio.client import ClientConnection, connect

PHRASE = "correct horse battery"
PEOPLE = {"anna": Role.ADMIN, "ben": Role.VIEWER, "olga": Role.OPERATOR, "emil": Role.ENGINEER,
          "dora": Role.DATA_SCIENTIST}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("accounts"), host="0.0.0.0") as server:
        server.parts.doors.accounts._cost = Cost(n=16, r=1, p=1)
        for name, role in PEOPLE.items():
            server.parts.doors.accounts.create(name, PHRASE, role)
        yield server


@contextmanager
def signed_in(server: Running, name: str, password: str = PHRASE) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{server.url}/api/v1", trust_env=False, timeout=10) as browser:
        answer = browser.post("/login", json={"name": name, "password": password})
        assert answer.json() == {"name": name}, answer.text
        browser.headers["X-CSRF-Token"] = browser.cookies["shopfloor_csrf"]
        yield browser


def test_who_signed_in_and_what_they_may(server: Running) -> None:
    with signed_in(server, "olga") as olga:
        me = olga.get("/me").json()
        assert (me["name"], me["role"], me["way"]) == ("olga", "operator", "account")
        assert {"see", "acknowledge"} <= set(me["rights"])
        refused = olga.get("/audit")
        assert (refused.status_code, refused.json()["detail"]) == (
            403, "olga (operator) may not read the audit: that takes the role admin. An admin gives roles.",
        )  # fmt: skip
        assert olga.post("/me/sign-out", json={}, headers={"X-CSRF-Token": "wrong"}).status_code == 403
        secure = httpx.post(f"{server.url}/api/v1/login", json={"name": "olga", "password": PHRASE},
                            headers={"X-Forwarded-Proto": "https"}, trust_env=False)  # fmt: skip
        assert all("secure" in cookie.lower() for cookie in secure.headers.get_list("set-cookie"))
        assert secure.headers["strict-transport-security"].startswith("max-age=")


@pytest.mark.parametrize(
    ("path", "body", "allowed"),
    [
        ("/alarms/999/acknowledge", {"by": "x"}, {"anna", "olga", "emil"}),
        ("/registry/train", {}, {"anna", "dora"}),
        ("/registry/none/promote", {"number": 1, "scope": "*", "by": "x", "why": "y"}, {"anna", "emil"}),
        ("/registry/none/shadow", {"number": 1, "scope": "*", "by": "x", "why": "y"}, {"anna", "dora"}),
        ("/gateways/none/setpoints", {"tag": POWER, "value": 1}, {"anna", "emil"}),
        ("/gateways/none/calls/save", {}, {"anna", "emil"}),
        ("/gateways/none/calls/connections", {}, set(PEOPLE)),
        ("/accounts/none/role", {"role": "viewer"}, {"anna"}),
        ("/tokens/none/revoke", {}, {"anna"}),
    ],
)
def test_each_role_at_the_routes(server: Running, path: str, body: dict[str, object], allowed: set[str]) -> None:
    let_in = set()
    for name in PEOPLE:
        with signed_in(server, name) as browser:
            if browser.post(path, json=body).status_code != 403:
                let_in.add(name)
    assert let_in == allowed


def test_an_acknowledgement_is_in_the_audit_with_before_and_after(server: Running) -> None:
    server.feed(Sample(POWER, time.time_ns(), 16.0))
    with signed_in(server, "olga") as olga, signed_in(server, "anna") as anna:
        alarm = until(lambda: next((a for a in olga.get("/alarms").json() if a["tag"] == POWER), None))
        assert olga.post(f"/alarms/{alarm['id']}/acknowledge", json={"by": "Olga", "note": "seen"}).status_code == 200
        (entry,) = anna.get("/audit", params={"who": "olga", "right": "acknowledge", "path": str(alarm["id"])}).json()
        assert (entry["role"], entry["way"], entry["address"], entry["status"]) == (
            "operator", "account", "127.0.0.1", 200,
        )  # fmt: skip
        assert (entry["before"]["state"], entry["before"]["acknowledged"]) == ("active", None)
        assert entry["after"]["acknowledged"]["by"] == "Olga (olga)"
        assert entry["asked"] == {"by": "Olga", "note": "seen"}


def test_accounts_are_managed_and_noted_without_their_secrets(server: Running) -> None:
    with signed_in(server, "anna") as anna:
        new = {"name": "Fritz", "role": "viewer", "password": "a pass phrase of his own"}
        assert anna.post("/accounts", json=new).json()["name"] == "fritz"
        assert anna.post("/accounts", json=new).status_code == 422
        with signed_in(server, "fritz", new["password"]) as fritz:
            change = {"old": "wrong", "password": "another phrase of his"}
            assert fritz.post("/me/password", json=change).status_code == 403
            assert fritz.post("/me/password", json={**change, "old": new["password"]}).json() == {"ended": 0}
            assert [session["here"] for session in fritz.get("/me/sessions").json()] == [True]
            assert anna.post("/accounts/fritz/disable", json={"disabled": True}).json()["disabled"]
            assert fritz.get("/health").status_code == 401
        made = anna.post("/tokens", json={"name": "robot", "role": "operator"}).json()
        robot = {"Authorization": f"Bearer {made['token']}"}
        assert server.client.get("/api/v1/me", headers=robot).json()["role"] == "operator"
        assert anna.post("/tokens/robot/revoke", json={}).json()["name"] == "robot"
        assert server.client.get("/api/v1/me", headers=robot).status_code == 401
        (noted,) = anna.get("/audit", params={"path": "fritz/disable"}).json()
        assert (noted["before"]["disabled"], noted["after"]["disabled"]) == (False, True)
        text = json.dumps(anna.get("/audit", params={"limit": 1000}).json())
        for secret in (new["password"], change["password"], made["token"], PHRASE):
            assert secret not in text
        assert anna.get("/audit/check").json()["whole"]


def test_sessions_are_listed_ended_and_signed_out_everywhere(server: Running) -> None:
    with signed_in(server, "anna") as anna, signed_in(server, "dora") as one, signed_in(server, "dora") as two:
        hers = [s for s in anna.get("/sessions").json() if s["owner"] == "dora"]
        here = next(s for s in one.get("/me/sessions").json() if s["here"])
        assert here["id"] in {s["id"] for s in hers}
        assert anna.post(f"/sessions/{here['id']}/end", json={}).json() == {"ended": 1}
        assert (one.get("/health").status_code, two.get("/health").status_code) == (401, 200)
        assert anna.post("/accounts/dora/sign-out", json={}).json()["ended"] >= 1
        assert two.get("/health").status_code == 401
    with signed_in(server, "dora") as one, signed_in(server, "dora") as two:
        assert two.post("/me/sign-out", json={}).json()["ended"] == 1
        assert (one.get("/health").status_code, two.get("/health").status_code) == (401, 200)


async def test_an_open_socket_closes_when_its_person_may_no_longer_see(server: Running) -> None:
    sessions = server.parts.doors.sessions
    cookie = {"Cookie": f"shopfloor_session={sessions.begin('ben', 'account')}"}
    with pytest.raises(websockets.InvalidStatus):
        await connect(server.ws, proxy=None, additional_headers=cookie)
    async with connect(server.ws, proxy=None, additional_headers=cookie, origin=server.url) as socket:
        await socket.send('{"subscribe": {"tags": [], "topics": ["alarms"]}}')
        await socket.recv()
        await asyncio.to_thread(sessions.end_all, "ben")
        with pytest.raises(websockets.ConnectionClosedError):
            await asyncio.wait_for(heard(socket), 10)
        assert (socket.close_code, "session ended" in str(socket.close_reason)) == (4401, True)


async def heard(socket: ClientConnection) -> None:
    while True:
        await socket.recv()


async def test_a_token_that_only_writes_sees_no_topic(server: Running) -> None:
    from shopfloor.services.security import Scope

    token = server.parts.tokens.create("press", Scope.WRITE)
    with pytest.raises(websockets.InvalidStatus):
        await connect(server.ws, proxy=None, additional_headers={"Authorization": f"Bearer {token}"})


def test_wrong_passwords_wait_and_are_noted(server: Running) -> None:
    wrong = {"name": "nobody-of-here", "password": "guess"}
    answers = [server.client.post("/api/v1/login", json=wrong) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    with signed_in(server, "anna") as anna:
        noted = anna.get("/audit", params={"who": "nobody-of-here", "path": "login"}).json()
        assert sum(entry["status"] == 401 for entry in noted) == 5
        assert noted[0]["asked"] == {"name": "nobody-of-here", "password": "***"}


def test_a_row_that_somebody_changed_shows(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        assert server.get("/me")["way"] == "local"
        server.client.post("/api/v1/registry/train", json={})
        server.client.post("/api/v1/registry/train", json={})
        head = server.get("/audit/check")["head"]
        assert head.startswith("2:")
        with closing(sqlite3.connect(tmp_path / "audit" / FILE)) as db, db:
            db.execute("UPDATE entry SET body = replace(body, 'local', 'nobody') WHERE sequence = 1")
        told = server.get("/audit/check", head=head)
        assert (told["whole"], told["sentence"][:5]) == (False, "Row 1")
