"""Conditions of a simulated device at the source: full queues, refreshes, fewer fields, languages, assets, shelving."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from asyncua import ua
from asyncua.server.internal_session import InternalSession
from asyncua.server.monitored_item_service import MonitoredItemService
from counters import until
from plant_under_test import free_port
from shopfloor.gateway.backoff import Backoff
from shopfloor.gateway.cut import Cut
from shopfloor.gateway.opcua import OpcuaOptions, OpcuaSource
from shopfloor.gateway.opcua.conditions import refresh
from shopfloor.plant import Kind, SourceLost
from shopfloor.plant.condition import Act, Answer, Refresh, Told, is_conditions
from shopfloor.simulators.announce import Announcements
from shopfloor.simulators.condition import Condition
from shopfloor.simulators.events import frame
from shopfloor.simulators.opcua import DeviceServer
from shopfloor.simulators.tree import Variable

CELL = "delta/frames/machining/cell-a"
ASSETS = {"Machines/CNC-01": f"{CELL}/cnc-01", "Machines/CNC-02": f"{CELL}/cnc-02"}


def about(machine: str, name: str, severity: int = 700, *, confirms: bool = True) -> Condition:
    return Condition(f"{machine}.Alarms.{name}", f"{machine}.Load", machine, name, f"{name}.", severity, confirms)


@asynccontextmanager
async def device(*given: Condition) -> AsyncIterator[DeviceServer]:
    variables = [Variable((machine, "Load"), Kind.FLOAT) for machine in ("CNC-01", "CNC-02")]
    async with DeviceServer(variables, port=free_port(), namespace="urn:maker", conditions=given) as server:
        yield server


@dataclass
class Heard:
    """What a source handed over of conditions."""

    source: OpcuaSource
    told: list[Told] = field(default_factory=list)

    def newest(self, name: str) -> Told | None:
        return next((one for one in reversed(self.told) if one.name == name), None)

    def frames(self) -> list[Refresh]:
        return [one.refresh for one in self.told if one.refresh]

    async def answer(self, act: Act, name: str, **more: Any) -> str:
        newest = self.newest(name)
        assert newest is not None
        return (await self.source.answer(Answer(newest.id, newest.event, act, **more))).sentence


@asynccontextmanager
async def followed(url: str, **conditions: Any) -> AsyncIterator[Heard]:
    options = {
        "url": url,
        "security": "none",
        "publishing_interval": "50ms",
        "assets": ASSETS,
        "tags": {"Load": "load"},
    }
    source = OpcuaSource("plc", OpcuaOptions.model_validate(options | {"conditions": conditions or True}))
    heard = Heard(source)

    async def read() -> None:
        while True:
            with suppress(SourceLost):
                async with source.open() as batches:
                    async for batch in batches:
                        heard.told += [Told.from_text(one.value) for one in batch if is_conditions(one.tag)]
            await asyncio.sleep(0.05)

    task = asyncio.create_task(read())
    try:
        yield heard
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def tell(alarms: Announcements, *kinds: int) -> None:
    for kind in kinds:
        await alarms._tell(frame(kind))


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh, "_PAUSE_S", 0.05)


async def test_a_queue_that_overflowed_is_told_anew_and_a_refresh_that_lost_some_has_no_end() -> None:
    start, end = ua.ObjectIds.RefreshStartEventType, ua.ObjectIds.RefreshEndEventType
    overflow = ua.ObjectIds.EventQueueOverflowEventType
    async with device(about("CNC-01", "Dry")) as server, followed(server.url) as heard:
        await until(lambda: heard.frames() == [Refresh.START, Refresh.END])
        heard.told.clear()
        condition = server.alarms.conditions[0]
        condition.stand(True, time.time_ns())
        assert heard.newest("Dry") is None, "the device has told nobody"
        await tell(server.alarms, overflow)
        await until(lambda: heard.newest("Dry"))
        await until(lambda: heard.frames() == [Refresh.START, Refresh.END])
        heard.told.clear()
        await tell(server.alarms, start, overflow, end)
        await until(lambda: heard.frames() == [Refresh.START, Refresh.START, Refresh.END])
        assert heard.told[0].refresh is heard.told[1].refresh is Refresh.START, "the first never ended"


async def test_a_server_whose_queue_cannot_hold_a_refresh_is_left_alone_for_longer_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[int] = []
    before = Announcements._refresh

    class Noted(Backoff):
        def next(self, soon: float | None = None) -> float:
            pauses.append(self._attempt)
            super().next(soon)
            return 0.3

    async def overflowing(self: Announcements, arguments: Any, wanted: int) -> int:
        await tell(self, ua.ObjectIds.EventQueueOverflowEventType)
        return await before(self, arguments, wanted)

    monkeypatch.setattr(refresh, "Backoff", Noted)
    with monkeypatch.context() as full:
        full.setattr(Announcements, "_refresh", overflowing)
        async with device(about("CNC-01", "Dry")) as server, followed(server.url):
            await until(lambda: 2 in pauses)
            full.undo()
            await until(lambda: len(pauses) > 3 and pauses[-1] > 0)
            await asyncio.sleep(0.5)
            await server.alarms.require_refresh()
            await until(lambda: pauses[-1] == 0)


async def test_item_by_item_where_a_server_knows_only_that_also_after_a_lost_link(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    before = Announcements._refresh

    async def only_items(self: Announcements, arguments: Any, wanted: int) -> int:
        asked.append(wanted)
        return await before(self, arguments, wanted) if wanted == 2 else int(ua.StatusCodes.BadMethodInvalid)

    monkeypatch.setattr(Announcements, "_refresh", only_items)
    async with (
        device(about("CNC-01", "Dry")) as server,
        Cut("127.0.0.1", int(server.url.split(":")[2].split("/")[0])) as link,
        followed(f"opc.tcp://127.0.0.1:{link.port}/shopfloor/") as heard,
    ):
        await server.alarms.stand(0, True, time.time_ns())
        await until(lambda: heard.newest("Dry") and Refresh.END in heard.frames())
        assert asked == [1, 2]
        assert heard.source.detail == ""
        heard.told.clear()
        await link.refuse()
        await until(lambda: not heard.source.connected)
        await link.accept()
        await until(lambda: heard.newest("Dry") and Refresh.END in heard.frames())
        assert heard.source.detail == ""


async def test_a_server_that_tells_nothing_anew_says_so_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: Any) -> int:
        return int(ua.StatusCodes.BadNotImplemented)

    monkeypatch.setattr(Announcements, "_refresh", never)
    async with device(about("CNC-01", "Dry")) as server, followed(server.url) as heard:
        await until(lambda: "does not tell standing conditions anew (BadNotImplemented)" in heard.source.detail)
        await server.alarms.stand(0, True, time.time_ns())
        assert (await untold(heard, "Dry")).active


async def untold(heard: Heard, name: str) -> Told:
    """The newest statement about a condition, once there is one."""
    await until(lambda: heard.newest(name))
    newest = heard.newest(name)
    assert newest is not None
    return newest


async def test_a_server_that_takes_fewer_fields_is_asked_for_those_that_are_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = MonitoredItemService._create_events_monitored_item

    def narrow(self: MonitoredItemService, params: ua.MonitoredItemCreateRequest) -> ua.MonitoredItemCreateResult:
        if len(params.RequestedParameters.Filter.SelectClauses) > 14:
            return ua.MonitoredItemCreateResult(StatusCode=ua.StatusCode(ua.StatusCodes.BadEventFilterInvalid))
        return before(self, params)

    monkeypatch.setattr(MonitoredItemService, "_create_events_monitored_item", narrow)
    async with device(about("CNC-01", "Dry")) as server, followed(server.url) as heard:
        await until(lambda: Refresh.END in heard.frames())
        await server.alarms.stand(0, True, time.time_ns())
        told = await untold(heard, "Dry")
        assert (told.active, told.acked, told.retain, told.priority) == (True, False, True, 1)
        assert (told.confirmed, told.shelved, told.answers) == (None, None, ("acknowledge", "comment"))
        assert (heard.source.detail, told.asset) == ("", f"{CELL}/cnc-01")
        assert await heard.answer(Act.ACKNOWLEDGE, "Dry") == "Acknowledged at the device."


async def test_the_languages_of_the_plant_file_are_those_of_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    before = InternalSession.activate_session

    def note(self: InternalSession, params: ua.ActivateSessionParameters, *more: Any) -> Any:
        asked.append(list(params.LocaleIds))
        return before(self, params, *more)

    monkeypatch.setattr(InternalSession, "activate_session", note)
    async with device(about("CNC-01", "Dry")) as server, followed(server.url, locales=["zh-CN", "en"]) as heard:
        await until(lambda: Refresh.END in heard.frames())
    assert asked == [["zh-CN", "en"]]


async def test_the_plant_file_says_which_asset_a_condition_belongs_to() -> None:
    other, hall = f"{CELL}/cnc-02", f"{CELL}/cnc-01"
    assets = {"Hall": hall, "nsu=urn:maker;s=CNC-01.Load": other}
    given = (about("Hall", "Door"), about("CNC-01", "Dry"), about("CNC-02", "Hot"))
    async with device(*given) as server, followed(server.url, assets=assets) as heard:
        await until(lambda: Refresh.END in heard.frames())
        for index in range(3):
            await server.alarms.stand(index, True, time.time_ns())
        assert (await untold(heard, "Door")).asset == hall, "by its SourceName; nothing that is read is near it"
        assert (await untold(heard, "Dry")).asset == other, "by its SourceNode, before the variable that it is about"
        hot = await untold(heard, "Hot")
        assert (hot.asset, hot.tag) == (other, f"{other}/load"), "by the variable that it is about"


async def test_a_condition_is_shelved_at_the_device_where_the_plant_file_lets_it() -> None:
    async with device(about("CNC-01", "Dry")) as server, followed(server.url, shelve=True) as heard:
        await until(lambda: Refresh.END in heard.frames())
        await server.alarms.stand(0, True, time.time_ns())
        told = await untold(heard, "Dry")
        assert (told.shelved, told.answers) == ("", ("acknowledge", "confirm", "comment", "shelve"))
        assert await heard.answer(Act.UNSHELVE, "Dry") == "It is not shelved at the device (BadConditionNotShelved)."
        assert await heard.answer(Act.SHELVE, "Dry", minutes=15.0) == "Shelved at the device."
        await until(lambda: (heard.newest("Dry") or told).shelved == "timed")
        assert heard.told[-1].unshelve_s == 900.0
        assert "shelved at the device already" in await heard.answer(Act.SHELVE, "Dry", minutes=1.0)
        assert "for so long" in await heard.answer(Act.SHELVE, "Dry", minutes=1e9)
        assert await heard.answer(Act.UNSHELVE, "Dry") == "No longer shelved at the device."
        await until(lambda: heard.told[-1].shelved == "")
        await heard.answer(Act.SHELVE, "Dry", minutes=1.0)
        await server.alarms.pass_time(time.time_ns() + 61 * 10**9)
        await until(lambda: [one.shelved for one in heard.told[-2:]] == ["timed", ""])
