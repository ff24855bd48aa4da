"""Hours that are kept against the direct computation: odd states, bad values, breaks, late data, many spans."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shopfloor.plant import Batch, Kind, Sample
from shopfloor.plant.config import loads
from shopfloor.services.historian import Historian
from shopfloor.services.production import Production, kept
from shopfloor.services.production.performance import did, did_each
from shopfloor.services.production.planned import Span

PLANT = """
plant:
  site: delta
  timezone: Asia/Kolkata
  shifts: [{name: day, begins: "06:00"}]
  breaks: [{begins: "12:10", lasts: 35min}]
  closed: ["2026-03-05"]
types:
  machine-tool:
    tags:
      state: {kind: text}
      program: {kind: text}
      parts: {kind: int64}
      scrap: {kind: int64}
      dimension: {}
      probed: {kind: int64}
    production:
      state: state
      states: {EXECUTE: running, IDLE: idle, HELD: down, BREAK: planned-stop, STARVED: starved}
      hold: 50min
      minor_stop: 90s
      loading: 20s
      count: parts
      scrap: scrap
      ideal_cycle: 30s
      item: program
      ideal_cycles: {FAST: 20s}
      result: {tag: dimension, part: probed, low: -1, high: 1}
assets:
  - {path: "delta/frames/machining/cell-a/cnc-[01..02]", type: machine-tool, title: "CNC [01..02]"}
"""
S, H = 1_000_000_000, 3_600_000_000_000
BEGIN = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp()) * S
DAYS = 7
NOW = BEGIN + DAYS * 24 * H + 12 * 60 * S
CNC, OTHER = (f"delta/frames/machining/cell-a/cnc-{n:02}" for n in (1, 2))
STATES = np.array(["EXECUTE"] * 6 + ["IDLE", "IDLE", "HELD", "BREAK", "STARVED", "WHAT"])


class Asked:
    """A reader that knows how much time was read."""

    def __init__(self, reader: Any) -> None:
        self._reader, self.hours = reader, 0.0

    def read(self, tags: list[str], start: int, end: int, *, previous: bool = False) -> Any:
        self.hours = max(self.hours, (end - start) / H)
        return self._reader.read(tags, start, end, previous=previous)


class Floor:
    """A store, and production on it that is told of what is stored when a test says so."""

    def __init__(self, store: Historian, folder: Path) -> None:
        self.store, self.reader, self.missed = store, Asked(store.reader), 0
        self._sequence = self._accepted = 0
        self.opened = Production.open(
            loads(PLANT), self.reader, folder, lambda: NOW, missed=lambda: self.missed
        )  # fmt: skip

    def put(self, *samples: Sample, kind: Kind) -> Batch:
        batch = Batch.of(samples, kind)
        self._sequence, self._accepted = self._sequence + 1, self._accepted + len(batch)
        self.store.ingest("edge-1-00c0ffee", self._sequence, "machining", self._accepted, batch)
        return batch


def fill(floor: Floor, asset: str, random: np.random.Generator) -> None:
    """A week of one machine: every tag at odd moments, one value of eight bad, counters that begin anew."""

    def moments(gap: float) -> list[int]:
        gaps = np.cumsum(random.exponential(gap * S, int(DAYS * 86_400 / gap)).astype(np.int64) + 1)
        return [int(at) for at in BEGIN + gaps if at < BEGIN + DAYS * 24 * H]

    def put(name: str, gap: float, values: Any, kind: Kind) -> None:
        at = moments(gap)
        bad = random.random(len(at)) < 1 / 8
        rows = zip(at, values(len(at)).tolist(), bad, strict=True)
        samples = [Sample(f"{asset}/{name}", t, v, 0x80000000 if b else 0) for t, v, b in rows]
        floor.put(*samples, kind=kind)

    put("state", 240, lambda n: random.choice(STATES, n), Kind.TEXT)
    put("program", 9_000, lambda n: random.choice(np.array(["FAST", "SLOW"]), n), Kind.TEXT)
    put("parts", 120, lambda n: np.cumsum(random.integers(0, 3, n)) % 900, Kind.INT)
    put("scrap", 3_000, lambda n: np.cumsum(random.integers(0, 2, n)), Kind.INT)
    put("dimension", 400, lambda n: random.normal(0, 0.8, n), Kind.FLOAT)
    put("probed", 500, lambda n: np.cumsum(random.integers(0, 2, n)), Kind.INT)


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[tuple[Floor, Production]]:
    with Historian.open(tmp_path / "store", clock=lambda: NOW) as store:
        made = Floor(store, tmp_path / "production")
        random = np.random.default_rng(11)
        for asset in (CNC, OTHER):
            fill(made, asset, random)
        with made.opened as production:
            production._watcher.stop()
            yield made, production


def agree(production: Production, floor: Floor, asset: str, start: int, end: int) -> None:
    (said,) = production.performance([asset], Span(start, end))
    direct = did(floor.store.reader, production.machines[asset], production.planned, start, end, NOW)
    assert (said.times, said.counts, said.doing) == (direct.times, direct.counts, direct.doing)


def test_spans_that_are_read_together_are_what_each_is_alone(floor: tuple[Floor, Production]) -> None:
    at, production = floor
    random = np.random.default_rng(5)
    odd = np.sort(random.integers(BEGIN, NOW + 1, 9)).tolist()
    for edges in (odd, list(range(BEGIN - 8 * H, NOW, 8 * H))):
        for asset in (CNC, OTHER):
            together = did_each(at.reader, production.machines[asset], production.planned, edges, NOW)
            alone = [
                did(at.reader, production.machines[asset], production.planned, *span, NOW) for span in pairwise(edges)
            ]
            assert together == alone


def test_kept_hours_are_the_direct_computation_to_the_nanosecond_whatever_comes_late(
    floor: tuple[Floor, Production], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "LEAST", H)
    at, production = floor
    random = np.random.default_rng(7)
    for turn in range(40):
        start, end = np.sort(random.integers(BEGIN, NOW + 1, 2)).tolist()
        if turn % 3 == 0:  # to now, from a whole hour
            start, end = start // H * H, NOW
        agree(production, at, CNC if turn % 2 else OTHER, start, end + (start == end))
        if turn % 4 == 1:
            name, value, kind = [
                ("state", "HELD", Kind.TEXT), ("parts", 901, Kind.INT), ("probed", 7, Kind.INT),
                ("program", "FAST", Kind.TEXT), ("dimension", 9.0, Kind.FLOAT), ("scrap", 5, Kind.INT),
            ][turn // 4 % 6]  # fmt: skip
            late = [Sample(f"{asset}/{name}", int(random.integers(start, NOW)), value) for asset in (CNC, OTHER)]
            production.watch(at.put(*late, kind=kind))


def test_a_week_reads_its_ends_and_what_late_values_changed(floor: tuple[Floor, Production]) -> None:
    at, production = floor
    start = BEGIN + 600 * S
    span = Span(start, NOW)

    def hours() -> float:
        at.reader.hours = 0.0
        agree(production, at, CNC, span.start, span.end)
        return at.reader.hours

    assert hours() > 160
    assert hours() < 2
    other = at.put(Sample(f"{OTHER}/state", NOW - 90 * H, "HELD"), kind=Kind.TEXT)
    production.watch(other)
    assert hours() < 2
    production.watch(at.put(Sample(f"{CNC}/state", NOW - 30 * H, "HELD"), kind=Kind.TEXT))
    assert 29 < hours() < 33
    at.put(Sample(f"{CNC}/parts", NOW - 50 * H, 3), kind=Kind.INT)
    at.missed += 1  # the store was too busy to tell of it
    assert hours() > 160


def test_what_comes_while_hours_are_summed_is_not_missed(
    floor: tuple[Floor, Production], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values that are stored after they were asked for, and told of before the sum is kept."""
    at, production = floor
    read, late = at.reader.read, [Sample(f"{CNC}/state", NOW - 40 * H, "BREAK")]

    def reading(tags: list[str], start: int, end: int, *, previous: bool = False) -> Any:
        table = read(tags, start, end, previous=previous)
        while late and end - start > 2 * H:
            production.watch(at.put(late.pop(), kind=Kind.TEXT))
        return table

    monkeypatch.setattr(at.reader, "read", reading)
    production.performance([CNC], Span(BEGIN, NOW))
    assert not late
    agree(production, at, CNC, BEGIN, NOW)


def test_the_days_of_machines_that_are_kept_are_limited(
    floor: tuple[Floor, Production], monkeypatch: pytest.MonkeyPatch
) -> None:
    at, production = floor
    monkeypatch.setattr(kept, "MOST", 10)
    for asset in (CNC, OTHER, CNC):
        agree(production, at, asset, BEGIN, NOW)
        assert sum(len(days.rows) for days in production._hours._kept.values()) <= 10


def test_a_part_counts_although_the_value_before_the_time_was_bad(floor: tuple[Floor, Production]) -> None:
    at, production = floor
    first, end = NOW - 60 * S, NOW - S
    at.put(Sample(f"{CNC}/parts", NOW - 120 * S, 10), Sample(f"{CNC}/parts", first - S, 0, 0x80000000),
           Sample(f"{CNC}/parts", first + S, 12), kind=Kind.INT)  # fmt: skip
    (said,) = production.performance([CNC], Span(first, end))
    assert said.counts.pq == 2
