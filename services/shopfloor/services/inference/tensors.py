"""Tensors of the Open Inference Protocol as arrays, and back: numbers and texts in JSON or in bytes.

Bytes follow the binary tensor data extension: little-endian, row major, a text as its length (uint32) and its UTF-8.
Missing numbers are NaN; JSON, which has none, says null.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from shopfloor.services.inference.refusal import InferenceRefused

Array = NDArray[Any]

DTYPES: Final = {
    "FP64": "<f8", "FP32": "<f4", "FP16": "<f2", "INT64": "<i8", "INT32": "<i4", "INT16": "<i2", "INT8": "<i1",
    "UINT64": "<u8", "UINT32": "<u4", "UINT16": "<u2", "UINT8": "<u1", "BOOL": "?",
}  # fmt: skip
"""The datatypes that are numbers, by the protocol's names; the other one is BYTES, which is text here."""
BYTES: Final = "BYTES"
_LENGTH: Final = struct.Struct("<I")
_NUMBER: Final = {"F": float | None, "I": int, "U": int, "B": bool}
_WORDS: Final = {"F": "numbers or null", "I": "whole numbers", "U": "whole numbers", "B": "true or false"}


def from_json(data: bytes, datatype: str, shape: Sequence[int], name: str) -> Array:
    """An array of a shape from JSON, flat or nested; anything else raises `InferenceRefused`.

    >>> from_json(b"[1, null, 3, 4]", "FP32", (2, 2), "features").tolist()
    [[1.0, nan], [3.0, 4.0]]
    """
    kind: Any = str if datatype == BYTES else _NUMBER[datatype[0]]
    nested = data.lstrip()[1:].lstrip()[:1] == b"["
    try:
        said = msgspec.json.decode(data, type=list[list[kind]] if nested else list[kind])
    except msgspec.DecodeError as problem:
        words = "texts" if datatype == BYTES else _WORDS[datatype[0]]
        raise InferenceRefused(
            f"The data of the input {name!r:.80} are no {words}, as {datatype} is: {_lower(str(problem))}."
        ) from None
    flat = [one for row in said for one in row] if nested else said
    _check_count(len(flat), shape, name)
    if nested and (len(shape) != 2 or any(len(row) != shape[1] for row in said)):
        raise InferenceRefused(f"The rows of the input {name!r:.80} do not fit its shape {list(shape)}: check both.")
    return _typed(flat, datatype, name).reshape(tuple(shape))


def from_bytes(data: memoryview, datatype: str, shape: Sequence[int], name: str) -> Array:
    """An array of a shape from the bytes of the extension; other bytes raise `InferenceRefused`."""
    if datatype == BYTES:
        texts = list(_texts(data, name))
        _check_count(len(texts), shape, name)
        return np.array(texts, object).reshape(tuple(shape))
    wanted = math.prod(shape) * np.dtype(DTYPES[datatype]).itemsize
    if len(data) != wanted:
        raise InferenceRefused(
            f"The input {name!r:.80} has {len(data)} bytes: {datatype} of shape {list(shape)} takes {wanted}."
        )
    return np.frombuffer(data, DTYPES[datatype]).reshape(tuple(shape))


def to_bytes(array: Array) -> bytes:
    r"""The bytes of the extension.

    >>> to_bytes(np.array(["ok"], object))
    b'\x02\x00\x00\x00ok'
    """
    if array.dtype != object:
        return np.ascontiguousarray(array).tobytes()
    texts = [str(one).encode() for one in array.ravel()]
    return b"".join(_LENGTH.pack(len(text)) + text for text in texts)


def datatype_of(array: Array) -> str:
    """The protocol's name of what an array holds.

    >>> datatype_of(np.zeros(2)), datatype_of(np.array(["a"], object))
    ('FP64', 'BYTES')
    """
    if array.dtype == object:
        return BYTES
    return next(name for name, dtype in DTYPES.items() if np.dtype(dtype) == array.dtype)


def _typed(flat: list[Any], datatype: str, name: str) -> Array:
    if datatype == BYTES:
        return np.array(flat, object)
    try:
        with np.errstate(over="ignore"):
            return np.array(flat, DTYPES[datatype])
    except (OverflowError, ValueError) as problem:
        raise InferenceRefused(
            f"A number of the input {name!r:.80} does not fit into {datatype}: {_lower(str(problem))}."
        ) from None


def _texts(data: memoryview, name: str) -> Iterator[str]:
    at = 0
    while at < len(data):
        try:
            (length,) = _LENGTH.unpack_from(data, at)
            (text,) = struct.unpack_from(f"{length}s", data, at + 4)
            yield text.decode()
        except (struct.error, UnicodeDecodeError):
            raise InferenceRefused(
                f"The bytes of the input {name!r:.80} are no texts at byte {at}: expected a length (uint32) and UTF-8."
            ) from None
        at += 4 + length


def _check_count(count: int, shape: Sequence[int], name: str) -> None:
    if count != math.prod(shape):
        raise InferenceRefused(
            f"The input {name!r:.80} has {count} elements: its shape {list(shape)} says {math.prod(shape)}."
        )


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:200].rstrip(".")
