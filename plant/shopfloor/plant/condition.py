"""Conditions of devices: what a device says of its own alarms, and what people answer it.

Source: OPC 10000-9 (Alarms and Conditions). A statement travels as one text value, so that it is kept, sent and
counted as every value is: its tag is `tag_of(source)`, its time the moment at which it came, its value JSON.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Final, Self

from shopfloor.plant.errors import BatchError

_BEGINS: Final = "devices/-/-/-/"
_ENDS: Final = "/conditions"
_REPLACED: Final = str.maketrans(dict.fromkeys("/#+ ", "_"))


def tag_of(source: str) -> str:
    """The tag under which the statements of a source's device travel.

    >>> tag_of("machining"), is_conditions(tag_of("machining")), is_conditions("a/b/c/d/e/conditions")
    ('devices/-/-/-/machining/conditions', True, False)
    """
    return f"{_BEGINS}{source.translate(_REPLACED)}{_ENDS}"


def is_conditions(tag: str) -> bool:
    """Whether a tag holds statements about conditions rather than values of an asset."""
    return tag.startswith(_BEGINS) and tag.endswith(_ENDS)


class Refresh(StrEnum):
    """Between `START` and `END` a device tells all that it retains: what it does not tell is gone."""

    START = "start"
    END = "end"


@dataclass(frozen=True, slots=True)
class Told:
    """One statement of a device. Times are UTC ns; None and "" stand for what the device does not say.

    `notifier` is the node whose events these are; `id`, `branch` and `node` are NodeIds with the URI of their
    namespace, `event` is the EventId in hexadecimal digits. `retain`: the device wants it to be seen. `severity` is 1
    to 1000, `priority` what the plant file makes of it. `shelved` is "", "timed" or "one-shot", None where the device
    cannot shelve; `answers` are the acts that it takes and the plant file allows. With `refresh` only `source`,
    `notifier` and `time` mean something.
    """

    source: str
    notifier: str = ""
    time: int = 0
    refresh: Refresh | None = None
    id: str = ""
    branch: str = ""
    event: str = ""
    name: str = ""
    node: str = ""
    subject: str = ""
    message: str = ""
    severity: int = 0
    priority: int = 3
    retain: bool = False
    enabled: bool | None = None
    active: bool | None = None
    acked: bool | None = None
    confirmed: bool | None = None
    latched: bool | None = None
    suppressed: bool | None = None
    out: bool | None = None
    shelved: str | None = None
    unshelve_s: float | None = None
    quality: int = 0
    comment: str = ""
    by: str = ""
    asset: str = ""
    tag: str = ""
    answers: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Names the condition (or its branch: an earlier occurrence that waits) among all of all devices."""
        return f"condition:{self.source}:{self.id}:{self.branch}"

    def to_text(self) -> str:
        """As JSON, without what is not said.

        >>> Told("plc", id="i=7", retain=True, priority=1).to_text()
        '{"source":"plc","id":"i=7","priority":1,"retain":true}'
        """
        said = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        return json.dumps(said, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what `to_text` wrote; anything else raises `BatchError`. Keys of a later version are passed over.

        >>> Told.from_text('{"source":"plc","refresh":"end","new":1}').refresh
        <Refresh.END: 'end'>
        """
        try:
            said: dict[str, Any] = json.loads(text)
            known = {f.name: said[f.name] for f in fields(cls) if f.name in said}
            if refresh := known.get("refresh"):
                known["refresh"] = Refresh(refresh)
            return cls(**known | {"answers": tuple(known.get("answers", ()))})
        except (ValueError, TypeError, AttributeError) as problem:
            raise BatchError(f"A statement about a condition cannot be read ({problem}): {text[:100]!r}.") from problem


class Act(StrEnum):
    """What people may answer a device about a condition."""

    ACKNOWLEDGE = "acknowledge"
    CONFIRM = "confirm"
    COMMENT = "comment"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody answers about the condition `id` at its event `event` (hexadecimal); `minutes` is for shelving."""

    id: str
    event: str
    act: Act
    comment: str = ""
    minutes: float = 0.0
