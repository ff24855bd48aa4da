# ruff: noqa: T201 (a program for people)
"""The planner's constants: stores of few and many files, long and short row groups, asked by every way.

    python tests/bench/planner_costs.py

Prints what one of each costs (`planner.COSTS`, least squares of relative errors, nothing below zero), then for each
question what was measured beside what the constants say.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from shopfloor.plant import Batch, Kind
from shopfloor.services.historian import Historian, Options
from shopfloor.services.historian.read.planner import COSTS, Need, Work, cheapest, works
from shopfloor.services.historian.read.scan import Scan
from shopfloor.services.historian.segments import decoded

S = 1_000_000_000
START = 1_780_272_000 * S
TAGS = tuple(f"bench/area/line/cell/asset/tag-{n:03}" for n in range(200))
STORES = [
    (1, 200, 1000, 64), (1, 200, 1000, 256), (1, 200, 5000, 1024), (1, 100, 20_000, 4096), (1, 20, 86_400, 16_384),
    (60, 20, 100, 16_384), (60, 20, 1000, 16_384), (30, 200, 500, 16_384),
]  # fmt: skip
"""Files, tags, seconds in a file, rows in a row group."""


@dataclass
class Asked:
    """A question by one way: what there was to do at each price, and the CPU it took in microseconds."""

    name: str
    works: list[tuple[str, Work]]
    took: float


def asked(files: int, tags: int, seconds: int, group_rows: int) -> Iterator[Asked]:
    options = Options(group_rows=group_rows, compact_segments=100_000)
    with tempfile.TemporaryDirectory() as folder, Historian.open(Path(folder), options=options) as store:
        fill(store, files, tags, seconds)
        span = files * seconds * S // (3600 * S) * 3600 * S or files * seconds * S
        for count in (1, tags // 4, tags):
            for every, of in (
                (span, ("mean",)),
                (span, ("mean", "min", "max")),
                (60 * S, ("mean",)),
                (7 * S, ("sum",)),
            ):
                for way in ("hours", "minutes", "raw", "DuckDB"):
                    yield from ask(
                        store, TAGS[:count], span, every, of, way, f"{files=} {tags=} {seconds=} {group_rows=}"
                    )


def ask(
    store: Historian, tags: tuple[str, ...], span: int, every: int, of: tuple[str, ...], way: str, name: str
) -> Iterator[Asked]:
    need = Need(START, START + span, every, len(of) + 1)
    scan = Scan(store._shelf.view(), range(len(tags)), len(TAGS))
    segments = scan.segments(Kind.FLOAT, need.start, need.end)
    choice = cheapest(need, segments, scan.wanted, (way,))
    if choice.way != way:
        return
    todo = list(works(way, choice.pieces, need, segments, scan.wanted))
    took = []
    for _ in range(5):
        decoded.CACHE.clear()
        begun = time.process_time_ns()
        store.reader.aggregate(tags, need.start, need.end, every, of=of, ways=(way,))
        took.append((time.process_time_ns() - begun) / 1e3)
    yield Asked(f"{name} {len(tags)} tags, {every // S} s, {'+'.join(of)}: {way}", todo, statistics.median(took))


def fill(store: Historian, files: int, tags: int, seconds: int) -> None:
    chance = np.random.default_rng(1)
    tag = np.repeat(np.arange(tags, dtype=np.int32), seconds)
    for file in range(files):
        at = np.tile(START + (file * seconds + np.arange(seconds)) * S, tags)
        value = chance.normal(size=len(tag)).astype(np.float32).astype(np.float64)
        batch = Batch(TAGS[:tags], tag, at, value, np.zeros(len(tag), np.uint32))
        store.ingest("bench", file + 1, "s", (file + 1) * len(tag), batch)
        store.flush()


def fitted(answers: list[Asked]) -> dict[str, Work]:
    """Least squares of the relative errors by multiplicative steps, which keep everything above zero."""
    names = list(COSTS)
    rows = np.array(
        [
            [sum(w[at] for price, w in one.works if price == name) for name in names for at in range(6)]
            for one in answers
        ]
    )
    rows = rows / np.array([[one.took] for one in answers])
    cost = np.array([value or 1e-9 for name in names for value in COSTS[name]])
    for _ in range(20_000):
        cost *= rows.sum(axis=0).clip(1e-12) / (rows.T @ (rows @ cost)).clip(1e-12)
    return {name: Work(*(round(float(c), 4) for c in cost[6 * at : 6 * at + 6])) for at, name in enumerate(names)}


def main() -> None:
    answers = [one for shape in STORES for one in asked(*shape)]
    costs = fitted(answers)
    for name, work in costs.items():
        print(f"    {name!r}: {work},")
    for one in answers:
        said = sum(work.times(costs[price]) for price, work in one.works)
        print(f"{one.took / 1e3:9.2f} ms measured {said / 1e3:9.2f} ms estimated  {one.name}")


if __name__ == "__main__":
    main()
