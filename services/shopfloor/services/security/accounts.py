"""Accounts: people who sign in with a password or for whom an identity provider vouches, each with one role."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from shopfloor.plant import ConfigError
from shopfloor.services.security import passwords
from shopfloor.services.security.database import Database
from shopfloor.services.security.passwords import COST, Cost
from shopfloor.services.security.rights import PEOPLE, Role

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")
NOBODY: Final = frozenset({"local", "gateway", "anybody", "nobody", "system"})
_COLUMNS: Final = "name, role, created, disabled, seen, way"
LOCAL: Final = "account"
OIDC: Final = "oidc"
"""The ways of an account: a password of this server, or an identity provider."""


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of an account; times are UTC seconds. Never its password."""

    name: str
    role: Role
    created: float
    disabled: bool
    seen: float | None
    way: str = LOCAL


class Accounts:
    """The accounts of a server. The first one is an admin, and there is always one that can sign in."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time, cost: Cost = COST) -> None:
        self._db, self._clock, self._cost = database, clock, cost
        self._decoy = ""

    def exist(self) -> bool:
        """Whether there is any account: from then on everybody signs in."""
        return bool(self._db.ask("SELECT 1 FROM account LIMIT 1"))

    def have_passwords(self) -> bool:
        """Whether anybody signs in with a password."""
        return bool(self._db.ask("SELECT 1 FROM account WHERE way = ? LIMIT 1", LOCAL))

    def list(self) -> list[Account]:
        """All accounts by name."""
        return [_account(row) for row in self._db.ask(f"SELECT {_COLUMNS} FROM account ORDER BY name")]  # noqa: S608

    def find(self, name: str) -> Account | None:
        """The account of a name."""
        rows = self._db.ask(f"SELECT {_COLUMNS} FROM account WHERE name = ?", name)  # noqa: S608
        return _account(rows[0]) if rows else None

    def get(self, name: str) -> Account:
        """The account of a name; an unknown one raises `ConfigError`."""
        if account := self.find(name):
            return account
        known = ", ".join(account.name for account in self.list()) or "none"
        raise ConfigError(f"There is no account {name[:80]!r}: known are {known}.")

    def create(self, name: str, password: str, role: Role) -> Account:
        """Make an account."""
        if not _NAME.fullmatch(name) or name in NOBODY:
            raise ConfigError(f"{name[:80]!r} is no name for an account: expected that of a person, in small letters.")
        if role not in PEOPLE:
            raise ConfigError(f"{role.value!r} is no role of a person: use one of {', '.join(PEOPLE)}.")
        if role is not Role.ADMIN and not self.exist():
            raise ConfigError(f"The first account is an admin's: give {name!r} the role admin.")
        passwords.check(name, password)
        kept = passwords.hashed(password, self._cost)
        statement = "INSERT OR IGNORE INTO account (name, role, hash, created) VALUES (?, ?, ?, ?)"
        if not self._db.change(statement, name, role.value, kept, self._clock()):
            raise ConfigError(f"An account {name!r} exists already: choose another name.")
        return self.get(name)

    def vouch(self, subject: str, name: str, role: Role) -> Account:
        """The account of somebody for whom a provider vouches, made at the first time; it takes the role and the name.

        `subject` is the provider's own word for the person, which nobody else ever gets. A name that belongs to
        another person, or to an account with a password, raises `ConfigError`.
        """
        if known := self.of_subject(subject):
            self._db.change("UPDATE account SET role = ? WHERE name = ?", role.value, known.name)
            return self.get(known.name)
        statement = "INSERT OR IGNORE INTO account (name, role, hash, created, way, subject) VALUES (?, ?, '', ?, ?, ?)"
        if not self._db.change(statement, name, role.value, self._clock(), OIDC, subject):
            raise ConfigError(f"The name {name!r} belongs to another account here: an admin of this server helps.")
        return self.get(name)

    def of_subject(self, subject: str) -> Account | None:
        """The account of somebody for whom a provider vouched before."""
        asked = f"SELECT {_COLUMNS} FROM account WHERE way = ? AND subject = ?"  # noqa: S608
        rows = self._db.ask(asked, OIDC, subject)
        return _account(rows[0]) if rows else None

    def set_password(self, name: str, password: str) -> None:
        """Change a password."""
        self._own(name, "password")
        passwords.check(name, password)
        self._keep(name, password)

    def set_role(self, name: str, role: Role) -> Account:
        """Give another role; it holds from the next request on, also in open sessions."""
        if role not in PEOPLE:
            raise ConfigError(f"{role.value!r} is no role of a person: use one of {', '.join(PEOPLE)}.")
        account = self._own(name, "role")
        if role is not Role.ADMIN:
            self._leave_an_admin(account)
        self._db.change("UPDATE account SET role = ? WHERE name = ?", role.value, name)
        return self.get(name)

    def disable(self, name: str, *, disabled: bool = True) -> Account:
        """Let an account sign in no more, or again. It stays, for what it did carries its name."""
        if disabled:
            self._leave_an_admin(self.get(name))
        self._db.change("UPDATE account SET disabled = ? WHERE name = ?", int(disabled), name)
        return self.get(name)

    def knows(self, name: str, password: str) -> bool:
        """Whether somebody may come in; takes as long for a name that nobody has. Any thread; a fifth of a second."""
        rows = self._db.ask("SELECT hash FROM account WHERE name = ? AND disabled = 0 AND way = ?", name, LOCAL)
        kept = str(rows[0][0]) if rows else self._nobody()
        if len(password) > passwords.MOST or not passwords.matches(password, kept) or not rows:
            return False
        if not passwords.is_of(kept, self._cost):
            self._keep(name, password)
        self.saw(name)
        return True

    def saw(self, name: str) -> None:
        """Note that somebody came in."""
        self._db.change("UPDATE account SET seen = ? WHERE name = ?", self._clock(), name)

    def _keep(self, name: str, password: str) -> None:
        kept = passwords.hashed(password, self._cost)
        self._db.change("UPDATE account SET hash = ? WHERE name = ?", kept, name)

    def _nobody(self) -> str:
        self._decoy = self._decoy or passwords.hashed("nobody knows this one", self._cost)
        return self._decoy

    def _own(self, name: str, what: str) -> Account:
        account = self.get(name)
        if account.way == OIDC:
            raise ConfigError(f"The {what} of {name} comes from the identity provider: change it there.")
        return account

    def _leave_an_admin(self, account: Account) -> None:
        """An admin of a password stays: a provider may be away."""
        able = [a.name for a in self.list() if a.role is Role.ADMIN and not a.disabled and a.way == LOCAL]
        if able == [account.name]:
            raise ConfigError(f"{account.name} is the only admin that can sign in: make another one first.")


def _account(row: tuple[Any, ...]) -> Account:
    name, role, created, disabled, seen, way = row
    return Account(name, Role(role), created, bool(disabled), seen, way)
