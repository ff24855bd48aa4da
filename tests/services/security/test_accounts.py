"""Accounts and passwords: what is kept, what is refused, and sign-in slowed down without locking anybody out."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from shopfloor.plant import ConfigError
from shopfloor.services.security.accounts import Accounts
from shopfloor.services.security.database import Database
from shopfloor.services.security.passwords import COST, Cost, check
from shopfloor.services.security.rights import Role
from shopfloor.services.security.setup import Setup
from shopfloor.services.security.throttle import Throttle

CHEAP = Cost(n=16, r=1, p=1)
PHRASE = "correct horse battery"


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    made = Accounts(Database(tmp_path), cost=CHEAP)
    made.create("anna", PHRASE, Role.ADMIN)
    return made


def test_a_password_is_kept_as_a_hash_that_costs_memory(accounts: Accounts, tmp_path: Path) -> None:
    file = tmp_path / "secrets" / "accounts.sqlite"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert PHRASE.encode() not in b"".join(part.read_bytes() for part in file.parent.iterdir())
    assert (accounts.knows("anna", PHRASE), accounts.knows("anna", PHRASE + "x")) == (True, False)
    assert (accounts.knows("ben", PHRASE), accounts.knows("anna", "x" * 10_000)) == (False, False)
    assert 128 * COST.n * COST.r >= 32 << 20


def test_a_hash_of_another_cost_is_made_anew_at_sign_in(accounts: Accounts, tmp_path: Path) -> None:
    database = Database(tmp_path)
    dearer = Accounts(database, cost=Cost(n=32, r=1, p=1))
    assert dearer.knows("anna", PHRASE)
    assert str(database.ask("SELECT hash FROM account")[0][0]).startswith("scrypt$32$1$1$")
    assert accounts.knows("anna", PHRASE)


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("short", "5 characters: 12 to 200"),
        ("x" * 201, "201 characters"),
        ("My name is ANNA now", "holds the name"),
        ("aaaaaaaaaaaa", "repeats itself"),
        ("123456789012", "counts on"),
    ],
)
def test_a_password_that_is_too_weak(password: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        check("anna", password)


def test_there_is_always_an_admin_and_what_is_refused_changes_nothing(accounts: Accounts, tmp_path: Path) -> None:
    for change in (lambda: accounts.disable("anna"), lambda: accounts.set_role("anna", Role.VIEWER)):
        with pytest.raises(ConfigError, match="only admin"):
            change()
    with pytest.raises(ConfigError, match="first account is an admin"):
        Accounts(Database(tmp_path / "new"), cost=CHEAP).create("ben", PHRASE, Role.VIEWER)
    for name, role, words in (
        ("anna", Role.VIEWER, "exists already"), ("Anna B", Role.VIEWER, "no name"), ("local", Role.VIEWER, "no name"),
        ("ben", Role.GATEWAY, "no role of a person"),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=words):
            accounts.create(name, PHRASE, role)
    with pytest.raises(ConfigError, match="known are anna"):
        accounts.set_password("ben", PHRASE)
    accounts.create("ben", PHRASE, Role.ADMIN)
    assert accounts.disable("anna").disabled
    assert not accounts.knows("anna", PHRASE)
    assert [account.name for account in accounts.list() if not account.disabled] == ["ben"]


def test_whoever_guesses_waits_and_nobody_is_locked_out() -> None:
    now = [0.0]
    throttle = Throttle(lambda: now[0])
    throttle.right("anna", "desk")
    for _ in range(5):
        assert throttle.wait("anna", "stranger") == 0
        throttle.wrong("anna", "stranger")
    waits = []
    for _ in range(9):
        waits.append(throttle.wait("anna", "stranger"))
        now[0] += waits[-1]
        throttle.wrong("anna", "stranger")
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert throttle.wait("anna", "desk") == 0
    assert 0 < throttle.wait("anna", "new desk") <= 4
    assert throttle.wait("ben", "new desk") == 0
    for number in range(30):
        throttle.wrong(f"guess-{number}", "stranger")
    assert throttle.wait("ben", "stranger") > 0
    assert throttle.wait("ben", "desk") == 0
    now[0] += 1000
    assert throttle.wait("anna", "stranger") == 0


def test_the_set_up_code_holds_once() -> None:
    made: list[str] = []
    setup = Setup(lambda: not made)
    assert not setup.take("", lambda: made.append("x"))
    old, code = setup.code(), setup.code()
    assert not setup.take(old, lambda: made.append("x"))
    assert setup.take(code.lower(), lambda: made.append("anna"))
    assert not setup.take(code, lambda: made.append("ben"))
    assert made == ["anna"]
