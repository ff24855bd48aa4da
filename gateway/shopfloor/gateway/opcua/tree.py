"""Browsing a server: many nodes in each request, level by level, with continuation points."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Final

from asyncua import ua
from asyncua.client.ua_session import UaSession
from shopfloor.gateway.opcua.requests import in_parts

OBJECTS: Final = ua.NodeId(ua.ObjectIds.ObjectsFolder)
_CHUNK: Final = 100
_DEPTH: Final = 30
_REFERENCES: Final = 1_000
_SERVER: Final = ua.NodeId(ua.ObjectIds.Server)


class NodeKind(StrEnum):
    """What a node is."""

    OBJECT = "object"
    VARIABLE = "variable"
    METHOD = "method"


_KINDS: Final = {ua.NodeClass.Variable: NodeKind.VARIABLE, ua.NodeClass.Method: NodeKind.METHOD}
VALUES: Final = ua.NodeClass.Object | ua.NodeClass.Variable
"""The node classes on the way to values; `VALUES | ua.NodeClass.Method` shows methods as well."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A node as it was found: its path of browse names from where browsing began, id, kind, and where it hangs."""

    path: tuple[str, ...]
    node: ua.NodeId
    kind: NodeKind = NodeKind.OBJECT
    is_property: bool = False
    parent: ua.NodeId | None = None

    @property
    def is_variable(self) -> bool:
        """Whether it has a value."""
        return self.kind is NodeKind.VARIABLE


async def browse(
    session: UaSession,
    wanted: Callable[[Branch], bool] = lambda _: True,
    depth: int = _DEPTH,
    size: int = _CHUNK,
) -> AsyncIterator[list[Branch]]:
    """Each level of the tree below Objects; only below `wanted` nodes is anything looked for. A node comes once.

    One request asks for at most `size` nodes.
    """
    level = [Branch((), OBJECTS)]
    seen = {OBJECTS, _SERVER}
    while level and depth:
        depth -= 1
        found = []
        for below in await in_parts(level, min(size, _CHUNK), partial(_below, session, classes=VALUES)):
            for branch in below:
                if branch.node not in seen and wanted(branch):
                    seen.add(branch.node)
                    found.append(branch)
        level = found
        if level:
            yield level


async def walk(
    session: UaSession, root: Branch, depth: int, classes: int = VALUES
) -> AsyncGenerator[list[tuple[Branch, bool]]]:
    """The tree below `root` in pieces as the server answers: each node once, with whether anything is below it."""
    level = [root]
    seen = {root.node, _SERVER}
    for _ in range(depth + 1):
        following: list[Branch] = []
        for start in range(0, len(level), _CHUNK):
            parents = level[start : start + _CHUNK]
            below = await _below(session, parents, classes)
            yield [(parent, bool(found)) for parent, found in zip(parents, below, strict=True) if parent is not root]
            for branch in (branch for found in below for branch in found):
                if branch.node not in seen:
                    seen.add(branch.node)
                    following.append(branch)
        level = following


async def _below(session: UaSession, parents: Sequence[Branch], classes: int) -> list[list[Branch]]:
    found: list[list[Branch]] = [[] for _ in parents]
    pending = list(enumerate(await _browsed(session, parents, classes)))
    while pending:
        more: list[tuple[int, bytes]] = []
        for index, result in pending:
            if result.StatusCode.value == ua.StatusCodes.BadNoContinuationPoints and len(parents) > 1:
                (found[index],) = await _below(session, parents[index : index + 1], classes)
                continue
            found[index].extend(_branch(parents[index], reference) for reference in result.References or ())
            if result.ContinuationPoint:
                more.append((index, result.ContinuationPoint))
        pending = await _next(session, more) if more else []
    return found


async def _browsed(session: UaSession, parents: Sequence[Branch], classes: int) -> list[Any]:
    """One answer per parent, in as many requests as the server's own limit makes necessary."""
    parameters = ua.BrowseParameters()
    parameters.RequestedMaxReferencesPerNode = _REFERENCES
    parameters.NodesToBrowse = [_description(parent.node, classes) for parent in parents]
    try:
        return list(await session.browse(parameters))
    except ua.uaerrors.BadTooManyOperations:
        if len(parents) == 1:
            raise
        half = len(parents) // 2
        return [*await _browsed(session, parents[:half], classes), *await _browsed(session, parents[half:], classes)]


async def _next(session: UaSession, points: Sequence[tuple[int, bytes]]) -> list[tuple[int, Any]]:
    parameters = ua.BrowseNextParameters()
    parameters.ReleaseContinuationPoints = False
    parameters.ContinuationPoints = [point for _, point in points]
    results = await session.browse_next(parameters)
    return [(index, result) for (index, _), result in zip(points, results, strict=True)]


def _description(node: ua.NodeId, classes: int) -> ua.BrowseDescription:
    description = ua.BrowseDescription()
    description.NodeId = node
    description.BrowseDirection = ua.BrowseDirection.Forward
    description.ReferenceTypeId = ua.NodeId(ua.ObjectIds.HierarchicalReferences)
    description.IncludeSubtypes = True
    description.NodeClassMask = classes
    description.ResultMask = (
        ua.BrowseResultMask.BrowseName | ua.BrowseResultMask.NodeClass | ua.BrowseResultMask.ReferenceTypeId
    )
    return description


def _branch(parent: Branch, reference: Any) -> Branch:
    return Branch(
        (*parent.path, reference.BrowseName.Name or "?"),
        reference.NodeId,
        _KINDS.get(reference.NodeClass, NodeKind.OBJECT),
        is_property=reference.ReferenceTypeId == ua.NodeId(ua.ObjectIds.HasProperty),
        parent=parent.node,
    )
