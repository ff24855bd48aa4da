"""Subscribing: one subscription for each common type, so that values of one type come in runs; large requests."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from asyncua import ua
from asyncua.client.ua_session import UaSession
from shopfloor.gateway.opcua.items import Item
from shopfloor.gateway.opcua.options import OpcuaOptions
from shopfloor.gateway.opcua.requests import Tell, in_parts, limits, silent
from shopfloor.plant import SourceLost
from shopfloor.plant.counted import counted

_logger = logging.getLogger(__name__)
_RARE: Final = 64
_COMMON: Final = 5
_KEEP_ALIVE_S: Final = 2.0
_LIFETIME_S: Final = 300.0


@dataclass(slots=True)
class Subscribed:
    """A subscription on the server. `keep_alive` is the longest silence in s that it promised."""

    id: int
    keep_alive: float
    refused: list[str]


async def subscribe(
    session: UaSession, options: OpcuaOptions, items: dict[int, Item], tell: Tell = silent
) -> list[Subscribed]:
    """Create the subscriptions for the items by client handle."""
    made, done = [], 0
    most = await limits(session)

    def count(more: int) -> None:
        nonlocal done
        done += more
        tell(f"Subscribing: {done:,} of {len(items):,} variables.")

    for group in grouped(items):
        one = await created(session, options)
        await _fill(session, options, one, group, most.monitor, count)
        made.append(one)
    if sum(len(one.refused) for one in made) == len(items):
        raise SourceLost(
            f"{options.url} accepts none of {counted(len(items), 'variable')}: first {made[0].refused[0]}."
        )
    return made


def grouped(items: dict[int, Item]) -> list[dict[int, Item]]:
    """The items by their type on the wire: the five most common ones each for themselves, all rare ones together."""
    counts = Counter(item.wire for item in items.values() if item.wire)
    common = [wire for wire, count in counts.most_common(_COMMON) if count >= _RARE]
    groups: dict[int, dict[int, Item]] = {wire: {} for wire in common}
    rare: dict[int, Item] = {}
    for handle, item in items.items():
        groups.get(item.wire, rare)[handle] = item
    return [group for group in (*groups.values(), rare) if group]


async def created(session: UaSession, options: OpcuaOptions) -> Subscribed:
    """A new subscription without items."""
    interval = options.publishes
    parameters = ua.CreateSubscriptionParameters()
    parameters.RequestedPublishingInterval = interval * 1_000
    parameters.RequestedMaxKeepAliveCount = max(1, round(_KEEP_ALIVE_S / interval))
    parameters.RequestedLifetimeCount = max(3 * parameters.RequestedMaxKeepAliveCount, round(_LIFETIME_S / interval))
    parameters.MaxNotificationsPerPublish = 50_000
    parameters.PublishingEnabled = True
    answer = await session.create_subscription(parameters, callback=_ignore)
    keep_alive = answer.RevisedPublishingInterval * answer.RevisedMaxKeepAliveCount / 1_000
    return Subscribed(answer.SubscriptionId, keep_alive, [])


def _ignore(_result: object) -> None:
    """Notifications are asked for by the `Publisher`."""


async def _fill(
    session: UaSession,
    options: OpcuaOptions,
    to: Subscribed,
    items: dict[int, Item],
    size: int,
    count: Callable[[int], None],
) -> None:
    async def create(handles: Sequence[int]) -> list[str]:
        parameters = ua.CreateMonitoredItemsParameters()
        parameters.SubscriptionId = to.id
        parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
        parameters.ItemsToCreate = [_request(items[handle], handle, options) for handle in handles]
        results = await session.create_monitored_items(parameters)
        count(len(handles))
        return _refused([items[handle] for handle in handles], results)

    to.refused.extend(await in_parts(list(items), size, create))


def _request(item: Item, handle: int, options: OpcuaOptions) -> ua.MonitoredItemCreateRequest:
    request = ua.MonitoredItemCreateRequest()
    request.ItemToMonitor.NodeId = item.node
    request.ItemToMonitor.AttributeId = ua.AttributeIds.Value
    request.MonitoringMode = ua.MonitoringMode.Reporting
    request.RequestedParameters.ClientHandle = handle
    request.RequestedParameters.SamplingInterval = (options.sampling_interval or 0.0) * 1_000
    request.RequestedParameters.QueueSize = options.queue_size
    request.RequestedParameters.DiscardOldest = True
    if options.trigger == "timestamp":
        request.RequestedParameters.Filter = ua.DataChangeFilter(ua.DataChangeTrigger.StatusValueTimestamp)
    return request


def _refused(items: Sequence[Item], results: Sequence[ua.MonitoredItemCreateResult]) -> list[str]:
    return [
        f"{item.tag} ({result.StatusCode.name})"
        for item, result in zip(items, results, strict=True)
        if not result.StatusCode.is_good()
    ]
