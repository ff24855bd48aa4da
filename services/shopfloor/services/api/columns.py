"""Columns for pages: numbers as they lie in memory, in a MessagePack envelope, so that a browser parses nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
from fastapi import Request
from shopfloor.services.api.wire import PLAIN
from starlette.responses import Response

COLUMNS: Final = "application/msgpack"
_NUMBERS: Final = ("value", "low", "high")


def wants_columns(request: Request) -> bool:
    """Whether the caller asks for raw columns."""
    return COLUMNS in request.headers.get("accept", "")


def packed(table: pa.Table, **said: Any) -> bytes:
    """A table of time (ns), quality and numbers: time in epoch ms and numbers as float64, quality as uint32.

    All little-endian. Where there is no value it is NaN.

    >>> table = pa.table({"time": [1_500_000], "value": [None], "quality": [0]})
    >>> told = msgspec.msgpack.decode(packed(table.set_column(1, "value", pa.array([None], pa.float64())), tag="a/t"))
    >>> np.frombuffer(told["time"]), np.frombuffer(told["value"]), told["tag"]
    (array([1.5]), array([nan]), 'a/t')
    """
    ns = table.column("time").cast(pa.int64()).to_numpy()
    raw = {"time": (np.round(ns / 1_000) / 1_000).astype("<f8").tobytes()}
    for name in _NUMBERS:
        if name in table.column_names:
            raw[name] = table.column(name).cast(pa.float64()).to_numpy().astype("<f8", copy=False).tobytes()
    raw["quality"] = table.column("quality").to_numpy().astype("<u4", copy=False).tobytes()
    return msgspec.msgpack.encode(said | raw)


def columns(table: pa.Table, headers: Mapping[str, str], **said: Any) -> Response:
    """The answer."""
    return Response(packed(table, **said), headers={**PLAIN, **headers}, media_type=COLUMNS)
