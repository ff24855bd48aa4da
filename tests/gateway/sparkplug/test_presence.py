"""What our host and our node say when they come and go: STATE, wills, sessions, commands, as bytes on the wire."""

import asyncio
import json
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from brokers import Broker
from shopfloor.gateway.sparkplug.edge import EdgeNode
from shopfloor.gateway.sparkplug.metrics import Metrics
from shopfloor.gateway.sparkplug.payload import Payload
from shopfloor.plant import Setpoint, SourceLost, quality
from shopfloor.plant.config import SparkplugSection
from sparkplug_nodes import Listener, Node, metric, now_ms

STATE = "spBv1.0/STATE/shopfloor"
PRESS = "north/stamping/line-1/edge-1/press-1"
pytestmark = [pytest.mark.parametrize("version", ["3.1.1", "5"])]


class Connect(NamedTuple):
    """A CONNECT packet, cut into its parts by hand (MQTT 3.1)."""

    clean: bool
    will_qos: int
    will_retain: bool
    expiry: int
    topic: str
    payload: bytes


def cut(data: bytes) -> Connect:
    assert data[0] == 0x10
    at = 1
    while data[at] & 0x80:
        at += 1
    at += 1 + 6
    version, flags = data[at], data[at + 1]
    assert flags & 0x04, "no will"
    at += 4
    expiry = 0
    if version == 5:
        size = data[at]
        given = data[at + 1 : at + 1 + size]
        expiry = struct.unpack(">I", given[1:5])[0] if given[:1] == b"\x11" else 0
        at += 1 + size
    _, at = text(data, at)
    at += version == 5
    topic, at = text(data, at)
    payload, at = text(data, at)
    return Connect(bool(flags & 2), flags >> 3 & 3, bool(flags & 0x20), expiry, topic.decode(), payload)


def text(data: bytes, at: int) -> tuple[bytes, int]:
    size = int.from_bytes(data[at : at + 2])
    return data[at + 2 : at + 2 + size], at + 2 + size


async def connect_of(attempt: Callable[[int], Any]) -> Connect:
    """The CONNECT packet of whatever `attempt` does with a port."""
    seen: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = await reader.read(4096)
        if not seen.done():
            seen.set_result(data)
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        task = asyncio.create_task(attempt(server.sockets[0].getsockname()[1]))
        data = await asyncio.wait_for(seen, 10)
        task.cancel()
        with suppress(asyncio.CancelledError, SourceLost):
            await task
    return cut(data)


@pytest.mark.sparkplug(
    "tck-id-message-flow-phid-sparkplug-clean-session-311",
    "tck-id-message-flow-phid-sparkplug-clean-session-50",
    "tck-id-host-topic-phid-death-qos",
    "tck-id-host-topic-phid-death-retain",
    "tck-id-host-topic-phid-death-topic",
    "tck-id-host-topic-phid-death-required",
    "tck-id-host-topic-phid-death-payload",
    "tck-id-host-topic-phid-death-payload-timestamp-connect",
    "tck-id-host-topic-phid-death-payload-connect",
    "tck-id-operational-behavior-host-application-connect-will",
    "tck-id-operational-behavior-host-application-connect-will-topic",
    "tck-id-operational-behavior-host-application-connect-will-payload",
    "tck-id-operational-behavior-host-application-connect-will-qos",
    "tck-id-operational-behavior-host-application-connect-will-retained",
    "tck-id-payloads-state-will-message",
    "tck-id-payloads-state-will-message-qos",
    "tck-id-payloads-state-will-message-retain",
    "tck-id-payloads-state-will-message-payload",
)
async def test_the_host_connects_with_its_death(source_of: Callable[..., Any], version: str) -> None:
    async def attempt(port: int) -> None:
        async with source_of(port, host_id="shopfloor", version=version).open():
            pass

    before = now_ms()
    said = await connect_of(attempt)
    assert (said.clean, said.expiry, said.will_qos, said.will_retain, said.topic) == (True, 0, 1, True, STATE)
    death = json.loads(said.payload)
    assert set(death) == {"online", "timestamp"}
    assert death["online"] is False
    assert before <= death["timestamp"] <= now_ms()


@pytest.mark.sparkplug(
    "tck-id-principles-persistence-clean-session-311",
    "tck-id-principles-persistence-clean-session-50",
    "tck-id-message-flow-edge-node-birth-publish-will-message",
    "tck-id-message-flow-edge-node-birth-publish-will-message-topic",
    "tck-id-message-flow-edge-node-birth-publish-will-message-qos",
    "tck-id-message-flow-edge-node-birth-publish-will-message-will-retained",
    "tck-id-payloads-ndeath-will-message",
    "tck-id-payloads-ndeath-will-message-qos",
    "tck-id-payloads-ndeath-will-message-retain",
)
async def test_the_node_connects_with_its_death(tmp_path: Path, version: str) -> None:
    async def attempt(port: int) -> None:
        given = {"url": f"mqtt://127.0.0.1:{port}", "group": "plant", "version": version}
        await EdgeNode(SparkplugSection.model_validate(given), "gw-1", tmp_path, Metrics()).run()

    said = await connect_of(attempt)
    assert (said.clean, said.expiry, said.will_qos, said.will_retain) == (True, 0, 1, False)
    assert said.topic == "spBv1.0/plant/NDEATH/gw-1"
    death = Payload.FromString(said.payload)
    assert [(one.name, one.datatype, one.long_value) for one in death.metrics] == [("bdSeq", 4, 0)]
    assert not death.HasField("seq")


@pytest.mark.sparkplug(
    "tck-id-intro-sparkplug-host-state",
    "tck-id-components-ph-state",
    "tck-id-conformance-primary-host",
    "tck-id-host-topic-phid-birth-message",
    "tck-id-host-topic-phid-birth-qos",
    "tck-id-host-topic-phid-birth-retain",
    "tck-id-host-topic-phid-birth-topic",
    "tck-id-host-topic-phid-birth-required",
    "tck-id-host-topic-phid-birth-payload",
    "tck-id-host-topic-phid-death-payload-timestamp-disconnect-clean",
    "tck-id-host-topic-phid-death-payload-disconnect-clean",
    "tck-id-message-flow-phid-sparkplug-state-publish",
    "tck-id-message-flow-phid-sparkplug-subscription",
    "tck-id-message-flow-phid-sparkplug-state-publish-payload",
    "tck-id-operational-behavior-host-application-connect-birth",
    "tck-id-operational-behavior-host-application-connect-birth-topic",
    "tck-id-operational-behavior-host-application-connect-birth-payload",
    "tck-id-operational-behavior-host-application-connect-birth-qos",
    "tck-id-operational-behavior-host-application-connect-birth-retained",
    "tck-id-operational-behavior-host-application-termination",
    "tck-id-operational-behavior-host-application-disconnect-intentional",
    "tck-id-operational-behavior-host-application-death-topic",
    "tck-id-operational-behavior-host-application-death-payload",
    "tck-id-operational-behavior-host-application-death-qos",
    "tck-id-operational-behavior-host-application-death-retained",
    "tck-id-payloads-state-birth",
    "tck-id-payloads-state-birth-payload",
)
async def test_the_host_says_when_it_comes_and_goes(
    broker: Broker, listener: Listener, source_of: Callable[..., Any], read: Callable[..., Any],
    wait_until: Callable[..., Any], version: str, sent: list[Any],
) -> None:  # fmt: skip
    await wait_until(lambda: listener.ready)
    before = now_ms()
    async with read(source_of(broker.port, host_id="shopfloor", version=version)):
        await wait_until(lambda: listener.heard)
        until = now_ms()
        await asyncio.sleep(0.1)
    await wait_until(lambda: len(listener.heard) == 2)
    (topic, birth, qos, retain), (other, death, *how) = listener.heard
    assert (topic, qos, retain) == (STATE, 1, True)
    assert (set(birth), birth["online"]) == ({"online", "timestamp"}, True)
    assert before <= birth["timestamp"] <= until
    assert (other, how, death["online"]) == (STATE, [1, True], False)
    assert until <= death["timestamp"] <= now_ms()
    await asyncio.sleep(0.3)
    assert len(listener.heard) == 2, "the will came as well"
    assert [what for what, *_ in sent] == ["subscribe", "publish", "publish"]
    assert set(sent[0][1]) == {STATE, "spBv1.0/press-shop/#"}


@pytest.mark.sparkplug(
    "tck-id-host-topic-phid-birth-payload-timestamp",
    "tck-id-host-topic-phid-birth-sub-required",
    "tck-id-message-flow-phid-sparkplug-state-publish-payload-timestamp",
    "tck-id-message-flow-hid-sparkplug-state-message-delivered",
    "tck-id-payloads-state-subscribe",
)
async def test_a_host_that_is_said_to_be_offline_contradicts(
    broker: Broker, listener: Listener, source_of: Callable[..., Any], read: Callable[..., Any],
    wait_until: Callable[..., Any], version: str,
) -> None:  # fmt: skip
    await wait_until(lambda: listener.ready)
    async with read(source_of(broker.port, host_id="shopfloor", version=version)) as found:
        await wait_until(lambda: listener.heard)
        will = json.loads(found.source._link.hello.will.payload)
        assert listener.heard[0][1]["timestamp"] == will["timestamp"]
        listener.send(STATE, json.dumps({"online": False, "timestamp": now_ms()}).encode(), retain=True)
        await wait_until(lambda: len(listener.heard) == 3)
        assert listener.heard[2][1] == {"online": True, "timestamp": will["timestamp"]}


@pytest.mark.sparkplug(
    "tck-id-topics-ncmd-mqtt",
    "tck-id-topics-ncmd-payload",
    "tck-id-topics-dcmd-mqtt",
    "tck-id-topics-dcmd-timestamp",
    "tck-id-topics-dcmd-topic",
    "tck-id-topics-dcmd-payload",
    "tck-id-payloads-ncmd-qos",
    "tck-id-payloads-ncmd-retain",
    "tck-id-payloads-dcmd-timestamp",
    "tck-id-payloads-dcmd-seq",
    "tck-id-payloads-dcmd-qos",
    "tck-id-payloads-dcmd-retain",
    "tck-id-operational-behavior-data-commands-ncmd-verb",
    "tck-id-operational-behavior-data-commands-ncmd-metric-name",
    "tck-id-operational-behavior-data-commands-ncmd-metric-value",
    "tck-id-payloads-name-cmd-requirement",
)
async def test_commands_have_the_form_of_the_specification(
    broker: Broker, listener: Listener, node: Node, source_of: Callable[..., Any], read: Callable[..., Any],
    wait_until: Callable[..., Any], version: str,
) -> None:  # fmt: skip
    def answer(topic: str, asked: Any) -> None:
        one = {"timestamp": now_ms()} | {"double_value": asked.metrics[0].double_value}
        named = {"alias": 2} if "DCMD" in topic else {"name": "load"}
        node.publish("DDATA" if "DCMD" in topic else "NDATA", "press-1" if "DCMD" in topic else "", named | one)

    await wait_until(lambda: listener.ready)
    node.on_command = answer
    async with read(source_of(broker.port, version=version)) as found:
        node.birth(metric("load", value=1.0))
        node.publish("DBIRTH", "press-1", metric("speed", 2, value=1.0))
        await wait_until(lambda: found.of(f"{PRESS}/speed"))
        before = now_ms()
        for tag in (f"{PRESS}/speed", "north/stamping/line-1/cells/edge-1/load"):
            assert (await found.source.apply(Setpoint(tag, 4.5))).status == quality.GOOD
    commands = [entry for entry in listener.heard if "CMD" in entry[0]]
    assert [topic for topic, *_ in commands] == [node.topic("DCMD", "press-1"), node.topic("NCMD")]
    assert all((qos, retain) == (0, False) for _, _, qos, retain in commands)
    for _, asked, _, _ in commands:
        assert not asked.HasField("seq")
        assert before <= asked.timestamp <= now_ms()
        assert before <= asked.metrics[0].timestamp <= now_ms()
        assert asked.metrics[0].double_value == 4.5
    assert [(one.alias, one.name) for _, asked, *_ in commands for one in asked.metrics] == [(2, ""), (0, "load")]
