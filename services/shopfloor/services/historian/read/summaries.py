"""Summaries of some tags at one moment of the store, by the way that costs least."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Final

import pyarrow as pa
from shopfloor.plant import Kind
from shopfloor.services.historian.log.dictionary import Dictionary
from shopfloor.services.historian.read import narrow, plan, totals
from shopfloor.services.historian.read.answers import columns_of, rollup_table, summary_columns, totals_table
from shopfloor.services.historian.read.planner import WAYS, Choice, Need
from shopfloor.services.historian.read.scan import Scan, portions
from shopfloor.services.historian.read.totals import Totals
from shopfloor.services.historian.rows import one_kind
from shopfloor.services.historian.segments.rollup import Rollup, apart, merge, summarize
from shopfloor.services.historian.shelf import View

NUMERIC: Final = (Kind.FLOAT, Kind.INT)
_COLUMNS: Final = len(fields(Rollup)) - 2
_Choices = dict[Kind, Choice]


@dataclass(frozen=True, slots=True)
class Summaries:
    """Of the tags in `known` (id by path), in a view of a store with these `tags`."""

    view: View
    tags: Dictionary
    known: dict[str, int]

    def table(
        self, start: int, end: int, every: int, of: Collection[str] = (), ways: Collection[str] = WAYS
    ) -> pa.Table:
        """What `StoreReader.aggregate` answers."""
        names = totals.needed(summary_columns(of))
        found = self._totals(Need(start, end, every, len(names)), names, ways) if names else None
        if found is not None:
            return totals_table([*self.known], found)
        return columns_of(self._whole(Need(start, end, every, _COLUMNS), ways), of)

    def rollup(self, start: int, end: int, every: int) -> Rollup:
        """All columns; tag n is the nth one known."""
        need = Need(start, end, every, _COLUMNS)
        return self._rollup(self.known, need, self._choices(need, _ordered(WAYS)))

    def _whole(self, need: Need, ways: Collection[str]) -> pa.Table:
        """All columns; where they come from rows, portion by portion."""
        choices = self._choices(need, _ordered(ways))
        many = any(choice.way == "raw" for choice in choices.values())
        parts = portions(self.view, self.known, len(self.tags), need.start, need.end) if many else [self.known]
        names = [*self.known]
        firsts = [names.index(next(iter(part))) if part else 0 for part in parts]
        rollups = (self._rollup(part, need, choices) for part in parts)
        tables = [rollup_table(names, rollup, first) for rollup, first in zip(rollups, firsts, strict=True)]
        return tables[0] if len(tables) == 1 else pa.concat_tables(tables)

    def _rollup(self, known: dict[str, int], need: Need, choices: _Choices) -> Rollup:
        scan = Scan(self.view, [*known.values()], len(self.tags))
        kinds = self.tags.held(known.values(), NUMERIC)
        parts = [scan.rollup(kind, need.start, need.every, choices[kind].pieces) for kind in kinds]
        in_rows = not any(scan.forgets(kind, need.start, need.end) for kind in kinds)
        if len(parts) > 1 and in_rows and not apart(parts):
            rows = one_kind([scan.rows(kind, need.start, need.end) for kind in kinds])
            return summarize(rows, need.every, need.start)
        return parts[0] if len(parts) == 1 else merge(parts, need.every, need.start)

    def _totals(self, need: Need, names: tuple[str, ...], ways: Collection[str]) -> Totals | None:
        """None where rows were forgotten, or where a tag has numbers of two kinds: those must be compared."""
        scan = self._scan()
        kinds = self._kinds()
        if any(scan.forgets(kind, need.start, need.end) for kind in kinds) or self._mixes(kinds):
            return None
        grid = need.every, need.start
        choices = self._choices(need, ways)
        parts = [narrow.totals(scan, kind, choice, grid, names) for kind, choice in choices.items()]
        return parts[0] if len(parts) == 1 else totals.merge(parts, *grid, names)

    def _choices(self, need: Need, ways: Collection[str]) -> _Choices:
        """The cheapest way for each kind of number that the tags hold."""
        scan = self._scan()
        choices = {kind: scan.choice(kind, need, ways) for kind in self._kinds()}
        for choice in choices.values():
            plan.choose(choice)
        return choices

    def _mixes(self, kinds: list[Kind]) -> bool:
        ids = self.known.values()
        return len(kinds) > 1 and any(all(self.tags.holds(id_, kind) for kind in kinds) for id_ in ids)

    def _kinds(self) -> list[Kind]:
        return self.tags.held(self.known.values(), NUMERIC)

    def _scan(self) -> Scan:
        return Scan(self.view, [*self.known.values()], len(self.tags))


def _ordered(ways: Collection[str]) -> Collection[str]:
    """Those that tell the first from the last value."""
    return [way for way in ways if way != "DuckDB"]
