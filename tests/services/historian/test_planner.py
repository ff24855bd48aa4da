"""The planner takes the cheapest of the ways that fit, and whichever it takes, the answer is the same."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shopfloor.plant import Batch, Kind, QuestionError, Sample
from shopfloor.plant.quality import BAD, GOOD, UNCERTAIN
from shopfloor.services.historian import Historian, Options, explained
from shopfloor.services.historian.options import HOUR, MINUTE, NS
from shopfloor.services.historian.read.planner import WAYS
from shopfloor.services.historian.segments import decoded, segment_writer

START = 1_780_272_000 * NS
TAGS = tuple(f"delta/a/line/cell/x/tag-{n}" for n in range(8))
COLUMNS = ("mean", "min", "max", "bad", "quality")
RESULT = ["tag", "time", "n", "sum", "min", "max", "bad", "quality"]

samples = st.builds(
    Sample,
    st.sampled_from(TAGS[:4]),
    st.integers(0, 40).map(lambda n: START + n * 341 * NS + n % 3),
    st.one_of(st.floats(-1e3, 1e3), st.sampled_from([math.nan, math.inf, 0.0])),
    st.sampled_from([GOOD, GOOD, UNCERTAIN, BAD]),
)
STEPS = ["flush", "compact", "correct"]
steps = st.lists(st.one_of(st.lists(samples, min_size=1, max_size=60), st.sampled_from(STEPS)), max_size=10)
QUESTIONS = [
    (START, START + 4 * HOUR, HOUR),
    (START, START + 4 * HOUR - 30 * NS, 30 * MINUTE),
    (START + 17 * NS, START + 4 * HOUR - 5 * NS, 5 * HOUR),
    (START + 1, START + 3 * HOUR, 77 * NS),
    (START + HOUR, START + HOUR + 4 * MINUTE, DAY := 24 * HOUR),
    (START, START, HOUR),
]


def ingest(store: Historian, steps: Sequence[Any], kinds: Sequence[Kind] = (Kind.FLOAT,)) -> None:
    sequence = count = 0
    before: list[Sample] = []
    for step in steps:
        if step in ("flush", "compact"):
            store.flush() if step == "flush" else store.maintain()
            continue
        before = [Sample(r.tag, r.time, 1.0, r.quality ^ BAD) for r in before] if step == "correct" else step
        for kind in kinds:
            rows = [row for row in before if len(kinds) == 1 or (kind is Kind.INT) == (row.tag in TAGS[:3])]
            if kind is Kind.INT:
                rows = [
                    Sample(r.tag, r.time, int(float(r.value)) if math.isfinite(float(r.value)) else 7, r.quality)
                    for r in rows
                ]
            sequence, count = sequence + 1, count + len(rows)
            store.ingest("edge", sequence, "s", count, Batch.of(rows, kind))


def same(one: pa.Table, other: pa.Table) -> None:
    assert one.column_names == other.column_names
    for name in one.column_names:
        left, right = (table.column(name).combine_chunks() for table in (one, other))
        if name == "time":
            left, right = left.cast(pa.int64()), right.cast(pa.int64())
        if name == "sum":
            np.testing.assert_allclose(left.to_numpy(False), right.to_numpy(False), rtol=1e-9, atol=1e-6)
        else:
            assert left.to_pylist() == right.to_pylist(), name


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps, st.sampled_from([(Kind.FLOAT,), (Kind.INT,), (Kind.FLOAT, Kind.INT)]), st.integers(1, 8))
def test_every_way_gives_what_the_whole_summary_gives(steps: list[Any], kinds: tuple[Kind, ...], tags: int) -> None:
    options = Options(flush_rows=10**6, group_rows=16, compact_segments=2, reserve_bytes=0)
    with (
        pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder,
        Historian.open(folder, options=options) as store,
    ):  # fmt: skip
        patch.setattr(segment_writer, "WORTH", 0)
        ingest(store, steps, kinds)
        asked = TAGS[::-1][:tags:2] if tags % 2 else TAGS[:tags]
        for start, end, every in QUESTIONS:
            whole = store.reader.aggregate(asked, start, end, every, ways=("raw",)).select(RESULT)
            for way in WAYS:
                same(store.reader.aggregate(asked, start, end, every, of=COLUMNS, ways=(way,)), whole)
                same(store.reader.aggregate(asked, start, end, every, ways=(way,)).select(RESULT), whole)


def rows(tags: int, seconds: int, start: int = START) -> Batch:
    tag = np.repeat(np.arange(tags, dtype=np.int32), seconds)
    time = np.tile(start + np.arange(seconds) * NS, tags)
    value = np.random.default_rng(1).normal(size=len(tag))
    return Batch(TAGS[:tags], tag, time, value, np.zeros(len(tag), np.uint32))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Historian]:
    """Three hours of eight tags, written in one piece."""
    with Historian.open(tmp_path / "store") as opened:
        opened.ingest("edge", 1, "s", 8 * 3 * 3600, rows(8, 3 * 3600))
        opened.flush()
        yield opened


def chosen(store: Historian, start: int, end: int, every: int, of: Sequence[str] = ("mean",)) -> tuple[str, set[str]]:
    """What the planner says, and what was read."""
    with explained() as plan:
        store.reader.aggregate(TAGS, start, end, every, of=of)
    (said,) = plan.chosen
    return said.partition(",")[0], set(plan.ways)


def test_whole_hours_come_from_the_hours(store: Historian) -> None:
    assert chosen(store, START, START + 3 * HOUR, HOUR) == ("hours", {"hours"})


def test_whole_minutes_come_from_the_minutes(store: Historian) -> None:
    assert chosen(store, START, START + 3 * HOUR, 5 * MINUTE) == ("minutes", {"minutes"})
    assert chosen(store, START, START + 3 * HOUR, 5 * MINUTE, of=()) == ("minutes", {"minutes"})


def test_buckets_of_seconds_come_from_the_rows(store: Historian) -> None:
    assert chosen(store, START, START + 3 * HOUR, 7 * NS) == ("raw", {"raw"})


def test_a_span_that_the_rows_answer_alone_opens_no_rollup_beside_them(store: Historian) -> None:
    """Four minutes and two rims would be two files."""
    assert chosen(store, START + 3, START + 4 * MINUTE + 3, HOUR) == ("raw", {"raw"})


def test_many_short_row_groups_come_from_duckdb(tmp_path: Path) -> None:
    with Historian.open(tmp_path / "store", options=Options(group_rows=16)) as store:
        store.ingest("edge", 1, "s", 8 * 3600, rows(8, 3600))
        store.flush()
        assert chosen(store, START, START + HOUR, 7 * NS) == ("DuckDB", {"DuckDB"})
        assert chosen(store, START, START + HOUR, 7 * NS, of=("first", "mean")) == ("raw", {"raw"})


def test_files_that_overlap_are_compared_only_where_they_do(store: Historian) -> None:
    """A corrected value and late ones: their seconds are read from both files, everything else adds up."""
    late = [Sample(TAGS[0], START + n * NS, 5.0) for n in (3600, 3601)] + [Sample(TAGS[1], START + 3601 * NS + 1, 6.0)]
    store.ingest("edge", 2, "s", 8 * 3 * 3600 + 3, Batch.of(late))
    store.flush()
    whole = store.reader.aggregate(TAGS, START, START + 3 * HOUR, 7 * NS).select(["tag", "time", "n", "sum"])
    with explained() as plan:
        same(store.reader.aggregate(TAGS, START, START + 3 * HOUR, 7 * NS, of=("mean",), ways=("DuckDB",)), whole)
    assert set(plan.ways) == {"DuckDB", "raw"}
    assert plan.ways["raw"].rows < 100


def test_of_a_long_way_only_as_much_is_estimated_as_shows_that_it_is_long(store: Historian) -> None:
    with explained() as plan:
        store.reader.aggregate(TAGS, START, START + 3 * HOUR, HOUR)
    assert str(plan).endswith("ms (minutes: no less, raw: no less)")


def test_of_one_tag_and_one_quality_only_the_values_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def spied(path: Path, kind: Kind) -> Any:
        file = opened(path, kind)
        read = file.read_row_groups
        file.read_row_groups = lambda groups, columns, **how: (asked.append(columns), read(groups, columns, **how))[1]
        return file

    opened = decoded.opened
    monkeypatch.setattr(decoded, "opened", spied)
    bad = Batch.of([Sample(TAGS[1], START, 1.0, BAD), Sample(TAGS[1], START + 1, 2.0)])
    with Historian.open(tmp_path / "store", options=Options(group_rows=5000)) as store:
        store.ingest("edge", 1, "s", 5000, rows(1, 5000))
        store.ingest("edge", 2, "s", 5002, bad)
        store.flush()
        both = store.reader.aggregate(TAGS[:2], START, START + 2 * HOUR, 2 * HOUR, of=("n", "bad"), ways=("raw",))
    assert both.select(["n", "bad"]).to_pylist() == [{"n": 5000, "bad": 0}, {"n": 1, "bad": 1}]
    assert asked == [["value"], ["value", "quality"]]


def test_what_was_decoded_stays_within_its_limit(store: Historian, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = decoded.Cache(500_000)
    monkeypatch.setattr(decoded, "CACHE", cache)
    for tag in TAGS:
        store.reader.read([tag], START, START + 3 * HOUR)
        store.reader.aggregate([tag], START, START + 3 * HOUR, 7 * NS, of=("mean",))
    assert 0 < cache.size <= 500_000


def test_a_damaged_file_is_named_by_every_way(
    store: Historian, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (path,) = (path for path in tmp_path.rglob("float64-*.parquet") if path.name.count(".") == 1)
    path.write_bytes(b"PAR1" + bytes(path.stat().st_size - 8) + b"PAR1")
    for way in ("DuckDB", "raw"):
        assert not len(store.reader.aggregate(TAGS, START, START + HOUR, 7 * NS, of=("mean",), ways=(way,)))
    assert "is damaged" in caplog.text


def test_a_column_that_there_is_not_is_named(store: Historian) -> None:
    with pytest.raises(QuestionError, match="no 'median' of values: ask for n, bad, sum"):
        store.reader.aggregate(TAGS, START, START + HOUR, HOUR, of=("median",))
