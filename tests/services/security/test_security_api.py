"""Security over real HTTP: a server that would listen on a network, and the login page."""

from __future__ import annotations

import logging
from pathlib import Path

import httpx
import pytest
from running_server import running
from shopfloor.services.security import Tokens


def test_a_server_on_the_network_asks_everybody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    anna = Tokens(tmp_path).create("anna")
    with running(tmp_path, host="0.0.0.0") as server:
        for path in ("/api/v1/health", "/openapi.json", "/docs"):
            answer = server.client.get(path)
            assert answer.status_code == 401, path
            assert answer.headers["www-authenticate"] == "Bearer"
        page = server.client.get("/", headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["location"]) == (303, "/login")
        assert "Shopfloor" in server.client.get("/login").text
        assert server.client.get("/login.js").status_code == server.client.get("/login.css").status_code == 200
        token = {"Authorization": f"Bearer {anna}"}
        assert server.client.get("/api/v1/health", headers=token).status_code == 200
        Tokens(tmp_path).revoke("anna")
        assert server.client.get("/api/v1/health", headers=token).status_code == 401
        gateway = server.token
    assert anna not in caplog.text
    assert gateway not in caplog.text


def test_log_in_and_log_out(tmp_path: Path) -> None:
    anna = Tokens(tmp_path).create("anna")
    with running(tmp_path, host="0.0.0.0") as server, httpx.Client(base_url=server.url, trust_env=False) as browser:
        assert browser.post("/api/v1/login", json={"token": "wrong"}).status_code == 401
        assert browser.post("/api/v1/login", data={"token": anna}).status_code == 415
        foreign = {"Origin": "https://evil.example"}
        assert browser.post("/api/v1/login", json={"token": anna}, headers=foreign).status_code == 403
        answer = browser.post("/api/v1/login", json={"token": anna})
        assert answer.json() == {"name": "anna"}
        cookie = answer.headers.get_list("set-cookie")[0].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert anna not in cookie
        assert browser.get("/api/v1/health").status_code == 200
        assert "csrf" in browser.post("/api/v1/logout", json={}).text.lower()
        shown = {"X-CSRF-Token": browser.cookies["shopfloor_csrf"]}
        assert browser.post("/api/v1/logout", json={}, headers=shown).status_code == 204
        assert browser.get("/api/v1/health").status_code == 401


def test_an_acknowledgement_carries_the_name_of_the_token(tmp_path: Path) -> None:
    import time

    from running_server import POWER, until
    from shopfloor.plant import Sample

    anna = {"Authorization": f"Bearer {Tokens(tmp_path).create('anna')}"}
    with running(tmp_path, host="0.0.0.0") as server:
        server.feed(Sample(POWER, time.time_ns(), 16.0))
        (alarm,) = until(lambda: server.client.get("/api/v1/alarms", headers=anna).json())
        url = f"/api/v1/alarms/{alarm['id']}/acknowledge"
        seen = server.client.post(url, json={"by": "Shift 2"}, headers=anna).json()
        assert seen["acknowledged"]["by"] == "Shift 2 (anna)"


def test_a_rebound_name_is_refused_on_loopback(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        assert server.client.get("/api/v1/health", headers={"Host": "evil.example"}).status_code == 403
        assert server.client.get("/api/v1/health", headers={"X-Forwarded-For": "10.0.0.7"}).status_code == 401
        assert server.post_batch(b"", 1, token="wrong").status_code == 403
        assert server.client.post("/api/v1/ingest", content=b"").status_code == 401
