"""An OPC UA server for a simulated device: a tree of variables, cheap writes, setpoints that a client may write.

Without any security policy, therefore on the loopback only: it exists for demonstrations and tests on one machine.
"""

from __future__ import annotations

import gc
import logging
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final, Self

from asyncua import Server, ua
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.address_space import AddressSpace, AttributeService
from shopfloor.plant import quality
from shopfloor.plant.batch import Kind
from shopfloor.simulators import tree
from shopfloor.simulators.announce import Announcements, Methods
from shopfloor.simulators.condition import Condition
from shopfloor.simulators.notify import Subscriptions, Value, Watched, Watcher
from shopfloor.simulators.tree import Variable

ADDRESS: Final = "127.0.0.1"
_VARIANT: Final = {
    Kind.FLOAT: ua.VariantType.Double,
    Kind.INT: ua.VariantType.Int64,
    Kind.TEXT: ua.VariantType.String,
}

Write = Callable[[int, Value], int]
"""Called with the index of a variable and the value a client wrote; answers an OPC UA StatusCode."""

Row = tuple[int, Value, int, int]
"""Index of a variable, value, source time (UTC ns), StatusCode."""


class Node(Watched):
    """A variable as it stands now. Before its first value it is BadWaitingForInitialData."""

    __slots__ = ("index", "kind", "status", "time", "value", "variable", "watchers")

    def __init__(self, index: int, variable: Variable) -> None:
        self.index = index
        self.variable = variable
        self.kind = variable.kind
        self.value: Value | None = None
        self.time = 0
        self.status = quality.BAD_WAITING_FOR_INITIAL_DATA
        self.watchers: dict[tuple[int, int], Watcher] = {}

    def read(self, _node: ua.NodeId, _attribute: ua.AttributeIds) -> ua.DataValue:
        """Its value for a Read service: bad ones without a value."""
        bad = self.status >> 30 >= quality.Severity.BAD
        empty = ua.Variant(None, ua.VariantType.Null)
        moment = datetime.fromtimestamp(self.time // 1000 / 1e6, UTC) if self.time else None
        return ua.DataValue(
            empty if bad else ua.Variant(self.value, _VARIANT[self.kind]),
            ua.StatusCode(self.status),
            SourceTimestamp=moment,
            ServerTimestamp=datetime.now(UTC),
        )


class DeviceServer:
    """Serves `variables` below `Objects/<root>` at `opc.tcp://127.0.0.1:<port>/shopfloor/`.

    An async context manager; `write` publishes rows, `write` of a client goes to `on_write` and is refused with the
    StatusCode that this answers. Without `on_write` nothing is writable. `conditions` are told
    through `alarms`; without any it offers no events. Raises `OSError` when the port is taken.
    """

    def __init__(
        self,
        variables: Sequence[Variable],
        *,
        port: int,
        namespace: str,
        root: str = "Machines",
        on_write: Write | None = None,
        conditions: Sequence[Condition] = (),
    ) -> None:
        self.url = f"opc.tcp://{ADDRESS}:{port}/shopfloor/"
        self._variables = variables
        self._namespace = namespace
        self._root = root
        self._on_write = on_write
        self._nodes = [Node(index, variable) for index, variable in enumerate(variables)]
        self._by_id: dict[ua.NodeId, Node] = {}
        self._server = Server(user_manager=_Visitors())
        self.subscriptions = Subscriptions(self._server.iserver, self._by_id)
        self._conditions = conditions

    async def __aenter__(self) -> Self:
        server = self._server
        with _uncollected():
            await server.init()
        server.set_endpoint(self.url)
        server.set_server_name("Shopfloor simulator")
        await server.set_application_uri("urn:shopfloor:simulator")
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        server.set_identity_tokens([ua.AnonymousIdentityToken])
        namespace = await self._build()
        self._own_clock()
        server.iserver.subscription_service = self.subscriptions
        server.iserver.isession.subscription_service = self.subscriptions
        server.iserver.attribute_service = _Attributes(server.iserver.aspace, self._by_id, self._written)
        await self._offer_conditions(namespace)
        with _Quiet("asyncua.server.server"):
            await server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop()

    async def write(self, rows: Iterable[Row]) -> None:
        """Publish rows in their order; a value of a bad row is not shown to anybody."""
        for index, value, moment, status in rows:
            node = self._nodes[index]
            node.time = moment
            await self.subscriptions.tell(node, value, moment, status)

    async def _build(self) -> int:
        namespace = await self._server.register_namespace(self._namespace)
        aspace = self._server.iserver.aspace
        for answer in await self._server.iserver.isession.add_nodes(
            list(tree.items(self._variables, namespace, self._root))
        ):
            answer.StatusCode.check()
        for node in self._nodes:
            identifier = tree.node_id(node.variable, namespace)
            self._by_id[identifier] = node
            aspace.set_attribute_value_callback(identifier, ua.AttributeIds.Value, node.read)
        return int(namespace)

    async def _offer_conditions(self, namespace: int) -> None:
        """Ours, as the refresh of asyncua knows another service, and it says of every server that it sends events."""
        server = self._server.iserver
        self.alarms = Announcements(self.subscriptions, self._conditions, namespace)
        if self._conditions:
            server.method_service.stop()
            server.method_service = Methods(server.aspace, self.alarms)
        else:
            await self._server.nodes.server.set_event_notifier([])

    def _own_clock(self) -> None:
        """CurrentTime is made when it is read; asyncua's clock writes it every second and is slow to stop."""
        server = self._server.iserver
        server.disabled_clock = True
        server.aspace.set_attribute_value_callback(
            ua.NodeId(ua.ObjectIds.Server_ServerStatus_CurrentTime),
            ua.AttributeIds.Value,
            lambda _node, _attribute: ua.DataValue(ua.Variant(datetime.now(UTC), ua.VariantType.DateTime)),
        )

    async def _written(self, node: Node, written: ua.DataValue) -> int:
        refused = _refusal(node, written)
        if refused or self._on_write is None:
            return refused or ua.StatusCodes.BadNotWritable
        value = written.Value.Value
        status = self._on_write(node.index, value)
        if status == quality.GOOD:
            await self.write([(node.index, value, time.time_ns(), quality.GOOD)])
        return status


def _refusal(node: Node, written: ua.DataValue) -> int:
    """Why a client's write is refused before the device is asked; 0 when it is not."""
    if not node.variable.writable:
        return int(ua.StatusCodes.BadNotWritable)
    variant = written.Value
    if variant is None or variant.is_array or variant.VariantType != _VARIANT[node.kind]:
        return int(ua.StatusCodes.BadTypeMismatch)
    span = node.variable.range
    if span is not None and node.kind is not Kind.TEXT:
        inside = math.isfinite(variant.Value) and span[0] <= variant.Value <= span[1]
        return 0 if inside else int(ua.StatusCodes.BadOutOfRange)
    return 0


class _Attributes(AttributeService):  # type: ignore[misc]
    """asyncua's attribute service, except that a write to one of our variables is asked of the device."""

    def __init__(
        self,
        aspace: AddressSpace,
        nodes: dict[ua.NodeId, Node],
        written: Callable[[Node, ua.DataValue], Awaitable[int]],
    ) -> None:
        super().__init__(aspace)
        self._nodes = nodes
        self._written = written

    async def write(self, params: ua.WriteParameters, user: User | None = None) -> list[ua.StatusCode]:
        user = user or User(role=UserRole.Admin)
        return [await self._write(one, user) for one in params.NodesToWrite]

    async def _write(self, one: ua.WriteValue, user: User) -> ua.StatusCode:
        node = self._nodes.get(one.NodeId)
        if node is not None and one.AttributeId == ua.AttributeIds.Value:
            return ua.StatusCode(await self._written(node, one.Value))
        (status,) = await super().write(ua.WriteParameters(NodesToWrite=[one]), user)
        return status


class _Visitors:
    """Everybody may connect, and nobody may change the address space."""

    def get_user(self, *_: object, **__: object) -> User:
        """A plain user, whoever asks."""
        return User(role=UserRole.User)


@contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage collection while thousands of nodes are made that stay: it takes half of the CPU time otherwise."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


class _Quiet:
    """Keep one logger silent for a moment: the error that it would print is raised anyway."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def __enter__(self) -> None:
        self._logger.disabled = True

    def __exit__(self, *_: object) -> None:
        self._logger.disabled = False
