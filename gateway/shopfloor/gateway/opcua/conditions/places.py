"""At which asset a condition stands: as the plant file says, or by the variables that are read near its source.

A condition belongs to the asset of the variable that is its source; else to the one asset whose variables lie below its
source; else to that of the nearest node above its source of which the same is true.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from asyncua import ua
from asyncua.client.ua_session import UaSession
from shopfloor.gateway.opcua.items import Item
from shopfloor.gateway.opcua.requests import in_parts

_CHUNK: Final = 100
_LEVELS: Final = 8
_TOP: Final = frozenset({ua.NodeId(ua.ObjectIds.ObjectsFolder), ua.NodeId(ua.ObjectIds.Server)})


@dataclass(slots=True)
class Places:
    """Knows the variables of one link; asks the server for what is above a node once."""

    session: UaSession
    items: Mapping[ua.NodeId, Item]
    _parents: dict[ua.NodeId, tuple[ua.NodeId, ...]] = field(default_factory=dict)
    _below: dict[ua.NodeId, set[str]] = field(default_factory=dict)

    async def find(self, nodes: Iterable[ua.NodeId]) -> dict[ua.NodeId, tuple[str, str]]:
        """Asset and tag of each node; "" where there is none. A server that does not answer gives none."""
        wanted = [node for node in dict.fromkeys(nodes) if not node.is_null()]
        if wanted and not self._below:
            await self._climb(self.items)
            for node, item in self.items.items():
                for above in self._above(node):
                    self._below.setdefault(above, set()).add(_asset(item))
        await self._climb(node for node in wanted if node not in self.items)
        return {node: self._place(node) for node in wanted}

    def _place(self, node: ua.NodeId) -> tuple[str, str]:
        if node in self.items:
            return _asset(self.items[node]), self.items[node].tag
        for near in (node, *self._above(node)):
            assets = {_asset(self.items[near])} if near in self.items else self._below.get(near, set())
            if assets:
                return (next(iter(assets)), "") if len(assets) == 1 else ("", "")
        every = {_asset(item) for item in self.items.values()}
        return (every.pop(), "") if len(every) == 1 else ("", "")

    def _above(self, node: ua.NodeId) -> list[ua.NodeId]:
        """All nodes above this one, the nearest first."""
        found: dict[ua.NodeId, None] = {}
        level = self._parents.get(node, ())
        while level:
            new = [one for one in level if one not in found]
            found.update(dict.fromkeys(new))
            level = tuple(above for one in new for above in self._parents.get(one, ()))
        return list(found)

    async def _climb(self, nodes: Iterable[ua.NodeId]) -> None:
        level = [node for node in dict.fromkeys(nodes) if node not in self._parents and node not in _TOP]
        for _ in range(_LEVELS):
            if not level:
                return
            answers = await in_parts(level, _CHUNK, self._parents_of)
            self._parents.update(zip(level, answers, strict=True))
            above = dict.fromkeys(one for parents in answers for one in parents)
            level = [node for node in above if node not in self._parents and node not in _TOP]

    async def _parents_of(self, nodes: Any) -> list[tuple[ua.NodeId, ...]]:
        parameters = ua.BrowseParameters()
        parameters.NodesToBrowse = [_upwards(node) for node in nodes]
        results = await self.session.browse(parameters)
        return [tuple(one.NodeId for one in result.References or () if one.NodeId not in _TOP) for result in results]


def _upwards(node: ua.NodeId) -> ua.BrowseDescription:
    description = ua.BrowseDescription()
    description.NodeId = node
    description.BrowseDirection = ua.BrowseDirection.Inverse
    description.ReferenceTypeId = ua.NodeId(ua.ObjectIds.HierarchicalReferences)
    description.IncludeSubtypes = True
    description.NodeClassMask = ua.NodeClass.Object | ua.NodeClass.Variable
    description.ResultMask = ua.BrowseResultMask.BrowseName
    return description


def _asset(item: Item) -> str:
    return item.tag.rpartition("/")[0]
