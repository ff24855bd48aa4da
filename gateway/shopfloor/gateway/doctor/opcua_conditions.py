"""Alarms and conditions of an OPC UA server: whether it sends events to this user, and tells what stands."""

from __future__ import annotations

from typing import Final

from asyncua import ua
from asyncua.client.ua_session import UaSession
from shopfloor.gateway.doctor.finding import Finding, failed, note, ok
from shopfloor.gateway.opcua.conditions.follow import monitor
from shopfloor.gateway.opcua.conditions.options import ConditionOptions
from shopfloor.gateway.opcua.conditions.refresh import told_anew
from shopfloor.gateway.opcua.options import OpcuaOptions
from shopfloor.gateway.opcua.subscribe import created

STEP: Final = "conditions"
_DENIED: Final = frozenset({"BadUserAccessDenied", "BadNotReadable"})


async def look(session: UaSession, options: OpcuaOptions) -> Finding:
    """Monitor events and ask for a refresh, in a subscription that is deleted afterwards."""
    asked = options.conditions or ConditionOptions()
    subscription = await created(session, options)
    try:
        _, results = await monitor(session, subscription.id, asked.notifiers)
        taken = [one.MonitoredItemId for one in results if one.StatusCode.is_good()]
        status = await told_anew(session, subscription.id, taken) if taken else 0
    finally:
        await session.delete_subscriptions([subscription.id])
    refused = {
        notifier: one.StatusCode.name
        for notifier, one in zip(asked.notifiers, results, strict=True)
        if not one.StatusCode.is_good()
    }
    if options.conditions is None:
        return _unasked(offers=bool(taken) and not status)
    return _asked(refused, none=not taken, untold=ua.status_codes.get_name_and_doc(status)[0] if status else "")


def _unasked(*, offers: bool) -> Finding:
    if offers:
        return ok(STEP, "The server offers alarms and conditions; 'conditions: true' in the source follows them.")
    return ok(STEP, "No alarms and conditions are asked for, and the server offers none.")


def _asked(refused: dict[str, str], *, none: bool, untold: str) -> Finding:
    for notifier, status in refused.items():
        if status in _DENIED:
            why = f"This user may not hear the events of {notifier} ({status})"
            return failed(STEP, "conditions-denied", why, "give the user the right to receive events")
    if none:
        why = f"The server offers no alarms and conditions ({next(iter(refused.values()))})"
        fix = "switch them on at the server, or leave 'conditions' out of the source"
        return failed(STEP, "conditions-none", why, fix)
    for notifier, status in refused.items():
        why = f"The notifier {notifier} sends no events ({status})"
        return failed(STEP, "conditions-notifier", why, "correct its NodeId in 'conditions', or leave it out")
    if untold:
        why = f"The server does not tell standing conditions anew ({untold}): they are seen when they change"
        fix = "switch ConditionRefresh on at the server, if it has it"
        return note(STEP, "conditions-not-told", why, fix)
    return ok(STEP, "The server offers alarms and conditions, and tells those that stand.")
