"""asyncua 2.1 as its documentation shows it: the iterator, or a handler that is called for each value."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from datetime import UTC, datetime
from typing import Any

from asyncua import Client, ua
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from shopfloor.services.bench.tell import Count, Window, plan, say


class Handler:
    """Counts in `datachange_notification`."""

    def __init__(self, count: Count, index: dict[ua.NodeId, int]) -> None:
        self._count, self._index = count, index

    def datachange_notification(self, node: Any, value: Any, data: Any) -> None:
        """One value came."""
        if self._count.one(self._index[node.nodeid], value):
            self._count.late(_age(data.monitored_item.Value.SourceTimestamp))


def _age(moment: datetime) -> float:
    return time.time() - moment.replace(tzinfo=UTC).timestamp()


async def main(asked: dict[str, Any]) -> None:
    """Subscribe, count, delete the subscription."""
    logging.disable(logging.CRITICAL)
    window = Window.listening()
    count = Count(window, asked["items"], keep=asked.get("keep", False))
    client = Client(asked["url"], timeout=30)
    if asked.get("certificate"):
        await client.set_security(SecurityPolicyBasic256Sha256, asked["certificate"], asked["private_key"])
    # The supervisor that reconnects, reuses the session and republishes is off by default.
    await client.connect(auto_reconnect=asked.get("keep", False))
    try:
        nodes = [client.get_node(asked["node"].format(index)) for index in range(asked["items"])]
        index = {node.nodeid: number for number, node in enumerate(nodes)}
        handler = Handler(count, index) if asked["mode"] == "handler" else None
        # The default queue of 1,000 silently drops the oldest values of a larger notification.
        subscription = await client.create_subscription(asked["publish_ms"], handler, queue_maxsize=1_000_000)
        begun = time.perf_counter()
        for start in range(0, len(nodes), 1_000):
            await subscription.subscribe_data_change(
                nodes[start : start + 1_000], queuesize=asked["queue"], sampling_interval=0
            )
        say("ready", {"subscribe_s": round(time.perf_counter() - begun, 3)})
        reader = None if handler else asyncio.create_task(_iterate(subscription, count, index))
        await window.over()
        if reader is not None:
            reader.cancel()
        with contextlib.suppress(asyncio.CancelledError, ua.UaError, TimeoutError, ConnectionError):
            await asyncio.wait_for(subscription.delete(), 10)
        say("result", count.result())
    finally:
        with contextlib.suppress(ua.UaError, TimeoutError, ConnectionError):
            await asyncio.wait_for(client.disconnect(), 10)


async def _iterate(subscription: Any, count: Count, index: dict[ua.NodeId, int]) -> None:
    async for event in subscription:
        if count.one(index[event.node.nodeid], event.value):
            count.late(_age(event.data.monitored_item.Value.SourceTimestamp))


if __name__ == "__main__":
    asyncio.run(main(plan()))
