"""Features over a history equal features value by value, to the last bit, whatever comes in."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shopfloor.models.spec import FeatureSpec, SpecError, Stream, features

SPEC = FeatureSpec(
    ("load", "wear", "speed"),
    centre=((0.0, 1.0, 0.0), (2.0, -1.0, 0.0)),
    scale=((1.0, 3.0, 1.0), (0.5, 1e-3, 1.0)),
    settings=("speed",),
    regimes=((0.0,), (10.0,)),
    regime_scale=(2.0,),
    remembered=("load", "wear", "index"),
    mixes=(("index", (0.3, -0.7, 0.1)),),
    pairs=(("product", "load", "wear", 0.0, 2.0), ("ratio", "load", "speed", 1.0, 1.0)),
    baseline=3,
    age=True,
    lags=2,
)

FEW = replace(SPEC, told=("rise", "middle", "trend"), remembered=("index",), unseen=("load", "speed"), lags=0)
"""What is told can be chosen: index alone, one input as it is."""

VALUES = st.one_of(
    st.floats(-5, 5),
    st.just(float("nan")),
    st.sampled_from([0.0, -0.0, 10.0, 1e9 + 0.25, -1e300, 1e-300, float("inf"), -float("inf")]),
)
ROWS = st.lists(st.tuples(st.integers(0, 2), st.integers(-3, 40), VALUES, VALUES, VALUES), min_size=1, max_size=60)


def online(spec, asset, time, values):
    stream = Stream(spec)
    return np.concatenate([stream.push([str(a)], time[i : i + 1], values[i : i + 1]) for i, a in enumerate(asset)])


def same(a, b):
    return np.array_equal(a.view(np.int32), b.view(np.int32))


@settings(max_examples=150, deadline=None)
@given(rows=ROWS, offset=st.sampled_from([0, 1_700_000_000 * 10**9]), gap=st.sampled_from([1, 10**9, 86_400 * 10**9]))
def test_gaps_nan_reordering_duplicates_and_huge_offsets(rows, offset, gap):
    """Times come in any order and twice: rows late for their asset are treated alike on both sides."""
    asset = np.array([row[0] for row in rows])
    time = np.array([offset + row[1] * gap for row in rows], np.int64)
    values = np.array([row[2:] for row in rows])
    for spec in (SPEC, FEW):
        assert same(features(spec, values, time, asset), online(spec, asset, time, values))


@settings(max_examples=40, deadline=None)
@given(offset=st.sampled_from([0.0, 1e6, 1e12, -1e15]), seed=st.integers(0, 99), assets=st.integers(1, 9))
def test_values_with_huge_offsets_beside_any_number_of_assets(offset, seed, assets):
    random = np.random.default_rng(seed)
    rows = 40
    values = offset + random.normal(size=(rows, 3))
    asset, time = random.integers(0, assets, rows), np.arange(rows)
    assert same(features(SPEC, values, time, asset), online(SPEC, asset, time, values))


def test_many_assets_in_one_push_equal_one_after_the_other():
    random = np.random.default_rng(1)
    together, alone = Stream(SPEC), [Stream(SPEC) for _ in range(20)]
    for t in range(12):
        values = random.normal(size=(20, 3))
        found = together.push([str(i) for i in range(20)], np.full(20, t), values)
        for i, stream in enumerate(alone):
            assert same(found[i], stream.push(["x"], np.array([t]), values[i : i + 1])[0])


def test_the_past_does_not_depend_on_the_future():
    values = np.random.default_rng(2).normal(size=(50, 3))
    assert same(features(SPEC, values)[:20], features(SPEC, values[:20]))


def test_a_late_row_is_refused_and_changes_nothing():
    stream = Stream(SPEC)
    values = np.array([[1.0, 2.0, 0.0]])
    stream.push(["a"], np.array([5]), values)
    assert np.isnan(stream.push(["a"], np.array([5]), values * 9)).all()
    assert np.isnan(stream.push(["a"], np.array([1]), values * 9)).all()
    other = Stream(SPEC)
    other.push(["a"], np.array([5]), values)
    assert same(stream.push(["a"], np.array([6]), values), other.push(["a"], np.array([6]), values))


def test_a_spread_at_a_huge_offset_is_what_it_is_without_it():
    """Running sums of squares fail here: they give 0.0 instead of 0.0084."""
    noise = np.random.default_rng(3).normal(scale=0.01, size=(2000, 1))
    spec = FeatureSpec.plain(("load",), remembered=("load",))
    at = spec.names.index("load spread")
    away = features(spec, noise + 1e6)[-1, at]
    np.testing.assert_allclose(away, features(spec, noise)[-1, at], rtol=1e-3)


def test_forgetting_an_asset_starts_it_anew():
    stream, values = Stream(SPEC), np.array([[1.0, 2.0, 3.0]])
    first = stream.push(["a"], np.array([0]), values)
    stream.push(["a"], np.array([1]), values * 2)
    stream.forget("a")
    assert same(stream.push(["a"], np.array([0]), values), first)


def test_every_field_changes_the_hash():
    changes = {
        "age": False, "lags": 1, "baseline": 4, "step": 2.0, "constants": (2.5, 11.0, 37.0), "pairs": (),
        "told": ("rise",), "unseen": ("speed",),
    }  # fmt: skip
    shas = {SPEC.sha, *(replace(SPEC, **{name: value}).sha for name, value in changes.items())}
    assert len(shas) == len(changes) + 1
    for spec in (SPEC, FEW):
        assert FeatureSpec.from_json(spec.to_json()) == spec


def test_what_is_told_is_chosen_from_the_same_memory():
    values = np.random.default_rng(4).normal(size=(30, 3))
    whole, few = features(SPEC, values), features(FEW, values)
    assert FEW.names == (
        "index rise", "index middle", "index trend", "wear", "load * wear", "load / speed", "regime", "age"
    )  # fmt: skip
    for name in ("index middle", "index trend", "age"):
        assert same(few[:, FEW.names.index(name)], whole[:, SPEC.names.index(name)])
    middle, slow = (whole[:, SPEC.names.index(f"index {what}")] for what in ("middle", "slow"))
    np.testing.assert_allclose(few[:, 0], middle - slow, atol=1e-6)


def test_a_specification_of_before_keeps_its_json_and_its_hash():
    """Sealed bundles carry format 1; what only format 2 can say is refused in it."""
    old = (
        '{"age":false,"baseline":5,"centre":[[0.0]],"constants":[2.5,11.0,36.0],"format":1,"inputs":["load"],'
        '"lags":0,"levels":[],"mixes":[],"pairs":[],"regime_scale":[],"regimes":[],"remembered":["load"],'
        '"scale":[[1.0]],"settings":[],"step":1.0}'
    )
    spec = FeatureSpec.from_json(old)
    assert spec.to_json() == old
    assert spec == FeatureSpec.plain(("load",), remembered=("load",))
    assert '"format":2' in replace(spec, told=("rise",)).to_json()
    with pytest.raises(SpecError, match="format 1 with keys"):
        FeatureSpec.from_json(old.replace('"step"', '"told":["rise"],"step"'))
