"""What would help, in the words of the plant: only setpoints that a model can judge, and why not the others."""

import numpy as np
import pytest
from pydantic import TypeAdapter
from shopfloor.models.compile import Calibration, Card, Features
from shopfloor.models.compile import compile as compiled
from shopfloor.models.features import PART_FEATURES
from shopfloor.plant.tag import Band, Tag
from shopfloor.services.api.predictions import AdviceView, ExplanationView
from shopfloor.services.brain.advise import Window, advice, explanation
from shopfloor.services.brain.serving import Opened
from sklearn.linear_model import Ridge

ASSET = "works/frames/machining/cell/m-01"
OFFSET, SINCE, POWER = (
    PART_FEATURES.index(name) for name in ("setpoint.offset", "setpoint.offset since probe", "spindle.power ratio")
)
TAGS = (
    Tag("setpoint.offset", unit="um", title="Tool offset", decimals=1, writable=True, range=Band(-40.0, 40.0)),
    Tag("setpoint.speed", unit="m/min", title="Cutting speed", decimals=0, writable=True, range=Band(140.0, 240.0)),
    Tag("setpoint.feed", unit="mm/rev", title="Feed"),
)


def dimension(x):
    return x[:, OFFSET] + 60.0 * (x[:, POWER] - 1.0)


def window(varied: float) -> Window:
    """A part that is 36 um off, and a model from parts whose offset was varied by so much."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(2000, len(PART_FEATURES))).astype(np.float32)
    x[:, OFFSET] = np.round(rng.uniform(-varied, varied, 2000))
    x[:, SINCE] = np.where(rng.random(2000) < 0.3, x[:, OFFSET] - np.round(rng.uniform(-varied, varied, 2000)), 0.0)
    x[:, POWER] = 1.0 + rng.uniform(0.0, 0.6, 2000)
    y = dimension(x) + rng.normal(0.0, 1.0, 2000)
    card = Card("dimension", "Dimension", unit="um", target="dimension", asset_type="machine-tool")
    made = compiled(Ridge().fit(x[:1000], y[:1000]), Features(PART_FEATURES), Calibration(x[1000:], y[1000:]), card)
    row = x[0].copy()
    row[[OFFSET, SINCE, POWER]] = 0.0, 0.0, 1.6
    return Window(Opened(made.bundle, 3, made.sha), ASSET, row, 5_000_000)


@pytest.fixture(scope="module")
def off_by_36() -> Window:
    return window(varied=20.0)


def valid(view, said):
    TypeAdapter(view).validate_python(said)
    return said


def test_the_offset_is_moved_so_that_the_part_is_within_tolerance(off_by_36):
    said = valid(AdviceView, advice(off_by_36, TAGS, None, None))
    assert said["goal"] == {"low": -30.0, "high": 30.0}
    assert said["now"]["value"] == pytest.approx(36.0, abs=2.0)
    assert said["found"]
    (change,) = said["changes"]
    assert (change["tag"], change["before"], change["unit"]) == (f"{ASSET}/setpoint.offset", 0.0, "um")
    moved = off_by_36.row.copy()
    moved[OFFSET] = change["after"]
    assert abs(dimension(moved[None])[0]) <= 30.0
    assert -20.0 <= change["after"] <= -7.0
    assert said["promised"]["low"] <= dimension(moved[None])[0] <= said["promised"]["high"] <= 30.0
    assert said["sentence"].startswith(f"Tool offset from 0.0 to {change['after']:.1f} um would bring it to ")


def test_setpoints_that_it_cannot_judge_are_named_with_the_reason(off_by_36):
    said = advice(off_by_36, TAGS, None, None)
    why = {out["tag"].rpartition("/")[2]: out["sentence"] for out in said["left_out"]}
    assert why == {
        "setpoint.speed": "What it does shows in other signals (power, loads, vibration, temperature and the length of "
        "the cut): the model does not know how they would move.",
        "setpoint.feed": "The plant file does not give it as writable, with a range.",
        "setpoint.tool_limit": "The plant file does not give it as writable, with a range.",
    }


def test_a_setpoint_that_never_varied_is_not_proposed():
    said = valid(AdviceView, advice(window(varied=0.0), TAGS, None, None))
    assert (said["found"], said["changes"], said["promised"], said["tried"]) == (False, [], None, 0)
    assert said["sentence"] == "None found: this model can judge no other value of any setpoint here."
    assert said["left_out"][0] == {
        "tag": f"{ASSET}/setpoint.offset",
        "sentence": "It was 0 all the time the model learned from: what another value does is not known.",
    }


def test_a_goal_out_of_reach_says_by_how_much_and_one_that_is_met_asks_for_nothing(off_by_36):
    said = advice(off_by_36, TAGS, None, -20.0)
    assert not said["found"]
    assert "the best one misses the goal by" in said["sentence"]
    assert said["sentence"].endswith(" um.")
    met = advice(off_by_36, TAGS, None, 50.0)
    assert (met["found"], met["changes"]) == (True, [])


def test_an_explanation_adds_up_by_tag_and_by_feature(off_by_36):
    said = valid(ExplanationView, explanation(off_by_36))
    parts = [group["contribution"] for group in said["groups"]]
    assert sum(parts) == pytest.approx(said["value"] - said["usual"], abs=1e-6)
    assert abs(said["gap"]) < 1e-9
    assert [abs(part) for part in parts] == sorted((abs(part) for part in parts), reverse=True)
    for group in said["groups"]:
        assert group["contribution"] == pytest.approx(sum(f["contribution"] for f in group["features"]), abs=1e-9)
    assert said["groups"][0]["tag"] == "spindle.power"
    assert sum(len(group["features"]) for group in said["groups"]) == len(PART_FEATURES)
    assert (said["version"], said["time"]) == (3, 5.0)
