"""A hash chain: every row carries the SHA-256 of the row before it and of itself.

A row that was changed, moved or taken out shows. The chain proves nothing against someone who can write all rows and
computes them anew: for that, the head (number and hash of the newest row) is kept elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Final

FIRST: Final = "0" * 64
"""What stands before the first row."""
Head = tuple[int, str]
"""Number and hash of the newest row."""
Row = tuple[tuple[object, ...], str]
"""The parts of a row, its number first, and the hash noted beside them."""


def text(body: dict[str, Any]) -> str:
    """A body as JSON, always the same for the same content; raises `ValueError` for NaN and infinities.

    >>> text({"b": 1, "a": "x"})
    '{"a":"x","b":1}'
    """
    return json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def link(before: str, *parts: object) -> str:
    """The hash of a row, from the hash of the row before it and its own parts.

    >>> link(FIRST, 1, "a")[:16]
    'cfb715a82949f55a'
    """
    return hashlib.sha256("\n".join([before, *map(str, parts)]).encode()).hexdigest()


def fault(rows: Sequence[Row], last: int, head: Head | None = None) -> str:
    """Empty when the rows are those that were written, in order and up to number `last`, or what is wrong.

    `head` was noted earlier, elsewhere: its row must be among them.

    >>> one = ((1, "a"), link(FIRST, 1, "a"))
    >>> fault([one], 1), fault([((1, "b"), one[1])], 1)
    ('', 'Row 1 of the audit is not as it was written: it, or one before it, was changed.')
    """
    before, expected = FIRST, 1
    for parts, noted in rows:
        if parts[0] != expected:
            return f"Row {expected} of the audit is missing: it was taken out after it had been written."
        if link(before, *parts) != noted:
            return f"Row {expected} of the audit is not as it was written: it, or one before it, was changed."
        before, expected = noted, expected + 1
    if expected - 1 < last:
        return f"The audit ends at row {expected - 1} and had {last}: its newest rows were taken out."
    if head and (head[0] >= expected or (head[0] and rows[head[0] - 1][1] != head[1])):
        return f"Row {head[0]} of the audit is not the one that was noted elsewhere: the audit was written anew."
    return ""
