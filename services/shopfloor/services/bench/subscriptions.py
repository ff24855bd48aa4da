"""asyncua's subscription service, with blocks of rows for the variables of the load."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from asyncua import ua
from asyncua.server.internal_server import InternalServer
from asyncua.server.subscription_service import SubscriptionService
from shopfloor.services.bench.rows import Block, Rows, encode


class Subscriptions(SubscriptionService):  # type: ignore[misc]
    """Everything is asyncua's but what the queues hold: a row of bytes for all items of a subscription and tick.

    `note` is a file that gets the number of every tick that a client has acknowledged.
    """

    def __init__(self, server: InternalServer, nodes: Mapping[ua.NodeId, int], note: Path | None = None) -> None:
        super().__init__(server.aspace, server)
        self._nodes = nodes
        self._note = note
        self._blocks: dict[int, Block] = {}
        self._sent: dict[tuple[int, int], list[int]] = {}

    def blocks(self) -> list[Block]:
        """Those of the subscriptions that live."""
        self._blocks = {number: one for number, one in self._blocks.items() if number in self.subscriptions}
        return list(self._blocks.values())

    async def put(self, block: Block, tick: int, time: int) -> None:
        """Queue one tick of a block; the oldest is discarded when its queue is full, as for any item."""
        subscription = self.subscriptions.get(block.subscription)
        if subscription is not None:
            await subscription.enqueue_datachange_event(block.lead, block.rows(tick, time), block.queue)

    async def create_subscription(
        self,
        params: ua.CreateSubscriptionParameters,
        callback: Callable[..., Awaitable[None]],
        session_id: ua.NodeId,
        request_callback: Callable[..., Any] | None = None,
    ) -> ua.CreateSubscriptionResult:
        """A client's notifications are encoded when they leave the queue, whoever asks for them later."""
        answer = await super().create_subscription(params, callback, session_id, request_callback)
        if request_callback is not None:
            self._encode_in(self.subscriptions[answer.SubscriptionId])
        return answer

    def _encode_in(self, subscription: Any) -> None:
        """The callbacks are no place for it: asyncua binds new ones when a session is taken up again."""
        pop = subscription._pop_triggered_datachanges  # noqa: SLF001 (the one place that every message passes)

        def popped(result: ua.PublishResult) -> None:
            pop(result)
            message = result.NotificationMessage
            if self._note is not None:
                key = (subscription.data.SubscriptionId, subscription._notification_seq)  # noqa: SLF001
                self._sent[key] = list(_ticks(message.NotificationData))
            message.NotificationData = [encode(data) for data in message.NotificationData]

        subscription._pop_triggered_datachanges = popped  # noqa: SLF001

    async def create_monitored_items(
        self, params: ua.CreateMonitoredItemsParameters
    ) -> list[ua.MonitoredItemCreateResult]:
        """Create the items; those of the load are told by the block of their subscription."""
        results: list[ua.MonitoredItemCreateResult] = await super().create_monitored_items(params)
        for asked, answer in zip(params.ItemsToCreate, results, strict=True):
            kind = self._nodes.get(asked.ItemToMonitor.NodeId)
            if kind is not None and answer.StatusCode.is_good():
                made = Block(params.SubscriptionId, answer.MonitoredItemId, answer.RevisedQueueSize)
                block = self._blocks.setdefault(params.SubscriptionId, made)
                block.add(kind, asked.RequestedParameters.ClientHandle)
        return results

    def publish(self, acks: Iterable[ua.SubscriptionAcknowledgement]) -> tuple[int, list[ua.StatusCode]]:
        """Note what a client says is safe."""
        acks = list(acks)
        if self._note is not None and acks:
            ticks = [tick for ack in acks for tick in self._sent.pop((ack.SubscriptionId, ack.SequenceNumber), ())]
            with self._note.open("a") as file:
                file.writelines(f"{tick}\n" for tick in ticks)
        answer: tuple[int, list[ua.StatusCode]] = super().publish(acks)
        return answer


def _ticks(data: Iterable[Any]) -> Iterator[int]:
    for one in data:
        if isinstance(one, ua.DataChangeNotification):
            yield from (rows.tick for rows in one.MonitoredItems if isinstance(rows, Rows))
