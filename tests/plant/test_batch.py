"""Batches: columns that survive the wire, and bytes that do not."""

from __future__ import annotations

import math
from contextlib import suppress

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shopfloor.plant import Batch, BatchError, Kind, Sample
from shopfloor.plant.batch import concat, schema

INT64 = st.integers(-(2**63), 2**63 - 1)
VALUES = {
    Kind.FLOAT: st.floats(width=64),
    Kind.INT: INT64,
    Kind.TEXT: st.text(st.characters(exclude_categories=["Cs"])),
}
TAG = st.sampled_from([f"delta/a/b/c/d/tag.{i}" for i in range(4)] + ["délta/区/线/单元/机/温度 °C"])


@st.composite
def batches(draw: st.DrawFn, kind: Kind | None = None) -> Batch:
    chosen = kind or draw(st.sampled_from(list(Kind)))
    sample = st.builds(Sample, TAG, INT64, VALUES[chosen], st.integers(0, 2**32 - 1))
    return Batch.of(draw(st.lists(sample, max_size=30)), chosen)


def rows(batch: Batch) -> list[tuple[str, int, object, int]]:
    """Comparable rows: NaN equals NaN, and 0.0 differs from -0.0."""
    return [(s.tag, s.time, repr(s.value), s.quality) for s in batch]


@given(batches())
def test_a_batch_survives_the_wire(batch: Batch) -> None:
    back = Batch.from_bytes(batch.to_bytes())
    assert back.kind is batch.kind
    assert back.names == batch.names
    assert rows(back) == rows(batch)
    assert back.to_bytes() == batch.to_bytes()


@given(batches(), st.data())
def test_damaged_bytes_are_a_batch_error_or_a_batch(batch: Batch, data: st.DataObject) -> None:
    raw = bytearray(batch.to_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    with suppress(BatchError):
        assert len(list(Batch.from_bytes(bytes(raw)))) >= 0


@given(batches(), st.data())
def test_a_cut_batch_is_a_batch_error(batch: Batch, data: st.DataObject) -> None:
    raw = batch.to_bytes()
    cut = data.draw(st.integers(0, len(raw) - 9))
    with pytest.raises(BatchError):
        Batch.from_bytes(raw[:cut])


@given(st.binary(max_size=200))
def test_other_bytes_are_a_batch_error(raw: bytes) -> None:
    with pytest.raises(BatchError):
        Batch.from_bytes(raw)


def test_nan_keeps_its_quality() -> None:
    batch = Batch.of([Sample("t", 1, math.nan, 0x80000000)])
    back = next(iter(Batch.from_bytes(batch.to_bytes())))
    assert math.isnan(float(back.value))
    assert back.quality == 0x80000000


@given(batches(), st.data())
def test_take_keeps_rows_and_names(batch: Batch, data: st.DataObject) -> None:
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(batch), max_size=len(batch))), bool)
    taken = batch.take(mask)
    assert taken.names == batch.names
    assert rows(taken) == [row for row, keep in zip(rows(batch), mask, strict=True) if keep]


@given(st.lists(batches(Kind.FLOAT), min_size=1, max_size=4))
def test_concat_keeps_every_row_in_order(parts: list[Batch]) -> None:
    assert rows(concat(parts)) == [row for part in parts for row in rows(part)]


def test_concat_of_several_kinds_is_refused() -> None:
    with pytest.raises(BatchError, match="several kinds"):
        concat([Batch.of([Sample("t", 1, 1.0)]), Batch.of([Sample("t", 1, "x")])])
    with pytest.raises(BatchError, match="or none"):
        concat([])


def test_rename_keeps_columns() -> None:
    batch = Batch.of([Sample("a", 1, 1.0), Sample("b", 2, 2.0)]).rename(["x", "y"])
    assert [sample.tag for sample in batch] == ["x", "y"]


def test_columns_of_several_lengths_are_refused() -> None:
    one, two = np.zeros(1, np.int32), np.zeros(2)
    with pytest.raises(BatchError, match=r"have \[1, 2\] rows"):
        Batch(("t",), one, one.astype(np.int64), two, one.astype(np.uint32))


def test_values_of_another_type_are_refused() -> None:
    zero = np.zeros(1, np.int32)
    with pytest.raises(BatchError, match="not float32"):
        Batch(("t",), zero, zero.astype(np.int64), zero.astype(np.float32), zero.astype(np.uint32))


def test_no_samples_need_a_kind() -> None:
    with pytest.raises(BatchError, match="needs its kind"):
        Batch.of([])
    assert len(Batch.of([], Kind.TEXT)) == 0


def test_kinds_follow_the_first_value() -> None:
    kinds = [Batch.of([Sample("t", 1, value)]).kind for value in (1.0, 1, "x", True)]
    assert kinds == [Kind.FLOAT, Kind.INT, Kind.TEXT, Kind.FLOAT]


def record(tag: pa.Array, value: pa.Array) -> pa.RecordBatch:
    time = pa.array([1] * len(value), pa.int64()).view(pa.timestamp("ns", "UTC"))
    return pa.RecordBatch.from_arrays(
        [tag, time, value, pa.array([0] * len(value), pa.uint32())], ["tag", "time", "value", "quality"]
    )


def test_arrow_of_other_columns_is_refused() -> None:
    with pytest.raises(BatchError, match="has the columns x int64: expected tag dictionary"):
        Batch.from_arrow(pa.RecordBatch.from_arrays([pa.array([1])], ["x"]))


def test_nulls_are_refused() -> None:
    good = Batch.of([Sample("t", 1, 1.0)]).to_arrow()
    columns = [*good.columns[:2], pa.array([None], pa.float64()), good.columns[3]]
    with pytest.raises(BatchError, match="no nulls"):
        Batch.from_arrow(pa.RecordBatch.from_arrays(columns, schema=schema(Kind.FLOAT)))


def test_several_records_are_refused() -> None:
    sink = pa.BufferOutputStream()
    arrow = Batch.of([Sample("t", 1, 1.0)]).to_arrow()
    with pa.ipc.new_stream(sink, arrow.schema) as writer:
        writer.write_batch(arrow)
        writer.write_batch(arrow)
    with pytest.raises(BatchError, match="these bytes hold 2"):
        Batch.from_bytes(sink.getvalue().to_pybytes())


@given(batches(), st.data())
def test_a_batch_of_used_names_holds_the_same(batch: Batch, data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.integers(0, max(len(batch) - 1, 0)), max_size=len(batch)))
    part = batch.take(np.array(rows, int))
    assert repr(list(part.used())) == repr(list(part))
    assert set(part.used().names) == {batch.names[tag] for tag in part.tag.tolist()}


@pytest.mark.parametrize("kind", list(Kind))
def test_many_names_are_written_once_and_read_as_before(kind: Kind) -> None:
    names = tuple(f"delta/frames/machining/cell-a/cnc-{n:04d}/{kind}" for n in range(1_000))
    value = {Kind.FLOAT: 0.5, Kind.INT: 2**62, Kind.TEXT: "铝"}[kind]
    batch = Batch.of([Sample(name, n, value, n) for n, name in enumerate(names)])
    first, second, third = (batch.to_bytes() for _ in range(3))
    assert second == third
    assert len(second) < len(first) - 30_000
    assert list(Batch.from_bytes(first)) == list(Batch.from_bytes(second)) == list(batch)
    few = batch.take(slice(0, 2))
    assert list(Batch.from_bytes(few.to_bytes())) == list(few)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("rows", [0, 1, 2, 63, 64, 1_001])
def test_columns_between_a_written_front_are_what_arrow_writes(kind: Kind, rows: int) -> None:
    """Also from columns with gaps between their values, as slices of a notification are."""
    names = tuple(f"delta/frames/machining/cell-a/cnc-{n:04d}/load" for n in range(100))
    numbers = np.arange(2 * rows, dtype=np.int64)
    value = numbers.astype({Kind.FLOAT: np.float64, Kind.INT: np.int64, Kind.TEXT: object}[kind])
    if kind is Kind.TEXT:
        value = np.array([str(one) for one in value], object)
    batch = Batch(names, (numbers % 100).astype(np.int32), numbers + 10**18, value, numbers.astype(np.uint32))
    for one in (batch.take(slice(0, rows)), batch.take(slice(0, None, 2))):
        one.to_bytes()
        with pa.ipc.open_stream(one.to_bytes()) as reader:
            (record,) = list(reader)
        record.validate(full=True)
        assert record.equals(one.to_arrow())
        assert one.to_bytes().count(record.serialize().to_pybytes()) == 1


def test_names_that_differ_in_one_place_are_told_apart() -> None:
    names = [f"delta/frames/machining/cell-a/cnc-01/tag-{n}" for n in range(100)]
    other = [*names[:50], "delta/frames/machining/cell-a/cnc-01/other", *names[51:]]
    for table in (names, other, names):
        batch = Batch.of([Sample(name, 1, 0.5) for name in table])
        assert Batch.from_bytes(batch.to_bytes()).names == Batch.from_bytes(batch.to_bytes()).names == tuple(table)
