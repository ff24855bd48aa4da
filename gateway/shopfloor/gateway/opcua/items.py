"""Which variables of a server become which tags."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from asyncua import ua
from asyncua.client.ua_session import UaSession
from shopfloor.gateway.opcua.options import OpcuaOptions
from shopfloor.gateway.opcua.tree import Branch, browse
from shopfloor.plant import SourceLost

_CHUNK: Final = 500
_FORBIDDEN: Final = re.compile(r"[/#+\s\x00-\x1f]+")
_FLOATS: Final = {1, 10, 11, 26}
_WHOLE: Final = {2, 3, 4, 5, 6, 7, 8, 9, 27, 28, 29}
_TEXTS: Final = {12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 294}


@dataclass(slots=True)
class Item:
    """One variable to read. `kind` is float, int, str, or object while it is unknown."""

    node: ua.NodeId
    tag: str
    kind: type = object


async def find(session: UaSession, options: OpcuaOptions) -> tuple[list[Item], list[str]]:
    """The items of a source and the names of those that the server does not have."""
    items: dict[ua.NodeId, Item] = {}
    missing: list[str] = []
    for one in options.nodes:
        node = _node(one.node)
        items[node] = Item(node, one.tag)
    if options.assets:
        await _mapped(session, options, items, missing)
    if options.everything:
        await _everything(session, options.everything, items)
    if not items:
        raise SourceLost(f"{options.url} has none of the variables that the source names: see 'shopfloor browse'.")
    await _kinds(session, list(items.values()))
    return list(items.values()), missing


async def _mapped(session: UaSession, options: OpcuaOptions, items: dict[ua.NodeId, Item], missing: list[str]) -> None:
    wanted = {
        tuple(f"{root}/{relative}".split("/")): f"{asset}/{tag}"
        for root, asset in options.roots.items()
        for relative, tag in options.tags.items()
    }
    ways = {path[:length] for path in wanted for length in range(1, len(path) + 1)}
    async for level in browse(session, lambda branch: branch.path in ways):
        for branch in level:
            tag = wanted.get(branch.path)
            if tag and branch.is_variable:
                del wanted[branch.path]
                items[branch.node] = Item(branch.node, tag)
    missing.extend("/".join(path) for path in wanted)


async def _everything(session: UaSession, asset: str, items: dict[ua.NodeId, Item]) -> None:
    taken: set[str] = set()
    async for level in browse(session, lambda branch: not branch.is_property):
        for branch in level:
            if branch.is_variable and branch.node not in items:
                items[branch.node] = Item(branch.node, f"{asset}/{_name(branch, taken)}")


def _name(branch: Branch, taken: set[str]) -> str:
    name = ".".join(_FORBIDDEN.sub("_", part).strip("_") or "_" for part in branch.path)
    if name in taken:
        name = f"{name}~{_FORBIDDEN.sub('_', branch.node.to_string())}"
    taken.add(name)
    return name


async def _kinds(session: UaSession, items: list[Item]) -> None:
    for start in range(0, len(items), _CHUNK):
        chunk = items[start : start + _CHUNK]
        answers = await session.read_attributes([item.node for item in chunk], ua.AttributeIds.DataType)
        for item, answer in zip(chunk, answers, strict=True):
            item.kind = _kind(answer.Value.Value if answer.Value is not None else None)


def _kind(data_type: Any) -> type:
    if not isinstance(data_type, ua.NodeId) or data_type.NamespaceIndex:
        return object
    number = data_type.Identifier
    if number in _FLOATS:
        return float
    return int if number in _WHOLE else str if number in _TEXTS else object


def _node(text: str) -> ua.NodeId:
    try:
        return ua.NodeId.from_string(text)
    except (ua.UaError, ValueError) as problem:
        raise SourceLost(f"{text!r} is no NodeId: write it as ns=2;s=Name or ns=2;i=7.") from problem
