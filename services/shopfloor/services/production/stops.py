"""Downtime records follow the state stream: opened, closed and corrected, and never taken from a person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from shopfloor.services.production.circumstances import Circumstances
from shopfloor.services.production.machine import Machine
from shopfloor.services.production.records import Stop
from shopfloor.services.production.store import ProductionStore
from shopfloor.services.production.visits import KINDS, MINOR, RUNNING, UNKNOWN, Visits

_NO_STOP = frozenset({KINDS[RUNNING], MINOR, UNKNOWN})


def found_stops(machine: Machine, found: Visits, now: int) -> list[Stop]:
    """The stops among visits that last until `now`: a stop at the end of them is still open."""
    stops = []
    for i, code in enumerate(found.code.tolist()):
        if KINDS[code] not in _NO_STOP:
            end = int(found.edges[i + 1])
            stops.append(Stop(0, machine.path, int(found.edges[i]), None if end >= now else end, KINDS[code]))
    return stops


def reconcile(
    store: ProductionStore,
    asset: str,
    fresh: Sequence[Stop],
    since: int,
    until: int,
    noted: Callable[[int], Circumstances],
) -> int:
    """Make the records of [since, until) those that were found; answers how many were written.

    What a person split or merged keeps its times, except that its last part ends when the stop does. A record that was
    told a reason and is no stop any more stays, as it is part of the journal.
    """
    known = sorted(store.stops(since, until, asset), key=lambda stop: stop.start)
    owner = {one.id: _owner(one, fresh, until) for one in known}
    written = 0
    for place, stop in enumerate(fresh):
        mine = [one for one in known if owner[one.id] == place]
        if mine:
            written += _matched(store, stop, mine, since)
        else:
            said = noted(stop.start)
            number = store.add_stop(replace(stop, code=said.alarm))
            if said != Circumstances():
                store.note_stops({number: said}, whole=False)
            written += 1
    return written + sum(_orphan(store, one, fresh, since, until) for one in known if owner[one.id] is None)


def _owner(one: Stop, fresh: Sequence[Stop], until: int) -> int | None:
    """The place of the stop that a record belongs to: that in which it begins, or the first that it touches."""
    spans = [(stop.start, until if stop.end is None else stop.end) for stop in fresh]
    inside = [place for place, (start, end) in enumerate(spans) if start <= one.start < end]
    last = until if one.end is None else one.end
    touched = [place for place, (start, end) in enumerate(spans) if one.start < end and last > start]
    return next(iter(inside + touched), None)


def _matched(store: ProductionStore, stop: Stop, mine: Sequence[Stop], since: int) -> int:
    """Bring the records of one stop up to date; one that begins where we began to look began earlier."""
    if any(one.parted for one in mine):
        last = mine[-1]
        return _change(store, last, replace(last, end=stop.end)) if last.end is None else 0
    keep = next((one for one in mine if one.reason or one.comment), mine[0])
    extra = [one.id for one in mine if one.id != keep.id and not one.reason and not one.comment]
    store.drop_stops(extra)
    start = min(one.start for one in mine) if stop.start <= since else stop.start
    return len(extra) + _change(store, keep, replace(keep, start=start, end=stop.end, kind=stop.kind))


def _orphan(store: ProductionStore, one: Stop, fresh: Sequence[Stop], since: int, until: int) -> int:
    """A record that is no stop any more goes; one that a person told of, or that began earlier, only ends."""
    if one.start > since and not (one.reason or one.comment or one.parted):
        store.drop_stops([one.id])
        return 1
    if one.end is not None:
        return 0
    end = next((stop.start for stop in fresh if stop.start > one.start), max(since, one.start))
    return _change(store, one, replace(one, end=min(end, until)))


def _change(store: ProductionStore, before: Stop, after: Stop) -> int:
    if before == after:
        return 0
    store.change_stop(after)
    return 1
