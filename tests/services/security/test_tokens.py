"""Tokens: shown once, stored hashed, readable by nobody else."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from shopfloor.plant import ConfigError, StoreError
from shopfloor.services.security import Tokens, gateway_token


def test_a_token_is_known_by_its_name_and_stored_as_a_hash(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path)
    anna, ben = tokens.create("anna"), tokens.create("ben")
    assert (tokens.owner(anna), tokens.owner(ben), tokens.owner("x")) == ("anna", "ben", None)
    assert len(anna) >= 43
    stored = (tmp_path / "secrets" / "tokens.json").read_text()
    assert anna not in stored
    assert [info.name for info in tokens.list()] == ["anna", "ben"]


def test_secrets_belong_to_their_owner_only(tmp_path: Path) -> None:
    Tokens(tmp_path).create("anna")
    token = gateway_token(tmp_path)
    assert gateway_token(tmp_path) == token
    for path in (tmp_path / "secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700


def test_another_process_may_revoke(tmp_path: Path) -> None:
    server, command = Tokens(tmp_path), Tokens(tmp_path)
    anna = command.create("anna")
    assert server.owner(anna) == "anna"
    command.revoke("anna")
    assert server.owner(anna) is None
    assert server.made("anna") is None


@pytest.mark.parametrize("name", ["", "Anna", "a b", "../x", "-x", "x" * 65])
def test_a_name_that_is_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="is no name for a token"):
        Tokens(tmp_path).create(name)


def test_twice_the_same_name_and_an_unknown_name(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path)
    with pytest.raises(ConfigError, match="known are none"):
        tokens.revoke("anna")
    tokens.create("anna")
    with pytest.raises(ConfigError, match="exists already"):
        tokens.create("anna")


def test_a_damaged_file_lets_nobody_in(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path)
    anna = tokens.create("anna")
    (tmp_path / "secrets" / "tokens.json").write_text("{")
    with pytest.raises(StoreError, match="cannot be read"):
        tokens.owner(anna)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text("a file")
    with pytest.raises(StoreError, match="cannot be"):
        Tokens(tmp_path).create("anna")
