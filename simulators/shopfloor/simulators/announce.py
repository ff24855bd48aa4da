"""Alarms and conditions of the OPC UA server: told when they change and when a client asks, answered by its methods.

A condition has no node of its own; a client names it by its ConditionId, and calls the methods of the type on it, as
OPC 10000-9 lets a server do (4.10; 5.5.6 AddComment, 5.5.7 ConditionRefresh, 5.5.8, 5.7.3 Acknowledge, 5.7.4 Confirm,
5.8.17 TimedShelve and Unshelve).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from asyncua import ua
from asyncua.server.address_space import AddressSpace, MethodService
from asyncua.server.subscription_service import SubscriptionService
from shopfloor.simulators.condition import Condition
from shopfloor.simulators.events import Event, frame, statement

_TYPE: Final = ua.NodeId(ua.ObjectIds.ConditionType)
_REFRESH: Final = ua.NodeId(ua.ObjectIds.ConditionType_ConditionRefresh)
_REFRESH_2: Final = ua.NodeId(ua.ObjectIds.ConditionType_ConditionRefresh2)
_Answer = Callable[[Condition, bytes, str, int], int]
_ANSWERS: Final[dict[ua.NodeId, _Answer]] = {
    ua.NodeId(ua.ObjectIds.AcknowledgeableConditionType_Acknowledge): Condition.acknowledge,
    ua.NodeId(ua.ObjectIds.AcknowledgeableConditionType_Confirm): Condition.confirm,
    ua.NodeId(ua.ObjectIds.ConditionType_AddComment): Condition.remark,
}
_SHELVE: Final = ua.NodeId(ua.ObjectIds.ShelvedStateMachineType_TimedShelve)
_UNSHELVE: Final = ua.NodeId(ua.ObjectIds.ShelvedStateMachineType_Unshelve)


class Announcements:
    """The conditions of a device in the order in which they were given."""

    def __init__(self, subscriptions: SubscriptionService, conditions: Sequence[Condition], namespace: int) -> None:
        self._subscriptions = subscriptions
        self._namespace = namespace
        self.conditions = conditions
        self._by_id = {ua.NodeId(one.node, namespace): one for one in conditions}

    async def stand(self, index: int, active: bool, moment: int) -> None:
        """A condition is active or not at a moment (UTC ns); told when that is news."""
        condition = self.conditions[index]
        if condition.stand(active, moment):
            await self._tell(statement(condition, self._namespace))

    async def pass_time(self, moment: int) -> None:
        """It is this late now (UTC ns): what was shelved for a time may be so no more."""
        for condition in self.conditions:
            if condition.pass_time(moment):
                await self._tell(statement(condition, self._namespace))

    async def require_refresh(self) -> None:
        """Tell all clients that they must have the conditions told anew."""
        await self._tell(frame(ua.ObjectIds.RefreshRequiredEventType))

    async def call(self, request: ua.CallMethodRequest) -> int | None:
        """The StatusCode that answers a method of a condition; None for any other method."""
        arguments = [one.Value for one in request.InputArguments or ()]
        if request.ObjectId == _TYPE and request.MethodId in {_REFRESH, _REFRESH_2}:
            return await self._refresh(arguments, 1 if request.MethodId == _REFRESH else 2)
        if request.MethodId not in {*_ANSWERS, _SHELVE, _UNSHELVE}:
            return None
        condition = self._by_id.get(request.ObjectId)
        if condition is None:
            return int(ua.StatusCodes.BadNodeIdUnknown)
        status = _answered(condition, request.MethodId, arguments, time.time_ns())
        if not status:
            await self._tell(statement(condition, self._namespace))
        return status

    async def _refresh(self, arguments: Sequence[Any], wanted: int) -> int:
        if len(arguments) != wanted:
            return int(ua.StatusCodes.BadArgumentsMissing)
        subscription = self._subscriptions.subscriptions.get(arguments[0])
        if subscription is None:
            return int(ua.StatusCodes.BadSubscriptionIdInvalid)
        service, item = subscription.monitored_item_srv, arguments[1] if wanted > 1 else None
        if item is not None and item not in service._monitored_items:  # noqa: SLF001 (no public way to an item)
            return int(ua.StatusCodes.BadMonitoredItemIdInvalid)
        retained = [statement(one, self._namespace) for one in self.conditions if one.retain]
        start, end = frame(ua.ObjectIds.RefreshStartEventType), frame(ua.ObjectIds.RefreshEndEventType)
        for event in (start, *retained, end):
            await service.trigger_event(event, item)
        return 0

    async def _tell(self, event: Event) -> None:
        for subscription in list(self._subscriptions.subscriptions.values()):
            await subscription.monitored_item_srv.trigger_event(event)


def _answered(condition: Condition, method: ua.NodeId, arguments: Sequence[Any], moment: int) -> int:
    """What a condition says to a method at a moment (UTC ns)."""
    match arguments:
        case [float(milliseconds)] if method == _SHELVE:
            return int(condition.shelve(milliseconds, moment))
        case [] if method == _UNSHELVE:
            return int(condition.unshelve(moment))
        case [bytes(event), comment] if method in _ANSWERS:
            return int(_ANSWERS[method](condition, event, getattr(comment, "Text", None) or "", moment))
    return int(ua.StatusCodes.BadInvalidArgument)


class Methods(MethodService):  # type: ignore[misc]
    """asyncua's method service, except that the methods of conditions are asked of the device."""

    def __init__(self, aspace: AddressSpace, announcements: Announcements) -> None:
        super().__init__(aspace)
        self._announcements = announcements

    async def call(self, methods: list[ua.CallMethodRequest]) -> list[ua.CallMethodResult]:
        """Answer each call."""
        results: list[ua.CallMethodResult] = []
        for one in methods:
            status = await self._announcements.call(one)
            if status is None:
                results += await super().call([one])
            else:
                results.append(ua.CallMethodResult(StatusCode=ua.StatusCode(status)))
        return results
