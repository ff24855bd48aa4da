"""`shopfloor token`: who may ask a server that listens on the network."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from shopfloor.services.security.rights import PEOPLE, Role
from shopfloor.services.security.scope import Scope
from shopfloor.services.security.tokens import Tokens


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="create|list|revoke")
    for action, help_text in (
        ("create", "make a token and print it, once"),
        ("list", "names of all tokens"),
        ("revoke", "forget a token; it is refused from now on"),
    ):
        sub = actions.add_parser(action, help=help_text, description=f"{help_text[0].upper()}{help_text[1:]}.")
        if action != "list":
            sub.add_argument("name", help="whose token it is, as in anna or grafana")
        if action == "create":
            sub.add_argument(
                "--scope", type=Scope, choices=list(Scope), default=Scope.FULL, metavar="full|read|write",
                help="full: everything; read: nothing is changed; write: values by line protocol, and nothing else",
            )  # fmt: skip
            sub.add_argument("--role", type=Role, choices=PEOPLE, help="what it may do, as an account of this role")
        sub.add_argument("--data", type=Path, default=Path("data"), metavar="DIR", help="data folder of the server")


def run(args: argparse.Namespace) -> int:
    """Create, list or revoke."""
    tokens = Tokens(args.data)
    if args.action == "create":
        sys.stdout.write(f"{tokens.create(args.name, args.scope, args.role)}\n")
        sys.stderr.write("This is the only time it is shown.\n")
    elif args.action == "revoke":
        tokens.revoke(args.name)
    else:
        for info in tokens.list():
            made = f"{datetime.fromtimestamp(info.created, UTC):%Y-%m-%d %H:%M} UTC"
            sys.stdout.write(f"{info.name}  {made}  {info.scope}  {info.role}\n")
    return 0
