"""NodeIds by the URI of their namespace, against a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from asyncua import ua, uamethod
from shopfloor.gateway.opcua import OpcuaOptions, OpcuaSource
from shopfloor.plant import SourceLost, quality
from shopfloor.plant.contracts import Setpoint

ASSET = "delta/frames/machining/cell-a/cnc-01"
URI = "urn:maker;50%:controller"
WRITTEN = "nsu=urn:maker%3B50%25:controller;"


def options(port: int, node: str, method: str = f"{WRITTEN}s=reset") -> OpcuaOptions:
    return OpcuaOptions.model_validate(
        {
            "url": f"opc.tcp://127.0.0.1:{port}/shopfloor/",
            "security": "none",
            "publishing_interval": "50ms",
            "nodes": [{"node": node, "tag": f"{ASSET}/load"}, {"node": "i=2259", "tag": f"{ASSET}/state"}],
            "methods": [{"tag": f"{ASSET}/reset", "object": f"{WRITTEN}s=control", "method": method}],
        }
    )


async def controller(server: Any, _space: int, machine: Any) -> None:
    """A namespace that comes after others, whose number depends on what else the server has."""

    @uamethod
    def reset(_parent: ua.NodeId) -> None:
        return None

    await server.register_namespace("urn:other")
    space = await server.register_namespace(URI)
    control = await machine.add_object(ua.NodeId("control", space), ua.QualifiedName("Control", space))
    await control.add_variable(ua.NodeId("load;1", space), ua.QualifiedName("Load", space), 7.5)
    await control.add_method(ua.NodeId("reset", space), ua.QualifiedName("Reset", space), reset, [], [])


async def test_variables_and_methods_are_found_by_the_uri_of_their_namespace(
    machine_server: Callable[..., Any], port: int
) -> None:
    async with machine_server(port, {"Spindle/Load": 0.5}, controller):
        source = OpcuaSource("m", options(port, f"{WRITTEN}s=load;1"))
        async with source.open() as batches, asyncio.timeout(20):
            seen: dict[str, Any] = {}
            while len(seen) < 2:
                seen |= {sample.tag: sample.value for sample in await anext(batches)}
            outcome = await source.apply(Setpoint(f"{ASSET}/reset", ()))
        assert seen[f"{ASSET}/load"] == 7.5
        assert outcome.status == quality.GOOD, outcome
        unknown = OpcuaSource("m", options(port, f"{WRITTEN}s=load;1", "nsu=urn:no;s=reset"))
        async with unknown.open():
            outcome = await unknown.apply(Setpoint(f"{ASSET}/reset", ()))
        assert outcome.status == quality.BAD_CONFIGURATION_ERROR
        assert "has no namespace 'urn:no', which 'nsu=urn:no;s=reset' names" in outcome.sentence


async def test_a_namespace_that_the_server_lacks_is_one_sentence(machine_server: Callable[..., Any], port: int) -> None:
    async with machine_server(port, {"Spindle/Load": 0.5}):
        with pytest.raises(SourceLost) as lost:
            async with OpcuaSource("m", options(port, "nsu=urn:no;s=Load")).open():
                pass
    assert str(lost.value).startswith("The server has no namespace 'urn:no', which 'nsu=urn:no;s=Load' names: it has ")
    assert str(lost.value).endswith("urn:test:machines; correct the URI after 'nsu='.")
