"""Our edge node on a real broker, read as raw protobuf by a listener, and by our own host application."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from brokers import Broker, mosquitto_broker, running
from shopfloor.gateway.sparkplug.edge import EdgeNode
from shopfloor.gateway.sparkplug.metrics import Metrics, device_of
from shopfloor.gateway.sparkplug.topics import Topic
from shopfloor.plant import Batch, Outcome, PathError, Sample, Setpoint, TagPath, quality
from shopfloor.plant.config import SparkplugSection
from sparkplug_nodes import BOOLEAN, DOUBLE, INT64, Listener, metric, now_ms, payload

ASSET = "north/stamping/line-1/cell-1/press-1"
DEVICE = ASSET.replace("/", ":")
FORCE = f"{ASSET}/force"
BASE = "spBv1.0/plant"


def edge_node(port: int, folder: Path, **more: Any) -> EdgeNode:
    given = {"url": f"mqtt://127.0.0.1:{port}", "group": "plant", "rebirth_every": "500ms"} | more
    write = given.pop("write", None)
    return EdgeNode(SparkplugSection.model_validate(given), "gw-1", folder, Metrics(), write)


@asynccontextmanager
async def at_work(node: EdgeNode) -> AsyncIterator[EdgeNode]:
    task = asyncio.create_task(node.run())
    try:
        yield node
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def forces(*values: float, start: int | None = None, status: int = 0) -> Batch:
    first = now_ms() if start is None else start
    return Batch.of([Sample(FORCE, (first + n) * 1_000_000, value, status) for n, value in enumerate(values)])


def subscriptions(sent: list[Any]) -> list[tuple[Any, int]]:
    return [(topics, qos) for what, topics, qos in sent if what == "subscribe"]


@pytest.mark.sparkplug(
    "tck-id-topics-nbirth-topic",
    "tck-id-topics-dbirth-topic",
    "tck-id-topics-ddata-topic",
    "tck-id-topics-nbirth-metric-reqs",
    "tck-id-topics-nbirth-metrics",
    "tck-id-operational-behavior-data-publish-nbirth",
    "tck-id-operational-behavior-data-publish-nbirth-values",
    "tck-id-message-flow-edge-node-birth-publish-connect",
    "tck-id-payloads-sequence-num-always-included",
    "tck-id-topics-nbirth-mqtt",
    "tck-id-topics-nbirth-seq-num",
    "tck-id-topics-nbirth-timestamp",
    "tck-id-topics-nbirth-bdseq-included",
    "tck-id-topics-nbirth-rebirth-metric",
    "tck-id-topics-dbirth-mqtt",
    "tck-id-topics-dbirth-seq",
    "tck-id-topics-dbirth-timestamp",
    "tck-id-topics-dbirth-metrics",
    "tck-id-topics-ddata-mqtt",
    "tck-id-topics-ddata-seq-num",
    "tck-id-topics-ddata-timestamp",
    "tck-id-topics-ddata-payload",
    "tck-id-topic-structure",
    "tck-id-topic-structure-namespace-a",
    "tck-id-topic-structure-namespace-device-id-associated-message-types",
    "tck-id-topic-structure-namespace-device-id-non-associated-message-types",
    "tck-id-principles-birth-certificates-order",
    "tck-id-payloads-timestamp-in-UTC",
    "tck-id-payloads-sequence-num-zero-nbirth",
    "tck-id-payloads-sequence-num-incrementing",
    "tck-id-payloads-alias-uniqueness",
    "tck-id-payloads-alias-birth-requirement",
    "tck-id-payloads-alias-data-cmd-requirement",
    "tck-id-payloads-name-birth-data-requirement",
    "tck-id-payloads-name-requirement",
    "tck-id-payloads-metric-timestamp-in-UTC",
    "tck-id-payloads-metric-datatype-req",
    "tck-id-payloads-metric-datatype-value",
    "tck-id-payloads-nbirth-timestamp",
    "tck-id-payloads-nbirth-seq",
    "tck-id-payloads-nbirth-bdseq",
    "tck-id-payloads-nbirth-rebirth-req",
    "tck-id-payloads-nbirth-qos",
    "tck-id-payloads-nbirth-retain",
    "tck-id-payloads-dbirth-timestamp",
    "tck-id-payloads-dbirth-seq",
    "tck-id-payloads-dbirth-seq-inc",
    "tck-id-payloads-dbirth-order",
    "tck-id-payloads-dbirth-qos",
    "tck-id-payloads-dbirth-retain",
    "tck-id-payloads-ddata-timestamp",
    "tck-id-payloads-ddata-seq",
    "tck-id-payloads-ddata-seq-inc",
    "tck-id-payloads-ddata-order",
    "tck-id-payloads-ddata-qos",
    "tck-id-payloads-ddata-retain",
    "tck-id-message-flow-edge-node-birth-publish-nbirth-topic",
    "tck-id-message-flow-edge-node-birth-publish-nbirth-payload",
    "tck-id-message-flow-edge-node-birth-publish-nbirth-payload-bdSeq",
    "tck-id-message-flow-edge-node-birth-publish-nbirth-qos",
    "tck-id-message-flow-edge-node-birth-publish-nbirth-retained",
    "tck-id-message-flow-edge-node-birth-publish-nbirth-payload-seq",
    "tck-id-message-flow-device-birth-publish-nbirth-wait",
    "tck-id-message-flow-device-birth-publish-dbirth-topic",
    "tck-id-message-flow-device-birth-publish-dbirth-match-edge-node-topic",
    "tck-id-message-flow-device-birth-publish-dbirth-payload",
    "tck-id-message-flow-device-birth-publish-dbirth-qos",
    "tck-id-message-flow-device-birth-publish-dbirth-retained",
    "tck-id-message-flow-device-birth-publish-dbirth-payload-seq",
    "tck-id-operational-behavior-data-publish-dbirth-values",
    "tck-id-operational-behavior-data-publish-dbirth-order",
    "tck-id-operational-behavior-data-commands-rebirth-name",
    "tck-id-operational-behavior-data-commands-rebirth-name-aliases",
    "tck-id-operational-behavior-data-commands-rebirth-datatype",
    "tck-id-operational-behavior-data-commands-rebirth-value",
)
async def test_births_come_first_and_data_follows_in_sequence(
    broker: Broker, listener: Listener, tmp_path: Path, wait_until: Callable[..., Any]
) -> None:
    before = now_ms()
    await wait_until(lambda: listener.ready)
    node = edge_node(broker.port, tmp_path)
    node.tap(forces(1.0))
    node.tap(Batch.of([Sample(f"{ASSET}/program", now_ms() * 1_000_000, "A")]))
    async with at_work(node):
        await wait_until(lambda: listener.of("DBIRTH"))
        for value in range(300):
            node.tap(forces(float(value)))
        await wait_until(lambda: len(listener.values()) >= 300)
    topics = [topic for topic, *_ in listener.heard]
    assert topics[:2] == [f"{BASE}/NBIRTH/gw-1", f"{BASE}/DBIRTH/gw-1/{DEVICE}"]
    assert set(topics[2:]) == {f"{BASE}/DDATA/gw-1/{DEVICE}", f"{BASE}/NDEATH/gw-1"}
    assert all((qos, retain) == (0, False) for topic, _, qos, retain in listener.heard if "NDEATH" not in topic)
    numbered = [read for topic, read, *_ in listener.heard if "NDEATH" not in topic]
    assert [read.seq for read in numbered] == [n % 256 for n in range(len(numbered))]
    assert all(read.HasField("seq") and before <= read.timestamp <= now_ms() for read in numbered)
    check_births(listener, before)
    data = [one for read in listener.of("DDATA") for one in read.metrics if one.HasField("double_value")]
    assert [one.double_value for one in data if not one.is_historical][-300:] == [float(value) for value in range(300)]
    assert all(not one.name and one.alias and not one.HasField("datatype") and one.timestamp for one in data)


def check_births(listener: Listener, before: int) -> None:
    [nbirth], [dbirth] = listener.of("NBIRTH"), listener.of("DBIRTH")
    bdseq, control = nbirth.metrics
    assert (bdseq.name, bdseq.datatype, bdseq.long_value) == ("bdSeq", INT64, 0)
    assert (control.name, control.datatype, control.boolean_value) == ("Node Control/Rebirth", BOOLEAN, False)
    assert not control.HasField("alias")
    assert {one.name for one in dbirth.metrics} == {"force", "program"}
    assert len({one.alias for one in dbirth.metrics}) == 2
    assert {one.datatype for one in dbirth.metrics} == {DOUBLE, 12}
    assert all(one.timestamp >= before for one in (*nbirth.metrics, *dbirth.metrics))
    assert {one.WhichOneof("value") for one in dbirth.metrics} == {"double_value", "string_value"}


@pytest.mark.sparkplug(
    "tck-id-topics-ndeath-topic",
    "tck-id-topics-ndeath-payload",
    "tck-id-topics-ndeath-seq",
    "tck-id-topics-nbirth-bdseq-matching",
    "tck-id-payloads-nbirth-bdseq-repeat",
    "tck-id-payloads-ndeath-seq",
    "tck-id-payloads-ndeath-will-message",
    "tck-id-payloads-ndeath-will-message-qos",
    "tck-id-payloads-ndeath-will-message-retain",
    "tck-id-payloads-ndeath-bdseq",
    "tck-id-message-flow-edge-node-birth-publish-will-message",
    "tck-id-message-flow-edge-node-birth-publish-will-message-topic",
    "tck-id-message-flow-edge-node-birth-publish-will-message-payload",
    "tck-id-message-flow-edge-node-birth-publish-will-message-payload-bdSeq",
    "tck-id-message-flow-edge-node-birth-publish-will-message-qos",
    "tck-id-message-flow-edge-node-birth-publish-will-message-will-retained",
    "tck-id-topics-nbirth-bdseq-increment",
)
async def test_a_node_that_vanishes_leaves_its_death(
    broker: Broker, listener: Listener, tmp_path: Path, wait_until: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    await wait_until(lambda: listener.ready)
    from shopfloor.gateway.mqtt.connection import Connection

    links: list[Connection] = []
    original = Connection.connect

    async def connect(self: Connection, topics: Any = ()) -> None:
        links.append(self)
        await original(self, topics)

    monkeypatch.setattr(Connection, "connect", connect)
    async with at_work(edge_node(broker.port, tmp_path)):
        for number in range(3):
            await wait_until(lambda number=number: len(listener.of("NBIRTH")) == number + 1, 20)
            transport = links[-1]._transport
            assert transport is not None
            transport.abort()
            await wait_until(lambda number=number: len(listener.of("NDEATH")) == number + 1)
    deaths = [entry for entry in listener.heard if "NDEATH" in entry[0]][:3]
    for number, (topic, read, qos, retain) in enumerate(deaths):
        assert (topic, qos, retain) == (f"{BASE}/NDEATH/gw-1", 1, False)
        assert not read.HasField("seq")
        [bdseq] = read.metrics
        assert (bdseq.name, bdseq.long_value) == ("bdSeq", number)
    births = [read.metrics[0].long_value for read in listener.of("NBIRTH")]
    assert births[:3] == [0, 1, 2]


@pytest.mark.sparkplug(
    "tck-id-operational-behavior-edge-node-intentional-disconnect-ndeath",
    "tck-id-operational-behavior-edge-node-intentional-disconnect-packet",
    "tck-id-payloads-ndeath-will-message-publisher",
    "tck-id-payloads-ndeath-will-message-publisher-disconnect-mqtt311",
)
@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_a_node_that_stops_says_so(
    broker: Broker, listener: Listener, tmp_path: Path, wait_until: Callable[..., Any], version: str
) -> None:
    await wait_until(lambda: listener.ready)
    async with at_work(edge_node(broker.port, tmp_path, version=version)):
        await wait_until(lambda: listener.of("NBIRTH"))
        assert listener.of("NDEATH") == []
    await wait_until(lambda: listener.of("NDEATH"))
    await asyncio.sleep(0.3)
    assert len(listener.of("NDEATH")) == 1, "the broker must not publish the will as well"


@pytest.mark.sparkplug(
    "tck-id-message-flow-edge-node-ncmd-subscribe",
    "tck-id-operational-behavior-data-commands-rebirth-action-1",
    "tck-id-operational-behavior-data-commands-rebirth-action-2",
    "tck-id-operational-behavior-data-commands-rebirth-action-3",
)
async def test_a_rebirth_on_command_is_limited(
    broker: Broker, listener: Listener, tmp_path: Path, wait_until: Callable[..., Any], sent: list[Any]
) -> None:
    await wait_until(lambda: listener.ready)
    node = edge_node(broker.port, tmp_path, rebirth_every="2s")
    node.tap(forces(1.0))
    async with at_work(node):
        await wait_until(lambda: listener.of("DBIRTH"))
        assert [(f"{BASE}/NCMD/gw-1" in topics, qos) for topics, qos in subscriptions(sent)] == [(True, 1)]
        ask = payload(metric("Node Control/Rebirth", code=BOOLEAN, value=True))
        for _ in range(5):
            listener.send(f"{BASE}/NCMD/gw-1", ask)
        await wait_until(lambda: len(listener.of("DBIRTH")) == 2)
        await asyncio.sleep(0.5)
        assert len(listener.of("NBIRTH")) == 2
    births = [index for index, (topic, *_) in enumerate(listener.heard) if "NBIRTH" in topic]
    again = listener.heard[births[1] :]
    assert "DBIRTH" in again[1][0]
    assert (again[0][1].seq, again[1][1].seq) == (0, 1)
    assert [read.metrics[0].long_value for read in listener.of("NBIRTH")] == [0, 0]


async def test_a_tag_that_is_new_is_born_before_its_data(
    broker: Broker, listener: Listener, tmp_path: Path, wait_until: Callable[..., Any]
) -> None:
    await wait_until(lambda: listener.ready)
    async with at_work(edge_node(broker.port, tmp_path)) as node:
        await wait_until(lambda: listener.of("NBIRTH"))
        node.tap(forces(1.0, 2.0))
        await wait_until(lambda: listener.values() == [1.0, 2.0])
    verbs = [topic.split("/")[2] for topic, *_ in listener.heard]
    assert verbs[:3] == ["NBIRTH", "DBIRTH", "DDATA"]


@pytest.mark.sparkplug(
    "tck-id-message-flow-edge-node-birth-publish-phid-wait",
    "tck-id-message-flow-edge-node-birth-publish-phid-wait-id",
    "tck-id-message-flow-edge-node-birth-publish-phid-wait-online",
    "tck-id-message-flow-edge-node-birth-publish-phid-wait-timestamp",
    "tck-id-message-flow-edge-node-birth-publish-phid-offline",
    "tck-id-operational-behavior-edge-node-termination-host-offline",
    "tck-id-operational-behavior-edge-node-termination-host-offline-reconnect",
    "tck-id-operational-behavior-edge-node-termination-host-offline-timestamp",
)
async def test_a_primary_host_is_waited_for_and_gets_what_was_kept(
    broker: Broker, listener: Listener, tmp_path: Path, wait_until: Callable[..., Any]
) -> None:
    await wait_until(lambda: listener.ready)
    start = now_ms() - 100
    listener.state(online=False, timestamp=start)
    listener.send("spBv1.0/STATE/other", b'{"online":true,"timestamp":1}', retain=True)
    async with at_work(edge_node(broker.port, tmp_path, primary_host="scada")) as node:
        node.tap(forces(1.0, 2.0))
        await asyncio.sleep(0.5)
        assert listener.of("NBIRTH") == []
        listener.state(online=True, timestamp=start + 50)
        await wait_until(lambda: listener.values(historical=True) == [1.0, 2.0])
        listener.state(online=False, timestamp=start + 10)
        node.tap(forces(3.0))
        await wait_until(lambda: listener.values() == [3.0])
        assert listener.of("NDEATH") == []
        listener.state(online=False, timestamp=start + 60)
        await wait_until(lambda: listener.of("NDEATH"))
        node.tap(forces(4.0))
        await asyncio.sleep(0.5)
        assert len(listener.of("NBIRTH")) == 1
    async with at_work(edge_node(broker.port, tmp_path, primary_host="scada")):
        await asyncio.sleep(0.3)
        listener.state(online=True)
        await wait_until(lambda: listener.values(historical=True)[-1:] == [4.0])
        listener.state(online=False)
        await wait_until(lambda: len(listener.of("NDEATH")) == 2)
        listener.state(online=True)
        await wait_until(lambda: len(listener.of("NBIRTH")) == 3)
    assert listener.values(historical=True)[-4:] == [1.0, 2.0, 3.0, 4.0]


async def test_what_is_kept_is_bounded_and_counted(tmp_path: Path, wait_until: Callable[..., Any]) -> None:
    node = edge_node(1, tmp_path, keep="1MB")
    async with at_work(node):
        for value in range(40):
            node.tap(forces(*(float(value) for _ in range(2_000))))
        await wait_until(lambda: node.report()["dropped"])
        await wait_until(lambda: not node._fresh and node.report()["state"] == "waiting")
        report = node.report()
        assert report["waiting_bytes"] <= 1_000_000
        assert "Nothing answers" in report["detail"]
        assert node._backlog is not None
        kept = sum(len(batch) for _, batch in node._backlog.oldest(1_000))
        assert kept + report["dropped"] == 80_000
        assert node._backlog.oldest(1)[0][1].value[0] > 0, "the oldest go first"


@pytest.mark.sparkplug("tck-id-message-flow-device-dcmd-subscribe")
async def test_commands_are_refused_unless_a_door_takes_them(
    broker: Broker, listener: Listener, tmp_path: Path, wait_until: Callable[..., Any], sent: list[Any]
) -> None:
    await wait_until(lambda: listener.ready)
    asked: list[Setpoint] = []

    async def write(setpoint: Setpoint) -> Outcome:
        asked.append(setpoint)
        return Outcome(quality.GOOD, setpoint.value if not isinstance(setpoint.value, tuple) else None)

    node = edge_node(broker.port, tmp_path)
    node.tap(forces(1.0))
    command = payload({"alias": 1, "double_value": 7.5, "timestamp": now_ms()})
    async with at_work(node):
        await wait_until(lambda: listener.of("DBIRTH"))
        assert [(f"{BASE}/DCMD/gw-1/+" in topics, qos) for topics, qos in subscriptions(sent)] == [(True, 1)]
        listener.send(f"{BASE}/DCMD/gw-1/{DEVICE}", command)
        await wait_until(lambda: node.report()["refused"] == 1)
        node.write = write
        listener.send(f"{BASE}/DCMD/gw-1/{DEVICE}", payload({"alias": 1, "string_value": "no number"}))
        listener.send(f"{BASE}/DCMD/gw-1/other", command)
        listener.send(f"{BASE}/DCMD/gw-1/{DEVICE}", command)
        await wait_until(lambda: asked)
    assert asked == [Setpoint(FORCE, 7.5)]
    assert node.report()["refused"] == 3


@pytest.mark.sparkplug(
    "tck-id-payloads-propertyset-quality-value-type",
    "tck-id-payloads-propertyset-quality-value-value",
    "tck-id-payloads-propertyset-keys-array-size",
    "tck-id-payloads-propertyset-values-array-size",
    "tck-id-payloads-metric-propertyvalue-type-value",
)
async def test_our_host_reads_our_node_to_the_value(
    broker: Broker, listener: Listener, tmp_path: Path, source_of: Callable[..., Any], read: Callable[..., Any],
    wait_until: Callable[..., Any],
) -> None:  # fmt: skip
    source = source_of(broker.port, assets={"plant/{node}/{device}": "a/b/c/d/{device}"})
    tag = f"a/b/c/d/{DEVICE}/force"
    async with read(source) as found, at_work(edge_node(broker.port, tmp_path)) as node:
        await wait_until(lambda: listener.of("NBIRTH"))
        start = now_ms()
        node.tap(forces(1.0, 2.5, start=start))
        node.tap(forces(math.nan, start=start + 10, status=quality.BAD_SENSOR_FAILURE))
        node.tap(forces(9.0, start=start + 11, status=quality.UNCERTAIN))
        await wait_until(lambda: found.of(tag)[-1:] and found.of(tag)[-1].time == (start + 11) * 1_000_000)
        got = {one.time // 1_000_000 - start: (one.value, one.quality) for one in found.of(tag)}
        assert got[0] == (1.0, 0)
        assert got[1] == (2.5, 0)
        assert math.isnan(got[10][0])
        assert got[10][1] == quality.BAD
        assert got[11] == (9.0, quality.UNCERTAIN_LAST_USABLE)
    sets = [one.properties for read in listener.of("DDATA") for one in read.metrics if one.HasField("properties")]
    assert [(list(one.keys), one.values[0].type, one.values[0].int_value) for one in sets] == [
        (["Quality"], 3, 0),
        (["Quality"], 3, 500),
    ]


async def test_a_broker_that_goes_and_comes_back_costs_no_value(
    tmp_path: Path, source_of: Callable[..., Any], read: Callable[..., Any], wait_until: Callable[..., Any]
) -> None:
    with running(mosquitto_broker(tmp_path)) as broker:
        node = edge_node(broker.port, tmp_path)
        sent: list[int] = []
        async with at_work(node):
            source = source_of(broker.port, assets={"plant/{node}/{device}": "a/b/c/d/{device}"})
            async with read(source) as found:
                await wait_until(lambda: str(node.state) == "connected")
                await put_some(node, sent, 10)
                await wait_until(lambda: len(found.samples) >= 10)
            broker.kill()
            await put_some(node, sent, 30)
            broker.start()
            async with read(source) as again:
                await put_some(node, sent, 10)

                def stored() -> set[int]:
                    samples = [*found.samples, *again.samples]
                    return {one.time // 1_000_000 for one in samples if not one.quality >> 31}

                await wait_until(lambda: set(sent) <= stored(), 20)


async def put_some(node: EdgeNode, sent: list[int], count: int) -> None:
    for _ in range(count):
        moment = max(now_ms(), sent[-1] + 1 if sent else 0)
        node.tap(forces(1.0, start=moment))
        sent.append(moment)
        await asyncio.sleep(0.02)


@pytest.mark.sparkplug(
    "tck-id-intro-group-id-string",
    "tck-id-intro-group-id-chars",
    "tck-id-intro-edge-node-id-string",
    "tck-id-intro-edge-node-id-chars",
    "tck-id-intro-device-id-string",
    "tck-id-intro-device-id-chars",
    "tck-id-topic-structure-namespace-valid-group-id",
    "tck-id-topic-structure-namespace-valid-edge-node-id",
    "tck-id-topic-structure-namespace-valid-device-id",
)
@pytest.mark.parametrize("wrong", ["a/b", "a+", "#", ""])
def test_an_id_that_no_topic_can_carry_is_refused(tmp_path: Path, wrong: str) -> None:
    for key in ("group", "node"):
        with pytest.raises(ValueError, match=f"{key}\n.*pattern"):
            edge_node(1, tmp_path, **{key: wrong})
    with pytest.raises(PathError):
        TagPath.parse(f"north/stamping/line-1/cell-1/{wrong}/force")
    assert "/" not in device_of(ASSET)
    assert Topic.parse(str(Topic("g", "DDATA", "n", device_of("n/ü/l/c/a")))) == Topic("g", "DDATA", "n", "n:ü:l:c:a")
