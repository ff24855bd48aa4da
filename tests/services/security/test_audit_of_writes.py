"""The audit of every write: who, when, what, and what was there before and after, over real HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from busy_plant import CNC, GATEWAY, OTHER, PHRASE, answering, busy, signed_in, step
from running_server import Running
from shopfloor.services.app import create_app
from shopfloor.services.security.rights import UNAUDITED, Right
from shopfloor.services.security.trail import Wanted
from test_rights import rights, walked

NEW = "several quiet words"
BACK = "the middle of the stop"
BY = {"by": "Anna"}
FORESEEN = {**BY, "reason": "Not wired yet.", "key": f"limit:{OTHER}/power:high:5"}
BOTH, MADE, GONE, DONE = (True, True), (False, True), (True, False), (False, False)
"""What there is: before and after, after alone, before alone; neither where nothing is kept."""
WRITES: list[tuple[str, str, dict[str, Any] | list[Any], tuple[bool, bool]]] = [
    ("/alarms/{number}/acknowledge", "/alarms/1/acknowledge", BY, BOTH),
    ("/alarms/{number}/reset", "/alarms/1/reset", BY, BOTH),
    ("/alarms/{number}/shelve", "/alarms/1/shelve", {**BY, "reason": "A test.", "minutes": 5}, BOTH),
    ("/alarms/{number}/unshelve", "/alarms/1/unshelve", BY, BOTH),
    ("/alarms/{number}/out-of-service", "/alarms/1/out-of-service", {**BY, "reason": "A test."}, BOTH),
    ("/alarms/{number}/in-service", "/alarms/1/in-service", BY, BOTH),
    ("/alarms/designed/shelve", "/alarms/designed/shelve", {**FORESEEN, "minutes": 5}, BOTH),
    ("/alarms/designed/out-of-service", "/alarms/designed/out-of-service", FORESEEN, BOTH),
    ("/production/downtime/{number}/reason", "/production/downtime/1/reason", {**BY, "reason": "Tool/Broken"}, BOTH),
    ("/production/downtime/{number}/split", "/production/downtime/1/split", {**BY, "time": BACK}, BOTH),
    ("/production/downtime/{number}/merge", "/production/downtime/1/merge", {**BY, "other": 5}, BOTH),
    ("/production/scrap", "/production/scrap", {**BY, "asset": CNC, "reason": "Surface"}, MADE),
    ("/production/scrap/{number}/take-back", "/production/scrap/1/take-back", BY, GONE),
    ("/production/orders", "/production/orders", {**BY, "number": "A-1", "place": CNC, "quantity": 5}, MADE),
    ("/production/orders/{number}/{step}", "/production/orders/A-1/start", BY, BOTH),
    ("/work-orders", "/work-orders", {**BY, "asset": OTHER, "what": "Look."}, MADE),
    ("/work-orders/{number}/{step}", "/work-orders/1/start", {**BY}, BOTH),
    ("/work-orders/{number}/done", "/work-orders/1/done", BY, BOTH),
    ("/gateways/{gateway}/setpoints", f"/gateways/{GATEWAY}/setpoints", {"tag": f"{CNC}/power", "value": 2}, BOTH),
    ("/gateways/{gateway}/calls/{kind}", f"/gateways/{GATEWAY}/calls/save", {"name": "hall", "text": "x"}, BOTH),
    ("/gateways/{gateway}/calls/{kind}", f"/gateways/{GATEWAY}/calls/remove", {"name": "hall"}, BOTH),
    ("/gateways/{gateway}/calls/{kind}", f"/gateways/{GATEWAY}/calls/approve", {"thumbprint": "AB"}, BOTH),
    ("/gateways/{gateway}/calls/{kind}", f"/gateways/{GATEWAY}/calls/reject", {"thumbprint": "AB"}, BOTH),
    ("/registry/train", "/registry/train", {}, DONE),
    ("/registry/{name}/labels", "/registry/life/labels", [{"asset": CNC, "low": 9, "high": 9, "part": "p"}], MADE),
    ("/registry/{name}/shadow", "/registry/life/shadow", step(3), BOTH),
    ("/registry/{name}/retire", "/registry/life/retire", step(3), BOTH),
    ("/registry/{name}/promote", "/registry/life/promote", step(2, override=True), BOTH),
    ("/registry/{name}/rollback", "/registry/life/rollback", step(), BOTH),
    ("/registry/{name}/rollout", "/registry/life/rollout", step(3, override=True), BOTH),
    ("/registry/{name}/wave", "/registry/life/wave", step(), BOTH),
    ("/accounts", "/accounts", {"name": "fritz", "role": "viewer", "password": "a phrase of his own"}, MADE),
    ("/accounts/{name}/role", "/accounts/fritz/role", {"role": "operator"}, BOTH),
    ("/accounts/{name}/password", "/accounts/fritz/password", {"password": "another one of his"}, BOTH),
    ("/accounts/{name}/disable", "/accounts/fritz/disable", {"disabled": True}, BOTH),
    ("/accounts/{name}/sign-out", "/accounts/ben/sign-out", {}, GONE),
    ("/sessions/{number}/end", "/sessions/{session}/end", {}, GONE),
    ("/tokens", "/tokens", {"name": "robot", "role": "operator"}, MADE),
    ("/tokens/{name}/revoke", "/tokens/robot/revoke", {}, GONE),
    ("/me/sign-out", "/me/sign-out", {}, GONE),
    ("/me/password", "/me/password", {"old": PHRASE, "password": NEW}, BOTH),
    ("/logout", "/logout", {}, DONE),
    ("/login", "/login", {"name": "anna", "password": NEW}, DONE),
]  # fmt: skip
"""Route, where it is asked, what is asked, and whether there is something before and after; in this order."""
ELSEWHERE = {
    "/setup": "test_accounts_api.py and test_cli.py make the first admin",
    "/login/oidc": "test_oidc.py signs in at a provider",
    "/registry/bundles": "test_uploaded_live.py sends bundles",
    "/registry/{name}/replay": "test_replays_api.py has predictions to replay",
    "/registry/replays/{number}/cancel": "test_replays_api.py",
    "/registry/predictions/{number}/replay": "test_replays_api.py; it changes nothing",
    "/registry/{name}/approve": "test_two_persons.py, as promote",
    "/quality/{chart}/limits": "test_charts_at_work.py has charts",
    "/reports": "test_reports_api.py makes and keeps one",
    "/alarms/{number}/confirm": "the tests of conditions of devices, which alone take it",
    "/alarms/{number}/comment": "the tests of conditions of devices",
    "/marks": "test_marks.py has predictions to mark",
    "/marks/{number}/take-back": "test_marks.py",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with busy(tmp_path_factory.mktemp("audit")) as server:
        yield server


def test_the_table_has_every_route_that_writes(server: Running) -> None:
    calls = "/gateways/{gateway}/calls/{kind}"
    routes = {
        route.path.removeprefix("/api/v1"): rights(route)[-1]
        for route, methods in walked(create_app(server.parts))
        if "POST" in methods and route.path.startswith("/api/v1/")
    }
    written = {path for path, right in routes.items() if right not in UNAUDITED} | {calls}
    assert written == {route for route, *_ in WRITES} | set(ELSEWHERE)


def test_each_write_is_noted_with_before_and_after(server: Running) -> None:
    started = time.time() * 1000
    with signed_in(server, "anna") as anna, signed_in(server, "ben"), answering(server):
        for _, path, body, there in WRITES:
            noted = written(server, anna, path, body)
            assert (noted["before"] not in (None, []), noted["after"] not in (None, [])) == there, (path, noted)
            assert (noted["who"], noted["role"], noted["way"]) == ("anna", "admin", "account"), path
            assert started - 1000 <= noted["time"] / 1e6 <= time.time() * 1000 + 1000
            assert noted["from"] == "127.0.0.1"
            assert noted["before"] != noted["after"] or there == DONE or "password" in path or "reset" in path, path
    everything = str(server.parts.trail.entries(wanted()))
    for secret in (PHRASE, NEW, "a phrase of his own", "another one of his"):
        assert secret not in everything


def written(server: Running, anna: httpx.Client, path: str, body: Any) -> dict[str, Any]:
    """Ask it, and find the one entry that came of it."""
    if "{session}" in path or path == "/me/sign-out":
        with signed_in(server, "anna"):
            pass
    if "{session}" in path:
        path = path.replace("{session}", server.parts.doors.sessions.list()[0].id)
    if isinstance(body, dict) and body.get("time") == BACK:
        (stop,) = [one for one in server.parts.production.store.stops(0, time.time_ns()) if one.id == 1]
        body = {**body, "time": (stop.start + (stop.end or 0)) / 2e6}
    last = server.parts.trail.head()[0]
    answer = anna.post(path, json=body)
    assert answer.is_success, (path, answer.text)
    fresh = [entry for number, entry in server.parts.trail.entries(wanted()) if number > last]
    (noted,) = [entry for entry in fresh if entry["path"] == f"/api/v1{path}"]
    return noted


def wanted() -> Any:
    return Wanted(limit=1000)


def test_what_somebody_may_not_is_noted_too(server: Running) -> None:
    with signed_in(server, "ben") as ben:
        assert ben.post("/alarms/1/acknowledge", json=BY).status_code == 403
    entry = server.parts.trail.entries(wanted())[0][1]
    assert (entry["who"], entry["right"], entry["status"]) == ("ben", Right.ACKNOWLEDGE.value, 403)
