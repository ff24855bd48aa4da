"""Events of an OPC UA server: statements about conditions, and the frame of a refresh, as fields that clients select.

Source: OPC 10000-5, 6.4 (BaseEventType); OPC 10000-9, 5.5 (ConditionType), 5.7, 5.8, 5.8.17 (shelving), 5.8.23
(OffNormalAlarmType), 5.11.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from asyncua import ua
from shopfloor.simulators.condition import Condition

SERVER: Final = ua.NodeId(ua.ObjectIds.Server)
_ID: Final = ""
_EMPTY: Final = ua.Variant(None, ua.VariantType.Null)
_VARIANT: Final = ua.VariantType


@dataclass(frozen=True, slots=True)
class Event:
    """Fields by their browse path below the type, joined by `/`; the empty path is the node of the condition."""

    fields: Mapping[str, ua.Variant]
    emitting_node: ua.NodeId = SERVER

    def to_event_fields(self, wanted: Sequence[ua.SimpleAttributeOperand]) -> list[ua.Variant]:
        """What a client has selected; empty where this event has no such field."""
        return [self.fields.get("/".join(one.Name for one in each.BrowsePath or ()), _EMPTY) for each in wanted]

    def __getattr__(self, name: str) -> Any:
        """A field, for the where clause of a client."""
        return self.fields.get(name, _EMPTY).Value


def statement(condition: Condition, namespace: int) -> Event:
    """How a condition stands."""
    about = ua.Variant(ua.NodeId(condition.about, namespace), _VARIANT.NodeId)
    severity = ua.Variant(condition.severity, _VARIANT.UInt16)
    fields = _base(ua.ObjectIds.OffNormalAlarmType, condition.last, _moment(condition.time), condition.message) | {
        _ID: ua.Variant(ua.NodeId(condition.node, namespace), _VARIANT.NodeId),
        "SourceNode": about,
        "SourceName": _text(condition.subject),
        "Severity": severity,
        "ConditionClassId": _node(ua.ObjectIds.ProcessConditionClassType),
        "ConditionClassName": _words("ProcessConditionClass"),
        "ConditionName": _text(condition.name),
        "BranchId": ua.Variant(ua.NodeId(), _VARIANT.NodeId),
        "Retain": ua.Variant(condition.retain, _VARIANT.Boolean),
        "Quality": ua.Variant(ua.StatusCode(0), _VARIANT.StatusCode),
        "LastSeverity": severity,
        "Comment": _words(condition.comment),
        "ClientUserId": _text(""),
        "InputNode": about,
        "SuppressedOrShelved": ua.Variant(condition.shelved_until > 0, _VARIANT.Boolean),
    }
    fields |= _two_states("EnabledState", True, "Enabled", "Disabled")
    fields |= _two_states("ActiveState", condition.active, "Active", "Inactive")
    fields |= _two_states("AckedState", condition.acked, "Acknowledged", "Unacknowledged")
    fields |= _shelving(condition)
    if condition.confirms:
        fields |= _two_states("ConfirmedState", condition.confirmed, "Confirmed", "Unconfirmed")
    return Event(fields)


def frame(kind: int) -> Event:
    """The beginning or end of a refresh, or the wish for one."""
    return Event(_base(kind, uuid.uuid4().bytes, datetime.now(UTC), ""))


def _base(kind: int, event: bytes, moment: datetime, message: str) -> dict[str, ua.Variant]:
    return {
        "EventId": ua.Variant(event, _VARIANT.ByteString),
        "EventType": _node(kind),
        "SourceNode": ua.Variant(SERVER, _VARIANT.NodeId),
        "SourceName": _text("Server"),
        "Time": ua.Variant(moment, _VARIANT.DateTime),
        "ReceiveTime": ua.Variant(moment, _VARIANT.DateTime),
        "Message": _words(message),
        "Severity": ua.Variant(1, _VARIANT.UInt16),
    }


def _shelving(condition: Condition) -> dict[str, ua.Variant]:
    shelved = condition.shelved_until > 0
    state = (
        ua.ObjectIds.ShelvedStateMachineType_TimedShelved if shelved else ua.ObjectIds.ShelvedStateMachineType_Unshelved
    )
    return {
        "ShelvingState/CurrentState": _words("TimedShelved" if shelved else "Unshelved"),
        "ShelvingState/CurrentState/Id": _node(state),
        "ShelvingState/UnshelveTime": ua.Variant(condition.shelved_ms, _VARIANT.Double),
    }


def _two_states(name: str, state: bool, true: str, false: str) -> dict[str, ua.Variant]:
    return {name: _words(true if state else false), f"{name}/Id": ua.Variant(state, _VARIANT.Boolean)}


def _node(number: int) -> ua.Variant:
    return ua.Variant(ua.NodeId(number), _VARIANT.NodeId)


def _text(text: str) -> ua.Variant:
    return ua.Variant(text, _VARIANT.String)


def _words(text: str) -> ua.Variant:
    return ua.Variant(ua.LocalizedText(text), _VARIANT.LocalizedText)


def _moment(time: int) -> datetime:
    return datetime.fromtimestamp(time // 1000 / 1e6, UTC)
