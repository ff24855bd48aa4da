# ruff: noqa: S101 (the suite is made of assertions)
"""The contract suite of stores: what every `plant.Reader` with `portions` must answer, to be run over a real store.

    def test_my_store_keeps_the_contract():
        check_store(MyRig())

A rig puts batches into the store the way the product does, and says what the store cannot keep.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
from shopfloor.plant import Batch, Sample, quality
from shopfloor.services.historian.options import FOREVER
from shopfloor.services.historian.read.calendar import every
from shopfloor.services.historian.read.long import LongReader
from shopfloor.services.historian.read.states import time_in_state

S = 1_000_000_000
START = 1_700_000_000 * S
"""The values of the suite begin here; the store must keep values of this age."""

_ASSET = "delta/frames, old/line=1/cell a/cnc 'x'.\"7\""
NUMBER, COUNT, STATE, OTHER, MANY = (
    f"{_ASSET}/{name}" for name in ("spindle.power", "parts", "state", "größe 温度", "load")
)
_SECOND = NUMBER.replace("cell a", "cell b")
_WORST = 1e-11


class StoreRig(Protocol):
    """A store on the bench, empty at first."""

    precision: int
    """Nanoseconds in the unit to which it keeps times."""
    texts: bool
    """Whether it keeps texts."""
    exact: bool
    """Whether it gives float64 back to the last bit, whatever stands beside it; else to 11 digits."""

    def put(self, batches: Sequence[Batch]) -> None:
        """Store them; they can be read when this returns."""
        ...

    def reader(self) -> LongReader:
        """The way to read."""
        ...


@dataclass(frozen=True, slots=True)
class _Bench:
    rig: StoreRig
    reader: LongReader

    def read(self, tags: Sequence[str], start: int, end: int, *, previous: bool = False) -> list[tuple[object, ...]]:
        table = self.reader.read(tags, start, end, previous=previous)
        assert table.column("tag").type == pa.dictionary(pa.int32(), pa.string())
        assert table.column("time").type == pa.timestamp("ns", "UTC")
        return rows(table)

    def unit(self, time: object) -> int:
        """The time in the store's unit."""
        return int(str(time)) // self.rig.precision


def check_store(rig: StoreRig) -> None:
    """Run every check on one store; an `AssertionError` says which promise is broken."""
    rig.put(_given(rig))
    bench = _Bench(rig, rig.reader())
    check_reads(bench)
    check_portions(bench)
    check_values(bench)
    check_previous_and_latest(bench)
    check_summaries(bench)
    check_states(bench)
    check_pictures(bench)
    check_repeats(bench)


def rows(table: pa.Table) -> list[tuple[object, ...]]:
    """The answer of `read` or `latest` as (tag, time ns, value, text, quality)."""
    columns = [table.column("tag").to_pylist(), table.column("time").cast(pa.int64()).to_pylist()]
    columns += [table.column(name).to_pylist() for name in ("value", "text", "quality")]
    return list(zip(*columns, strict=True))


def check_reads(bench: _Bench) -> None:
    """Start inclusive, end exclusive, sorted by tag as asked and by time; unknown tags answer no rows."""
    unknown = NUMBER.replace("cnc", "nobody")
    found = bench.read([_SECOND, unknown, NUMBER, "no path"], START, START + 20 * S)
    assert [(row[0], row[1]) for row in found] == [
        *((_SECOND, START + i * S) for i in range(3)), *((NUMBER, START + i * S) for i in range(20)),
    ], "tags in the order asked, then by time"  # fmt: skip
    assert [row[1] for row in bench.read([NUMBER], START + 3 * S, START + 5 * S)] == [START + 3 * S, START + 4 * S]
    assert not bench.read([unknown], START, START + 20 * S)
    assert not bench.read([], START, START + 20 * S)
    assert not bench.read([NUMBER], START + 20 * S, START + 30 * S)


def check_portions(bench: _Bench) -> None:
    """What `read` answers, a portion after the other, each with the same columns; no portion is empty."""
    tags = [_SECOND, "no path", MANY, STATE, NUMBER, COUNT]
    for span in ((START + 3 * S, START + 50_000 * S), FOREVER):
        expected = bench.reader.read(tags, *span)
        parts = list(bench.reader.portions(tags, *span, rows=20_000))
        assert all(part.num_rows and part.schema == expected.schema for part in parts)
        found = pa.concat_tables(parts)
        for name, kind in (("tag", pa.string()), ("time", pa.int64()), ("text", pa.string()), ("quality", pa.uint32())):
            assert found.column(name).cast(kind).equals(expected.column(name).cast(kind)), f"every {name}, in order"
        got, want = (table.column("value").to_numpy() for table in (found, expected))
        assert np.array_equal(got, want, equal_nan=True), "every value, in order"
    assert not list(bench.reader.portions(tags, START + 60_000 * S, START + 70_000 * S))
    assert not list(bench.reader.portions([], START, START + S))


def check_values(bench: _Bench) -> None:
    """Every value with its quality; what is no number is NaN; int64 answers as float64; time to the store's unit."""
    found = bench.read([NUMBER], START, START + 20 * S)
    for sample, (_, time, value, text, status) in zip(_numbers(bench.rig), found, strict=True):
        assert (time, text, status) == (sample.time, None, sample.quality)
        _same(bench, float(sample.value), value)
    first = bench.read([COUNT], START, START + S)
    assert [(bench.unit(row[1]), row[2]) for row in first] == [(bench.unit(START + 5), 0.0)]
    assert [row[2] for row in bench.read([COUNT], START + S, START + 3 * S)] == [float(2**53), float(-(2**53))]
    assert [row[2] for row in bench.read([OTHER], START, START + S)] == [-0.25], "names in any script"
    if bench.rig.texts:
        texts = [row[2:4] for row in bench.read([STATE], START, START + 9 * S)]
        assert texts == [(None, sample.value) for sample in _texts()]


def check_previous_and_latest(bench: _Bench) -> None:
    """The value that holds at the start comes first, however old; the newest is the newest."""
    late = START + 40 * 86_400 * S
    found = bench.read([NUMBER, COUNT], late, late + S, previous=True)
    assert [(row[0], row[1]) for row in found] == [(NUMBER, START + 19 * S), (COUNT, START + 2 * S)]
    found = bench.read([NUMBER], START + 5 * S, START + 7 * S, previous=True)
    assert [row[1] for row in found] == [START + i * S for i in (4, 5, 6)], "the last one before, and no more"
    assert not bench.read([NUMBER], START - S, START, previous=True)
    latest = rows(bench.reader.latest([COUNT, NUMBER, "a/b/c/d/e/f"]))
    assert [row[:3] for row in latest] == [(COUNT, START + 2 * S, float(-(2**53))), (NUMBER, START + 19 * S, 19.5)]
    if bench.rig.texts:
        assert rows(bench.reader.latest([STATE]))[0][3] == _texts()[-1].value


def check_summaries(bench: _Bench) -> None:
    """Summaries are those of the values: buckets counted from the start, unusable values counted apart."""
    start = START + S // 2
    table = bench.reader.aggregate([_SECOND, NUMBER], start, START + 20 * S, 6 * S)
    table = table.set_column(table.schema.get_field_index("time"), "time", table.column("time").cast(pa.int64()))
    found = table.select(["tag", "time", "n", "sum", "min", "max", "first", "last", "quality"]).to_pylist()
    each = [_summary(bench, tag, start, START + 20 * S, at) for tag in (_SECOND, NUMBER) for at in range(4)]
    expected = [one for one in each if one is not None]
    assert len(found) == len(expected), "one row per tag and bucket that has values"
    for got, want in zip(found, expected, strict=True):
        for name, value in want.items():
            near = isinstance(value, float) and math.isclose(got[name], value, rel_tol=1e-9)
            assert near or got[name] == value, f"{name} of {want}, not {got[name]}"
    few = bench.reader.aggregate([_SECOND, NUMBER], start, START + 20 * S, 6 * S, of=("mean", "max"))
    assert few.select(["n", "max"]).to_pydict() == table.select(["n", "max"]).to_pydict(), "the columns in `of`"
    whole = bench.reader.aggregate([MANY], START, START + 70_000 * S, 10_000 * S)
    assert whole.column("n").to_pylist() == [10_000] * 6
    assert bench.reader.aggregate([NUMBER], START - 9 * S, START, S).num_rows == 0


def check_states(bench: _Bench) -> None:
    """Time in state is that of the values: whole numbers and texts, held until the next one; fractions are none."""
    tags = [NUMBER, _SECOND, *([STATE] if bench.rig.texts else [])]
    table = time_in_state(bench.reader, tags, every(4 * S, START - 2 * S, START + 60 * S), now=START + 7 * S)
    found = list(zip(*(table.column(name).to_pylist() for name in ("group", "state", "seconds")), strict=True))
    assert [row[1:] for row in found if row[0] == _SECOND] == [
        ("0", 1.0), ("1", 1.0), (None, 2.0), ("2", 4.0), ("2", 1.0)
    ]  # fmt: skip
    assert NUMBER not in {row[0] for row in found}, "it has fractions"
    if bench.rig.texts:
        said = [sample.value for sample in _texts()]
        first, second = sorted([str(said[0]), str(said[1])]), sorted(map(str, said[2:5]))
        expected = [*((text, 1.0) for text in first), (None, 2.0)]
        expected += [(text, 2.0 if text == "EXECUTE" else 1.0) for text in second]
        assert [row[1:] for row in found if row[0] == STATE] == [*expected, ("EXECUTE", 1.0)]


def check_pictures(bench: _Bench) -> None:
    """Few values come as they are; many within their extremes, about as many as asked for."""
    few = bench.reader.downsample(NUMBER, START, START + 20 * S, 500)
    assert few.column("time").cast(pa.int64()).to_pylist() == [sample.time for sample in _numbers(bench.rig)]
    for points, span in ((400, 40_000), (200, 60_000)):
        many = bench.reader.downsample(MANY, START, START + span * S, points)
        low, high = np.array(many.column("low")), np.array(many.column("high"))
        assert points // 4 <= len(many) <= 2 * points + 1
        assert math.isclose(low.min(), -1.0, rel_tol=1e-3)
        assert math.isclose(high.max(), 1.0, rel_tol=1e-3)
        times = many.column("time").cast(pa.int64()).to_numpy()
        assert np.all(times[1:] >= times[:-1])
        assert START <= times[0] <= times[-1] < START + span * S
    assert bench.reader.downsample(NUMBER, START - 5 * S, START, 100).num_rows == 0


def check_repeats(bench: _Bench) -> None:
    """The same value at the same time, stored again, is one value."""
    before = bench.read([NUMBER, _SECOND], START, START + 20 * S)
    bench.rig.put([Batch.of(_numbers(bench.rig))])
    assert [row[:2] for row in bench.read([NUMBER, _SECOND], START, START + 20 * S)] == [row[:2] for row in before]
    total = bench.reader.aggregate([NUMBER], START, START + 20 * S, 20 * S)
    assert total.column("n").to_pylist() == [18], "two of the twenty are unusable"


def _numbers(rig: StoreRig) -> list[Sample]:
    """Twenty values; one is NaN and bad, one a number of bad quality, one uncertain."""
    value = {3: math.nan, 7: 1 / 3, 19: 19.5} | ({8: -1e-300, 9: 1e300} if rig.exact else {})
    status = {3: quality.BAD_SENSOR_FAILURE, 4: quality.BAD, 5: quality.UNCERTAIN}
    return [Sample(NUMBER, START + i * S, value.get(i, float(i)), status.get(i, 0)) for i in range(20)]


def _texts() -> list[Sample]:
    said = ("EXECUTE", 'say "no", a=b', "", "停机", "EXECUTE")
    return [Sample(STATE, START + i * S, text) for i, text in enumerate(said)]


def _given(rig: StoreRig) -> list[Batch]:
    time = START + np.arange(60_000, dtype=np.int64) * S
    many = np.sin(np.arange(60_000) / 500)
    batches = [
        Batch.of(_numbers(rig)),
        Batch.of([Sample(_SECOND, START + i * S, float(i)) for i in (2, 0, 1)]),
        Batch.of(
            [Sample(COUNT, START + 5, 0), Sample(COUNT, START + S, 2**53), Sample(COUNT, START + 2 * S, -(2**53))]
        ),
        Batch.of([Sample(OTHER, START, -0.25)]),
        Batch((MANY,), np.zeros(60_000, np.int32), time, many, np.zeros(60_000, np.uint32)),
    ]
    return [*batches, Batch.of(_texts())] if rig.texts else batches


def _same(bench: _Bench, expected: float, found: object) -> None:
    assert isinstance(found, float)
    if math.isnan(expected):
        assert math.isnan(found)
    elif bench.rig.exact:
        assert found == expected
    else:
        assert math.isclose(found, expected, rel_tol=_WORST), f"{found} is not {expected}"


def _summary(bench: _Bench, tag: str, start: int, end: int, at: int) -> dict[str, object] | None:
    """What the rows of a bucket amount to."""
    first, last = start + at * 6 * S, min(start + (at + 1) * 6 * S, end)
    inside = bench.read([tag], first, last)
    if not inside:
        return None
    usable = [float(str(row[2])) for row in inside if int(str(row[4])) < quality.BAD and row[2] == row[2]]
    numbers = {"sum": math.fsum(usable), "min": min(usable), "max": max(usable)}
    ends = {"first": usable[0], "last": usable[-1]}
    worst = max(int(str(row[4])) for row in inside)
    return {"tag": tag, "time": first, "n": len(usable), "quality": worst} | numbers | ends
