"""What goes into the spool, and what comes out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """What a source hands over: `values` rows of one batch, as bytes, and how far it has been read after them.

    Without data it is a batch for which there is no room: it is counted, and that is all.
    """

    source: str
    values: int
    data: bytes
    marks: bytes | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One batch in the spool. `accepted` counts all values of its source up to and including this one."""

    sequence: int
    source: str
    accepted: int
    values: int
    data: bytes
    refused: str = ""

    @property
    def first(self) -> int:
        """Its first sequence, which is its only one."""
        return self.sequence
