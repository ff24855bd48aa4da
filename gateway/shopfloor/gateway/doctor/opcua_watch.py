"""Watching a few variables of an OPC UA server for a few seconds, in a subscription that is deleted afterwards."""

from __future__ import annotations

import time
from asyncio import Event, timeout
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from asyncua import ua
from asyncua.client.ua_session import UaSession


@dataclass(slots=True)
class _Changes:
    """What came beyond the first value of each variable, which every server sends."""

    count: int = 0
    some: Event = field(default_factory=Event)
    _seen: set[int] = field(default_factory=set)

    def take(self, result: Any) -> None:
        """Count the changes of one notification."""
        for one in result.NotificationMessage.NotificationData or ():
            for item in getattr(one, "MonitoredItems", None) or ():
                self.count += item.ClientHandle in self._seen
                self._seen.add(item.ClientHandle)
        if self.count:
            self.some.set()


async def watch(session: UaSession, nodes: Sequence[ua.NodeId], seconds: float) -> tuple[int, float]:
    """How many changes came before the first or the end, and the longest sampling interval in s that was granted."""
    changes, began = _Changes(), time.monotonic()
    made = await session.create_subscription(_parameters(), callback=changes.take)
    try:
        results = await session.create_monitored_items(_wanted(made.SubscriptionId, nodes, 10))
        with suppress(TimeoutError):
            async with timeout(max(0.1, seconds - (time.monotonic() - began))):
                await changes.some.wait()
    finally:
        await session.delete_subscriptions([made.SubscriptionId])
    granted = [one.RevisedSamplingInterval for one in results if one.StatusCode.is_good()]
    return changes.count, max(granted, default=0.0) / 1_000


async def queue(session: UaSession, node: ua.NodeId, size: int) -> int:
    """How many values of a variable the server keeps when it is asked for `size`."""
    made = await session.create_subscription(_parameters(), callback=_Changes().take)
    try:
        (result,) = await session.create_monitored_items(_wanted(made.SubscriptionId, [node], size))
    finally:
        await session.delete_subscriptions([made.SubscriptionId])
    return int(result.RevisedQueueSize) if result.StatusCode.is_good() else size


def _parameters() -> ua.CreateSubscriptionParameters:
    return ua.CreateSubscriptionParameters(
        RequestedPublishingInterval=200,
        RequestedLifetimeCount=1_000,
        RequestedMaxKeepAliveCount=10,
        PublishingEnabled=True,
    )


def _wanted(subscription: int, nodes: Sequence[ua.NodeId], queue: int) -> ua.CreateMonitoredItemsParameters:
    wanted = ua.CreateMonitoredItemsParameters(SubscriptionId=subscription)
    wanted.TimestampsToReturn = ua.TimestampsToReturn.Both
    wanted.ItemsToCreate = [_item(node, handle, queue) for handle, node in enumerate(nodes)]
    return wanted


def _item(node: ua.NodeId, handle: int, queue: int) -> ua.MonitoredItemCreateRequest:
    request = ua.MonitoredItemCreateRequest()
    request.ItemToMonitor.NodeId = node
    request.ItemToMonitor.AttributeId = ua.AttributeIds.Value
    request.MonitoringMode = ua.MonitoringMode.Reporting
    request.RequestedParameters.ClientHandle = handle
    request.RequestedParameters.SamplingInterval = 0.0
    request.RequestedParameters.QueueSize = queue
    return request
