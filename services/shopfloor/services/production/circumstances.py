"""What is known of a stop: its words for the model of reasons, and what was noted when its record was made."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
from shopfloor.plant import Reader
from shopfloor.services.historian.options import MINUTE, NS
from shopfloor.services.production.machine import Machine
from shopfloor.services.production.planned import PlannedTime
from shopfloor.services.production.records import Stop

_LENGTHS: Final = (2, 4, 8, 15, 30, 60, 120, 480)
"""Borders of how long a stop is, in minutes."""
_IN_SHIFT: Final = 30 * MINUTE
_AFTER: Final = 900 * NS


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What was so when a stop began: `state` and the state `before` as the machine says them, and the `item`.

    `alarm` is the title of the most urgent alarm, `first` whether it was the first of its group, `predicted` the tag of
    the first reason that a model gave.
    """

    state: str = ""
    before: str = ""
    item: str = ""
    alarm: str = ""
    first: bool = False
    predicted: str = ""

    def to_json(self) -> str:
        """As it is kept."""
        return json.dumps({name: value for name, value in asdict(self).items() if value})

    @classmethod
    def from_json(cls, text: str) -> Circumstances:
        """Of what was kept."""
        return cls(**json.loads(text))


Noted = Callable[[str, int], Circumstances]
"""Alarm and prediction of an asset around a moment (UTC ns); states and item are read from the store."""


def begun(reader: Reader, machine: Machine, starts: Sequence[int]) -> list[Circumstances]:
    """States and items at the beginnings (UTC ns) of stops of a machine, in their order."""
    if not starts:
        return []
    first, last = min(starts), max(starts) + 1
    moment, state = _texts(reader, machine.tag(machine.production.state), first, last)
    at = np.searchsorted(moment, starts, "right")
    item = machine.production.item
    when, items = _texts(reader, machine.tag(item), first, last) if item else (np.empty(0, np.int64), [""])
    made = np.searchsorted(when, starts, "right")
    return [
        Circumstances(state[i], state[max(i - 1, 0)], items[j]) for i, j in zip(at.tolist(), made.tolist(), strict=True)
    ]


def words(stop: Stop, noted: Circumstances, planned: PlannedTime, now: int | None = None) -> dict[str, str]:
    """All circumstances of a stop as words by name; what is not known is left out.

    An open stop has no length yet: only `now` (UTC ns) tells how long it is at least.
    """
    known = {
        "kind": stop.kind, "asset": stop.asset, "state": noted.state, "before": noted.before, "item": noted.item,
        "alarm": noted.alarm or stop.code or "none", "predicted": noted.predicted,
        "in-shift": str((stop.start - planned.shift(stop.start).start) // _IN_SHIFT),
    }  # fmt: skip
    if noted.first:
        known["first-out"] = noted.alarm
    end = stop.end if stop.end is not None else now
    if end is not None and (stop.end is not None or end - stop.start > _AFTER):
        known["length"] = str(int(np.searchsorted(_LENGTHS, (end - stop.start) / MINUTE, "right")))
    return {name: word for name, word in known.items() if word}


def joined(read: Circumstances, told: Circumstances) -> Circumstances:
    """What was read of the store with what was told by alarms and models."""
    return replace(read, alarm=told.alarm, first=told.first, predicted=told.predicted)


def _texts(reader: Reader, tag: str, start: int, end: int) -> tuple[np.ndarray, list[str]]:
    """Times and texts of a tag; the first text, that of no value yet, is empty."""
    table = reader.read([tag], start, end, previous=True)
    moment: np.ndarray = table.column("time").cast(pa.int64()).to_numpy()
    return moment, ["", *(text or "" for text in table.column("text").to_pylist())]
