"""Alarms that are set aside: shelved by an operator, suppressed by design, taken out of service by an engineer.

Each of the three lies over the state of the alarm and hides it; below it the state goes on (ANSI/ISA-18.2-2016, alarm
state transition diagram). When the last of them ends, the true state shows.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shopfloor.plant import EventKind
from shopfloor.services.alarms.state import State

NORMAL: Final = "normal"


class AsideKind(StrEnum):
    """Why an alarm is not shown, the strongest first."""

    OUT_OF_SERVICE = "out-of-service"
    SUPPRESSED = "suppressed"
    SHELVED = "shelved"


class AsideMove(StrEnum):
    """What sets an alarm aside, and what brings it back."""

    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    SUPPRESS = "suppress"
    UNSUPPRESS = "unsuppress"
    REMOVE_FROM_SERVICE = "remove-from-service"
    RETURN_TO_SERVICE = "return-to-service"


_MOVES: Final = {
    AsideMove.SHELVE: (AsideKind.SHELVED, True),
    AsideMove.UNSHELVE: (AsideKind.SHELVED, False),
    AsideMove.SUPPRESS: (AsideKind.SUPPRESSED, True),
    AsideMove.UNSUPPRESS: (AsideKind.SUPPRESSED, False),
    AsideMove.REMOVE_FROM_SERVICE: (AsideKind.OUT_OF_SERVICE, True),
    AsideMove.RETURN_TO_SERVICE: (AsideKind.OUT_OF_SERVICE, False),
}
EVENTS: Final = {
    AsideKind.SHELVED: (EventKind.ALARM_SHELVED, EventKind.ALARM_UNSHELVED),
    AsideKind.SUPPRESSED: (EventKind.ALARM_SUPPRESSED, EventKind.ALARM_UNSUPPRESSED),
    AsideKind.OUT_OF_SERVICE: (EventKind.ALARM_OUT_OF_SERVICE, EventKind.ALARM_IN_SERVICE),
}


@dataclass(frozen=True, slots=True)
class Aside:
    """Who set the alarms of one condition aside, when, until when (UTC ns; None: until put back), and why.

    `alarm` is the number of the alarm at which it was done.
    """

    key: str
    kind: AsideKind
    by: str
    since: int
    until: int | None
    reason: str
    alarm: int


def moved(asides: Collection[AsideKind], move: AsideMove) -> frozenset[AsideKind]:
    """What lies over an alarm after a move.

    >>> sorted(moved({AsideKind.SHELVED}, AsideMove.SUPPRESS))
    [<AsideKind.SHELVED: 'shelved'>, <AsideKind.SUPPRESSED: 'suppressed'>]
    """
    kind, there = _MOVES[move]
    return frozenset(asides) | {kind} if there else frozenset(asides) - {kind}


def shown(state: State, asides: Collection[AsideKind]) -> str:
    """The state of the standard's diagram that people see.

    >>> shown(State.ACTIVE, ()), shown(State.ACTIVE, [AsideKind.SHELVED]), shown(State.CLOSED, ())
    ('active', 'shelved', 'normal')
    """
    top = next((kind.value for kind in AsideKind if kind in asides), None)
    return top or (NORMAL if state is State.CLOSED else state.value)
