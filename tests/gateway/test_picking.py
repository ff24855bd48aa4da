"""Browse and pick against real servers and a real broker: what is offered, what it holds, what is written."""

from __future__ import annotations

import asyncio
import json
import time
from argparse import Namespace
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from brokers import mosquitto
from hypothesis import given
from hypothesis import strategies as st
from node_opcua import node_opcua
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from shopfloor.gateway import browse as command
from shopfloor.gateway.mqtt import MqttOptions
from shopfloor.gateway.mqtt.columns import Columns
from shopfloor.gateway.mqtt.mapping import Mapping
from shopfloor.gateway.opcua import OpcuaOptions, OpcuaSource
from shopfloor.gateway.picking import CALLS, browse, values
from shopfloor.gateway.picking.entry import scalar
from shopfloor.gateway.picking.naming import Pick, named
from shopfloor.plant import ShopfloorError, TagPath, config
from shopfloor.plant.config.document import parse

ASSET = "delta/frames/line-1/cell-a/cnc-01"
HERE = Path()
PLANT = """
plant: {site: delta}
types: {mill: {tags: {load: {}}}}
assets: [{path: delta/frames/line-1/cell-a/cnc-01, type: mill}]
"""
Row = dict[str, Any]


def opc(port: int, **more: Any) -> Row:
    return {"url": f"opc.tcp://127.0.0.1:{port}/shopfloor/", "security": "none", **more}


async def rows_of(body: Row) -> list[Row]:
    return [row async for part in browse(body, HERE) for row in part.get("nodes", ())]


async def first(call: str, body: Row) -> Row:
    async with aclosing(CALLS[call](body, HERE)) as parts:
        return await anext(parts)


async def more_nodes(server: Any, space: int, machine: Any) -> None:
    await machine.add_method(space, "Reset", lambda _parent: [])
    setpoint = await machine.add_variable(space, "Setpoint", 1.5)
    await setpoint.set_writable()
    await setpoint.add_property(space, "Unit", "kW")


async def test_nodes_come_with_type_access_and_place(machine_server: Callable[..., Any], port: int) -> None:
    async with machine_server(port, {"Spindle/Load": 12.5, "State": "IDLE"}, more_nodes):
        rows = await rows_of(opc(port, depth=30))
        by_name = {row["name"]: row for row in rows}
        load, setpoint, unit = by_name["Load"], by_name["Setpoint"], by_name["Unit"]
        assert load["path"] == ("Machines", "CNC-01", "Spindle", "Load")
        assert load["parent"] == by_name["Spindle"]["id"]
        assert (load["kind"], load["type"], load["writable"], load["children"]) == ("variable", "Double", False, False)
        assert (setpoint["type"], setpoint["writable"], setpoint["children"]) == ("Double", True, True)
        assert (unit["property"], load["property"]) == (True, False)
        assert by_name["State"]["type"] == "String"
        assert by_name["Reset"]["kind"] == "method"
        assert len({row["id"] for row in rows}) == len(rows)


async def test_a_branch_opens_by_its_node(machine_server: Callable[..., Any], port: int) -> None:
    async with machine_server(port, {"Spindle/Load": 12.5}):
        top = {row["name"]: row for row in await rows_of(opc(port))}
        assert top["Machines"]["children"]
        below = await rows_of(opc(port, node=top["Machines"]["id"]))
        assert [row["path"] for row in below] == [("CNC-01",)]
        assert below[0]["parent"] == top["Machines"]["id"]


async def test_no_more_than_asked_for_is_sent(machine_server: Callable[..., Any], port: int) -> None:
    async with machine_server(port, {f"{letter}/X": 1.0 for letter in "abcdef"}):
        parts = [part async for part in browse(opc(port, depth=30, most=8), HERE)]
    assert parts[-1] == {"cut": True}
    assert sum(len(part.get("nodes", ())) for part in parts) < 14


@pytest.mark.foreign
async def test_a_large_foreign_tree_is_streamed_in_few_requests(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from asyncua.client.ua_session import UaSession

    asked = []
    for service in ("browse", "browse_next", "read"):
        real = getattr(UaSession, service)

        async def counted(self: Any, parameters: Any, real: Any = real) -> Any:
            asked.append(time.monotonic())
            return await real(self, parameters)

        monkeypatch.setattr(UaSession, service, counted)
    arrived, rows = [], []
    with node_opcua(port, "conformance.js"):
        body = opc(port, depth=30) | {"url": f"opc.tcp://127.0.0.1:{port}/foreign"}
        async for part in browse(body, HERE):
            arrived.append(time.monotonic())
            rows += part["nodes"]
    assert len(rows) > 4000
    assert len({row["id"] for row in rows}) == len(rows)
    assert len(asked) < len(rows) / 25
    assert arrived[0] < asked[5]
    ids = {row["id"] for row in rows}
    assert all(row["parent"] in ids for row in rows if len(row["path"]) > 1)
    variables = [row for row in rows if row["kind"] == "variable"]
    assert [row["id"] for row in variables if not row["type"]] == []
    assert {"Double", "Boolean", "String", "DateTime", "Int32[]", "LocalizedText"} <= {row["type"] for row in variables}


@pytest.mark.foreign
async def test_limits_of_a_server_are_respected(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shopfloor.gateway.opcua.tree._REFERENCES", 50)
    limits = {
        "operationLimits": {"maxNodesPerBrowse": 7, "maxNodesPerRead": 40},
        "maxBrowseContinuationPoints": 1,
    }
    with node_opcua(port, serverCapabilities=limits):
        rows = await rows_of(opc(port, depth=30) | {"url": f"opc.tcp://127.0.0.1:{port}/foreign"})
    assert {f"Channel-{i}" for i in range(300)} <= {row["name"] for row in rows}
    assert {row["type"] for row in rows if row["name"].startswith("Channel-")} == {"Double"}


async def test_values_follow_with_quality_and_time(machine_server: Callable[..., Any], port: int) -> None:
    from asyncua import ua

    async with machine_server(port, {"Load": 12.5, "Flow": 1.0}) as server:
        load, flow = server.test_nodes["Load"], server.test_nodes["Flow"]
        bad = ua.DataValue(ua.Variant(3.0), StatusCode=ua.StatusCode(ua.StatusCodes.BadSensorFailure))
        await flow.write_value(bad)
        ids = [load.nodeid.to_string(), flow.nodeid.to_string(), "ns=2;s=nothing", "no node"]
        async with aclosing(values(opc(port, nodes=ids), HERE)) as parts, asyncio.timeout(20):
            seen = {row["id"]: row for row in (await anext(parts))["values"]}
            assert (seen[ids[0]]["value"], seen[ids[0]]["quality_name"]) == (12.5, "Good")
            assert abs(seen[ids[0]]["time"] - time.time() * 1e3) < 60_000
            assert (seen[ids[1]]["quality"], seen[ids[1]]["quality_name"]) == (0x808C0000, "BadSensorFailure")
            assert [seen[one]["quality_name"] for one in ids[2:]] == ["BadNodeIdUnknown", "BadNodeIdInvalid"]
            await load.write_value(99.0)
            while (await anext(parts))["values"][0]["value"] != 99.0:
                pass


async def test_what_is_written_reads_the_same_values(machine_server: Callable[..., Any], port: int) -> None:
    async with machine_server(port, {"Spindle/Load": 12.5, "Spindle/Speed": 8000.0, "State": "IDLE"}):
        picks = [row for row in await rows_of(opc(port, depth=30)) if row["kind"] == "variable" and not row["property"]]
        part = await first("entry", opc(port, name="cnc", asset=ASSET, picks=picks))
        assert part["problems"] == []
        source = config.loads(PLANT + part["text"]).sources[0]
        reader = OpcuaSource("cnc", config.options(source, OpcuaOptions))
        found: dict[str, Any] = {}
        async with reader.open() as batches, asyncio.timeout(20):
            while len(found) < 3:
                found |= {sample.tag: sample.value for sample in await anext(batches)}
        assert found == {f"{ASSET}/load": 12.5, f"{ASSET}/speed": 8000.0, f"{ASSET}/state": "IDLE"}


async def test_the_command_prints_a_source(
    machine_server: Callable[..., Any], port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = Namespace(url=opc(port)["url"], depth=10, values=False, seconds=1.0, yaml=ASSET)
    async with machine_server(port, {"Spindle/Load": 12.5}):
        assert await asyncio.to_thread(command.run, arguments) == 0
    loaded = config.loads(PLANT + capsys.readouterr().out)
    assert config.options(loaded.sources[0], OpcuaOptions).nodes[0].tag == f"{ASSET}/load"


def say(url: str, messages: dict[str, str]) -> None:
    """Publish retained messages."""
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", int(url.rpartition(":")[2]))
    client.loop_start()
    for topic, payload in messages.items():
        client.publish(topic, payload, 1, retain=True).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


async def test_topics_are_heard_watched_and_written(tmp_path: Path) -> None:
    messages = {
        "hall/pump 1/flow": "2.5",
        "hall/pump 1/Pressure": json.dumps({"v": 7.25, "ts": 1764000000}),
        "hall/pump 1/all": json.dumps({"values": {"level": 4}}),
        "hall/pump 1/flat": json.dumps({"force": 9}),
    }
    with mosquitto(tmp_path) as url:
        await asyncio.to_thread(say, url, messages)
        rows = await rows_of({"url": url, "seconds": 1.0})
        assert {row["id"]: row["form"] for row in rows} == {
            "hall/pump 1/flow": {},
            "hall/pump 1/Pressure": {"value": "v", "time": "ts"},
            "hall/pump 1/all": {"values": "values"},
            "hall/pump 1/flat": {"values": "$"},
        }
        forms = {row["id"]: row["form"] for row in rows}
        held: dict[str, Any] = {}
        async with aclosing(values({"url": url, "nodes": list(forms), "forms": forms}, HERE)) as parts:
            async with asyncio.timeout(20):
                while len(held) < 4:
                    held |= {row["id"]: row["value"] for row in (await anext(parts))["values"]}
        assert (held["hall/pump 1/flow"], held["hall/pump 1/Pressure"]) == (2.5, 7.25)
        part = await first("entry", {"url": url, "name": "hall", "asset": ASSET, "picks": rows})
    options = config.options(config.loads(PLANT + part["text"]).sources[0], MqttOptions)
    mapping, columns = Mapping.of(options.topics, config.loads(PLANT)), Columns()
    for topic, text in messages.items():
        mapping.read(topic.encode(), text.encode(), 1, columns)
    assert {sample.tag: sample.value for batch in columns.batches() for sample in batch} == {
        f"{ASSET}/flow": 2.5,
        f"{ASSET}/pressure": 7.25,
        f"{ASSET}/all.level": 4.0,
        f"{ASSET}/flat.force": 9.0,
    }
    assert part["problems"] == []


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"url": "opc.tcp://127.0.0.1:1", "security": "none"}, "Nothing listens at opc.tcp://127.0.0.1:1"),
        ({"url": "opc.tcp://127.0.0.1:1"}, "has no 'security': choose a policy, or 'none' by name"),
        ({"url": "opc.tcp://127.0.0.1:1", "security": "open"}, "security: Input should be 'none'"),
        ({"url": "opc.tcp://127.0.0.1:1", "security": "none", "options": {"usr": "x"}}, "usr: Extra inputs"),
        ({"url": "modbus://127.0.0.1:502"}, "A Modbus device cannot be browsed"),
        ({"url": "http://127.0.0.1"}, "cannot be browsed: write opc.tcp://"),
        ({}, "'' cannot be browsed"),
        ({"url": "opc.tcp://:x", "security": "none"}, "write it as opc.tcp://host:port."),
    ],
)
async def test_a_refusal_is_one_sentence(body: Row, sentence: str) -> None:
    with pytest.raises(ShopfloorError, match=sentence) as raised:
        await rows_of(body)
    assert len(str(raised.value).splitlines()) == 1


async def test_assets_are_found_by_their_name(port: int) -> None:
    picks = [
        {"id": "ns=2;i=1", "path": ["Machines", "CNC-01", "Spindle", "Load"]},
        {"id": "ns=2;i=2", "path": ["Machines", "CNC_02", "Spindle", "Load"]},
        {"id": "ns=2;i=3", "path": ["Machines", "CNC-09", "Spindle", "Load"]},
    ]
    assets = {f"delta/frames/line-1/cell-a/cnc-0{i}": ["spindle.load"] for i in (1, 2)}
    part = await first("entry", opc(port, name="all", picks=picks, assets=assets))
    assert part["tags"]["ns=2;i=1"] == "delta/frames/line-1/cell-a/cnc-01/spindle.load"
    assert part["tags"]["ns=2;i=2"] == "delta/frames/line-1/cell-a/cnc-02/spindle.load"
    assert [said for said in part["problems"] if "CNC-09" in said] == [
        "Machines/CNC-09/Spindle/Load names no asset of the plant file: choose the asset that it belongs to."
    ]


def test_a_declared_name_goes_to_the_nearest_and_to_nobody_when_two_are_as_near() -> None:
    paths = [("CNC-01", "State"), ("CNC-01", "Door", "State"), ("CNC-01", "Axis", "Load"), ("CNC-01", "Pump", "Load")]
    naming = named([Pick(f"i={n}", path) for n, path in enumerate(paths)], ASSET, {ASSET: ["state", "load"]})
    assert [tag.removeprefix(f"{ASSET}/") for tag in naming.tags] == ["state", "door.state", "axis.load", "pump.load"]
    assert naming.problems == ()


async def test_what_cannot_be_saved_is_said(port: int) -> None:
    picks = [
        {"id": "ns=2;s=${HOME}", "path": ["A"]},
        {"id": "ns=2;i=2", "path": ["B"], "tag": "a"},
        {"id": "ns=2;i=3", "path": ["C"], "tag": "x#"},
    ]
    part = await first("entry", opc(port, name="all", asset=ASSET, picks=picks))
    assert any("names an environment variable" in said for said in part["problems"])
    assert any(f"would both be {ASSET}/a" in said for said in part["problems"])
    assert any("segment 'x#'" in said for said in part["problems"])


async def test_what_was_written_can_be_picked_further(port: int) -> None:
    options = {"publishing_interval": "250ms", "writes": {"allow": ["delta/*"], "every": "2s"}}
    picks = [{"id": "ns=2;s=a b", "path": ["A"], "tag": "x"}, {"id": "ns=2;i=2", "path": ["Mixed Case"]}]
    part = await first("entry", opc(port, name="all", asset=ASSET, picks=picks, options=options))
    again = await first("entry", {"text": part["text"]})
    assert again["options"] == options
    assert (await first("entry", {**again, "asset": ""}))["text"] == part["text"]
    assert part["text"].count(ASSET) == 2


@pytest.mark.parametrize("text", ["", "sources: []", "sources: [1]", "sources: {}", "[]", "{", "plant: {site: s}"])
async def test_a_text_that_is_no_source_is_refused(text: str) -> None:
    with pytest.raises(ShopfloorError):
        await first("entry", {"text": text})


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
paths = st.lists(names, min_size=1, max_size=4).map(tuple)


@given(st.lists(paths, min_size=1, max_size=12))
def test_proposed_tags_are_valid_and_unique(chosen: list[tuple[str, ...]]) -> None:
    naming = named([Pick(f"i={n}", path) for n, path in enumerate(chosen)], ASSET, {ASSET: ["load", "spindle.power"]})
    assert naming.problems == ()
    assert len(set(naming.tags)) == len(chosen)
    assert all(str(TagPath.parse(tag)) == tag for tag in naming.tags)


@given(st.text(st.characters(exclude_categories=["Cs"])).filter(lambda text: "${" not in text))
def test_a_written_scalar_is_read_back(text: str) -> None:
    assert parse(f"plant: {{site: {scalar(text)}}}", "x.yaml", {}).data == {"plant": {"site": text}}
