"""NodeIds as people write them: by the number of their namespace, or by its URI, which outlives a restart.

Source: OPC 10000-6, 5.3.1.10 (NodeId: `nsu=<uri>;<type>=<value>`, with `%25` for a percent sign and `%3B` for a
semicolon in the URI); OPC 10000-3, 8.2.2 (a server may number its namespaces anew when it starts).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from asyncua import ua
from asyncua.client.ua_session import UaSession
from shopfloor.plant import SourceLost

NODE: Final = re.compile(r"(ns=\d+;|nsu=[^;]+;)?[isgb]=.+")
_BY_URI: Final = re.compile(r"nsu=(?P<uri>[^;]+);(?P<rest>.+)")


def node_id(text: str) -> ua.NodeId:
    """Read a NodeId; `SourceLost` says how one is written."""
    try:
        return ua.NodeId.from_string(text)
    except (ua.UaError, ValueError) as problem:
        raise SourceLost(
            f"{text!r} is no NodeId: write it as ns=2;s=Name, ns=2;i=7 or nsu=urn:maker:machine;s=Name."
        ) from problem


def written(node: ua.NodeId, uris: Sequence[str]) -> str:
    """A NodeId with the URI of its namespace, which means the same after the server has started anew.

    >>> written(ua.NodeId("Load", 1), ["http://opcfoundation.org/UA/", "urn:maker;one"]), written(ua.NodeId(7), [])
    ('nsu=urn:maker%3Bone;s=Load', 'i=7')
    """
    number = node.NamespaceIndex
    if not 0 < number < len(uris):
        return str(node.to_string())
    uri = uris[number].replace("%", "%25").replace(";", "%3B")
    return f"nsu={uri};{ua.NodeId(node.Identifier, 0, node.NodeIdType).to_string()}"


async def namespaces(session: UaSession) -> list[str]:
    """The server's namespaces, in the order of their numbers."""
    (answer,) = await session.read_attributes([ua.NodeId(ua.ObjectIds.Server_NamespaceArray)], ua.AttributeIds.Value)
    return list(answer.Value.Value or ()) if answer.Value is not None else []


async def node_ids(session: UaSession, texts: Sequence[str]) -> list[ua.NodeId]:
    """Read NodeIds; the server is asked for its namespaces only where one is given by its URI."""
    if not any(text.startswith("nsu=") for text in texts):
        return [node_id(text) for text in texts]
    uris = await namespaces(session)
    return [node_id(numbered(text, uris)) for text in texts]


def numbered(text: str, uris: Sequence[str]) -> str:
    """The NodeId by the number of its namespace in the server's list; `SourceLost` when the list lacks its URI.

    >>> numbered("nsu=urn:maker%3Bone;s=Load;1", ["http://opcfoundation.org/UA/", "urn:maker;one"])
    'ns=1;s=Load;1'
    """
    found = _BY_URI.fullmatch(text)
    if found is None:
        return text
    uri = found["uri"].replace("%3B", ";").replace("%3b", ";").replace("%25", "%")
    if uri not in uris:
        raise SourceLost(
            f"The server has no namespace {uri!r}, which {text!r} names: it has {', '.join(uris[1:]) or 'none'};"
            " correct the URI after 'nsu='."
        )
    return f"ns={uris.index(uri)};{found['rest']}"
