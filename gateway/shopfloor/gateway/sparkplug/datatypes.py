"""The data types of Sparkplug 3.0 and what becomes of them.

Floats and booleans are float64, integers int64, everything else text: times as ISO 8601, bytes as hexadecimal digits.
Source: Sparkplug 3.0, section 6.4.16 (Data Types). Signed integers travel as two's complement in unsigned fields.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any, Final

import numpy as np
from shopfloor.plant import Kind

Scalar = float | int | str
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class DataType(IntEnum):
    """Codes of the specification."""

    UNKNOWN = 0
    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12
    DATETIME = 13
    TEXT = 14
    UUID = 15
    DATASET = 16
    BYTES = 17
    FILE = 18
    TEMPLATE = 19
    PROPERTYSET = 20
    PROPERTYSETLIST = 21
    INT8_ARRAY = 22
    INT16_ARRAY = 23
    INT32_ARRAY = 24
    INT64_ARRAY = 25
    UINT8_ARRAY = 26
    UINT16_ARRAY = 27
    UINT32_ARRAY = 28
    UINT64_ARRAY = 29
    FLOAT_ARRAY = 30
    DOUBLE_ARRAY = 31
    BOOLEAN_ARRAY = 32
    STRING_ARRAY = 33
    DATETIME_ARRAY = 34


_BITS: Final = {DataType.INT8: 8, DataType.INT16: 16, DataType.INT32: 32, DataType.INT64: 64}
_WHOLE: Final = frozenset(range(1, 9))
_FLOATS: Final = frozenset({DataType.FLOAT, DataType.DOUBLE, DataType.BOOLEAN})
_ARRAYS: Final = {
    DataType.INT8_ARRAY: "<i1",
    DataType.INT16_ARRAY: "<i2",
    DataType.INT32_ARRAY: "<i4",
    DataType.INT64_ARRAY: "<i8",
    DataType.UINT8_ARRAY: "<u1",
    DataType.UINT16_ARRAY: "<u2",
    DataType.UINT32_ARRAY: "<u4",
    DataType.UINT64_ARRAY: "<u8",
    DataType.FLOAT_ARRAY: "<f4",
    DataType.DOUBLE_ARRAY: "<f8",
    DataType.DATETIME_ARRAY: "<i8",
}
_FIELDS: Final = {
    **dict.fromkeys((1, 2, 3, 5, 6, 7), "int_value"),
    **dict.fromkeys((4, 8, 13), "long_value"),
    9: "float_value",
    10: "double_value",
    11: "boolean_value",
    **dict.fromkeys((12, 14, 15), "string_value"),
    16: "dataset_value",
    **dict.fromkeys((17, 18, *range(22, 35)), "bytes_value"),
    19: "template_value",
}
COMPOUND: Final = frozenset({16, 19, *range(22, 35)})


def known(code: int) -> bool:
    """Whether a metric may have this data type: property sets and codes from elsewhere may not."""
    return code in _FIELDS


def field_of(code: int) -> str:
    """The field that the specification names for a data type."""
    return _FIELDS[code]


def kind_of(code: int) -> Kind:
    """The kind of a scalar data type.

    >>> kind_of(DataType.BOOLEAN), kind_of(DataType.UINT8), kind_of(DataType.DATETIME)
    (<Kind.FLOAT: 'float64'>, <Kind.INT: 'int64'>, <Kind.TEXT: 'text'>)
    """
    return Kind.FLOAT if code in _FLOATS else Kind.INT if code in _WHOLE else Kind.TEXT


def signed(code: int) -> int:
    """How many bits of an unsigned field are a two's complement number; 0 for none."""
    return _BITS.get(DataType(code), 0)


def scalar(code: int, value: Any) -> Scalar:
    """One value of a scalar data type, read from its field.

    >>> scalar(DataType.INT8, 0xFF), scalar(DataType.INT32, 0xFFFFFFFE), scalar(DataType.UINT8, 200)
    (-1, -2, 200)
    >>> scalar(DataType.DATETIME, 1500)
    '1970-01-01T00:00:01.500000+00:00'
    """
    if code in _FLOATS:
        return float(value)
    if code in _WHOLE and not isinstance(value, str | bytes):
        return _integer(signed(code), int(value))
    if code == DataType.DATETIME and isinstance(value, int):
        return _iso(value)
    return value.hex() if isinstance(value, bytes) else str(value)


def _integer(bits: int, value: int) -> int | float:
    if bits:
        value &= (1 << bits) - 1
        value -= (value >> (bits - 1)) << bits
    return value if value < 2**63 else float(value)


def _iso(milliseconds: int) -> str:
    """ISO 8601, or the number itself where no calendar reaches."""
    if milliseconds >= 2**63:
        milliseconds -= 2**64
    try:
        return (EPOCH + timedelta(milliseconds=milliseconds)).isoformat()
    except OverflowError:
        return str(milliseconds)


def leaves(code: int, value: Any) -> Iterator[tuple[str, Scalar]]:
    """The scalars inside an array, a data set or a template, each with the end of its tag's name.

    `ValueError` says what is wrong with it.

    >>> list(leaves(DataType.INT16_ARRAY, bytes([1, 0, 255, 255])))
    [('[0]', 1), ('[1]', -1)]
    """
    if code == DataType.DATASET:
        yield from _dataset(value)
    elif code == DataType.TEMPLATE:
        yield from _template(value)
    else:
        for index, one in enumerate(_array(code, value)):
            yield f"[{index}]", one


def _array(code: int, data: bytes) -> Iterator[Scalar]:
    if code == DataType.STRING_ARRAY:
        yield from (part.decode() for part in data.split(b"\0")[:-1])
    elif code == DataType.BOOLEAN_ARRAY:
        (count,) = struct.unpack_from("<I", data) if len(data) >= 4 else (0,)
        if count > 8 * (len(data) - 4):
            raise ValueError(f"an array of {count} booleans has {len(data)} bytes")
        yield from np.unpackbits(np.frombuffer(data, np.uint8, offset=4), count=count).astype(float).tolist()
    else:
        convert: Callable[[Any], Scalar] = _iso if code == DataType.DATETIME_ARRAY else _fit
        yield from map(convert, np.frombuffer(data, _ARRAYS[DataType(code)]).tolist())


def _fit(value: float) -> Scalar:
    return float(value) if isinstance(value, int) and value >= 2**63 else value


def _dataset(table: Any) -> Iterator[tuple[str, Scalar]]:
    columns, types = list(table.columns), list(table.types)
    if not len(columns) == len(types) == table.num_of_columns:
        raise ValueError(f"a data set of {table.num_of_columns} columns names {len(columns)} and types {len(types)}")
    for row, elements in enumerate(table.rows):
        if len(elements.elements) != len(columns):
            raise ValueError(f"a data set of {len(columns)} columns has a row of {len(elements.elements)}")
        for column, code, element in zip(columns, types, elements.elements, strict=True):
            field = element.WhichOneof("value")
            if field is not None:
                yield f"[{row}].{column}", scalar(code, getattr(element, field))


def _template(template: Any) -> Iterator[tuple[str, Scalar]]:
    if template.is_definition:
        return
    for one in (*template.parameters, *template.metrics):
        code = one.type if hasattr(one, "type") else one.datatype
        field = one.WhichOneof("value")
        if field is None:
            continue
        if not known(code):
            raise ValueError(f"the member {one.name!r} has the data type {code}, which is none of Sparkplug 3.0")
        if code in COMPOUND:
            yield from ((f".{one.name}{end}", leaf) for end, leaf in leaves(code, getattr(one, field)))
        else:
            yield f".{one.name}", scalar(code, getattr(one, field))


def empty(kind: Kind) -> Scalar:
    """What stands for "no value" of a kind: NaN, 0 or an empty text."""
    return _EMPTY[kind]


_EMPTY: Final[dict[Kind, Scalar]] = {Kind.FLOAT: math.nan, Kind.INT: 0, Kind.TEXT: ""}
