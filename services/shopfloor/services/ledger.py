"""The ledger: what the gateways accepted, beside what the store holds. It must balance to the value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shopfloor.plant.counted import counted
from shopfloor.services.gateways import Post
from shopfloor.services.historian import SourceLedger


@dataclass(frozen=True, slots=True)
class Account:
    """One source of one gateway, in values.

    `spooled` waits at the gateway; `duplicates` came twice, stored once; `damaged` were stored and lost on the disk.
    """

    gateway: str
    source: str
    accepted: int
    spooled: int
    stored: int
    rejected: int
    dropped: int
    duplicates: int
    damaged: int
    balanced: bool
    sentence: str


def accounts(stored: Iterable[SourceLedger], posts: Iterable[Post]) -> list[Account]:
    """Every source of every gateway that either side knows."""
    ours = {(row.gateway, row.source): row for row in stored}
    theirs = {(post.gateway, str(s.get("name"))): s for post in posts for s in post.sources}
    return [account(*key, ours.get(key), theirs.get(key, {})) for key in sorted(ours.keys() | theirs.keys())]


def account(gateway: str, source: str, row: SourceLedger | None, post: Mapping[str, Any]) -> Account:
    """Join both sides. A post is up to a second old, so values on their way are neither missing nor too many.

    The side of the store is exact at every batch: `X-Accepted` is compared with what was stored and rejected.
    The gateway's side adds what still waits: if less waits than is missing, values were lost.
    """
    kept, rejected, baseline, known = (
        (row.stored, row.rejected, row.baseline, row.accepted) if row else (0, int(post.get("rejected", 0)), 0, 0)
    )
    damaged, noted = (row.damaged, row.dropped) if row else (0, 0)
    accepted = max(int(post.get("accepted", 0)), known)
    dropped = max(int(post.get("dropped", 0)), noted)
    waiting = accepted - baseline - kept - rejected - damaged - noted
    lost = waiting - int(post.get("spooled", 0)) - (dropped - noted) if int(post.get("accepted", 0)) >= known else 0
    balanced = (row is None or row.balanced) and lost <= 0 and waiting >= 0
    return Account(
        gateway=gateway,
        source=source,
        accepted=accepted - baseline,
        spooled=max(waiting - (dropped - noted), 0),
        stored=kept,
        rejected=rejected,
        dropped=dropped,
        duplicates=row.repeated if row else 0,
        damaged=damaged,
        balanced=balanced,
        sentence=_sentence(row, source, lost, dropped),
    )


def _sentence(row: SourceLedger | None, source: str, lost: int, dropped: int) -> str:
    if row is not None and row.sentence:
        return row.sentence
    if lost > 0:
        missing = counted(lost, f"value of {source} is", f"values of {source} are")
        return f"{missing} neither stored nor waiting: look at the gateway's log."
    gone = counted(dropped, f"value of {source} was", f"values of {source} were")
    return f"{gone} dropped, because the spool was full." if dropped else ""
