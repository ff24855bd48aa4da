"""Modbus against a real server: every type and order, merged reads, refusals, silence, schedules."""

import asyncio
import math
import struct
import time
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from modbus_device import Device, modbus_device
from pydantic import ValidationError
from pymodbus.constants import ExcCodes
from shopfloor.gateway.modbus import CONNECTOR, ModbusOptions, ModbusSource
from shopfloor.gateway.modbus.point import Point, merge
from shopfloor.gateway.modbus.poll import Schedule
from shopfloor.plant import Batch, Sample, SourceLost, quality

ASSET = "delta/water/hall/cell-1/pump-1"


@pytest.fixture
async def device(port: int) -> AsyncIterator[Device]:
    async with modbus_device(port, (1, 2)) as made:
        yield made


def source(port: int, *registers: dict[str, Any], **more: Any) -> ModbusSource:
    group = {"every": "50ms", "assets": [{"path": ASSET}], "registers": list(registers)}
    group |= {key: more.pop(key) for key in ("every", "report", "heartbeat", "assets") if key in more}
    options = {"url": f"modbus://127.0.0.1:{port}", "timeout": "500ms", "groups": [group]} | more
    return ModbusSource("pumps", ModbusOptions.model_validate(options))


async def first(one: ModbusSource, n: int) -> dict[str, Sample]:
    """The first value of each of `n` tags, by the last part of its path."""
    found: dict[str, Sample] = {}
    async with asyncio.timeout(10), one.open() as batches:
        async for batch in batches:
            for sample in batch:
                found.setdefault(sample.tag.rpartition("/")[2], sample)
            if len(found) >= n:
                return found
    raise AssertionError


NUMBERS = [
    ("int16", ">h", -1234),
    ("uint16", ">H", 65000),
    ("int32", ">i", -2_000_000_000),
    ("uint32", ">I", 4_000_000_000),
    ("int64", ">q", -(2**60) - 1),
    ("uint64", ">Q", 2**62 + 1),
    ("float32", ">f", 21.5),
    ("float64", ">d", math.pi),
]


@pytest.mark.parametrize("words", ["big", "little"])
@pytest.mark.parametrize("order", ["big", "little"])
async def test_every_number_in_every_order(device: Device, port: int, words: str, order: str) -> None:
    registers, address = [], 0
    for name, form, value in NUMBERS:
        data = struct.pack(form, value)
        parts = [int.from_bytes(data[n : n + 2], order) for n in range(0, len(data), 2)]  # type: ignore[arg-type]
        device.words("input", address, *(parts if words == "big" else parts[::-1]))
        registers.append({"tag": name, "table": "input", "address": address, "type": name})
        address += len(parts)
    found = await first(source(port, *registers, word_order=words, byte_order=order), len(NUMBERS))
    assert {tag: sample.value for tag, sample in found.items()} == {name: value for name, _, value in NUMBERS}
    assert isinstance(found["int64"].value, int)
    assert isinstance(found["int16"].value, float)
    assert {sample.quality for sample in found.values()} == {quality.GOOD}
    assert device.asked == [(1, 4, 0, address)]


async def test_bits_strings_and_scaling(device: Device, port: int) -> None:
    device.words("coil", 0, 0b1000)
    device.words("discrete", 1, 0b1)
    device.words("holding", 5, 0b100, int.from_bytes(b"Pu", "big"), int.from_bytes(b"mp", "big"), 0, 0xFFFE)
    found = await first(
        source(
            port,
            {"tag": "run", "table": "coil", "address": 3},
            {"tag": "open", "table": "discrete", "address": 16},
            {"tag": "bit", "table": "holding", "address": 5, "type": "bool", "bit": 2},
            {"tag": "off", "table": "holding", "address": 5, "type": "bool", "bit": 3},
            {"tag": "name", "table": "holding", "address": 6, "type": "string", "length": 6},
            {"tag": "temperature", "table": "holding", "address": 9, "type": "int16", "scale": 0.1, "offset": 20},
        ),
        6,
    )
    values = {tag: sample.value for tag, sample in found.items()}
    assert values == {"run": 1, "open": 1, "bit": 1, "off": 0, "name": "Pump", "temperature": 19.8}


async def test_what_is_no_value_comes_as_bad(device: Device, port: int) -> None:
    device.words("input", 0, 0x7FC0, 0, 0x7F80, 0, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF)
    found = await first(
        source(
            port,
            {"tag": "nan", "table": "input", "address": 0, "type": "float32"},
            {"tag": "inf", "table": "input", "address": 2, "type": "float32"},
            {"tag": "huge", "table": "input", "address": 4, "type": "uint64"},
        ),
        3,
    )
    assert math.isnan(found["nan"].value)  # type: ignore[arg-type]
    assert found["nan"].quality == quality.BAD
    assert (found["inf"].value, found["inf"].quality) == (math.inf, quality.GOOD)
    assert (found["huge"].value, found["huge"].quality) == (0, quality.BAD_TYPE_MISMATCH)


async def test_a_row_of_assets_by_unit_and_by_step(device: Device, port: int) -> None:
    for unit in (1, 2):
        device.words("input", 0, unit, unit=unit)
    for n in range(3):
        device.words("holding", 10 + 4 * n, 100 + n)
    by_unit = source(
        port,
        {"tag": "n", "table": "input", "address": 0},
        assets=[{"path": "delta/water/hall/cell-1/pump-[1..2]", "unit": "[1..2]"}],
    )
    by_step = source(
        port,
        {"tag": "m", "table": "holding", "address": 0},
        assets=[{"path": "delta/water/hall/cell-1/tank-[1..3]", "first": 10, "step": 4}],
    )
    for one, n in ((by_unit, 2), (by_step, 3)):
        async with asyncio.timeout(5), one.open() as batches:
            values = [sample.value for sample in await anext(batches)]
        assert values == ([1, 2] if n == 2 else [100, 101, 102])


async def test_one_illegal_address_takes_no_other_down(device: Device, port: int) -> None:
    def judge(_unit: int, function: int, address: int, count: int) -> ExcCodes | None:
        return ExcCodes.ILLEGAL_ADDRESS if function == 3 and address <= 37 < address + count else None

    device.judge = judge
    for n in range(60):
        device.words("holding", n, n)
    one = source(port, *({"tag": f"t{n}", "table": "holding", "address": n} for n in range(60)), report="all")
    async with asyncio.timeout(10), one.open() as batches:
        batch = await anext(batches)
        searched = len(device.asked)
        await anext(batches)
    found = {sample.tag.rpartition("/")[2]: sample for sample in batch}
    bad = {tag for tag, sample in found.items() if sample.quality}
    assert bad == {"t37"}
    assert found["t37"].quality == quality.BAD_CONFIGURATION_ERROR
    assert all(sample.value == int(tag[1:]) for tag, sample in found.items() if tag != "t37")
    assert searched <= 2 * 7
    assert len(device.asked) - searched < searched, "the second poll knows where the refused register is"
    assert one.detail.startswith(
        f"1 register cannot be read, the first is {ASSET}/t37 (holding 37 of unit 1): illegal data address;"
        " check 'address', which counts from 0, and 'table'."
    )


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (ExcCodes.ILLEGAL_FUNCTION, quality.BAD_NOT_SUPPORTED),
        (ExcCodes.ILLEGAL_ADDRESS, quality.BAD_CONFIGURATION_ERROR),
        (ExcCodes.ILLEGAL_VALUE, quality.BAD_OUT_OF_RANGE),
        (ExcCodes.DEVICE_FAILURE, quality.BAD_DEVICE_FAILURE),
        (ExcCodes.DEVICE_BUSY, quality.BAD_OUT_OF_SERVICE),
        (ExcCodes.MEMORY_PARITY_ERROR, quality.BAD_DEVICE_FAILURE),
        (ExcCodes.GATEWAY_PATH_UNAVIABLE, quality.BAD_NO_COMMUNICATION),
        (ExcCodes.GATEWAY_NO_RESPONSE, quality.BAD_NO_COMMUNICATION),
    ],
)
async def test_an_exception_becomes_quality_and_ends_again(
    device: Device, port: int, code: ExcCodes, status: int
) -> None:
    device.judge = lambda *_: code
    seen = []
    one = source(port, {"tag": "flow", "table": "input", "address": 0})
    async with asyncio.timeout(5), one.open() as batches:
        async for batch in batches:
            seen += list(batch)
            device.judge = lambda *_: None
            if len(seen) == 2:
                break
    assert [sample.quality for sample in seen] == [status, quality.GOOD]
    assert math.isnan(seen[0].value)
    assert one.detail == ""


async def test_a_silent_unit_is_bad_and_the_others_go_on(device: Device, port: int) -> None:
    device.silent.add(2)
    one = source(
        port,
        {"tag": "flow", "table": "input", "address": 0},
        {"tag": "far", "table": "holding", "address": 0},
        assets=[{"path": "delta/water/hall/cell-1/pump-[1..2]", "unit": "[1..2]"}],
        timeout="100ms",
    )
    async with asyncio.timeout(5), one.open() as batches:
        batch = await anext(batches)
        assert [unit for unit, *_ in device.asked].count(2) == 1, "a unit that is silent is asked once in a poll"
        device.silent.clear()
        later = [sample async for sample in _samples(batches, 2)]
    assert {sample.tag.split("/")[4] for sample in batch if sample.quality == quality.BAD_NO_COMMUNICATION} == {
        "pump-2"
    }
    assert len(batch) == 4
    assert {(sample.tag.split("/")[4], sample.quality) for sample in later} == {("pump-2", quality.GOOD)}


async def _samples(batches: AsyncIterator[Batch], n: int) -> AsyncIterator[Sample]:
    count = 0
    async for batch in batches:
        for sample in batch:
            yield sample
            count += 1
            if count == n:
                return


async def test_a_device_that_is_silent_altogether_is_lost(device: Device, port: int) -> None:
    device.silent.add(1)
    with pytest.raises(SourceLost, match=r"does not answer: check the unit id \(1\)"):
        await first(source(port, {"tag": "flow", "table": "input", "address": 0}, timeout="100ms"), 1)
    device.silent.clear()


async def test_a_dropped_link_is_noticed_between_two_polls(device: Device, port: int) -> None:
    async def polling() -> None:
        one = source(port, {"tag": "flow", "table": "input", "address": 0}, every="1h")
        async with one.open() as batches:
            await anext(batches)
            device.drop()
            await anext(batches)

    start = time.monotonic()
    with pytest.raises(SourceLost, match="closed the link"):
        await asyncio.wait_for(polling(), 10)
    assert time.monotonic() - start < 5


async def test_nothing_listens(port: int) -> None:
    with pytest.raises(SourceLost, match="Nothing answers at modbus://"):
        await first(source(port, {"tag": "flow", "table": "input", "address": 0}), 1)


async def test_changes_and_heartbeat(device: Device, port: int) -> None:
    registers = [{"tag": f"t{n}", "table": "input", "address": n} for n in range(3)]
    one = source(port, *registers, every="20ms", heartbeat="400ms")
    seen: list[Sample] = []
    async with asyncio.timeout(10), one.open() as batches:
        seen += await anext(batches)
        device.words("input", 1, 7)
        seen += await anext(batches)
        seen += await anext(batches)
    tags = [sample.tag[-2:] for sample in seen]
    assert tags[:4] == ["t0", "t1", "t2", "t1"]
    assert seen[3].value == 7
    assert set(tags[4:]) <= {"t0", "t1", "t2"}
    assert seen[4].time - seen[0].time >= 400_000_000


async def test_a_slow_device_leaves_polls_out_and_says_so(device: Device, port: int) -> None:
    device.slow = 0.06
    one = source(port, {"tag": "flow", "table": "input", "address": 0}, every="20ms", report="all")
    async with asyncio.timeout(10), one.open() as batches:
        for _ in range(4):
            await anext(batches)
    assert "polls were left out" in one.detail


def test_a_schedule_does_not_drift() -> None:
    schedule, now = Schedule([0.1, 1.0], [0.0, 0.0]), 0.0
    starts: dict[int, list[float]] = {0: [], 1: []}
    while now < 9.95:
        index, due = schedule.next()
        now = max(now, due)
        starts[index].append(now)
        now += 0.03
        schedule.done(index, now)
    assert len(starts[0]) == 101
    assert np.allclose([start - n * 0.1 for n, start in enumerate(starts[0])], 0, atol=0.031)
    assert schedule.left_out == 0


def test_merging_keeps_the_limits() -> None:
    points = [Point(f"t{n}", 1, "holding", n, "uint16") for n in range(300)]
    bits = [Point(f"b{n}", 1, "coil", n, "bool") for n in range(0, 4100, 10)]
    assert [read.count for read in merge(points, 8, 125)] == [125, 125, 50]
    assert [read.count for read in merge(points, 8, 60)] == [60] * 5
    assert [read.count for read in merge(bits, 8, 125)] == [1991, 1991, 91]
    apart = [Point("a", 1, "input", 0, "float32"), Point("b", 1, "input", 11, "float32")]
    assert len(merge(apart, 8, 125)) == 2
    assert len(merge(apart, 9, 125)) == 1


@pytest.mark.parametrize(
    ("register", "words"),
    [
        ({"table": "coil", "type": "int16"}, "a coil is one bit"),
        ({"table": "holding", "type": "bool"}, "'bit' belongs to"),
        ({"table": "holding", "type": "string"}, "'length' belongs to"),
        ({"table": "holding", "scale": 0}, "a scale of 0"),
        ({"table": "coil", "type": "bool", "scale": 2}, "a bool has no scale"),
        ({"table": "holding", "address": 65535, "type": "float32"}, "65535 is the last one"),
        ({"table": "holding", "tag": "a/b"}, "is no tag path"),
    ],
)
def test_a_register_that_cannot_be(register: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        source(502, {"tag": "t", "address": 0} | register)


def test_rows_that_cannot_be() -> None:
    register = {"tag": "t", "table": "input", "address": 0}
    row = "delta/water/hall/cell-1/pump-[1..2]"
    for assets, words in (
        ([{"path": row}], "would read the same registers"),
        ([{"path": row, "unit": "[1..3]"}], "count differently"),
        ([{"path": row, "unit": "[255..256]"}], "is no unit id"),
        ([], "belongs to no asset"),
    ):
        with pytest.raises(ValidationError, match=words):
            source(502, register, assets=assets)
    with pytest.raises(ValidationError, match="has two registers"):
        source(502, register, register)


def test_the_connector_builds_it(plant: Any, tmp_path: Any) -> None:
    options = source(502, {"tag": "t", "table": "input", "address": 0}).options
    made = CONNECTOR.build("pumps", options, plant, tmp_path)
    assert (made.url, made.name) == ("modbus://127.0.0.1:502", "pumps")
