"""What people and machines leave on record: stops with their reasons, scrap and rework, and who did what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stop:
    """A downtime record: a machine did not run from `start` to `end` (UTC ns; None: it is still so).

    `kind` is one of `visits.KINDS`; `reason` is `group/reason` of the plant file, or empty; `code` is the most urgent
    alarm at its start; `parted` says that a person split or merged it, so that its times stay.
    """

    id: int
    asset: str
    start: int
    end: int | None
    kind: str
    reason: str = ""
    comment: str = ""
    by: str = ""
    code: str = ""
    parted: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """Scrap or rework that somebody counted."""

    id: int
    asset: str
    time: int
    kind: str
    quantity: int
    reason: str
    by: str
    comment: str = ""
    order: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A line of the journal."""

    time: int
    by: str
    what: str
    subject: str
    sentence: str
