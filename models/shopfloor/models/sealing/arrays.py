"""Named plain arrays in one `.npz`; nothing is unpickled, no header is evaluated."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.sealing.canonical import pack, unpack

Arrays = Mapping[str, NDArray[Any]]
_MAGIC: Final = b"\x93NUMPY\1\0"
_HEADER: Final = re.compile(
    rb"\{'descr': '(<f4|<f8|<i4|<i8|\|b1)', 'fortran_order': False,"
    rb" 'shape': \(((?:\d{1,12},(?: \d{1,12},?){0,3})?)\), \} *\n"
)
_ALIGN: Final = 64


def to_npz(arrays: Arrays) -> bytes:
    """The arrays sorted by name; `numpy.load` reads them.

    >>> from_npz(to_npz({"b": np.arange(2.0), "a": np.eye(1)}))
    {'a': array([[1.]]), 'b': array([0., 1.])}
    """
    return pack({f"{name}.npy": _to_npy(arrays[name]) for name in sorted(arrays)})


def from_npz(data: bytes) -> dict[str, NDArray[Any]]:
    """What `to_npz` wrote, read-only; anything else raises `ValueError`."""
    return {name.removesuffix(".npy"): _from_npy(name, entry) for name, entry in unpack(data).items()}


def _to_npy(array: NDArray[Any]) -> bytes:
    plain = np.ascontiguousarray(array)
    plain = plain.astype(plain.dtype.newbyteorder("<"), copy=False)
    text = f"{{'descr': '{plain.dtype.str}', 'fortran_order': False, 'shape': {plain.shape}, }}"
    short = len(_MAGIC) + 2 + len(text) + 1
    header = (text + " " * (-short % _ALIGN) + "\n").encode()
    if not _HEADER.fullmatch(header):
        raise ValueError(f"an array of type {plain.dtype} and shape {plain.shape} cannot be sealed")
    return _MAGIC + struct.pack("<H", len(header)) + header + plain.tobytes()


def _from_npy(name: str, data: bytes) -> NDArray[Any]:
    begin = len(_MAGIC) + 2
    size = struct.unpack_from("<H", data, begin - 2)[0] if len(data) >= begin else 0
    found = _HEADER.fullmatch(data[begin : begin + size])
    if not name.endswith(".npy") or data[: len(_MAGIC)] != _MAGIC or found is None:
        raise ValueError(f"the array {name} has no header that is allowed")
    dtype = np.dtype(found[1].decode())
    shape = tuple(int(n) for n in found[2].decode().replace(" ", "").split(",") if n)
    body = data[begin + size :]
    if math.prod(shape) * dtype.itemsize != len(body):
        raise ValueError(f"the array {name} declares {shape} but holds {len(body)} bytes")
    if dtype == np.bool_ and body.strip(b"\0\1"):
        raise ValueError(f"the array {name} holds truth values that are neither")
    array: NDArray[Any] = np.frombuffer(body, dtype).reshape(shape)
    if _to_npy(array) != data:
        raise ValueError(f"the array {name} is not written as bundles are")
    return array
