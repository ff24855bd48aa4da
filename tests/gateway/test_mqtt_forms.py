"""Paths, samples, times and qualities; and whatever a device may send: counted or stored, never a crash."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shopfloor.gateway.mqtt.columns import Columns
from shopfloor.gateway.mqtt.convert import MessageError, loads
from shopfloor.gateway.mqtt.mapping import Mapping
from shopfloor.gateway.mqtt.options import TopicOptions
from shopfloor.gateway.mqtt.paths import ABSENT, path
from shopfloor.plant import Batch, Kind, Tag

ASSET = "delta/forge/line-1/cell-1/press-1"
NOW = 1_800_000_000_000_000_000
S = 1_000_000_000


class Forge:
    assets = ()

    def tag(self, name: str) -> Tag | None:
        kinds = {"int": Kind.INT, "float": Kind.FLOAT, "text": Kind.TEXT}
        last = name.rpartition("/")[2]
        return Tag(last, kinds[last]) if last in kinds else None


def mapping(**form: Any) -> Mapping:
    return Mapping.of([TopicOptions.model_validate({"topic": "t", "tag": f"{ASSET}/x", **form})], Forge())


def read(payload: Any, /, **form: Any) -> list[tuple[str, Any, int, int]]:
    columns = Columns()
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    mapping(**form).read(b"t", body, NOW, columns)
    rows = [sample for batch in columns.batches() for sample in batch]
    return [(row.tag.rpartition("/")[2], row.value, row.time, row.quality) for row in rows]


MESSAGE = {"a": {"b": [10, {"c.d": 11, "it's": 12, "": 13}]}, "n": None, "list": [[1, 2], [3]], "o": {"x": 1, "y": 2}}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a.b[0]", 10), ("a.b[-2]", 10), ("a.b[1]['c.d']", 11), ('a.b[1]["c.d"]', 11), ("a.b[1]['it\\'s']", 12),
        ("a.b[1]['']", 13), ("['a'].b[0]", 10), ("$.a.b[0]", 10), ("$['a']['b'][0]", 10), ("n", None),
        ("$", MESSAGE), ("a.b[2]", ABSENT), ("a.b.c", ABSENT), ("a[0]", ABSENT), ("n.x", ABSENT), ("z", ABSENT),
    ],
)  # fmt: skip
def test_a_path_leads_to_one(text: str, found: Any) -> None:
    assert path(text).get(MESSAGE) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("list[*]", [("0", [1, 2]), ("1", [3])]),
        ("list[*][*]", [("0", 1), ("1", 2), ("0", 3)]),
        ("o.*", [("x", 1), ("y", 2)]),
        ("o[*]", [("x", 1), ("y", 2)]),
        ("list[*][1]", [("0", 2), ("1", ABSENT)]),
        ("n[*]", [("", ABSENT)]),
    ],
)
def test_a_path_leads_to_many(text: str, found: Any) -> None:
    assert list(path(text).every(MESSAGE)) == found


@pytest.mark.parametrize(
    "text", ["", ".a", "a.", "a..b", "a[", "a[x]", "a[1:2]", "a[?(@.b)]", "a['b", "a[01]", "$a[", "a[*", "a]b", "..a"]
)
def test_what_is_no_path_is_said(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no path|leads nowhere"):
        path(text)


@given(st.text(min_size=1))
def test_every_text_is_a_path_or_a_sentence(text: str) -> None:
    try:
        found = path(text)
    except ValueError:
        return
    found.get(MESSAGE)
    list(found.every(MESSAGE))


@given(st.text())
def test_every_name_can_be_quoted(name: str) -> None:
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    assert path(f"a['{escaped}']").get({"a": {name: 1}}) == 1


@pytest.mark.parametrize(
    ("unit", "time", "ns"),
    [
        ("s", 1.5, 1_500_000_000), ("ms", 1.5, 1_500_000), ("us", 7, 7_000), ("ns", 7, 7), ("ms", "7", 7_000_000),
        ("auto", 1_700_000_000_123_456, 1_700_000_000_123_456_000), ("auto", 1_700_000_000_123_456_789, None),
        ("auto", "1700000000", 1_700_000_000 * S), ("iso", "1970-01-01T00:00:01.123456789Z", 1_123_456_789),
        ("iso", "1970-01-01T02:00:01+02:00", S), ("auto", None, NOW), ("ms", None, NOW),
    ],
)  # fmt: skip
def test_times_in_every_unit(unit: str, time: Any, ns: int | None) -> None:
    assert read({"v": 1, "t": time}, value="v", time="t", time_unit=unit)[0][2] == (time if ns is None else ns)


@pytest.mark.parametrize(
    ("unit", "time"),
    [
        ("iso", 5),
        ("s", "noon"),
        ("s", -1),
        ("s", 1e300),
        ("ns", 2**63),
        ("auto", {}),
        ("iso", "1969-12-31"),
        ("ms", True),
    ],
)
def test_times_that_are_none(unit: str, time: Any) -> None:
    with pytest.raises(MessageError, match="the time"):
        read({"v": 1, "t": time}, value="v", time="t", time_unit=unit)


def test_values_without_a_time_get_times_of_their_own() -> None:
    one, columns = mapping(samples="$[*]"), Columns()
    for _ in range(3):
        one.read(b"t", b"[1, 2]", NOW, columns)
    (batch,) = columns.batches()
    assert len(set(batch.time.tolist())) == 6
    assert max(batch.time.tolist()) < NOW + 1_000


def test_offsets_are_added_to_the_base_time() -> None:
    message = {"t0": 100, "s": [{"d": 0, "v": 1}, {"d": 250, "v": 2}, {"d": -1, "v": 3}]}
    rows = read(message, samples="s[*]", value="v", time="$.t0", offset="d")
    assert [(row[1], row[2]) for row in rows] == [(1, 100 * S), (2, 100 * S + S // 4), (3, 100 * S - 1_000_000)]


def test_a_period_may_stand_in_the_message() -> None:
    rows = read({"t0": 100, "dt": 2, "s": [5, 6]}, samples="s[*]", time="$.t0", period="$.dt", offset_unit="us")
    assert [row[2] for row in rows] == [100 * S, 100 * S + 2_000]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"t0": 1, "s": [{"v": 1}]}, "the message has no key 'd'"),
        ({"t0": 1, "s": [{"v": 1, "d": "x"}]}, "is no number of ms"),
        ({"t0": 1, "s": [{"v": 1, "d": -2000}]}, "the time of sample 0 lies before 1970"),
        ({"t0": 1, "s": [{"v": 1, "d": 1e300}]}, "is no number of ms"),
        ({"t0": 1, "s": [{"d": 1}]}, "the message has no key 'v'"),
        ({"t0": 1}, r"the message has no key 's\[\*\]'"),
        ({"t0": 1, "s": 5}, r"the message has no key 's\[\*\]'"),
    ],
)
def test_samples_that_lack_something(message: Any, reason: str) -> None:
    with pytest.raises(MessageError, match=reason):
        read(message, samples="s[*]", value="v", time="$.t0", offset="d")


def test_one_wrong_sample_leaves_nothing_of_its_message() -> None:
    columns = Columns()
    with pytest.raises(MessageError):
        mapping(samples="$[*]").read(b"t", b"[1, 2, [3]]", NOW, columns)
    assert list(columns.batches()) == []
    assert read([], samples="$[*]") == [], "no samples are no mistake"


def test_qualities_of_the_device_are_translated() -> None:
    words = {"OK": "good", "7": "BadSensorFailure", "true": 0x40000000}
    rows = [
        read({"v": 1, "q": q}, value="v", quality="q", qualities=words)[0][3] for q in ("OK", 7, True, "bad", 3, None)
    ]
    assert rows == [0, 0x808C0000, 0x40000000, 0x80000000, 3, 0]
    assert read({"v": 1}, value="v", quality="q")[0][3] == 0


@pytest.mark.parametrize(
    ("value", "numeric", "expected"),
    [("4.5", True, 4.5), ("4.5", False, "4.5"), ("open", True, "open"), ("1e400", True, None), (" 7 ", True, 7.0)],
)
def test_texts_that_are_numbers(value: str, numeric: bool, expected: Any) -> None:
    (found,) = read(value, numeric=numeric)
    assert (None if isinstance(found[1], float) and math.isnan(found[1]) else found[1]) == expected


@pytest.mark.parametrize(
    ("tag", "payload", "value", "status"),
    [
        ("float", b"NaN", None, 0x80000000), ("float", b"-Infinity", None, 0x80000000),
        ("float", b"1e999", None, 0x80000000), ("x", b"null", None, 0x80000000),
        ("float", b"1" + b"0" * 400, None, 0x80740000), ("int", b"9223372036854775807", 2**63 - 1, 0),
        ("int", b"-9223372036854775808", -(2**63), 0), ("int", b"9223372036854775808", 0, 0x80740000),
        ("int", b"NaN", 0, 0x80740000), ("int", b"true", 1, 0), ("x", b"true", 1.0, 0),
        ("text", b"[1, {}]", "[1, {}]", 0), ("text", b"NaN", "NaN", 0), ("x", b"\xef\xbb\xbf1", 1.0, 0),
        ("x", b'"\\ud83d\\ude00"', "\N{GRINNING FACE}", 0), ("x", b'{"v": 1, "v": 2}', 2.0, 0),
    ],
)  # fmt: skip
def test_odd_values_are_data(tag: str, payload: bytes, value: Any, status: int) -> None:
    form = {"value": "v"} if payload.startswith(b"{") else {}
    ((_, found, _, quality),) = read(payload, tag=f"{ASSET}/{tag}", **form)
    assert (None if isinstance(found, float) and math.isnan(found) else found) == value
    assert quality == status


@pytest.mark.parametrize(
    "payload",
    [b"", b"\xff", b'"\xff"', b'"\\ud800"', b'{"a": "\\udfff"}', b"[" * 200_000, b"9" * 5_000, b"1 2", b"{'a': 1}"],
)  # fmt: skip
def test_what_is_no_json_is_refused(payload: bytes) -> None:
    with pytest.raises(MessageError, match="is no JSON"):
        loads(payload)


def test_a_deep_value_is_refused_or_kept_as_text() -> None:
    for depth in (10, 500, 900, 5_000):
        payload = b"[" * depth + b"]" * depth
        try:
            ((_, found, _, _),) = read(payload, tag=f"{ASSET}/text")
            assert found == payload.decode()
        except MessageError:
            assert depth > 10


def test_a_megabyte_of_samples_is_read_whole() -> None:
    rows = read({"s": [n / 8 for n in range(150_000)], "t0": 5}, samples="s[*]", time="$.t0", period="1ms")
    assert len(rows) == 150_000
    assert rows[-1][1:3] == (149_999 / 8, 5 * S + 149_999_000_000)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
FORMS = st.sampled_from(
    [
        {}, {"value": "v", "time": "t"}, {"values": "v", "tag": f"{ASSET}/{{key}}"}, {"samples": "$[*]"},
        {"samples": "$.*", "tag": f"{ASSET}/{{key}}"}, {"samples": "v[*]", "value": "v", "time": "$.t", "period": "1s"},
        {"key": "t", "tag": f"{ASSET}/{{key}}", "value": "v"}, {"quality": "t", "value": "v", "numeric": True},
    ]
)  # fmt: skip


@given(JSON | st.fixed_dictionaries({"v": JSON, "t": JSON}), FORMS, st.sampled_from(["x", "int", "float", "text"]))
def test_any_json_becomes_batches_that_can_be_stored_or_a_reason(message: Any, form: dict[str, Any], tag: str) -> None:
    columns = Columns()
    body = json.dumps(message).encode()
    try:
        mapping(**{"tag": f"{ASSET}/{tag}", **form}).read(b"t", body, NOW, columns)
    except MessageError as reason:
        said = str(reason)
        assert said
    for batch in columns.batches():
        assert len(Batch.from_bytes(batch.to_bytes())) == len(batch) > 0


@given(JSON)
def test_json_means_what_it_means_to_the_standard_library(message: Any) -> None:
    body = json.dumps(message).encode()
    try:
        found = loads(body)
    except MessageError:
        assert b"\\ud" in body, "only half a character is refused"
        return
    assert json.dumps(found) == json.dumps(json.loads(body))


@given(st.binary(max_size=60))
def test_any_bytes_are_json_or_refused(payload: bytes) -> None:
    try:
        loads(payload)
    except MessageError:
        with pytest.raises((ValueError, RecursionError)):
            json.dumps(json.loads(payload), ensure_ascii=False).encode()


def test_a_topic_that_is_no_text_is_refused() -> None:
    with pytest.raises(MessageError, match="not UTF-8"):
        mapping().read(b"\xff", b"1", NOW, Columns())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"value": "a[*]"}, "leads to many|for each of many samples"),
        ({"values": "a[*]"}, "leads to many"),
        ({"samples": "a"}, "leads to one sample"),
        ({"offset": "a"}, "say by 'samples' where they are"),
        ({"samples": "a[*]", "offset": "b", "period": "1s"}, "exactly one"),
        ({"samples": "a[*]", "period": "soon"}, "is no duration"),
        ({"values": "a", "key": "b"}, "exactly one"),
        ({"value": "a..b"}, "is no path"),
        ({"qualities": {"OK": "fine"}}, "the quality 'fine' of 'OK' is not known"),
        ({"tag": f"{ASSET}/{{key}}"}, "which the topic does not have"),
    ],
)
def test_impossible_forms_are_configuration_errors(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        mapping(**change)
