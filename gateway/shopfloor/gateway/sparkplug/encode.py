"""From a value of ours to a metric's field. Source: Sparkplug 3.0, section 6.4.16."""

from __future__ import annotations

import math
from typing import Any, Final

from shopfloor.gateway.sparkplug.datatypes import DataType, field_of
from shopfloor.plant.contracts import Scalar

_RANGES: Final = {
    **{code: (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for code, bits in ((1, 8), (2, 16), (3, 32), (4, 64))},
    **{code: (0, 2**bits - 1) for code, bits in ((5, 8), (6, 16), (7, 32), (8, 64))},
}
_NARROW: Final = (DataType.INT8, DataType.INT16, DataType.INT32)
_FLOATS: Final = (DataType.FLOAT, DataType.DOUBLE)
_TEXTS: Final = (DataType.STRING, DataType.TEXT, DataType.UUID)


def put(metric: Any, code: int, value: Scalar, field: str | None = None) -> None:
    """Set the value of a metric; `ValueError` says why this data type cannot hold it.

    `field` is where this metric's value travels at its node, when that is not where the specification says.

    >>> from shopfloor.gateway.sparkplug.payload import Metric
    >>> metric = Metric(); put(metric, DataType.INT16, -2); metric.int_value
    4294967294
    """
    setattr(metric, field or field_of(code), _encoded(code, value))


def _encoded(code: int, value: Scalar) -> Scalar | bool:
    if code in _TEXTS:
        return str(value)
    if isinstance(value, str):
        raise ValueError(f"the text {value!r} is no value of the data type {DataType(code).name}")  # noqa: TRY004
    if code in _FLOATS:
        return float(value)
    if code == DataType.BOOLEAN and value in {0, 1}:
        return bool(value)
    if code in _RANGES and math.isfinite(value) and value == int(value):
        low, high = _RANGES[code]
        if low <= value <= high:
            return int(value) & (0xFFFF_FFFF if code in _NARROW else 0xFFFF_FFFF_FFFF_FFFF)
    raise ValueError(f"{value!r} is no value of the data type {DataType(code).name}")
