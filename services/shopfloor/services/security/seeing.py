"""What a caller may follow on the live socket and in the stream for scripts."""

from __future__ import annotations

from shopfloor.services.security.rights import TOPICS, Right, Role, may


def may_see(role: Role | None, name: str) -> bool:
    """Whether a role may follow a topic, or a tag by its path.

    >>> may_see(Role.VIEWER, "alarms"), may_see(Role.WRITER, "delta/frames/machining/cell-a/cnc-01/spindle.power")
    (True, False)
    """
    return may(role, TOPICS.get(name, Right.SEE))
