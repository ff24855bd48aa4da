"""Errands: a person asks, a gateway fetches, the answer streams back; nobody waits for ever."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from running_server import Running, running
from shopfloor.gateway.errands import Errands, Handler
from shopfloor.gateway.server import Server, Token
from shopfloor.gateway.spool import Spool
from shopfloor.plant import ShopfloorError


async def count(body: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
    for number in range(int(body["to"])):
        yield {"number": number}
        await asyncio.sleep(body.get("pause", 0))


async def refuse(body: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
    yield {"by": body["by"]}
    raise ShopfloorError("That cannot be done: ask for something else.")


async def fail(_body: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
    yield {}
    raise RuntimeError("secret")


@asynccontextmanager
async def gateway(server: Running, folder: Path, **handlers: Handler) -> AsyncIterator[str]:
    """A gateway that does nothing but errands."""
    with Spool.open(folder, "edge-1") as spool:
        server.post_health(spool.id)
        async with Server.open(server.url, Token(server.folder / "secrets" / "gateway.token")) as link:
            task = asyncio.create_task(Errands(spool, link, handlers).run())
            try:
                yield spool.id
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


async def ask(server: Running, kind: str, body: dict[str, Any], name: str = "edge-1") -> list[dict[str, Any]]:
    async with httpx.AsyncClient(base_url=server.url, timeout=30, trust_env=False) as client:
        answer = await client.post(f"/api/v1/gateways/{name}/calls/{kind}", json=body)
        return [json.loads(line) for line in answer.text.splitlines()]


async def test_a_request_that_a_restarted_gateway_left_behind_takes_nothing(tmp_path: Path) -> None:
    with running(tmp_path / "server") as server:
        server.post_health("edge-1-00c0ffee")
        desks = server.parts.errands
        left, fetched = (asyncio.ensure_future(desks.take("edge-1-00c0ffee", 20)) for _ in range(2))
        await asyncio.sleep(0)
        parts = desks.ask("edge-1", "count", {})
        question = asyncio.ensure_future(anext(parts))
        assert (await left)["errands"] == []
        ((errand,), _) = (await fetched).values()
        await desks.answer("edge-1-00c0ffee", errand["id"], [{"number": 1}], {"done": True})
        assert await question == {"number": 1}
        await parts.aclose()


async def test_parts_come_in_order_and_end(tmp_path: Path) -> None:
    with running(tmp_path / "server") as server:
        async with gateway(server, tmp_path / "spool", browse=count, save=refuse, check=fail) as number:
            parts = await ask(server, "browse", {"to": 300})
            assert parts == [*({"number": n} for n in range(300)), {"done": True}]
            assert await ask(server, "browse", {"to": 1}, number) == [{"number": 0}, {"done": True}]
            assert await ask(server, "save", {"by": "somebody else"}) == [
                {"by": "local"}, {"error": "That cannot be done: ask for something else."},
            ]  # fmt: skip
            (_, end) = await ask(server, "check", {})
            assert end == {"error": "The gateway failed at 'check': its log says why."}
            (end,) = await ask(server, "remove", {})
            assert end["error"].startswith("This gateway knows no 'remove'")


async def test_many_ask_at_once(tmp_path: Path) -> None:
    with running(tmp_path / "server") as server:
        async with gateway(server, tmp_path / "spool", browse=count):
            answers = await asyncio.gather(*(ask(server, "browse", {"to": n}) for n in range(12)))
            assert [len(parts) - 1 for parts in answers] == list(range(12))


async def test_an_asker_who_leaves_ends_the_work(tmp_path: Path) -> None:
    counted: list[int] = []

    async def endless(_body: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        try:
            while True:
                yield {"second": len(counted)}
                counted.append(1)
                await asyncio.sleep(0.05)
        finally:
            counted.append(-1)

    with running(tmp_path / "server") as server:
        async with gateway(server, tmp_path / "spool", values=endless):
            url = f"{server.url}/api/v1/gateways/edge-1/calls/values"
            async with httpx.AsyncClient(trust_env=False) as client, client.stream("POST", url, json={}) as answer:
                lines = answer.aiter_lines()
                assert [json.loads(await anext(lines)) for _ in range(3)] == [{"second": n} for n in range(3)]
            async with asyncio.timeout(10):
                while -1 not in counted:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)


async def test_a_gateway_that_does_not_fetch_is_said_so(tmp_path: Path) -> None:
    with running(tmp_path / "server") as server:
        server.post_health()
        server.parts.errands._patience_s = 0.3
        assert await ask(server, "browse", {}) == [
            {"error": "The gateway edge-1-00c0ffee fetches no requests: look whether it runs and reaches this server."}
        ]
        assert not server.parts.errands._desks["edge-1-00c0ffee"].waiting


def test_refusals(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        unknown = server.client.post("/api/v1/gateways/edge-9/calls/browse", json={})
        assert (unknown.status_code, unknown.json()["detail"]) == (
            404, "There is no gateway 'edge-9': known are none has reported yet.",
        )  # fmt: skip
        server.post_health()
        nothing = server.client.post("/api/v1/gateways/edge-1/calls/format", json={})
        assert nothing.status_code == 404
        assert "There is no call 'format'" in nothing.json()["detail"]
        assert server.client.post("/api/v1/gateways/edge-1/errands", json={}).status_code == 401
        stolen = {"Authorization": "Bearer wrong"}
        assert server.client.post("/api/v1/gateways/edge-1/errands/1", json={}, headers=stolen).status_code == 403
        page = {"Origin": "http://evil.example"}
        assert server.client.post("/api/v1/gateways/edge-1/calls/browse", json={}, headers=page).status_code == 403


def test_a_gateway_waits_for_work(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        token = {"Authorization": f"Bearer {server.token}"}
        begun = time.monotonic()
        answer = server.client.post("/api/v1/gateways/edge-1/errands", json={"wait_s": 0.4}, headers=token)
        assert answer.json() == {"errands": [], "gone": []}
        assert time.monotonic() - begun >= 0.4
        late = server.client.post("/api/v1/gateways/edge-1/errands/abc", json={"parts": [{}]}, headers=token)
        assert late.json() == {"wanted": False}


@pytest.mark.parametrize("body", [b"[]", b"{", b"7"])
def test_a_body_that_is_no_object_is_refused(tmp_path: Path, body: bytes) -> None:
    with running(tmp_path) as server:
        server.post_health()
        answer = server.client.post(
            "/api/v1/gateways/edge-1/calls/browse", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 422
        assert answer.json()["detail"].endswith(".")


async def test_a_setpoint_is_asked_of_the_gateway_and_becomes_an_event(tmp_path: Path) -> None:
    asked: list[dict[str, Any]] = []

    async def write(body: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        asked.append(body)
        status = 0x803C0000 if body["value"] > 100 else 0
        sentence = f"{body['tag']} takes 0 to 100." if status else f"{body['tag']} holds {body['value']}."
        yield {"tag": body["tag"], "asked": body["value"], "status": status, "status_name": "Name", "before": 1.0,
               "after": None, "sentence": sentence}  # fmt: skip

    tag = "delta/frames/machining/cell-a/cnc-01/setpoint.speed"
    with running(tmp_path / "server") as server:
        async with gateway(server, tmp_path / "spool", write=write):
            async with httpx.AsyncClient(base_url=server.url, timeout=30, trust_env=False) as client:
                url = "/api/v1/gateways/edge-1/setpoints"
                good = await client.post(url, json={"tag": tag, "value": 90, "reason": "quieter"})
                bad = await client.post(url, json={"tag": tag, "value": 900})
                assert (await client.post(url, json={"tag": tag, "value": 1, "by": "boss"})).status_code == 422
                assert (await client.post("/api/v1/gateways/edge-1/calls/write", json={})).status_code == 404
            assert good.json()["sentence"] == f"{tag} holds 90."
            assert (bad.status_code, bad.json()["status"]) == (200, 0x803C0000)
            assert [(one["value"], one["by"], one["reason"]) for one in asked] == [
                (90, "local", "quieter"), (900, "local", ""),
            ]  # fmt: skip
            events = await asyncio.to_thread(server.get, "/events", asset=tag.rpartition("/")[0])
            assert [event["kind"] for event in events] == ["setpoint-refused", "setpoint-written"]
            assert events[1]["detail"]["by"] == "local"


async def test_a_setpoint_without_an_answer_does_not_invite_to_repeat_it(tmp_path: Path) -> None:
    tag = "delta/frames/machining/cell-a/cnc-01/setpoint.speed"
    with running(tmp_path / "server") as server:
        server.post_health()
        server.parts.errands._patience_s = 0.2
        answer = await asyncio.to_thread(
            server.client.post, "/api/v1/gateways/edge-1/setpoints", json={"tag": tag, "value": 1}
        )
        assert (answer.status_code, "retry-after" in answer.headers) == (504, False)
        assert "fetches no requests" in answer.json()["detail"]


DYING = """
import asyncio, sys
from pathlib import Path
from shopfloor.gateway.errands import Errands
from shopfloor.gateway.server import Server, Token
from shopfloor.gateway.spool import Spool

async def hang(body):
    print("begun", body.get("kind"), flush=True)
    await asyncio.sleep(600)
    yield {}

async def main(url, token, folder):
    with Spool.open(Path(folder), "edge-1") as spool:
        async with Server.open(url, Token(Path(token))) as link:
            print(spool.id, flush=True)
            await Errands(spool, link, dict.fromkeys(("browse", "write", "condition"), hang)).run()

asyncio.run(main(*sys.argv[1:]))
"""


@asynccontextmanager
async def dying(server: Running, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A gateway in a process of its own that begins everything and ends nothing, killed when the block is left."""
    token = server.folder / "secrets" / "gateway.token"
    words = (sys.executable, "-c", DYING, server.url, str(token), str(folder))
    process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        number = (await process.stdout.readline()).decode().strip()
        await asyncio.to_thread(server.post_health, number)
        yield process
    finally:
        process.kill()
        await process.wait()


async def test_what_a_killed_gateway_had_fetched_is_asked_again_or_told_to_be_unknown(tmp_path: Path) -> None:
    asked: list[str] = []

    async def write(_body: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        asked.append("write")
        yield {"status": 0}

    tag, spool = "delta/frames/machining/cell-a/cnc-01/setpoint.speed", tmp_path / "spool"
    with running(tmp_path / "server") as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as client:
            async with dying(server, spool) as process:
                setpoint = asyncio.create_task(
                    client.post("/api/v1/gateways/edge-1/setpoints", json={"tag": tag, "value": 1})
                )
                browsed = asyncio.create_task(ask(server, "browse", {"to": 2, "kind": "browse"}))
                assert process.stdout is not None
                assert {(await process.stdout.readline())[:5] for _ in range(2)} == {b"begun"}
            async with gateway(server, spool, browse=count, write=write):
                assert await browsed == [{"number": 0}, {"number": 1}, {"done": True}], "a question is asked again"
                answer = await setpoint
        assert answer.status_code == 504
        assert "nobody knows whether it was done" in answer.json()["detail"]
        assert asked == [], "what changes something is never tried again by itself"


async def test_a_gateway_that_was_killed_and_stays_away_is_said_so_soon(tmp_path: Path) -> None:
    with running(tmp_path / "server") as server:
        errands = server.parts.errands
        async with dying(server, tmp_path / "spool") as process:
            browsed = asyncio.create_task(ask(server, "browse", {}))
            assert process.stdout is not None
            assert (await process.stdout.readline())[:5] == b"begun"
        errands.away_s = 0.2
        (end,) = await browsed
        assert end["error"].endswith("was lost while it answered: look whether it runs, and ask again.")
        errands.away_s, errands._patience_s = 30.0, 0.3
        (end,) = await ask(server, "browse", {})
        assert "fetches no requests" in end["error"], "nothing is handed to a request that nobody listens to"
