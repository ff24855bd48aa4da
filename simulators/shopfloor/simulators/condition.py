"""A condition of a simulated device: it comes and goes, people acknowledge and confirm it (OPC 10000-9, 5.5 to 5.8).

Times are UTC ns and arguments, the EventId follows from condition, time and count: the same line with the same seed
says the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import blake2b


class Said(IntEnum):
    """StatusCodes that answer a method of a condition (OPC 10000-6, A.2)."""

    GOOD = 0
    BAD_METHOD_INVALID = 0x8075_0000
    BAD_EVENT_ID_UNKNOWN = 0x809A_0000
    BAD_ALREADY_ACKED = 0x80CF_0000
    BAD_ALREADY_CONFIRMED = 0x80D0_0000
    BAD_ALREADY_SHELVED = 0x80D1_0000
    BAD_NOT_SHELVED = 0x80D2_0000
    BAD_SHELVING_TIME = 0x80D3_0000


_MOST_MS = 24 * 3_600_000


@dataclass(slots=True)
class Condition:
    """How one condition stands. `node` is its own name, `about` that of the variable that it is about.

    `last` is the EventId of the newest statement; answers may name any statement since it was raised last.

    >>> dry = Condition("CNC-01.Alarms.Dry", "CNC-01.Flow", "CNC-01", "Dry", "No coolant.", 700, confirms=True)
    >>> dry.stand(True, 10), dry.retain, dry.acked
    (True, True, False)
    >>> [dry.acknowledge(event, "seen", 20).name for event in (b"?", dry.last, dry.last)]
    ['BAD_EVENT_ID_UNKNOWN', 'GOOD', 'BAD_ALREADY_ACKED']
    >>> dry.stand(False, 30), dry.retain
    (True, True)
    >>> dry.confirm(dry.last, "filled", 40).name, dry.retain
    ('GOOD', False)
    >>> [dry.shelve(ms, 50).name for ms in (0, 1_000, 1_000)]
    ['BAD_SHELVING_TIME', 'GOOD', 'BAD_ALREADY_SHELVED']
    >>> dry.shelved_ms, dry.pass_time(60), dry.pass_time(1_000_000_050), dry.unshelve(1_000_000_060).name
    (1000.0, False, True, 'BAD_NOT_SHELVED')
    """

    node: str
    about: str
    subject: str
    name: str
    message: str
    severity: int
    confirms: bool = False
    active: bool = False
    acked: bool = True
    confirmed: bool = True
    time: int = 0
    comment: str = ""
    shelved_until: int = 0
    last: bytes = b""
    _events: list[bytes] = field(default_factory=list)
    _count: int = 0

    @property
    def retain(self) -> bool:
        """Whether somebody has to see it still."""
        return self.active or not self.acked or not self.confirmed

    def stand(self, active: bool, time: int) -> bool:
        """The device is in this state now; whether that is news."""
        if active == self.active:
            return False
        self.active = active
        if active:
            self.acked, self.confirmed, self.comment = False, True, ""
            self._events.clear()
        self._say(time)
        return True

    def acknowledge(self, event: bytes, comment: str, time: int) -> Said:
        """Somebody has seen it."""
        if event not in self._events:
            return Said.BAD_EVENT_ID_UNKNOWN
        if self.acked:
            return Said.BAD_ALREADY_ACKED
        self.acked, self.confirmed = True, not self.confirms
        return self._answered(comment, time)

    def confirm(self, event: bytes, comment: str, time: int) -> Said:
        """Somebody has put right what it was about."""
        if not self.confirms:
            return Said.BAD_METHOD_INVALID
        if event not in self._events:
            return Said.BAD_EVENT_ID_UNKNOWN
        if self.confirmed:
            return Said.BAD_ALREADY_CONFIRMED
        self.confirmed = True
        return self._answered(comment, time)

    def remark(self, event: bytes, comment: str, time: int) -> Said:
        """Somebody notes something."""
        return self._answered(comment, time) if event in self._events else Said.BAD_EVENT_ID_UNKNOWN

    @property
    def shelved_ms(self) -> float:
        """How long it stays shelved after its newest statement; 0 where it is not."""
        return max(0, self.shelved_until - self.time) / 1e6

    def shelve(self, milliseconds: float, time: int) -> Said:
        """It is to be silent for so long."""
        if not 0 < milliseconds <= _MOST_MS:
            return Said.BAD_SHELVING_TIME
        if self.shelved_until:
            return Said.BAD_ALREADY_SHELVED
        self.shelved_until = time + round(milliseconds * 1e6)
        return self._answered("", time)

    def unshelve(self, time: int) -> Said:
        """It is not to be silent any more."""
        if not self.shelved_until:
            return Said.BAD_NOT_SHELVED
        self.shelved_until = 0
        return self._answered("", time)

    def pass_time(self, time: int) -> bool:
        """It is this late now; whether that ended its shelving."""
        if not 0 < self.shelved_until <= time:
            return False
        self.unshelve(time)
        return True

    def _answered(self, comment: str, time: int) -> Said:
        self.comment = comment or self.comment
        self._say(time)
        return Said.GOOD

    def _say(self, time: int) -> None:
        self.time = time
        self._count += 1
        self.last = blake2b(f"{self.node} {time} {self._count}".encode(), digest_size=16).digest()
        self._events.append(self.last)
