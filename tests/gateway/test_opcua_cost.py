"""What decoding costs: the gateway's columns against asyncua's own decoder, on the same bytes in the same run."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable

import numpy as np
import pytest
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import struct_from_binary
from shopfloor.gateway.opcua.columns import Columns
from shopfloor.gateway.opcua.items import Item
from shopfloor.gateway.opcua.layout import layout

COUNT = 2_000
NOW = 1_790_000_000_000_000_000
TICKS = 134_000_000_000_000_000


def notification() -> bytes:
    """2,000 doubles with both times, as a server sends them."""
    doubles = layout(0x0D, 11)
    assert doubles is not None
    rows = np.zeros(COUNT, doubles.dtype)
    rows["handle"], rows["key"] = np.arange(1, COUNT + 1), doubles.key
    rows["value"], rows["source"], rows["server"] = np.arange(COUNT) / 8, TICKS + np.arange(COUNT), TICKS
    return struct.pack("<i", COUNT) + rows.tobytes() + b"\xff\xff\xff\xff"


def nanoseconds(work: Callable[[], object], rounds: int) -> float:
    """CPU per value in ns, the best of some rounds."""
    taken = []
    for _ in range(rounds):
        start = time.process_time_ns()
        work()
        taken.append(time.process_time_ns() - start)
    return min(taken) / COUNT


def test_columns_cost_a_twentieth_of_the_generic_decoder(record_property: Callable[[str, object], None]) -> None:
    body = notification()
    items = {handle: Item(ua.NodeId(handle), f"a/b/c/d/e/tag-{handle}", float, 11) for handle in range(1, COUNT + 1)}
    columns = Columns(items)
    (batch,) = columns.batches([body], NOW)
    (expected,) = [struct_from_binary(ua.DataChangeNotification, Buffer(body)).MonitoredItems]
    assert batch.value.tolist() == [one.Value.Value.Value for one in expected]
    ours = nanoseconds(lambda: list(columns.batches([body], NOW)), 20)
    generic = nanoseconds(lambda: struct_from_binary(ua.DataChangeNotification, Buffer(body)), 5)
    record_property("ns_per_value", {"columns": round(ours, 1), "asyncua": round(generic, 1)})
    assert generic / ours >= 20, f"{ours:.0f} ns against {generic:.0f} ns per value"


@pytest.mark.parametrize("names", [2, COUNT])
def test_names_of_a_batch_are_written_once(names: int) -> None:
    items = {
        handle: Item(ua.NodeId(handle), f"a/b/c/d/e/tag-{handle % names}", float, 11) for handle in range(1, COUNT + 1)
    }
    columns = Columns(items)
    sizes = [len(batch.to_bytes()) for _ in range(3) for batch in columns.batches([notification()], NOW)]
    assert sizes[-1] < 26 * COUNT + 10_000, "24 bytes a value, and the names compressed"
