"""What people do with downtime records: tell the reason, split, merge; each step is a line of the journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from shopfloor.services.production.machine import Machine, ProductionRefused, ProductionUnknown
from shopfloor.services.production.records import Entry, Note, Stop
from shopfloor.services.production.store import ProductionStore
from shopfloor.services.production.suggest import Suggestions, reasons_of


class Downtime:
    """Records of stops, scrap and rework, and who changed them."""

    def __init__(
        self, store: ProductionStore, machines: Mapping[str, Machine], suggestions: Suggestions,
        clock: Callable[[], int],
    ) -> None:  # fmt: skip
        self._store, self._machines, self._suggestions, self._clock = store, machines, suggestions, clock

    def stop(self, number: int) -> Stop:
        """A record by its number."""
        found = self._store.stop(number)
        if found is None:
            raise ProductionUnknown(f"There is no stop {number}: ask /api/v1/production/downtime for those that are.")
        return found

    def tell(self, number: int, by: str, reason: str, comment: str | None = None) -> Stop:
        """Say why a machine stood; an empty reason takes it back."""
        with self._store.together():
            stop = self.stop(number)
            known = reasons_of(self._machines[stop.asset].production.reasons) if stop.asset in self._machines else []
            if reason and reason not in known:
                raise ProductionRefused(
                    f"{reason[:100]!r} is no reason of {stop.asset}: write group/reason of the plant file."
                )
            (suggested,) = self._suggestions.of([stop])
            fresh = replace(stop, reason=reason, by=by, comment=stop.comment if comment is None else comment)
            self._store.change_stop(fresh, list(suggested.reasons).index(reason) + 1 if reason else None)
            self._note(by, "reason", stop.asset, f"The stop {number} is told as {reason or 'not known'}.")
        return fresh

    def split(self, number: int, by: str, moment: int) -> tuple[Stop, Stop]:
        """Make two records of one, at a moment (UTC ns) within it."""
        with self._store.together():
            stop = self.stop(number)
            end = self._clock() if stop.end is None else stop.end
            if not stop.start < moment < end:
                raise ProductionRefused(f"The stop {number} cannot be split there: choose a moment within it.")
            first, second = replace(stop, end=moment, parted=True), replace(stop, start=moment, parted=True, code="")
            self._store.change_stop(first)
            second = replace(second, id=self._store.add_stop(second))
            self._note(by, "split", stop.asset, f"The stop {number} is split: the second part is {second.id}.")
        return first, second

    def merge(self, number: int, other: int, by: str) -> Stop:
        """Make one record of two of the same machine, with all that lies between; the earlier one's reason stays."""
        with self._store.together():
            first, second = sorted((self.stop(number), self.stop(other)), key=lambda stop: stop.start)
            between = self._store.stops(first.start, second.start + 1, first.asset)
            if first.asset != second.asset or first.id == second.id:
                raise ProductionRefused("Two different stops of one machine can be merged: choose another one.")
            if any(stop.id not in {first.id, second.id} for stop in between):
                raise ProductionRefused("Another stop lies between the two: merge with the next one first.")
            told = first if first.reason else replace(first, reason=second.reason, by=second.by)
            comment = "; ".join(text for text in (first.comment, second.comment) if text)
            whole = replace(told, end=second.end, comment=comment, parted=True)
            self._store.change_stop(whole)
            self._store.drop_stops([second.id])
            self._note(by, "merge", first.asset, f"The stop {second.id} is merged into {first.id}.")
        return whole

    def add(self, entry: Entry) -> Entry:
        """Enter scrap or rework."""
        machine = self._machines.get(entry.asset)
        if machine is None:
            raise ProductionUnknown(
                f"{entry.asset[:200]!r} is no machine: ask /api/v1/production/oee for those that are."
            )
        known = machine.production.scrap_reasons
        if entry.reason not in known:
            raise ProductionRefused(
                f"{entry.reason[:100]!r} is no reason: expected one of {', '.join(known) or 'none'}."
            )
        with self._store.together():
            kept = replace(entry, id=self._store.add_entry(entry))
            self._note(entry.by, entry.kind, entry.asset, f"{entry.quantity} {entry.kind}: {entry.reason}.")
        return kept

    def drop(self, number: int, by: str, why: str = "") -> Entry:
        """Take an entry back; the journal keeps it and says why. Answers what it was."""
        with self._store.together():
            found = next((one for one in self._store.entries(0, 1 << 62) if one.id == number), None)
            if found is None:
                raise ProductionUnknown(f"There is no entry {number}: ask /api/v1/production/scrap for those that are.")
            self._store.drop_entry(number)
            said = f"The entry {number} is taken back: {found.quantity} {found.kind}, {found.reason}."
            self._note(by, "taken-back", found.asset, f"{said} {why}".strip())
        return found

    def _note(self, by: str, what: str, subject: str, sentence: str) -> None:
        self._store.note(Note(self._clock(), by, what, subject, sentence))
