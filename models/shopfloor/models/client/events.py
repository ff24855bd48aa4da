"""What a model is to foresee: alarms, scrap, downtime, or what you know yourself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
import pyarrow.compute as pc
from shopfloor.models.client.history import Column
from shopfloor.models.client.moments import Moment, ns
from shopfloor.models.client.server import Server
from shopfloor.models.client.spans import Span, held, increases, word
from shopfloor.plant import QuestionError
from shopfloor.plant.quality import BAD

_PAGE: Final = 10_000
_ALARMS: Final = ("limit", "model", "source")


@runtime_checkable
class Event(Protocol):
    """Something that happened to assets, from when until when."""

    def find(self, server: Server, assets: Sequence[str], start: int, end: int) -> list[Span]:
        """Where it happened to these assets within [start, end) (UTC ns), and where nobody knows (no label)."""
        ...

    def describe(self) -> dict[str, Any]:
        """The question, for the lineage."""
        ...


@dataclass(frozen=True, slots=True)
class Alarms:
    """Every time that an alarm was there: chosen by selectors of assets, tag, kind, code, priority or text.

    `priority` is the least urgent one that counts (1 is the most urgent); `tag` is a path or its end; `text` a part
    of title or sentence. An alarm that belongs to no asset (a lost source) concerns all of them.
    """

    asset: str | None = None
    tag: str | None = None
    kind: str | None = None
    code: str | None = None
    priority: int | None = None
    text: str | None = None
    label: str = "alarm"

    def find(self, server: Server, assets: Sequence[str], start: int, end: int) -> list[Span]:
        """What the journal of alarms tells."""
        found: list[Span] = []
        for row in self._rows(server, start, end):
            until = end if row["end"] is None else _ns(row["end"])
            concerned = assets if row["asset"] is None else [row["asset"]]
            found += (Span(asset, _ns(row["start"]), until, self.label) for asset in concerned if asset in set(assets))
        return found

    def describe(self) -> dict[str, Any]:
        """The question, for the lineage."""
        return {"alarms": {name: value for name, value in asdict(self).items() if value is not None}}

    def _rows(self, server: Server, start: int, end: int) -> Iterator[dict[str, Any]]:
        if self.kind is not None and self.kind not in _ALARMS:
            raise QuestionError(f"kind is {self.kind!r:.50}, expected one of {', '.join(_ALARMS)}.")
        asked = {"start": start / 1e6, "end": end / 1e6, "limit": _PAGE, **self.describe()["alarms"]}
        asked.pop("label")
        while page := server.get("/alarms/journal", asked):
            yield from page
            asked["after"] = page[-1]["number"]


@dataclass(frozen=True, slots=True)
class Scrap:
    """Bad parts: each increase of a counter `tag` (its name in the asset), or each time that it holds one of `bad`.

    A counter that falls begins anew; what it counted while nobody looked (bad quality) counts when it is seen.
    """

    tag: str
    bad: tuple[str, ...] = ()
    label: str = "scrap"

    def find(self, server: Server, assets: Sequence[str], start: int, end: int) -> list[Span]:
        """What the history of the tag tells."""
        if self.bad:
            return InState(self.tag, self.bad, self.label).find(server, assets, start, end)
        columns = ((asset, _history(server, asset, self.tag, start, end)) for asset in assets)
        return [span for asset, column in columns for span in increases(asset, column, (start, end), self.label)]

    def describe(self) -> dict[str, Any]:
        """The question, for the lineage."""
        return {"scrap": asdict(self)}


@dataclass(frozen=True, slots=True)
class InState:
    """Downtime: the time in which a tag (its name in the asset) held one of some `states`, as texts."""

    tag: str
    states: tuple[str, ...]
    label: str = "downtime"

    def find(self, server: Server, assets: Sequence[str], start: int, end: int) -> list[Span]:
        """What the history of the tag tells; a state holds until the next value, a bad value is no state."""
        columns = ((asset, _history(server, asset, self.tag, start, end)) for asset in assets)
        within = start, end
        return [span for asset, column in columns for span in held(asset, column, self.states, within, self.label)]

    def describe(self) -> dict[str, Any]:
        """The question, for the lineage."""
        return {"downtime": asdict(self)}


@dataclass(frozen=True, slots=True)
class Known:
    """What the caller knows: (asset, start, end, label) each."""

    spans: tuple[Span, ...]

    @classmethod
    def of(cls, rows: Iterable[tuple[str, Moment, Moment, str]]) -> Known:
        """From a list; a row that is none raises `QuestionError`."""
        found = []
        for i, row in enumerate(rows):
            try:
                asset, start, end, label = row
            except (TypeError, ValueError) as problem:
                raise QuestionError(f"Event {i + 1} is {row!r:.80}, expected (asset, start, end, label).") from problem
            found.append(Span(str(asset).strip("/"), ns(start), ns(end), str(label)))
            if found[-1].end < found[-1].start or not found[-1].label:
                raise QuestionError(f"Event {i + 1} ends before it starts, or has no label: {row!r:.80}.")
        return cls(tuple(found))

    def find(self, server: Server, assets: Sequence[str], start: int, end: int) -> list[Span]:
        """Those of the assets and the time."""
        return [one for one in self.spans if one.asset in set(assets) and one.start < end and one.end >= start]

    def describe(self) -> dict[str, Any]:
        """The question, for the lineage."""
        return {"known": [[one.asset, one.start, one.end, one.label] for one in self.spans]}


def alarms(
    asset: str | None = None,
    *,
    tag: str | None = None,
    kind: str | None = None,
    code: str | None = None,
    priority: int | None = None,
    text: str | None = None,
    label: str = "alarm",
) -> Alarms:
    """Alarms that were there, as `Alarms` describes.

    >>> alarms(tag="spindle.power", priority=2).describe()
    {'alarms': {'tag': 'spindle.power', 'priority': 2, 'label': 'alarm'}}
    """
    return Alarms(asset, tag, kind, code, priority, text, label)


def scrap(tag: str, *, bad: str | float | Sequence[str | float] = (), label: str = "scrap") -> Scrap:
    """Increases of a counter, or a tag that holds one of `bad` (texts, numbers, booleans), as `Scrap` describes."""
    return Scrap(tag, _words(bad), label)


def downtime(states: str | float | Sequence[str | float], *, tag: str = "state", label: str = "downtime") -> InState:
    """The time in which a tag held one of some states, as `InState` describes.

    >>> downtime(("STOPPED", "ABORTED")).states
    ('STOPPED', 'ABORTED')
    """
    return InState(tag, _words(states), label)


def _words(values: str | float | Sequence[str | float]) -> tuple[str, ...]:
    listed = [values] if isinstance(values, str | float | int) else list(values)
    return tuple(word(value) or "" for value in listed)


def _history(server: Server, asset: str, tag: str, start: int, end: int) -> Column:
    """Times and values of a tag, beginning with the one that holds at the start; NaN where the quality is bad."""
    asked = {"tag": f"{asset}/{tag}", "start": start / 1e6, "end": end / 1e6, "previous": True}
    table = server.arrow("/history", asked)
    time = table.column("time").cast("int64").to_numpy().view("datetime64[ns]")
    values = pc.if_else(pc.less(table.column("quality"), BAD), table.column("value"), None).to_pylist()
    return time, np.array([np.nan if one is None else one for one in values], object)


def _ns(ms: float) -> int:
    return round(ms * 1_000) * 1_000
