"""Browsing a server: many nodes in each request, level by level, with continuation points."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from asyncua import ua
from asyncua.client.ua_session import UaSession

OBJECTS: Final = ua.NodeId(ua.ObjectIds.ObjectsFolder)
_CHUNK: Final = 200
_DEPTH: Final = 30
_SERVER: Final = ua.NodeId(ua.ObjectIds.Server)


@dataclass(frozen=True, slots=True)
class Branch:
    """A node as it was found: its path of browse names below Objects, id, class, and whether it is a property."""

    path: tuple[str, ...]
    node: ua.NodeId
    is_variable: bool
    is_property: bool


async def browse(
    session: UaSession, wanted: Callable[[Branch], bool] = lambda _: True, depth: int = _DEPTH
) -> AsyncIterator[list[Branch]]:
    """Each level of the tree below Objects; only below `wanted` nodes is anything looked for. A node comes once."""
    level = [Branch((), OBJECTS, is_variable=False, is_property=False)]
    seen = {OBJECTS, _SERVER}
    while level and depth:
        depth -= 1
        found = []
        for start in range(0, len(level), _CHUNK):
            for branch in await _below(session, level[start : start + _CHUNK]):
                if branch.node not in seen and wanted(branch):
                    seen.add(branch.node)
                    found.append(branch)
        level = found
        if level:
            yield level


async def _below(session: UaSession, parents: Sequence[Branch]) -> list[Branch]:
    parameters = ua.BrowseParameters()
    parameters.RequestedMaxReferencesPerNode = 1_000
    parameters.NodesToBrowse = [_description(parent.node) for parent in parents]
    results = await session.browse(parameters)
    found: list[Branch] = []
    pending = list(zip(parents, results, strict=True))
    while pending:
        more: list[tuple[Branch, Any]] = []
        for parent, result in pending:
            found.extend(_branch(parent, reference) for reference in result.References or ())
            if result.ContinuationPoint:
                more.append((parent, result.ContinuationPoint))
        pending = await _next(session, more) if more else []
    return found


async def _next(session: UaSession, points: Sequence[tuple[Branch, bytes]]) -> list[tuple[Branch, Any]]:
    parameters = ua.BrowseNextParameters()
    parameters.ReleaseContinuationPoints = False
    parameters.ContinuationPoints = [point for _, point in points]
    results = await session.browse_next(parameters)
    return [(parent, result) for (parent, _), result in zip(points, results, strict=True)]


def _description(node: ua.NodeId) -> ua.BrowseDescription:
    description = ua.BrowseDescription()
    description.NodeId = node
    description.BrowseDirection = ua.BrowseDirection.Forward
    description.ReferenceTypeId = ua.NodeId(ua.ObjectIds.HierarchicalReferences)
    description.IncludeSubtypes = True
    description.NodeClassMask = ua.NodeClass.Object | ua.NodeClass.Variable
    description.ResultMask = (
        ua.BrowseResultMask.BrowseName | ua.BrowseResultMask.NodeClass | ua.BrowseResultMask.ReferenceTypeId
    )
    return description


def _branch(parent: Branch, reference: Any) -> Branch:
    return Branch(
        (*parent.path, reference.BrowseName.Name or "?"),
        reference.NodeId,
        is_variable=reference.NodeClass == ua.NodeClass.Variable,
        is_property=reference.ReferenceTypeId == ua.NodeId(ua.ObjectIds.HasProperty),
    )
