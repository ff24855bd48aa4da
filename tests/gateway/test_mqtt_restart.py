"""Brokers that go down and come back, gateways that are cut off in full flow: what was published is in the spool."""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from brokers import Broker, mosquitto_broker, nats_broker, running
from shopfloor.gateway.backoff import Backoff
from shopfloor.gateway.conform import Conform
from shopfloor.gateway.mqtt import CONNECTOR, MqttOptions
from shopfloor.gateway.mqtt.connection import Connection
from shopfloor.gateway.mqtt.wire import Hello
from shopfloor.gateway.pipeline import Feed
from shopfloor.gateway.spool import Committer, Spool
from shopfloor.gateway.state import SourceState, State
from shopfloor.plant import Batch, SourceLost
from shopfloor.plant.config import BrokerSection

TAG = "delta/frames/machining/cell-a/cnc-01"
TOPIC = {"topic": "f/{tag}", "value": "v", "time": "t", "time_unit": "ns", "tag": f"{TAG}/{{tag}}"}


def durable_mosquitto(folder: Path) -> Broker:
    more = f"persistence true\npersistence_location {folder}/\nautosave_interval 0\nmax_queued_messages 0"
    return mosquitto_broker(folder, more=more)


def durable_nats(folder: Path) -> Broker:
    return nats_broker(folder, ack_wait="1s")


async def publish(broker: Broker, numbers: range) -> None:
    """Publish until the broker has acknowledged every one, through every restart; some may be published twice."""
    left = [(f"f/{n % 7}", b'{"v": %d, "t": %d}' % (n, 1_000 + n)) for n in numbers]
    while left:
        link = Connection(BrokerSection(url=broker.url), Hello("machine", 5))
        try:
            await link.connect()
            while left:
                await link.publish(left[:20])
                del left[:20]
                await asyncio.sleep(0.005)
        except SourceLost:
            await asyncio.sleep(0.05)
        finally:
            await link.close()


@pytest.mark.parametrize("make", [durable_mosquitto, durable_nats])
async def test_restarts_and_cuts_lose_nothing(
    tmp_path: Path, plant: Any, wait_until: Callable[..., Any], make: Callable[[Path], Broker]
) -> None:
    chance, messages = random.Random(3), 3_000
    options = MqttOptions.model_validate({"url": "mqtt://127.0.0.1", "topics": [TOPIC], "linger": "20ms"})
    with running(make(tmp_path)) as broker, Spool.open(tmp_path / "data", "edge") as spool:
        committer = Committer(spool)
        async with committer.running():

            def start() -> tuple[Feed, asyncio.Task[None]]:
                again = options.model_copy(update={"url": broker.url})
                source = CONNECTOR.build("line", again, plant, tmp_path)
                state = SourceState("line")
                feed = Feed(source, state, committer, Conform(plant), Backoff(0.02, 0.1, chance))
                return feed, asyncio.create_task(feed.run())

            feed, task = start()
            await wait_until(lambda: feed.state.state is State.CONNECTED)
            machine = asyncio.create_task(publish(broker, range(messages)))
            for round_ in range(6):
                await asyncio.sleep(chance.uniform(0.05, 0.25))
                if round_ % 2:
                    await asyncio.to_thread(broker.stop)
                    broker.start()
                else:
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task
                    feed, task = start()
            await machine

            def stored() -> list[tuple[int, float]]:
                rows = spool.peek(rows=100_000, size=10**9)
                return [(sample.time, sample.value) for row in rows for sample in Batch.from_bytes(row.data)]  # type: ignore[misc]

            expected = {(1_000 + n, float(n)) for n in range(messages)}
            await wait_until(lambda: set(stored()) == expected, 30)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    assert feed.source.malformed == 0  # type: ignore[attr-defined]


async def test_a_source_that_is_closed_before_the_commit_gets_its_messages_again(tmp_path: Path, plant: Any) -> None:
    with running(mosquitto_broker(tmp_path)) as broker:
        options = MqttOptions.model_validate({"url": broker.url, "topics": [TOPIC]})
        found = []
        for _ in range(3):
            async with CONNECTOR.build("line", options, plant, tmp_path).open() as batches:
                if not found:
                    await publish(broker, range(5))
                found.append({sample.time for sample in await anext(batches)})
        assert found == [{1_000, 1_001, 1_002, 1_003, 1_004}] * 3
