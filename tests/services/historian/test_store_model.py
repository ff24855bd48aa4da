"""Whatever is ingested, however it is flushed, compacted and reopened: reads equal a naive model."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shopfloor.plant import Batch, Kind, Sample
from shopfloor.plant.quality import BAD, GOOD, UNCERTAIN
from shopfloor.services.historian import Historian, Options
from shopfloor.services.historian.segments import segment_writer

DAY = 86_400_000_000_000
MINUTE, HOUR = 60_000_000_000, 3_600_000_000_000
ORIGIN = 19_999 * DAY + DAY - 5_000_000_000
TAGS = [f"delta/area/line/cell/asset/t{i}" for i in range(4)]
OPTIONS = Options(flush_rows=40, group_rows=7, compact_segments=2, reserve_bytes=0)

times = st.integers(0, 30).map(lambda step: ORIGIN + step * 500_000_000)
qualities = st.sampled_from([GOOD, UNCERTAIN, BAD])
values = {
    Kind.FLOAT: st.one_of(st.floats(-1e6, 1e6), st.just(math.nan)),
    Kind.INT: st.integers(-(2**52), 2**52),
    Kind.TEXT: st.sampled_from(["IDLE", "EXECUTE", "", "完成"]),
}


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    kind = draw(st.sampled_from(list(Kind)))
    sample = st.builds(Sample, st.sampled_from(TAGS), times, values[kind], qualities)
    return Batch.of(draw(st.lists(sample, max_size=25)), kind)


actions = st.lists(st.one_of(batches(), st.sampled_from(["flush", "compact", "reopen"])), min_size=1, max_size=12)


@dataclass
class Model:
    """One dictionary per kind: (tag, time) -> (value, quality)."""

    rows: dict[Kind, dict[tuple[str, int], tuple[Any, int]]] = field(
        default_factory=lambda: {kind: {} for kind in Kind}
    )
    newest: dict[str, Sample] = field(default_factory=dict)

    def take(self, batch: Batch) -> None:
        for row in batch:
            self.rows[batch.kind][row.tag, row.time] = (row.value, row.quality)
            if row.tag not in self.newest or row.time >= self.newest[row.tag].time:
                self.newest[row.tag] = row

    def read(self, tag: str, start: int, end: int) -> list[tuple[int, str, int]]:
        found = [
            (time, str(float(value)) if kind is not Kind.TEXT else value, quality)
            for kind, rows in self.rows.items()
            for (name, time), (value, quality) in rows.items()
            if name == tag and start <= time < end
        ]
        return sorted(found)

    def numbers(self, tag: str, start: int, end: int) -> list[tuple[int, float, int]]:
        return [
            (time, float(value), quality)
            for kind in (Kind.FLOAT, Kind.INT)
            for (name, time), (value, quality) in self.rows[kind].items()
            if name == tag and start <= time < end
        ]

    def usable(self, tag: str, start: int, end: int) -> list[float]:
        """Good and uncertain numbers, oldest first."""
        rows = sorted(self.numbers(tag, start, end), key=lambda row: row[0])
        return [value for _, value, quality in rows if quality < BAD and not math.isnan(value)]


def rises(numbers: list[float]) -> float:
    """What a counter counted: after a fall it began again at 0."""
    return sum(b - a if b >= a else b for a, b in pairwise(numbers))


def as_rows(table: pa.Table) -> dict[str, list[tuple[int, str, int]]]:
    answer: dict[str, list[tuple[int, str, int]]] = {}
    time = table.column("time").cast(pa.int64()).to_pylist()
    columns = (table.column(name).to_pylist() for name in ("tag", "value", "text", "quality"))
    for tag, value, text, quality, at in zip(*columns, time, strict=True):
        answer.setdefault(tag, []).append((at, str(value) if text is None else text, quality))
    return answer


def check(store: Historian, model: Model, start: int, end: int) -> None:
    answer = as_rows(store.reader.read(TAGS, start, end))
    for tag in TAGS:
        rows = answer.get(tag, [])
        assert [row[0] for row in rows] == sorted(row[0] for row in rows)
        assert sorted(rows) == model.read(tag, start, end)


def check_latest(store: Historian, model: Model) -> None:
    table = store.reader.latest()
    answer = {tag: rows[0] for tag, rows in as_rows(table).items()}
    expected = {
        tag: (row.time, row.value if isinstance(row.value, str) else str(float(row.value)), row.quality)
        for tag, row in model.newest.items()
    }
    assert answer == expected


def check_previous(store: Historian, model: Model, start: int) -> None:
    answer = as_rows(store.reader.read(TAGS, start, start + 1, previous=True))
    for tag in TAGS:
        before = [row[0] for row in model.read(tag, 0, start)]
        first = [row[0] for row in answer.get(tag, []) if row[0] < start]
        assert set(first) <= {max(before)} if before else not first
        assert bool(first) == bool(before)


def check_aggregate(store: Historian, model: Model, start: int, every: int) -> None:
    """From raw rows and from rollups: exact, also where duplicates lie in several segments."""
    table = store.reader.aggregate(TAGS, start, start + 3 * every, every)
    for row in (
        table.set_column(1, "time", table.column("time").cast(pa.int64()))
        .drop_columns(["first_time", "last_time"])
        .to_pylist()
    ):
        span = (row["time"], min(row["time"] + every, start + 3 * every))
        rows = model.numbers(row["tag"], *span)
        usable = [value for _, value, quality in rows if quality < BAD and not math.isnan(value)]
        assert (row["n"], row["bad"]) == (len(usable), len(rows) - len(usable))
        assert row["quality"] == max(quality for *_, quality in rows)
        if usable:
            assert (row["min"], row["max"]) == (min(usable), max(usable))
            assert np.isclose(row["sum"], sum(usable), atol=1e-3)
            before = model.usable(row["tag"], start, row["time"])[-1:]
            assert np.isclose(row["increase"], rises([*before, *model.usable(row["tag"], *span)]), atol=1e-3)
        else:
            assert (row["min"], row["increase"]) == (None, None)


@pytest.fixture(scope="module")
def always_rolled_up() -> Iterator[None]:
    """Rollups are written however few rows they stand for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segment_writer, "WORTH", 0)
        yield


@pytest.mark.usefixtures("always_rolled_up")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(actions, times, times)
def test_reads_equal_a_naive_model(steps: list[Batch | str], start: int, end: int) -> None:
    model = Model()
    with tempfile.TemporaryDirectory() as folder:
        store = Historian.open(folder, options=OPTIONS)
        try:
            sequence = 0
            accepted = 0
            for step in steps:
                if isinstance(step, Batch):
                    sequence += 1
                    accepted += len(step)
                    assert store.ingest("edge", sequence, "s", accepted, step).values == len(step)
                    model.take(step)
                elif step == "reopen":
                    store.close()
                    store = Historian.open(folder, options=OPTIONS)
                else:
                    store.flush() if step == "flush" else store.maintain()
                check(store, model, *sorted((start, end)))
            check(store, model, 0, ORIGIN + DAY)
            check_latest(store, model)
            check_previous(store, model, start)
            check_aggregate(store, model, start, 1_500_000_001)
            check_aggregate(store, model, ORIGIN // MINUTE * MINUTE, MINUTE)
            check_aggregate(store, model, ORIGIN // HOUR * HOUR, HOUR)
            assert all(account.balanced for account in store.ledger())
        finally:
            store.close()


@settings(max_examples=25, deadline=None)
@given(st.lists(batches(), max_size=8), st.integers(0, 3))
def test_rollups_equal_raw_rows_without_duplicates(parts: list[Batch], flush_at: int) -> None:
    """Mergeable partials, late data and whatever lies in memory give the same summaries as the rows themselves."""
    seen: set[tuple[str, int]] = set()
    with tempfile.TemporaryDirectory() as folder, Historian.open(folder, options=OPTIONS) as store:
        for sequence, batch in enumerate((part for part in parts if part.kind is not Kind.TEXT), 1):
            rows = list({(row.tag, row.time): row for row in batch}.values())
            rows = [row for row in rows if (row.tag, row.time) not in seen]
            seen |= {(row.tag, row.time) for row in rows}
            store.ingest("edge", sequence, "s", len(seen), Batch.of(rows, batch.kind))
            if sequence == flush_at:
                store.flush()
        start = ORIGIN // 3_600_000_000_000 * 3_600_000_000_000
        end = start + 2 * 3_600_000_000_000
        whole = store.reader.aggregate(TAGS, start, end, 3_600_000_000_000)
        raw = store.reader.aggregate(TAGS, start - 1, end, end - start + 1)
        for name in ("n", "bad"):
            assert sum(whole.column(name).to_pylist()) == sum(raw.column(name).to_pylist()) or len(seen) == 0
        assert sum(whole.column("n").to_pylist()) + sum(whole.column("bad").to_pylist()) == len(seen)
