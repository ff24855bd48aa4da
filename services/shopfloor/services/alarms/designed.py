"""The alarms of the design: what can be raised, whether or not it ever was.

Limits and control charts are those of the plant file; predictions and sources are known once a model has judged an
asset and a gateway has reported. What a device can raise is known once it has told it, and stands among the alarms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from shopfloor.services.alarms import predicted, sources
from shopfloor.services.alarms.alarm import Alarm, AlarmUnknown, Condition
from shopfloor.services.alarms.aside import Aside
from shopfloor.services.alarms.book import Book
from shopfloor.services.alarms.judges import Watched
from shopfloor.services.alarms.limits import Rule
from shopfloor.services.alarms.store import AlarmStore
from shopfloor.services.alarms.words import limit_condition


@dataclass(frozen=True, slots=True)
class Foreseen:
    """An alarm of the design, its newest occurrence (None: it never came and was never set aside), what hides it."""

    condition: Condition
    alarm: Alarm | None
    aside: Aside | None


class Designed:
    """Asks everybody who raises alarms; `alarm` makes one that never came fit to be set aside."""

    def __init__(
        self, rules: Sequence[Rule], titles: Mapping[str, str], watched: Watched, book: Book, store: AlarmStore
    ) -> None:
        self._rules, self._titles, self._watched = rules, titles, watched
        self._book, self._store = book, store

    def all(self, asset: str | None = None) -> list[Foreseen]:
        """The alarms of the plant or of an asset, by asset and title."""
        newest = self._store.newest_of_each()
        wanted = [one for one in self._conditions().values() if asset in {None, one.asset}]
        return [
            Foreseen(one, newest.get(one.key), self._book.aside_of(one.key))
            for one in sorted(wanted, key=lambda one: (one.asset or "", one.title, one.limit or 0.0))
        ]

    def alarm(self, key: str) -> Alarm:
        """The newest alarm of a key; `AlarmUnknown` where nothing can raise it."""
        condition = self._conditions().get(key)
        if condition is None:
            raise AlarmUnknown(
                f"No alarm has the key {key[:200]!r}: ask /api/v1/alarms/designed for those that can come."
            )
        return self._book.foreseen(condition)

    def _conditions(self) -> dict[str, Condition]:
        return {one.key: _not_yet(one) for one in self._raisable()}

    def _raisable(self) -> Iterator[Condition]:
        for rule in self._rules:
            yield limit_condition(rule.key, rule.asset, rule.asset_title, rule.tag, rule.limit, rule.limit.value)
        yield from self._watched.signals()
        yield from (predicted.designed(one, self._titles) for one in self._watched.predictions())
        yield from sources.designed(self._watched.links())


def _not_yet(condition: Condition) -> Condition:
    """A condition without what only an occurrence knows."""
    values = {name: value for name, value in condition.values.items() if name != "value"}
    return replace(condition, sentence=f"{condition.title} has not come yet.", why="", value=None, values=values)
