"""Every value of PublishResponses that three servers sent, against asyncua's own decoder, row by row."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import struct_from_binary
from shopfloor.gateway.opcua.columns import Columns
from shopfloor.gateway.opcua.items import Item
from shopfloor.gateway.opcua.leaves import leaves
from shopfloor.gateway.opcua.values import Run, read_changes, runs
from shopfloor.gateway.opcua.wire import read_publish_response
from shopfloor.plant import Sample

FOLDER = Path(__file__).parent / "captures"
SERVERS = ["asyncua", "node-opcua", "open62541"]
NOW = 1_790_000_000_000_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def captured(server: str) -> list[bytes]:
    return [bytes.fromhex(line) for line in (FOLDER / f"{server}.hex").read_text().split()]


def generic(body: bytes) -> Iterator[Any]:
    """The MonitoredItemNotifications, decoded by asyncua."""
    answer = struct_from_binary(ua.PublishResponse, Buffer(body))
    for part in answer.Parameters.NotificationMessage.NotificationData or ():
        yield from part.MonitoredItems


def microseconds(value: ua.DataValue) -> int | None:
    """The time that asyncua decoded; None: there is none."""
    for moment in (value.SourceTimestamp, value.ServerTimestamp):
        if moment is not None:
            whole = (moment.replace(tzinfo=UTC) - EPOCH) // datetime.resolution
            if whole > 0:
                return whole
    return None


def same(found: Any, expected: Any) -> bool:
    if isinstance(expected, float) and math.isnan(expected):
        return isinstance(found, float) and math.isnan(found)
    return bool(found == expected) and isinstance(found, str) == isinstance(expected, str)


@pytest.mark.parametrize("server", SERVERS)
def test_every_row_equals_asyncuas_decoder(server: str) -> None:
    bodies = captured(server)
    expected = [one for body in bodies for one in generic(body)]
    items = {one.ClientHandle: Item(ua.NodeId(one.ClientHandle), f"a/{one.ClientHandle}") for one in expected}
    columns = Columns(items)
    notifications = [read_publish_response(Buffer(body)) for body in bodies]
    assert sum(one.values for one in notifications) == len(expected) > 100
    found: dict[str, list[Sample]] = {}
    for batch in columns.batches([data for one in notifications for data in one.bodies], NOW):
        for sample in batch:
            found.setdefault(sample.tag, []).append(sample)
    assert columns.malformed == 0
    for one in expected:
        value = one.Value
        wanted = list(leaves(f"a/{one.ClientHandle}", value.Value)) or [(f"a/{one.ClientHandle}", None)]
        for tag, leaf in wanted:
            sample = found[tag].pop(0)
            assert sample.quality == (value.StatusCode.value if value.StatusCode else 0)
            assert leaf is None or same(sample.value, leaf), (tag, sample.value, leaf)
            moment = microseconds(value)
            assert sample.time == NOW if moment is None else sample.time // 1_000 == moment, (tag, sample.time, moment)
    assert not any(found.values())


@pytest.mark.parametrize("server", SERVERS)
def test_the_captures_hold_what_they_are_for(server: str) -> None:
    parts = [
        part for body in captured(server) for data in read_publish_response(Buffer(body)).bodies for part in runs(data)
    ]
    assert sum(isinstance(part, Run) for part in parts) >= 3
    values = [one.Value for body in captured(server) for one in generic(body)]
    kinds = {value.Value.VariantType for value in values if value.Value is not None}
    assert kinds >= {ua.VariantType(number) for number in range(1, 14)}
    assert any(value.Value is not None and value.Value.is_array for value in values)
    assert len({value.StatusCode.value if value.StatusCode else 0 for value in values}) > 1


def test_picoseconds_follow_the_standard_where_asyncua_does_not() -> None:
    """asyncua 2.1 has the picoseconds of the source behind the server's time; OPC 10000-6, 5.2.2.17 before it."""
    sent = 4_299
    times = [
        change[3]
        for body in captured("open62541")
        for data in read_publish_response(Buffer(body)).bodies
        for change in read_changes(data)
    ]
    fine = [time % 100 for time in times]
    assert set(fine) == {0, sent // 100}
    assert fine.count(sent // 100) > 15
