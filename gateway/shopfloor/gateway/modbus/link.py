"""One connection to a device: requests and their refusals, silence, and the loss of the link."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU
from shopfloor.gateway.modbus.options import ModbusOptions
from shopfloor.gateway.modbus.point import BITS, Read
from shopfloor.plant import ShopfloorError, SourceLost, quality

logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)
_NEVER: Final = 1_000_000_000
SILENCE: Final = 0
WRONG_LENGTH: Final = -1
_REFUSALS: Final = {
    SILENCE: ("no answer", quality.BAD_NO_COMMUNICATION),
    WRONG_LENGTH: ("an answer of the wrong length", quality.BAD_DECODING),
    1: ("illegal function", quality.BAD_NOT_SUPPORTED),
    2: ("illegal data address", quality.BAD_CONFIGURATION_ERROR),
    3: ("illegal data value", quality.BAD_OUT_OF_RANGE),
    4: ("device failure", quality.BAD_DEVICE_FAILURE),
    5: ("acknowledged, still at work", quality.BAD_OUT_OF_SERVICE),
    6: ("device busy", quality.BAD_OUT_OF_SERVICE),
    8: ("memory parity error", quality.BAD_DEVICE_FAILURE),
    10: ("gateway path unavailable", quality.BAD_NO_COMMUNICATION),
    11: ("gateway target does not respond", quality.BAD_NO_COMMUNICATION),
}


class RefusalError(ShopfloorError):
    """A request that the device answered by an exception code (Modbus Application Protocol 1.1b3, section 7)."""

    def __init__(self, code: int) -> None:
        self.code = code
        self.words, self.status = _REFUSALS.get(code, (f"exception {code}", quality.BAD))
        super().__init__(f"The device answers {self.words}.")


@dataclass(slots=True)
class Link:
    """Requests over one open connection. `SourceLost` is raised once it is gone."""

    url: str
    client: AsyncModbusTcpClient
    lost: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, read: Read) -> NDArray[np.uint16]:
        """The registers of a request (bits as 0 and 1); raises `RefusalError`."""
        client = self.client
        ask = {
            "coil": client.read_coils,
            "discrete": client.read_discrete_inputs,
            "input": client.read_input_registers,
            "holding": client.read_holding_registers,
        }[read.table]
        request = ask(read.address, count=read.count, device_id=read.unit)
        answer = await self.ask(cast("Coroutine[Any, Any, ModbusPDU]", request))
        words = answer.bits[: read.count] if read.table in BITS else answer.registers
        if len(words) != read.count:
            raise RefusalError(WRONG_LENGTH)
        return np.array(words, np.uint16)

    async def ask(self, request: Coroutine[Any, Any, ModbusPDU]) -> ModbusPDU:
        """The answer to any request; raises `RefusalError`."""
        work, gone = asyncio.create_task(request), asyncio.create_task(self.lost.wait())
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                raise SourceLost(f"The device {self.url} closed the link.")
            answer = work.result()
        except ModbusException as problem:
            self.check()
            raise RefusalError(SILENCE) from problem
        finally:
            work.cancel()
            gone.cancel()
        if answer.isError():
            raise RefusalError(answer.exception_code)
        return answer

    def check(self) -> None:
        """Raise `SourceLost` when the link is gone."""
        if self.lost.is_set() or not self.client.connected:
            raise SourceLost(f"The device {self.url} closed the link.")

    async def pause(self, seconds: float) -> None:
        """Wait, but not longer than the link lives."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.lost.wait()
        self.check()


@asynccontextmanager
async def connected(options: ModbusOptions) -> AsyncIterator[Link]:
    """A connection to the device; `SourceLost` says that there is none."""
    lost = asyncio.Event()
    client = AsyncModbusTcpClient(
        options.device.hostname or "",
        port=options.device.port or 502,
        timeout=options.timeout,
        retries=0,
        reconnect_delay=0,
        trace_connect=lambda there: None if there else lost.set(),
    )
    client.set_max_no_responses(_NEVER)
    try:
        if not await client.connect():
            raise SourceLost(
                f"Nothing answers at {options.url} within {options.timeout:g} s: check the address, that the device"
                " runs, and that it has a free connection (many serve only one or two clients)."
            )
        yield Link(options.url, client, lost)
    finally:
        client.close()
