"""Tokens: 256 random bits; the server keeps only their SHA-256, in files that nobody else can read."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shopfloor.plant import ConfigError, StoreError
from shopfloor.services.security.rights import PEOPLE, Role
from shopfloor.services.security.scope import Scope

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def digest(token: str) -> str:
    """SHA-256 of a token; 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def same(token: str, expected_digest: str) -> bool:
    """Compare in constant time.

    >>> same("a", digest("a")), same("b", digest("a"))
    (True, False)
    """
    return hmac.compare_digest(digest(token), expected_digest)


def gateway_token(folder: Path) -> str:
    """The token that gateways show to this server: `<data>/secrets/gateway.token`, made at the first start."""
    path = folder / "secrets" / "gateway.token"
    try:
        return path.read_text("ascii").strip()
    except FileNotFoundError:
        token = secrets.token_urlsafe(32)
        _write_secret(path, token + "\n")
        return token
    except OSError as problem:
        raise StoreError(f"The gateway token {path} cannot be read ({problem.strerror}): check its owner.") from problem


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """What is known of a token: its name, when it was made (UTC seconds), what for. Never the token itself."""

    name: str
    created: float
    scope: Scope = Scope.FULL
    role: Role = Role.ADMIN


class Tokens:
    """The API tokens of a server, in `<data>/secrets/tokens.json`. Another process may change the file meanwhile."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "secrets" / "tokens.json"
        self._seen: tuple[int, int] | None = None
        self._known: dict[str, dict[str, str | float]] = {}

    def create(self, name: str, scope: Scope = Scope.FULL, role: Role | None = None) -> str:
        """Make a token, remember its digest, and return it: the only moment at which it can be read.

        Without a role the scope says one: full an admin's, read a viewer's.
        """
        if not _NAME.fullmatch(name):
            raise ConfigError(f"{name!r} is no name for a token: expected small letters, digits, '.', '_' or '-'.")
        known = self._load()
        if name in known:
            raise ConfigError(f"A token {name!r} exists already: revoke it first, or choose another name.")
        if role is not None and (role not in PEOPLE or scope is not Scope.FULL):
            raise ConfigError(f"A token of scope {scope.value} has no role {role.value!r}: name a scope or a role.")
        token = secrets.token_urlsafe(32)
        entry: dict[str, str | float] = {"sha256": digest(token), "created": time.time(), "scope": scope.value}
        self._save({**known, name: entry if role is None else {**entry, "role": role.value}})
        return token

    def revoke(self, name: str) -> None:
        """Forget a token; requests and sessions that rest on it are refused from now on."""
        known = self._load()
        if name not in known:
            raise ConfigError(f"There is no token {name!r}: known are {', '.join(sorted(known)) or 'none'}.")
        self._save({other: entry for other, entry in known.items() if other != name})

    def list(self) -> list[TokenInfo]:
        """All tokens by name."""
        entries = sorted(self._load().items())
        return [TokenInfo(name, float(entry["created"]), _scope(entry), _role(entry)) for name, entry in entries]

    def owner(self, token: str) -> str | None:
        """Name of a token, or None. Every digest is compared, so time tells nothing."""
        found = None
        for name, entry in self._load().items():
            if same(token, str(entry["sha256"])):
                found = name
        return found

    def scope(self, name: str) -> Scope:
        """What a token is for; READ for one that does not exist."""
        entry = self._load().get(name)
        return Scope.READ if entry is None else _scope(entry)

    def role(self, name: str) -> Role | None:
        """The role of a token; None for one that does not exist."""
        entry = self._load().get(name)
        return None if entry is None else _role(entry)

    def made(self, name: str) -> float | None:
        """When the token of a name was made (UTC seconds); None when there is none, or it was revoked."""
        entry = self._load().get(name)
        return None if entry is None else float(entry["created"])

    def _load(self) -> dict[str, dict[str, str | float]]:
        try:
            stat = self._file.stat()
            if (stat.st_mtime_ns, stat.st_ino) != self._seen:
                self._known = json.loads(self._file.read_text("utf-8"))
                self._seen = (stat.st_mtime_ns, stat.st_ino)
        except FileNotFoundError:
            self._known, self._seen = {}, None
        except (OSError, ValueError) as problem:
            raise StoreError(
                f"The tokens in {self._file} cannot be read ({problem}): restore or delete the file."
            ) from problem
        return self._known

    def _save(self, known: dict[str, dict[str, str | float]]) -> None:
        _write_secret(self._file, json.dumps(known, indent=1) + "\n")


def _scope(entry: dict[str, str | float]) -> Scope:
    """The scope of an entry; tokens made before there were scopes may do everything."""
    try:
        return Scope(str(entry.get("scope", Scope.FULL.value)))
    except ValueError:
        return Scope.READ


def _role(entry: dict[str, str | float]) -> Role:
    """The role of an entry; tokens made before there were roles have that of their scope."""
    try:
        if "role" in entry:
            return Role(str(entry["role"]))
    except ValueError:
        return Role.VIEWER
    return {Scope.FULL: Role.ADMIN, Scope.READ: Role.VIEWER, Scope.WRITE: Role.WRITER}[_scope(entry)]


def _write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner can read, complete or not at all."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.chmod(0o700)
        part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as sink:
            sink.write(text)
            sink.flush()
            os.fsync(sink.fileno())
        part.replace(path)
    except OSError as problem:
        raise StoreError(
            f"The secret {path} cannot be written ({problem.strerror}): choose a folder that can be written."
        ) from problem
