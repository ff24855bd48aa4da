"""Every route names its right, every right has its roles, and a real server keeps to them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from running_server import FakeBrain, plant
from shopfloor.services.api.errands import _RIGHTS, KINDS
from shopfloor.services.api.needs import Need
from shopfloor.services.app import create_app, open_parts
from shopfloor.services.security.rights import PEOPLE, RIGHTS, SAYS, TOPICS, Right, Role, may
from starlette.routing import Route, WebSocketRoute

PAGES = {
    "/docs",
    "/login",
    "/login.js",
    "/login.css",
    "/web/{name}",
    "/api/{path:path}",
    "/{path:path}",
    "/openapi.json",
}
"""What is no part of the API: pages and their files, which the guard alone judges."""
QUESTIONS = re.compile(
    r"/query|/api/v2/query|/v2/.*|/api/v1/(aggregate|states|sql|history/.*|me/here|gateways/{gateway}/calls/{kind})"
)
"""POSTs that change nothing, or (calls) ask for a right by their kind."""


def walked(app: FastAPI) -> Iterator[tuple[Any, set[str]]]:
    """Every route with its methods."""
    for route in app.routes:
        assert isinstance(route, Route | WebSocketRoute), "it would hide its routes from this test"
        yield route, set(getattr(route, "methods", None) or {"WEBSOCKET"})


def rights(route: Any) -> list[Right]:
    return [part.call.right for part in route.dependant.dependencies if isinstance(part.call, Need)]


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, set[str], list[Right]]]:
    with open_parts(plant(), tmp_path_factory.mktemp("data"), make_brain=lambda *_: FakeBrain()) as parts:
        assert set(TOPICS) == {"values", *parts.live.topics}
        found = [(route, methods) for route, methods in walked(create_app(parts)) if route.path not in PAGES]
        return [(route.path, methods, rights(route)) for route, methods in found]


def test_every_route_names_its_right(routes: list[tuple[str, set[str], list[Right]]]) -> None:
    assert len(routes) > 90
    assert [path for path, _, declared in routes if not declared] == []


def test_no_route_that_changes_something_is_open_to_whoever_sees(
    routes: list[tuple[str, set[str], list[Right]]],
) -> None:
    loose = {
        path
        for path, methods, declared in routes
        if "POST" in methods and declared[-1] is Right.SEE and not QUESTIONS.fullmatch(path)
    }
    assert loose == set()
    assert {path for path, _, declared in routes if declared[-1] is Right.OPEN} == {
        "/api/v1/login", "/api/v1/login/oidc", "/api/v1/logout", "/api/v1/setup", "/api/v1/me", "/ping", "/health",
    }  # fmt: skip
    assert not any(methods & {"PUT", "PATCH", "DELETE"} for path, methods, _ in routes if path[:4] != "/v2/")


def test_every_right_has_words_and_an_admin_and_every_call_a_right() -> None:
    assert set(RIGHTS) == set(SAYS) == set(Right)
    assert set(_RIGHTS) == set(KINDS)
    assert {right for right in Right if not may(Role.ADMIN, right)} == {Right.FORWARD}
    assert all(may(role, Right.SEE) for role in PEOPLE)


LINE = {"acknowledge", "shelve", "downtime", "orders", "work-orders", "report", "label"}


@pytest.mark.parametrize(
    ("role", "more"),
    [
        (Role.VIEWER, set()),
        (Role.OPERATOR, LINE),
        (
            Role.ENGINEER,
            LINE | {"limits", "out-of-service", "setpoint", "browse", "sources", "certificates", "values", "promote"},
        ),
        (Role.DATA_SCIENTIST, {"deploy", "shadow", "replay", "propose", "label"}),
    ],
)
def test_what_each_role_may(role: Role, more: set[str]) -> None:
    assert {right.value for right in Right if may(role, right)} == {"open", "own", "see"} | more
