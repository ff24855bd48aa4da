"""Two persons for a promotion (`server.two_persons`), whole, over real HTTP: who may, who may not, and by which way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from busy_plant import busy, signed_in, step
from running_server import Running
from shopfloor.services.security.rights import Role
from shopfloor.services.security.scope import Scope
from small_registry import bundle


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with busy(tmp_path) as server:
        yield server


def detail(answer: httpx.Response) -> str:
    assert answer.status_code == 422, answer.text
    return str(answer.json()["detail"])


def test_another_person_promotes_than_brought_it(server: Running, tmp_path: Path) -> None:
    server.parts.registry.submit(bundle(tmp_path, 4), "Otto Maier (otto)")
    with signed_in(server, "otto") as otto, signed_in(server, "emil") as emil:
        for action, more in (("promote", {"override": True}), ("rollout", {"override": True})):
            refused = otto.post(f"/registry/life/{action}", json=step(4, **more))
            assert detail(refused) == "otto brought version 4 of life: another person promotes it."
            named = otto.post(f"/registry/life/{action}", json=step(4, **more) | {"by": "Emil (emil)"})
            assert "otto brought version 4" in detail(named)
        assert emil.post("/registry/life/rollout", json=step(4, override=True)).is_success
        spread = otto.post("/registry/life/wave", json=step())
        assert detail(spread) == "otto brought version 4 of life: another person promotes it."
        assert emil.post("/registry/life/wave", json=step()).is_success
        assert otto.post("/registry/life/rollback", json=step()).is_success  # to stop it one person is enough
        assert emil.post("/registry/life/promote", json=step(4, override=True)).json()["by"] == "emil"


def test_whoever_proposed_it_does_not_approve_it(server: Running, tmp_path: Path) -> None:
    registry = server.parts.registry
    registry.submit(bundle(tmp_path, 4), "system: brain")
    registry.shadow("life", 4, "*", "Otto Maier (otto)", "It is better.", propose=True)
    with signed_in(server, "otto") as otto, signed_in(server, "emil") as emil:
        assert "otto proposed version 4 of life" in detail(otto.post("/registry/life/approve", json=step()))
        assert "otto proposed version 4 of life" in detail(
            otto.post("/registry/life/promote", json=step(4, override=True))
        )
        assert "otto" not in emil.post("/registry/life/approve", json=step()).json()["detail"]  # the gate alone says no
        assert emil.post("/registry/life/promote", json=step(4, override=True)).is_success


def test_a_token_and_nobody_are_no_person(server: Running) -> None:
    tokens = server.parts.tokens
    shown = {name: tokens.create(name, Scope.FULL, role) for name, role in (("mes", Role.ENGINEER), ("boss", None))}
    for token in shown.values():
        answer = server.client.post("/api/v1/registry/life/promote", json=step(2, override=True),
                                    headers={"Authorization": f"Bearer {token}"})  # fmt: skip
        assert "Two persons are needed" in detail(answer)
    with httpx.Client(base_url=f"{server.url}/api/v1", trust_env=False) as browser:
        assert browser.post("/login", json={"token": shown["boss"]}).is_success
        browser.headers["X-CSRF-Token"] = browser.cookies["shopfloor_csrf"]
        assert "Two persons are needed" in detail(browser.post("/registry/life/promote", json=step(2, override=True)))
    assert server.client.post("/api/v1/registry/life/promote", json=step(2)).status_code == 401
    with signed_in(server, "emil") as emil:
        server.parts.doors.sessions.end_all("emil")
        assert emil.post("/registry/life/promote", json=step(2, override=True)).status_code == 401
    assert server.parts.registry.state.place("life", "*").champion == 1
