"""Sparkplug's topics and its one message that is no protobuf, STATE. Source: Sparkplug 3.0, chapter 4."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from shopfloor.gateway.sparkplug.options import NAMESPACE

OF_NODE: Final = frozenset({"NBIRTH", "NDATA", "NDEATH"})
OF_DEVICE: Final = frozenset({"DBIRTH", "DDATA", "DDEATH"})
COMMANDS: Final = frozenset({"NCMD", "DCMD"})


@dataclass(frozen=True, slots=True)
class Topic:
    """`spBv1.0/group/verb/node[/device]`; a device of "" is the node itself."""

    group: str
    verb: str
    node: str
    device: str = ""

    @classmethod
    def parse(cls, text: str) -> Topic | None:
        """Read a topic; None for one that is not of this form.

        >>> Topic.parse("spBv1.0/press-shop/DDATA/edge-1/press-2")
        Topic(group='press-shop', verb='DDATA', node='edge-1', device='press-2')
        >>> Topic.parse("spBv1.0/press-shop/DDATA/edge-1") is None
        True
        """
        namespace, *levels = text.split("/")
        if namespace != NAMESPACE or len(levels) not in {3, 4} or not all(levels):
            return None
        topic = cls(*levels)
        of_device = topic.verb in OF_DEVICE or topic.verb == "DCMD"
        known = topic.verb in OF_NODE | OF_DEVICE | COMMANDS
        return topic if known and of_device == bool(topic.device) else None

    @property
    def address(self) -> str:
        """group/node: the descriptor of the edge node."""
        return f"{self.group}/{self.node}"

    def __str__(self) -> str:
        return "/".join(filter(None, (NAMESPACE, self.group, self.verb, self.node, self.device)))


def state_topic(host_id: str) -> str:
    """Where a host says whether it is online."""
    return f"{NAMESPACE}/STATE/{host_id}"


def state(timestamp: int, *, online: bool) -> bytes:
    """A STATE message; the timestamp is in ms since 1970.

    >>> state(1500, online=True)
    b'{"online":true,"timestamp":1500}'
    """
    return json.dumps({"online": online, "timestamp": timestamp}, separators=(",", ":")).encode()


def read_state(payload: bytes) -> tuple[bool, int] | None:
    """Whether a host is online and since when (ms); None for what is no STATE of Sparkplug 3.0.

    >>> read_state(b'{"online": false, "timestamp": 7}'), read_state(b"ONLINE")
    ((False, 7), None)
    """
    try:
        said = json.loads(payload)
    except ValueError:
        return None
    if not isinstance(said, dict):
        return None
    online, timestamp = said.get("online"), said.get("timestamp")
    if not isinstance(online, bool) or not isinstance(timestamp, int) or isinstance(timestamp, bool):
        return None
    return online, timestamp
