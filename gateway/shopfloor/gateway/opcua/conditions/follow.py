"""Following the conditions of a server: subscribed beside the values, and handed over as they are.

Source: OPC 10000-9, 5.5.7 (ConditionRefresh), 5.5.8 (ConditionRefresh2), 4.5 (branches); OPC 10000-4, 5.12.2, 7.22.3.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from asyncua import ua
from asyncua.client.ua_session import UaSession
from shopfloor.gateway.opcua.conditions.answer import Answering
from shopfloor.gateway.opcua.conditions.fields import (
    FIELDS,
    NEEDED,
    Fields,
    Loss,
    asks_again,
    event_filter,
    events,
    statement,
)
from shopfloor.gateway.opcua.conditions.options import ConditionOptions
from shopfloor.gateway.opcua.conditions.places import Places
from shopfloor.gateway.opcua.conditions.refresh import Refreshing
from shopfloor.gateway.opcua.items import Item
from shopfloor.gateway.opcua.nodes import namespaces, node_ids, written
from shopfloor.gateway.opcua.subscribe import Subscribed, created
from shopfloor.gateway.opcua.wire import Notification
from shopfloor.plant import Batch, BatchError, Kind, Sample
from shopfloor.plant.condition import Answer, Refresh, Told, tag_of
from shopfloor.plant.contracts import Outcome

if TYPE_CHECKING:
    from shopfloor.gateway.opcua.options import OpcuaOptions

_logger = logging.getLogger(__name__)
_QUEUE: Final = 10_000
"""Events that the server keeps: a flood of a thousand conditions in a link of several seconds."""
_SELECTED: Final = (FIELDS, NEEDED)


@dataclass(slots=True)
class Following:
    """The conditions of one source, over all its links."""

    source: str
    server: OpcuaOptions
    sentence: str = ""
    subscription: int = 0
    _session: UaSession | None = None
    _places: Places | None = None
    _uris: Sequence[str] = ()
    _wanted: Sequence[tuple[str, int, str]] = FIELDS
    _refreshing: Refreshing = field(default_factory=Refreshing)
    _torn: set[int] = field(default_factory=set)
    _arrived: int = 0

    @property
    def detail(self) -> str:
        """What the server does not offer, for people."""
        return " ".join(filter(None, [self.sentence, self._refreshing.sentence if self.subscription else ""]))

    @property
    def options(self) -> ConditionOptions:
        """What the plant file says of them."""
        assert self.server.conditions is not None  # noqa: S101 (nobody is followed without)
        return self.server.conditions

    @property
    def monitored(self) -> tuple[int, ...]:
        """The monitored items of the subscription."""
        return tuple(self._refreshing.items)

    @property
    def notifiers(self) -> tuple[str, ...]:
        """The nodes whose events are followed."""
        return self.options.notifiers

    async def subscribe(self, session: UaSession, items: Mapping[int, Item]) -> list[Subscribed]:
        """A subscription to the events of the notifiers; none, and a sentence, where the server offers no events."""
        await self._over(session, items)
        one = await created(session, self.server)
        wanted, results = await monitor(session, one.id, self.notifiers)
        refused = next((result.StatusCode.name for result in results if not result.StatusCode.is_good()), "")
        taken = [result.MonitoredItemId for result in results if result.StatusCode.is_good()]
        if taken:
            self._wanted, self.subscription = wanted, one.id
            self._refreshing.begin(session, one.id, taken)
            self._say(f"One of the notifiers sends no events ({refused})." if refused else "")
            return [one]
        await session.delete_subscriptions([one.id])
        self.subscription = 0
        self._say(_none(f" ({refused})"))
        return []

    async def resume(
        self, session: UaSession, items: Mapping[int, Item], subscription: int, monitored: Sequence[int]
    ) -> None:
        """The subscription and its monitored items live on; the conditions are told anew all the same."""
        await self._over(session, items)
        self.subscription = subscription
        if subscription:
            self._refreshing.begin(session, subscription, monitored)
        elif not self.sentence:
            self._say(_none())

    async def answer(self, answer: Answer) -> Outcome:
        """Tell the device what somebody says of a condition."""
        return await Answering(self.source, self.server.url, self.options).apply(self._session, answer)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Ask for a refresh now, and whenever one is due, until the block is left."""
        try:
            async with self._refreshing.running():
                yield
        finally:
            self._session = None

    async def read(self, notifications: Sequence[Notification]) -> Batch | None:
        """What the notifications say of conditions, in their order; None when they say nothing."""
        found: list[tuple[int, Fields]] = []
        for body in (body for one in notifications for body in one.events):
            try:
                found += events(body, self._wanted)
            except BatchError as problem:
                _logger.warning("%s: an event cannot be decoded and is passed over: %s", self.source, problem)
                self.missed()
        if not found:
            return None
        told = [one for one in [self._statement(*each) for each in found] if one is not None]
        return self._batch(await self._placed(told, [event.get("SourceNode") for _, event in found])) if told else None

    def missed(self) -> None:
        """Events are lost: all is to be told anew, and a refresh that is under way is not whole."""
        self._torn.update(range(1, len(self.notifiers) + 1))
        self._refreshing.due()

    def _statement(self, handle: int, event: Fields) -> Told | None:
        """A refresh of which events are lost has no end: what it did not tell would be taken for gone."""
        loss = asks_again(event)
        if loss is not None:
            self._refreshing.due()
        if loss is Loss.OVERFLOW:
            self._torn.add(handle)
        notifier = self.notifiers[handle - 1] if 0 < handle <= len(self.notifiers) else ""
        told = statement(event, self.source, notifier, self.options, lambda node: written(node, self._uris))
        if told is not None and told.refresh is Refresh.START:
            self._torn.discard(handle)
        return None if told is not None and told.refresh is Refresh.END and handle in self._torn else told

    async def _placed(self, told: list[Told], nodes: Sequence[object]) -> list[Told]:
        """The statements with their assets: as configured, else by what is read near their sources."""
        known: dict[str, tuple[str, str]] = {}
        if self._places is not None:
            places = await self._places.find(node for node in nodes if isinstance(node, ua.NodeId))
            known = {written(node, self._uris): place for node, place in places.items()}
        given = self.options.assets
        placed = []
        for one in told:
            asset, tag = known.get(one.node, ("", ""))
            configured = given.get(one.subject) or given.get(one.node)
            placed.append(replace(one, asset=configured or asset, tag=tag))
        return placed

    def _batch(self, told: Sequence[Told]) -> Batch:
        """One row each; no two have the same time, as the store keeps one value of a tag at a time."""
        tag = tag_of(self.source)
        rows = []
        for one in told:
            self._arrived = max(time.time_ns(), self._arrived + 1)
            rows.append(Sample(tag, self._arrived, one.to_text()))
        return Batch.of(rows, Kind.TEXT)

    async def _over(self, session: UaSession, items: Mapping[int, Item]) -> None:
        self._session = session
        self._places = Places(session, {item.node: item for item in items.values()})
        self._uris = await namespaces(session)

    def _say(self, sentence: str) -> None:
        if sentence and sentence != self.sentence:
            _logger.warning("%s: %s", self.source, sentence)
        self.sentence = sentence


async def monitor(
    session: UaSession, subscription: int, notifiers: Sequence[str]
) -> tuple[Sequence[tuple[str, int, str]], list[ua.MonitoredItemCreateResult]]:
    """Monitor the events of notifiers in a subscription, with all fields or with those that are needed; the answers."""
    nodes = await node_ids(session, notifiers)
    for wanted in _SELECTED:
        parameters = ua.CreateMonitoredItemsParameters()
        parameters.SubscriptionId = subscription
        parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
        parameters.ItemsToCreate = [_request(node, handle, wanted) for handle, node in enumerate(nodes, 1)]
        results = list(await session.create_monitored_items(parameters))
        if any(result.StatusCode.is_good() for result in results):
            break
    return wanted, results


def _none(why: str = "") -> str:
    return f"The server offers no alarms and conditions{why}: leave 'conditions' out of the source."


def _request(node: ua.NodeId, handle: int, wanted: Sequence[tuple[str, int, str]]) -> ua.MonitoredItemCreateRequest:
    request = ua.MonitoredItemCreateRequest()
    request.ItemToMonitor.NodeId = node
    request.ItemToMonitor.AttributeId = ua.AttributeIds.EventNotifier
    request.MonitoringMode = ua.MonitoringMode.Reporting
    request.RequestedParameters.ClientHandle = handle
    request.RequestedParameters.QueueSize = _QUEUE
    request.RequestedParameters.DiscardOldest = True
    request.RequestedParameters.Filter = event_filter(wanted)
    return request
