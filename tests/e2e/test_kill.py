"""kill -9 of every process during full flow: nothing that was accepted is lost."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest
from plant_under_test import PlantUnderTest, demo, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
VICTIMS = (("gateway", ""), ("server", ""), ("broker", ""), ("simulator", "machining"), ("simulator", "potline"))


def at_rest(plant: PlantUnderTest) -> bool:
    """The books balance and every live source moves again."""
    return bool(plant.flowing() and plant.get("/ledger")["balanced"])


def test_nothing_is_lost_by_kills_and_the_next_start(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with demo(data, "--history", "1h", "--seed", "11") as plant:
        until("all sources flow", plant.flowing, 180, why=plant.story)
        _kill_each(plant)
        until("history is in", lambda: plant.health()["history"]["state"] == "complete", 120, why=plant.story)
        end = plant.health()["time"] - 5_000
        before = until("what was held up is in", lambda: _settled(plant, end), 60, why=plant.story)
    with demo(data, "--history", "1h", "--seed", "11") as plant:
        assert len(before["time"]) > 100
        after = _half_an_hour(plant, end)
        assert (before["time"], before["value"]) == (after["time"], after["value"])
        until("all sources flow again", plant.flowing, 180, why=plant.story)


def _kill_each(plant: PlantUnderTest) -> None:
    """The ledger balances after every kill."""
    moments = random.Random(20261123)
    for kind, name in moments.sample(VICTIMS, len(VICTIMS)):
        stored = {(s["gateway"], s["source"]): s["stored"] for s in plant.get("/ledger")["sources"]}
        time.sleep(moments.uniform(0.2, 2.5))
        plant.kill(kind, name)
        time.sleep(1.0)
        until(f"the plant lives after kill -9 of {kind} {name}", lambda: at_rest(plant), 90, why=plant.story)
        for source in plant.get("/ledger")["sources"]:
            before = stored.get((source["gateway"], source["source"]), 0)
            assert source["stored"] >= before, f"{source} went back from {before} after {kind} {name}"
    for source in plant.get("/ledger")["sources"]:
        assert source["rejected"] == source["dropped"] == 0, source
        assert source["accepted"] > 0, source


def _settled(plant: PlantUnderTest, end: float) -> Any:
    """Half an hour, once nothing comes any more that is older than its end."""
    found = _half_an_hour(plant, end)
    time.sleep(5.0)
    return found if _half_an_hour(plant, end)["time"] == found["time"] else None


def _half_an_hour(plant: PlantUnderTest, end: float) -> Any:
    tag = "delta/frames/machining/cell-a/cnc-07/spindle.power"
    return plant.get("/history", tag=tag, start=end - 1_800_000, end=end)
