"""The states of an alarm, after ISA-18.2 (ANSI/ISA-18.2-2016, alarm state transition diagram).

                 raise                  return
    (none) ─────────────► ACTIVE ─────────────────► RETURNED ──┐ raise: ACTIVE again
                          ▲ │ acknowledge              │ acknowledge
                 re-alarm │ ▼            return        ▼
                       ACKNOWLEDGED ───────────────► CLOSED (normal)

An alarm that has returned waits for its acknowledgement, so that nobody misses what came and went. One that is declared
to latch waits for a reset as well: LATCHED until it is acknowledged, then LATCHED_ACKNOWLEDGED. Shelved, suppressed by
design and out of service lie over these states and hide them (`aside.py`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class AlarmKind(StrEnum):
    """Who found it: a limit of the plant file, a model, the watch over the sources, a control chart, or the device."""

    LIMIT = "limit"
    MODEL = "model"
    SOURCE = "source"
    QUALITY = "quality"
    CONDITION = "condition"


class State(StrEnum):
    """Where an alarm stands."""

    ACTIVE = "active"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned"
    LATCHED = "latched"
    LATCHED_ACKNOWLEDGED = "latched-acknowledged"
    CLOSED = "closed"


class Move(StrEnum):
    """What may happen to an alarm. `CLEAR` is an end that nobody has to see: set aside, or over at the device."""

    RAISE = "raise"
    RETURN = "return"
    CLEAR = "clear"
    LATCH = "latch"
    ACKNOWLEDGE = "acknowledge"
    RESET = "reset"
    REALARM = "re-alarm"


OPEN: Final = tuple(state for state in State if state is not State.CLOSED)
PRESENT: Final = (State.ACTIVE, State.ACKNOWLEDGED)
UNSEEN: Final = (State.ACTIVE, State.RETURNED, State.LATCHED)
_AFTER: Final = {
    (State.ACTIVE, Move.RETURN): State.RETURNED,
    (State.ACTIVE, Move.CLEAR): State.CLOSED,
    (State.ACTIVE, Move.LATCH): State.LATCHED,
    (State.ACTIVE, Move.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.ACKNOWLEDGED, Move.RETURN): State.CLOSED,
    (State.ACKNOWLEDGED, Move.CLEAR): State.CLOSED,
    (State.ACKNOWLEDGED, Move.LATCH): State.LATCHED_ACKNOWLEDGED,
    (State.ACKNOWLEDGED, Move.REALARM): State.ACTIVE,
    (State.RETURNED, Move.RAISE): State.ACTIVE,
    (State.RETURNED, Move.CLEAR): State.CLOSED,
    (State.RETURNED, Move.ACKNOWLEDGE): State.CLOSED,
    (State.LATCHED, Move.RAISE): State.ACTIVE,
    (State.LATCHED, Move.CLEAR): State.CLOSED,
    (State.LATCHED, Move.ACKNOWLEDGE): State.LATCHED_ACKNOWLEDGED,
    (State.LATCHED_ACKNOWLEDGED, Move.RAISE): State.ACTIVE,
    (State.LATCHED_ACKNOWLEDGED, Move.RESET): State.CLOSED,
    (State.LATCHED_ACKNOWLEDGED, Move.CLEAR): State.CLOSED,
}


def after(state: State, move: Move) -> State:
    """State after a move; a move that says nothing new leaves the state as it is.

    >>> after(State.ACTIVE, Move.ACKNOWLEDGE), after(State.CLOSED, Move.RETURN)
    (<State.ACKNOWLEDGED: 'acknowledged'>, <State.CLOSED: 'closed'>)
    """
    return _AFTER.get((state, move), state)
