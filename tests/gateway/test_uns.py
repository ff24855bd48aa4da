"""The unified namespace: whoever comes late sees the last value of every tag, and nothing holds up a source."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from brokers import Broker, mosquitto_broker, nats_broker, running
from hypothesis import given
from hypothesis import strategies as st
from shopfloor.gateway.mqtt.columns import Columns
from shopfloor.gateway.mqtt.connection import Connection
from shopfloor.gateway.mqtt.mapping import Mapping
from shopfloor.gateway.mqtt.options import TopicOptions
from shopfloor.gateway.mqtt.wire import Hello
from shopfloor.gateway.uns import Namespace
from shopfloor.gateway.uns.latest import Latest, payload
from shopfloor.plant import Batch, Kind, Sample, Tag
from shopfloor.plant.config import BrokerSection, UnsSection

ASSET = "delta/frames/machining/cell-a/cnc-01"
NS = 1_000_000
BAD = 0x808C0000


@asynccontextmanager
async def publishing(broker: Broker, plant: Any, **more: Any) -> AsyncIterator[Namespace]:
    options = UnsSection.model_validate({"url": broker.url, "every": "50ms", **more})
    namespace = Namespace(options, "edge-1", plant)
    namespace.backoff.cap = 0.3
    task = asyncio.create_task(namespace.run())
    try:
        yield namespace
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def tree(broker: Broker, wanted: int) -> dict[str, Any]:
    """What a client that connects now is shown."""
    link = Connection(BrokerSection(url=broker.url), Hello(""), linger=0.2)
    found: dict[str, Any] = {}
    try:
        await link.connect(["uns/#"])
        async with asyncio.timeout(15):
            while len(found) < wanted:
                for topic, body, _, _ in await link.messages():
                    found[topic.decode().removeprefix("uns/")] = json.loads(body)
    finally:
        await link.close()
    return found


@pytest.mark.parametrize("make", [mosquitto_broker, nats_broker])
async def test_a_late_comer_sees_the_last_value_of_every_tag(
    tmp_path: Path, plant: Any, wait_until: Callable[..., Any], make: Callable[[Path], Broker]
) -> None:
    plant.tags[f"{ASSET}/power"] = Tag("power", unit="kW")
    with running(make(tmp_path)) as broker:
        async with publishing(broker, plant) as namespace:
            namespace.tap(Batch.of([Sample(f"{ASSET}/power", n * NS, n / 2) for n in range(1, 6)]))
            namespace.tap(Batch.of([Sample(f"{ASSET}/power", 2 * NS, 99.0)]))
            namespace.tap(Batch.of([Sample(f"{ASSET}/state", 7 * NS, "läuft")]))
            namespace.tap(Batch.of([Sample(f"{ASSET}/count", 8 * NS, 2**53 + 1)]))
            namespace.tap(Batch.of([Sample(f"{ASSET}/load", 9 * NS, float("nan"), BAD)]))
            await wait_until(lambda: namespace.published == 4)
            shown = await tree(broker, 5)
            assert shown.pop("_gateway/edge-1")["state"] == "online"
            assert shown == {
                f"{ASSET}/power": {"value": 2.5, "time": 5, "quality": "Good", "unit": "kW"},
                f"{ASSET}/state": {"value": "läuft", "time": 7, "quality": "Good", "unit": ""},
                f"{ASSET}/count": {"value": 2**53 + 1, "time": 8, "quality": "Good", "unit": ""},
                f"{ASSET}/load": {"value": None, "time": 9, "quality": "BadSensorFailure", "unit": ""},
            }
            assert namespace.report() == {
                "url": broker.url, "prefix": "uns", "state": "connected", "detail": "", "tags": 4, "waiting": 0,
                "published": 4, "replaced": 0,
            }  # fmt: skip
        shown = await tree(broker, 5)
        assert shown["_gateway/edge-1"]["state"] == "offline"
        assert namespace.report()["state"] == "stopped"


async def test_a_tag_is_published_at_most_once_in_a_period_and_the_latest_wins(
    tmp_path: Path, plant: Any, wait_until: Callable[..., Any]
) -> None:
    with running(mosquitto_broker(tmp_path)) as broker:
        async with publishing(broker, plant, every="300ms") as namespace:
            await wait_until(lambda: namespace.report()["state"] == "connected")
            for n in range(100):
                namespace.tap(Batch.of([Sample(f"{ASSET}/load", n * NS, float(n))]))
                await asyncio.sleep(0.01)
                assert sum(namespace.report()[key] for key in ("published", "replaced", "waiting")) == n + 1
            await wait_until(lambda: namespace.report()["waiting"] == 0)
            assert namespace.published + namespace.report()["replaced"] == 100
            assert namespace.published < 30
            assert (await tree(broker, 2))[f"{ASSET}/load"]["value"] == 99.0


async def test_a_broker_that_goes_and_comes_back_is_shown_everything_again(
    tmp_path: Path, plant: Any, wait_until: Callable[..., Any]
) -> None:
    broker = mosquitto_broker(tmp_path)
    async with publishing(broker, plant) as namespace:
        namespace.tap(Batch.of([Sample(f"{ASSET}/load", 1 * NS, 1.0)]))
        await wait_until(lambda: namespace.report()["state"] == "waiting")
        assert "Nothing answers at" in namespace.report()["detail"]
        with running(broker):
            await wait_until(lambda: namespace.published == 1)
            broker.kill()
            await wait_until(lambda: namespace.report()["state"] == "waiting")
            namespace.tap(Batch.of([Sample(f"{ASSET}/power", 2 * NS, 2.0)]))
            broker.start()
            shown = await tree(broker, 3)
            assert (shown[f"{ASSET}/load"]["value"], shown[f"{ASSET}/power"]["value"]) == (1.0, 2.0)
            assert namespace.report()["detail"] == ""


async def test_the_broker_says_when_the_gateway_is_cut_off(tmp_path: Path, plant: Any) -> None:
    with running(mosquitto_broker(tmp_path)) as broker:
        namespace = Namespace(UnsSection(url=broker.url), "edge-1", plant)
        async with namespace._connected() as link:
            assert (await tree(broker, 1))["_gateway/edge-1"]["state"] == "online"
            assert link._transport is not None
            link._transport.abort()
            await link.gone()
        assert (await tree(broker, 1))["_gateway/edge-1"]["state"] == "offline"


FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 20), FLOATS), min_size=1, max_size=40))
def test_the_newest_value_of_each_tag_is_kept(rows: list[tuple[str, int, float]]) -> None:
    latest, expected = Latest(), dict[str, tuple[int, float]]()
    for start in range(0, len(rows), 7):
        latest.take(Batch.of([Sample(f"{ASSET}/{tag}", time, value) for tag, time, value in rows[start : start + 7]]))
    for tag, time, value in rows:
        if time >= expected.get(tag, (-1, 0.0))[0]:
            expected[tag] = (time, value)
    assert {name[-1]: last[:2] for name, last in latest.known.items()} == expected
    assert latest.waiting == len(expected)


@pytest.mark.parametrize("status", [0, 0x40000000, BAD, 0x80010000, 0x408F0000])
@pytest.mark.parametrize(("kind", "value"), [(Kind.FLOAT, 1e300), (Kind.INT, -(2**63)), (Kind.TEXT, "«ж»")])
def test_what_is_published_can_be_read_back_by_the_mqtt_source(status: int, kind: Kind, value: Any, plant: Any) -> None:
    plant.tags[f"{ASSET}/x"] = Tag("x", kind)
    tag = "{site}/{area}/{line}/{cell}/{asset}/{tag}"
    form = TopicOptions(topic=f"uns/{tag}", tag=tag, value="value", time="time", time_unit="ms", quality="quality")
    columns = Columns()
    body = payload((5 * NS, value, status), "kW")
    Mapping.of([form], plant).read(f"uns/{ASSET}/x".encode(), body, 0, columns)
    assert [list(batch) for batch in columns.batches()] == [[Sample(f"{ASSET}/x", 5 * NS, value, status)]]
