"""The ways in, opened together on a data folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shopfloor.plant.config import AccountsSection
from shopfloor.services.security.accounts import OIDC, Accounts
from shopfloor.services.security.database import Database
from shopfloor.services.security.passwords import COST, Cost
from shopfloor.services.security.sessions import Sessions
from shopfloor.services.security.setup import Setup
from shopfloor.services.security.tokens import Tokens

ALONE: Final = AccountsSection()
"""Without a word in the plant file: the accounts of this server alone."""


@dataclass(frozen=True, slots=True)
class Doors:
    """What a guard asks: the ways in, each with its own store."""

    accounts: Accounts
    tokens: Tokens
    sessions: Sessions
    setup: Setup


@contextmanager
def open_doors(
    folder: Path, *, open_on_loopback: bool, cost: Cost = COST, limits: AccountsSection = ALONE
) -> Iterator[Doors]:
    """Open the stores of a data folder. Where loopback is open nobody needs a code to begin.

    `limits` says how long sessions last; without a provider there, the sessions of its people end.
    """
    database = Database(folder)
    accounts, tokens = Accounts(database, cost=cost), Tokens(folder)

    def is_first() -> bool:
        return not open_on_loopback and not accounts.exist() and not tokens.list()

    sessions = Sessions(database, life_s=limits.session, idle_s=limits.idle)
    try:
        if limits.oidc is None:
            sessions.end_way(OIDC)
        yield Doors(accounts, tokens, sessions, Setup(is_first))
    finally:
        database.close()
