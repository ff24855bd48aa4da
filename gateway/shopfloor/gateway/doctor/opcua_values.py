"""OPC UA inside a session: the variables, whether they may be read and come, the clocks, the limits, the conditions."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from asyncua import ua
from asyncua.client.ua_session import UaSession
from shopfloor.gateway.doctor import opcua_conditions
from shopfloor.gateway.doctor.finding import Finding, Stuck, Subject, failed, note, ok
from shopfloor.gateway.doctor.opcua_watch import queue, watch
from shopfloor.gateway.opcua.answers import answered
from shopfloor.gateway.opcua.items import Item, find
from shopfloor.gateway.opcua.options import OpcuaOptions
from shopfloor.gateway.opcua.tree import browse
from shopfloor.plant import SourceLost
from shopfloor.plant.counted import counted

STEPS: Final = ("browse", "variables", "access", "values", "changes", "clock", "limits", "conditions")
_MOST: Final = 100
_CLOCK_S: Final = 5.0
_READABLE: Final = 0x01
_STATE: Final = ua.NodeId(ua.ObjectIds.Server_ServerStatus_State)
_TIME: Final = ua.NodeId(ua.ObjectIds.Server_ServerStatus_CurrentTime)


@dataclass(slots=True)
class _Look:
    """What is looked at: a few variables of the session, and what the server said of them."""

    session: UaSession
    subject: Subject
    options: OpcuaOptions
    items: list[Item] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)


async def examine(client: Any, subject: Subject, options: OpcuaOptions) -> AsyncGenerator[Finding]:
    """Walk the steps inside a session; only the variables must be there for the rest."""
    look = _Look(client.uaclient.session, subject, options)
    for step in (_browse, _variables, _access, _values, _changes, _clock, _limits, _conditions):
        try:
            yield await step(look)
        except ua.UaStatusCodeError as problem:
            refusal = answered(options.url, problem.code)
            name = step.__name__[1:]
            raise Stuck(failed(name, refusal.cause, refusal.why, refusal.fix)) from problem
        except (TimeoutError, OSError) as problem:
            why = f"The server {options.url} stopped answering"
            fix = "look at its load and its log, or restart it"
            raise Stuck(failed(step.__name__[1:], "stopped-answering", why, fix)) from problem


async def _browse(look: _Look) -> Finding:
    found = [branch async for level in browse(look.session, depth=1) for branch in level]
    if not found:
        why = "The server shows nothing below Objects to this user"
        return note("browse", "browse-empty", why, "check the rights of the user; NodeIds may still work")
    names = ", ".join(branch.path[-1] for branch in found[:5])
    return ok("browse", f"Below Objects: {names}{' …' if len(found) > 5 else ''}.")


async def _variables(look: _Look) -> Finding:
    try:
        look.items, missing = await find(look.session, look.options)
    except SourceLost as problem:
        why = "None of the variables that are asked for exist on the server"
        fix = "compare their names and NodeIds with what `shopfloor browse` shows"
        raise Stuck(failed("variables", "variables-unknown", why, fix)) from problem
    unknown = await _unknown(look)
    look.items = [item for item in look.items if item not in unknown]
    missing += [item.node.to_string() for item in unknown]
    if missing:
        all_of_them = len(missing) + len(look.items)
        why = f"The server lacks {len(missing):,} of {counted(all_of_them, 'variable')}, the first is {missing[0]}"
        fix = "correct the name or NodeId: `shopfloor browse` shows what there is"
        finding = failed("variables", "variable-unknown", why, fix)
        if not look.items:
            raise Stuck(finding)
        return finding
    return ok("variables", f"{counted(len(look.items), 'variable is', 'variables are')} there.")


async def _unknown(look: _Look) -> list[Item]:
    answers = await look.session.read_attributes([item.node for item in look.items[:_MOST]], ua.AttributeIds.NodeClass)
    gone = {ua.StatusCodes.BadNodeIdUnknown, ua.StatusCodes.BadNodeIdInvalid}
    return [item for item, answer in zip(look.items, answers, strict=False) if answer.StatusCode.value in gone]


async def _access(look: _Look) -> Finding:
    nodes = [item.node for item in look.items[:_MOST]]
    levels = await look.session.read_attributes(nodes, ua.AttributeIds.UserAccessLevel)
    look.values = await look.session.read_attributes(nodes, ua.AttributeIds.Value)
    for item, level, value in zip(look.items, levels, look.values, strict=False):
        denied = level.StatusCode.is_good() and not level.Value.Value & _READABLE
        if denied or value.StatusCode.name in {"BadUserAccessDenied", "BadNotReadable"}:
            why = f"This user may not read {_called(look, item)}"
            return failed("access", "not-readable", why, "give the user the right to read it, or leave it out")
    return ok("access", f"{_count(nodes)} may be read.")


async def _values(look: _Look) -> Finding:
    """Fails when no value is there; a machine has some that are bad, and they say so themselves."""
    read = list(zip(look.items, look.values, strict=False))
    lacking = [(item, value) for item, value in read if value.StatusCode.is_bad() or _empty(value)]
    if not lacking:
        first, value = read[0]
        return ok("values", f"{_called(look, first)} is {str(value.Value.Value)[:40]}.")
    item, value = lacking[0]
    if value.StatusCode.is_bad():
        why = f"The value of {_called(look, item)} is bad: the server says {value.StatusCode.name}"
        cause, fix = "value-bad", "look at the sensor or the device behind the server"
    else:
        why = f"{_called(look, item)} has no value yet"
        cause, fix = "value-empty", "let the machine or the program in the server write it once"
    if len(lacking) == len(read):
        return failed("values", cause, why, fix)
    return note("values", cause, f"{why}; {len(read) - len(lacking)} of {len(read)} have a good value", fix)


def _empty(value: Any) -> bool:
    return value.Value is None or value.Value.Value is None


async def _changes(look: _Look) -> Finding:
    heard, sampling = await watch(look.session, [item.node for item in look.items[:_MOST]], look.subject.seconds)
    if heard > 0:
        return ok("changes", f"{counted(heard, 'change')} came within {look.subject.seconds:g} s.")
    (state,) = await look.session.read_attributes([_STATE], ua.AttributeIds.Value)
    if state.StatusCode.is_good() and state.Value.Value != 0:
        why = f"The server does not run its program: its state is {ua.ServerState(state.Value.Value).name}"
        return failed("changes", "server-paused", why, "start the program at the server or the PLC")
    if sampling > look.subject.seconds:
        why = f"The server looks at these variables only every {sampling:g} s"
        return failed(
            "changes", "sampling-slow", why, "shorten the sampling of the variables at the server, or wait longer"
        )
    why = f"Connected and subscribed, but nothing changed within {look.subject.seconds:g} s{_age(look)}"
    fix = "check that the machine moves; a value that stands still is sent once, and again when it changes"
    return note("changes", "no-change", why, fix)


def _age(look: _Look) -> str:
    times = [value.SourceTimestamp for value in look.values if value.SourceTimestamp is not None]
    if not times:
        return ""
    newest = max(time.replace(tzinfo=UTC) for time in times)
    return f"; the newest value is {_long((datetime.now(UTC) - newest).total_seconds())} old"


def _long(seconds: float) -> str:
    """A duration for people.

    >>> _long(7), _long(3_600), _long(86_400)
    ('7 s', '60 min', '24 hours')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3_600:.0f} hours"


async def _clock(look: _Look) -> Finding:
    (answer,) = await look.session.read_attributes([_TIME], ua.AttributeIds.Value)
    if not answer.StatusCode.is_good() or answer.Value is None:
        return ok("clock", "The server tells no time.")
    ahead = (answer.Value.Value.replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds()
    if abs(ahead) < _CLOCK_S:
        return ok("clock", f"The clocks differ by {abs(ahead):.1f} s.")
    why = f"The clock of the server is {_long(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} this machine's"
    fix = "let both take their time from the same source (NTP); values are stored with the server's time"
    return failed("clock", "clock-differs", why, fix)


async def _limits(look: _Look) -> Finding:
    asked = look.options.queue_size
    granted = await queue(look.session, look.items[0].node, asked)
    keeps = f"The server keeps {counted(granted, 'value')} of a variable"
    if granted < asked:
        why = f"{keeps} while the link is busy, {asked:,} were asked for"
        fix = "raise the queue limit of the server, or let values come less often by 'sampling_interval'"
        return note("limits", "queue-shortened", why, fix)
    return ok("limits", f"{keeps}.")


async def _conditions(look: _Look) -> Finding:
    return await opcua_conditions.look(look.session, look.options)


def _called(look: _Look, item: Item) -> str:
    mapped = look.subject.mapped or not look.options.everything
    return item.tag.rpartition("/")[2] if not mapped else f"{item.tag.rpartition('/')[2]} ({item.node.to_string()})"


def _count(nodes: Sequence[Any]) -> str:
    return "One variable" if len(nodes) == 1 else counted(len(nodes), "variable")
