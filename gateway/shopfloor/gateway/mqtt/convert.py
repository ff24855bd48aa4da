"""From what JSON holds to a value, a time and a quality.

Bad data is data: it travels as NaN, 0 or "" with its quality.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from shopfloor.plant import Kind, ShopfloorError, quality

_NAN: Final = float("nan")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NS: Final = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_AUTO: Final = ((1e11, _NS["s"]), (1e14, _NS["ms"]), (1e17, _NS["us"]), (2.0**63, _NS["ns"]))
_MS_FROM, _MS_TO = 10**11, 10**14
_DIGITS: Final = re.compile(r"[0-9]{10,19}(?:\.[0-9]+)?")
_FINE: Final = re.compile(r"\.\d{6}(\d{1,3})")
_decode: Final = msgspec.json.Decoder().decode


class MessageError(ShopfloorError, ValueError):
    """A message that is no value: counted and shown, not stored."""


def loads(payload: bytes) -> Any:
    """The JSON of a message; NaN, Infinity and a byte order mark, which JSON does not know, are understood as well."""
    try:
        return _decode(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        pass
    try:
        found = json.loads(payload)
        if b"\\u" in payload:
            json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as problem:
        raise MessageError(f"{payload[:40]!r} is no JSON") from problem
    return found


def time_of(value: Any, unit: str) -> int:
    """A time as UTC ns: a number in its unit (auto: by its size), such a number as text, or ISO 8601.

    >>> time_of(1700000000, "auto"), time_of("2023-11-14T22:13:20Z", "auto")
    (1700000000000000000, 1700000000000000000)
    """
    if type(value) is int and unit == "auto" and _MS_FROM <= value < _MS_TO:
        return value * 1_000_000
    if isinstance(value, str):
        if unit == "iso" or (unit == "auto" and not _DIGITS.fullmatch(value)):
            return _iso(value)
        value = _numeral(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or unit == "iso":
        raise MessageError(f"the time {value!r} is neither a number ({_named(unit)}) nor ISO 8601")
    scale = _NS[unit] if unit != "auto" else next((scale for most, scale in _AUTO if value < most), 0)
    if not 0 <= value * scale < 2**63 or not scale:
        raise MessageError(f"the time {value!r} is neither {_named(unit)} since 1970 nor ISO 8601")
    return value * scale if isinstance(value, int) else round(value * scale)


def duration_of(value: Any, unit: str) -> int:
    """An offset as ns."""
    number = _numeral(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int | float) or not abs(number) < 2**62 / _NS[unit]:
        raise MessageError(f"the offset {value!r} is no number of {unit}")
    return round(number * _NS[unit])


def quality_of(value: Any, known: Mapping[str, int]) -> int:
    """A StatusCode: by the plant file's own words, by its name, or as it is."""
    if value is None:
        return quality.GOOD
    status = known.get(str(value).lower() if isinstance(value, bool) else str(value))
    if status is None and isinstance(value, str):
        status = quality.of_name(value)
    if status is not None:
        return status
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**32:
        return value
    raise MessageError(f"the quality {value!r} is neither good, uncertain or bad nor a StatusCode")


def value_of(value: Any, kind: Kind | None, status: int, *, numeric: bool) -> tuple[float | int | str, int]:
    """A value of the kind that the tag is declared to be (None: as it comes), and its quality."""
    if value is None:
        return _empty(kind), status if status >> 31 else quality.BAD
    if kind is Kind.TEXT:
        return value if isinstance(value, str) else _text(value), status
    if isinstance(value, dict | list):
        raise MessageError(f"the value is {word(value)}: a number, a text or a boolean was expected")
    if isinstance(value, str) and kind is None and not numeric:
        return value, status
    try:
        number = _number(value, kind)
    except (ValueError, OverflowError):
        return _mismatch(value, kind, status)
    if number - number != 0:  # NaN and the infinities
        return _NAN, status if status >> 31 else quality.BAD
    return number, status


def word(value: Any) -> str:
    """What JSON calls a value."""
    words = {dict: "an object", list: "an array", str: "a text", bool: "a boolean", type(None): "null"}
    return words.get(type(value), "a number")


def _text(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError as problem:
        raise MessageError("the value is nested too deeply") from problem


def _mismatch(value: Any, kind: Kind | None, status: int) -> tuple[float | int | str, int]:
    if kind is None and isinstance(value, str):
        return value, status
    return _empty(kind), status if status >> 31 else quality.BAD_TYPE_MISMATCH


def _number(value: Any, kind: Kind | None) -> float | int:
    if kind is not Kind.INT:
        return float(value)
    number = int(value)
    if number != value and not isinstance(value, str):
        raise ValueError("not whole")
    if not -(2**63) <= number < 2**63:
        raise OverflowError("too large for int64")
    return number


def _empty(kind: Kind | None) -> float | int | str:
    if kind is Kind.TEXT:
        return ""
    return 0 if kind is Kind.INT else _NAN


def _numeral(text: str) -> int | float | str:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _iso(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as problem:
        raise MessageError(f"the time {text!r} is not ISO 8601") from problem
    delta = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
    fine = _FINE.search(text) if len(text) > 26 else None
    time = ((delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds) * 1_000
    time += int(fine[1].ljust(3, "0")) if fine else 0
    if not 0 <= time < 2**63:
        raise MessageError(f"the time {text!r} lies before 1970 or after 2262")
    return time


def _named(unit: str) -> str:
    return "seconds, ms, us or ns" if unit == "auto" else unit
