"""`shopfloor certificate`: whom this gateway trusts over OPC UA, and the certificate by which others know it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from shopfloor.gateway.opcua.certificate import span_of, thumbprint
from shopfloor.gateway.opcua.own import OwnCertificates, Pair
from shopfloor.gateway.opcua.trust import KnownCertificate, Trust, TrustList

_ACTIONS = {
    "list": "certificates of servers: waiting, trusted, rejected",
    "approve": "trust a server's certificate",
    "reject": "trust a server's certificate no longer, or never",
    "forget": "forget what was said of a certificate",
    "own": "this gateway's certificate, for the servers that shall trust it",
    "renew": "make the next certificate of this gateway",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `shopfloor certificate` takes."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="|".join(_ACTIONS))
    for action, text in _ACTIONS.items():
        sub = actions.add_parser(action, help=text, description=f"{text[0].upper()}{text[1:]}.")
        if action in {"approve", "reject", "forget"}:
            sub.add_argument("thumbprint", help="as `shopfloor certificate list` shows it, or its first 8 characters")
        sub.add_argument("--data", type=Path, required=True, metavar="DIR", help="data folder of the gateway")


def run(args: argparse.Namespace) -> int:
    """Do it and say what was done; `ShopfloorError` when it cannot be done."""
    trust, own = TrustList(args.data / "pki"), OwnCertificates(args.data / "pki" / "own")
    if args.action == "list":
        _print(_table(trust.certificates()))
    elif args.action == "own":
        _print(_own(own.pairs()))
    elif args.action == "renew":
        _print(_own([own.renew(), *own.valid(datetime.now(UTC))[1:]]))
    elif args.action == "forget":
        trust.forget(args.thumbprint)
        _print([f"forgotten: {args.thumbprint}"])
    else:
        known = trust.approve(args.thumbprint) if args.action == "approve" else trust.reject(args.thumbprint)
        _print([f"{known.state}: {known.thumbprint} {known.subject}"])
    return 0


def _table(known: Iterable[KnownCertificate]) -> list[str]:
    lines = []
    for one in known:
        valid = f"{one.not_before:%Y-%m-%d} to {one.not_after:%Y-%m-%d}"
        lines += [f"{one.state:8}  {one.thumbprint}", f"          {one.subject}, valid {valid}"]
        lines += [f"          {one.application_uri}"] if one.application_uri else []
        lines += [f"          seen at {one.url} since {one.first_seen}"] if one.url else []
    waiting = sum(line.startswith(Trust.WAITING) for line in lines)
    if waiting:
        lines.append("Compare the thumbprint with the server's own, then: shopfloor certificate approve THUMBPRINT")
    return lines or ["No server with a certificate was met yet."]


def _own(pairs: Iterable[Pair]) -> list[str]:
    newest, *before = pairs
    lines = [f"thumbprint       {thumbprint(newest.certificate)}", f"application URI  {newest.uri}"]
    lines += [f"valid            {span_of(newest.certificate)}", f"file             {newest.file}"]
    lines += [f"before           {thumbprint(pair.certificate)}, valid {span_of(pair.certificate)}" for pair in before]
    return [*lines, "Give the file to the servers that shall trust this gateway."]


def _print(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
