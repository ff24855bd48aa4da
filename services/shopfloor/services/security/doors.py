"""The ways in, opened together on a data folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shopfloor.services.security.accounts import Accounts
from shopfloor.services.security.database import Database
from shopfloor.services.security.passwords import COST, Cost
from shopfloor.services.security.sessions import Sessions
from shopfloor.services.security.setup import Setup
from shopfloor.services.security.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Doors:
    """What a guard asks: the ways in, each with its own store."""

    accounts: Accounts
    tokens: Tokens
    sessions: Sessions
    setup: Setup


@contextmanager
def open_doors(folder: Path, *, open_on_loopback: bool, cost: Cost = COST) -> Iterator[Doors]:
    """Open the stores of a data folder. Where loopback is open nobody needs a code to begin."""
    database = Database(folder)
    accounts, tokens = Accounts(database, cost=cost), Tokens(folder)

    def is_first() -> bool:
        return not open_on_loopback and not accounts.exist() and not tokens.list()

    try:
        yield Doors(accounts, tokens, Sessions(database), Setup(is_first))
    finally:
        database.close()
