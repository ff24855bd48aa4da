"""Writing one value: encode, write by the smallest function that the device knows, read back."""

from __future__ import annotations

import math
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
from pymodbus.pdu import ModbusPDU
from shopfloor.gateway.modbus.link import SILENCE, Link, RefusalError
from shopfloor.gateway.modbus.point import BITS, Point, Read
from shopfloor.plant import ShopfloorError, quality
from shopfloor.plant.contracts import Outcome, Scalar

_WRITABLE: Final = frozenset({"coil", "holding"})
_UNKNOWN_FUNCTION: Final = 1


class EncodingError(ShopfloorError, ValueError):
    """A value that the register cannot hold."""


def can_hold(point: Point) -> bool:
    """Whether Modbus has a function that writes there at all."""
    return point.table in _WRITABLE


def encode(point: Point, value: Scalar) -> list[int]:
    """The registers (or the bit) that mean `value`, in the order of the wire; raises `EncodingError`.

    >>> encode(Point("t", 1, "holding", 0, "int16", scale=0.1), 12.34)
    [123]
    >>> encode(Point("t", 1, "holding", 0, "float32", little_words=True), 1.5)
    [0, 16320]
    """
    if point.type == "string":
        return _registers(point, _string(point, value))
    if isinstance(value, str):
        raise EncodingError(f"{value!r} is text: a number was expected")
    if point.type == "bool":
        if value not in {0, 1}:
            raise EncodingError(f"{value:g} is neither 0 nor 1: a bit holds nothing else")
        return [int(value)]
    raw = (value - point.offset) / point.scale if (point.scale, point.offset) != (1.0, 0.0) else value
    return _registers(point, _number(point, raw))


def _number(point: Point, raw: float) -> bytes:
    if point.dtype.kind == "f":
        with np.errstate(over="ignore"):
            number = np.array([raw], point.dtype)
        if math.isfinite(raw) and not np.isfinite(number[0]):
            raise EncodingError(f"{raw:g} is too large for {point.type}")
        return number.tobytes()
    whole, limits = round(raw), np.iinfo(point.dtype)
    if not limits.min <= whole <= limits.max:
        raise EncodingError(f"{whole} does not fit into {point.type}, which holds {limits.min} to {limits.max}")
    return np.array([whole], point.dtype).tobytes()


def _string(point: Point, value: Scalar) -> bytes:
    data = str(value).encode()
    if len(data) > point.length:
        raise EncodingError(f"{value!r} takes {len(data)} bytes: there is room for {point.length}")
    return data.ljust(2 * point.size, b"\0")


def _registers(point: Point, data: bytes) -> list[int]:
    words: list[int] = np.frombuffer(data, "<u2" if point.little_bytes else ">u2").tolist()
    return words[::-1] if point.little_words else words


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes values of one device over its open link."""

    link: Link

    async def apply(self, point: Point, value: Scalar) -> Outcome:
        """Read, write, read back. A refusal is an outcome; silence is followed by a look at what the device holds."""
        try:
            words = encode(point, value)
        except EncodingError as problem:
            return Outcome(quality.BAD_OUT_OF_RANGE, None, f"{point.tag} ({point.place}) cannot take it: {problem}.")
        try:
            before = await self._read(point)
        except RefusalError as refusal:
            sentence = f"{self.link.url} does not give {point.place} ({refusal.words}): nothing was written."
            return Outcome(refusal.status, None, sentence)
        try:
            await self._write(point, words)
        except RefusalError as refusal:
            if refusal.code != SILENCE:
                sentence = f"{self.link.url} refuses to write {point.place}: {refusal.words}."
                return Outcome(refusal.status, None, sentence, before)
        return await self._check(point, before)

    async def _check(self, point: Point, before: Scalar) -> Outcome:
        try:
            return Outcome(quality.GOOD, await self._read(point), before=before)
        except RefusalError as refusal:
            sentence = f"{point.place} was written and cannot be read back ({refusal.words}): look at the device."
            unknown = quality.BAD_TIMEOUT if refusal.code == SILENCE else quality.UNCERTAIN
            return Outcome(unknown, None, sentence, before)

    async def _read(self, point: Point) -> Scalar:
        read = Read.of([(0, point)])
        value, _ = read.cells[0].decode(await self.link.read(read))
        return cast("Scalar", value.tolist()[0])

    async def _write(self, point: Point, words: list[int]) -> None:
        try:
            await self.link.ask(self._smallest(point, words))
        except RefusalError as refusal:
            if refusal.code != _UNKNOWN_FUNCTION or (point.type == "bool" and point.table not in BITS):
                raise
            await self.link.ask(self._several(point, words))

    def _smallest(self, point: Point, words: list[int]) -> Coroutine[Any, Any, ModbusPDU]:
        client, unit, at = self.link.client, point.unit, point.address
        if point.table in BITS:
            return _asked(client.write_coil(at, bool(words[0]), device_id=unit))
        if point.type == "bool":
            mask = 1 << point.bit
            return _asked(
                client.mask_write_register(
                    address=at, and_mask=0xFFFF & ~mask, or_mask=words[0] << point.bit, device_id=unit
                )
            )
        if len(words) == 1:
            return _asked(client.write_register(at, words[0], device_id=unit))
        return self._several(point, words)

    def _several(self, point: Point, words: list[int]) -> Coroutine[Any, Any, ModbusPDU]:
        client, unit, at = self.link.client, point.unit, point.address
        if point.table in BITS:
            return _asked(client.write_coils(at, [bool(words[0])], device_id=unit))
        return _asked(client.write_registers(at, words, device_id=unit))


def _asked(request: object) -> Coroutine[Any, Any, ModbusPDU]:
    return cast("Coroutine[Any, Any, ModbusPDU]", request)
