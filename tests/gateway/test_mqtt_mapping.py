"""Topics and JSON become values; what is no value is refused with its reason."""

from typing import Any

import pytest
from shopfloor.gateway.mqtt.columns import Columns
from shopfloor.gateway.mqtt.mapping import Mapping, MessageError
from shopfloor.gateway.mqtt.options import MqttOptions, TopicOptions
from shopfloor.plant import Asset, AssetPath, Kind, Tag

ROW = "delta/smelter/potline/row-1/pot-01"
NOW = 1_800_000_000_000_000_000


class Potline:
    assets = (
        Asset(AssetPath.parse(ROW), "pot", "Pot 01"),
        Asset(AssetPath.parse("delta/smelter/potline/row-2/pot-21"), "pot", "Pot 21"),
    )

    def tag(self, path: str) -> Tag | None:
        kinds = {"feeder.count": Kind.INT, "state": Kind.TEXT, "voltage": Kind.FLOAT}
        name = path.rpartition("/")[2]
        return Tag(name, kinds[name]) if name in kinds else None


OBJECT = TopicOptions(topic="f/{asset}", values="values", time="t", tag="delta/smelter/potline/*/{asset}/{key}")
SINGLE = TopicOptions(
    topic="f/{asset}/{tag}", value="v", time="t", quality="q", tag="delta/smelter/potline/*/{asset}/{tag}"
)
BARE = TopicOptions(topic="bare/{tag}", tag=f"{ROW}/{{tag}}")


def read(topic: str, payload: str | bytes) -> list[tuple[str, Any, int, int]]:
    mapping = Mapping.of([OBJECT, SINGLE, BARE], Potline())
    columns = Columns()
    mapping.read(topic.encode(), payload if isinstance(payload, bytes) else payload.encode(), NOW, columns)
    samples = [sample for batch in columns.batches() for sample in batch]
    return [(sample.tag, sample.value, sample.time, sample.quality) for sample in samples]


def test_an_object_of_tags_with_the_row_found_by_the_asset() -> None:
    assert read("f/pot-21", '{"t": 1700000000000, "values": {"voltage": 4, "feeder.count": 9007199254740993}}') == [
        ("delta/smelter/potline/row-2/pot-21/voltage", 4.0, 1_700_000_000_000_000_000, 0),
        ("delta/smelter/potline/row-2/pot-21/feeder.count", 9007199254740993, 1_700_000_000_000_000_000, 0),
    ]


@pytest.mark.parametrize(
    ("time", "ns"),
    [
        ("1700000000", 1_700_000_000_000_000_000),
        ("1700000000.5", 1_700_000_000_500_000_000),
        ("1700000000123", 1_700_000_000_123_000_000),
        ('"2023-11-14T22:13:20Z"', 1_700_000_000_000_000_000),
        ('"2023-11-14T23:13:20.000001+01:00"', 1_700_000_000_000_001_000),
        ('"2023-11-14T22:13:20"', 1_700_000_000_000_000_000),
        ("null", NOW),
    ],
)
def test_times(time: str, ns: int) -> None:
    assert read("f/pot-01/voltage", f'{{"v": 1, "t": {time}}}')[0][2] == ns


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ('"good"', 0),
        ('"Uncertain"', 0x40000000),
        ('"bad"', 0x80000000),
        ('"BadSensorFailure"', 0x808C0000),
        ("2156658688", 0x808C0000),
        ("null", 0),
    ],
)
def test_qualities(word: str, status: int) -> None:
    assert read("f/pot-01/voltage", f'{{"v": 1, "q": {word}}}')[0][3] == status


@pytest.mark.parametrize(
    ("tag", "value", "expected", "status"),
    [
        ("voltage", "true", 1.0, 0),
        ("voltage", '"4.25"', 4.25, 0),
        ("voltage", '"open"', "nan", 0x80740000),
        ("voltage", "null", "nan", 0x80000000),
        ("feeder.count", "7", 7, 0),
        ("feeder.count", "7.5", 0, 0x80740000),
        ("feeder.count", "1e30", 0, 0x80740000),
        ("state", '"NORMAL"', "NORMAL", 0),
        ("state", "5", "5", 0),
        ("state", "null", "", 0x80000000),
        ("undeclared", '"text"', "text", 0),
        ("undeclared", "3", 3.0, 0),
    ],
)
def test_values_take_the_declared_kind_and_bad_data_is_data(tag: str, value: str, expected: Any, status: int) -> None:
    (_, got, _, quality) = read(f"f/pot-01/{tag}", f'{{"v": {value}}}')[0]
    assert (str(got) if expected == "nan" else got) == expected
    assert type(got) is (float if expected == "nan" else type(expected))
    assert quality == status


def test_a_message_may_be_the_value() -> None:
    assert read("bare/voltage", "4.5") == [(f"{ROW}/voltage", 4.5, NOW, 0)]


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("f/pot-01", "{", "b'{' is no JSON"),
        ("f/pot-01", b"\xff\xfe", r"b'\xff\xfe' is no JSON"),
        ("f/pot-01", "[]", "the message has no key 'values'"),
        ("f/pot-01", '{"values": 3}', "'values' is a number: an object of tags was expected"),
        ("f/pot-99", '{"values": {"a": 1}}', "0 assets of the plant file fit 'delta/smelter/potline/*/pot-99'"),
        ("f/pot-01/voltage", '{"v": [1]}', "the value is an array"),
        ("f/pot-01/voltage", '{"v": 1, "t": "noon"}', "the time 'noon' is not ISO 8601"),
        ("f/pot-01/voltage", '{"v": 1, "t": -5}', "the time -5 is neither seconds, ms, us or ns since 1970"),
        ("f/pot-01/voltage", '{"v": 1, "t": true}', "the time True is neither"),
        ("f/pot-01/voltage", '{"v": 1, "q": "fine"}', "the quality 'fine' is neither good, uncertain or bad"),
        ("other/topic/of/all", "1", "the topic fits no form of the source"),
        ("bare/ a", "1", "is no tag path"),
    ],
)
def test_what_is_no_value_is_refused_with_its_reason(topic: str, payload: str | bytes, reason: str) -> None:
    with pytest.raises(MessageError) as refused:
        read(topic, payload)
    assert reason in str(refused.value)


def test_subscriptions_have_a_plus_for_each_name() -> None:
    assert Mapping.of([OBJECT, SINGLE, BARE], Potline()).subscriptions == ("f/+", "f/+/+", "bare/+")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"values": "a", "value": "b"}, "exactly one"),
        ({"tag": f"{ROW}/{{other}}"}, "which the topic does not have"),
        ({"tag": "too/short"}, "has 2 parts"),
    ],
)
def test_impossible_topics_are_configuration_errors(change: dict[str, str], reason: str) -> None:
    topic = {"topic": "f/{asset}", "tag": f"{ROW}/{{asset}}"} | change
    with pytest.raises(ValueError, match=reason):
        MqttOptions.model_validate({"url": "mqtt://127.0.0.1", "topics": [topic]})
