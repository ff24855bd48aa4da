"""Which fields of an event are asked for, and what they say of a condition.

Source: OPC 10000-4, 7.7.4.5 (SimpleAttributeOperand), 7.22.3 (EventFilter), 7.25.3 (EventNotificationList);
OPC 10000-9, 5.5 (ConditionType), 5.7 (AcknowledgeableConditionType), 5.8 (AlarmConditionType), 5.8.17 (shelving).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Final

from asyncua import ua
from asyncua.common.utils import Buffer, NotEnoughData
from asyncua.ua.ua_binary import struct_from_binary
from shopfloor.gateway.opcua.conditions.options import ConditionOptions
from shopfloor.plant.condition import Act, Refresh, Told
from shopfloor.plant.errors import BatchError

_BASE: Final = ua.ObjectIds.BaseEventType
_CONDITION: Final = ua.ObjectIds.ConditionType
_ACKED: Final = ua.ObjectIds.AcknowledgeableConditionType
_ALARM: Final = ua.ObjectIds.AlarmConditionType
_SHELVED: Final = {2930: "", 2932: "timed", 2933: "one-shot"}
"""States of the ShelvedStateMachineType by the numbers of their nodes."""
_WORDS: Final = {"Unshelved": "", "TimedShelved": "timed", "OneShotShelved": "one-shot"}
NEEDED: Final[tuple[tuple[str, int, str], ...]] = (
    ("EventId", _BASE, "EventId"),
    ("EventType", _BASE, "EventType"),
    ("SourceNode", _BASE, "SourceNode"),
    ("SourceName", _BASE, "SourceName"),
    ("Time", _BASE, "Time"),
    ("Message", _BASE, "Message"),
    ("Severity", _BASE, "Severity"),
    ("ConditionId", _CONDITION, ""),
    ("ConditionName", _CONDITION, "ConditionName"),
    ("BranchId", _CONDITION, "BranchId"),
    ("Retain", _CONDITION, "Retain"),
    ("EnabledState", _CONDITION, "EnabledState/Id"),
    ("AckedState", _ACKED, "AckedState/Id"),
    ("ActiveState", _ALARM, "ActiveState/Id"),
)
FIELDS: Final = (
    *NEEDED,
    ("ConfirmedState", _ACKED, "ConfirmedState/Id"),
    ("LatchedState", _ALARM, "LatchedState/Id"),
    ("SuppressedState", _ALARM, "SuppressedState/Id"),
    ("OutOfServiceState", _ALARM, "OutOfServiceState/Id"),
    ("ShelvingState", _ALARM, "ShelvingState/CurrentState"),
    ("ShelvingNode", _ALARM, "ShelvingState/CurrentState/Id"),
    ("UnshelveTime", _ALARM, "ShelvingState/UnshelveTime"),
    ("Quality", _CONDITION, "Quality"),
    ("Comment", _CONDITION, "Comment"),
    ("ClientUserId", _CONDITION, "ClientUserId"),
)
"""Name, type, and browse path below the type; the empty path is the node of the condition itself."""
_REFRESH: Final = {
    ua.ObjectIds.RefreshStartEventType: Refresh.START,
    ua.ObjectIds.RefreshEndEventType: Refresh.END,
}


class Loss(Enum):
    """Why a server's conditions must be told anew: it says so, or it had more events than its queue holds."""

    REQUIRED = ua.ObjectIds.RefreshRequiredEventType
    OVERFLOW = ua.ObjectIds.EventQueueOverflowEventType


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBERED: Final = re.compile(r"^\d+:")
"""Some servers write the number of the namespace before a name."""
Fields = dict[str, Any]


def event_filter(wanted: Sequence[tuple[str, int, str]]) -> ua.EventFilter:
    """The select list; nothing is filtered by the server, as events of a refresh must pass."""
    found = ua.EventFilter()
    found.SelectClauses = [_operand(kind, path) for _, kind, path in wanted]
    return found


def _operand(kind: int, path: str) -> ua.SimpleAttributeOperand:
    operand = ua.SimpleAttributeOperand()
    operand.TypeDefinitionId = ua.NodeId(kind)
    operand.AttributeId = ua.AttributeIds.Value if path else ua.AttributeIds.NodeId
    operand.BrowsePath = [ua.QualifiedName(part, 0) for part in path.split("/")] if path else []
    return operand


def events(body: bytes, wanted: Sequence[tuple[str, int, str]]) -> list[tuple[int, Fields]]:
    """The events of a notification, each with its client handle; `BatchError` for one that cannot be decoded."""
    try:
        found = struct_from_binary(ua.EventNotificationList, Buffer(body)).Events or ()
        return [(one.ClientHandle, _named(one.EventFields or (), wanted)) for one in found]
    except (ua.UaError, NotEnoughData, struct.error, ValueError, TypeError) as problem:
        raise BatchError(f"{type(problem).__name__}: {str(problem)[:200]}") from problem


def _named(values: Sequence[ua.Variant], wanted: Sequence[tuple[str, int, str]]) -> Fields:
    return {name: value.Value for (name, _, _), value in zip(wanted, values, strict=False)}


def asks_again(event: Fields) -> Loss | None:
    """Why the conditions must be told anew; None for an event that does not ask for it."""
    number = _number(event.get("EventType"))
    return next((loss for loss in Loss if loss.value == number), None)


def statement(
    event: Fields, source: str, notifier: str, options: ConditionOptions, named: Callable[[ua.NodeId], str]
) -> Told | None:
    """What an event says of a condition; None for an event that is about none. `named` writes a NodeId for good."""
    refresh = _REFRESH.get(_number(event.get("EventType")))
    if refresh is not None:
        return Told(source, notifier, _nanoseconds(event.get("Time")), refresh)
    condition = event.get("ConditionId")
    if not isinstance(condition, ua.NodeId) or condition.is_null():
        return None
    severity = int(event.get("Severity") or 0)
    branch, node = event.get("BranchId"), event.get("SourceNode")
    shelved = _shelving(event)
    unshelve = event.get("UnshelveTime")
    return Told(
        source=source,
        notifier=notifier,
        time=_nanoseconds(event.get("Time")),
        id=named(condition),
        branch="" if not isinstance(branch, ua.NodeId) or branch.is_null() else named(branch),
        event=(event.get("EventId") or b"").hex(),
        name=str(event.get("ConditionName") or ""),
        node="" if not isinstance(node, ua.NodeId) or node.is_null() else named(node),
        subject=_NUMBERED.sub("", str(event.get("SourceName") or "")),
        message=_text(event.get("Message")),
        severity=severity,
        priority=options.priority_of(severity),
        retain=bool(event.get("Retain")),
        enabled=_flag(event, "EnabledState"),
        active=_flag(event, "ActiveState"),
        acked=_flag(event, "AckedState"),
        confirmed=_flag(event, "ConfirmedState"),
        latched=_flag(event, "LatchedState"),
        suppressed=_flag(event, "SuppressedState"),
        out=_flag(event, "OutOfServiceState"),
        shelved=shelved,
        unshelve_s=unshelve / 1e3 if isinstance(unshelve, int | float) and shelved else None,
        quality=int(getattr(event.get("Quality"), "value", 0)),
        comment=_text(event.get("Comment")),
        by=str(event.get("ClientUserId") or ""),
        answers=tuple(_answers(event, options)),
    )


def _answers(event: Fields, options: ConditionOptions) -> list[str]:
    """What the device offers and the plant file allows."""
    offered = {
        Act.ACKNOWLEDGE: _flag(event, "AckedState") is not None,
        Act.CONFIRM: _flag(event, "ConfirmedState") is not None,
        Act.COMMENT: True,
        Act.SHELVE: _shelving(event) is not None,
    }
    return [act.value for act, there in offered.items() if there and options.allows(act)]


def _shelving(event: Fields) -> str | None:
    number = _number(event.get("ShelvingNode"))
    if number in _SHELVED:
        return _SHELVED[number]
    text = _text(event.get("ShelvingState")).replace(" ", "")
    return _WORDS.get(text)


def _number(node: Any) -> int:
    standard = isinstance(node, ua.NodeId) and node.NamespaceIndex == 0 and isinstance(node.Identifier, int)
    return int(node.Identifier) if standard else 0


def _flag(event: Fields, name: str) -> bool | None:
    value = event.get(name)
    return value if isinstance(value, bool) else None


def _text(value: Any) -> str:
    return str(getattr(value, "Text", value) or "")


def _nanoseconds(value: Any) -> int:
    if not isinstance(value, datetime):
        return 0
    moment = value if value.tzinfo else value.replace(tzinfo=UTC)
    return max(0, (moment - _EPOCH) // timedelta(microseconds=1)) * 1_000
