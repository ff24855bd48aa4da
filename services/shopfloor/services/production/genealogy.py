"""Genealogy: what a part is made of and went through, and what became of a lot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
from shopfloor.plant import Reader
from shopfloor.plant.quality import severity
from shopfloor.services.historian import Periods, time_in_state
from shopfloor.services.historian.options import DAY, NS
from shopfloor.services.production.counts import Results, results
from shopfloor.services.production.machine import Machine, ProductionUnknown
from shopfloor.services.production.order import Order

MOST: Final = 5_000
"""Parts that a trace answers."""
MEASURED_WITHIN: Final = DAY
_BAD: Final = 2
Predicted = Callable[[str, int, int], Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Part:
    """A part: on which machine, from when to when (UTC ns), of which lot, with its result if measured."""

    asset: str
    number: int
    start: int
    end: int
    lot: str = ""
    result: float | None = None
    good: bool | None = None


@dataclass(frozen=True, slots=True)
class Biography:
    """A part with its order, time in states (s), summaries of parameters, and what was predicted when it was done."""

    part: Part
    order: Order | None
    states: Mapping[str, float]
    parameters: Sequence[Mapping[str, Any]]
    predictions: Sequence[Mapping[str, Any]] = field(default_factory=tuple)


def parts_of(reader: Reader, machine: Machine, start: int, end: int, only: int | None = None) -> list[Part]:
    """The parts that came onto a machine in [start, end), with lot and result; the last one lasts until `end`.

    `only` keeps those of one number: what is not asked for is not read.
    """
    section = machine.production
    moment, number, ends = _changes(reader, machine, start, end)
    if only is not None:
        moment, number, ends = (column[number == only] for column in (moment, number, ends))
    if not len(moment):
        return []
    lots = _lots(reader, machine, moment)
    until = int(ends[-1]) + MEASURED_WITHIN
    found = _measured(results(reader, machine.path, section, int(moment[0]), until), section.result)
    rows = zip(number.tolist(), moment.tolist(), ends.tolist(), lots, strict=True)
    return [Part(machine.path, n, a, b, lot, *_result(found, n, a)) for n, a, b, lot in rows if b > a]


def _changes(reader: Reader, machine: Machine, start: int, end: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """When each part came onto a machine (UTC ns), its number, and when the next one came."""
    if not machine.production.part:
        return (np.array([], np.int64),) * 3
    table = _good(reader.read([machine.tag(machine.production.part)], start, end))
    moment, number = _times(table), table.column("value").to_numpy().astype(np.int64)
    new = np.append(True, np.diff(number) != 0)[: len(number)]
    moment, number = moment[new], number[new]
    return moment, number, np.append(moment[1:], end)[: len(moment)]


def part(reader: Reader, machine: Machine, number: int, start: int, end: int) -> Part:
    """The newest part of that number on a machine in [start, end)."""
    found = parts_of(reader, machine, start, end, number)
    if not found:
        raise ProductionUnknown(f"No part {number} was on {machine.asset.title} in that time: ask for another time.")
    return found[-1]


def biography(reader: Reader, machine: Machine, one: Part, order: Order | None, predicted: Predicted) -> Biography:
    """All that is known of a part."""
    section = machine.production
    periods = Periods(np.array([one.start, one.end], np.int64))
    held = time_in_state(reader, [machine.tag(section.state)], periods, now=one.end)
    states = {row["state"] or "": row["seconds"] for row in held.select(["state", "seconds"]).to_pylist()}
    told = predicted(machine.path, one.end, one.end + 300 * NS)
    return Biography(one, order, states, summaries(reader, machine, one.start, one.end), told)


def summaries(reader: Reader, machine: Machine, start: int, end: int) -> list[dict[str, Any]]:
    """Mean, least and greatest of each declared parameter in [start, end)."""
    tags = [machine.tag(name) for name in machine.production.parameters]
    if not tags:
        return []
    table = reader.aggregate(tags, start, end, end - start, of=("n", "mean", "min", "max"))
    rows = table.select(["tag", "n", "sum", "min", "max"]).to_pylist()
    return [
        {"tag": row["tag"], "n": row["n"], "mean": row["sum"] / row["n"], "min": row["min"], "max": row["max"]}
        for row in rows if row["n"]
    ]  # fmt: skip


def of_lot(reader: Reader, machines: Sequence[Machine], lot: str, start: int, end: int) -> list[Part]:
    """The parts that were made of a lot, by machine and time."""
    found = [one for machine in machines for one in parts_of(reader, machine, start, end) if one.lot == lot]
    if not found:
        raise ProductionUnknown(f"No part was made of the lot {lot[:100]!r} in that time: ask for another time.")
    return found[:MOST]


def lots_between(reader: Reader, machine: Machine, start: int, end: int) -> list[str]:
    """The lots that were on a machine in [start, end)."""
    if not machine.production.lot:
        return []
    table = _good(reader.read([machine.tag(machine.production.lot)], start, end, previous=True))
    return list(dict.fromkeys(text for text in table.column("text").to_pylist() if text))


def _lots(reader: Reader, machine: Machine, moment: np.ndarray) -> list[str]:
    if not machine.production.lot or not len(moment):
        return [""] * len(moment)
    first, last = int(moment[0]), int(moment[-1]) + NS + 1
    table = _good(reader.read([machine.tag(machine.production.lot)], first, last, previous=True))
    names = ["", *(text or "" for text in table.column("text").to_pylist())]
    return [names[at] for at in np.searchsorted(_times(table), moment + NS, "right").tolist()]


def _measured(found: Results, declared: Any) -> dict[int, list[tuple[int, float, bool]]]:
    """Results by the number of the part: when, value, whether it is good."""
    low = -np.inf if declared is None or declared.low is None else declared.low
    high = np.inf if declared is None or declared.high is None else declared.high
    by: dict[int, list[tuple[int, float, bool]]] = {}
    for when, number, value in zip(found.time.tolist(), found.part.tolist(), found.value.tolist(), strict=True):
        by.setdefault(int(number), []).append((when, value, low <= value <= high))
    return by


def _result(found: Mapping[int, Sequence[tuple[int, float, bool]]], number: int, start: int) -> tuple[Any, Any]:
    """The first result after a part was begun, soon enough: numbers come again."""
    fits = (one for one in found.get(number, ()) if start <= one[0] < start + MEASURED_WITHIN)
    first = next(fits, None)
    return (None, None) if first is None else first[1:]


def _good(table: pa.Table) -> pa.Table:
    return table.filter(pa.array(severity(table.column("quality").to_numpy()) < _BAD))


def _times(table: pa.Table) -> np.ndarray:
    moment: np.ndarray = table.column("time").cast(pa.int64()).to_numpy()
    return moment
