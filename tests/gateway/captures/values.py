"""What the servers of the captures serve: every type as a scalar and as an array, and long runs of the usual ones."""

from __future__ import annotations

from datetime import UTC, datetime

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
SCALARS = {
    "Boolean": [True, False],
    "SByte": [-128, 127],
    "Byte": [0, 255],
    "Int16": [-(2**15), 2**15 - 1],
    "UInt16": [0, 2**16 - 1],
    "Int32": [-(2**31), 2**31 - 1],
    "UInt32": [0, 2**32 - 1],
    "Int64": [-(2**63), 2**63 - 1],
    "UInt64": [0, 2**64 - 1],
    "Float": [0.1, float("inf")],
    "Double": [1e300, float("nan")],
    "String": ["Grüße 铝", ""],
    "DateTime": [MOMENT, datetime(1970, 1, 1, tzinfo=UTC)],
    "ByteString": [b"\x00\xff", b""],
}
RUN = 40
STATUSES = [0, 0x40920000, 0x80310000, 0x808C0000]
