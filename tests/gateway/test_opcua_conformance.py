"""node-opcua's address space for conformance testing: every variable of the server, read through the source."""

from __future__ import annotations

import asyncio
import math
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from asyncua import Client, ua
from shopfloor.gateway.opcua import OpcuaOptions, OpcuaSource
from shopfloor.gateway.opcua.leaves import leaves
from shopfloor.plant import Batch

FOLDER = Path(__file__).parents[1] / "foreign" / "node_opcua"
INSTALLED = [FOLDER / "node_modules", FOLDER.parents[2] / "build" / "node_opcua" / "node_modules"]
PACKAGE = "node-opcua-address-space-for-conformance-testing"
ASSET = "delta/water/hall/cell-1/pump-1"
CHUNK = 100
pytestmark = [pytest.mark.foreign, pytest.mark.timeout(600)]


@asynccontextmanager
async def conformance_server(port: int) -> AsyncIterator[None]:
    modules = next((path for path in INSTALLED if (path / PACKAGE).is_dir()), None)
    node = shutil.which("node")
    if modules is None or node is None:
        sentence = f"{PACKAGE} is not installed: run 'npm ci' in tests/foreign/node_opcua."
        pytest.fail(sentence) if os.environ.get("CI", "").lower() == "true" else pytest.skip(sentence)
    process = await asyncio.create_subprocess_exec(
        node,
        str(FOLDER / "conformance.js"),
        str(port),
        env=os.environ | {"NODE_PATH": str(modules)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(90):
            while not (await process.stdout.readline()).startswith(b"ready"):
                assert process.returncode is None, "the foreign server ended"
        yield
    finally:
        process.kill()
        await process.communicate()


async def variables(client: Client) -> list[ua.NodeId]:
    """Every variable below Objects, those of the server's own state included."""
    level, seen, found = [client.nodes.objects.nodeid], {client.nodes.objects.nodeid}, []
    while level:
        below = []
        for start in range(0, len(level), CHUNK):
            parameters = ua.BrowseParameters(NodesToBrowse=[described(one) for one in level[start : start + CHUNK]])
            for result in await client.uaclient.session.browse(parameters):
                assert not result.ContinuationPoint
                for reference in result.References or ():
                    if reference.NodeId not in seen:
                        seen.add(reference.NodeId)
                        below.append(reference.NodeId)
                        if reference.NodeClass == ua.NodeClass.Variable:
                            found.append(reference.NodeId)
        level = below
    return found


def described(node: ua.NodeId) -> ua.BrowseDescription:
    return ua.BrowseDescription(
        node,
        ua.BrowseDirection.Forward,
        ua.NodeId(ua.ObjectIds.HierarchicalReferences),
        IncludeSubtypes=True,
        ResultMask=ua.BrowseResultMask.NodeClass,
    )


async def read(client: Client, nodes: list[ua.NodeId]) -> list[ua.DataValue]:
    """A plain read by asyncua."""
    return [
        value
        for start in range(0, len(nodes), CHUNK)
        for value in await client.uaclient.session.read_attributes(nodes[start : start + CHUNK], ua.AttributeIds.Value)
    ]


class Seen:
    """The newest values of each variable in the order of its elements, and its qualities, from the batches."""

    def __init__(self) -> None:
        self.values: dict[int, dict[str, Any]] = {}
        self.quality: dict[int, int] = {}
        self._variable: dict[tuple[str, ...], np.ndarray[Any, Any]] = {}

    def add(self, batch: Batch) -> None:
        variable = self._of(batch.names)[batch.tag]
        edges = [0, *(np.flatnonzero(np.diff(variable)) + 1).tolist(), len(variable)]
        for start, end in pairwise(edges):
            number = int(variable[start])
            self.values.setdefault(number, {})[batch.kind] = batch.value[start:end].tolist()
            self.quality[number] = int(batch.quality[start])

    def _of(self, names: tuple[str, ...]) -> np.ndarray[Any, Any]:
        """Which variable each name belongs to: `…/v17`, `…/v17[3]`, `…/v17.field`."""
        known = next((found for one, found in self._variable.items() if one is names), None)
        if known is None:
            heads = (name[len(ASSET) + 2 :].partition("[")[0].partition(".")[0] for name in names)
            known = self._variable[names] = np.fromiter(map(int, heads), np.int64, len(names))
        return known


def flat(value: ua.DataValue) -> list[Any]:
    return [leaf for _, leaf in leaves("t", value.Value)]


def equal(found: Iterable[Any], expected: Iterable[Any]) -> bool:
    return all(
        a == b or str(b) == a or (isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b))
        for a, b in zip(found, expected, strict=True)
    )


async def test_every_variable_of_the_conformance_address_space(port: int) -> None:
    url = f"opc.tcp://127.0.0.1:{port}/foreign"
    async with conformance_server(port), Client(url, timeout=60, watchdog_intervall=60) as client:
        nodes = await variables(client)
        seen, source = Seen(), everything(url, nodes)
        async with source.open() as batches, asyncio.timeout(400):
            before = await read(client, nodes)
            while len(seen.values) < len(nodes) - len(refused(source)):
                seen.add(await anext(batches))
            after = await read(client, nodes)
    assert len(nodes) > 4_800
    assert source.malformed == 0
    assert refused(source) == []
    steady = [n for n in range(len(nodes)) if not simulated(nodes[n]) and flat(before[n]) == flat(after[n])]
    assert len(steady) > 0.95 * len(nodes)
    for n in steady:
        wanted, found = flat(before[n]), seen.values[n]
        status = before[n].StatusCode.value if before[n].StatusCode else 0
        assert seen.quality[n] == status, (nodes[n], before[n])
        if wanted and status < 0x80000000:
            assert sum(map(len, found.values())) >= len(wanted), (nodes[n], before[n])
        if len(found) == 1 and wanted and status < 0x80000000:
            (newest,) = (values[-len(wanted) :] for values in found.values())
            assert equal(newest, wanted), (nodes[n], before[n], found)


def simulated(node: ua.NodeId) -> bool:
    """Whether the server changes it all the time: a boolean may be what it was before, and have been another."""
    return "_Simulation_" in str(node.Identifier)


def everything(url: str, nodes: list[ua.NodeId]) -> OpcuaSource:
    options = OpcuaOptions.model_validate(
        {
            "url": url,
            "security": "none",
            "publishing_interval": "200ms",
            "sampling_interval": "200ms",
            "nodes": [{"node": node.to_string(), "tag": f"{ASSET}/v{n}"} for n, node in enumerate(nodes)],
        }
    )
    return OpcuaSource("conformance", options)


def refused(source: OpcuaSource) -> list[str]:
    return [source.detail] if source.detail else []
