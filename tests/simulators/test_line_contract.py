"""What every line promises: determinism, no leak of truth, visible faults, setpoints that matter, published facts."""

import math

import numpy as np
import pytest
from shopfloor.plant import Kind
from shopfloor.plant.quality import BAD_SENSOR_FAILURE, UNCERTAIN_SENSOR_NOT_ACCURATE
from shopfloor.simulators import lines
from shopfloor.simulators.batch import BatchRunner
from shopfloor.simulators.compile import interpreted
from shopfloor.simulators.engine import FaultError, SetpointError, Simulation
from shopfloor.simulators.line import Fact, Line
from shopfloor.simulators.noise import key_of
from shopfloor.simulators.state import params_of

N0 = 1_750_000_000
START = N0 * 10**9
SECOND = 10**9
ASSETS = [f"delta/a/l/c/unit-{i}" for i in range(3)]
BOTH = [lines.load(name) for name in lines.NAMES]


@pytest.fixture(params=BOTH, ids=lambda line: line.id)
def line(request: pytest.FixtureRequest) -> Line:
    return request.param


def named(spec: object) -> str:
    return getattr(spec, "id", None) or getattr(spec, "name", "")


def broken(line: Line) -> Simulation:
    simulation = Simulation(line, ASSETS, 5, START)
    second, third = line.tags[line.fast[1]].name, line.tags[line.slow[0]].name
    simulation.inject(1, "sensor.stuck", 1.0, START + 300 * SECOND, until=START + 700 * SECOND, tag=second)
    simulation.inject(1, "sensor.noisy", 1.0, START + 900 * SECOND, until=START + 950 * SECOND, tag=third)
    simulation.inject(2, "sensor.lost", 1.0, START + 900 * SECOND, until=START + 950 * SECOND, tag=second)
    simulation.inject(2, line.faults[0].name, 0.8, START + 600 * SECOND)
    return simulation


def test_compiled_and_interpreted_give_the_same_bytes(line):
    compiled = BatchRunner(broken(line).snapshot(), line)
    plain = BatchRunner(broken(line).snapshot(), line, interpreted(line))
    rows, truth = compiled.report(3000, 600, 30)
    same_rows, same_truth = plain.report(3000, 600, 30)
    for one, other in zip(rows, same_rows, strict=True):
        assert all(getattr(one, k).tobytes() == getattr(other, k).tobytes() for k in ("tag", "n", "value", "quality"))
    assert truth.tobytes() == same_truth.tobytes()
    assert compiled.checkpoint().to_bytes() == plain.checkpoint().to_bytes()


def test_history_holds_what_live_would_have_sent(line):
    simulation = broken(line)
    runner = BatchRunner(simulation.snapshot(), line)
    rows, _ = runner.report(2500, 600, 0)
    frames = [simulation.step() for _ in range(2500)]
    assert simulation.snapshot().to_bytes() == runner.checkpoint().to_bytes()
    live = {(c.asset, c.tag, c.time): c.value for frame in frames for c in frame.changes}
    for asset, kept in enumerate(rows):
        for tag, n, value, quality in zip(kept.tag, kept.n, kept.value, kept.quality, strict=True):
            frame = frames[n - N0]
            if line.tags[tag].rate == 0:
                assert live.pop((asset, tag, frame.time)) == line.tags[tag].render(value)
                continue
            fast = tag in line.fast
            column = (line.fast if fast else line.slow).index(tag)
            sent = frame.fast[asset, column, 0] if fast else frame.slow[asset, column]
            status = (frame.fast_quality if fast else frame.slow_quality)[asset, column]
            np.testing.assert_array_equal(sent, value)
            assert status == quality
    assert not live


def test_an_asset_alone_is_the_same_asset_in_company(line):
    company, alone = Simulation(line, ASSETS, 5, START), Simulation(line, ASSETS[1:2], 5, START)
    for _ in range(400):
        together, single = company.step(), alone.step()
        assert together.fast[1].tobytes() == single.fast[0].tobytes()
        assert together.slow[1].tobytes() == single.slow[0].tobytes()
        ours = [(c.tag, c.value) for c in together.changes if c.asset == 1]
        assert ours == [(c.tag, c.value) for c in single.changes]


def test_a_resumed_simulation_goes_on_byte_for_byte(line):
    simulation = broken(line)
    for _ in range(350):
        simulation.step()
    simulation.write(0, line.setpoints[0].name, line.setpoints[0].low)
    resumed = Simulation.resume(line, simulation.checkpoint())
    assert resumed.current() == simulation.current()
    for _ in range(300):
        simulation.step()
        resumed.step()
    assert resumed.checkpoint() == simulation.checkpoint()


def test_another_seed_is_another_plant(line):
    one, other = Simulation(line, ASSETS, 1, START), Simulation(line, ASSETS, 2, START)
    assert one.step().fast.tobytes() != other.step().fast.tobytes()


def test_no_hidden_state_is_a_tag(line):
    published = {word for tag in line.tags for word in (tag.name, tag.browse.lower())}
    assert not published & set(line.truth)
    assert set(line.truth) <= set(line.states)


def test_every_tag_is_published_within_its_sensor_range(line):
    simulation = Simulation(line, ASSETS[:1], 5, START)
    for _ in range(60):
        frame = simulation.step()
    assert frame.fast.shape == (1, len(line.fast), line.rate)
    assert frame.slow.shape == (1, len(line.slow))
    assert len(frame.sub_times()) == line.rate
    for column, tag in enumerate(line.fast):
        spec = line.tags[tag]
        assert spec.low <= np.nanmin(frame.fast[0, column])
        assert np.nanmax(frame.fast[0, column]) <= spec.high
    for change in simulation.current():
        kind = {Kind.FLOAT: float, Kind.INT: int, Kind.TEXT: str}[line.tags[change.tag].kind]
        assert type(change.value) is kind


def test_sensor_faults_carry_their_quality(line):
    name = line.tags[line.fast[0]].name
    for fault, status in (("sensor.lost", BAD_SENSOR_FAILURE), ("sensor.noisy", UNCERTAIN_SENSOR_NOT_ACCURATE)):
        simulation = Simulation(line, ASSETS[:1], 5, START)
        simulation.inject(0, fault, tag=name)
        frame = simulation.step()
        assert frame.fast_quality[0, 0] == status
        assert math.isnan(frame.fast[0, 0, 0]) == (fault == "sensor.lost")


def test_a_stuck_sensor_keeps_its_value_and_calls_it_good(line):
    simulation = Simulation(line, ASSETS[:1], 5, START)
    for _ in range(20):
        simulation.step()
    simulation.inject(0, "sensor.stuck", tag=line.tags[line.fast[1]].name)
    frames = [simulation.step() for _ in range(50)]
    assert len({value for frame in frames for value in frame.fast[0, 1]}) == 1
    assert {int(frame.fast_quality[0, 1]) for frame in frames} == {0}


def means(line: Line, prepare, hours: float = 8.0) -> np.ndarray:
    """Mean of every tag over the second half of some hours, for the same three assets."""
    simulation = Simulation(line, ASSETS, 5, START)
    prepare(simulation)
    runner = BatchRunner(simulation.snapshot(), line)
    runner.advance(round(hours * 1800))
    rows, _ = runner.report(round(hours * 1800), 600, 0)
    return np.array([[mean(r.value[r.tag == t]) for t in range(len(line.tags))] for r in rows])


def mean(values: np.ndarray) -> float:
    good = values[~np.isnan(values)]
    return float(good.mean()) if len(good) else math.nan


@pytest.mark.parametrize(("line", "fault"), [(line, fault) for line in BOTH for fault in line.faults], ids=named)
def test_every_fault_is_seen_in_a_tag(line, fault):
    healthy = means(line, lambda _: None)
    ill = means(line, lambda s: s.inject(1, fault.name))
    for name in fault.seen_in:
        tag = line.tag_index(name)
        assert ill[1, tag] != healthy[1, tag], name
    np.testing.assert_array_equal(ill[[0, 2]], healthy[[0, 2]])


EFFECTS = {
    "setpoint.speed": "energy.total",
    "setpoint.feed": "energy.total",
    "setpoint.offset": "probe.dimension",
    "setpoint.tool_limit": "tool.changes",
    "setpoint.voltage": "energy.total",
    "setpoint.feed ": "feeder.count",
    "setpoint.alf3": "alf3.excess",
}


@pytest.mark.parametrize(("line", "spec"), [(line, s) for line in BOTH for s in line.setpoints], ids=named)
def test_every_setpoint_changes_quality_or_energy(line, spec):
    seen = EFFECTS[spec.name + (" " if line.id == "potline" and spec.name == "setpoint.feed" else "")]
    before, after = (
        means(line, lambda s, value=value: [s.write(a, spec.name, value) for a in range(3)], hours=36.0)
        for value in (spec.low, spec.high)
    )
    tag = line.tag_index(seen)
    assert not np.array_equal(before[:, tag], after[:, tag], equal_nan=True)


@pytest.mark.parametrize("fact", [fact for line in BOTH for fact in line.facts], ids=lambda fact: fact.name)
def test_published_facts(fact: Fact):
    assert fact.measured() == pytest.approx(fact.expect, abs=fact.tolerance)


def test_refusals_are_sentences(line):
    simulation = Simulation(line, ASSETS, 5, START)
    spec = line.setpoints[0]
    with pytest.raises(SetpointError, match=f"{spec.name} of delta/a/l/c/unit-1 takes"):
        simulation.write(ASSETS[1], spec.name, spec.high + 1)
    with pytest.raises(SetpointError, match="has no setpoint 'nonsense': write one of setpoint"):
        simulation.write(0, "nonsense", 1.0)
    with pytest.raises(SetpointError):
        simulation.write(0, spec.name, math.nan)
    with pytest.raises(FaultError, match="has no fault 'gremlin'"):
        simulation.inject(0, "gremlin")
    with pytest.raises(FaultError, match="name one of the sensors"):
        simulation.inject(0, "sensor.stuck")


def test_constants_scatter_between_assets_and_have_sources(line):
    keys = [key_of(5, f"unit-{i}") for i in range(200)]
    drawn = params_of(line, 5, keys)
    for k, param in enumerate(line.params):
        assert param.source
        if param.spread:
            assert np.std(np.log(drawn[:, k] / param.value)) == pytest.approx(param.spread, rel=0.25)
