"""What a caller may see of the live topics: asked for every name at every subscription."""

from __future__ import annotations


def may_see(caller: str, topic: str) -> bool:
    """Whether a caller may see a topic: the path of a tag, or `alarms`, `predictions`, `health`.

    `caller` is the name that the guard gave. Who came past the guard may see the whole plant.
    """
    return bool(caller and topic)
