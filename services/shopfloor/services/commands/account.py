"""`shopfloor account`: the people who sign in, for whoever has the data folder of the server."""

from __future__ import annotations

import argparse
import getpass
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from shopfloor.plant import ConfigError
from shopfloor.services.security.accounts import OIDC, Account
from shopfloor.services.security.doors import Doors, open_doors
from shopfloor.services.security.noting import plain
from shopfloor.services.security.rights import PEOPLE, Right, Role
from shopfloor.services.security.trail import Trail

_ACTIONS: Final = {
    "create": "make an account; its password is asked for",
    "list": "names, roles, and when each signed in last",
    "password": "give a new password, and end all sessions of the account",
    "role": "give another role; it holds at once",
    "disable": "let an account sign in no more, and end its sessions",
    "enable": "let it sign in again",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="|".join(_ACTIONS))
    for action, text in _ACTIONS.items():
        sub = actions.add_parser(action, help=text, description=f"{text[0].upper()}{text[1:]}.")
        if action != "list":
            sub.add_argument("name", help="whose account it is, as in anna")
        if action in {"create", "role"}:
            sub.add_argument("--role", type=Role, choices=PEOPLE, required=True, help="what they may do")
        if action in {"create", "password"}:
            sub.add_argument(
                "--password-file", type=Path, metavar="FILE", help="read it from there; - is standard input"
            )
        sub.add_argument("--data", type=Path, default=Path("data"), metavar="DIR", help="data folder of the server")


def run(args: argparse.Namespace) -> int:
    """Do it, and note it in the audit."""
    with open_doors(args.data, open_on_loopback=True) as doors:
        if args.action == "list":
            sys.stdout.writelines(map(_line, doors.accounts.list()))
            return 0
        before = doors.accounts.find(args.name)
        after = _changed(doors, args)
        with Trail.open(args.data / "audit") as trail:
            trail.append(_entry(args, before, after))
    sys.stdout.write(_line(after))
    return 0


def _changed(doors: Doors, args: argparse.Namespace) -> Account:
    accounts, name = doors.accounts, args.name
    if args.action == "create":
        return accounts.create(name, _password(args), args.role)
    if args.action == "role":
        return accounts.set_role(name, args.role)
    if args.action == "password":
        accounts.get(name)
        accounts.set_password(name, _password(args))
    else:
        accounts.disable(name, disabled=args.action == "disable")
    if args.action != "enable":
        doors.sessions.end_all(name, accounts.get(name).way)
    return accounts.get(name)


def _password(args: argparse.Namespace) -> str:
    if args.password_file is not None:
        try:
            text = sys.stdin.read() if str(args.password_file) == "-" else args.password_file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            raise ConfigError(f"The password cannot be read from {args.password_file} ({problem}).") from problem
        return str(text).rstrip("\r\n")
    password = getpass.getpass(f"Password of {args.name}: ")
    if getpass.getpass("Once more: ") != password:
        raise ConfigError("The two passwords differ: nothing was changed.")
    return password


def _entry(args: argparse.Namespace, before: Account | None, after: Account) -> dict[str, object]:
    who = {"who": f"console ({getpass.getuser()})", "role": "", "way": "console", "from": ""}
    what = {"right": Right.ACCOUNTS.value, "method": "", "path": f"shopfloor account {args.action}", "status": 0}
    change = {"asked": None, "before": _told(before) if before else None, "after": _told(after)}
    return {"time": time.time_ns(), **who, **what, **change}


def _told(account: Account) -> object:
    return plain({"name": account.name, "role": account.role.value, "disabled": account.disabled})


def _line(account: Account) -> str:
    seen = f"{datetime.fromtimestamp(account.seen, UTC):%Y-%m-%d %H:%M} UTC" if account.seen else "never"
    way = "  by the identity provider" if account.way == OIDC else ""
    return f"{account.name}  {account.role}  {'disabled' if account.disabled else 'may sign in'}{way}  last: {seen}\n"
