"""Injected faults on assets the brain never met: it warns before the part is bad, before the anode effect starts.

The brain reads what a historian would hold; the truth judges afterwards.
"""

import numpy as np
import pytest
from shopfloor.models.columns import DAY, HOUR, MINUTE, SECOND
from shopfloor.simulators.plants import assets_of
from simulated_past import END, judged, learned, simulated

PAST = 2 * DAY


@pytest.fixture(scope="module")
def machines_learned(tmp_path_factory):
    """Eight machines, four days."""
    return learned("machining", assets_of("machining", 8), 4, tmp_path_factory.mktemp("machines"))


@pytest.fixture(scope="module")
def pots_learned(tmp_path_factory):
    """Twenty-eight pots, four days."""
    return learned("potline", assets_of("potline", 28), 4, tmp_path_factory.mktemp("pots"))


def first(world, state_has_happened, after):
    """UTC ns of the first row of truth after `after` at which something has happened."""
    start = (after - END + PAST) // (30 * SECOND)
    found = np.flatnonzero(state_has_happened(world.truth, start)[start:])
    return after + int(found[0]) * 30 * SECOND if len(found) else None


def warnings(said, asset, after):
    return [p for p in said if p["asset"] == asset and p["status"] in ("watch", "act") and p["time"] * 1e6 > after]


def out_of_tolerance(truth, start):
    return (np.abs(truth["last_dimension"]) > 30.0) & (truth["last_part"] != truth["last_part"][start])


def anode_effect(truth, start):
    return truth["effects"] > truth["effects"][start]


def test_a_starved_pot_is_seen_before_the_anode_effect(pots_learned, tmp_path):
    pots = assets_of("potline", 35)[28:]
    fault, starved = END + HOUR, pots[-1]
    worlds = {
        pot: simulated("potline", pot, END - PAST, END + 3 * HOUR, ("feeder_block", 0.5, fault) if pot == starved else None)  # noqa: E501
        for pot in pots
    }  # fmt: skip
    said = judged("potline", worlds, pots_learned, END + 3 * HOUR, tmp_path)
    began = first(worlds[starved], anode_effect, fault)
    seen = warnings(said, starved, fault)
    assert seen[0]["target"] == "anode_effect"
    assert any(p["status"] == "act" and p["time"] * 1e6 < began for p in seen)
    assert (began - seen[0]["time"] * 1e6) / MINUTE > 5
    assert seen[0]["reasons"]
    assert not [p for p in warnings(said, starved, END) if p["time"] * 1e6 <= fault]


def test_a_worn_tool_is_seen_before_a_part_is_bad(machines_learned, tmp_path):
    machine, fault = spoiled_machine()
    world = simulated("machining", machine, END - PAST, fault + 3 * HOUR, ("worn_tool", 0.6, fault))
    bad = first(world, out_of_tolerance, fault)
    said = judged("machining", {machine: world}, machines_learned, fault + 2 * HOUR, tmp_path)
    seen = warnings(said, machine, fault)
    assert bad is not None
    assert seen[0]["time"] * 1e6 < bad
    assert seen[0]["reasons"]
    assert any("above this tool's start" in reason["sentence"] for p in seen for reason in p["reasons"])


def spoiled_machine():
    """A machine the brain never met whose fresh tool, wearing fast, spoils a part before somebody changes it."""
    for machine in assets_of("machining", 20)[8:]:
        healthy = simulated("machining", machine, END - PAST, END + 4 * HOUR)
        tool = healthy.truth["tool"][PAST // (30 * SECOND) :]
        fault = END + (int(np.flatnonzero(np.diff(tool) > 0)[0]) + 20) * 30 * SECOND
        world = simulated("machining", machine, END - PAST, fault + 2 * HOUR, ("worn_tool", 0.6, fault))
        bad = first(world, out_of_tolerance, fault)
        if bad is not None and bad - fault < HOUR:
            return machine, fault
    raise AssertionError("no machine spoils a part: choose another seed")


def test_scores_on_unseen_assets_and_days_beat_the_baselines(machines_learned, pots_learned):
    for target in ("dimension", "out_of_tolerance", "tool_life"):
        card = machines_learned[target].manifest
        assert card.state == "ready"
        assert all(m["beats"] for m in card.metrics if m["baseline"] is not None), card.metrics
    assert pots_learned["anode_effect"].manifest.state == "ready"
    measured = next(m for m in machines_learned["dimension"].manifest.metrics if m["name"] == "coverage")
    assert 0.85 <= measured["value"] <= 0.95
