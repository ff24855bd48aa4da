"""Any OPC UA value as values of the three kinds; arrays and structures are flattened to `name[0]`, `name.field`."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from asyncua import ua

Scalar = float | int | str


def leaves(tag: str, value: Any) -> Iterator[tuple[str, Scalar]]:
    """The scalars inside a value, each with its tag.

    >>> list(leaves("pump/position", [1.5, 2.5]))
    [('pump/position[0]', 1.5), ('pump/position[1]', 2.5)]
    """
    if isinstance(value, ua.Variant):
        value = value.Value
    if isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from leaves(f"{tag}[{index}]", item)
    elif dataclasses.is_dataclass(value) and not isinstance(value, _PLAIN):
        yield from _fields(tag, value)
    elif value is not None:
        yield tag, scalar(value)


def scalar(value: Any) -> Scalar:
    """One value as a number or a text: booleans are 0.0 and 1.0, times ISO 8601, enumerations their number.

    >>> scalar(True), scalar(7), scalar(datetime(2024, 1, 2, tzinfo=UTC))
    (1.0, 7, '2024-01-02T00:00:00+00:00')
    """
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, Enum):
        return int(value.value)
    if isinstance(value, int):
        return int(value) if -(2**63) <= value < 2**63 else float(value)
    return value if isinstance(value, float) else _text(value)


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, ua.LocalizedText):
        value = value.Text or ""
    elif isinstance(value, ua.NodeId):
        value = value.to_string()
    elif isinstance(value, ua.StatusCode):
        value = value.name
    text = str(value)
    return text if text.isascii() else _UNPAIRED.sub("\ufffd", text)


def _fields(tag: str, value: Any) -> Iterator[tuple[str, Scalar]]:
    for item in dataclasses.fields(value):
        if item.name not in {"Encoding", "TypeId", "Body"} and not item.name.startswith("_"):
            yield from leaves(f"{tag}.{item.name}", getattr(value, item.name))


def empty(example: Scalar) -> Scalar:
    """What stands for "no value" of the kind of `example`: NaN, 0 or an empty text."""
    if isinstance(example, str):
        return ""
    return 0 if isinstance(example, int) else math.nan


_UNPAIRED = re.compile("[\ud800-\udfff]+")
"""How asyncua passes on bytes that are no UTF-8."""
_PLAIN = (ua.LocalizedText, ua.NodeId, ua.QualifiedName, ua.StatusCode)
