"""The notification path of the OPC UA server: a value is packed once, where it is written.

asyncua's own path copies every `DataValue` and encodes it field by field, about 100 us a value. Here each monitored
item of a client keeps its last value, and a change is one `struct.pack` that waits in asyncua's own queue of that item.
Everything else (sessions, queues, publishing, acknowledgement, republishing) stays asyncua's.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final

from asyncua import ua
from asyncua.server.internal_server import InternalServer
from asyncua.server.subscription_service import SubscriptionService
from asyncua.ua.ua_binary import struct_to_binary
from shopfloor.plant import quality
from shopfloor.plant.batch import Kind

Value = float | int | str

_EPOCH: Final = 116_444_736_000_000_000  # 1970 in FILETIME ticks of 100 ns
_BODY: Final = ua.NodeId(ua.ObjectIds.DataChangeNotification_Encoding_DefaultBinary)
_VARIANT: Final = {Kind.FLOAT: 11, Kind.INT: 8, Kind.TEXT: 12}
_GOOD: Final = {Kind.FLOAT: struct.Struct("<IBBdq"), Kind.INT: struct.Struct("<IBBqq")}
_STATUS: Final = {Kind.FLOAT: struct.Struct("<IBBdIq"), Kind.INT: struct.Struct("<IBBqIq")}
_NO_VALUE: Final = struct.Struct("<IBIq")


def pack(handle: int, kind: Kind, value: Value, time: int, status: int) -> bytes:
    """One MonitoredItemNotification in OPC UA binary (OPC 10000-6, 5.2.2.17): value, status, source time.

    `time` is UTC ns. A bad status travels without a value; a good one without its status, which is the default.
    """
    ticks = time // 100 + _EPOCH
    if status >> 30 >= quality.Severity.BAD:
        return _NO_VALUE.pack(handle, 0x06, status, ticks)
    if kind is Kind.TEXT:
        text = str(value).encode()
        head = struct.pack(f"<IBBi{len(text)}s", handle, 0x07 if status else 0x05, 12, len(text), text)
        return head + (struct.pack("<Iq", status, ticks) if status else struct.pack("<q", ticks))
    if status:
        return _STATUS[kind].pack(handle, 0x07, _VARIANT[kind], value, status, ticks)
    return _GOOD[kind].pack(handle, 0x05, _VARIANT[kind], value, ticks)


class Watcher:
    """One monitored item of one client on one variable, and the value it was last told."""

    __slots__ = ("_data", "_last", "_subscription")

    def __init__(self, subscription: Any, data: Any, value: Value | None, status: int) -> None:
        self._subscription = subscription
        self._data = data
        self._last = (value, status)

    async def tell(self, kind: Kind, value: Value, time: int, status: int) -> None:
        """Queue the value for the client if its filter lets it pass."""
        data = self._data
        if data.mode == ua.MonitoringMode.Disabled or not self._passes(value, status):
            return
        self._last = (value, status)
        packed = pack(data.client_handle, kind, value, time, status)
        await self._subscription.enqueue_datachange_event(data.monitored_item_id, packed, data.queue_size)

    def _passes(self, value: Value, status: int) -> bool:
        wanted = self._data.filter
        trigger = wanted.Trigger if wanted else ua.DataChangeTrigger.StatusValue
        last, last_status = self._last
        if status != last_status or trigger == ua.DataChangeTrigger.StatusValueTimestamp:
            return True
        if trigger == ua.DataChangeTrigger.Status or value == last:
            return False
        if wanted and wanted.DeadbandType == ua.DeadbandType.Absolute and not isinstance(value, str):
            return not isinstance(last, float | int) or abs(value - last) > wanted.DeadbandValue
        return True


class Watched:
    """What a client can watch: a kind, the current value, and who watches it by (subscription, item)."""

    kind: Kind
    value: Value | None
    status: int
    watchers: dict[tuple[int, int], Watcher]


class Subscriptions(SubscriptionService):  # type: ignore[misc]
    """asyncua's subscription service with packed notifications for the variables in `watched`.

    `arrived` is set, and `loop.time()` kept in `last_arrival`, when a client starts to watch one of them.
    """

    def __init__(self, server: InternalServer, watched: Mapping[ua.NodeId, Watched]) -> None:
        super().__init__(server.aspace, server)
        self._watched = watched
        self._items: dict[tuple[int, int], Watched] = {}
        self.arrived = asyncio.Event()
        self.last_arrival = 0.0

    async def create_subscription(
        self,
        params: ua.CreateSubscriptionParameters,
        callback: Callable[..., Awaitable[None]],
        session_id: ua.NodeId,
        request_callback: Callable[..., Any] | None = None,
    ) -> ua.CreateSubscriptionResult:
        """A client's notifications are encoded when they leave the queue; the server's own ones stay objects."""
        answer: ua.CreateSubscriptionResult = await super().create_subscription(
            params, callback, session_id, request_callback
        )
        if request_callback is not None:
            _encode_in(self.subscriptions[answer.SubscriptionId])
        return answer

    async def create_monitored_items(
        self, params: ua.CreateMonitoredItemsParameters
    ) -> list[ua.MonitoredItemCreateResult]:
        """Create the items and note those that watch our variables; asyncua sends their first value itself."""
        results: list[ua.MonitoredItemCreateResult] = await super().create_monitored_items(params)
        subscription = self.subscriptions[params.SubscriptionId]
        items = subscription.monitored_item_srv._monitored_items  # noqa: SLF001 (no public way to an item's mode)
        self._prune()
        for asked, answer in zip(params.ItemsToCreate, results, strict=True):
            watched = self._watched.get(asked.ItemToMonitor.NodeId)
            if watched is None or answer.MonitoredItemId not in items:
                continue
            if asked.ItemToMonitor.AttributeId == ua.AttributeIds.Value:
                key = (params.SubscriptionId, answer.MonitoredItemId)
                data = items[answer.MonitoredItemId]
                watched.watchers[key] = Watcher(subscription, data, watched.value, watched.status)
                self._items[key] = watched
        self._note_arrival()
        return results

    def delete_monitored_items(self, params: ua.DeleteMonitoredItemsParameters) -> list[ua.StatusCode]:
        """Forget the watchers, then the items."""
        self._forget((params.SubscriptionId, item) for item in params.MonitoredItemIds)
        results: list[ua.StatusCode] = super().delete_monitored_items(params)
        return results

    async def delete_subscriptions(self, ids: list[int]) -> list[ua.StatusCode]:
        """Forget the watchers of these subscriptions, then the subscriptions."""
        self._forget([key for key in self._items if key[0] in ids])
        results: list[ua.StatusCode] = await super().delete_subscriptions(ids)
        return results

    async def tell(self, watched: Watched, value: Value, time: int, status: int) -> None:
        """Tell everybody who watches this variable."""
        watched.value, watched.status = value, status
        for (subscription, _), watcher in list(watched.watchers.items()):
            if subscription in self.subscriptions:
                await watcher.tell(watched.kind, value, time, status)
            else:
                self._prune()

    @property
    def watching(self) -> int:
        """How many items are watched."""
        return len(self._items)

    def _note_arrival(self) -> None:
        if self._items:
            self.last_arrival = asyncio.get_running_loop().time()
            self.arrived.set()

    def _prune(self) -> None:
        self._forget([key for key in self._items if key[0] not in self.subscriptions])

    def _forget(self, keys: Iterable[tuple[int, int]]) -> None:
        for key in keys:
            watched = self._items.pop(key, None)
            if watched is not None:
                watched.watchers.pop(key, None)


def _encode_in(subscription: Any) -> None:
    """The callbacks are no place for it: asyncua binds new ones when a session is taken up again after a lost link."""
    pop = subscription._pop_triggered_datachanges  # noqa: SLF001 (the one place that every message passes)

    def popped(result: ua.PublishResult) -> None:
        pop(result)
        message = result.NotificationMessage
        message.NotificationData = [_encode(data) for data in message.NotificationData]

    subscription._pop_triggered_datachanges = popped  # noqa: SLF001


def _encode(data: Any) -> Any:
    if not isinstance(data, ua.DataChangeNotification):
        return data
    items = [item if isinstance(item, bytes) else struct_to_binary(item) for item in data.MonitoredItems]
    body = b"".join([struct.pack("<i", len(items)), *items, struct.pack("<i", -1)])
    return ua.ExtensionObject(TypeId=_BODY, Body=body)
