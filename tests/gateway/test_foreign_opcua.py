"""The gateway against a foreign OPC UA server (node-opcua): types, arrays, quality, every change, a restart."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from node_opcua import node_opcua
from shopfloor.gateway.browse import tree
from shopfloor.gateway.opcua import OpcuaOptions, OpcuaSource
from shopfloor.plant import Batch, Sample, SourceLost, quality
from shopfloor.plant.contracts import Setpoint

ASSET = "delta/water/hall/cell-1/pump-1"
pytestmark = pytest.mark.foreign


def source(port: int, **more: object) -> OpcuaSource:
    options = {
        "url": f"opc.tcp://127.0.0.1:{port}/foreign",
        "security": "none",
        "publishing_interval": "100ms",
        "assets": {"Machines/Pump-1": ASSET},
        "tags": {"Pressure": "pressure", "Counter": "counter", "Broken": "broken", "Axes": "axes"},
    }
    return OpcuaSource("foreign", OpcuaOptions.model_validate(options | more))


async def read_on(batches: AsyncIterator[Batch]) -> None:
    while True:
        await anext(batches)


async def test_a_foreign_server_end_to_end(port: int) -> None:
    found: dict[str, list[Sample]] = {}
    with node_opcua(port) as server:
        everything = source(port, assets={}, tags={}, everything=ASSET)
        async with everything.open() as batches, asyncio.timeout(30):
            while len(found) < 311:
                for sample in await anext(batches):
                    found.setdefault(sample.tag.rpartition("Pump-1.")[2], []).append(sample)
        assert found["Pressure"][0].value == 1.5
        assert found["Running"][0].value == 1.0
        assert found["Starts"][0].value == 42
        assert found["Total"][0].value == 7
        assert found["Program"][0].value == "P-100"
        assert [found[f"Axes[{n}]"][0].value for n in range(3)] == [1.0, 2.0, 3.0]
        assert str(found["Serviced"][0].value).startswith("2024-01-02T03:04:05")
        assert found["Broken"][0].quality == 0x808C0000
        assert found["Channel-299"][0].value == 299.0

        counts: list[int] = []
        mapped = source(port, sampling_interval="10ms")
        async with mapped.open() as batches, asyncio.timeout(30):
            assert server.stdin is not None
            server.stdin.write("set 7.25\n")
            server.stdin.flush()
            pressures: list[float] = []
            while len(counts) < 15 or 7.25 not in pressures:
                for sample in await anext(batches):
                    if sample.tag == f"{ASSET}/counter":
                        counts.append(int(sample.value))
                    if sample.tag == f"{ASSET}/pressure":
                        pressures.append(float(sample.value))
        assert counts == list(range(counts[0], counts[0] + len(counts)))
        assert mapped.detail == ""
        async with mapped.open() as batches, asyncio.timeout(30):
            server.kill()
            with pytest.raises(SourceLost, match="lost"):
                await read_on(batches)
    with pytest.raises(SourceLost, match="Nothing listens"):
        async with source(port).open():
            pass


async def test_a_foreign_server_takes_setpoints(port: int) -> None:
    tags = {"Starts": "starts", "Running": "running", "Total": "total", "Program": "program", "Broken": "broken"}
    given = {"starts": 43, "running": 0, "total": 2**40, "program": "P-200", "broken": 5.0}
    with node_opcua(port):
        one = source(port, tags=tags)
        async with one.open() as batches:
            await anext(batches)
            outcomes = [await one.apply(Setpoint(f"{ASSET}/{name}", value)) for name, value in given.items()]
    assert [outcome.status for outcome in outcomes] == [quality.GOOD] * 5
    assert [outcome.read_back for outcome in outcomes] == [43, 0.0, 2**40, "P-200", 5.0]
    assert [outcome.before for outcome in outcomes[:4]] == [42, 1.0, 7, "P-100"]


def test_a_tree_is_indented() -> None:
    assert tree([(("a", "b"), "x", "1")]) == ["a", "  b  x = 1"]
