"""What the plant file says of alarms by design: suppressed in a state, and the first of a group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant import Batch, Kind
from shopfloor.plant.config import FirstOutSection, PlantConfig, SuppressSection
from shopfloor.plant.quality import severity
from shopfloor.services.alarms.alarm import Condition
from shopfloor.services.alarms.state import AlarmKind

_NEWEST: Final = 8


class Suppression:
    """Which alarms mean nothing now: follows the states of assets. Times are UTC ns, of the values."""

    def __init__(self, config: PlantConfig) -> None:
        self._rules: dict[str, tuple[SuppressSection, ...]] = {
            str(asset.path): config.types[asset.type].suppress
            for asset in config.assets
            if config.types[asset.type].suppress
        }
        self.tags = frozenset(f"{asset}/{rule.tag}" for asset, rules in self._rules.items() for rule in rules)
        self._now: dict[str, tuple[int, str]] = {}
        self._left: dict[tuple[str, str], int] = {}

    def watch(self, batch: Batch) -> None:
        """Take the states of a stored batch; cheap where it holds none."""
        if batch.kind is not Kind.TEXT or not self.tags.intersection(batch.names):
            return
        good = severity(batch.quality) < 2
        for index, name in enumerate(batch.names):
            if name in self.tags:
                for row in _changes(batch, np.flatnonzero(good & (batch.tag == index))):
                    self.see(name, int(batch.time[row]), str(batch.value[row]))

    def see(self, tag: str, time: int, state: str) -> None:
        """A state and its time; older than the last one of the tag, it changes nothing."""
        before = self._now.get(tag)
        if before is not None and time <= before[0]:
            return
        if before is not None and before[1] != state:
            self._left[tag, before[1]] = time
        self._now[tag] = time, state

    def reason(self, condition: Condition, now: int) -> str:
        """Why an alarm is suppressed, in one sentence; empty when it is not."""
        for rule in self._rules.get(condition.asset or "", ()):
            if _means(rule, condition) and (said := self._said(rule, f"{condition.asset}/{rule.tag}", now)):
                return said
        return ""

    def _said(self, rule: SuppressSection, tag: str, now: int) -> str:
        state = self._now.get(tag, (0, ""))[1]
        if state in rule.states:
            return f"While {rule.tag} is {state}."
        hold = int(rule.hold * 1e9)
        held = next((one for one in rule.states if now - self._left.get((tag, one), now - hold) < hold), "")
        return f"Just after {rule.tag} was {held}." if held else ""


def _changes(batch: Batch, rows: NDArray[np.int64]) -> list[int]:
    """The rows at which a text became another, the newest few: an import of history brings many that are over."""
    rows = rows[np.argsort(batch.time[rows], kind="stable")]
    texts = batch.value[rows]
    new = np.concatenate([np.ones(min(len(rows), 1), bool), texts[1:] != texts[:-1]])
    changed: list[int] = rows[np.flatnonzero(new)][-_NEWEST:].tolist()
    return changed


def _means(rule: SuppressSection, condition: Condition) -> bool:
    return condition.kind is not AlarmKind.QUALITY and _fits(condition, rule)


def _fits(condition: Condition, rule: SuppressSection | FirstOutSection) -> bool:
    """Whether a rule names an alarm: by its tag, its prediction, or its name at the device."""
    if condition.kind is AlarmKind.MODEL:
        return _any(condition.code, rule.models)
    if condition.kind is AlarmKind.CONDITION:
        return _any(condition.code, rule.conditions)
    return condition.tag is not None and _any(condition.tag.rpartition("/")[2], rule.tags)


def _any(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


@dataclass(slots=True)
class _First:
    key: str
    time: int


class FirstOut:
    """Which alarm of a declared group was the first of those that came within the time of the group."""

    def __init__(self, config: PlantConfig) -> None:
        self._groups = {str(asset.path): config.types[asset.type].first_out for asset in config.assets}
        self._first: dict[str, _First] = {}

    def group(self, condition: Condition) -> str:
        """The name of the group that a condition belongs to, unique in the plant; empty when there is none."""
        return next((name for name, _ in self._of(condition)), "")

    def came(self, condition: Condition, time: int) -> tuple[bool, str]:
        """Whether an alarm at a time (UTC ns) is the first of its group, and the key that is no longer the first."""
        for name, section in self._of(condition):
            first = self._first.get(name)
            if first is None or abs(time - first.time) > section.within * 1e9:
                self._first[name] = _First(condition.key, time)
                return True, ""
            if time < first.time and first.key != condition.key:
                self._first[name] = _First(condition.key, time)
                return True, first.key
            return first.key == condition.key, ""
        return False, ""

    def _of(self, condition: Condition) -> Iterator[tuple[str, FirstOutSection]]:
        for name, section in self._groups.get(condition.asset or "", {}).items():
            if _fits(condition, section):
                yield f"{condition.asset}/{name}", section
