"""Events: what happened, when, to which asset."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class EventKind(StrEnum):
    """What an event tells."""

    ALARM_RAISED = "alarm-raised"
    ALARM_RETURNED = "alarm-returned"
    ALARM_ACKNOWLEDGED = "alarm-acknowledged"
    ALARM_REALARMED = "alarm-realarmed"
    ALARM_RESET = "alarm-reset"
    ALARM_SHELVED = "alarm-shelved"
    ALARM_UNSHELVED = "alarm-unshelved"
    ALARM_SUPPRESSED = "alarm-suppressed"
    ALARM_UNSUPPRESSED = "alarm-unsuppressed"
    ALARM_OUT_OF_SERVICE = "alarm-out-of-service"
    ALARM_IN_SERVICE = "alarm-in-service"
    SOURCE_CONNECTED = "source-connected"
    SOURCE_LOST = "source-lost"
    MODEL_TRAINED = "model-trained"
    SETPOINT_WRITTEN = "setpoint-written"
    SETPOINT_REFUSED = "setpoint-refused"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `time` is UTC nanoseconds; `subject` is an asset path, a source or a model."""

    time: int
    kind: EventKind
    subject: str
    sentence: str
    detail: dict[str, str | float | int] = field(default_factory=dict)
