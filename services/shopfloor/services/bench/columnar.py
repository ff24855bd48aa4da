"""The load: an OPC UA server whose notifications are numpy columns, so that it never is the slower end.

The wire format is that of any server (OPC 10000-6, 5.2.2.17); sessions, queues, publishing, acknowledgement and
republishing are asyncua's. A stock asyncua server needs about 100 us per value and saturates before a good client.
The value is the number of the tick, and the source time lies on a grid: a lost value can be told from a late one.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from asyncua import Server, ua
from asyncua.server.internal_server import InternalServer
from shopfloor.services.bench.grid import Grid
from shopfloor.services.bench.rows import TYPES
from shopfloor.services.bench.subscriptions import Subscriptions
from shopfloor.services.bench.tell import plan, say

_NAMESPACE: Final = "urn:shopfloor:bench"
_FOLDER: Final = 100


@dataclass(slots=True)
class LoadServer:
    """`items` variables that change `hz` times a second at `opc.tcp://127.0.0.1:<port>/bench`."""

    port: int
    items: int
    grid: Grid
    mixed: bool = False
    certificate: str = ""
    private_key: str = ""
    note: str = ""
    _server: Server = field(default_factory=Server)
    _subscriptions: Subscriptions | None = None

    async def run(self, ready: Callable[[], Awaitable[None]]) -> None:
        """Serve until cancelled."""
        await self._prepare()
        async with self._server:
            await ready()
            await self._beat()

    async def _prepare(self) -> None:
        server = self._server
        await server.init()
        server.set_endpoint(f"opc.tcp://127.0.0.1:{self.port}/bench")
        await server.set_application_uri("urn:shopfloor:bench:server")
        await self._secure()
        inner: InternalServer = server.iserver
        inner.disabled_clock = True
        nodes = await self._build(await server.register_namespace(_NAMESPACE))
        self._subscriptions = Subscriptions(inner, nodes, Path(self.note) if self.note else None)
        inner.subscription_service = inner.isession.subscription_service = self._subscriptions

    async def _secure(self) -> None:
        policies = [ua.SecurityPolicyType.NoSecurity]
        if self.certificate:
            await self._server.load_certificate(self.certificate)
            await self._server.load_private_key(self.private_key)
            policies.append(ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt)
        self._server.set_security_policy(policies)

    async def _build(self, namespace: int) -> dict[ua.NodeId, int]:
        inner = self._server.iserver
        kinds = [self._kind(index) for index in range(self.items)]
        # asyncua compares a new node with all of its siblings: folders keep that short.
        for start in range(0, self.items, _FOLDER):
            some = [_variable(namespace, i, kinds[i]) for i in range(start, min(self.items, start + _FOLDER))]
            for answer in await inner.isession.add_nodes([_folder(namespace, start // _FOLDER), *some]):
                answer.StatusCode.check()
        return {ua.NodeId(f"t{index}", namespace): kind for index, kind in enumerate(kinds)}

    def _kind(self, index: int) -> int:
        """Mixed loads come in blocks, as devices group them: a quarter each of Double, Int32, Boolean and String."""
        return index * len(TYPES) // self.items if self.mixed else 0

    async def _beat(self) -> None:
        assert self._subscriptions is not None  # noqa: S101 (made in `_prepare`)
        tick = 0
        while True:
            due = self.grid.time(tick)
            await asyncio.sleep(max(0.0, (due - time.time_ns()) / 1e9))
            for block in self._subscriptions.blocks():
                await self._subscriptions.put(block, tick, due)
            tick += 1


def _folder(namespace: int, number: int) -> ua.AddNodesItem:
    item = _node(namespace, f"f{number}", ua.NodeId(ua.ObjectIds.ObjectsFolder))
    item.NodeClass = ua.NodeClass.Object
    item.TypeDefinition = ua.NodeId(ua.ObjectIds.FolderType)
    item.NodeAttributes = ua.ObjectAttributes(DisplayName=ua.LocalizedText(f"f{number}"), EventNotifier=0)
    return item


def _node(namespace: int, name: str, parent: ua.NodeId) -> ua.AddNodesItem:
    item = ua.AddNodesItem()
    item.RequestedNewNodeId = ua.NodeId(name, namespace)
    item.BrowseName = ua.QualifiedName(name, namespace)
    item.ParentNodeId = parent
    item.ReferenceTypeId = ua.NodeId(ua.ObjectIds.Organizes)
    return item


def _variable(namespace: int, index: int, kind: int) -> ua.AddNodesItem:
    item = _node(namespace, f"t{index}", ua.NodeId(f"f{index // _FOLDER}", namespace))
    item.NodeClass = ua.NodeClass.Variable
    item.TypeDefinition = ua.NodeId(ua.ObjectIds.BaseDataVariableType)
    one = TYPES[kind]
    item.NodeAttributes = ua.VariableAttributes(
        DisplayName=ua.LocalizedText(f"t{index}"), Value=ua.Variant(one.first, ua.VariantType(one.code)),
        DataType=ua.NodeId(one.code), ValueRank=ua.ValueRank.Scalar, AccessLevel=1, UserAccessLevel=1,
        MinimumSamplingInterval=0.0,
    )  # fmt: skip
    return item


async def main(asked: dict[str, Any]) -> None:
    """Run the server that the bench asked for."""
    logging.disable(logging.CRITICAL)
    grid = Grid.now(asked["hz"])
    keys = {name: asked[name] for name in ("certificate", "private_key", "note") if asked.get(name)}
    server = LoadServer(asked["port"], asked["items"], grid, asked.get("mixed", False), **keys)
    task = asyncio.create_task(server.run(lambda: _announce(server)))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await asyncio.wait({task})
    if not task.cancelled():
        task.result()


async def _announce(server: LoadServer) -> None:
    url = f"opc.tcp://127.0.0.1:{server.port}/bench"
    say("ready", {"url": url, "node": "ns=2;s=t{}", "start": server.grid.start, "period": server.grid.period})


if __name__ == "__main__":
    asyncio.run(main(plan()))
