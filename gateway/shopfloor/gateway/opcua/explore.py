"""What a server offers to people who pick: its nodes with type and access, and what variables hold now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, Final

from asyncua import ua
from asyncua.client.ua_session import UaSession
from shopfloor.gateway.opcua.leaves import scalar
from shopfloor.gateway.opcua.nodes import node_id
from shopfloor.gateway.opcua.tree import OBJECTS, VALUES, Branch, walk
from shopfloor.plant import SourceLost

Row = dict[str, Any]
_CHUNK: Final = 500
_LONGEST: Final = 80
_INVALID: Final = ua.StatusCode(ua.StatusCodes.BadNodeIdInvalid)


async def offered(session: UaSession, node: str = "", depth: int = 1) -> AsyncGenerator[list[Row]]:
    """The nodes below `node` (by default below Objects), `depth` levels of them, in pieces as they are found.

    A row has: id, parent (its id), name, path (browse names from `node` down), kind, type, children, writable,
    property. The types of one piece are read while the next one is browsed.
    """
    root = Branch((), node_id(node) if node else OBJECTS)
    types = _Types(session)
    waiting: asyncio.Task[list[Row]] | None = None
    try:
        async with aclosing(walk(session, root, depth, VALUES | ua.NodeClass.Method)) as pieces:
            async for piece in pieces:
                described = asyncio.create_task(types.rows(piece), name="types")
                if waiting is not None:
                    yield await waiting
                waiting = described
        if waiting is not None:
            yield await waiting
    finally:
        if waiting is not None:
            waiting.cancel()


class _Types:
    """Reads data types and access of variables; the names of a server's own types are read once."""

    def __init__(self, session: UaSession) -> None:
        self.session = session
        self.names: dict[ua.NodeId, str] = {}

    async def rows(self, piece: Sequence[tuple[Branch, bool]]) -> list[Row]:
        variables = [branch.node for branch, _ in piece if branch.is_variable]
        facts = dict(zip(variables, await self._facts(variables), strict=True))
        return [_row(branch, children, *facts.get(branch.node, ("", False))) for branch, children in piece]

    async def _facts(self, nodes: Sequence[ua.NodeId]) -> list[tuple[str, bool]]:
        found = await attributes(
            self.session, nodes, ua.AttributeIds.DataType, ua.AttributeIds.ValueRank, ua.AttributeIds.UserAccessLevel
        )
        await self._learn({kind for kind, _, _ in found if isinstance(kind, ua.NodeId)})
        return [
            (self.names.get(kind, "") + ("[]" if (rank or 0) > 0 else ""), bool((access or 0) & 2))
            for kind, rank, access in found
        ]

    async def _learn(self, kinds: set[ua.NodeId]) -> None:
        unknown = []
        for kind in kinds - self.names.keys():
            known = _STANDARD.get(kind.Identifier) if not kind.NamespaceIndex else None
            if known is None:
                unknown.append(kind)
            else:
                self.names[kind] = known
        for kind, (name,) in zip(
            unknown, await attributes(self.session, unknown, ua.AttributeIds.BrowseName), strict=True
        ):
            self.names[kind] = name.Name if name is not None else str(kind.to_string())


_STANDARD: Final[dict[Any, str]] = {int(kind): kind.name for kind in ua.VariantType if int(kind)} | {
    26: "Number",
    27: "Integer",
    28: "UInteger",
    29: "Enumeration",
    290: "Duration",
    294: "UtcTime",
}


async def attributes(session: UaSession, nodes: Sequence[ua.NodeId], *kinds: ua.AttributeIds) -> list[tuple[Any, ...]]:
    """Some attributes of each node, all of one request's in one answer; None for what cannot be read."""
    values: list[Any] = []
    for start in range(0, len(nodes), _CHUNK):
        wanted = [(node, kind) for node in nodes[start : start + _CHUNK] for kind in kinds]
        values += [_plain(answer) for answer in await _read(session, wanted)]
    return list(zip(*[iter(values)] * len(kinds), strict=True))


async def _read(session: UaSession, wanted: Sequence[tuple[ua.NodeId, ua.AttributeIds]]) -> list[ua.DataValue]:
    """One answer per attribute, in as many requests as the server's own limit makes necessary."""
    parameters = ua.ReadParameters()
    parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
    for node, kind in wanted:
        item = ua.ReadValueId()
        item.NodeId, item.AttributeId = node, kind
        parameters.NodesToRead.append(item)
    try:
        return list(await session.read(parameters)) if wanted else []
    except ua.uaerrors.BadTooManyOperations:
        if len(wanted) == 1:
            raise
        half = len(wanted) // 2
        return [*await _read(session, wanted[:half]), *await _read(session, wanted[half:])]


def _plain(answer: ua.DataValue) -> Any:
    return answer.Value.Value if answer.Value is not None else None


def _row(branch: Branch, children: bool, kind: str, writable: bool) -> Row:
    return {
        "id": branch.node.to_string(),
        "parent": branch.parent.to_string() if branch.parent is not None else "",
        "name": branch.path[-1],
        "path": branch.path,
        "kind": str(branch.kind),
        "type": kind,
        "children": children,
        "writable": writable,
        "property": branch.is_property,
    }


async def readings(session: UaSession, nodes: Sequence[str]) -> list[Row]:
    """What variables hold now: id, value (a scalar, or a short text), quality, quality_name, time (ms since 1970)."""
    known: dict[str, ua.NodeId] = {}
    for text in nodes:
        try:
            known[text] = node_id(text)
        except SourceLost:
            continue
    answers: dict[str, ua.DataValue] = {}
    ids = list(known)
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        wanted = [(known[text], ua.AttributeIds.Value) for text in chunk]
        answers.update(zip(chunk, await _read(session, wanted), strict=True))
    return [_reading(text, answers.get(text)) for text in nodes]


def _reading(text: str, answer: ua.DataValue | None) -> Row:
    status = _INVALID if answer is None else answer.StatusCode or ua.StatusCode(0)
    moment = None if answer is None else answer.SourceTimestamp or answer.ServerTimestamp
    return {
        "id": text,
        "value": short(_plain(answer)) if answer is not None else None,
        "quality": status.value,
        "quality_name": status.name,
        "time": _ms(moment),
    }


def _ms(moment: datetime | None) -> float | None:
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1e3


def short(value: Any) -> float | int | str | None:
    """A value as a person wants it in one cell: a number, or a text that is cut.

    >>> short(1.5), short([1, 2]), short(True)
    (1.5, '[1, 2]', 1.0)
    """
    if value is None:
        return None
    if isinstance(value, list | tuple):
        return _cut(f"[{', '.join(str(short(item)) for item in value[:_LONGEST])}]")
    found = scalar(value)
    return _cut(found) if isinstance(found, str) else found


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
