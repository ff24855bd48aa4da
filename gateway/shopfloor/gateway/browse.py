"""`shopfloor browse URL`: what a device or a broker has to offer, as a tree."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import urlsplit

from shopfloor.plant import ConfigError, ShopfloorError
from shopfloor.plant.arguments import positive, whole
from shopfloor.plant.config import url_of

_CHUNK: Final = 500
_Row = tuple[tuple[str, ...], str, str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `shopfloor browse` takes."""
    parser.add_argument("url", help="opc.tcp://host:port/path or mqtt://host:port")
    parser.add_argument("--depth", type=whole(1, 100), default=10, metavar="N", help="levels to show (10)")
    parser.add_argument("--values", action="store_true", help="show what each variable or topic holds now")
    parser.add_argument(
        "--seconds", type=positive, default=3.0, metavar="T", help="MQTT: how long to listen for topics (3)"
    )


def run(args: argparse.Namespace) -> int:
    """Print the tree; 2 with one sentence on stderr when the address cannot be browsed."""
    try:
        rows = asyncio.run(_rows(args))
    except ShopfloorError as problem:
        print(problem, file=sys.stderr)  # noqa: T201
        return 2
    except KeyboardInterrupt:
        return 0
    for line in tree(rows):
        print(line)  # noqa: T201
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


async def _rows(args: argparse.Namespace) -> list[_Row]:
    scheme = urlsplit(args.url).scheme
    found = _BROWSERS.get(scheme)
    if found is None:
        raise ConfigError(f"{args.url!r} cannot be browsed: write opc.tcp://host:port/path or mqtt://host:port.")
    try:
        url_of(scheme).func(args.url)  # type: ignore[call-arg]
    except ValueError as problem:
        raise ConfigError(f"{problem}.") from problem
    rows: list[_Row] = await found(args)
    return rows


async def _opcua(args: argparse.Namespace) -> list[_Row]:
    from shopfloor.gateway.opcua import OpcuaOptions
    from shopfloor.gateway.opcua.link import connected, explained
    from shopfloor.gateway.opcua.tree import Branch, browse

    options = OpcuaOptions(url=args.url, security="none", everything="site/area/line/cell/asset")
    async with connected(options) as session:
        with explained(args.url):
            branches: list[Branch] = [branch async for level in browse(session, depth=args.depth) for branch in level]
            variables = [branch.node for branch in branches if branch.is_variable]
            values = await _values(session, variables) if args.values else {}
    return [(branch.path, branch.node.to_string(), values.get(branch.node, "")) for branch in branches]


async def _values(session: Any, nodes: list[Any]) -> dict[Any, str]:
    from asyncua import ua

    values = {}
    for start in range(0, len(nodes), _CHUNK):
        chunk = nodes[start : start + _CHUNK]
        answers = await session.read_attributes(chunk, ua.AttributeIds.Value)
        for node, answer in zip(chunk, answers, strict=True):
            status = "" if answer.StatusCode.is_good() else f" ({answer.StatusCode.name})"
            values[node] = f"{_short(answer.Value.Value if answer.Value is not None else None)}{status}"
    return values


async def _mqtt(args: argparse.Namespace) -> list[_Row]:
    from shopfloor.gateway.mqtt import MqttOptions
    from shopfloor.gateway.mqtt.source import listen

    options = MqttOptions.model_validate(
        {
            "url": args.url,
            "client_id": f"shopfloor-browse-{time.time_ns():x}",
            "qos": 0,
            "topics": [{"topic": "#", "tag": "site/area/line/cell/asset/tag"}],
        }
    )
    newest: dict[str, bytes] = {}
    await listen(options, args.seconds, newest)
    rows = []
    for topic, payload in newest.items():
        path = tuple(topic.split("/"))[: args.depth]
        rows.append((path, "", _short(payload.decode("utf-8", "replace")) if args.values else ""))
    return rows


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."


_BROWSERS: Final[dict[str, Callable[[argparse.Namespace], Any]]] = {
    "opc.tcp": _opcua,
    "mqtt": _mqtt,
    "mqtts": _mqtt,
}
