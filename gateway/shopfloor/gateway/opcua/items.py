"""Which variables of a server become which tags."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from asyncua import ua
from asyncua.client.ua_session import UaSession
from shopfloor.gateway.opcua.nodes import node_ids
from shopfloor.gateway.opcua.options import OpcuaOptions
from shopfloor.gateway.opcua.requests import Limits, Tell, in_parts, limits, silent
from shopfloor.gateway.opcua.tree import Branch, browse
from shopfloor.plant import SourceLost

_ATTRIBUTES: Final = (ua.AttributeIds.DataType, ua.AttributeIds.ValueRank)
_FORBIDDEN: Final = re.compile(r"[/#+\s\x00-\x1f]+")
_FLOATS: Final = {1, 10, 11, 26}
_WHOLE: Final = {2, 3, 4, 5, 6, 7, 8, 9, 27, 28, 29}
_SCALARS: Final = {**{number: number for number in range(1, 13)}, 290: 11}
_TEXTS: Final = {12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 294}


@dataclass(slots=True)
class Item:
    """One variable to read. `kind` is float, int, str, or object while it is unknown.

    `wire` is the Variant type of its scalars, 0 for arrays, structures and whatever else is not known beforehand.
    """

    node: ua.NodeId
    tag: str
    kind: type = object
    wire: int = 0


async def find(session: UaSession, options: OpcuaOptions, tell: Tell = silent) -> tuple[list[Item], list[str]]:
    """The items of a source and the names of those that the server does not have."""
    most = await limits(session)
    items: dict[ua.NodeId, Item] = {}
    missing: list[str] = []
    nodes = await node_ids(session, [one.node for one in options.nodes])
    for one, node in zip(options.nodes, nodes, strict=True):
        items[node] = Item(node, one.tag)
    if options.assets:
        await _mapped(session, options, items, missing, most)
    if options.everything:
        await _everything(session, options.everything, items, most, tell)
    if not items:
        raise SourceLost(f"{options.url} has none of the variables that the source names: see 'shopfloor browse'.")
    await _kinds(session, list(items.values()), most)
    return list(items.values()), missing


async def _mapped(
    session: UaSession, options: OpcuaOptions, items: dict[ua.NodeId, Item], missing: list[str], most: Limits
) -> None:
    wanted = {
        tuple(f"{root}/{relative}".split("/")): f"{asset}/{tag}"
        for root, asset in options.roots.items()
        for relative, tag in options.tags.items()
    }
    ways = {path[:length] for path in wanted for length in range(1, len(path) + 1)}
    async for level in browse(session, lambda branch: branch.path in ways, size=most.browse):
        for branch in level:
            tag = wanted.get(branch.path)
            if tag and branch.is_variable:
                del wanted[branch.path]
                items[branch.node] = Item(branch.node, tag)
    missing.extend("/".join(path) for path in wanted)


async def _everything(session: UaSession, asset: str, items: dict[ua.NodeId, Item], most: Limits, tell: Tell) -> None:
    taken: set[str] = set()
    async for level in browse(session, lambda branch: not branch.is_property, size=most.browse):
        for branch in level:
            if branch.is_variable and branch.node not in items:
                items[branch.node] = Item(branch.node, f"{asset}/{_name(branch, taken)}")
        tell(f"Browsing: {len(items):,} variables found.")


def _name(branch: Branch, taken: set[str]) -> str:
    name = ".".join(_FORBIDDEN.sub("_", part).strip("_") or "_" for part in branch.path)
    if name in taken:
        name = f"{name}~{_FORBIDDEN.sub('_', branch.node.to_string())}"
    taken.add(name)
    return name


async def _kinds(session: UaSession, items: list[Item], most: Limits) -> None:
    asked = [(item.node, attribute) for item in items for attribute in _ATTRIBUTES]

    async def read(part: Sequence[tuple[ua.NodeId, ua.AttributeIds]]) -> list[ua.DataValue]:
        parameters = ua.ReadParameters()
        parameters.NodesToRead = [ua.ReadValueId(node, attribute) for node, attribute in part]
        answers: list[ua.DataValue] = await session.read(parameters)
        return answers

    answers = [
        answer.Value.Value if answer.Value is not None else None for answer in await in_parts(asked, most.read, read)
    ]
    for item, data_type, rank in zip(items, answers[::2], answers[1::2], strict=True):
        item.kind = _kind(data_type)
        item.wire = _wire(data_type) if isinstance(rank, int) and rank < 0 else 0


def _wire(data_type: Any) -> int:
    if not isinstance(data_type, ua.NodeId) or data_type.NamespaceIndex:
        return 0
    return _SCALARS.get(data_type.Identifier, 0)


def _kind(data_type: Any) -> type:
    if not isinstance(data_type, ua.NodeId) or data_type.NamespaceIndex:
        return object
    number = data_type.Identifier
    if number in _FLOATS:
        return float
    return int if number in _WHOLE else str if number in _TEXTS else object
