"""One content, one sequence of bytes: JSON and ZIP in the only form that is accepted.

What is read is written again and compared. So there are no two readings of one file (duplicate keys, hidden entries,
bytes between entries), nothing is compressed, and the same training gives the same bytes. Errors are `ValueError`.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any, Final

_LOCAL: Final = struct.Struct("<4s5H3L2H")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_END: Final = struct.Struct("<4s4H2LH")
_VERSION: Final = 20
_TIME: Final = (0, 0x21)  # midnight of 1980-01-01, the first moment that ZIP knows
_MOST: Final = 4096


def sha256(data: bytes) -> str:
    """The SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def to_json(content: Any) -> bytes:
    """Readable JSON with sorted keys; NaN and infinity raise.

    >>> to_json({"b": 1, "a": [0.5]}).decode().split()
    ['{', '"a":', '[', '0.5', '],', '"b":', '1', '}']
    """
    return json.dumps(content, indent=1, sort_keys=True, allow_nan=False).encode() + b"\n"


def from_json(data: bytes) -> Any:
    """What `to_json` wrote; any other bytes raise `ValueError`, also when they mean the same."""
    try:
        content = json.loads(data)
        if to_json(content) != data:
            raise ValueError("it is not written as bundles are")
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return content


def json_sha(content: Any) -> str:
    """The SHA-256 of the compact form: the name of a feature spec.

    >>> json_sha({"window": 60})[:8]
    'a18f8fd4'
    """
    return sha256(json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False).encode())


def pack(files: Mapping[str, bytes]) -> bytes:
    """A ZIP of uncompressed entries in the given order; `zipfile`, `unzip` and `numpy.load` read it.

    >>> unpack(pack({"b": b"2", "a": b"1"}))
    {'b': b'2', 'a': b'1'}
    """
    body, directory = bytearray(), bytearray()
    for name, data in files.items():
        common = (*_TIME, zlib.crc32(data), len(data), len(data), len(name.encode()), 0)
        directory += _CENTRAL.pack(b"PK\1\2", _VERSION, _VERSION, 0, 0, *common, 0, 0, 0, 0, len(body)) + name.encode()
        body += _LOCAL.pack(b"PK\3\4", _VERSION, 0, 0, *common) + name.encode() + data
    end = _END.pack(b"PK\5\6", 0, 0, len(files), len(files), len(directory), len(body), 0)
    return bytes(body + directory + end)


def unpack(data: bytes) -> dict[str, bytes]:
    """What `pack` wrote; any other bytes raise `ValueError`. Takes no more memory than the data."""
    files: dict[str, bytes] = {}
    at = 0
    while data[at : at + 4] == b"PK\3\4":
        name, at, size = _entry(data, at)
        if name in files or len(files) == _MOST:
            raise ValueError(f"it has a second entry {name!r}, or too many")
        files[name], at = data[at : at + size], at + size
    if pack(files) != data:
        raise ValueError("it is cut short, compressed, or not written as bundles are")
    return files


def _entry(data: bytes, at: int) -> tuple[str, int, int]:
    """Name, where its bytes begin, how many."""
    if len(data) < at + _LOCAL.size:
        raise ValueError("it is cut short")
    fields = _LOCAL.unpack_from(data, at)
    size, named = fields[8], fields[9]
    begin = at + _LOCAL.size + named
    if begin + size > len(data):
        raise ValueError("an entry is longer than the file")
    return data[at + _LOCAL.size : begin].decode(), begin, size
