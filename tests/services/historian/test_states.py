"""Time in state equals a naive model: late, repeated and bad values, memory and files, compacted and forgotten."""

from __future__ import annotations

import math
import sqlite3
import tempfile
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shopfloor.plant import Batch, Kind, Sample
from shopfloor.plant.quality import BAD, GOOD, UNCERTAIN
from shopfloor.services.historian import (
    Calendar,
    Historian,
    Options,
    Retention,
    Shift,
    explained,
    open_folder,
    time_in_state,
)
from shopfloor.services.historian.care.relist import relisted
from shopfloor.services.historian.care.snapshot import held
from shopfloor.services.historian.care.verify import verify
from shopfloor.services.historian.read.calendar import Periods, every
from shopfloor.services.historian.segments import condense, segment_writer
from shopfloor.services.historian.selector import group_of

S, HOUR, DAY = 1_000_000_000, 3_600_000_000_000, 86_400_000_000_000
START = int(datetime(2026, 10, 24, 18, tzinfo=UTC).timestamp()) * S
CALENDAR = Calendar("Europe/Berlin", (Shift("early", 360), Shift("late", 870), Shift("night", 1320)))
OPTIONS = Options(group_rows=16, compact_segments=2, reserve_bytes=0)
KINDS = {f"delta/a/line-{n}/cell/x/{kind.name}": kind for n in (1, 2) for kind in Kind}
TAGS = [*KINDS]
NOW = START + 13 * HOUR + 1200 * S + 7

VALUES: dict[Kind, list[Any]] = {
    Kind.INT: [0, 1, 2, 3, 4],
    Kind.FLOAT: [0.0, 1.0, 2.0, 3.0, 4.0, 0.5, math.nan],
    Kind.TEXT: ["EXECUTE", "HELD", "IDLE", "1", ""],
}


def batch(random: Random, kind: Kind, most: int) -> Batch:
    """Values of one kind, many of them near each other, some twice."""
    tags = [name for name, its in KINDS.items() if its is kind]
    few = VALUES[kind][: random.choice([2, 4, 9])]
    first, span = random.randrange(500), random.choice([5, 60, 600])
    samples = []
    for _ in range(random.randrange(most)):
        n = min(first + random.randrange(span), 600)
        quality = random.choice([GOOD, GOOD, UNCERTAIN, BAD])
        samples.append(Sample(random.choice(tags), START + n * 97 * S + n % 7, random.choice(few), quality))
    return Batch.of(samples, kind)


EXACT = [
    *(CALENDAR.periods(unit, START + HOUR // 3, START + 20 * HOUR) for unit in ("hour", "day", "week")),
    every(7 * HOUR, START - HOUR, START + 20 * HOUR),
]
DIVIDED = [
    CALENDAR.periods("shift", START, START + 20 * HOUR),
    *(every(length, START + 5, START + 20 * HOUR) for length in (HOUR, 90 * 60 * S, 1234 * S)),
]
Rows = dict[tuple[str, int], Sample]


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    """States are written however few rows they stand for, and three are many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segment_writer, "WORTH", 0)
        patch.setattr(segment_writer, "WORTH_STATES", 0)
        patch.setattr(condense, "MOST", 3)
        yield


Cells = dict[tuple[str, int, str | None], int]
NONE = "no state"


def said(row: Sample) -> str | None:
    """The state; None where it is unknown."""
    if row.quality >= BAD or (isinstance(row.value, float) and math.isnan(row.value)):
        return None
    if isinstance(row.value, str):
        return row.value
    return str(int(row.value)) if row.value == int(row.value) else NONE


def visits(rows: list[Sample], start: int) -> list[tuple[int, str | None]]:
    """When a tag took which state; nothing of a tag of which nothing is known but that it has none."""
    hours: dict[int, list[Sample]] = defaultdict(list)
    for row in rows:
        hours[row.time // HOUR].append(row)
    answer: list[tuple[int, str | None]] = []
    is_known, has_none = False, False
    for own in hours.values():
        states = {said(row) for row in own} - {None}
        none = NONE in states or len(states) > 3
        for row in own:
            state = said(row)
            if state == NONE or (none and row is not own[-1]):
                state, has_none = None, True
            is_known |= state is not None and not none and row.time >= start
            answer.append((row.time, state))
    return answer if is_known or not has_none else []


def naive(rows: Rows, periods: Periods, now: int) -> Cells:
    stop = min(now, int(periods.edges[-1]))
    edges = [edge for edge in periods.edges.tolist() if edge < stop]
    cells: Cells = defaultdict(int)
    first, last = edges[0] // HOUR * HOUR, -(-stop // HOUR) * HOUR
    for tag in TAGS:
        own = sorted((row for row in rows.values() if row.tag == tag and row.time < last), key=lambda row: row.time)
        before = [row for row in own if row.time < first]
        found = [visit for visit in visits(before[-1:] + own[len(before) :], edges[0]) if visit[0] < stop]
        for (begin, state), (until, _) in pairwise([(0, None), *found, (stop, None)] if found else []):
            for at in range(max(bisect_right(edges, begin) - 1, 0), bisect_left(edges, until)):
                cells[tag, edges[at], state] += min(until, [*edges, stop][at + 1]) - max(begin, edges[at])
    return {cell: ns for cell, ns in cells.items() if ns}


def together(cells: Cells, by: str) -> Cells:
    sums: Cells = defaultdict(int)
    for (tag, time, state), ns in cells.items():
        sums[group_of(tag, by), time, state] += ns
    return sums


def answered(table: pa.Table) -> Cells:
    times = table.column("time").cast(pa.int64()).to_pylist()
    columns = [table.column(name).to_pylist() for name in ("group", "state", "seconds")]
    found = {(group, time, state): round(s * S) for group, state, s, time in zip(*columns, times, strict=True)}
    assert len(found) == table.num_rows
    return found


def add_up(table: pa.Table, now: int) -> None:
    """States and unknown time fill every period of a tag to the nanosecond, and shares are 1."""
    sums: dict[tuple[str, int, int], list[float]] = defaultdict(lambda: [0, 0.0])
    rows = table.set_column(1, "time", table["time"].cast(pa.int64())).set_column(
        2, "end", table["end"].cast(pa.int64())
    )
    for row in rows.to_pylist():
        cell = sums[row["group"], row["time"], row["end"]]
        cell[0], cell[1] = cell[0] + round(row["seconds"] * S), cell[1] + row["share"]
    for (_, begin, until), (ns, share) in sums.items():
        assert ns == min(until, now) - begin
        assert math.isclose(share, 1.0)


def check(reader: Any, rows: Rows, questions: list[Periods], now: int = NOW) -> None:
    for periods in questions:
        add_up(time_in_state(reader, TAGS, periods, now=now), now)
        cells = naive(rows, periods, now)
        for by in ("tag", "line", "all"):
            assert answered(time_in_state(reader, TAGS, periods, by, now=now)) == together(cells, by)


def fill(store: Historian, gateway: str, batches: list[Batch]) -> Rows:
    rows: Rows = {}
    count = 0
    for sequence, part in enumerate(batches, 1):
        count += len(part)
        store.ingest(gateway, sequence, "s", count, part)
        rows |= {(row.tag, row.time): row for row in part}
    return rows


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32))
def test_states_equal_a_naive_model(seed: int) -> None:
    random = Random(seed)
    early, late, last = ([batch(random, kind, most) for kind in Kind for _ in range(2)] for most in (200, 20, 20))
    forgetting = Options(group_rows=16, reserve_bytes=0, retention=Retention(raw_s=0))
    with tempfile.TemporaryDirectory() as folder:
        with Historian.open(folder, options=OPTIONS) as store:
            rows = fill(store, "early", early[::2])
            store.flush()
            rows |= fill(store, "other", early[1::2])
            check(store.reader, rows, [*EXACT, *DIVIDED])
            store.flush()
            store.maintain()
            check(store.reader, rows, [*EXACT, *DIVIDED])
            rows |= fill(store, "late", late)
            check(store.reader, rows, EXACT)
            store.flush()
            check(store.reader, rows, [*EXACT, *DIVIDED])
        with Historian.open(folder, options=forgetting) as store:
            store.maintain()
            assert not store.reader.read(TAGS, 0, 2**62).num_rows
            check(store.reader, rows, EXACT, NOW + DAY)
            fill(store, "last", last)
            for _ in range(2):
                for periods in (*EXACT, *DIVIDED):
                    add_up(time_in_state(store.reader, TAGS, periods, now=NOW), NOW)
                store.flush()
                store.maintain()
        with held(Path(folder)) as snapshot:
            assert list(verify(snapshot)) == []


def minutes(store: Historian, days: int = 3) -> list[str]:
    """A text and a boolean that change every minute, a counter, and a temperature; packed."""
    names = tuple(f"delta/a/line/cell/x/{name}" for name in ("door", "parts", "temperature"))
    for day in range(days):
        n = np.arange(1440)
        time = np.tile(DAY_START + day * DAY + n * 60 * S, 3)
        value = np.concatenate([n % 2, n + day * 1440.0, 20 + n * 0.1])
        tag = np.repeat(np.arange(3), 1440).astype(np.int32)
        store.ingest("edge", 2 * day + 1, "s", day * 5760 + 4320, Batch(names, tag, time, value, np.zeros(4320, "u4")))
        texts = np.array(["EXECUTE", "HELD", "IDLE"], object)[n % 3]
        batch = Batch(("delta/a/line/cell/x/state",), tag[:1440], time[:1440], texts, np.zeros(1440, "u4"))
        store.ingest("edge", 2 * day + 2, "s", (day + 1) * 5760, batch)
    store.flush()
    store.maintain()
    return [*names, "delta/a/line/cell/x/state"]


DAY_START = START - 18 * HOUR


def test_whole_hours_come_from_condensed_rows_here_and_beside_a_server(tmp_path: Path) -> None:
    shifts = CALENDAR.periods("day", DAY_START + 2 * HOUR, DAY_START + 2 * DAY)
    with Historian.open(tmp_path, options=Options(reserve_bytes=0)) as store:
        tags = minutes(store)
        with explained() as plan:
            table = time_in_state(store.reader, tags, shifts)
        assert set(plan.ways) == {"states"}
        assert sum(read.rows for read in plan.ways.values()) < 4 * 5760 / 6
        assert set(table.column("group").to_pylist()) == {tags[0], tags[3]}, "counters and fractions have no states"
        assert table.column("state").to_pylist()[:2] == ["0", "1"]
        with open_folder(tmp_path) as folder:
            assert time_in_state(folder.reader, tags, shifts).equals(table)


def test_a_store_of_the_version_before_learns_its_states_before_it_forgets(tmp_path: Path) -> None:
    hours = CALENDAR.periods("hour", DAY_START, DAY_START + 3 * DAY)
    with Historian.open(tmp_path, options=Options(reserve_bytes=0)) as store:
        tags = minutes(store)
        before = time_in_state(store.reader, tags, hours)
    for file in tmp_path.glob("day=*/*.states.parquet"):
        file.unlink()
    with sqlite3.connect(tmp_path / "log.db") as db:
        db.executescript("ALTER TABLE segments DROP COLUMN states; PRAGMA user_version = 4;")
    db.close()
    keep = Options(reserve_bytes=0, retention=Retention(raw_s=0, hours_s=4 * 86_400))
    with Historian.open(tmp_path, options=Options(reserve_bytes=0)) as store:
        assert time_in_state(store.reader, tags, hours).equals(before)
    with Historian.open(tmp_path, options=keep, clock=lambda: DAY_START + 4 * DAY) as store:
        store.maintain()
        assert not store.reader.read(tags, 0, 2**62).num_rows
        assert time_in_state(store.reader, tags, hours).equals(before)
        assert list(tmp_path.glob("day=*/*.states.parquet"))
    with Historian.open(tmp_path, options=keep, clock=lambda: DAY_START + 9 * DAY) as store:
        store.maintain()
        assert not time_in_state(store.reader, tags, hours).num_rows
        assert not list(tmp_path.glob("day=*/*.states.parquet"))


def test_what_nobody_ever_said_has_no_time(tmp_path: Path) -> None:
    with Historian.open(tmp_path, options=OPTIONS) as store:
        store.ingest("edge", 1, "s", 1, Batch.of([Sample(TAGS[0], START + HOUR, 1.0)]))
        later = every(HOUR, START, START + 4 * HOUR)
        assert not time_in_state(store.reader, TAGS, later, now=START + HOUR).num_rows, "the first value is yet to come"
        assert not time_in_state(store.reader, TAGS, later, now=START).num_rows, "all periods are yet to come"
        table = time_in_state(store.reader, TAGS, later, now=START + 2 * HOUR)
        assert table.select(["state", "seconds"]).to_pylist() == [
            {"state": None, "seconds": 3600.0},
            {"state": "1", "seconds": 3600.0},
        ]
        assert not time_in_state(store.reader, [], later, now=START + 2 * HOUR).num_rows


def test_a_segment_that_is_listed_again_has_its_states(tmp_path: Path) -> None:
    with Historian.open(tmp_path, options=Options(reserve_bytes=0)) as store:
        minutes(store)
    with Historian.open(tmp_path, options=Options(reserve_bytes=0, retention=Retention(raw_s=0))) as store:
        store.maintain()
    with held(tmp_path) as snapshot:
        assert snapshot.segments
        for segment in snapshot.segments:
            again = relisted(segment.path)
            assert again.states is not None
            assert segment.states is not None
            assert np.array_equal(again.states, segment.states)
            assert np.array_equal(again.gone, segment.gone)
            assert (again.start, again.end) == (segment.start, segment.end)
