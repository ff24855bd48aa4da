"""Alarms after ISA-18.2: what a person must know and act on, with the reason and the advice."""

from shopfloor.services.alarms.alarm import Acknowledgement, Alarm, Change, Condition
from shopfloor.services.alarms.alarms import Alarms, AlarmUnknown
from shopfloor.services.alarms.journal import Occurrence, Wanted
from shopfloor.services.alarms.state import AlarmKind, Move, State, after

__all__ = [
    "Acknowledgement",
    "Alarm",
    "AlarmKind",
    "AlarmUnknown",
    "Alarms",
    "Change",
    "Condition",
    "Move",
    "Occurrence",
    "State",
    "Wanted",
    "after",
]
