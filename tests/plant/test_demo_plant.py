"""The plant of the demonstration says what its simulated lines send, and does not cry wolf."""

from __future__ import annotations

import math
from importlib import import_module

import pytest
from shopfloor.plant import AssetPath, Kind, Side, Tag, config
from shopfloor.plant.config import PlantConfig
from shopfloor.services.plants import demo_plant
from shopfloor.simulators.line import Line
from shopfloor.simulators.lines import load

LINES = {"machine-tool": "machining", "reduction-pot": "potline"}
HOURS = {"machine-tool": 4.0, "reduction-pot": 8.0}
START = 1_767_225_600


@pytest.fixture(scope="module")
def plant() -> PlantConfig:
    return config.load(demo_plant(), environ={})


def test_sixty_assets(plant: PlantConfig) -> None:
    paths = [str(asset.path) for asset in plant.assets]
    assert len(paths) == 60
    assert paths[0] == "delta/frames/machining/cell-a/cnc-01"
    assert paths[19] == "delta/frames/machining/cell-b/cnc-20"
    assert paths[-1] == "delta/smelter/potline/row-2/pot-40"
    assert [plant.assets[i].title for i in (0, 19, 59)] == ["CNC 01", "CNC 20", "Pot 40"]


@pytest.mark.parametrize("kind", LINES)
def test_tags_are_those_of_the_line(plant: PlantConfig, kind: str) -> None:
    declared = {tag.name: tag for tag in plant.types[kind].tags}
    sent = {tag.name: tag for tag in load(LINES[kind]).tags}
    assert declared.keys() == sent.keys()
    assert {name: tag.kind for name, tag in declared.items()} == {name: tag.kind for name, tag in sent.items()}
    assert {name: tag.unit for name, tag in declared.items()} == {name: tag.unit for name, tag in sent.items()}
    assert {n: set(t.states) for n, t in declared.items() if t.states} == {
        n: set(t.states) for n, t in sent.items() if t.states
    }


@pytest.mark.parametrize("kind", LINES)
def test_setpoints_have_the_ranges_of_the_line(plant: PlantConfig, kind: str) -> None:
    ranges = {tag.name: (tag.range.low, tag.range.high) for tag in plant.types[kind].tags if tag.range}
    assert ranges == {setpoint.name: (setpoint.low, setpoint.high) for setpoint in load(LINES[kind]).setpoints}
    assert {tag.name for tag in plant.types[kind].tags if tag.writable} == ranges.keys()


@pytest.mark.parametrize("kind", LINES)
def test_every_number_has_a_title_and_every_limit_an_advice(plant: PlantConfig, kind: str) -> None:
    for tag in plant.types[kind].tags:
        assert tag.title != tag.name, tag.name
        assert all(limit.advice.endswith(".") for limit in tag.limits), tag.name
    assert sum(len(tag.limits) for tag in plant.types[kind].tags) >= 5


def test_browse_paths_are_those_of_the_line(plant: PlantConfig) -> None:
    source = plant.source("machining")
    assert source is not None
    assert source.given["tags"] == {tag.browse: tag.name for tag in load("machining").tags}


def test_sources_are_what_their_connectors_expect(plant: PlantConfig) -> None:
    kinds = {source.kind for source in plant.sources}
    assert kinds == {"opcua", "mqtt", "recording"}
    models = {kind: import_module(f"shopfloor.gateway.{kind}").CONNECTOR.options for kind in kinds}
    config.check_options(plant, models)


def test_the_demonstration_passes_addresses_by_environment() -> None:
    environ = {
        "SHOPFLOOR_SERVER": "http://127.0.0.1:9000",
        "SHOPFLOOR_PORT": "9000",
        "SHOPFLOOR_OPCUA": "opc.tcp://127.0.0.1:5/shopfloor/",
        "SHOPFLOOR_MQTT": "mqtt://127.0.0.1:6",
        "SHOPFLOOR_RECORDINGS": "/tmp/recordings",
    }
    plant = config.load(demo_plant(), environ)
    assert (plant.server.port, plant.gateway.server) == (9000, "http://127.0.0.1:9000")
    assert [source.given.get("url") or source.given["folder"] for source in plant.sources] == [
        "opc.tcp://127.0.0.1:5/shopfloor/",
        "mqtt://127.0.0.1:6",
        "/tmp/recordings/machining",
        "/tmp/recordings/potline",
    ]


@pytest.mark.parametrize("kind", LINES)
def test_limits_are_quiet_in_normal_running(plant: PlantConfig, kind: str) -> None:
    """Hours of three healthy assets: a limit is exceeded less than 2 % of the time, normal holds for 97 %."""
    line = load(LINES[kind])
    readings = simulate(line, [str(a.path) for a in plant.assets if a.type == kind][:3], HOURS[kind])
    for tag in plant.types[kind].tags:
        values = [value for value in readings[tag.name] if not math.isnan(value)] if tag.kind is not Kind.TEXT else []
        if values:
            assert max_share(tag, values) < 0.02, tag.name
        if values and tag.normal:
            inside = sum(tag.normal.low <= value <= tag.normal.high for value in values) / len(values)
            assert inside > 0.97, (tag.name, min(values), max(values))


def max_share(tag: Tag, values: list[float]) -> float:
    """Largest share of the values that lie beyond one limit of the tag."""
    beyond = [
        sum(value > limit.value if limit.side is Side.HIGH else value < limit.value for value in values)
        for limit in tag.limits
    ]
    return max(beyond, default=0) / len(values)


def simulate(line: Line, assets: list[str], hours: float) -> dict[str, list[float]]:
    """Readings of the physics, before the sensors, every ten seconds."""
    readings: dict[str, list[float]] = {tag.name: [] for tag in line.tags}
    for number, _ in enumerate(assets):
        x, y = [0.0] * len(line.states), [0.0] * len(line.tags)
        u, f = [setpoint.default for setpoint in line.setpoints], [0.0] * (len(line.faults) + 8)
        p = [param.value for param in line.params]
        line.init(x, u, p, 1000 + number, START)
        for second in range(int(hours * 3600)):
            line.step(x, u, p, f, y, 1000 + number, START + second)
            if second % 10 == 0:
                for tag, value in zip(line.tags, y, strict=True):
                    readings[tag.name].append(value)
    return readings


def test_asset_paths_parse(plant: PlantConfig) -> None:
    assert all(AssetPath.parse(str(asset.path)).site == "delta" for asset in plant.assets)
