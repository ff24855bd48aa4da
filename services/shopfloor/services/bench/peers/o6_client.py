"""o6 (open62541 for Python) as a client: a callback for each value. Runs in the interpreter that the user named."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from typing import Any


def _counter(one: Callable[[int, object], bool], index: int, boolean: type) -> Callable[[Any], None]:
    def changed(value: Any) -> None:
        one(index, bool(value) if isinstance(value, boolean) else value)

    return changed


async def main(asked: dict[str, Any]) -> None:
    """Subscribe, count, delete the subscription; o6 creates the items one by one."""
    import o6

    sys.path.append(sys.argv[2])
    from shopfloor.services.bench.tell import Count, Window, say

    window = Window.listening()
    count = Count(window, asked["items"], keep=asked.get("keep", False))
    async with o6.Client(asked["url"]) as client:
        subscription = await client.createSubscription(float(asked["publish_ms"]), maxNotificationsPerPublish=0)
        begun = time.perf_counter()
        for index in range(asked["items"]):
            await client.monitor(
                asked["node"].format(index), _counter(count.one, index, o6.Boolean), 0.0, subscription=subscription,
                queueSize=asked["queue"],
            )  # fmt: skip
        say("ready", {"subscribe_s": round(time.perf_counter() - begun, 3)})
        await window.over()
        say("result", count.result())
        await subscription.delete()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
