"""Limit alarms: the limits of the plant file, evaluated over whole batches at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant import Batch, Kind, Limit, Tag
from shopfloor.plant.quality import severity
from shopfloor.plant.tag import Side
from shopfloor.services.alarms.alarm import Change
from shopfloor.services.alarms.words import limit_condition

HORIZON_NS: Final = 120 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class Rule:
    """One limit of one tag of one asset."""

    path: str
    asset: str
    asset_title: str
    tag: Tag
    limit: Limit

    @property
    def key(self) -> str:
        """Name of the condition, the same after a restart."""
        return f"limit:{self.path}:{self.limit.side}:{self.limit.value:g}"


class LimitWatch:
    """Remembers for every rule whether its value is beyond the limit, since when, and whether that was reported.

    A value counts when it is not bad and newer than the last one of its tag. Of values older than two minutes only
    the newest of each tag in its batch counts: it may still hold (an alarm code that was set an hour ago), while an
    import of history raises nothing that is over. A value is beyond when it passes the limit, and back when it
    passes limit and deadband. It is reported when it was beyond for the delay, and back when it was back for the
    off-delay.
    """

    def __init__(self, rules: Iterable[Rule], raised: Collection[str] = ()) -> None:
        self.rules = tuple(rules)
        n = len(self.rules)
        self._sign = np.array([1.0 if rule.limit.side is Side.HIGH else -1.0 for rule in self.rules])
        self._limit = np.array([rule.limit.value for rule in self.rules], np.float64)
        self._deadband = np.array([rule.limit.deadband for rule in self.rules], np.float64)
        self._delay = np.array([int(rule.limit.delay_s * 1e9) for rule in self.rules], np.int64)
        self._off = np.array([int(rule.limit.off_delay_s * 1e9) for rule in self.rules], np.int64)
        self._raised = np.array([rule.key in raised for rule in self.rules], bool)
        self._beyond = self._raised.copy()
        self._since = np.zeros(n, np.int64)
        self._away = np.zeros(n, np.int64)
        self._last = np.zeros(n, np.int64)
        self._value = np.full(n, np.nan)
        self._slot, self._table = _table(self.rules)

    def concerns(self, batch: Batch, now: int) -> Batch | None:
        """The rows that any rule looks at, or None: cheap, for the thread that stores."""
        if batch.kind is Kind.TEXT or not len(batch) or not self.rules:
            return None
        slots = np.array([self._slot.get(name, -1) for name in batch.names], np.int32)
        rows = np.flatnonzero((slots[batch.tag] >= 0) & (severity(batch.quality) < 2))
        if not len(rows):
            return None
        old = batch.time[rows] <= now - HORIZON_NS
        return batch.take(np.concatenate([_newest_of_each(batch, rows[old]), rows[~old]]))

    def judge(self, batch: Batch) -> Iterator[Change]:
        """What changed with the rows of a batch that `concerns` has chosen."""
        slots = np.array([self._slot.get(name, -1) for name in batch.names], np.int32)
        row, column = np.nonzero(self._table[slots[batch.tag]] >= 0)
        rule = self._table[slots[batch.tag[row]], column]
        time, value = batch.time[row], batch.value[row].astype(np.float64)
        fresh = (time > self._last[rule]) & ~np.isnan(value)
        rule, time, value = rule[fresh], time[fresh], value[fresh]
        excess = self._sign[rule] * (value - self._limit[rule])
        busy = np.unique(rule[(excess > 0) | self._beyond[rule] | self._raised[rule]])
        np.maximum.at(self._last, rule, time)
        for one in busy.tolist():
            rows = np.flatnonzero(rule == one)
            rows = rows[np.argsort(time[rows], kind="stable")]
            yield from self._walk(one, time[rows], value[rows], excess[rows])

    def tick(self, now: int) -> Iterator[Change]:
        """What the passing of time changes: a value that stays beyond its limit, or back, need not be sent again."""
        due = self._beyond & ~self._raised & (now - self._since >= self._delay)
        for one in np.flatnonzero(due).tolist():
            yield self._raise(one, int(self._since[one] + self._delay[one]), float(self._value[one]))
        gone = self._raised & ~self._beyond & (now - self._away >= self._off)
        for one in np.flatnonzero(gone).tolist():
            yield self._return(one, int(self._away[one] + self._off[one]))

    def _walk(
        self, one: int, time: NDArray[np.int64], value: NDArray[Any], excess: NDArray[np.float64]
    ) -> Iterator[Change]:
        """Go through the runs of one rule's values: beyond the limit, then back, then beyond."""
        beyond = self._held(one, excess)
        starts = np.flatnonzero(np.diff(beyond, prepend=not beyond[0]))
        self._value[one] = value[-1]
        for start, end in zip(starts.tolist(), [*starts.tolist()[1:], len(beyond)], strict=True):
            if not beyond[start]:
                if self._beyond[one]:
                    self._beyond[one], self._away[one] = False, time[start]
                late = start + int(np.searchsorted(time[start:end], self._away[one] + self._off[one]))
                if self._raised[one] and late < end:
                    yield self._return(one, int(time[late]))
                continue
            if not self._beyond[one]:
                self._beyond[one], self._since[one] = True, time[start]
            late = start + int(np.searchsorted(time[start:end], self._since[one] + self._delay[one]))
            if not self._raised[one] and late < end:
                yield self._raise(one, int(time[late]), float(value[late]))

    def _held(self, one: int, excess: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether each value counts as beyond; inside the deadband the last answer holds."""
        known = np.where(excess > 0, 1, np.where(excess <= -self._deadband[one], 0, -1))
        known = np.concatenate([[int(self._beyond[one])], known])
        source = np.maximum.accumulate(np.where(known >= 0, np.arange(len(known)), 0))
        return known[source][1:].astype(bool)

    def _return(self, one: int, time: int) -> Change:
        self._raised[one] = False
        return Change(self.rules[one].key, time)

    def _raise(self, one: int, time: int, value: float) -> Change:
        self._raised[one] = True
        rule = self.rules[one]
        return Change(
            rule.key, time, limit_condition(rule.key, rule.asset, rule.asset_title, rule.tag, rule.limit, value)
        )


def _newest_of_each(batch: Batch, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The row with the newest time of each tag among `rows`."""
    rows = rows[np.lexsort((batch.time[rows], batch.tag[rows]))]
    last: NDArray[np.bool_] = np.diff(batch.tag[rows], append=-1) != 0
    newest: NDArray[np.int64] = rows[last]
    return newest


def _table(rules: tuple[Rule, ...]) -> tuple[dict[str, int], NDArray[np.int32]]:
    """Slot of each tag path, and the rules of each slot (-1 where a tag has fewer)."""
    by_path: dict[str, list[int]] = {}
    for number, rule in enumerate(rules):
        by_path.setdefault(rule.path, []).append(number)
    width = max((len(numbers) for numbers in by_path.values()), default=1)
    table = np.full((max(len(by_path), 1), width), -1, np.int32)
    for slot, numbers in enumerate(by_path.values()):
        table[slot, : len(numbers)] = numbers
    return {path: slot for slot, path in enumerate(by_path)}, table
