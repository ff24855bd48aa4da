"""Modbus TCP: one register as far as any device answers it, then every register of the plant file, once."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import ClassVar, Final

from pydantic import ValidationError
from shopfloor.gateway.doctor.finding import Finding, State, Stuck, Subject, failed, note, ok
from shopfloor.gateway.doctor.speech import exchange, stranger
from shopfloor.gateway.modbus.link import connected
from shopfloor.gateway.modbus.options import ModbusOptions
from shopfloor.gateway.modbus.poll import Group, trouble
from shopfloor.plant import SourceLost

_ANSWER_S: Final = 4.0
_GATEWAY: Final = {10, 11}


class ModbusExaminer:
    """The steps of a Modbus connection."""

    steps: ClassVar[tuple[str, ...]] = ("protocol", "registers")

    async def examine(self, subject: Subject) -> AsyncGenerator[Finding]:
        """Ask the first configured unit for holding register 0, then read the register map."""
        options = _options(subject)
        units = [point.unit for group in options.groups for point in group.points(options)] if options else []
        unit = units[0] if units else int(subject.options.get("unit", 1))
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
        yield await _registers(options)


def _options(subject: Subject) -> ModbusOptions | None:
    if not subject.mapped:
        return None
    try:
        return ModbusOptions.model_validate(dict(subject.options))
    except ValidationError as problem:
        why = problem.errors()[0]["msg"].removeprefix("Value error, ")
        raise Stuck(failed("protocol", "options", f"The options do not fit together: {why}", "correct them")) from None


async def _registers(options: ModbusOptions | None) -> Finding:
    if options is None:
        return Finding("registers", State.SKIPPED, "No register map was given: name a source of a plant file.")
    groups = [Group.of(group, options) for group in options.groups]
    try:
        async with connected(options) as link:
            batches = [batch for group in groups for batch in await group.poll(link, set())]
    except SourceLost as lost:
        why = f"The device answered, and takes no second connection ({str(lost).partition(': ')[0].rstrip('.')})"
        return failed("registers", "one-connection", why, "end the other client, or the running gateway, and ask again")
    why, _, fix = trouble(groups).partition("; ")
    if why:
        return failed("registers", "register-refused", why, fix)
    first = next(iter(batches[0]))
    why = f"Every register was read, and {first.tag} is {first.value}"
    fix = "compare one value of each type with the device's display: a wrong type or word order gives no error"
    return note("registers", "orders-unknown", why, fix)


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
