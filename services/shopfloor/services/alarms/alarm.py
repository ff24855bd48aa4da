"""An alarm, the condition behind it, and the change that a watch reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from shopfloor.plant import ShopfloorError
from shopfloor.services.alarms.state import AlarmKind, State


class AlarmUnknown(ShopfloorError):  # noqa: N818 (a state of the world)
    """There is no such alarm."""


class AlarmRefused(ShopfloorError, ValueError):  # noqa: N818 (a state of the world)
    """The plant file does not allow it; the sentence says what it allows."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What is wrong, in words and in numbers. `key` names it among all conditions that can be open at once.

    `code` and `values` let a page say it in another language. `asset` is None where a source is meant. `latch`: it
    stays until it is reset; `realarm_s`: acknowledged, it asks again after that time; `group`: its first-out group.
    `device` is for conditions of devices: source, id, event, notifier, keeps (acknowledgements), subject, severity,
    time (UTC ns), answers (what may go to the device), confirm (it waits for that), earlier (a branch: it is over).
    """

    key: str
    kind: AlarmKind
    code: str
    priority: int
    title: str
    sentence: str
    why: str = ""
    advice: str = ""
    asset: str | None = None
    tag: str | None = None
    value: float | None = None
    limit: float | None = None
    unit: str = ""
    values: dict[str, float | str] = field(default_factory=dict)
    latch: bool = False
    realarm_s: float | None = None
    group: str = ""
    device: dict[str, Any] = field(default_factory=dict)

    @property
    def alike(self) -> str:
        """Names what people take for the same alarm: a device may name each occurrence anew."""
        if not self.device:
            return self.key
        return f"condition:{self.device['source']}:{self.device['subject']}:{self.title}"


@dataclass(frozen=True, slots=True)
class Change:
    """A condition began (`condition` is given) or ended, at a time in UTC ns."""

    key: str
    time: int
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Who has seen an alarm, when (UTC ns), and what they noted."""

    by: str
    time: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A condition with its life: since when, until when, and who knows of it. Times are UTC ns.

    `first_out`: it was the first of its group within the time of the group. `realarmed`: when it asked again last.
    """

    id: int
    condition: Condition
    state: State
    since: int
    returned: int | None = None
    acknowledged: Acknowledgement | None = None
    first_out: bool = False
    realarmed: int | None = None

    @property
    def asked(self) -> int:
        """Since when it asks for attention."""
        return self.since if self.realarmed is None else self.realarmed
