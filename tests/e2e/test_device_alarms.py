"""Alarms of devices (a foreign OPC UA server, a simulated machine) through gateway and server to people, and back."""

from __future__ import annotations

import asyncio
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from node_opcua import node_opcua
from plant_under_test import free_port
from running_server import Running, plant, running, until
from shopfloor.gateway.cut import Cut
from shopfloor.plant import Kind
from shopfloor.simulators.engine import Simulation
from shopfloor.simulators.lines.machining import LINE
from shopfloor.simulators.opcua import DeviceServer
from shopfloor.simulators.opcua_line import OpcUaWire, conditions, variables
from shopfloor.simulators.tree import Variable
from test_setpoints import child

pytestmark = [pytest.mark.e2e]
PUMPS = 300
CNC = "delta/frames/machining/cell-a/cnc-01"
PUMP = "delta/water/line-1/cell-1/pump-"
PLANT = """
plant: {{site: delta}}
types:
  pump: {{tags: {{level: {{unit: m}}}}, first_out: {{level: {{conditions: ["LevelHigh-*"]}}}}}}
  machine: {{tags: {{tool.id: {{kind: int64}}, coolant.flow: {{unit: l/min}}}}}}
assets:
  - {{path: "delta/water/line-1/cell-1/pump-[0..3]", type: pump, title: "Pump [0..3]"}}
  - {{path: delta/frames/machining/cell-a/cnc-01, type: machine, title: CNC 01}}
  - {{path: delta/frames/machining/cell-a/cnc-02, type: machine, title: CNC 02}}
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
  - name: machining
    kind: opcua
    url: {machine}
    security: none
    publishing_interval: 100ms
    assets: {{Machines/CNC-01: delta/frames/machining/cell-a/cnc-01}}
    tags: {{Tool/Id: tool.id, Monitoring/Coolant/Flow: coolant.flow}}
    conditions: {{shelve: true}}
  - name: silent
    kind: opcua
    url: {silent}
    security: none
    assets: {{Machines/CNC-02: delta/frames/machining/cell-a/cnc-02}}
    tags: {{Tool/Id: tool.id}}
    conditions: true
"""


class Machine:
    """One machine of the simulated line that goes on when it is told to, and a server without alarms beside it."""

    def __init__(self, port: int, silent: int) -> None:
        namespace = "urn:shopfloor:machining"
        self.conditions = {one.name: one for one in conditions(LINE, [CNC])}
        listed = list(self.conditions.values())
        self.server = DeviceServer(variables(LINE, [CNC]), port=port, namespace=namespace, conditions=listed)
        self.silent = DeviceServer([Variable(("CNC-02", "Tool", "Id"), Kind.INT)], port=silent, namespace=namespace)
        self._simulation = Simulation(LINE, [CNC], seed=1, start=time.time_ns() - 21_600 * 10**9)
        self._wire = OpcUaWire(self._simulation, self.server)

    async def fail(self, fault: str, alarm: str) -> None:
        """Break it, and let it run until it says so, with the fault over."""
        self._simulation.inject(0, fault)
        await self.run(alarm, active=True)
        self._simulation.inject(0, fault, 0.0)

    async def run(self, alarm: str, *, active: bool) -> None:
        for _ in range(21_000):
            await self._wire.changes(self._simulation.step().changes)
            if self.conditions[alarm].active is active:
                return
        raise AssertionError(f"{alarm} never became {active}")


@dataclass
class World:
    """The server, the levels of the foreign device and the link to it, and the simulated machine."""

    server: Running
    device: subprocess.Popen[str]
    cut: Cut
    loop: asyncio.AbstractEventLoop
    machine: Machine
    words: tuple[object, ...]
    gateway: ExitStack

    def start_gateway(self) -> None:
        before = time.time_ns()
        self.gateway.enter_context(child("gateway", *self.words))
        until(lambda: self.connected(before).keys() == {"pumps", "machining", "silent"}, 60)

    def connected(self, since: int = 0) -> dict[str, str]:
        """The connected sources, and what the gateway says of each."""
        posts = (post for post in self.server.parts.gateways.posts() if post.received > since)
        return {one["name"]: one["detail"] for post in posts for one in post.sources if one["state"] == "connected"}

    def set(self, first: int, last: int, value: float) -> None:
        assert self.device.stdin is not None
        assert self.device.stdout is not None
        self.device.stdin.write(f"set {first} {last} {value}\n")
        self.device.stdin.flush()
        while self.device.stdout.readline() != "set\n":
            assert self.device.poll() is None

    def link(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    def all(self, asset: str) -> list[dict[str, Any]]:
        return list(self.server.get("/alarms", asset=asset))

    def cleared(self, asset: str) -> bool:
        """Acknowledge and confirm whatever waits; whether nothing does any more."""
        for one in self.all(asset):
            if one["device"]["pending"] is None:
                act = "confirm" if one["acknowledged"] else "acknowledge"
                assert self.post(one, act).status_code in {200, 409}
        return not self.all(asset)

    def of(self, asset: str, title: str = "") -> dict[str, Any] | None:
        return next((one for one in self.all(asset) if title in one["title"]), None)

    def until(self, asset: str, state: str | None, title: str = "") -> Any:
        return until(lambda: ((a := self.of(asset, title)) and a["state"]) == state and (a or True), 30)

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


@contextmanager
def serving(machine: Machine, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    stack = AsyncExitStack()
    for server in (machine.server, machine.silent):
        asyncio.run_coroutine_threadsafe(stack.enter_async_context(server), loop).result(20)
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(closed(stack), loop).result(20)


async def closed(stack: AsyncExitStack) -> None:
    """The servers have ended, and what asyncua leaves of sessions that were cut."""
    await stack.aclose()
    left = [task for task in asyncio.all_tasks() if getattr(task.get_coro(), "__qualname__", "").startswith("Internal")]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder, port = tmp_path_factory.mktemp("devices"), free_port()
    machine = Machine(free_port(), free_port())
    with (
        node_opcua(port, "conditions.js", pumps=PUMPS) as device,
        proxied(port) as (cut, loop),
        serving(machine, loop),
    ):
        urls = {
            "opcua": f"opc.tcp://127.0.0.1:{cut.port}/foreign",
            "machine": machine.server.url,
            "silent": machine.silent.url,
        }
        with (
            running(folder / "server", plant(PLANT.format(server="http://127.0.0.1:1", **urls))) as server,
            ExitStack() as gateway,
        ):
            file = folder / "plant.yaml"
            file.write_text(PLANT.format(server=server.url, **urls))
            token = server.folder / "secrets" / "gateway.token"
            words = ("--config", file, "--data", folder / "edge", "--token-file", token)
            world = World(server, device, cut, loop, machine, words, gateway)
            world.start_gateway()
            yield world


def test_an_alarm_of_the_device_is_acknowledged_and_confirmed_there(world: World) -> None:
    world.set(0, 0, 150)
    alarm = world.until(f"{PUMP}0", "active")
    assert (alarm["kind"], alarm["tag"], alarm["title"], alarm["priority"]) == (
        "condition", f"{PUMP}0/level", "LevelHigh-0", 2,
    )  # fmt: skip
    assert (alarm["first_out"], alarm["device"]["source"], alarm["device"]["severity"]) == (True, "pumps", 150)
    assert alarm["device"]["answers"] == ["acknowledge", "confirm", "comment"]
    refused = world.post(alarm, "reset")
    assert (refused.status_code, "confirm it" in refused.json()["detail"]) == (409, True)
    answer = world.post(alarm, "acknowledge", note="On my way.").json()
    assert answer["device"]["pending"]["by"] == "Anna" or answer["acknowledged"]["by"] == "Anna"
    seen = world.until(f"{PUMP}0", "acknowledged")
    assert (seen["acknowledged"]["by"], seen["acknowledged"]["note"]) == ("Anna", "On my way.")
    world.set(0, 0, 1)
    back = world.until(f"{PUMP}0", "latched-acknowledged")
    assert back["device"]["confirm"]
    assert world.post(back, "confirm", by="Ben", note="Valve changed.").status_code == 200
    world.until(f"{PUMP}0", None)
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
    alarm = world.until(f"{PUMP}1", "active")
    world.link(world.cut.refuse())
    world.set(2, 2, 150)
    world.set(2, 2, 1)
    world.set(3, 3, 150)
    world.set(1, 1, 1)
    answer = world.post(alarm, "acknowledge")
    assert answer.status_code in {409, 504}, answer.text
    assert world.of(f"{PUMP}1")["state"] == "active", "nothing is pretended"  # type: ignore[index]
    world.link(world.cut.accept())
    world.until(f"{PUMP}3", "active")
    came = until(lambda: next((a for a in world.all(f"{PUMP}2") if a["state"] == "latched"), None), 30)
    assert came["sentence"] == "An earlier occurrence: Condition is 150.000 and state is High", "came, went, unseen"
    for pump in (1, 2):
        until(lambda pump=pump: world.cleared(f"{PUMP}{pump}"), 60)
    assert world.of(f"{PUMP}3")["state"] == "active"  # type: ignore[index]


def test_a_flood_of_conditions(world: World) -> None:
    world.set(4, PUMPS - 1, 150)
    until(lambda: len(world.server.get("/alarms", limit=5_000)) >= PUMPS - 4, 60)
    load = world.server.get("/alarms/load")
    assert load["flood"]["new"] >= PUMPS - 4
    until(lambda: all(account.balanced for account in world.server.parts.accounts()), 30)


def test_a_broken_tool_is_seen_at_the_machine_and_put_right(world: World) -> None:
    machine = world.machine
    world.link(machine.fail("breakage", "Tool broken"))
    alarm = world.until(CNC, "active", "Tool broken")
    assert (alarm["tag"], alarm["priority"], alarm["device"]["source"]) == (f"{CNC}/tool.id", 1, "machining")
    assert "change it" in alarm["sentence"]
    assert world.post(alarm, "acknowledge", note="On my way.").status_code == 200
    world.until(CNC, "acknowledged", "Tool broken")
    condition = machine.conditions["Tool broken"]
    assert (condition.acked, condition.confirmed, condition.comment) == (True, False, "Anna: On my way.")
    assert world.post(alarm, "acknowledge").status_code in {200, 409}, "the device is not asked twice"
    body = {"by": "Anna", "minutes": 15, "reason": "Tool is fetched."}
    assert world.server.client.post(f"/api/v1/alarms/{alarm['id']}/shelve", json=body).status_code == 200
    (hidden,) = until(lambda: world.server.get("/alarms", state="aside"), 30)
    assert condition.shelved_until > time.time_ns()
    assert (hidden["aside"]["kind"], hidden["aside"]["by"]) == ("shelved", "Anna, at the device")
    assert hidden["aside"]["until"] == pytest.approx(condition.shelved_until / 1e6, abs=1)
    assert world.of(CNC, "Tool broken") is None
    assert world.post(alarm, "unshelve", by="Ben").status_code == 200
    world.until(CNC, "acknowledged", "Tool broken")
    assert condition.shelved_until == 0
    world.link(machine.run("Tool broken", active=False))
    back = world.until(CNC, "latched-acknowledged", "Tool broken")
    assert world.post(back, "confirm", by="Ben", note="New tool.").status_code == 200
    world.until(CNC, None, "Tool broken")
    assert (condition.confirmed, condition.retain, condition.comment) == (True, False, "Ben: New tool.")


def test_a_gateway_that_is_away_pretends_nothing_and_is_told_all_anew_when_it_is_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = world.machine
    world.link(machine.fail("coolant_loss", "No coolant"))
    alarm = world.until(CNC, "active", "No coolant")
    world.gateway.close()
    with monkeypatch.context() as impatient:
        impatient.setattr(world.server.parts.answers, "patience_s", 0.5)
        answer = world.post(alarm, "acknowledge")
    assert answer.status_code == 504
    assert "nobody knows whether the device was told" in answer.json()["detail"]
    same = world.of(CNC, "No coolant")
    assert same is not None
    assert (same["id"], same["state"], same["device"]["pending"]) == (alarm["id"], "active", None)
    world.link(machine.run("No coolant", active=False))
    world.link(machine.fail("breakage", "Tool broken"))
    world.start_gateway()
    world.until(CNC, "returned", "No coolant")
    world.until(CNC, "active", "Tool broken")
    for silently in machine.conditions.values():
        silently.acknowledge(silently.last, "seen at the machine", time.time_ns())
    world.link(machine.server.alarms.require_refresh())
    world.until(CNC, "acknowledged", "Tool broken")
    world.until(CNC, None, "No coolant")
    world.link(machine.run("Tool broken", active=False))
    until(lambda: world.cleared(CNC), 30)


def test_a_device_without_alarms_is_said_in_one_sentence(world: World) -> None:
    said = until(lambda: world.connected().get("silent"))
    assert said.startswith("The server offers no alarms and conditions")
    assert said.endswith(": leave 'conditions' out of the source."), "also after a restart of the gateway"
