"""Hold: conditions that flicker become alarms that do not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from shopfloor.services.alarms.alarm import Change, Condition


class Hold:
    """Reports a condition after it lasted `on_s`, and its end after it stayed away for `off_s`."""

    def __init__(self, on_s: float, off_s: float, raised: Iterable[str] = ()) -> None:
        self._on, self._off = int(on_s * 1e9), int(off_s * 1e9)
        self._raised = set(raised)
        self._since: dict[str, int] = {}
        self._away: dict[str, int] = {}

    def see(
        self, present: Mapping[str, Condition], now: int, unknown: Collection[str] = frozenset()
    ) -> Iterator[Change]:
        """Changes at `now`, given all conditions that are true; those that are `unknown` stay as they are."""
        for key, condition in present.items():
            self._away.pop(key, None)
            if key not in self._raised and now - self._since.setdefault(key, now) >= self._on:
                self._raised.add(key)
                yield Change(key, now, condition)
        self._since = {key: since for key, since in self._since.items() if key in present}
        for key in [key for key in self._raised if key not in present and key not in unknown]:
            if now - self._away.setdefault(key, now) >= self._off:
                self._raised.discard(key)
                self._away.pop(key, None)
                yield Change(key, now)
