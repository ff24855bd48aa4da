"""Subscribing to many variables: grouped by type, within the server's limits, progress said, refusals listed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asyncua import Server, ua
from asyncua.client.ua_session import UaSession
from shopfloor.gateway.opcua import OpcuaOptions, OpcuaSource, progress
from shopfloor.gateway.opcua.items import Item
from shopfloor.gateway.opcua.requests import Limits, in_parts, limits
from shopfloor.gateway.opcua.subscribe import grouped
from shopfloor.plant.batch import Kind
from shopfloor.simulators import tree

ASSET = "delta/frames/machining/cell-a/cnc-01"
COUNT = 1_500
LIMITS = {"MaxNodesPerRead": 700, "MaxMonitoredItemsPerCall": 450, "MaxNodesPerBrowse": 0}


@asynccontextmanager
async def many(port: int) -> AsyncIterator[Server]:
    """An asyncua server with many variables of three types, added in one call, and limits of its own."""
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/shopfloor/")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    space = await server.register_namespace("urn:test:many")
    kinds = list(Kind)
    variables = [tree.Variable((f"M{n // 100}", f"V{n}"), kinds[n % 3]) for n in range(COUNT)]
    for answer in await server.iserver.isession.add_nodes(list(tree.items(variables, space, "Machines"))):
        answer.StatusCode.check()
    for name, value in LIMITS.items():
        node = server.get_node(ua.NodeId(getattr(ua.ObjectIds, f"Server_ServerCapabilities_OperationLimits_{name}")))
        await node.write_value(ua.Variant(value, ua.VariantType.UInt32))
    async with server:
        yield server


def source(port: int, **more: Any) -> OpcuaSource:
    options = {"url": f"opc.tcp://127.0.0.1:{port}/shopfloor/", "security": "none", "publishing_interval": "100ms"}
    return OpcuaSource("many", OpcuaOptions.model_validate(options | {"everything": ASSET} | more))


async def read(one: OpcuaSource, count: int) -> set[str]:
    """The tags of the first values."""
    found: set[str] = set()
    async with one.open() as batches, asyncio.timeout(60):
        while len(found) < count:
            found |= {sample.tag for sample in await anext(batches)}
    return found


async def test_many_variables_within_the_limits_of_the_server(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_SOON_S", -1.0)
    asked: dict[str, list[int]] = {"read": [], "create": []}
    said: list[str] = []
    create, read_nodes = UaSession.create_monitored_items, UaSession.read
    many_source = source(port)

    async def counted_create(session: UaSession, parameters: Any) -> Any:
        asked["create"].append(len(parameters.ItemsToCreate))
        answer = await create(session, parameters)
        said.append(many_source.progress.sentence)
        return answer

    async def counted_read(session: UaSession, parameters: Any) -> Any:
        asked["read"].append(len(parameters.NodesToRead))
        return await read_nodes(session, parameters)

    monkeypatch.setattr(UaSession, "create_monitored_items", counted_create)
    monkeypatch.setattr(UaSession, "read", counted_read)
    few = source(
        port, everything=None, nodes=[{"node": f"ns=2;s=M0.V{n}", "tag": f"{ASSET}/v{n}"} for n in (0, 1, 9_999)]
    )
    async with many(port):
        found = await read(many_source, COUNT)
        assert found == {f"{ASSET}/Machines.M{n // 100}.V{n}" for n in range(COUNT)}
        assert await read(few, 2) == {f"{ASSET}/v0", f"{ASSET}/v1"}
    assert few.detail == f"1 variable is not there, the first is {ASSET}/v9999 (BadNodeIdUnknown)."
    assert max(asked["create"]) <= LIMITS["MaxMonitoredItemsPerCall"]
    assert max(asked["read"]) <= LIMITS["MaxNodesPerRead"]
    assert sum(asked["create"]) == COUNT + 3
    assert "Subscribing: 450 of 1,500 variables." in said
    assert many_source.progress.sentence == ""


async def test_a_server_that_says_no_limits_gets_the_usual_ones() -> None:
    class Silent:
        async def read_attributes(self, nodes: list[ua.NodeId], _: ua.AttributeIds) -> list[ua.DataValue]:
            zero, large = ua.Variant(0, ua.VariantType.UInt32), ua.Variant(10**6, ua.VariantType.UInt32)
            return [ua.DataValue(ua.Variant(), ua.StatusCode(0x80340000)), ua.DataValue(zero), ua.DataValue(large)]

    assert await limits(Silent()) == Limits()


def test_common_types_get_a_subscription_each_and_rare_ones_share_one() -> None:
    wires = [11] * 300 + [6] * 200 + [1] * 100 + [10] * 90 + [12] * 80 + [4] * 70 + [7] * 3 + [0] * 500
    items = {handle: Item(ua.NodeId(handle), f"t{handle}", float, wire) for handle, wire in enumerate(wires, 1)}
    groups = grouped(items)
    assert [{item.wire for item in group.values()} for group in groups] == [{11}, {6}, {1}, {10}, {12}, {0, 4, 7}]
    assert sum(map(len, groups)) == len(items)
    assert [list(group) == sorted(group) for group in groups] == [True] * 6
    few = {1: Item(ua.NodeId(1), "a", float, 11), 2: Item(ua.NodeId(2), "b", int, 6)}
    assert grouped(few) == [few]


async def test_parts_keep_their_order_and_are_under_way_together() -> None:
    under_way: list[int] = [0, 0]

    async def ask(part: Any) -> list[int]:
        under_way[0] += 1
        under_way[1] = max(under_way)
        await asyncio.sleep(0.03 / part[0])
        under_way[0] -= 1
        return [2 * one for one in part]

    assert await in_parts(range(1, 24), 5, ask) == [2 * one for one in range(1, 24)]
    assert under_way == [0, 3]
