"""A Modbus TCP device for tests: a real server whose registers, refusals and silence a test decides."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

TABLES = {"coil": "c", "discrete": "d", "holding": "h", "input": "i"}
Judge = Callable[[int, int, int, int], ExcCodes | None]


@dataclass
class Device:
    """`words` writes registers of a unit, `asked` lists (unit, function, address, count), `judge` may refuse."""

    server: ModbusTcpServer
    asked: list[tuple[int, int, int, int]] = field(default_factory=list)
    judge: Judge = lambda *_: None
    silent: set[int] = field(default_factory=set)
    slow: float = 0.0

    def table(self, name: str, unit: int = 1) -> list[int]:
        registers: list[int] = self.server.context.devices[unit].block[TABLES[name]][2]
        return registers

    def words(self, name: str, address: int, *words: int, unit: int = 1) -> None:
        self.table(name, unit)[address : address + len(words)] = words

    def read(self, name: str, address: int, count: int = 1, unit: int = 1) -> list[int]:
        return self.table(name, unit)[address : address + count]

    async def act(self, unit: int, function: int, address: int, count: int) -> ExcCodes | None:
        self.asked.append((unit, function, address, count))
        while unit in self.silent:  # noqa: ASYNC110 (a test lifts the silence)
            await asyncio.sleep(0.01)
        if self.slow:
            await asyncio.sleep(self.slow)
        return self.judge(unit, function, address, count)

    def drop(self) -> None:
        """Close every connection; new ones are taken."""
        for connection in list(self.server.active_connections.values()):
            connection.transport.abort()


@asynccontextmanager
async def modbus_device(port: int, units: tuple[int, ...] = (1,), size: int = 400) -> AsyncIterator[Device]:
    """A device with `size` registers and `16 * size` bits in each table of each unit."""
    box: list[Device] = []

    def unit_of(number: int) -> SimDevice:
        async def act(function: int, _start: int, address: int, count: int, _now: Any, _set: Any) -> ExcCodes | None:
            return await box[0].act(number, function, address, count)

        bits = [SimData(0, values=[False] * 16 * size, datatype=DataType.BITS)]
        words = [SimData(0, count=size, values=0, datatype=DataType.REGISTERS)]
        return SimDevice(number, (bits, list(bits), words, list(words)), action=act)

    server = ModbusTcpServer([unit_of(unit) for unit in units], address=("127.0.0.1", port))
    box.append(Device(server))
    await server.serve_forever(background=True)
    try:
        yield box[0]
    finally:
        await server.shutdown()
