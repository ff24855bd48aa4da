"""What a right plant file becomes."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter
from shopfloor.plant import Band, ConfigError, Kind, Limit, Side, config
from shopfloor.services.plants import demo_plant

PUMPS = """
plant: {site: delta}
types:
  pump:
    tags:
      flow: {unit: l/min, normal: [10, 20], limits: [{high: 25, delay: 200ms, advice: Open.}, {low: 5, priority: 1}]}
      state: {kind: text, states: [RUN, STOP]}
      strokes: {kind: int64, title: Strokes}
      setpoint.flow: {writable: true, range: [0, 30]}
assets:
  - {path: "delta/water/line-1/cell-1/pump-[08..11]", type: pump, title: "Pump [08..11]"}
  - {path: delta/water/line-1/cell-2/big pump, type: pump}
sources:
  - {name: pumps, kind: mqtt, url: "${BROKER:-mqtt://127.0.0.1:1883}", port: $PORT, count: "${COUNT}"}
"""
ENVIRON = {"COUNT": "3"}


def plant() -> config.PlantConfig:
    return config.loads(PUMPS, environ=ENVIRON)


def test_a_row_of_assets_is_counted_through() -> None:
    assert [str(asset.path).rpartition("/")[2] for asset in plant().assets] == [
        "pump-08", "pump-09", "pump-10", "pump-11", "big pump",
    ]  # fmt: skip
    assert [asset.title for asset in plant().assets] == ["Pump 08", "Pump 09", "Pump 10", "Pump 11", "Big pump"]


@pytest.mark.parametrize("tags", ["{tags: {}}", "{title: Pump}"])
def test_a_type_may_leave_its_tags_to_be_found(tags: str) -> None:
    found = config.loads(f"plant: {{site: a}}\ntypes: {{pump: {tags}}}\nassets: [{{path: a/b/c/d/e, type: pump}}]\n")
    assert found.tag_paths() == ()
    assert found.tags_of(found.assets[0]) == ()


def test_a_tag_says_all_that_is_known_of_it() -> None:
    flow = plant().tag("delta/water/line-1/cell-1/pump-09/flow")
    assert flow is not None
    assert (flow.kind, flow.unit, flow.title, flow.normal) == (Kind.FLOAT, "l/min", "flow", Band(10, 20))
    assert flow.limits == (Limit(Side.HIGH, 25, 2, 0.2, 0.0, "Open."), Limit(Side.LOW, 5, 1))
    written = plant().tag("delta/water/line-1/cell-2/big pump/setpoint.flow")
    assert written is not None
    assert (written.writable, written.range) == (True, Band(0, 30))


def test_a_plant_is_asked_by_path() -> None:
    config = plant()
    assert len(config.tag_paths()) == len(set(config.tag_paths())) == 5 * 4
    assert all(config.tag(path) is not None for path in config.tag_paths())
    assert config.tag("delta/water/line-1/cell-1/pump-09/nothing") is None
    assert config.asset("delta/water/line-1/cell-1/pump-09") == config.assets[1]
    assert [tag.name for tag in config.tags_of(config.assets[0])] == ["flow", "state", "strokes", "setpoint.flow"]


def test_defaults_are_those_of_one_machine() -> None:
    plain = plant()
    assert (plain.plant.title, plain.plant.timezone) == ("delta", "UTC")
    assert (plain.server.host, plain.server.port, plain.server.security) == ("127.0.0.1", 8000, "loopback")
    assert (plain.gateway.name, plain.gateway.server) == ("edge-1", "http://127.0.0.1:8000")
    assert (plain.gateway.spool.limit, plain.store.retention.raw, plain.store.influxdb) == (2_000_000_000, None, None)


def test_a_plant_travels_to_another_process() -> None:
    copy = pickle.loads(pickle.dumps(plant()))
    assert copy.assets == plant().assets
    assert copy.tag_paths() == plant().tag_paths()
    adapter = TypeAdapter(config.PlantConfig)
    for told in (config.load(demo_plant(), environ={}), plant()):
        plain = replace(told, sources=())
        assert adapter.validate_json(adapter.dump_json(plain)) == plain


def test_environment_variables_stand_in_values() -> None:
    source = plant().source("pumps")
    assert source is not None
    assert source.given == {"url": "mqtt://127.0.0.1:1883", "port": "$PORT", "count": "3"}
    text = PUMPS + "server: {port: ${PORT}}\n".replace(
        "{port: ${PORT}}", "\n  port: ${PORT}\n  host: ${HOST:-127.0.0.1}"
    )
    assert config.loads(text, environ={**ENVIRON, "PORT": "8123"}).server.port == 8123


def test_words_are_yaml_1_2() -> None:
    source = "plant: {site: delta}\ntypes: {no: {tags: {on: {unit: 12:30, title: 0x1F}}}}\n"
    config_ = config.loads(source + "assets: [{path: delta/a/b/c/on, type: no}]\n")
    assert (config_.tags_of(config_.assets[0])[0].unit, config_.assets[0].type) == ("12:30", "no")


def test_a_file_may_begin_with_a_byte_order_mark_and_use_anchors() -> None:
    text = "\ufeff" + PUMPS.lstrip().replace("normal: [10, 20]", "normal: &band [10, 20]").replace(
        "range: [0, 30]", "range: *band"
    )
    assert config.loads(text, environ=ENVIRON).types["pump"].tags[3].range == Band(10, 20)


class PumpOptions(config.Section):
    """Options of an invented connector."""

    url: str
    port: str
    count: int
    poll: config.Duration = 0.5


def test_options_of_a_source_are_a_model() -> None:
    source = plant().sources[0]
    assert config.options(source, PumpOptions).count == 3


def test_options_know_their_lines() -> None:
    text = PUMPS.replace("count:", "cuont:")
    source = config.loads(text, "pumps.yaml", ENVIRON).sources[0]
    with pytest.raises(ConfigError) as caught:
        config.options(source, PumpOptions)
    assert str(caught.value).splitlines() == [
        "pumps.yaml:14:5: 'count' is missing in source 'pumps': add 'count: …'.",
        "pumps.yaml:14:85: 'cuont' is no key of source 'pumps': did you mean 'count'?",
    ]


def test_options_are_checked_for_every_source_at_once() -> None:
    more = PUMPS + "  - {name: more, kind: mqtt, url: x, port: y}\n  - {name: last, kind: mqtt, url: x, count: 1}\n"
    models: dict[str, type[BaseModel]] = {"mqtt": PumpOptions}
    with pytest.raises(ConfigError) as caught:
        config.check_options(config.loads(more, environ=ENVIRON), models)
    assert len(str(caught.value).splitlines()) == 2
    config.check_options(plant(), models)


@pytest.mark.parametrize(
    ("text", "seconds"), [("200ms", 0.2), ("5s", 5), ("1.5min", 90), ("2 h", 7200), ("7d", 604800), ("1w", 604800)]
)
def test_durations(text: str, seconds: float) -> None:
    assert config.duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(("text", "size"), [("10B", 10), ("2GB", 2 * 10**9), ("64MiB", 2**26), ("1.5kB", 1500)])
def test_sizes(text: str, size: int) -> None:
    assert config.size(text) == size


@pytest.mark.parametrize("read", [config.duration, config.size])
@given(st.one_of(st.text(), st.integers(), st.none(), st.floats()))
def test_anything_else_is_a_value_error(read: Callable[[object], float], value: object) -> None:
    with suppress(ValueError):
        assert read(value) >= 0


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback(host: str) -> None:
    assert config.is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "plant.example", ""])
def test_addresses_of_the_network(host: str) -> None:
    assert not config.is_loopback(host)


def test_another_address_with_security_named() -> None:
    server = config.loads(PUMPS + "server: {host: 0.0.0.0, security: token}\n", environ=ENVIRON).server
    assert (server.host, server.security) == ("0.0.0.0", "token")


@given(st.text(max_size=200))
def test_no_text_does_anything_but_config_error(text: str) -> None:
    with pytest.raises(ConfigError):
        config.loads(text, environ={})


@given(st.integers(0, len(PUMPS) - 1), st.text(max_size=3), st.integers(0, 10))
def test_a_damaged_file_loads_or_is_a_config_error(place: int, put: str, cut: int) -> None:
    with suppress(ConfigError):
        assert config.loads(PUMPS[:place] + put + PUMPS[place + cut :], environ=ENVIRON).assets
