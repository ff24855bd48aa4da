"""Summaries by part of the plant and calendar equal a naive model: late and repeated values, memory and files."""

from __future__ import annotations

import math
import tempfile
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shopfloor.plant import Batch, Kind, QuestionError, Sample
from shopfloor.plant.quality import BAD, GOOD
from shopfloor.services.historian import Calendar, Historian, Options, Selector, Shift, explained, summarize_by
from shopfloor.services.historian.read.calendar import Periods, every
from shopfloor.services.historian.segments import segment_writer
from shopfloor.services.historian.selector import group_of

S = 1_000_000_000
HOUR = 3600 * S
START = int(datetime(2026, 10, 24, tzinfo=UTC).timestamp()) * S
TAGS = [f"delta/{area}/line-{n}/cell/{asset}/power" for area in ("a", "b") for n in (1, 2) for asset in ("x", "y")]
CALENDAR = Calendar("Europe/Berlin", (Shift("early", 360), Shift("late", 840), Shift("night", 1320)))
OPTIONS = Options(flush_rows=10**6, group_rows=16, compact_segments=2, reserve_bytes=0)

samples = st.builds(
    Sample,
    st.sampled_from(TAGS),
    st.integers(0, 3 * 24 * 12).map(lambda n: START + n * 300 * S + n % 7),
    st.one_of(st.floats(-1e3, 1e3), st.just(math.nan)),
    st.sampled_from([GOOD, BAD]),
)
steps = st.lists(st.one_of(st.lists(samples, max_size=60), st.just("flush"), st.just("compact")), max_size=8)
QUESTIONS = [
    *(
        CALENDAR.periods(unit, START + HOUR // 3, START + 70 * HOUR)
        for unit in ("shift", "hour", "day", "week", "month")
    ),
    *(every(length, START + 5, START + 70 * HOUR) for length in (HOUR, 90 * 60 * S, 1234 * S, 80 * HOUR)),
]


def naive(rows: dict[tuple[str, int], Sample], periods: Periods, by: str) -> dict[tuple[str, int], list[Any]]:
    cells: dict[tuple[str, int], list[Sample]] = defaultdict(list)
    rises: dict[tuple[str, int], float] = defaultdict(float)
    before: dict[str, float] = {}
    for (tag, time), row in sorted(rows.items()):
        at = int(np.searchsorted(periods.edges, time, "right")) - 1
        if 0 <= at < len(periods.edges) - 1:
            cell = group_of(tag, by), int(periods.edges[at])
            cells[cell].append(row)
            if row.quality < BAD and not math.isnan(value := float(row.value)):
                step = value - before.get(tag, value)
                rises[cell] += step if step >= 0 else value
                before[tag] = value
    answer = {}
    for cell, found in cells.items():
        good = [row.value for row in found if row.quality < BAD and not math.isnan(float(row.value))]
        ends = [good[0], good[-1]] if good else [None, None]
        answer[cell] = [
            len(good), len(found) - len(good), max(row.quality for row in found),
            *([min(good), max(good), pytest.approx(sum(map(float, good)), abs=1e-6)] if good else [None] * 3),
            pytest.approx(rises[cell], abs=1e-6) if good else None,
            *(ends if by == "tag" else []),
        ]  # fmt: skip
    return answer


def as_cells(table: pa.Table, by: str) -> dict[tuple[str, int], list[Any]]:
    names = ["n", "bad", "quality", "min", "max", "sum", "increase", *(["first", "last"] if by == "tag" else [])]
    times = table.column("time").cast(pa.int64()).to_pylist()
    columns = [table.column(name).to_pylist() for name in names]
    cells = {}
    for group, time, *values in zip(table.column("group").to_pylist(), times, *columns, strict=True):
        if values[0] == 0:
            values[5] = None
        cells[group, time] = values
    assert len(cells) == table.num_rows
    return cells


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps, st.booleans())
def test_summaries_equal_a_naive_model(steps: list[Any], rolled_up: bool) -> None:
    with (
        pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder,
        Historian.open(folder, options=OPTIONS) as store,
    ):  # fmt: skip
        patch.setattr(segment_writer, "WORTH", 0 if rolled_up else 16)
        rows = fill(store, steps)
        for periods in QUESTIONS:
            for by in ("tag", "asset", "line", "area", "all"):
                whole = summarize_by(store.reader, TAGS, periods, by)
                assert as_cells(whole, by) == naive(rows, periods, by)
                part = summarize_by(store.reader, TAGS, periods, by, ("max", "bad") if by == "tag" else ("increase",))
                assert part.equals(whole.select(part.column_names))


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps, st.integers(1, 50))
def test_sql_and_portions_hold_every_value_once(steps: list[Any], size: int) -> None:
    """However often values were repeated, in whichever files and in memory."""
    with tempfile.TemporaryDirectory() as folder, Historian.open(folder, options=OPTIONS) as store:
        rows = fill(store, steps)
        expected = sorted((tag, time, str(row.value), row.quality) for (tag, time), row in rows.items())
        query = store.reader.sql("SELECT tag, time, value, quality FROM samples")
        assert as_rows(pa.Table.from_batches(list(query.batches()))) == expected
        tables = list(store.reader.portions(TAGS, START, START + 80 * HOUR, size))
        assert as_rows(pa.concat_tables([store.reader.read([], 0, 1), *tables])) == expected


def as_rows(table: pa.Table) -> list[tuple[Any, ...]]:
    times = table.column("time").cast(pa.int64()).to_pylist()
    columns = [table.column(name).to_pylist() for name in ("tag", "value", "quality")]
    return sorted((tag, time, str(value), quality) for tag, value, quality, time in zip(*columns, times, strict=True))


def fill(store: Historian, steps: list[Any]) -> dict[tuple[str, int], Sample]:
    rows: dict[tuple[str, int], Sample] = {}
    sequence = count = 0
    for step in steps:
        if isinstance(step, str):
            store.flush() if step == "flush" else store.maintain()
            continue
        sequence, count = sequence + 1, count + len(step)
        store.ingest("edge", sequence, "s", count, Batch.of(step, Kind.FLOAT))
        rows |= {(row.tag, row.time): row for row in step}
    return rows


def test_names_of_shifts_and_what_was_read(tmp_path: Any) -> None:
    with Historian.open(tmp_path, options=OPTIONS) as store:
        rows = [Sample(tag, START + n * 60 * S, float(n)) for tag in TAGS for n in range(24 * 60)]
        store.ingest("edge", 1, "s", len(rows), Batch.of(rows))
        store.flush()
        chosen = Selector("delta/a/*/cell/x").choose(TAGS)
        with explained() as plan:
            table = summarize_by(store.reader, chosen, CALENDAR.periods("shift", START, START + 24 * HOUR), "line")
        assert table.column("group").unique().to_pylist() == ["delta/a/line-1", "delta/a/line-2"]
        assert table.column("shift").to_pylist()[:4] == ["night", "early", "late", "night"]
        assert table.column("n").to_pylist()[:4] == [4 * 60, 8 * 60, 8 * 60, 4 * 60]
        assert table.column("mean").to_pylist()[0] == np.mean(range(4 * 60))
        assert set(plan.ways) == {"hours"}
        assert sum(read.rows for read in plan.ways.values()) == 2 * 24


@pytest.mark.parametrize("text", ["", "/", "a//b", "a/b/c/d/e/f/g"])
def test_what_selects_nothing_is_refused(text: str) -> None:
    with pytest.raises(QuestionError, match="selects nothing: write a path or its beginning"):
        Selector(text)
