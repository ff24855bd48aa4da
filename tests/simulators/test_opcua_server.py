"""The OPC UA server of a device, seen by asyncua's own client."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from asyncua import Client, ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import struct_from_binary
from brokers import free_port
from shopfloor.plant import Kind, quality
from shopfloor.simulators.notify import pack
from shopfloor.simulators.opcua import DeviceServer
from shopfloor.simulators.tree import Variable

pytestmark = pytest.mark.asyncio(loop_scope="module")

VARIABLES = [
    Variable(("CNC-01", "Monitoring", "Spindle", "Power"), Kind.FLOAT, "kW", (0, 15)),
    Variable(("CNC-01", "Production", "PartCount"), Kind.INT),
    Variable(("CNC-01", "PackML", "State"), Kind.TEXT),
    Variable(("CNC-01", "Setpoints", "Speed"), Kind.FLOAT, "m/min", (140, 240), writable=True),
]
POWER, COUNT, STATE, SPEED = range(4)
NOW = 1_700_000_000_123_456_700


class Device:
    """A server, a client connected to it, and what was written through the client."""

    def __init__(self, server: DeviceServer, client: Client, written: list[tuple[int, Any]]) -> None:
        self.server, self.client, self.written = server, client, written

    def node(self, index: int) -> Any:
        return self.client.get_node(f"ns=2;s={VARIABLES[index].node}")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[Device]:
    written: list[tuple[int, Any]] = []

    def take(index: int, value: Any) -> int:
        written.append((index, value))
        return 0 if value != 222.0 else 0x803C_0000

    async with (
        DeviceServer(VARIABLES, port=free_port(), namespace="urn:shopfloor:machining", on_write=take) as server,
        Client(server.url) as client,
    ):
        yield Device(server, client, written)


@pytest_asyncio.fixture(loop_scope="module")
async def device(shared: Device) -> AsyncIterator[Device]:
    """The server without a good value and without subscriptions."""
    await shared.server.write((index, 0, NOW, quality.BAD_WAITING_FOR_INITIAL_DATA) for index in range(len(VARIABLES)))
    shared.written.clear()
    yield shared
    await shared.server.subscriptions.delete_subscriptions(list(shared.server.subscriptions.subscriptions))


class Heard:
    """Collects notifications as (name, value, source time, status)."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, Any, datetime | None, int]] = []

    def datachange_notification(self, node: Any, value: Any, data: Any) -> None:
        found = data.monitored_item.Value
        self.rows.append((str(node.nodeid.Identifier), value, found.SourceTimestamp, found.StatusCode.value))

    def of(self, index: int) -> list[tuple[Any, datetime | None, int]]:
        return [row[1:] for row in self.rows if row[0] == VARIABLES[index].node]

    async def reach(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.rows) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


async def watch(device: Device, indices: Iterable[int], queue: int = 20, filtered: Any = None) -> tuple[Heard, Any]:
    heard = Heard()
    subscription = await device.client.create_subscription(50, heard)
    nodes = [device.node(index) for index in indices]
    await subscription._subscribe(nodes, queuesize=queue, mfilter=filtered)
    await heard.reach(len(nodes))
    heard.rows.clear()
    return heard, subscription


def moment(ns: int) -> datetime:
    return datetime.fromtimestamp(ns // 1000 / 1e6, UTC)


async def test_the_tree_is_browsed_by_name_and_carries_units(device: Device) -> None:
    objects = device.client.nodes.objects
    power = await objects.get_child([f"2:{name}" for name in ("Machines", *VARIABLES[POWER].path)])
    assert power.nodeid == ua.NodeId("CNC-01.Monitoring.Spindle.Power", 2)
    span = await (await power.get_child("0:EURange")).read_value()
    unit = await (await power.get_child("0:EngineeringUnits")).read_value()
    assert (span.Low, span.High) == (0.0, 15.0)
    assert (unit.DisplayName.Text, unit.UnitId) == ("kW", 4937556)
    assert await power.read_type_definition() == ua.NodeId(ua.ObjectIds.AnalogUnitRangeType)
    kinds = [(await device.node(index).read_data_type()).Identifier for index in range(3)]
    assert kinds == [ua.ObjectIds.Double, ua.ObjectIds.Int64, ua.ObjectIds.String]
    assert await device.client.get_namespace_array() == [
        "http://opcfoundation.org/UA/",
        "urn:shopfloor:simulator",
        "urn:shopfloor:machining",
    ]


async def test_a_value_is_read_with_its_source_time_and_quality(device: Device) -> None:
    waiting = await device.node(POWER).read_data_value(raise_on_bad_status=False)
    assert waiting.StatusCode.value == quality.BAD_WAITING_FOR_INITIAL_DATA
    await device.server.write([(POWER, 3.5, NOW, quality.GOOD), (STATE, "EXECUTE", NOW, quality.UNCERTAIN)])
    read = await device.node(POWER).read_data_value()
    assert (read.Value.Value, read.SourceTimestamp) == (3.5, moment(NOW))
    state = await device.node(STATE).read_data_value(raise_on_bad_status=False)
    assert (state.Value.Value, state.StatusCode.value) == ("EXECUTE", quality.UNCERTAIN)


async def test_a_subscriber_hears_every_kind_with_time_and_quality(device: Device) -> None:
    heard, _ = await watch(device, (POWER, COUNT, STATE))
    rows = [
        (POWER, 1.25, NOW, quality.GOOD),
        (POWER, 2.5, NOW + 100_000_000, quality.UNCERTAIN_LAST_USABLE),
        (POWER, 9.9, NOW + 200_000_000, quality.BAD_SENSOR_FAILURE),
        (COUNT, 2**62 + 1, NOW, quality.GOOD),
        (STATE, "Störung 停机", NOW, quality.GOOD),
    ]
    await device.server.write(rows)
    await heard.reach(len(rows))
    assert heard.of(POWER) == [
        (1.25, moment(NOW), 0),
        (2.5, moment(NOW + 100_000_000), quality.UNCERTAIN_LAST_USABLE),
        (None, moment(NOW + 200_000_000), quality.BAD_SENSOR_FAILURE),
    ]
    assert heard.of(COUNT) == [(2**62 + 1, moment(NOW), 0)]
    assert heard.of(STATE) == [("Störung 停机", moment(NOW), 0)]


async def test_a_burst_within_the_queue_loses_nothing_and_beyond_it_the_oldest(device: Device) -> None:
    heard, _ = await watch(device, (POWER,), queue=20)
    await device.server.write((POWER, float(k), NOW + k * 10**8, 0) for k in range(20))
    await heard.reach(20)
    assert [value for value, _, _ in heard.of(POWER)] == [float(k) for k in range(20)]
    heard.rows.clear()
    await device.server.write((POWER, 100.0 + k, NOW + k * 10**8, 0) for k in range(25))
    await heard.reach(20)
    await asyncio.sleep(0.15)
    assert [value for value, _, _ in heard.of(POWER)] == [105.0 + k for k in range(20)]


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        (ua.DataChangeTrigger.Status, [1.0]),
        (ua.DataChangeTrigger.StatusValue, [1.0, 2.0]),
        (ua.DataChangeTrigger.StatusValueTimestamp, [1.0, 1.0, 2.0]),
    ],
)
async def test_the_filter_of_the_client_decides(device: Device, trigger: Any, expected: list[float]) -> None:
    heard, _ = await watch(device, (POWER,), filtered=ua.DataChangeFilter(Trigger=trigger))
    await device.server.write((POWER, value, NOW + k, 0) for k, value in enumerate((1.0, 1.0, 2.0)))
    await heard.reach(len(expected))
    await asyncio.sleep(0.15)
    assert [value for value, _, _ in heard.of(POWER)] == expected


async def test_a_deadband_of_the_client_decides(device: Device) -> None:
    band = ua.DataChangeFilter(
        Trigger=ua.DataChangeTrigger.StatusValue, DeadbandType=ua.DeadbandType.Absolute, DeadbandValue=0.5
    )
    heard, _ = await watch(device, (POWER,), filtered=band)
    await device.server.write((POWER, value, NOW + k, 0) for k, value in enumerate((1.0, 1.4, 1.6, 1.7)))
    await heard.reach(2)
    await asyncio.sleep(0.15)
    assert [value for value, _, _ in heard.of(POWER)] == [1.0, 1.6]


async def test_an_item_that_was_deleted_is_told_nothing(device: Device) -> None:
    _, subscription = await watch(device, (POWER, COUNT))
    assert device.server.subscriptions.watching == 2
    await subscription.delete()
    assert device.server.subscriptions.watching == 0
    await device.server.write([(POWER, 1.0, NOW, 0)])


async def test_a_setpoint_is_written_and_read_back(device: Device) -> None:
    heard, _ = await watch(device, (SPEED,))
    await device.node(SPEED).write_value(200.0)
    assert device.written == [(SPEED, 200.0)]
    assert await device.node(SPEED).read_value() == 200.0
    await heard.reach(1)
    assert heard.of(SPEED)[0][0] == 200.0


@pytest.mark.parametrize(
    ("index", "value", "error"),
    [
        (SPEED, 500.0, ua.uaerrors.BadOutOfRange),
        (SPEED, float("nan"), ua.uaerrors.BadOutOfRange),
        (SPEED, 222.0, ua.uaerrors.BadOutOfRange),
        (SPEED, 200, ua.uaerrors.BadTypeMismatch),
        (SPEED, [200.0], ua.uaerrors.BadTypeMismatch),
        (POWER, 1.0, ua.uaerrors.BadNotWritable),
    ],
)
async def test_a_write_that_the_device_cannot_take_is_refused(
    device: Device, index: int, value: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await device.node(index).write_value(value)


async def test_nobody_may_change_the_address_space(device: Device) -> None:
    with pytest.raises(ua.uaerrors.BadUserAccessDenied):
        await device.client.nodes.objects.add_folder(2, "mine")
    with pytest.raises(ua.uaerrors.BadUserAccessDenied):
        await device.node(POWER).write_attribute(ua.AttributeIds.DisplayName, ua.DataValue(ua.LocalizedText("x")))


async def test_it_listens_on_the_loopback_without_security_and_says_so(device: Device) -> None:
    endpoints = await device.client.get_endpoints()
    assert [endpoint.SecurityMode for endpoint in endpoints] == [ua.MessageSecurityMode.None_]
    assert device.server.url.startswith("opc.tcp://127.0.0.1:")


async def test_a_taken_port_is_an_os_error(device: Device) -> None:
    port = int(device.server.url.split(":")[2].split("/")[0])
    with pytest.raises(OSError, match="address already in use"):
        async with DeviceServer(VARIABLES, port=port, namespace="urn:x"):
            pass


@pytest.mark.parametrize("status", [quality.GOOD, quality.UNCERTAIN, quality.BAD])
@pytest.mark.parametrize(("kind", "value"), [(Kind.FLOAT, -1.5), (Kind.INT, -7), (Kind.TEXT, "ä"), (Kind.TEXT, "")])
async def test_the_packed_form_is_what_asyncua_decodes(kind: Kind, value: Any, status: int) -> None:
    packed = pack(7, kind, value, NOW, status)
    buffer = struct_from_binary(ua.MonitoredItemNotification, Buffer(packed))
    assert buffer.ClientHandle == 7
    assert buffer.Value.SourceTimestamp == moment(NOW)
    assert (buffer.Value.StatusCode.value if buffer.Value.StatusCode else 0) == status
    if status != quality.BAD:
        assert buffer.Value.Value.Value == value


async def test_writing_costs_a_few_microseconds(device: Device) -> None:
    heard, _ = await watch(device, (POWER,), queue=5000)
    begun = time.process_time()
    for k in range(2000):
        await device.server.write([(POWER, float(k), NOW + k, 0)])
    each = (time.process_time() - begun) / 2000
    assert each < 100e-6
    await heard.reach(2000)
