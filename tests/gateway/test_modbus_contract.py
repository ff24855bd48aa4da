"""Modbus keeps the contract of a polled source and of an actuator, against two implementations of the protocol."""

import asyncio
import math
import os
import shutil
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from modbus_device import Device, modbus_device
from pymodbus.constants import ExcCodes
from shopfloor.gateway.modbus import ModbusOptions, ModbusSource
from shopfloor.gateway.modbus.point import Point
from shopfloor.gateway.modbus.write import EncodingError, encode
from shopfloor.gateway.testing import check_actuator, check_source
from shopfloor.plant import Sample, quality
from shopfloor.plant.contracts import Outcome, Setpoint

FOLDER = Path(__file__).parents[1] / "foreign" / "modbus"
INSTALLED = [FOLDER / "node_modules", FOLDER.parents[2] / "build" / "modbus" / "node_modules"]
ASSET = "delta/water/hall/cell-1/pump-1"
REGISTERS = [
    {"tag": "level", "table": "input", "address": 0, "type": "float32"},
    {"tag": "state", "table": "discrete", "address": 2},
    {"tag": "absent", "table": "input", "address": 390},
    {"tag": "speed", "table": "holding", "address": 10, "type": "int16", "scale": 0.1},
    {"tag": "total", "table": "holding", "address": 12, "type": "uint32", "word_order": "little"},
    {"tag": "target", "table": "holding", "address": 20, "type": "float32"},
    {"tag": "remote", "table": "holding", "address": 22, "type": "bool", "bit": 5},
    {"tag": "name", "table": "holding", "address": 24, "type": "string", "length": 8},
    {"tag": "run", "table": "coil", "address": 3},
    {"tag": "locked", "table": "holding", "address": 50},
]


def source(port: int, registers: Sequence[dict[str, Any]] = REGISTERS) -> ModbusSource:
    group = {"every": "30ms", "assets": [{"path": ASSET}], "registers": list(registers)}
    options = {"url": f"modbus://127.0.0.1:{port}", "groups": [group], "gap": 0}
    return ModbusSource("pumps", ModbusOptions.model_validate(options))


class ModbusRig:
    polled: Literal[True] = True
    taken = tuple(
        Setpoint(f"{ASSET}/{name}", value)
        for name, value in (
            ("run", 1),
            ("remote", 1),
            ("name", "Pump 7"),
            ("total", 4_000_000_000),
            ("target", 21.7),
            ("speed", -12.3),
            ("speed", 45.6),
        )
    )
    refused = Setpoint(f"{ASSET}/locked", 1)

    def __init__(self, device: Device, port: int) -> None:
        self.device, self.port, self.made = device, port, 0

    def source(self) -> ModbusSource:
        return source(self.port)

    async def produce(self) -> Sequence[Sample]:
        self.made += 1
        self.device.words("input", 0, *struct.unpack(">HH", struct.pack(">f", self.made + 0.5)))
        self.device.words("discrete", 0, 0b100 * (self.made % 2))
        return [
            Sample(f"{ASSET}/level", 0, self.made + 0.5),
            Sample(f"{ASSET}/state", 0, float(self.made % 2)),
            Sample(f"{ASSET}/absent", 0, math.nan, quality.BAD_CONFIGURATION_ERROR),
        ]

    async def holds(self, tag: str) -> object:
        holding = self.device.read("holding", 0, 60)
        return {
            "speed": (holding[10] - (holding[10] >> 15 << 16)) / 10,
            "total": holding[13] << 16 | holding[12],
            "target": struct.unpack(">f", struct.pack(">HH", *holding[20:22]))[0],
            "remote": holding[22] >> 5,
            "name": struct.pack(">4H", *holding[24:28]).rstrip(b"\0").decode(),
            "run": self.device.read("coil", 0)[0] >> 3 & 1,
            "locked": holding[50],
        }[tag.rpartition("/")[2]]

    async def cut(self) -> None:
        await self.device.server.shutdown()


@pytest.fixture
async def rig(port: int) -> AsyncIterator[ModbusRig]:
    def judge(_unit: int, function: int, address: int, count: int) -> ExcCodes | None:
        absent = function == 4 and address + count > 390
        return ExcCodes.ILLEGAL_ADDRESS if absent or (function == 6 and address == 50) else None

    async with modbus_device(port) as device:
        device.judge = judge
        yield ModbusRig(device, port)


async def test_modbus_keeps_the_contract(rig: ModbusRig) -> None:
    await check_source(rig)


async def test_modbus_keeps_the_contract_of_an_actuator(rig: ModbusRig) -> None:
    await check_actuator(rig)


@asynccontextmanager
async def applied(rig: ModbusRig) -> AsyncIterator[Callable[[str, Any], Any]]:
    one = rig.source()
    async with one.open() as batches:
        await anext(batches)

        async def apply(tag: str, value: Any) -> Outcome:
            return await one.apply(Setpoint(f"{ASSET}/{tag}", value))

        yield apply


@pytest.mark.parametrize(("tag", "single", "several"), [("run", 5, 15), ("speed", 6, 16)])
async def test_a_device_that_knows_one_function_only(rig: ModbusRig, tag: str, single: int, several: int) -> None:
    rig.device.judge = lambda _u, function, *_: ExcCodes.ILLEGAL_FUNCTION if function == single else None
    async with applied(rig) as apply:
        outcome = await apply(tag, 1)
    assert (outcome.status, outcome.read_back, outcome.before) == (quality.GOOD, 1, 0)
    assert {single, several} <= {function for _, function, *_ in rig.device.asked}


async def test_a_bit_is_never_written_by_reading_the_register_first(rig: ModbusRig) -> None:
    rig.device.judge = lambda _u, function, *_: ExcCodes.ILLEGAL_FUNCTION if function == 22 else None
    async with applied(rig) as apply:
        outcome = await apply("remote", 1)
    assert outcome.status == quality.BAD_NOT_SUPPORTED
    assert not {6, 16} & {function for _, function, *_ in rig.device.asked}


async def test_an_answer_that_does_not_come_is_said_to_be_unknown(rig: ModbusRig) -> None:
    def judge(_unit: int, function: int, *_: int) -> None:
        if function == 6:
            rig.device.silent.add(1)

    rig.device.judge = judge
    async with applied(rig) as apply:
        outcome = await apply("speed", 2)
    rig.device.silent.clear()
    assert (outcome.status, outcome.read_back, outcome.before) == (quality.BAD_TIMEOUT, None, 0)
    assert outcome.sentence == (
        "holding 10 of unit 1 was written and cannot be read back (no answer): look at the device."
    )


@pytest.mark.parametrize(
    ("point", "value", "words"),
    [
        (Point("t", 1, "holding", 0, "int16"), 40_000, "40000 does not fit into int16, which holds -32768 to 32767"),
        (Point("t", 1, "holding", 0, "uint16", scale=0.1), 7000, "70000 does not fit into uint16"),
        (Point("t", 1, "holding", 0, "float32"), 1e300, "is too large for float32"),
        (Point("t", 1, "coil", 0, "bool"), 2, "2 is neither 0 nor 1"),
        (Point("t", 1, "holding", 0, "string", length=2), "abc", "takes 3 bytes: there is room for 2"),
        (Point("t", 1, "holding", 0, "int16"), "abc", "is text: a number was expected"),
    ],
)
def test_what_a_register_cannot_hold(point: Point, value: Any, words: str) -> None:
    with pytest.raises(EncodingError, match=words):
        encode(point, value)


@asynccontextmanager
async def foreign_device(port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    modules = next((path for path in INSTALLED if (path / "jsmodbus").is_dir()), None)
    node = shutil.which("node")
    if modules is None or node is None:
        sentence = "jsmodbus is not installed: run 'npm ci' in tests/foreign/modbus."
        pytest.fail(sentence) if os.environ.get("CI", "").lower() == "true" else pytest.skip(sentence)
    pipe = asyncio.subprocess.PIPE
    env = os.environ | {"NODE_PATH": str(modules)}
    command = (node, str(FOLDER / "device.js"), str(port))
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, env=env)
    assert process.stdout is not None
    try:
        assert (await asyncio.wait_for(process.stdout.readline(), 20)).startswith(b"ready")
        yield process
    finally:
        process.kill()
        await process.wait()


@pytest.mark.foreign
async def test_a_foreign_device_is_read_and_written(port: int) -> None:
    registers = [
        {"tag": "level", "table": "input", "address": 0, "type": "float32"},
        {"tag": "frost", "table": "input", "address": 2, "type": "int16", "scale": 0.5},
        {"tag": "total", "table": "input", "address": 4, "type": "uint64"},
        {"tag": "open", "table": "discrete", "address": 2},
        {"tag": "edge", "table": "input", "address": 60, "type": "float32"},
        {"tag": "absent", "table": "input", "address": 62, "type": "float64"},
        {"tag": "speed", "table": "holding", "address": 10, "scale": 0.1},
    ]
    async with foreign_device(port) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        one = source(port, registers)
        found: dict[str, Sample] = {}
        async with asyncio.timeout(10), one.open() as batches:
            while len(found) < len(registers):
                found |= {sample.tag.rpartition("/")[2]: sample for sample in await anext(batches)}
            outcome = await one.apply(Setpoint(f"{ASSET}/speed", 71.5))
        process.stdin.write(b"get 10\n")
        assert (await process.stdout.readline()).strip() == b"715"
    values = {tag: sample.value for tag, sample in found.items() if not sample.quality}
    assert values == {"level": 21.5, "frost": -20, "total": 9007199254740993, "open": 1, "edge": 0, "speed": 70}
    assert found["absent"].quality == quality.BAD_DECODING, "this device answers with fewer registers than asked for"
    assert (outcome.status, outcome.read_back, outcome.before) == (quality.GOOD, 71.5, 70)
