"""A thousand machines on one broker: every message of each is in the spool, in whatever order they spoke."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import mqtt_fleet
import pytest
from brokers import Broker, mosquitto_broker, nats_broker, running
from shopfloor.gateway.conform import Conform
from shopfloor.gateway.mqtt import CONNECTOR, MqttOptions
from shopfloor.gateway.pipeline import Feed
from shopfloor.gateway.spool import Committer, Spool
from shopfloor.gateway.state import SourceState, State
from shopfloor.plant import Batch

DEVICES, EACH = 1_000, 5
TOPIC = {"topic": "fleet/{asset}/{tag}", "value": "v", "time": "t", "tag": "delta/hall/line/cell/{asset}/{tag}"}


@pytest.mark.parametrize("make", [mosquitto_broker, nats_broker])
async def test_a_thousand_devices_lose_nothing(
    tmp_path: Path, plant: Any, wait_until: Callable[..., Any], make: Callable[[Path], Broker]
) -> None:
    with running(make(tmp_path)) as broker, Spool.open(tmp_path / "data", "edge") as spool:
        options = MqttOptions.model_validate({"url": broker.url, "topics": [TOPIC]})
        source = CONNECTOR.build("fleet", options, plant, tmp_path)
        committer = Committer(spool)
        feed = Feed(source, SourceState("fleet"), committer, Conform(plant))
        async with committer.running():
            task = asyncio.create_task(feed.run())
            await wait_until(lambda: feed.state.state is State.CONNECTED)
            command = [sys.executable, mqtt_fleet.__file__, broker.url, "--devices", str(DEVICES), "--each", str(EACH)]
            fleet = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL)
            assert await fleet.wait() == 0
            await wait_until(lambda: feed.state.values >= DEVICES * EACH, 60)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        stored = [sample for row in spool.peek(rows=10_000) for sample in Batch.from_bytes(row.data)]
    assert source.malformed == 0
    expected = {(f"machine-{device:04d}", n) for device in range(DEVICES) for n in range(EACH)}
    assert {(sample.tag.split("/")[4], int(sample.value)) for sample in stored} == expected
    assert len({(sample.tag, sample.time) for sample in stored}) == DEVICES * EACH
