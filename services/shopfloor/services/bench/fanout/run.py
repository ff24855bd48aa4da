"""The parts of `shopfloor bench live`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any

from shopfloor.plant import ShopfloorError
from shopfloor.services.bench.clients import Place
from shopfloor.services.bench.fanout import browsers, chromium


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of this bench."""
    parser.add_argument("--only", default="", metavar="NAMES", help="parts, as in fan-out,pixel (default: all)")
    parser.add_argument("--pages", default="50,200,500", metavar="N,…", help="counts of pages (default: 50,200,500)")
    parser.add_argument("--seconds", type=float, default=10.0, metavar="S", help="counted seconds (default: 10)")
    parser.add_argument("--minutes", type=float, default=10.0, metavar="M", help="of the heap's soak (default: 10)")


def parts(args: argparse.Namespace, place: Place) -> Iterator[dict[str, Any]]:
    """Run the chosen parts one after the other."""
    try:
        counts = tuple(int(word) for word in args.pages.split(","))
    except ValueError as wrong:
        raise ShopfloorError(f"--pages {args.pages!r} is no list of numbers: write it as in 50,200,500.") from wrong
    known: dict[str, Callable[[], dict[str, Any]]] = {
        "fan-out": lambda: browsers.fan_out(counts, args.seconds, place),
        "stalled": lambda: browsers.stalled(args.seconds, place),
        "pixel": lambda: chromium.pixel(args.seconds, place),
        "restart": lambda: chromium.restart(place),
        "heap": lambda: chromium.heap(args.minutes * 60, place),
    }
    wanted = [word.strip() for word in args.only.split(",") if word.strip()] or list(known)
    unknown = [word for word in wanted if word not in known]
    if unknown:
        raise ShopfloorError(f"There is no part {unknown[0]!r}: choose from {', '.join(known)}.")
    for name in wanted:
        yield known[name]()
