"""Modbus devices for the doctor: with a register map that fits them, one that does not, or room for one client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from doctor_bench import Bench, Producer
from modbus_device import modbus_device


def modbus(address: int, *, once: bool = False) -> Producer:
    """A device with 400 registers in unit 2, of which two are read from this address; `once`: by one client only."""

    @asynccontextmanager
    async def produce(bench: Bench) -> AsyncIterator[None]:
        names = ("flow", "pressure")
        registers = [
            {"tag": name, "table": "input", "address": address + 2 * n, "type": "float32"}
            for n, name in enumerate(names)
        ]
        group = {"every": "500ms", "assets": [{"path": "delta/water/hall/cell-1/pump-1"}], "registers": registers}
        bench.url, bench.mapped = f"modbus://127.0.0.1:{bench.port}", True
        bench.options = {"url": bench.url, "unit": 2, "timeout": "1s", "groups": [group]}
        async with modbus_device(bench.port, (2,)) as device:
            device.words("input", 0, 0x41AC, 0, unit=2)
            if once:
                device.judge = lambda _unit, function, *_: device.drop() if function == 4 else None
            yield

    return produce
