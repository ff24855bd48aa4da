"""What a page or script may say, and where it has got to."""

from __future__ import annotations

import re
from typing import Any, Final, Literal

import msgspec

MOST_TAGS: Final = 5_000
EXPECTED: Final = (
    'Expected {"subscribe": {"tags": [...], "topics": [...], "assets": [...], "hz": 1 or 10, "resume": {...}}}.'
)
_CURSOR: Final = re.compile(r"(?P<boot>[0-9a-f]{1,32})-(?P<seq>\d{1,18})(?P<states>(-[a-z]{1,40}\.\d{1,18}){0,20})")


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far somebody has read: the run of the server, the last tick of values, the version of each topic.

    >>> Cursor("1f", 7, {"alarms": 3}).text()
    '1f-7-alarms.3'
    >>> Cursor.parse("1f-7-alarms.3") == Cursor("1f", 7, {"alarms": 3})
    True
    >>> Cursor.parse("yesterday")
    """

    boot: str
    seq: int
    states: dict[str, int] = {}

    def text(self) -> str:
        """The cursor as the id of an event."""
        return "-".join([self.boot, str(self.seq), *(f"{name}.{version}" for name, version in self.states.items())])

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """The cursor in an id; None when it is none of ours."""
        found = _CURSOR.fullmatch(text)
        if found is None:
            return None
        states = (part.split(".") for part in found["states"].split("-") if part)
        return cls(found["boot"], int(found["seq"]), {name: int(version) for name, version in states})


class Subscribe(msgspec.Struct):
    """What a page wants to see: tags, topics (of which assets; None: of all), how often, and from where on."""

    tags: list[str] = []
    topics: list[str] = []
    assets: list[str] | None = None
    hz: Literal[1, 10] = 10
    resume: Cursor | None = None


class Message(msgspec.Struct):
    """What a page may say."""

    subscribe: Subscribe


def frame(kind: str, **content: Any) -> bytes:
    """One binary frame."""
    return msgspec.msgpack.encode({"k": kind, **content})
