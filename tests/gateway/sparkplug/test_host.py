"""The host application against hand-made edge nodes on a real broker: births, order, deaths, rebirths."""

import asyncio
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from brokers import Broker
from shopfloor.plant import quality
from sparkplug_nodes import BOOLEAN, INT32, INT64, STRING, Node, metric, now_ms, payload

PRESS = "north/stamping/line-1/edge-1/press-1"
EDGE = "north/stamping/line-1/cells/edge-1"
NO_LINK = quality.BAD_NO_COMMUNICATION


def press_birth(node: Node, qos: int = 0) -> None:
    node.birth(metric("uptime", 1, INT64, 5), qos=qos)
    force, closed = metric("Ram/Force", 10, value=1.5), metric("closed", 11, BOOLEAN, True)
    node.publish("DBIRTH", "press-1", force, closed, metric("program", 12, STRING, "A"), qos=qos)


async def test_births_and_data_become_tags(
    each_broker: Broker, source_of: Callable[..., Any], read: Callable[..., Any], wait_until: Callable[..., Any]
) -> None:
    node = Node(each_broker.port).connect()
    async with read(source_of(each_broker.port)) as found:
        press_birth(node)
        stamp = now_ms() - 7
        node.publish(
            "DDATA",
            "press-1",
            metric(alias=10, value=2.5, timestamp=stamp),
            metric(alias=11, code=BOOLEAN, value=False),
        )
        node.publish("NDATA", "", metric(alias=1, code=INT64, value=6))
        await wait_until(lambda: found.values(f"{EDGE}/uptime") == [5, 6])
        assert found.values(f"{PRESS}/Ram.Force") == [1.5, 2.5]
        assert found.of(f"{PRESS}/Ram.Force")[-1].time == stamp * 1_000_000
        assert found.values(f"{PRESS}/closed") == [1.0, 0.0]
        assert found.values(f"{PRESS}/program") == ["A"]
        assert {sample.quality for sample in found.samples} == {quality.GOOD}
        assert not any("bdSeq" in sample.tag or "Control" in sample.tag for sample in found.samples)
        assert found.source.malformed == 0
    node.close()


async def test_names_without_aliases_are_understood(
    broker: Broker, node: Node, source_of: Callable[..., Any], read: Callable[..., Any], wait_until: Callable[..., Any]
) -> None:
    async with read(source_of(broker.port, tags={"Ram/Force": "force"})) as found:
        node.birth()
        node.publish("DBIRTH", "press-1", metric("Ram/Force", value=1.0), metric("other", value=9.0))
        node.publish("DDATA", "press-1", metric("Ram/Force", value=2.0))
        await wait_until(lambda: found.values(f"{PRESS}/force") == [1.0, 2.0])
        assert {sample.tag for sample in found.samples} == {f"{PRESS}/force"}


@pytest.mark.sparkplug(
    "tck-id-operational-behavior-edge-node-termination-host-action-ndeath-node-offline",
    "tck-id-operational-behavior-edge-node-termination-host-action-ndeath-node-tags-stale",
    "tck-id-operational-behavior-edge-node-termination-host-action-ndeath-devices-offline",
    "tck-id-operational-behavior-edge-node-termination-host-action-ndeath-devices-tags-stale",
)
async def test_a_death_of_the_node_makes_all_its_tags_bad(
    each_broker: Broker, source_of: Callable[..., Any], read: Callable[..., Any], wait_until: Callable[..., Any]
) -> None:
    node = Node(each_broker.port).connect()
    async with read(source_of(each_broker.port)) as found:
        press_birth(node)
        await wait_until(lambda: found.values(f"{PRESS}/program") == ["A"])
        before = time.time_ns()
        node.drop()
        await wait_until(lambda: len([one for one in found.samples if one.quality == NO_LINK]) == 4)
        dead = {one.tag: one for one in found.samples if one.quality == NO_LINK}
        assert set(dead) == {f"{EDGE}/uptime", *(f"{PRESS}/{name}" for name in ("Ram.Force", "closed", "program"))}
        assert all(before <= one.time <= time.time_ns() for one in dead.values())
        assert math.isnan(dead[f"{PRESS}/Ram.Force"].value)
        assert dead[f"{PRESS}/program"].value == ""


async def test_a_death_of_another_session_is_ignored(
    broker: Broker, node: Node, source_of: Callable[..., Any], read: Callable[..., Any], wait_until: Callable[..., Any]
) -> None:
    async with read(source_of(broker.port)) as found:
        node.bdseq = 3
        press_birth(node)
        stale = payload({"name": "bdSeq", "datatype": 8, "long_value": 2})
        node.send(node.topic("NDEATH"), stale)
        node.publish("DDATA", "press-1", metric(alias=10, value=2.0))
        await wait_until(lambda: found.values(f"{PRESS}/Ram.Force") == [1.5, 2.0])
        assert NO_LINK not in {one.quality for one in found.samples}
        assert "session 2, not of 3" in found.source.malformed_sentence


@pytest.mark.sparkplug(
    "tck-id-operational-behavior-edge-node-termination-host-action-ddeath-devices-offline",
    "tck-id-operational-behavior-edge-node-termination-host-action-ddeath-devices-tags-stale",
)
async def test_a_death_of_a_device_leaves_the_others_alone(
    broker: Broker, node: Node, source_of: Callable[..., Any], read: Callable[..., Any], wait_until: Callable[..., Any]
) -> None:
    async with read(source_of(broker.port)) as found:
        press_birth(node)
        node.publish("DBIRTH", "press-2", metric("Ram/Force", 20, value=9.0))
        node.publish("DDEATH", "press-1")
        node.publish("DDATA", "press-2", metric(alias=20, value=8.0))
        await wait_until(lambda: len([one for one in found.samples if one.quality == NO_LINK]) == 3)
        assert {one.tag.rpartition("/")[0] for one in found.samples if one.quality == NO_LINK} == {PRESS}
        force = found.of(f"{PRESS}/Ram.Force")
        assert force[-1].time > force[0].time
        node.publish("DBIRTH", "press-1", metric("Ram/Force", 10, value=3.0))
        await wait_until(lambda: found.values(f"{PRESS}/Ram.Force")[-1] == 3.0)
        assert not node.commands


async def test_a_clock_that_is_ahead_does_not_hide_a_death(
    broker: Broker, node: Node, source_of: Callable[..., Any], read: Callable[..., Any], wait_until: Callable[..., Any]
) -> None:
    ahead = now_ms() + 3_600_000
    async with read(source_of(broker.port)) as found:
        data = payload(
            metric("bdSeq", code=INT64, value=0), metric("load", 1, value=1.0, timestamp=ahead), seq=0, timestamp=ahead
        )
        node.send(node.topic("NBIRTH"), data)
        await wait_until(lambda: found.values(f"{EDGE}/load") == [1.0])
        node.drop()
        await wait_until(lambda: len(found.of(f"{EDGE}/load")) == 2)
        assert found.of(f"{EDGE}/load")[-1].time > ahead * 1_000_000


@pytest.mark.sparkplug(
    "tck-id-operational-behavior-host-reordering-param",
    "tck-id-operational-behavior-host-reordering-start",
    "tck-id-operational-behavior-host-reordering-success",
)
async def test_messages_out_of_order_are_put_in_order(
    broker: Broker, node: Node, source_of: Callable[..., Any], read: Callable[..., Any], wait_until: Callable[..., Any]
) -> None:
    async with read(source_of(broker.port, reorder="1s")) as found:
        press_birth(node)
        for seq in (3, 4, 2):
            node.publish("DDATA", "press-1", metric(alias=10, value=float(seq)), seq=seq)
        await wait_until(lambda: found.values(f"{PRESS}/Ram.Force") == [1.5, 2.0, 3.0, 4.0])
        await asyncio.sleep(1.5)
        assert not node.commands


@pytest.mark.sparkplug(
    "tck-id-operational-behavior-host-reordering-rebirth",
    "tck-id-operational-behavior-data-commands-ncmd-rebirth-verb",
    "tck-id-operational-behavior-data-commands-ncmd-rebirth-name",
    "tck-id-operational-behavior-data-commands-ncmd-rebirth-value",
    "tck-id-payloads-ncmd-timestamp",
    "tck-id-payloads-ncmd-seq",
    "tck-id-topics-ncmd-topic",
    "tck-id-topics-ncmd-timestamp",
)
async def test_a_missing_message_asks_for_a_rebirth_and_loses_nothing(
    broker: Broker, node: Node, source_of: Callable[..., Any], read: Callable[..., Any], wait_until: Callable[..., Any]
) -> None:
    async with read(source_of(broker.port, reorder="300ms")) as found:
        press_birth(node)
        node.publish("DDATA", "press-1", metric(alias=10, value=4.0), seq=4)
        await wait_until(lambda: node.commands)
        assert found.values(f"{PRESS}/Ram.Force") == [1.5, 4.0]
        topic, command = node.commands[0]
        assert topic == "spBv1.0/press-shop/NCMD/edge-1"
        assert not command.HasField("seq")
        assert abs(command.timestamp - now_ms()) < 5_000
        [control] = command.metrics
        assert (control.name, control.datatype, control.boolean_value) == ("Node Control/Rebirth", BOOLEAN, True)


async def test_a_sequence_runs_over_255(
    broker: Broker, node: Node, source_of: Callable[..., Any], read: Callable[..., Any], wait_until: Callable[..., Any]
) -> None:
    async with read(source_of(broker.port)) as found:
        press_birth(node)
        for value in range(600):
            node.publish("DDATA", "press-1", metric(alias=10, value=float(value)))
        await wait_until(lambda: len(found.of(f"{PRESS}/Ram.Force")) == 601)
        assert found.values(f"{PRESS}/Ram.Force")[1:] == [float(value) for value in range(600)]
        assert not node.commands


async def test_a_host_that_starts_late_asks_for_births_and_keeps_what_came_before(
    each_broker: Broker, source_of: Callable[..., Any], read: Callable[..., Any], wait_until: Callable[..., Any]
) -> None:
    node = Node(each_broker.port).connect()
    press_birth(node, qos=1)
    async with read(source_of(each_broker.port)) as found:
        for value in (7.0, 8.0):
            node.publish("DDATA", "press-1", metric(alias=10, value=value))
        await wait_until(lambda: node.commands)
        assert found.samples == []
        press_birth(node)
        await wait_until(lambda: len(found.of(f"{PRESS}/Ram.Force")) == 3)
        assert found.values(f"{PRESS}/Ram.Force") == [1.5, 7.0, 8.0]
        assert not any("alias" in one.tag for one in found.samples)
        assert len(node.commands) == 1
    node.close()


async def test_rebirth_requests_are_limited(
    broker: Broker, node: Node, source_of: Callable[..., Any], read: Callable[..., Any], wait_until: Callable[..., Any]
) -> None:
    async with read(source_of(broker.port, rebirth_every="1s")) as found:
        start = time.monotonic()
        while time.monotonic() - start < 2.6:
            node.publish("DDATA", "press-1", metric(alias=10, value=1.0))
            await asyncio.sleep(0.02)
        assert len(node.commands) == 2
        assert found.samples == []


async def test_what_is_kept_for_a_birth_is_bounded_and_the_loss_is_said(
    broker: Broker, node: Node, source_of: Callable[..., Any], read: Callable[..., Any], wait_until: Callable[..., Any]
) -> None:
    async with read(source_of(broker.port, keep="1kB")) as found:
        for value in range(100):
            node.publish("DDATA", "press-1", metric(alias=10, value=float(value)))
        await wait_until(lambda: found.source.malformed)
        assert "its oldest values are lost" in found.source.malformed_sentence
        press_birth(node)
        await wait_until(lambda: found.values(f"{PRESS}/Ram.Force")[-1:] == [99.0])
        assert 5 < len(found.of(f"{PRESS}/Ram.Force")) < 60


async def test_a_metric_that_no_birth_explains_holds_up_no_other(
    broker: Broker, node: Node, source_of: Callable[..., Any], read: Callable[..., Any], wait_until: Callable[..., Any]
) -> None:
    async with read(source_of(broker.port)) as found:
        press_birth(node)
        node.publish("DDATA", "press-1", metric(alias=10, value=2.0), metric(alias=77, value=5.0))
        await wait_until(lambda: node.commands)
        press_birth(node)
        node.publish("DDATA", "press-1", metric(alias=10, value=3.0), metric(alias=77, value=5.0))
        await wait_until(lambda: found.values(f"{PRESS}/Ram.Force")[-1:] == [3.0])
        assert sorted(set(found.values(f"{PRESS}/Ram.Force"))) == [1.5, 2.0, 3.0]
        assert "the metric 77, which its birth does not explain" in found.source.malformed_sentence


async def test_a_device_that_is_not_born_again_with_its_node_is_dead(
    broker: Broker, node: Node, source_of: Callable[..., Any], read: Callable[..., Any], wait_until: Callable[..., Any]
) -> None:
    async with read(source_of(broker.port)) as found:
        press_birth(node)
        node.birth(metric("uptime", 1, INT64, 6))
        await wait_until(
            lambda: found.of(f"{PRESS}/Ram.Force")[-1:] and found.of(f"{PRESS}/Ram.Force")[-1].quality == NO_LINK
        )
        assert found.of(f"{EDGE}/uptime")[-1].quality == quality.GOOD


@pytest.mark.sparkplug("tck-id-topic-structure-namespace-duplicate-device-id-across-edge-node")
async def test_after_a_lost_link_nodes_are_asked_and_those_that_are_silent_are_dead(
    broker: Broker, source_of: Callable[..., Any], read: Callable[..., Any], wait_until: Callable[..., Any]
) -> None:
    alive, gone = Node(broker.port, name="edge-1").connect(), Node(broker.port, name="edge-2").connect()
    source = source_of(broker.port)
    async with read(source) as found:
        press_birth(alive)
        press_birth(gone)
        await wait_until(lambda: len(found.samples) == 8)
    gone.drop()
    alive.on_command = lambda *_: press_birth(alive)
    async with read(source) as found:
        await wait_until(lambda: alive.commands)
        await wait_until(lambda: len([one for one in found.samples if one.quality == NO_LINK]) == 4)
        assert all("edge-2" in one.tag for one in found.samples if one.quality == NO_LINK)
        assert found.values(f"{PRESS}/Ram.Force") == [1.5]
    alive.close()


async def test_nulls_qualities_and_historical_values(
    broker: Broker, node: Node, source_of: Callable[..., Any], read: Callable[..., Any], wait_until: Callable[..., Any]
) -> None:
    past = now_ms() - 60_000

    def with_quality(code: int) -> dict[str, Any]:
        return {"properties": {"keys": ["Quality"], "values": [{"type": INT32, "int_value": code}]}}

    async with read(source_of(broker.port)) as found:
        press_birth(node)
        node.publish("DDATA", "press-1", metric(alias=10), metric(alias=11, code=BOOLEAN, value=False))
        for code in (192, 0, 500):
            node.publish("DDATA", "press-1", metric(alias=10, value=3.0, **with_quality(code)))
        node.publish("DDATA", "press-1", metric(alias=10, value=4.0, timestamp=past, is_historical=True))
        await wait_until(lambda: found.values(f"{PRESS}/Ram.Force")[-1:] == [4.0])
        force = found.of(f"{PRESS}/Ram.Force")[1:]
        assert math.isnan(force[0].value)
        statuses = [quality.BAD, quality.GOOD, quality.BAD, quality.UNCERTAIN_LAST_USABLE, quality.BACKFILLED]
        assert [one.quality for one in force] == statuses
        assert force[-1].time == past * 1_000_000
        assert found.values(f"{PRESS}/closed") == [1.0, 0.0]


async def test_what_is_no_sparkplug_is_counted_and_named(
    broker: Broker, node: Node, source_of: Callable[..., Any], read: Callable[..., Any], wait_until: Callable[..., Any]
) -> None:
    wrong = [
        ("spBv1.0/press-shop/DDATA/edge-1/press-1", b"\xff{", "is no Sparkplug payload"),
        ("spBv1.0/press-shop/NOTHING/edge-1", b"", "is none of Sparkplug B"),
        ("spBv1.0/press-shop/DDATA/edge-1", b"", "is none of Sparkplug B"),
    ]
    async with read(source_of(broker.port)) as found:
        for number, (topic, data, sentence) in enumerate(wrong, 1):
            node.send(topic, data)
            await wait_until(lambda number=number: found.source.malformed == number)
            assert sentence in found.source.malformed_sentence
        node.birth(
            metric("odd", 1, value=1.0) | {"datatype": 99}, metric("a/b", 2, value=1.0), metric("a.b", 3, value=2.0)
        )
        await wait_until(lambda: found.source.malformed == 5)
        assert found.values(f"{EDGE}/a.b") == [1.0]


async def test_names_keep_their_case(
    broker: Broker, node: Node, source_of: Callable[..., Any], read: Callable[..., Any], wait_until: Callable[..., Any]
) -> None:
    async with read(source_of(broker.port)) as found:
        node.birth(metric("Load", 1, value=1.0), metric("load", 2, value=2.0))
        node.publish("DBIRTH", "Press", metric("x", 3, value=3.0))
        node.publish("DBIRTH", "press", metric("x", 4, value=4.0))
        await wait_until(lambda: len(found.samples) == 4)
        tags = {one.tag: one.value for one in found.samples}
        line = "north/stamping/line-1/edge-1"
        assert tags == {f"{EDGE}/Load": 1.0, f"{EDGE}/load": 2.0, f"{line}/Press/x": 3.0, f"{line}/press/x": 4.0}


def test_a_source_can_be_made_without_a_broker(source_of: Callable[..., Any], tmp_path: Path) -> None:
    source = source_of(1)
    assert source.can_write(f"{PRESS}/force")
    assert not source.can_write("north/assembly/line-1/edge-1/press-1/force")
