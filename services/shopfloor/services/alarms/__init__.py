"""Alarms after ISA-18.2: what a person must know and act on, with the reason and the advice."""

from shopfloor.services.alarms.alarm import Acknowledgement, Alarm, AlarmRefused, AlarmUnknown, Change, Condition
from shopfloor.services.alarms.alarms import Alarms
from shopfloor.services.alarms.aside import NORMAL, Aside, AsideKind, AsideMove, moved, shown
from shopfloor.services.alarms.journal import Occurrence, Wanted
from shopfloor.services.alarms.judges import Watched
from shopfloor.services.alarms.state import AlarmKind, Move, State, after
from shopfloor.services.alarms.transitions import NEWEST, Asked, Transition

__all__ = [
    "NEWEST",
    "NORMAL",
    "Acknowledgement",
    "Alarm",
    "AlarmKind",
    "AlarmRefused",
    "AlarmUnknown",
    "Alarms",
    "Aside",
    "AsideKind",
    "AsideMove",
    "Asked",
    "Change",
    "Condition",
    "Move",
    "Occurrence",
    "State",
    "Transition",
    "Wanted",
    "Watched",
    "after",
    "moved",
    "shown",
]
