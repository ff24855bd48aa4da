"""Raw counters, encoders and clocks are refused in one sentence; broken specifications too."""

import numpy as np
import pytest
from shopfloor.models.spec import FeatureSpec, SpecError, Stream, refuse, refused

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("part counter", 1e8 + np.arange(5000.0)),
        ("slow counter", np.floor(np.arange(5000.0) / 7)),
        ("clock", 1.7e9 + np.arange(5000.0)),
        ("countdown", 5000.0 - np.arange(5000.0)),
        ("encoder", np.round(RANDOM.uniform(0, 3e5, 5000), 3)),
    ],
)
def test_what_no_model_may_see_raw(name, values):
    with pytest.raises(SpecError, match=name) as told:
        refuse(name, values)
    assert str(told.value).endswith(".")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "values",
    [
        np.round(RANDOM.normal(20, 2, 5000), 2),
        RANDOM.normal(1e6, 1e-3, 5000),
        np.tile(np.arange(50.0), 100),
        np.where(np.arange(5000) > 2500, 1.0, 0.0),
        np.full(100, np.nan),
    ],
)
def test_what_a_model_may_see(values):
    assert refused("tag", values) is None


def test_a_declared_resolution_counts_and_a_reset_within_an_asset_does_not_make_a_counter():
    values = RANDOM.uniform(0, 1.0, 5000)
    assert refused("fine", values, resolution=1e-9) is not None
    assert refused("fine", values, resolution=1e-4) is None
    wear = np.tile(np.arange(100.0), 4)
    assert refused("wear", wear) is None
    assert refused("wear", wear, np.repeat(np.arange(4), 100)) is not None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"remembered": ("lod",)}, "lod: not among the inputs"),
        ({"pairs": (("sum", "load", "load", 0.0, 1.0),)}, "'sum' is no way"),
        ({"step": 0.0}, "above 0 and finite"),
        ({"constants": (1.0, 2.0)}, "Three time constants"),
        ({"settings": ("load",), "regimes": ((1.0, 2.0),)}, "Each regime"),
        ({"mixes": (("index", (1.0, 2.0)),)}, "a weight for every input"),
        ({"told": ("mean", "median")}, "median: `told` names"),
        ({"told": ("mean", "mean")}, "at most once"),
        ({"unseen": ("lod",)}, "lod: not among the inputs"),
        ({"unseen": ("load",)}, "without a feature"),
    ],
)
def test_a_broken_specification_says_what_is_wrong(changes, sentence):
    with pytest.raises(SpecError, match=sentence):
        FeatureSpec.plain(("load",), **changes)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 9}', "null", '{"format":1,"inputs":5}'])
def test_what_is_no_specification_is_refused_in_one_sentence(text):
    with pytest.raises(SpecError, match="specification"):
        FeatureSpec.from_json(text)


def test_an_asset_twice_in_one_push_is_refused():
    stream = Stream(FeatureSpec.plain(("load",)))
    with pytest.raises(SpecError, match="one after the other"):
        stream.push(["a", "a"], np.array([0, 1]), np.zeros((2, 1)))
