"""Modbus TCP, as far as any device answers it: one register is asked for, and every answer but silence is one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import ClassVar, Final

from shopfloor.gateway.doctor.finding import Finding, Stuck, Subject, failed, note, ok
from shopfloor.gateway.doctor.speech import exchange, stranger

_ANSWER_S: Final = 4.0
_GATEWAY: Final = {10, 11}


class ModbusExaminer:
    """The step of a Modbus connection."""

    steps: ClassVar[tuple[str, ...]] = ("protocol",)

    async def examine(self, subject: Subject) -> AsyncGenerator[Finding]:
        """Ask the configured unit for holding register 0."""
        unit = int(subject.options.get("unit", 1))
        greeting = bytes([0, 1, 0, 0, 0, 6, unit, 3, 0, 0, 0, 1])
        try:
            answer = await exchange(subject, greeting, _ANSWER_S)
        except TimeoutError as problem:
            raise Stuck(await stranger(subject, "protocol", silent=True)) from problem
        except OSError:
            answer = b""
        if answer[:4] != greeting[:4] or len(answer) < 9:
            raise Stuck(await stranger(subject, "protocol", silent=False))
        yield _answered(unit, answer)


def _answered(unit: int, answer: bytes) -> Finding:
    function, code = answer[7], answer[8]
    if function == 0x83 and code in _GATEWAY:
        why = f"A Modbus gateway answers, and the device with unit {unit} behind it does not"
        return failed("protocol", "unit-silent", why, "check the 'unit', and the wiring and address of the device")
    if function == 0x83:
        why = f"Unit {unit} speaks Modbus, and has no holding register 0 (exception {code})"
        return note("protocol", "register-unknown", why, "nothing, when the registers of the plant file are others")
    return ok("protocol", f"Unit {unit} speaks Modbus.")


EXAMINER: Final = ModbusExaminer()
