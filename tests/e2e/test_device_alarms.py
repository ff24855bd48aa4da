"""Alarms of a device, from a foreign OPC UA server through gateway and server to people, and their answers back."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from node_opcua import node_opcua
from plant_under_test import free_port
from running_server import Running, plant, running, until
from shopfloor.gateway.cut import Cut
from test_setpoints import child

pytestmark = [pytest.mark.e2e]
PUMPS = 1_000
PUMP = "delta/water/line-1/cell-1/pump-"
PLANT = """
plant: {{site: delta}}
types: {{pump: {{tags: {{level: {{unit: m}}}}, first_out: {{level: {{conditions: ["LevelHigh-*"]}}}}}}}}
assets: [{{path: "delta/water/line-1/cell-1/pump-[0..3]", type: pump, title: "Pump [0..3]"}}]
gateway: {{name: edge-1, server: "{server}"}}
sources:
  - name: pumps
    kind: opcua
    url: {opcua}
    security: none
    publishing_interval: 100ms
    assets: {{"Machines/Pump-[0..3]": "delta/water/line-1/cell-1/pump-[0..3]"}}
    tags: {{Level: level}}
    conditions: {{priorities: [667, 100]}}
"""


@dataclass
class World:
    """The server, the device's levels, and the link to the device."""

    server: Running
    device: subprocess.Popen[str]
    cut: Cut
    loop: asyncio.AbstractEventLoop
    gateway: ExitStack

    def set(self, first: int, last: int, value: float) -> None:
        assert self.device.stdin is not None
        assert self.device.stdout is not None
        self.device.stdin.write(f"set {first} {last} {value}\n")
        self.device.stdin.flush()
        while self.device.stdout.readline() != "set\n":
            assert self.device.poll() is None

    def link(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    def all(self, pump: int) -> list[dict[str, Any]]:
        return list(self.server.get("/alarms", asset=f"{PUMP}{pump}"))

    def cleared(self, pump: int) -> bool:
        """Acknowledge and confirm whatever waits; whether nothing does any more."""
        for one in self.all(pump):
            if one["device"]["pending"] is None:
                act = "confirm" if one["acknowledged"] else "acknowledge"
                assert self.post(one, act).status_code in {200, 409}
        return not self.all(pump)

    def of(self, pump: int) -> dict[str, Any] | None:
        return next(iter(self.all(pump)), None)

    def until(self, pump: int, state: str | None) -> Any:
        return until(lambda: ((a := self.of(pump)) and a["state"]) == state and (a or True), 30)

    def post(self, alarm: dict[str, Any], act: str, by: str = "Anna", note: str = "") -> httpx.Response:
        return self.server.client.post(f"/api/v1/alarms/{alarm['id']}/{act}", json={"by": by, "note": note})


@contextmanager
def proxied(port: int) -> Iterator[tuple[Cut, asyncio.AbstractEventLoop]]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    cut = Cut("127.0.0.1", port)
    asyncio.run_coroutine_threadsafe(cut.__aenter__(), loop).result(5)
    try:
        yield cut, loop
    finally:
        asyncio.run_coroutine_threadsafe(cut.__aexit__(None, None, None), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder, port = tmp_path_factory.mktemp("devices"), free_port()
    with node_opcua(port, "conditions.js", pumps=PUMPS) as device, proxied(port) as (cut, loop):
        url = f"opc.tcp://127.0.0.1:{cut.port}/foreign"
        with running(folder / "server", plant(PLANT.format(server="http://127.0.0.1:1", opcua=url))) as server:
            file = folder / "plant.yaml"
            file.write_text(PLANT.format(server=server.url, opcua=url))
            token = server.folder / "secrets" / "gateway.token"
            with ExitStack() as gateway:
                words = ("gateway", "--config", file, "--data", folder / "edge", "--token-file", token)
                gateway.enter_context(child(*words))
                until(
                    lambda: any(
                        one["state"] == "connected" for p in server.parts.gateways.posts() for one in p.sources
                    ),
                    60,
                )
                yield World(server, device, cut, loop, gateway)


def test_an_alarm_of_the_device_is_acknowledged_and_confirmed_there(world: World) -> None:
    world.set(0, 0, 150)
    alarm = world.until(0, "active")
    assert (alarm["kind"], alarm["tag"], alarm["title"], alarm["priority"]) == (
        "condition", f"{PUMP}0/level", "LevelHigh-0", 2,
    )  # fmt: skip
    assert (alarm["first_out"], alarm["device"]["source"], alarm["device"]["severity"]) == (True, "pumps", 150)
    assert alarm["device"]["answers"] == ["acknowledge", "confirm", "comment"]
    refused = world.post(alarm, "reset")
    assert (refused.status_code, "confirm it" in refused.json()["detail"]) == (409, True)
    answer = world.post(alarm, "acknowledge", note="On my way.").json()
    assert answer["device"]["pending"]["by"] == "Anna" or answer["acknowledged"]["by"] == "Anna"
    seen = world.until(0, "acknowledged")
    assert (seen["acknowledged"]["by"], seen["acknowledged"]["note"]) == ("Anna", "On my way.")
    world.set(0, 0, 1)
    back = world.until(0, "latched-acknowledged")
    assert back["device"]["confirm"]
    assert world.post(back, "confirm", by="Ben", note="Valve changed.").status_code == 200
    world.until(0, None)
    rows = world.server.get("/alarms/transitions", alarm=alarm["id"])
    assert [(row["before"], row["after"], row["by"]) for row in reversed(rows)] == [
        ("normal", "active", ""), ("active", "acknowledged", "Anna"), ("acknowledged", "latched-acknowledged", ""),
        ("latched-acknowledged", "normal", "Ben"),
    ]  # fmt: skip
    answer = world.server.client.post("/api/v1/gateways/edge-1/calls/audit", json={})
    assert '"asked": "confirm"' in answer.text
    assert "Ben: Valve changed." in answer.text


def test_nothing_of_an_outage_is_missed_and_what_is_over_goes(world: World) -> None:
    world.set(1, 1, 150)
    alarm = world.until(1, "active")
    world.link(world.cut.refuse())
    world.set(2, 2, 150)
    world.set(2, 2, 1)
    world.set(3, 3, 150)
    world.set(1, 1, 1)
    answer = world.post(alarm, "acknowledge")
    assert answer.status_code in {409, 504}, answer.text
    assert world.of(1)["state"] == "active", "nothing is pretended"  # type: ignore[index]
    world.link(world.cut.accept())
    world.until(3, "active")
    came = until(lambda: next((a for a in world.all(2) if a["state"] == "latched"), None), 30)
    assert came["sentence"] == "An earlier occurrence: Condition is 150.000 and state is High", "came, went, unseen"
    for pump in (1, 2):
        until(lambda pump=pump: world.cleared(pump), 60)
    assert world.of(3)["state"] == "active"  # type: ignore[index]


def test_a_flood_of_a_thousand_conditions(world: World) -> None:
    world.set(4, PUMPS - 1, 150)
    until(lambda: len(world.server.get("/alarms", limit=5_000)) >= PUMPS - 4, 60)
    load = world.server.get("/alarms/load")
    assert load["flood"]["new"] >= PUMPS - 4
    until(lambda: all(account.balanced for account in world.server.parts.accounts()), 30)


def test_a_gateway_that_is_away_is_said_and_nothing_is_pretended(world: World) -> None:
    alarm = next(a for a in world.server.get("/alarms", limit=5_000) if a["state"] == "active")
    world.gateway.close()
    world.server.parts.answers.patience_s = 0.5
    answer = world.post(alarm, "acknowledge")
    assert answer.status_code == 504
    assert "nobody knows whether the device was told" in answer.json()["detail"]
    (same,) = (a for a in world.server.get("/alarms", limit=5_000) if a["id"] == alarm["id"])
    assert (same["state"], same["device"]["pending"]) == ("active", None)
