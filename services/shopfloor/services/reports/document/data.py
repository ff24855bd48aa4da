"""How complete the data of a report is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """The ledger of one source, over all time; `sentence` says what is wrong."""

    gateway: str
    source: str
    accepted: int
    stored: int
    spooled: int
    dropped: int
    balanced: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Silence:
    """No tag of these assets had a value from `start` to `end`."""

    assets: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Completeness:
    """How much there was to report on: values, how many of them bad, when the newest came, and when none did.

    `tags` are those of the place, `silent` those without any value in the time.
    """

    values: int
    bad: int
    newest: int | None
    tags: int
    silent: int
    gaps: tuple[Silence, ...]
    accounts: tuple[Account, ...]
