"""The states of an alarm, after ISA-18.2 (ANSI/ISA-18.2-2016, section 10).

                 raise                  return
    (none) ─────────────► ACTIVE ─────────────────► RETURNED ──┐ raise: ACTIVE again
                            │ acknowledge              │ acknowledge
                            ▼            return        ▼
                       ACKNOWLEDGED ───────────────► CLOSED

An alarm that has returned waits for its acknowledgement, so that nobody misses what came and went.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class AlarmKind(StrEnum):
    """Who found it: a limit of the plant file, a model, the watch over the sources, or a control chart."""

    LIMIT = "limit"
    MODEL = "model"
    SOURCE = "source"
    QUALITY = "quality"


class State(StrEnum):
    """Where an alarm stands."""

    ACTIVE = "active"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned"
    CLOSED = "closed"


class Move(StrEnum):
    """What may happen to an alarm."""

    RAISE = "raise"
    RETURN = "return"
    ACKNOWLEDGE = "acknowledge"


OPEN: Final = (State.ACTIVE, State.ACKNOWLEDGED, State.RETURNED)
PRESENT: Final = (State.ACTIVE, State.ACKNOWLEDGED)
_AFTER: Final = {
    (State.ACTIVE, Move.RETURN): State.RETURNED,
    (State.ACTIVE, Move.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.ACKNOWLEDGED, Move.RETURN): State.CLOSED,
    (State.RETURNED, Move.RAISE): State.ACTIVE,
    (State.RETURNED, Move.ACKNOWLEDGE): State.CLOSED,
}


def after(state: State, move: Move) -> State:
    """State after a move; a move that says nothing new leaves the state as it is.

    >>> after(State.ACTIVE, Move.ACKNOWLEDGE), after(State.CLOSED, Move.RETURN)
    (<State.ACKNOWLEDGED: 'acknowledged'>, <State.CLOSED: 'closed'>)
    """
    return _AFTER.get((state, move), state)
