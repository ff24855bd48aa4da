"""A continuous process through the whole server: portions, yield against theory, energy per output, upsets."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from running_server import Running, S, plant, running
from shopfloor.plant import Kind, Sample
from shopfloor.plant.config import load
from shopfloor.services.plants import demo_plant
from shopfloor.services.production.process import Yielded
from shopfloor.simulators import lines
from shopfloor.simulators.batch import BatchRunner, Rows
from shopfloor.simulators.engine import Simulation
from shopfloor.simulators.history import batches
from shopfloor.simulators.lines.potline_layout import TAPPING

PLANT = """
plant: {site: delta}
types:
  pot:
    tags:
      state: {kind: text}
      metal.tapped: {unit: kg}
      current: {unit: kA}
      energy.total: {unit: kWh}
    production:
      state: state
      states: {NORMAL: running, OVERFEED: running, UNDERFEED: running, TAPPING: running, ANODE_CHANGE: running,
               ANODE_EFFECT: down}
      minor_stop: 30s
      energy: energy.total
      process: {output: metal.tapped, after: TAPPING, theory: current, per: 0.3354, names: {yields: Current efficiency}}
      reasons: {Feeding: [Feeder blocked]}
assets:
  - {path: "delta/smelter/potline/row-1/pot-[01..02]", type: pot, title: "Pot [01..02]"}
  - {path: "delta/smelter/simulated/row-1/pot-[03..04]", type: pot, title: "Pot [03..04]"}
"""
POT = "delta/smelter/potline/row-1/pot-01"
NOW = time.time_ns() // (3600 * S) * 3600 * S
HOUR = 3600
DAY = 24 * HOUR
SIMULATED = [f"delta/smelter/simulated/row-1/pot-{n:02}" for n in (3, 4)]
TRUE = ("mode", "metal_made", "metal_kg", "kwh", "efficiency")
EVERY = 10
"""Seconds between two rows of truth."""


def simulate(server: Running, days: int) -> np.ndarray:
    """Let the simulated potline run up to now, give the server what it reports, and answer [pot, row, TRUE]."""
    line = replace(lines.load("potline"), truth=TRUE)
    simulation = Simulation(line, SIMULATED, 3, NOW - days * DAY * S)
    rows, truth = BatchRunner(simulation.snapshot(), line).report(days * DAY, 600, EVERY)
    wanted = [line.tag_index(name) for name in ("state", "metal.tapped", "current", "energy.total")]
    for batch in batches(line, SIMULATED, [only(kept, wanted) for kept in rows]):
        server.send(batch)
    return truth


def only(kept: Rows, tags: list[int]) -> Rows:
    mine = np.isin(kept.tag, tags)
    return Rows(kept.tag[mine], kept.n[mine], kept.value[mine], kept.quality[mine])


def put(server: Running, tag: str, *values: tuple[float, Any], kind: Kind = Kind.FLOAT) -> None:
    server.feed(*(Sample(f"{POT}/{tag}", NOW - round((2 * DAY - at) * S), value) for at, value in values), kind=kind)


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Two days at 300 kA and 4.2 V: tapped after 20 h, and 24 h later, twice the same amount; an effect of 180 s."""
    with running(tmp_path_factory.mktemp("process"), plant(PLANT)) as server:
        states = [(0, "NORMAL")]
        for hour in (20, 44):
            states += [((hour - 0.3) * HOUR, "TAPPING"), (hour * HOUR, "NORMAL")]
        states += [(30 * HOUR, "ANODE_EFFECT"), (30 * HOUR + 180, "NORMAL")]
        put(server, "state", *sorted(states), kind=Kind.TEXT)
        put(server, "metal.tapped", (20 * HOUR - 1, 2270.0))  # a device says a value only when it changes
        put(server, "current", *((at, 300.0) for at in range(0, 2 * DAY, 600)))
        put(server, "energy.total", *((at, 1260.0 * at / HOUR) for at in range(0, 2 * DAY, 600)))
        start, end, place = (NOW - 2 * DAY * S) / 1e6, NOW / 1e6, "delta/smelter/potline"
        truth, simulated = simulate(server, 4), {"place": "delta/smelter/simulated", "end": end}
        yield {
            "truth": truth,
            "simulated": server.get("/production/process", start=start - DAY * 1000, **simulated),
            "whole": server.get("/production/process", start=start, end=end, place=place),
            "late": server.get("/production/process", start=start + 40 * HOUR * 1000, end=end, place=place),
            "oee": server.get("/production/oee", start=start, end=end),
        }


def test_a_portion_is_compared_with_the_time_since_the_one_before(said: Any) -> None:
    """24 h at 300 kA could give 2,414.9 kg (Faraday); 2,270 kg were tapped at the end of them."""
    (line,) = said["whole"]["lines"]
    pot, other = line["units"]
    assert (pot["output"], pot["portions"], line["unit"]) == (4540.0, 2, "kg")
    assert pot["yields"] == pytest.approx(2270 / (0.3354 * 300 * 24), rel=1e-3)
    assert pot["throughput"] == pytest.approx(2270 / 24)
    assert pot["energy_per_output"] == pytest.approx(1260 * 24 / 2270, rel=0.01)
    assert line["names"]["yields"] == "Current efficiency"
    assert (other["portions"], other["yields"]) == (0, None)
    (late,) = said["late"]["lines"]
    assert late["units"][0]["yields"] == pytest.approx(pot["yields"], rel=1e-3)


def test_metal_efficiency_and_energy_are_those_of_the_truth_of_simulated_pots(said: Any) -> None:
    """Metal that left the pad between the ends of tappings; what the pad gained in between is no metal tapped."""
    (line,) = said["simulated"]["lines"]
    for pot, (mode, made, pad, kwh, efficiency) in zip(line["units"], said["truth"].transpose(0, 2, 1), strict=True):
        left = np.flatnonzero((mode[:-1] == TAPPING) & (mode[1:] != TAPPING)) + 1
        begins = len(mode) - 3 * DAY // EVERY
        within = np.flatnonzero(left >= begins)
        first, last = left[within[0] - 1], left[within[-1]]  # the first portion began with the tapping before
        tapped = (made[last] - made[first]) - (pad[last] - pad[first])
        assert (pot["portions"], pot["output"]) == (len(within), pytest.approx(tapped, abs=len(within)))
        assert pot["yields"] == pytest.approx(efficiency[first:last].mean(), abs=0.01)
        gained = (pad[last] - pad[first]) / tapped
        assert pot["yields"] * (1 + gained) == pytest.approx(efficiency[first:last].mean(), abs=0.003)
        assert pot["energy_per_output"] == pytest.approx((kwh[last] - kwh[first]) / tapped, rel=0.003)


def test_upsets_are_counted_by_unit_and_day_and_states_add_up(said: Any) -> None:
    (line,) = said["whole"]["lines"]
    pot = line["units"][0]
    assert (pot["upsets"], pot["upset"], pot["upsets_per_day"]) == (1, 180.0, 0.5)
    assert line["upsets_per_day"] == 0.25
    assert pot["availability"] == pytest.approx(1 - 180 / (2 * DAY))
    assert sum(pot["states"].values()) == pytest.approx(2 * DAY)
    assert said["oee"]["lines"] == []


def test_indicators_of_several_units_are_those_of_their_sums() -> None:
    one = Yielded(2270.0, 1, 2270.0, 2415.0, 30_000.0, DAY * S, 1, 60 * S, DAY * S)
    both = one + Yielded(0.0, 0, 0.0, 0.0, 0.0, 0, 3, 90 * S, DAY * S)
    assert (both.yields, both.energy_per_output) == (one.yields, one.energy_per_output)
    assert both.upsets_per_day == 2.0


def test_the_pots_of_the_demonstration_declare_their_process() -> None:
    section = load(demo_plant(), environ={}).types["reduction-pot"].production
    assert section is not None
    assert section.process is not None
    assert (section.process.output, section.process.per) == ("metal.tapped", 0.3354)
