"""The standard nodes of asyncua: filled in once in a process of tests, which takes half a second, then copied."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch


@contextmanager
def filled_once() -> Iterator[None]:
    """Every server that starts meanwhile has nodes of its own: asyncua replaces values and never writes into one."""
    from asyncua.server.internal_server import InternalServer

    fill = InternalServer.load_standard_address_space
    filled: dict[Any, Any] = {}

    async def load(server: Any, shelf_file: Path | None = None) -> None:
        if not filled:
            await fill(server, shelf_file)
            filled.update(_copied(server.aspace._nodes))
        server.aspace._nodes.update(_copied(filled))

    with patch.object(InternalServer, "load_standard_address_space", load):
        yield


def _copied(nodes: dict[Any, Any]) -> dict[Any, Any]:
    from asyncua.server.address_space import AttributeValue, NodeData

    copies = {}
    for name, node in nodes.items():
        copies[name] = copy = NodeData(name)
        copy.attributes = {key: AttributeValue(one.value) for key, one in node.attributes.items()}
        copy.references, copy.call = [*node.references], node.call
    return copies
