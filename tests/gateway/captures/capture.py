"""Subscribe to the variables of a server and keep its PublishResponses: `python capture.py URL FILE`."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from operator import itemgetter
from pathlib import Path

from asyncua import Client, ua
from asyncua.client.ua_session import UaSession
from asyncua.ua.ua_binary import struct_from_binary

_LARGEST = 2_000
_OF_A_SORT = 20


class Session(UaSession):
    """Asks for notifications only when the capture does."""

    def ensure_publish_loop(self) -> None:
        """Start nothing."""


async def capture(url: str) -> list[str]:
    """The responses until every variable has been reported."""
    client = Client(url, timeout=20)
    client.uaclient.session = session = Session(client.uaclient)
    async with client:
        nodes = await chosen(client)
        parameters = ua.CreateSubscriptionParameters()
        parameters.RequestedPublishingInterval = 100
        parameters.RequestedMaxKeepAliveCount, parameters.RequestedLifetimeCount = 10, 1_000
        parameters.PublishingEnabled = True
        subscription = (await session.create_subscription(parameters, callback=print)).SubscriptionId
        items = ua.CreateMonitoredItemsParameters()
        items.SubscriptionId, items.TimestampsToReturn = subscription, ua.TimestampsToReturn.Both
        items.ItemsToCreate = [item(node, handle) for handle, node in enumerate(nodes, 1)]
        results = await session.create_monitored_items(items)
        lines, seen = [], {n for n, one in enumerate(results, 1) if not one.StatusCode.is_good()}
        while len(seen) < len(nodes):
            body = await session._send_request(ua.PublishRequest(), timeout=0)
            lines.append(bytes(body).hex())
            answer = struct_from_binary(ua.PublishResponse, body)
            for part in answer.Parameters.NotificationMessage.NotificationData or ():
                seen |= {one.ClientHandle for one in getattr(part, "MonitoredItems", ())}
    return lines


async def chosen(client: Client) -> list[ua.NodeId]:
    """Variables below Objects: some of every type, shape and status, each sort in a row, none very large."""
    found: list[tuple[str, ua.NodeId]] = []
    sorts: Counter[object] = Counter()
    level, known = [client.nodes.objects], {client.nodes.server.nodeid}
    while level:
        below = []
        for node in level:
            for reference in await node.get_references(ua.ObjectIds.HierarchicalReferences, ua.BrowseDirection.Forward):
                if reference.NodeId not in known:
                    known.add(reference.NodeId)
                    below.append(client.get_node(reference.NodeId))
                    if reference.NodeClass == ua.NodeClass.Variable and len(found) < _LARGEST:
                        value = await client.get_node(reference.NodeId).read_data_value(raise_on_bad_status=False)
                        sort = sort_of(value)
                        sorts[sort] += 1
                        if "Run-" in reference.BrowseName.Name or (sort and sorts[sort] <= _OF_A_SORT):
                            found.append((repr(sort), reference.NodeId))
        level = below
    return [node for _, node in sorted(found, key=itemgetter(0))]


def sort_of(value: ua.DataValue) -> object:
    """What distinguishes values in the bytes; None for one that is too large for a test."""
    variant = value.Value
    size = len(variant.Value) if variant is not None and isinstance(variant.Value, list | str | bytes) else 0
    kind = (variant.VariantType, variant.is_array, len(variant.Dimensions or ())) if variant is not None else ()
    return None if size > _LARGEST else (kind, value.StatusCode.value if value.StatusCode else 0)


def item(node: ua.NodeId, handle: int) -> ua.MonitoredItemCreateRequest:
    """Report every change of a variable."""
    request = ua.MonitoredItemCreateRequest()
    request.ItemToMonitor.NodeId, request.ItemToMonitor.AttributeId = node, ua.AttributeIds.Value
    request.MonitoringMode = ua.MonitoringMode.Reporting
    request.RequestedParameters.ClientHandle, request.RequestedParameters.QueueSize = handle, 10
    request.RequestedParameters.SamplingInterval = 100.0
    return request


Path(sys.argv[2]).write_text("\n".join(asyncio.run(capture(sys.argv[1]))) + "\n")
