"""The rules of a gateway's sequence, and the ledger of its sources."""

from __future__ import annotations

from dataclasses import dataclass

from shopfloor.plant import StoreError
from shopfloor.plant.counted import counted


class SequenceGap(StoreError):  # noqa: N818 (a state of the world, not a fault of the code)
    """A batch came too early: `expected` is the sequence that the gateway must send next."""

    def __init__(self, gateway: str, sequence: int, expected: int) -> None:
        super().__init__(
            f"Gateway {gateway} sent sequence {sequence}, but {expected} was expected: send batch {expected} first."
        )
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a batch: how many values were stored, and whether the batch had been stored before."""

    values: int
    duplicate: bool


@dataclass(frozen=True, slots=True)
class SourceLedger:
    """The account of one source of one gateway, in values.

    `accepted` is the gateway's own counter at its newest batch; `baseline` is how many of them this store was never
    asked to keep (its folder is younger than the gateway's spool); `repeated` came more than once and were stored once.
    `dropped` were given up by a full spool; `damaged` were stored, but the disk no longer gives back what was written;
    `missing` were delivered to a store that this one does not know of. The account is `balanced` while nothing is
    damaged or missing and no batch ever disagreed with `accepted == baseline + stored + rejected + dropped`.
    """

    gateway: str
    source: str
    accepted: int
    stored: int
    rejected: int
    repeated: int
    baseline: int
    mismatches: int
    damaged: int
    missing: int
    dropped: int
    said: str

    @property
    def sentence(self) -> str:
        """What is to be known about the account; empty when all is well."""
        if self.missing:
            away = counted(self.missing, f"value of {self.source} that is", f"values of {self.source} that are")
            return f"Gateway {self.gateway} delivered {away} not in this store: was it restored from an older copy?"
        return self.said

    @property
    def balanced(self) -> bool:
        """Whether every counter that the gateway sent agreed with ours, and everything stored is whole."""
        return self.mismatches == self.damaged == self.missing == 0
