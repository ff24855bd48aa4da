"""From payloads to columns: every data type, the fast way against the ordinary one, and what it costs."""

import math
import statistics
import struct
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shopfloor.gateway.sparkplug.arrival import Arrival
from shopfloor.gateway.sparkplug.columns import Columns, Paths
from shopfloor.gateway.sparkplug.datatypes import DataType, field_of
from shopfloor.gateway.sparkplug.decode import decode
from shopfloor.gateway.sparkplug.payload import Payload
from shopfloor.gateway.sparkplug.plans import Slot
from shopfloor.gateway.sparkplug.table import Table
from shopfloor.plant import Sample, quality

ASSET = "a/b/c/d/e"


def world(codes: list[int]) -> tuple[Table, Columns]:
    """A table of metrics m0, m1, … with the aliases 1, 2, …"""
    paths, table = Paths(), Table()
    for n, code in enumerate(codes):
        path = f"{ASSET}/m{n}"
        table.add(Slot("d", f"m{n}", paths.number(path), path, code, field_of(code), n + 1))
    return table, Columns(paths)


def read(data: bytes, table: Table, columns: Columns) -> list[Sample]:
    decode(Arrival(data, 7, table.layout("d", data)), table, "d", columns)
    return [sample for batch in columns.batches() for sample in batch]


def one(code: int, **value: Any) -> list[Sample]:
    table, columns = world([code])
    payload = Payload(timestamp=5, seq=1)
    payload.metrics.add(alias=1, timestamp=3, **value)
    return read(payload.SerializeToString(), table, columns)


def of(values: list[Any], end: str = "") -> list[Sample]:
    return [Sample(f"{ASSET}/m0{end.format(n)}", 3_000_000, value) for n, value in enumerate(values)]


T = DataType
SCALARS = [
    (T.INT8, "int_value", 0xFF, -1),
    (T.INT8, "int_value", 0xFFFFFFFF, -1),
    (T.INT16, "int_value", 0x8000, -32768),
    (T.INT32, "int_value", 0xFFFFFFFE, -2),
    (T.INT64, "long_value", 2**64 - 5, -5),
    (T.UINT8, "int_value", 200, 200),
    (T.UINT16, "int_value", 65535, 65535),
    (T.UINT32, "int_value", 4_000_000_000, 4_000_000_000),
    (T.UINT32, "long_value", 4_000_000_000, 4_000_000_000),
    (T.UINT64, "long_value", 2**63 - 1, 2**63 - 1),
    (T.UINT64, "long_value", 2**63, float(2**63)),
    (T.FLOAT, "float_value", 0.5, 0.5),
    (T.DOUBLE, "double_value", 1e300, 1e300),
    (T.DOUBLE, "double_value", 0.0, 0.0),
    (T.BOOLEAN, "boolean_value", True, 1.0),
    (T.BOOLEAN, "boolean_value", False, 0.0),
    (T.STRING, "string_value", "Grüße", "Grüße"),
    (T.STRING, "string_value", "", ""),
    (T.DATETIME, "long_value", 1500, "1970-01-01T00:00:01.500000+00:00"),
    (T.DATETIME, "long_value", 0, "1970-01-01T00:00:00+00:00"),
    (T.TEXT, "string_value", "t", "t"),
    (T.UUID, "string_value", "u", "u"),
    (T.BYTES, "bytes_value", b"\x01\xff", "01ff"),
    (T.FILE, "bytes_value", b"\x02", "02"),
]


@pytest.mark.parametrize(("code", "field", "value", "expected"), SCALARS)
def test_a_scalar_of_every_data_type(code: int, field: str, value: Any, expected: Any) -> None:
    [sample] = one(code, **{field: value})
    assert (sample.value, sample.quality, sample.time) == (expected, 0, 3_000_000)
    assert type(sample.value) is type(expected)


ARRAYS = [
    (T.INT8_ARRAY, struct.pack("<2b", -1, 2), [-1, 2]),
    (T.INT16_ARRAY, struct.pack("<2h", -30000, 2), [-30000, 2]),
    (T.INT32_ARRAY, struct.pack("<2i", -1, 2), [-1, 2]),
    (T.INT64_ARRAY, struct.pack("<2q", -(2**60), 2), [-(2**60), 2]),
    (T.UINT8_ARRAY, bytes([255, 0]), [255, 0]),
    (T.UINT16_ARRAY, struct.pack("<H", 65535), [65535]),
    (T.UINT32_ARRAY, struct.pack("<I", 2**32 - 1), [2**32 - 1]),
    (T.UINT64_ARRAY, struct.pack("<2Q", 2**64 - 1, 1), [float(2**64 - 1), 1]),
    (T.FLOAT_ARRAY, struct.pack("<2f", 0.5, -2.0), [0.5, -2.0]),
    (T.DOUBLE_ARRAY, struct.pack("<d", 1e300), [1e300]),
    (T.BOOLEAN_ARRAY, struct.pack("<I", 10) + bytes([0b10100000, 0b01000000]), [1, 0, 1, 0, 0, 0, 0, 0, 0, 1]),
    (T.STRING_ARRAY, b"ab\0\0c\0", ["ab", "", "c"]),
    (T.DATETIME_ARRAY, struct.pack("<q", 1500), ["1970-01-01T00:00:01.500000+00:00"]),
]


@pytest.mark.parametrize(("code", "data", "expected"), ARRAYS)
def test_an_array_is_flattened(code: int, data: bytes, expected: list[Any]) -> None:
    samples = one(code, bytes_value=data)
    assert sorted(samples, key=lambda sample: sample.tag) == sorted(of(expected, "[{}]"), key=lambda sample: sample.tag)


@pytest.mark.sparkplug(
    "tck-id-payloads-dataset-column-size",
    "tck-id-payloads-dataset-column-num-headers",
    "tck-id-payloads-dataset-types-num",
    "tck-id-payloads-dataset-types-def",
)
def test_a_data_set_is_flattened_and_a_crooked_one_is_bad() -> None:
    rows = [{"elements": [{"int_value": 7}, {"string_value": "x"}]}, {"elements": [{"int_value": 8}, {}]}]
    table = {"num_of_columns": 2, "columns": ["n", "s"], "types": [T.INT32, T.STRING], "rows": rows}
    found = {sample.tag.removeprefix(f"{ASSET}/m0"): sample.value for sample in one(T.DATASET, dataset_value=table)}
    assert found == {"[0].n": 7, "[0].s": "x", "[1].n": 8}
    for wrong in ({"num_of_columns": 3}, {"types": [T.INT32]}, {"columns": ["n"]}):
        [sample] = one(T.DATASET, dataset_value=table | wrong)
        assert sample.quality == quality.BAD_DECODING


@pytest.mark.sparkplug("tck-id-payloads-template-instance-members-data", "tck-id-payloads-template-instance-parameters")
def test_a_template_is_flattened() -> None:
    members = [
        {"name": "speed", "datatype": T.DOUBLE, "double_value": 2.5},
        {"name": "axes", "datatype": T.INT8_ARRAY, "bytes_value": b"\x01\xff"},
    ]
    parameters = [{"name": "size", "type": T.INT16, "int_value": 0xFFFF}]
    template = {"template_ref": "drive", "is_definition": False, "metrics": members, "parameters": parameters}
    found = {s.tag.removeprefix(f"{ASSET}/m0"): s.value for s in one(T.TEMPLATE, template_value=template)}
    assert found == {".size": -1, ".speed": 2.5, ".axes[0]": 1, ".axes[1]": -1}


@pytest.mark.parametrize(("code", "empty"), [(T.DOUBLE, None), (T.INT32, 0), (T.STRING, ""), (T.DATETIME, "")])
def test_a_null_is_a_bad_value(code: int, empty: Any) -> None:
    [sample] = one(code, is_null=True)
    assert sample.quality == quality.BAD
    assert math.isnan(sample.value) if empty is None else sample.value == empty


def test_a_value_in_a_field_that_cannot_be_is_bad_and_not_zero() -> None:
    [sample] = one(T.DOUBLE, string_value="7")
    assert sample.quality == quality.BAD_TYPE_MISMATCH
    assert math.isnan(sample.value)


def test_a_time_that_no_clock_says_is_replaced() -> None:
    table, columns = world([T.DOUBLE])
    payload = Payload(timestamp=5, seq=1)
    payload.metrics.add(alias=1, double_value=1.0)
    payload.metrics.add(alias=1, timestamp=2**63, double_value=2.0)
    for _ in range(3):
        assert [sample.time for sample in read(payload.SerializeToString(), table, columns)] == [5_000_000, 5_000_000]


CODES = [T.DOUBLE, T.INT32, T.BOOLEAN, T.INT64, T.FLOAT, T.UINT32, T.INT8, T.STRING]
VALUES = {
    T.DOUBLE: st.floats(allow_nan=False),
    T.FLOAT: st.floats(width=32, allow_nan=False),
    T.INT32: st.integers(0, 2**32 - 1),
    T.UINT32: st.integers(0, 2**32 - 1),
    T.INT8: st.integers(0, 255),
    T.INT64: st.integers(0, 2**64 - 1),
    T.BOOLEAN: st.booleans(),
    T.STRING: st.text(max_size=3),
}
EXTRAS = st.sampled_from([{}, {}, {}, {"is_historical": True}, {"quality": 0}, {"quality": 192}])


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[int], list[bytes]]:
    """Some payloads of one node: mostly the same metrics with other values, sometimes others."""
    codes = draw(st.lists(st.sampled_from(CODES), min_size=1, max_size=6))
    order = draw(st.permutations(range(len(codes))))
    payloads = []
    for number in range(draw(st.integers(2, 8))):
        chosen = order if draw(st.integers(0, 4)) else draw(st.lists(st.sampled_from(range(len(codes))), min_size=1))
        payload = Payload(timestamp=draw(st.integers(1, 2**43)), seq=number)
        for n in chosen:
            metric = payload.metrics.add(alias=n + 1, timestamp=draw(st.integers(0, 2**43)))
            extra = draw(EXTRAS)
            metric.is_historical = extra.get("is_historical", False)
            if "quality" in extra:
                metric.properties.keys.append("Quality")
                metric.properties.values.add(type=3, int_value=extra["quality"])
            if draw(st.integers(0, 9)):
                setattr(metric, field_of(codes[n]), draw(VALUES[codes[n]]))
            else:
                metric.is_null = True
        payloads.append(payload.SerializeToString())
    return codes, payloads


@settings(deadline=None, max_examples=150)
@given(streams())
def test_the_fast_way_and_the_ordinary_one_agree(stream: tuple[list[int], list[bytes]]) -> None:
    codes, payloads = stream
    table, columns = world(codes)
    for data in payloads:
        plain = Payload.FromString(data)
        arrival = Arrival(data, 7, table.layout("d", data))
        assert (arrival.seq, arrival.sent) == (plain.seq, plain.timestamp)
        ordinary = read(data, *world(codes))
        assert sorted(map(repr, read(data, table, columns))) == sorted(map(repr, ordinary))


def test_the_fast_way_is_taken_and_ends_with_a_birth() -> None:
    table, columns = world([T.DOUBLE, T.INT32])
    for n in range(5):
        payload = Payload(timestamp=1_700_000_000_000, seq=n)
        payload.metrics.add(alias=1, timestamp=1_700_000_000_000 + n, double_value=n / 2)
        payload.metrics.add(alias=2, timestamp=1_700_000_000_000 + n, int_value=300 + n)
        assert [sample.value for sample in read(payload.SerializeToString(), table, columns)] == [n / 2, 300 + n]
    assert table.hits == 3, "the first is read, the second learnt"
    table.clear("d")
    assert table.layout("d", payload.SerializeToString()) is None


def cost(work: Any) -> float:
    start = time.process_time()
    for _ in range(60):
        work()
    return time.process_time() - start


def test_columns_cost_less_than_asking_each_value_for_its_type() -> None:
    table, columns = world([T.DOUBLE] * 200)
    payload = Payload(timestamp=1_700_000_000_000, seq=1)
    for n in range(200):
        payload.metrics.add(alias=n + 1, timestamp=1_700_000_000_000 + n, double_value=n + 0.5)
    data = payload.SerializeToString()

    def asking() -> list[Any]:
        metrics = Payload.FromString(data).metrics
        return [(one.alias, one.timestamp, getattr(one, one.WhichOneof("value"))) for one in metrics]

    def ours() -> None:
        decode(Arrival(data, 7, table.layout("d", data)), table, "d", columns)
        list(columns.batches())

    ours()
    rounds = [cost(asking) / cost(ours) for _ in range(9)]
    assert statistics.median(rounds) > 1.3
