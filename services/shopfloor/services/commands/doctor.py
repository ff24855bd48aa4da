"""`shopfloor doctor`: the connection doctor of the gateway, and the identity provider of a plant file."""

from __future__ import annotations

import argparse
import json
import os
import sys

from shopfloor.gateway.doctor import main
from shopfloor.gateway.doctor.finding import State
from shopfloor.gateway.doctor.main import Ladder
from shopfloor.plant import ConfigError, ShopfloorError
from shopfloor.plant.config import load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    main.add_arguments(parser)
    parser.add_argument(
        "--sign-in", action="store_true", help="with --config: examine its identity provider (accounts.oidc)"
    )


def run(args: argparse.Namespace) -> int:
    """Examine and print; 0 when nothing failed, 1 when something did."""
    if not args.sign_in:
        return main.run(args)
    section = load(args.config).accounts.oidc if args.config else None
    if section is None:
        raise ConfigError("--sign-in examines 'accounts.oidc' of a plant file: give a --config that has it.")
    try:
        from shopfloor.services.security.oidc import Provider
        from shopfloor.services.security.oidc.examined import STEPS, examine
    except ModuleNotFoundError as missing:
        raise ShopfloorError(
            f"Signing in needs {missing.name}, which is not installed: run `pip install 'shopfloor[server]'`."
        ) from missing
    findings = list(examine(Provider(section)))
    ladder = Ladder(max(map(len, STEPS)), colour=sys.stdout.isatty() and "NO_COLOR" not in os.environ)
    lines = [line for finding in findings for line in ladder.rung(finding)]
    if args.json:
        lines = [json.dumps(finding.as_dict(), ensure_ascii=False) for finding in findings]
    else:
        lines = [section.issuer, *lines, *ladder.end(findings)]
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return int(any(finding.state is State.FAILED for finding in findings))
