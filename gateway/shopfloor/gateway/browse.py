"""`shopfloor browse URL`: what a device or a broker has to offer, as a tree or as a source of the plant file."""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections.abc import Iterable
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from shopfloor.gateway.picking import browse, entry, values
from shopfloor.plant import AssetPath, PathError, ShopfloorError
from shopfloor.plant.arguments import positive, whole

_MOST: Final = 1_000_000
_NOWHERE: Final = Path()
_Row = tuple[tuple[str, ...], str, str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `shopfloor browse` takes."""
    parser.add_argument("url", help="opc.tcp://host:port/path or mqtt://host:port")
    parser.add_argument("--depth", type=whole(1, 100), default=10, metavar="N", help="levels to show (10)")
    parser.add_argument("--values", action="store_true", help="show what each variable or topic holds now")
    parser.add_argument(
        "--seconds", type=positive, default=3.0, metavar="T", help="MQTT: how long to listen for topics (3)"
    )
    parser.add_argument(
        "--yaml", type=_asset, metavar="ASSET", help="print the source that reads all of it into this asset path"
    )


def run(args: argparse.Namespace) -> int:
    """Print the tree; 2 with one sentence on stderr when the address cannot be browsed."""
    try:
        text = asyncio.run(_text(args))
    except ShopfloorError as problem:
        print(problem, file=sys.stderr)  # noqa: T201
        return 2
    except KeyboardInterrupt:
        return 0
    print(text, end="")  # noqa: T201
    return 0


def tree(rows: Iterable[_Row]) -> list[str]:
    """Paths with an id and a value each, as indented lines.

    >>> tree([(("Machines", "CNC-01"), "ns=2;i=1", ""), (("Machines",), "ns=2;i=2", "")])
    ['Machines  ns=2;i=2', '  CNC-01  ns=2;i=1']
    """
    lines = []
    shown: set[tuple[str, ...]] = set()
    for path, name, value in sorted(rows):
        for depth in range(1, len(path)):
            if path[:depth] not in shown:
                shown.add(path[:depth])
                lines.append("  " * (depth - 1) + path[depth - 1])
        shown.add(path)
        text = "  " * (len(path) - 1) + path[-1] + (f"  {name}" if name else "")
        lines.append(f"{text} = {value}" if value else text)
    return lines


def _asset(text: str) -> str:
    try:
        return str(AssetPath.parse(text))
    except PathError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from problem


async def _text(args: argparse.Namespace) -> str:
    body = {"url": args.url, "security": "none", "depth": args.depth, "seconds": args.seconds, "most": _MOST}
    rows = [row async for part in browse(body, _NOWHERE) for row in part.get("nodes", ())]
    if args.yaml:
        return await _source(body, args.yaml, rows)
    is_opcua = urlsplit(args.url).scheme == "opc.tcp"
    held = await _held(body, rows) if args.values and is_opcua else {}
    lines = [_line(row, is_opcua, held.get(row["id"], row.get("value")) if args.values else None) for row in rows]
    return "".join(f"{line}\n" for line in tree((path[: args.depth], name, value) for path, name, value in lines))


def _line(row: dict[str, Any], is_opcua: bool, value: Any) -> _Row:
    return tuple(row["path"]), row["id"] if is_opcua else "", "" if value is None else str(value)


async def _held(body: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, str]:
    """What every variable holds now, and its quality where it is not good."""
    nodes = [row["id"] for row in rows if row["kind"] == "variable"]
    async with aclosing(values({**body, "nodes": nodes}, _NOWHERE)) as parts:
        return {one["id"]: _said(one) for one in (await anext(parts))["values"]}


def _said(one: dict[str, Any]) -> str:
    return f"{one['value']}" if one["quality"] >> 30 == 0 else f"{one['value']} ({one['quality_name']})"


async def _source(body: dict[str, Any], asset: str, rows: list[dict[str, Any]]) -> str:
    """The entry under `sources` that reads every value of the rows into one asset."""
    picks = [row for row in rows if row["kind"] == "variable" and not row["property"]]
    name = re.sub(r"[^A-Za-z0-9]+", "-", urlsplit(body["url"]).hostname or "source").strip("-")
    async with aclosing(entry({**body, "name": name, "asset": asset, "picks": picks}, _NOWHERE)) as parts:
        part = await anext(parts)
    for problem in part["problems"]:
        print(problem, file=sys.stderr)  # noqa: T201
    return str(part["text"])
